"""The tables of the export to a register. A change of the schema is a new migration at the end."""

from __future__ import annotations

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

EXPORT = """
-- What the register that we leave to has of our documents: one row a document, see export/pairs.py.
CREATE TABLE export_pair (
    own BLOB PRIMARY KEY,       -- the uuid of our document
    kind INTEGER NOT NULL,
    theirs BLOB,                -- the uuid that the register gave it, NULL while that is not known
    state INTEGER NOT NULL,
    turn INTEGER NOT NULL,      -- the lot that it went with
    moment INTEGER NOT NULL,    -- when that was, microseconds UTC
    digest BLOB,                -- of what was sent
    preferred BLOB,             -- of what a partij prefers, as it was sent
    sent TEXT,                  -- what is being sent, for as long as no answer came
    cause TEXT NOT NULL DEFAULT '',  -- why it is parked: code and names of fields
    kept TEXT NOT NULL DEFAULT '',   -- names of the fields in which the register keeps its own value
    seen INTEGER NOT NULL DEFAULT 0  -- the last verify that saw it there
) WITHOUT ROWID;
CREATE UNIQUE INDEX export_pair_theirs ON export_pair (theirs) WHERE theirs IS NOT NULL;
CREATE INDEX export_pair_state ON export_pair (kind, state);

-- Documents that came, changed or went since the export began. Kept by triggers.
CREATE TABLE export_due (
    uuid BLOB PRIMARY KEY,
    kind INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,  -- one more at each change
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try INTEGER NOT NULL DEFAULT 0,
    cause TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX export_due_next ON export_due (next_try);

-- One row: whether changes are noted, the last lot, which register it is, and how many objects it had before us.
CREATE TABLE export_state (
    noting INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    target TEXT NOT NULL,
    others INTEGER NOT NULL
);
INSERT INTO export_state VALUES (0, 0, '', 0);

-- The report of each export verify, as JSON: numbers, names of fields and uuids, no personal data.
CREATE TABLE export_report (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    began INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    mode TEXT NOT NULL,         -- full or sample
    clean INTEGER NOT NULL,
    report TEXT NOT NULL
);

CREATE TRIGGER export_document_comes AFTER INSERT ON document WHEN (SELECT noting FROM export_state) BEGIN
    INSERT INTO export_due (uuid, kind) VALUES (NEW.uuid, NEW.kind)
        ON CONFLICT (uuid) DO UPDATE SET version = version + 1, next_try = 0;
END;
CREATE TRIGGER export_document_changes AFTER UPDATE OF body ON document WHEN (SELECT noting FROM export_state)
BEGIN
    INSERT INTO export_due (uuid, kind) VALUES (NEW.uuid, NEW.kind)
        ON CONFLICT (uuid) DO UPDATE SET version = version + 1, next_try = 0;
END;
CREATE TRIGGER export_document_goes AFTER DELETE ON document WHEN (SELECT noting FROM export_state) BEGIN
    INSERT INTO export_due (uuid, kind) VALUES (OLD.uuid, OLD.kind)
        ON CONFLICT (uuid) DO UPDATE SET version = version + 1, next_try = 0;
END;
CREATE TRIGGER export_link_comes AFTER INSERT ON link WHEN (SELECT noting FROM export_state) BEGIN
    INSERT INTO export_due (uuid, kind) SELECT uuid, kind FROM document WHERE id = NEW.source
        ON CONFLICT (uuid) DO UPDATE SET version = version + 1, next_try = 0;
END;
CREATE TRIGGER export_link_moves AFTER UPDATE OF place ON link WHEN (SELECT noting FROM export_state) BEGIN
    INSERT INTO export_due (uuid, kind) SELECT uuid, kind FROM document WHERE id = NEW.source
        ON CONFLICT (uuid) DO UPDATE SET version = version + 1, next_try = 0;
END;
CREATE TRIGGER export_link_goes AFTER DELETE ON link WHEN (SELECT noting FROM export_state) BEGIN
    INSERT INTO export_due (uuid, kind) SELECT uuid, kind FROM document WHERE id = OLD.source
        ON CONFLICT (uuid) DO UPDATE SET version = version + 1, next_try = 0;
END;
"""


@migrations(name="0063_export")
def exported(db: Database) -> None:
    """Leaving for a register: which of its uuids is which of ours, and what changed since."""
    script(db, EXPORT)
