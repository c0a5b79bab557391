"""Fields of legacy objects that have no place in Klantinteracties: which of them hold something (M36).

They stay in the raw object. An object carries the fields as one number, a bit each, so that they are counted per
source without reading the objects again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from mappings.incoming.given_fields import is_empty_date

_ID: Final = "betrokkeneIdentificatie."
_CONTEXT: Final = "authenticatieContext."
_SUBJECT: Final = "subjectIdentificatie."
_OTHERS: Final = "overige velden"
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
    _CONTEXT + _OTHERS,
    _ID + "geboortedatum",
    _ID + "geslachtsaanduiding",
    _ID + "innRechtsvorm",
    _ID + "isGehuisvestIn",
    _ID + _OTHERS,
    _OTHERS,
    # Of the earlier standards (M40, M41).
    *("bronorganisatie", "websiteUrl", "voorkeurskanaal", "onderwerpLinks"),
    *(_SUBJECT + veld for veld in ("geboortedatum", "geslachtsaanduiding", "innRechtsvorm")),
    # Counted likewise: what a source left blank, and was filled in.
    "initiatiefnemer",
    "contactpersoonRol." + _OTHERS,
    _CONTEXT + "representee." + _OTHERS,
    _ID + "verblijfsadres." + _OTHERS,
    _ID + "subVerblijfBuitenland." + _OTHERS,
    "adres." + _OTHERS,
    _SUBJECT + _OTHERS,
    _SUBJECT + "verblijfsadres." + _OTHERS,
    _SUBJECT + "subVerblijfBuitenland." + _OTHERS,
    # Beside the standard, where a contactmoment gives no internetaak (M40).
    *("type", "status", "toelichting"),
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
# What the standards know of the groups within; all of it has a place.
_CONTACTPERSOON: Final = frozenset({"emailadres", "functie", "telefoonnummer", "naam"})
_REPRESENTEE: Final = frozenset({"identifierType", "identifier"})
_ADRESSEN: Final[Mapping[str, frozenset[str]]] = {
    "verblijfsadres": frozenset(
        {
            *("aoaIdentificatie", "aoaPostcode", "aoaHuisnummer", "aoaHuisletter", "aoaHuisnummertoevoeging"),
            *("wplWoonplaatsNaam", "gorOpenbareRuimteNaam", "inpLocatiebeschrijving"),
        }
    ),
    # The Klanten API writes the lines without an underscore.
    "subVerblijfBuitenland": frozenset(
        {
            *("lndLandcode", "lndLandnaam"),
            *(f"subAdresBuitenland{sign}{number}" for sign in ("", "_") for number in (1, 2, 3)),
        }
    ),
}
_ADRES: Final = frozenset(_ADRESSEN)
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
_PLACED_KLANT: Final = frozenset(
    {
        *("url", "uuid", "bronorganisatie", "klantnummer", "bedrijfsnaam", "functie", "websiteUrl"),
        *("voornaam", "voorvoegselAchternaam", "achternaam", "telefoonnummer", "emailadres", "adres"),
        *("subject", "subjectType", "subjectIdentificatie"),
    }
)
_ADRES_KLANT: Final = frozenset(
    {
        *("straatnaam", "huisnummer", "huisletter", "huisnummertoevoeging", "postcode", "woonplaatsnaam"),
        "landcode",
    }
)
# With what stands beside the standard and has a place (M40).
_PLACED_CONTACTMOMENT: Final = frozenset(
    {
        *("url", "uuid", "vorigContactmoment", "volgendContactmoment", "bronorganisatie", "klant", "kanaal"),
        *("registratiedatum", "voorkeurskanaal", "voorkeurstaal", "tekst", "onderwerpLinks"),
        *("initiatiefnemer", "medewerker", "medewerkerIdentificatie"),
        *("antwoord", "onderwerp", "toelichting", "type", "status"),
        *("behandelaar", "afdeling", "groep", "contactgegevens"),
    }
)
# With those that `klanten` makes findings of itself.
_PLACED_SUBJECT: Final[Mapping[str, frozenset[str]]] = {
    "natuurlijk_persoon": _PLACED_IDENTIFICATIE["natuurlijk_persoon"]
    | {"inpANummer", "geboortedatum", "geslachtsaanduiding"},
    "niet_natuurlijk_persoon": _PLACED_IDENTIFICATIE["niet_natuurlijk_persoon"] | {"innRechtsvorm"},
    "vestiging": _PLACED_IDENTIFICATIE["vestiging"],
}


def with_places(facts: dict[str, Any], mask: int) -> dict[str, Any]:
    """The facts with the fields that have no place (M36)."""
    return facts | {"zonder_plaats": mask} if mask else facts


def van_rol(rol: Mapping[str, Any]) -> int:
    """The fields of a raw rol that hold something and have no place, as one number; 0 when there are none (M36).

    In: the rol as it came, of a known betrokkeneType. Fields that the standard does not know give one finding together.
    Raises nothing, whatever the fields hold.
    """
    mask = 0
    for name, bit in _ROL:
        value = rol.get(name)
        if value and _filled(value):
            mask |= bit
    if not _PLACED_ROL.issuperset(rol) and any(_filled(rol[name]) for name in rol.keys() - _PLACED_ROL):
        mask |= BIT[_OTHERS]
    if rol.get("contactpersoonRol"):
        mask |= _unknown(rol, "contactpersoonRol", _CONTACTPERSOON, "")
    identificatie = rol.get("betrokkeneIdentificatie")
    if isinstance(identificatie, dict):
        placed = _PLACED_IDENTIFICATIE[rol["betrokkeneType"]]
        if not placed.issuperset(identificatie):
            mask |= _others(identificatie, placed, _IDENTIFICATIE)
        for group, known in _ADRESSEN.items():
            if identificatie.get(group):
                mask |= _unknown(identificatie, group, known, _ID)
    context = rol.get("authenticatieContext")
    if isinstance(context, dict):
        mask |= _others(context, frozenset(), _AUTHENTICATIE)
        mask |= _unknown(context, "representee", _REPRESENTEE, _CONTEXT)
    return mask


def van_klant(klant: Mapping[str, Any]) -> int:
    """The fields of a raw klant that the standard does not know and that hold something, as one number (M36, M41).

    In: the klant as it came, of a known subjectType. Without one its subjectIdentificatie is a finding as a whole.
    """
    mask = _others(klant, _PLACED_KLANT, BIT) and BIT[_OTHERS]
    mask |= _unknown(klant, "adres", _ADRES_KLANT, "")
    subject, soort = klant.get("subjectIdentificatie"), klant.get("subjectType")
    if soort and isinstance(subject, dict):
        mask |= _unknown(klant, "subjectIdentificatie", _PLACED_SUBJECT[soort], "")
        for group, known in _ADRESSEN.items():
            mask |= _unknown(subject, group, known, _SUBJECT)
    return mask


def van_contactmoment(moment: Mapping[str, Any]) -> int:
    """The fields of a contactmoment that no rule gives a place and that hold something, as one number (M36, M40)."""
    return _others(moment, _PLACED_CONTACTMOMENT, BIT) and BIT[_OTHERS]


def velden(mask: int) -> list[str]:
    """The names of the fields in such a number."""
    return [veld for veld in VELDEN if mask & BIT[veld]]


def masker(namen: Iterable[str]) -> int:
    """Fields by their names in VELDEN, as one number."""
    mask = 0
    for naam in namen:
        mask |= BIT[naam]
    return mask


def _unknown(whole: Mapping[str, Any], name: str, known: frozenset[str], path: str) -> int:
    """The bit of the other fields of the group `name`, whose whole stands at `path`, when one of them is filled."""
    group = whole.get(name)
    if not isinstance(group, dict) or known.issuperset(group):
        return 0
    filled = any(group[field] and _filled(group[field]) for field in group.keys() - known)
    return BIT[f"{path}{name}.{_OTHERS}"] if filled else 0


def _others(group: Mapping[str, Any], placed: frozenset[str], bits: Mapping[str, int]) -> int:
    mask = 0
    for name in group.keys() - placed:
        value = group[name]
        if value and _filled(value):
            mask |= bits.get(name, bits[_OTHERS])
    return mask


def _filled(value: object) -> bool:
    if isinstance(value, str):
        return bool(value.strip()) and not is_empty_date(value)
    return value not in (None, [], {})
