"""Fields of legacy objects that have no place in Klantinteracties: which of them hold something (M36).

They stay in the raw object. An object carries the fields as one number, a bit each, so that they are counted per
source without reading the objects again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

_ID: Final = "betrokkeneIdentificatie."
_CONTEXT: Final = "authenticatieContext."
# The place in this row is the bit: part of what is stored, so add at the end and never change the order.
VELDEN: Final[tuple[str, ...]] = (
    "roltype",
    "omschrijving",
    "omschrijvingGeneriek",
    "roltoelichting",
    "beginGeldigheid",
    "eindeGeldigheid",
    "statussen",
    "betrokkene",
    _CONTEXT + "source",
    _CONTEXT + "levelOfAssurance",
    _CONTEXT + "actingSubject",
    _CONTEXT + "mandate",
    _CONTEXT + "overige velden",
    _ID + "geboortedatum",
    _ID + "geslachtsaanduiding",
    _ID + "innRechtsvorm",
    _ID + "isGehuisvestIn",
    _ID + "overige velden",
    "overige velden",
    # Of the earlier standards (M40, M41).
    *("bronorganisatie", "websiteUrl", "voorkeurskanaal", "onderwerpLinks"),
    *(f"subjectIdentificatie.{veld}" for veld in ("geboortedatum", "geslachtsaanduiding", "innRechtsvorm")),
    # Counted likewise: what a source left blank, and was filled in.
    "initiatiefnemer",
)
BIT: Final[Mapping[str, int]] = {veld: 1 << number for number, veld in enumerate(VELDEN)}
SEVERITY: Final = "info"
ACTION: Final = "heeft geen plaats in Klantinteracties: alleen in het bronobject bewaard"
# The rule and what was done, where that is something else.
INGEVULD: Final[Mapping[str, tuple[str, str]]] = {
    "initiatiefnemer": ("M30", "leeg: de initiator is ingevuld volgens [mapping] kanalen"),
}

_ROL: Final = tuple((name, BIT[name]) for name in VELDEN[:8])
_AUTHENTICATIE: Final = {
    veld.removeprefix(_CONTEXT): BIT[veld] for veld in VELDEN if veld.startswith(_CONTEXT)
} | {"representee": 0}
_IDENTIFICATIE: Final = {veld.removeprefix(_ID): BIT[veld] for veld in VELDEN if veld.startswith(_ID)}
# What rules give a place, or name in a finding of their own.
_PLACED_ROL: Final = frozenset(
    {
        *("url", "uuid", "zaak", "betrokkeneType", "afwijkendeNaamBetrokkene", "registratiedatum"),
        *("indicatieMachtiging", "contactpersoonRol", "betrokkeneIdentificatie", "authenticatieContext"),
        *VELDEN[:8],
    }
)
_ADRES: Final = frozenset({"verblijfsadres", "subVerblijfBuitenland"})
_PLACED_IDENTIFICATIE: Final[Mapping[str, frozenset[str]]] = {
    "natuurlijk_persoon": _ADRES
    | {
        *("inpBsn", "anpIdentificatie", "inpA_nummer", "geslachtsnaam", "voorvoegselGeslachtsnaam"),
        *("voorletters", "voornamen"),
    },
    "niet_natuurlijk_persoon": _ADRES
    | {"innNnpId", "annIdentificatie", "kvkNummer", "vestigingsNummer", "statutaireNaam", "bezoekadres"},
    "vestiging": _ADRES | {"vestigingsNummer", "handelsnaam", "kvkNummer"},
    "organisatorische_eenheid": frozenset({"identificatie", "naam"}),
    "medewerker": frozenset({"identificatie", "achternaam", "voorletters", "voorvoegselAchternaam"}),
}


def van_rol(rol: Mapping[str, Any]) -> int:
    """The fields of a raw rol that hold something and have no place, as one number; 0 when there are none (M36).

    In: the rol as it came, of a known betrokkeneType. Fields that the standard does not know are told together.
    Raises nothing, whatever the fields hold.
    """
    mask = 0
    for name, bit in _ROL:
        value = rol.get(name)
        if value and _filled(value):
            mask |= bit
    if not _PLACED_ROL.issuperset(rol) and any(_filled(rol[name]) for name in rol.keys() - _PLACED_ROL):
        mask |= BIT["overige velden"]
    identificatie = rol.get("betrokkeneIdentificatie")
    if isinstance(identificatie, Mapping):
        placed = _PLACED_IDENTIFICATIE[rol["betrokkeneType"]]
        if not placed.issuperset(identificatie):
            mask |= _others(identificatie, placed, _IDENTIFICATIE)
    context = rol.get("authenticatieContext")
    if isinstance(context, Mapping):
        mask |= _others(context, frozenset(), _AUTHENTICATIE)
    return mask


def velden(mask: int) -> list[str]:
    """The names of the fields in such a number."""
    return [veld for veld in VELDEN if mask & BIT[veld]]


def masker(namen: Iterable[str]) -> int:
    """Fields by their names in VELDEN, as one number."""
    mask = 0
    for naam in namen:
        mask |= BIT[naam]
    return mask


def _others(group: Mapping[str, Any], placed: frozenset[str], bits: Mapping[str, int]) -> int:
    mask = 0
    for name in group.keys() - placed:
        value = group[name]
        if value and _filled(value):
            mask |= bits.get(name, bits["overige velden"])
    return mask


def _filled(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value not in (None, [], {})
