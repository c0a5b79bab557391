"""The choices of an installation that the translation depends on: the `[mapping]` section, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

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


@dataclass(frozen=True, slots=True)
class Settings:
    """The `[mapping]` section, and what depends on the sources.

    A translation with equal settings and input gives equal output (M1).

    Only `max_vertrouwelijkheidaanduiding` has no default (M34): what may be shown is never guessed.
    """

    max_vertrouwelijkheidaanduiding: str  # M34
    partij_rollen: tuple[str, ...] = ()  # M10; empty: every omschrijvingGeneriek
    # M5, in small letters, without outer blanks
    loze_identificaties: tuple[str, ...] = ("-", "0", "n.v.t.", "nvt", "onbekend")
    adressen: str = "alle"  # M14: alle | organisaties | geen
    voorkeurstaal: str = ""  # M11
    taal: str = "nld"  # M28
    kanalen: Mapping[str, Kanaal] = field(default_factory=dict, hash=False)  # M28, M30
    zaak_codes: tuple[ZaakCodes, ...] = DEFAULT_ZAAK_CODES  # M29; served with the first, found by any
    actor_objecttype_medewerker: str = "mdw"  # M27
    actor_objecttype_eenheid: str = "afd"  # M27
    actor_register: str = "obj"  # M27
    actor_soort_object_id: str = "idf"  # M27
    actor_objecttype_groep: str = "grp"  # M40
    klantcontact_betrokkenen: tuple[str, ...] = ("initiator",)  # M30
    contactpersoon_adressen: str = "beide"  # M22: beide | contactpersoon | organisatie
    voorkeursadres: bool = True  # M11
    overige_adressen: str = "tonen"  # M21: tonen | weglaten
    verdwenen_partij: str = "inactief"  # M20: inactief | verwijderen
    contactverzoek_typen: tuple[str, ...] = ()  # M40; empty: no contactmoment gives an internetaak
    afgehandeld: tuple[str, ...] = ("afgehandeld",)  # M40
    wachttijd_dagen: int = 30  # M2: how long what nobody may see is kept whole; no document depends on it
    nummers: str = (
        "leeg"  # M11, M28: leeg | uitdelen; stands in [gateway], because clients' documents follow it too
    )
    klanten_adressen: tuple[str, ...] = ()  # M6: the base addresses of all Klanten APIs of sources
