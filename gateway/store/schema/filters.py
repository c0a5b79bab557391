"""What filters need beside the first indexes. A change is a new migration at the end."""

from __future__ import annotations

from sqlite_utils import Database

from gateway.store.base.field_indexes import FILLED, filter_index
from gateway.store.base.kinds import KIND
from gateway.store.base.migrations import migrations
from gateway.store.indexes import profiles


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
