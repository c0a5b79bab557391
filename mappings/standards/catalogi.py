"""The lists of the Catalogi API: they are asked, and their objects are not held."""

from __future__ import annotations

from typing import Final

from mappings.standards.declaration import ALWAYS, CATALOGI, LegacyList, since

# The Catalogi API has a version of its own; these filters are in all of them.
ZAAKTYPE: Final = LegacyList(
    name="zaaktype",
    path="zaaktypen",
    api=CATALOGI,
    filters=since(ALWAYS, "page", "catalogus", "identificatie", "status"),
)
ROLTYPE: Final = LegacyList(
    name="roltype",
    path="roltypen",
    api=CATALOGI,
    filters=since(ALWAYS, "page", "zaaktype", "omschrijvingGeneriek", "status"),
    own_urls={"zaaktype": "zaaktype"},
)
