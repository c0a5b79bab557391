"""Klantcontacten of the Zaken API: contacts about a zaak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mappings.incoming.zaken import load_klantcontact
from mappings.model.settings import Settings
from mappings.model.translated import Translated
from mappings.rules.klantcontacten import klantcontact_facts
from mappings.standards.declaration import (
    ALWAYS,
    ZAKEN,
    Decides,
    FoundBy,
    LegacyKind,
    Newest,
    Pages,
    since,
)


def _translate(
    contact: dict[str, Any], _raw: Mapping[str, Any], _source: str, _settings: Settings
) -> Translated:
    return Translated(klantcontact_facts(contact))


KLANTCONTACT: Final = LegacyKind(
    name="klantcontact",
    number=3,
    title="Klantcontacten",
    path="klantcontacten",
    api=ZAKEN,
    pages=Pages.SIZED,
    filters=since(ALWAYS, "page", "zaak"),
    own_urls={"zaak": "zaak"},
    order=3,
    newest=Newest(),
    asked_by={"zaak": "zaak"},
    schema=load_klantcontact,
    translate=_translate,
    decides=Decides.ITS_ZAAK,
    found_by=FoundBy.ITS_ZAAK,
    became="klantcontact",
)
