"""How counts came to be kept, and not counted."""

from __future__ import annotations

from sqlite_utils import Database

from gateway.store.base.migrations import migrations, script
from gateway.store.indexes import tallies


@migrations(name="0061_tallies")
def tallied(db: Database) -> None:
    """Legacy objects by state and findings by rule are counted once, here; the last runs have an index."""
    script(db, tallies.TABLES)
    tallies.count_again(db.conn)
    db.execute("CREATE INDEX run_started ON run (started DESC, id DESC)")
