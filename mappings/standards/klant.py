"""Klanten of the Klanten API 1.0 (M41)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mappings.incoming import unplaced_fields
from mappings.incoming.earlier_standards import load_klant
from mappings.model.settings import Settings
from mappings.model.translated import Translated
from mappings.rules.klanten import translate_klant
from mappings.standards.betrokkenen import spellings_of_bsn
from mappings.standards.declaration import (
    ALWAYS,
    KLANTEN,
    Asking,
    Decides,
    FoundBy,
    LegacyKind,
    Questions,
    since,
)

PERSON: Final = "subjectNatuurlijkPersoon__"
COMPANY: Final = "subjectNietNatuurlijkPersoon__"
BRANCH: Final = "subjectVestigingVestigingsNummer"  # so named in the standard: without the two underscores


def _translate(klant: dict[str, Any], raw: Mapping[str, Any], source: str, settings: Settings) -> Translated:
    translation = translate_klant(klant, source, settings)
    mask = unplaced_fields.masker(translation.zonder_plaats) | unplaced_fields.van_klant(raw)
    return Translated(
        unplaced_fields.with_places(translation.facts, mask), translation.claims, translation.findings
    )


def _by_key(key: str, asking: Asking) -> Questions:
    """The filters that find the klanten of an identity key."""
    start, value = key.split(":", 1)
    number = value.rpartition(":")[2]
    if key.startswith("brp:bsn:"):
        return [(f"{PERSON}inpBsn", spelling) for spelling in spellings_of_bsn(number)], True
    if key.startswith("brp:anr:"):
        return [(f"{PERSON}inpA_nummer", number)], True
    if key.startswith(("hr:rsin:", "hr:kvk:")):
        return [(f"{COMPANY}innNnpId", number)], True
    if key.startswith("hr:vestiging:"):
        return [(BRANCH, number)], True
    if start in ("anp", "ann"):
        source, value = value.split(":", 1)
        name = f"{PERSON}anpIdentificatie" if start == "anp" else f"{COMPANY}annIdentificatie"
        return [(name, value)] if source == asking.source else [], True
    return [("subject", value)] if start == "url" else [], True


KLANT: Final = LegacyKind(
    name="klant",
    number=5,
    title="Klanten",
    path="klanten",
    api=KLANTEN,
    filters=since(
        ALWAYS,
        *("page", "bronorganisatie", "klantnummer", "bedrijfsnaam", "functie", "achternaam"),
        *("telefoonnummer", "emailadres", "subject", "subjectType"),
        *(f"adres__{field}" for field in ("straatnaam", "postcode", "woonplaatsNaam", "landcode")),
        *(f"{PERSON}{field}" for field in ("inpBsn", "anpIdentificatie", "inpA_nummer")),
        *(f"{COMPANY}{field}" for field in ("innNnpId", "annIdentificatie")),
        BRANCH,
    ),
    order=4,
    by_key=_by_key,
    schema=load_klant,
    translate=_translate,
    says=True,
    decides=Decides.NOTHING,
    found_by=FoundBy.ITS_KEYS,
    url_is_key=True,
    became="partij",
)
