"""Fields beside the standard in a contactmoment, as the Contactmomenten API of e-Suite sends them (M40).

They are read leniently: no standard says what is in them, so what is of another type than expected is a finding and
never keeps a contactmoment out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from marshmallow import ValidationError, fields

from mappings import namen
from mappings.digitaleadressen import adressen_in
from mappings.documents import Document
from mappings.findings import Finding, Severity
from mappings.identity import Uuids
from mappings.settings import Settings
from mappings.zaken import _Group, _Lenient, _Lines, _Number, _Text

# Who may handle a contactmoment, and the soort of the actor that each of them is.
ACTOREN: Final[Mapping[str, str]] = {
    "behandelaar": "medewerker",
    "afdeling": "organisatorische_eenheid",
    "groep": "organisatorische_eenheid",
}
# In this order an internetaak is theirs.
TOEGEWEZEN: Final = tuple(ACTOREN)
HANDELING_LIMIT: Final = 200
TOELICHTING_LIMIT: Final = 1000
_SOORTEN: Final[Mapping[str, str]] = {
    "emailadres": "email",
    "telefoonnummer": "telefoonnummer",
    "telefoonnummerAlternatief": "telefoonnummer",
}


class _Actor(_Lenient):
    identificatie = _Number()
    naam = _Text()
    achternaam = _Text()
    voorletters = _Text()
    voorvoegselAchternaam = _Text()


class _Contactgegevens(_Lenient):
    emailadres = _Text()
    telefoonnummer = _Number()
    telefoonnummerAlternatief = _Number()


_TEXTS: Final[Mapping[str, fields.Field[Any]]] = {
    "antwoord": _Lines(),
    "onderwerp": _Text(),
    "toelichting": _Lines(),
    "type": _Text(),
    "status": _Text(),
}
_ACTOR: Final = _Group(_Actor())
_IDENTIFICATIE: Final = _Number()
_CONTACTGEGEVENS: Final = _Group(_Contactgegevens())


@dataclass(slots=True)
class Naast:
    """What stood beside the standard: texts by name, actors by the field that names them, and contactgegevens.

    An actor is its identificatie and the fields of its name; only what is filled is there. `found` tells what was of
    another type than expected.
    """

    teksten: dict[str, str] = field(default_factory=dict)
    actoren: dict[str, dict[str, str]] = field(default_factory=dict)
    contactgegevens: dict[str, str] = field(default_factory=dict)
    found: list[Finding] = field(default_factory=list)


def read_naast(raw: Mapping[str, Any]) -> Naast:
    """Read what stands beside the standard in a contactmoment as it came. Raises nothing, whatever it holds."""
    naast = Naast()
    for name, known in _TEXTS.items():
        if text := _read(known, raw.get(name), name, naast.found):
            naast.teksten[name] = text
    for name in ("medewerker", *ACTOREN):
        if actor := read_actor(raw.get(name), name, naast.found):
            naast.actoren[name] = actor
    given = _read(_CONTACTGEGEVENS, raw.get("contactgegevens"), "contactgegevens", naast.found) or {}
    naast.contactgegevens = {name: value for name, value in given.items() if value}
    return naast


def read_actor(value: Any, name: str, found: list[Finding]) -> dict[str, str]:
    """Who is named by an identificatie or by an object that holds one; {} for nobody, and for a URL (the standard's).

    A value of another type is a finding on the field `name`.
    """
    if isinstance(value, dict):
        actor = _read(_ACTOR, value, name, found) or {}
        return {field_name: text for field_name, text in actor.items() if text}
    text = _read(_IDENTIFICATIE, value, name, found) or ""
    return {"identificatie": text} if text and "://" not in text else {}


def identificatie_of(actor: Mapping[str, str], soort: str) -> dict[str, str]:
    """An actor as the betrokkeneIdentificatie of a rol of this soort, for the rules of a rol (M27)."""
    if soort == "organisatorische_eenheid":
        return {
            "identificatie": actor.get("identificatie", ""),
            "naam": actor.get("naam") or actor.get("achternaam", ""),
            "isGehuisvestIn": "",
        }
    return {
        "identificatie": actor.get("identificatie", ""),
        "achternaam": actor.get("achternaam") or actor.get("naam", ""),
        "voorletters": actor.get("voorletters", ""),
        "voorvoegselAchternaam": actor.get("voorvoegselAchternaam", ""),
    }


def is_contactverzoek(facts: Mapping[str, Any], settings: Settings) -> bool:
    """Is a contactmoment (its facts) one that asks for something to be done (`[mapping] contactverzoek_typen`)?"""
    soort = facts.get("type", "").casefold()
    return bool(soort) and soort in {known.casefold() for known in settings.contactverzoek_typen}


def internetaak(
    contact: UUID,
    facts: Mapping[str, Any],
    actoren: Mapping[str, UUID],
    moment_text: str,
    uuids: Uuids,
    settings: Settings,
    found: list[Finding],
) -> Document:
    """The internetaak of a contactverzoek (M40).

    In: the facts of its contactmoment and the actors of TOEGEWEZEN by the field that names them; `moment_text` is the
    registratiedatum as the API writes it.
    """
    gedaan = {status.casefold() for status in settings.afgehandeld}
    moment = facts["moment"]
    return Document(
        "internetaak",
        uuids.derive("internetaak", str(contact)),
        {
            "nummer": None,
            "referentienummer": None,
            "gevraagdeHandeling": _fit(facts["type"], HANDELING_LIMIT, "type", found),
            "toelichting": _fit(facts.get("toelichting", ""), TOELICHTING_LIMIT, "toelichting", found),
            "status": "verwerkt" if facts.get("status", "").casefold() in gedaan else "te_verwerken",
            "toegewezenOp": moment_text,
            "afgehandeldOp": None,
        },
        moment,
        moment,
        {
            "aanleidinggevendKlantcontact": [contact],
            "toegewezenAanActoren": list(
                dict.fromkeys(actoren[name] for name in TOEGEWEZEN if name in actoren)
            ),
        },
        frozenset({contact}),
    )


def adressen(
    contact: UUID,
    betrokkene: UUID,
    klant: str,
    facts: Mapping[str, Any],
    uuids: Uuids,
    settings: Settings,
    found: list[Finding],
) -> list[Document]:
    """The contactgegevens of a contactmoment, as digitale adressen of a betrokkene at it (M21, M40).

    In: the uuids of both, and the klant by which the betrokkene is known ("-" when it has none).
    """
    made: dict[UUID, Document] = {}
    overige = settings.overige_adressen == "tonen"
    for name, value in facts.get("contactgegevens", {}).items():
        path = f"contactgegevens.{name}"
        for adres in adressen_in(_SOORTEN[name], value, "", path, found, overige=overige):
            uuid = uuids.derive("adres", f"betrokkene|{contact}|{klant}", adres.soort, adres.sleutel)
            body = {
                "adres": adres.adres,
                "soortDigitaalAdres": adres.soort,
                "isStandaardAdres": False,
                "omschrijving": "",
                "referentie": "",
                "verificatieDatum": None,
            }
            links = {"verstrektDoorBetrokkene": [betrokkene]}
            moment = facts["moment"]
            made.setdefault(
                uuid, Document("digitaleadres", uuid, body, moment, moment, links, frozenset({contact}))
            )
    return list(made.values())


def _read(known: fields.Field[Any], value: Any, name: str, found: list[Finding]) -> Any:
    try:
        return known.deserialize(value)
    except ValidationError:
        found.append(
            Finding("M40", name, Severity.DROPPED, "van een andere soort dan verwacht: overgeslagen")
        )
        return None


def _fit(text: str, limit: int, name: str, found: list[Finding]) -> str:
    if len(text) <= limit:
        return text
    found.append(Finding("M40", name, Severity.ADJUSTED, f"ingekort tot {limit} tekens"))
    return namen.cut_at_word(text, limit)
