"""The tables of the store that links need beside the first ones."""

from __future__ import annotations

from sqlite_utils import Database

from gateway.store.base.migrations import migrations, script

ORDER = """
-- Which one of several by the same relation it is, from 0, where that matters; NULL: by the age of its target.
ALTER TABLE link ADD COLUMN place INTEGER;
"""


@migrations(name="0034_order_of_references")
def ordered(db: Database) -> None:
    """Several references keep the order in which they were given."""
    script(db, ORDER)
