"""Contactmomenten of the Contactmomenten API 1.0 (M40)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from mappings.incoming import unplaced_fields
from mappings.incoming.earlier_standards import load_contactmoment
from mappings.model.settings import Settings
from mappings.model.ties import Tie
from mappings.model.translated import Translated
from mappings.rules.contactmoment_facts import read_contactmoment
from mappings.standards.declaration import (
    ALWAYS,
    CONTACTMOMENTEN,
    Decides,
    FoundBy,
    LegacyKind,
    Newest,
    since,
    with_suffixes,
)


def _translate(moment: dict[str, Any], raw: Mapping[str, Any], source: str, settings: Settings) -> Translated:
    translation = read_contactmoment(moment, source, settings)
    mask = unplaced_fields.masker(translation.zonder_plaats) | unplaced_fields.van_contactmoment(raw)
    return Translated(
        unplaced_fields.with_places(translation.facts, mask), translation.claims, translation.findings
    )


def _tie(uuid: bytes, facts: dict[str, Any]) -> Tie:
    """The klant and the earlier contactmoment that it names itself."""
    klant, vorig = facts["klant"], facts["vorig"]
    return Tie(uuid, klant=UUID(klant).bytes if klant else None, vorig=UUID(vorig).bytes if vorig else None)


CONTACTMOMENT: Final = LegacyKind(
    name="contactmoment",
    number=6,
    title="Contactmomenten",
    path="contactmomenten",
    api=CONTACTMOMENTEN,
    filters=since(
        ALWAYS,
        *("page", "ordering", "vorigContactmoment", "volgendContactmoment", "bronorganisatie"),
        *with_suffixes("registratiedatum", "gt", "gte", "lt", "lte"),
        *("kanaal", "voorkeurskanaal", "voorkeurstaal", "initiatiefnemer", "medewerker"),
    ),
    own_urls={"vorigContactmoment": "contactmoment", "volgendContactmoment": "contactmoment"},
    order=8,  # what ties it goes before it, for it tells who may see it (M34)
    newest=Newest(ordering="-registratiedatum"),
    schema=load_contactmoment,
    translate=_translate,
    says=True,
    decides=Decides.ITS_TIES,
    tie=_tie,
    found_by=FoundBy.ITS_UUID,
    became="klantcontact",
)
