"""Objectcontactmomenten of the Contactmomenten API 1.0: what a contactmoment is about, a zaak or else (M32)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from mappings.incoming.earlier_standards import load_objectcontactmoment
from mappings.model.settings import Settings
from mappings.model.ties import Tie
from mappings.model.translated import Translated
from mappings.rules.contactmoment_facts import geen_zaak, zaak_of
from mappings.standards.declaration import ALWAYS, CONTACTMOMENTEN, Decides, FoundBy, LegacyKind, since


def _translate(tie: dict[str, Any], _raw: Mapping[str, Any], _source: str, _settings: Settings) -> Translated:
    return Translated(tie, [], [] if zaak_of(tie) else [geen_zaak()])


def _tie(_uuid: bytes, facts: dict[str, Any]) -> Tie:
    zaak = zaak_of(facts)
    return Tie(UUID(facts["contactmoment"]).bytes, zaak=UUID(zaak).bytes if zaak else None)


def _zaak_in(raw: Mapping[str, Any]) -> object:
    return raw.get("object") if raw.get("objectType") == "zaak" else raw.get("zaak")


OBJECTCONTACTMOMENT: Final = LegacyKind(
    name="objectcontactmoment",
    number=8,
    title="Objectcontactmomenten",
    path="objectcontactmomenten",
    api=CONTACTMOMENTEN,
    filters=since(ALWAYS, "page", "object", "contactmoment", "objectType"),
    own_urls={"object": "zaak", "contactmoment": "contactmoment"},
    order=6,
    asked_by={"zaak": "object", "contactmoment": "contactmoment"},
    schema=load_objectcontactmoment,
    translate=_translate,
    decides=Decides.ITS_ZAAK_IF_ANY,
    zaak_in=_zaak_in,
    tie=_tie,
    found_by=FoundBy.ITS_CONTACT,
)
