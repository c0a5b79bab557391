"""A partij that a client made as a klant of a Klanten API, and its contact details in one (W6); those on a rol (W7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from mappings.identity.identity import Uuids
from mappings.rules.contactpersonen import is_eigen_naam
from mappings.values.digitaleadressen import adressen_in
from mappings.values.texts import cut_at_word
from mappings.writeback.recognising import klantnummer_of

# The soort of a digitaleadres, and the field of a klant or contactpersoonRol that holds it.
FIELDS: Final[Mapping[str, str]] = {"email": "emailadres", "telefoonnummer": "telefoonnummer"}
NAAM_LIMIT, VOORVOEGSEL_LIMIT = 200, 10
# codeSoortObjectId: the subjectType that it is of, and the field that holds it.
_SUBJECTS: Final[Mapping[str, tuple[str, str]]] = {
    "bsn": ("natuurlijk_persoon", "inpBsn"),
    "rsin": ("niet_natuurlijk_persoon", "innNnpId"),
    "kvk_nummer": ("niet_natuurlijk_persoon", "innNnpId"),
    "vestigingsnummer": ("vestiging", "vestigingsNummer"),
}


def klant(
    partij: Mapping[str, Any],
    uuid: UUID,
    identificatoren: Iterable[Mapping[str, str]],
    details: Mapping[str, str],
    bronorganisatie: str,
    website: str,
    uuids: Uuids,
) -> dict[str, Any]:
    """A new klant of a client's partij: who it is, by name and number, and where it can be reached.

    In: its body, the codes of its identificatoren, and its standard address of each soort. BRP and handelsregister own
    names and numbers; a klant without them would be nobody.
    """
    body: dict[str, Any] = {
        "bronorganisatie": bronorganisatie,
        "klantnummer": klantnummer_of(uuids, uuid),
        "websiteUrl": website,
    }
    named = partij.get("partijIdentificatie") or {}
    if partij["soortPartij"] == "organisatie":
        body["bedrijfsnaam"] = cut_at_word(named.get("naam") or "", NAAM_LIMIT)
    else:
        naam = named.get("contactnaam") or {}
        body["voornaam"] = cut_at_word(naam.get("voornaam") or "", NAAM_LIMIT)
        body["voorvoegselAchternaam"] = (naam.get("voorvoegselAchternaam") or "")[:VOORVOEGSEL_LIMIT]
        body["achternaam"] = cut_at_word(naam.get("achternaam") or "", NAAM_LIMIT)
    body |= {FIELDS[soort]: adres for soort, adres in details.items() if soort in FIELDS}
    numbers = {codes["codeSoortObjectId"]: codes["objectId"] for codes in identificatoren}
    for soort, (subject, field) in _SUBJECTS.items():
        if soort in numbers:
            body |= {"subjectType": subject, "subjectIdentificatie": {field: numbers[soort]}}
            break
    else:
        persoon = partij["soortPartij"] != "organisatie"
        body["subjectType"] = "natuurlijk_persoon" if persoon else "niet_natuurlijk_persoon"
    return body


def value_in(soort: str, text: object) -> str:
    """The e-mail address or telephone number that a field of a source holds, as the API shows it; "" for none or
    several."""
    found = adressen_in(soort, text, "", "", []) if isinstance(text, str) else []
    return found[0].adres if len(found) == 1 and found[0].soort == soort else ""


def holds(soort: str, text: object, adres: str) -> bool:
    """Does a field of a source hold this address, as it came or as the API shows it? "" is a field without one."""
    held = text.strip() if isinstance(text, str) else ""
    return held == adres or (bool(adres) and value_in(soort, held) == adres)


def is_own(naam: str, partij: Mapping[str, Any]) -> bool:
    """Is the naam of a contactpersoonRol blank, or the partij's own (W7)?"""
    naam = naam.strip()
    named = partij.get("partijIdentificatie") or {}
    if not naam:
        return True
    if partij["soortPartij"] == "organisatie":
        return naam.casefold() == str(named.get("naam") or "").strip().casefold()
    eigen = named.get("contactnaam")
    return is_eigen_naam(naam, eigen) if eigen else False
