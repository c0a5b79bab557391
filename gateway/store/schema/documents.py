"""What came to stand beside documents: order, numbers, standard addresses. A change is a new migration at the end."""

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

# Until the rebuild that the new mapping asks for, the address that is the standard one is the only one that may be.
STANDARD = """
-- The addresses that the legacy gives a partij and that may be its standard one, with how new each is (M21).
CREATE TABLE standard_candidate (
    document INTEGER PRIMARY KEY REFERENCES document (id) ON DELETE CASCADE,
    partij BLOB NOT NULL,       -- whose it is by the legacy, whatever clients made of it
    soort TEXT NOT NULL,
    moment INTEGER NOT NULL,    -- of the newest rol that gives it, with its uuid, and the place of the address in it
    rol BLOB NOT NULL,
    place INTEGER NOT NULL
);
INSERT INTO standard_candidate
    SELECT d.id, p.uuid, d.body ->> '$.soortDigitaalAdres', d.moment, zeroblob(16), 0
    FROM document d JOIN link l ON l.source = d.id AND l.relation = 6
    JOIN document p ON p.id = l.target
    WHERE d.kind = 3 AND d.origin = 0 AND d.body ->> '$.isStandaardAdres' = 1;
"""


@migrations(name="0038_standard_candidates")
def standard_candidates(db: Database) -> None:
    """Which address is the standard one is computed on what clients' edits leave."""
    script(db, STANDARD)


ORDER = """
-- Which one of several by the same relation it is, from 0, where that matters; NULL: by the age of its target.
ALTER TABLE link ADD COLUMN place INTEGER;
"""


@migrations(name="0034_order_of_references")
def ordered(db: Database) -> None:
    """Several references keep the order in which they were given."""
    script(db, ORDER)


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
