"""The choices of an installation that the translation depends on: the `[mapping]` section, as plain data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from marshmallow import ValidationError, validate

from mappings.model.config_key import (
    NOT_EMPTY,
    about,
    at_least,
    choice,
    flag,
    key,
    matches,
    one_of,
    printable,
)

# From open to closed, in the order of the standard; M28 and M34 compare places in this row.
VERTROUWELIJKHEIDAANDUIDINGEN = (
    "openbaar",
    "beperkt_openbaar",
    "intern",
    "zaakvertrouwelijk",
    "vertrouwelijk",
    "confidentieel",
    "geheim",
    "zeer_geheim",
)

OMSCHRIJVINGEN_GENERIEK = (
    "adviseur",
    "behandelaar",
    "belanghebbende",
    "beslisser",
    "initiator",
    "klantcontacter",
    "zaakcoordinator",
    "mede_initiator",
)

# What becomes of a nummer that nobody gave (M11, M28); the first is the default.
NUMMERS = ("leeg", "uitdelen")


@dataclass(frozen=True, slots=True)
class Kanaal:
    """What a legacy channel name becomes (M28) and whether the customer began such a contact (M30)."""

    kanaal: str
    initiator: bool = True


class ZaakCodes(NamedTuple):
    """The codes by which an application points from a klantcontact to a zaak (M29)."""

    objecttype: str
    register: str
    soort_object_id: str = "uuid"


# As KISS and as ZAC write them.
DEFAULT_ZAAK_CODES = (ZaakCodes("zgw-Zaak", "openzaak"), ZaakCodes("zaak", "open-zaak"))

_LONGEST_CODE = 200
_TAAL = "drie kleine letters, bijvoorbeeld nld"
_ROLLEN = (one_of(*OMSCHRIJVINGEN_GENERIEK),)


def _are_kanalen(value: Mapping[str, Any]) -> None:
    """Each channel is a name, or a table with `kanaal` and, if wanted, `initiator`."""
    for naam, naar in value.items():
        if isinstance(naar, str):
            naar = {"kanaal": naar}
        if not isinstance(naar, dict) or set(naar) - {"kanaal", "initiator"} or "kanaal" not in naar:
            raise ValidationError(f"kanaal {printable(naam)} is geen tekst en geen {{kanaal, initiator}}")
        kanaal, initiator = naar["kanaal"], naar.get("initiator", True)
        if not isinstance(kanaal, str) or not 1 <= len(kanaal.strip()) <= 50 or type(initiator) is not bool:
            raise ValidationError(
                f"kanaal {printable(naam)}: een naam van 1 tot 50 tekens, initiator true of false"
            )


def _kanalen(value: Mapping[str, Any]) -> dict[str, Kanaal]:
    return {naam: Kanaal(naar) if isinstance(naar, str) else Kanaal(**naar) for naam, naar in value.items()}


def _is_zaak_codes(value: Mapping[str, Any]) -> None:
    """A table with `objecttype` and `register` and, if wanted, `soort_object_id`."""
    if set(value) - {*ZaakCodes._fields} or not {"objecttype", "register"} <= set(value):
        raise ValidationError("is geen {objecttype, register} of {objecttype, register, soort_object_id}")
    for name, code in value.items():
        if not isinstance(code, str) or not 1 <= len(code) <= _LONGEST_CODE:
            raise ValidationError(f"heeft als {name} geen tekst van 1 tot {_LONGEST_CODE} tekens")


def _zaak_codes(value: Iterable[Mapping[str, str]]) -> tuple[ZaakCodes, ...]:
    return tuple(ZaakCodes(**table) for table in value)


def _plain(texts: Iterable[str]) -> tuple[str, ...]:
    """In small letters, without outer blanks, each once."""
    return tuple(sorted({text.strip().casefold() for text in texts}))


def _code(default: str, doc: str, rule: str) -> str:
    """A code in an object that points to another register."""
    length = validate.Length(1, _LONGEST_CODE, error=f"moet 1 tot {_LONGEST_CODE} tekens hebben")
    return key(default, f"{doc} ({rule}).", f'schrijf bijvoorbeeld "{default}" ({rule})', length)


def _choice(doc: str, rule: str, *choices: str) -> str:
    return choice(f"{doc} ({rule}).", *choices, fix=f"schrijf bijvoorbeeld {{}} ({rule})")


@dataclass(frozen=True, slots=True)
class Settings:
    """`[mapping]`: the choices that the translation rules leave to the municipality.

    With what depends on the sources. A translation with equal settings and input gives equal output (M1).

    Only `max_vertrouwelijkheidaanduiding` has no default (M34): what may be shown is never guessed.
    """

    max_vertrouwelijkheidaanduiding: str = field(
        metadata=about(
            "Zaken with a higher vertrouwelijkheidaanduiding are left out altogether (M34).",
            'schrijf de hoogste aanduiding die getoond mag worden, bijvoorbeeld "zaakvertrouwelijk" (M34)',
            one_of("", *VERTROUWELIJKHEIDAANDUIDINGEN),
            default="",
        )
    )
    partij_rollen: tuple[str, ...] = key(
        (),
        "The omschrijvingGeneriek of rollen that make a partij; an empty list is all of them (M10).",
        'schrijf een lijst, leeg voor alle (M10): ["initiator"]',
        each=_ROLLEN,
    )
    loze_identificaties: tuple[str, ...] = key(
        ("-", "0", "n.v.t.", "nvt", "onbekend"),
        "What sources write as an identificatie when they have none (M5).",
        'schrijf een lijst van teksten (M5): ["0", "onbekend"]',
        each=(validate.Length(min=1, error="heeft een lege tekst"),),
        make=_plain,
    )
    adressen: str = _choice("Whose addresses are taken over", "M14", "alle", "organisaties", "geen")
    voorkeurstaal: str = key(
        "",
        "The voorkeurstaal of a partij: three letters, or blank (M11).",
        "laat leeg (M11)",
        matches("|[a-z]{3}", f"is niet leeg en niet {_TAAL}"),
    )
    voorkeursadres: bool = flag(
        True, "Whether a partij prefers its standard e-mail address, else telephone number (M11).", "M11"
    )
    taal: str = key(
        "nld",
        "The taal of a klantcontact (M28).",
        "schrijf {} (M28)",
        matches("[a-z]{3}", f"is niet {_TAAL}"),
    )
    kanalen: Mapping[str, Kanaal] = field(
        default_factory=dict,
        hash=False,
        metadata=about(
            "Other names for channels, and whether the customer begins contact by them (M28, M30).",
            'schrijf naam = "nieuwe naam" of naam = {kanaal = "nieuwe naam", initiator = false} (M28)',
            _are_kanalen,
            make=_kanalen,
            default={},
        ),
    )
    zaak_codes: tuple[ZaakCodes, ...] = key(
        DEFAULT_ZAAK_CODES,
        "The codes by which applications point from a klantcontact to its zaak (M29).",
        'schrijf een lijst, de eerste wordt getoond (M29): [{objecttype = "zaak", register = "zrc"}]',
        NOT_EMPTY,
        each=(_is_zaak_codes,),
        make=_zaak_codes,
    )
    actor_objecttype_medewerker: str = _code(
        "mdw", "The codeObjecttype in the actoridentificator of a medewerker", "M27"
    )
    actor_objecttype_eenheid: str = _code("afd", "That of an organisatorische eenheid", "M27")
    actor_objecttype_groep: str = _code("grp", "That of a groep, which only contactmomenten name", "M40")
    actor_register: str = _code("obj", "The codeRegister in the actoridentificator of all these", "M27")
    actor_soort_object_id: str = _code("idf", "The codeSoortObjectId in it", "M27")
    klantcontact_betrokkenen: tuple[str, ...] = key(
        ("initiator",),
        "The omschrijvingGeneriek of the rollen of a zaak that become betrokkenen of its klantcontacten (M30).",
        'schrijf een lijst (M30): ["initiator"]',
        each=_ROLLEN,
    )
    contactpersoon_adressen: str = _choice(
        "Who gets the e-mail and telephone of a contact person",
        "M22",
        "beide",
        "contactpersoon",
        "organisatie",
    )
    overige_adressen: str = _choice(
        "Whether what is no telephone number to the API becomes an address", "M21", "tonen", "weglaten"
    )
    verdwenen_partij: str = _choice(
        "What becomes of a partij without rollen that local data needs", "M20", "inactief", "verwijderen"
    )
    contactverzoek_typen: tuple[str, ...] = key(
        (),
        "The types of a contactmoment (a field of e-Suite) that ask for something to be done (M40).",
        'schrijf een lijst (M40): ["Contactverzoek"]',
    )
    afgehandeld: tuple[str, ...] = key(
        ("afgehandeld",),
        "The status of such a contactmoment when that was done (M40).",
        'schrijf een lijst (M40): ["afgehandeld"]',
    )
    wachttijd_dagen: int = key(
        30,
        "For how many days an object of a source is kept whole while nobody may see it (M2).",
        "schrijf een aantal dagen van minstens 1, bijvoorbeeld {} (M2)",
        at_least(1),
    )
    nummers: str = NUMMERS[0]  # M11, M28; stands in [gateway], because clients' documents follow it too
    klanten_adressen: tuple[str, ...] = ()  # M6: the base addresses of all Klanten APIs of sources
