"""Tables of the store about digitale adressen; declared after those of `schema`."""

from sqlite_utils import Database

from gateway.store.base.kinds import KIND, RELATION
from gateway.store.base.migrations import migrations, script

# Until the rebuild that the new mapping asks for, the address that is the standard one is the only one that may be.
STANDARD = f"""
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
    FROM document d JOIN link l ON l.source = d.id AND l.relation = {RELATION["digitaleadres.verstrektDoorPartij"]}
    JOIN document p ON p.id = l.target
    WHERE d.kind = {KIND["digitaleadres"]} AND d.origin = 0 AND d.body ->> '$.isStandaardAdres' = 1;
"""


@migrations(name="0038_standard_candidates")
def standard_candidates(db: Database) -> None:
    """Which address is the standard one is computed on what clients' edits leave."""
    script(db, STANDARD)
