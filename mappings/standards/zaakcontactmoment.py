"""Zaakcontactmomenten of the Zaken API: which contactmomenten, of any Contactmomenten API, are about a zaak (M32).

A list of the Zaken API, so a source may have it without a Contactmomenten API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from mappings.identity.urls import wijst_naar
from mappings.incoming.earlier_standards import load_zaakcontactmoment
from mappings.model.settings import Settings
from mappings.model.ties import Tie
from mappings.model.translated import Translated
from mappings.rules.contactmoment_facts import onbekend_contactmoment
from mappings.standards.declaration import ZAKEN, Decides, FoundBy, LegacyKind, Pages, since


def _translate(tie: dict[str, Any], _raw: Mapping[str, Any], _source: str, _settings: Settings) -> Translated:
    return Translated(tie)


def _point(translated: Translated, addresses: Mapping[str, str]) -> None:
    """Note where its contactmoment is: in this source, here, or (a finding) elsewhere (M32).

    In: the translated object and the base addresses that are known, by name.
    """
    _, contact = wijst_naar(translated.facts["contactmoment"], addresses)
    translated.facts["contact"] = str(contact or "")
    if contact is None:
        translated.findings = [onbekend_contactmoment()]


def _tie(_uuid: bytes, facts: dict[str, Any]) -> Tie | None:
    contact, zaak = facts["contact"], facts["zaak"]
    return Tie(UUID(contact).bytes, zaak=UUID(zaak).bytes) if contact else None


ZAAKCONTACTMOMENT: Final = LegacyKind(
    name="zaakcontactmoment",
    number=4,
    title="Zaakcontactmomenten",
    path="zaakcontactmomenten",
    api=ZAKEN,
    pages=Pages.NONE,
    filters=since((1, 2), "zaak", "contactmoment"),
    own_urls={"zaak": "zaak"},  # its contactmoment may be anywhere
    order=7,
    asked_by={"zaak": "zaak", "contactmoment": "contactmoment"},
    schema=load_zaakcontactmoment,
    translate=_translate,
    point=_point,
    decides=Decides.ITS_ZAAK,
    tie=_tie,
    found_by=FoundBy.ITS_CONTACT,
)
