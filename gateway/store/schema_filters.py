"""What filters need beside the first indexes. A change is a new migration at the end."""

from __future__ import annotations

from sqlite_utils import Database

from gateway.store import profiles
from gateway.store.kinds import KIND
from gateway.store.migrating import migrations
from gateway.store.schema import filter_index

# Fields that clients filter on and that are blank in most documents: kind, and place in the body.
FILLED: tuple[tuple[str, str], ...] = (
    ("actor", "naam"),
    ("betrokkene", "contactnaam.voorletters"),
    ("betrokkene", "contactnaam.voornaam"),
    ("betrokkene", "organisatienaam"),
    ("categorie-relatie", "beginDatum"),
    ("categorie-relatie", "eindDatum"),
    ("digitaleadres", "referentie"),
    ("digitaleadres", "verificatieDatum"),
    ("internetaak", "toegewezenOp"),
    ("partij", "bezoekadres.adresregel1"),
    ("partij", "bezoekadres.adresregel2"),
    ("partij", "bezoekadres.adresregel3"),
    ("partij", "correspondentieadres.adresregel1"),
    ("partij", "correspondentieadres.adresregel2"),
    ("partij", "correspondentieadres.adresregel3"),
    ("partij", "correspondentieadres.nummeraanduidingId"),
    ("rekeningnummer", "bic"),
)
# Their indexes, which hold the documents in which they are not blank.
FILLED_INDEXES: dict[tuple[str, str], str] = {pair: filter_index(*pair) for pair in FILLED}


@migrations(name="0050_filled_fields")
def filled_fields(db: Database) -> None:
    """Indexes for fields that are mostly blank."""
    for kind, field in FILLED:
        value = f"body ->> '$.{field}'"
        on = f"document ({value}) WHERE kind = {KIND[kind]} AND {value} <> ''"
        db.execute(f"CREATE INDEX {filter_index(kind, field)} ON {on}")


@migrations(name="0051_profiles")
def profiled(db: Database) -> None:
    """What many documents share is found and counted by their profiles."""
    profiles.make(db.conn)
