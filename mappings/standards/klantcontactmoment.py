"""Klantcontactmomenten of the Contactmomenten API 1.0: which klanten took part in a contactmoment (M40)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from mappings.incoming.earlier_standards import load_klantcontactmoment
from mappings.model.settings import Settings
from mappings.model.ties import Tie
from mappings.model.translated import Translated
from mappings.standards.declaration import (
    ALWAYS,
    CONTACTMOMENTEN,
    Decides,
    FoundBy,
    LegacyKind,
    Pages,
    since,
)


def _translate(tie: dict[str, Any], _raw: Mapping[str, Any], _source: str, _settings: Settings) -> Translated:
    return Translated(tie)


def _tie(_uuid: bytes, facts: dict[str, Any]) -> Tie:
    klant = facts["klant"]
    return Tie(UUID(facts["contactmoment"]).bytes, klant=UUID(klant).bytes if klant else None)


KLANTCONTACTMOMENT: Final = LegacyKind(
    name="klantcontactmoment",
    number=7,
    title="Klantcontactmomenten",
    path="klantcontactmomenten",
    api=CONTACTMOMENTEN,
    pages=Pages.NONE,
    filters=since(ALWAYS, "contactmoment", "klant", "rol"),
    own_urls={"contactmoment": "contactmoment", "klant": "klant"},
    order=5,
    asked_by={"contactmoment": "contactmoment", "klant": "klant"},
    schema=load_klantcontactmoment,
    translate=_translate,
    decides=Decides.NOTHING,
    tie=_tie,
    found_by=FoundBy.ITS_CONTACT,
)
