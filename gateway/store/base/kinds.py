"""The numbers that rows carry for a kind of document and for a relation between two.

Numbers are part of the stored data: add at the end, never renumber.
"""

from enum import Enum

from mappings import standards as declared
from mappings.standards.declaration import Decides

KINDS: tuple[str, ...] = (
    "partij",
    "partij-identificator",
    "digitaleadres",
    "rekeningnummer",
    "categorie",
    "categorie-relatie",
    "vertegenwoordiging",
    "klantcontact",
    "betrokkene",
    "onderwerpobject",
    "bijlage",
    "actor",
    "internetaak",
    "actorklantcontact",
)
KIND: dict[str, int] = {name: number for number, name in enumerate(KINDS, start=1)}

# Written as the kind that holds the reference, a dot, and the field of its document.
RELATIONS: tuple[str, ...] = (
    "partij.voorkeursDigitaalAdres",
    "partij.voorkeursRekeningnummer",
    "partij.werkteVoorPartij",
    "partij-identificator.identificeerdePartij",
    "partij-identificator.subIdentificatorVan",
    "digitaleadres.verstrektDoorPartij",
    "digitaleadres.verstrektDoorBetrokkene",
    "rekeningnummer.partij",
    "categorie-relatie.partij",
    "categorie-relatie.categorie",
    "vertegenwoordiging.vertegenwoordigendePartij",
    "vertegenwoordiging.vertegenwoordigdePartij",
    "betrokkene.wasPartij",
    "betrokkene.hadKlantcontact",
    "onderwerpobject.klantcontact",
    "onderwerpobject.wasKlantcontact",
    "bijlage.klantcontact",
    "internetaak.aanleidinggevendKlantcontact",
    "internetaak.toegewezenAanActoren",
    "actorklantcontact.actor",
    "actorklantcontact.klantcontact",
)
RELATION: dict[str, int] = {name: number for number, name in enumerate(RELATIONS, start=1)}

# Of these it matters in which order a document refers to several; of others they stand by age.
ORDERED = frozenset({"internetaak.toegewezenAanActoren"})


class OnDelete(Enum):
    """What happens to a document when the one that it refers to is deleted."""

    CASCADE = "goes along"
    LOSE = "stays, without the reference"
    PROTECT = "forbids the deletion"


ON_DELETE: dict[str, OnDelete] = dict.fromkeys(RELATIONS, OnDelete.CASCADE) | {
    "partij.voorkeursDigitaalAdres": OnDelete.LOSE,
    "partij.voorkeursRekeningnummer": OnDelete.LOSE,
    "partij.werkteVoorPartij": OnDelete.LOSE,
    "digitaleadres.verstrektDoorBetrokkene": OnDelete.LOSE,
    "internetaak.toegewezenAanActoren": OnDelete.LOSE,
    "partij-identificator.subIdentificatorVan": OnDelete.PROTECT,
}

# Legacy objects, as they are declared.
RAW_KINDS: tuple[str, ...] = tuple(declared.KINDS)
RAW_KIND: dict[str, int] = {kind.name: kind.number for kind in declared.KINDS.values()}
# Each object has a state and a moment, so these are always true. Who goes through the objects of a source by them says
# so: on PostgreSQL the indexes on them are for no others (`postgres/tables.py`).
BY_STATE, BY_SEEN = "state >= 0", "last_seen >= 0"

# What hangs on a zaak: it is readable as far as its zaak is (M34).
ON_A_ZAAK = tuple(
    kind.name
    for kind in declared.KINDS.values()
    if kind.decides in (Decides.ITS_ZAAK, Decides.ITS_ZAAK_IF_ANY)
)

# What became of a legacy object (raw.state); each counts once in `klantbrug status`.
TRANSLATED, WAITING, LEFT_OUT, UNREADABLE, QUARANTINED, NO_PARTY, GONE = range(1, 8)
# In these nobody sees an object. After `[mapping] wachttijd_dagen` it is emptied (M2): a digest is left, but no body.
HIDDEN = frozenset({WAITING, UNREADABLE, QUARANTINED})
LEFT_OUT_RULES: dict[int, str] = {
    WAITING: "M34 wacht op zaak",
    LEFT_OUT: "M34",
    UNREADABLE: "M34 zaak niet leesbaar",
    NO_PARTY: "M10",
}

LEGACY_ORIGIN, LOCAL_ORIGIN = 0, 1
