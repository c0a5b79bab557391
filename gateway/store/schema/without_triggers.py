"""How triggers went: what hangs on documents is kept by the writer, so that every database keeps it alike."""

from __future__ import annotations

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

# Those of the indexes of texts stay: such an index is SQLite's own, and they are part of it.
TRIGGERS_GO = """
DROP TRIGGER document_comes;
DROP TRIGGER document_goes;
DROP TRIGGER document_moves;
DROP TRIGGER span_too_large;
DROP TRIGGER span_empty;
ALTER TABLE span_state DROP COLUMN one_by_one;

DROP TRIGGER profile_comes;
DROP TRIGGER profile_changes;
DROP TRIGGER profile_goes;
DROP TRIGGER profile_link_comes;
DROP TRIGGER profile_link_goes;
DROP TABLE profile_due;
DROP TABLE profile_state;

DROP TRIGGER export_document_comes;
DROP TRIGGER export_document_changes;
DROP TRIGGER export_document_goes;
DROP TRIGGER export_link_comes;
DROP TRIGGER export_link_moves;
DROP TRIGGER export_link_goes;
DROP TRIGGER export_filed_goes;

DROP TRIGGER local_comes;
DROP TRIGGER local_goes;
DROP TRIGGER local_changes;
"""


@migrations(name="0075_without_triggers")
def without_triggers(db: Database) -> None:
    """Counts, profiles, what is to be exported and what clients' references name are kept by who writes."""
    script(db, TRIGGERS_GO)


ROW_IDS = """
-- The last row id that was given, of the tables of which ids are kept elsewhere: see base/row_ids.py.
CREATE TABLE row_id (name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO row_id SELECT 'document', coalesce(max(id), 0) FROM document;
INSERT INTO row_id SELECT 'raw', coalesce(max(id), 0) FROM raw;
INSERT INTO row_id SELECT 'statement', coalesce(max(id), 0) FROM statement;
INSERT INTO row_id SELECT 'identity', coalesce(max(id), 0) FROM identity;
INSERT INTO row_id SELECT 'run', coalesce(max(id), 0) FROM run;
INSERT INTO row_id SELECT 'writeback', coalesce(max(id), 0) FROM writeback;
"""


@migrations(name="0076_row_ids")
def row_ids(db: Database) -> None:
    """No row id is given twice."""
    script(db, ROW_IDS)
