"""Fields beside the standard in a contactmoment, as the Contactmomenten API of e-Suite sends them (M40).

They are read leniently: no standard says what is in them, so what is of another type than expected is a finding and
never keeps a contactmoment out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from marshmallow import ValidationError, fields

from mappings.incoming.given_fields import GivenGroup, GivenLines, GivenNumber, GivenText, LenientSchema
from mappings.model.findings import Finding, Severity

# Who may handle a contactmoment, and the soort of the actor that each of them is.
ACTOREN: Final[Mapping[str, str]] = {
    "behandelaar": "medewerker",
    "afdeling": "organisatorische_eenheid",
    "groep": "organisatorische_eenheid",
}


class _Actor(LenientSchema):
    identificatie = GivenNumber()
    naam = GivenText()
    achternaam = GivenText()
    voorletters = GivenText()
    voorvoegselAchternaam = GivenText()


class _Contactgegevens(LenientSchema):
    emailadres = GivenText()
    telefoonnummer = GivenNumber()
    telefoonnummerAlternatief = GivenNumber()


_TEXTS: Final[Mapping[str, fields.Field[Any]]] = {
    "antwoord": GivenLines(),
    "onderwerp": GivenText(),
    "toelichting": GivenLines(),
    "type": GivenText(),
    "status": GivenText(),
}
_ACTOR: Final = GivenGroup(_Actor())
_IDENTIFICATIE: Final = GivenNumber()
_CONTACTGEGEVENS: Final = GivenGroup(_Contactgegevens())


@dataclass(slots=True)
class Naast:
    """What stood beside the standard: texts by name, actors by the field that names them, and contactgegevens.

    An actor is its identificatie and the fields of its name; only what is filled is there. `found` gets what was of
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


def _read(known: fields.Field[Any], value: Any, name: str, found: list[Finding]) -> Any:
    try:
        return known.deserialize(value)
    except ValidationError:
        found.append(
            Finding("M40", name, Severity.DROPPED, "van een andere soort dan verwacht: overgeslagen")
        )
        return None
