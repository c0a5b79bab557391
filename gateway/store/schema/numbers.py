"""The table of numbers that documents got instead of their first choice. A change is a new migration at the end."""

from sqlite_utils import Database

from gateway.store.base.migrations import migrations, script

NUMBERS = """
-- The nummer of documents whose own first choice was taken, see documents/numbering.py.
CREATE TABLE nummer (
    kind INTEGER NOT NULL,
    uuid BLOB NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, uuid),
    UNIQUE (kind, value)
) WITHOUT ROWID;
"""


@migrations(name="0044_numbers")
def numbered(db: Database) -> None:
    """Numbers that were given out, as far as nobody can derive them again."""
    script(db, NUMBERS)
