"""The tables of what goes out: the export to a register, and write-back. A change is a new migration at the end."""

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


WRITEBACK = """
-- What clients wrote and a source is still to be told, one row a value: that it changed, not to what. Put there with
-- the write itself, and so with as few indexes as can be: what waits is read by a job, and is seldom much.
CREATE TABLE writeback (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES source (id),
    kind TEXT NOT NULL,         -- as [[source]] write_back names it
    document BLOB NOT NULL,     -- the uuid of what the client wrote
    part TEXT NOT NULL,         -- which value of it, blank for all
    message TEXT NOT NULL,      -- uuids and keyed hashes (JSON), no values
    told INTEGER NOT NULL DEFAULT 1,
    created INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try INTEGER NOT NULL,
    held_up INTEGER NOT NULL DEFAULT 0,  -- 1: the last try failed by the source as a whole
    parked INTEGER,             -- since when it waits for an operator
    cause TEXT,
    fields TEXT NOT NULL DEFAULT '',
    UNIQUE (source, kind, document, part)
);

-- What was sent to a source, and the object there that it became: that makes no document of its own.
CREATE TABLE written_back (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL REFERENCES source (id),
    kind TEXT NOT NULL,         -- of the legacy object
    document BLOB NOT NULL,     -- the uuid of what the client wrote
    step TEXT NOT NULL,         -- which object of those that it becomes
    uuid BLOB,                  -- of the legacy object; none for as long as nobody knows whether it is there
    hint TEXT NOT NULL,         -- by what it is asked for: no value of anybody's
    natural_key BLOB,           -- keyed hash of what tells it from all others
    sent BLOB NOT NULL,         -- keyed hash of what it says
    asked INTEGER NOT NULL,     -- when it was sent last
    done INTEGER,               -- when it was known to be there
    UNIQUE (source, kind, document, step)
);
CREATE INDEX written_back_document ON written_back (document);
CREATE INDEX written_back_uuid ON written_back (uuid);
CREATE INDEX written_back_sent ON written_back (sent);
CREATE INDEX written_back_unknown ON written_back (source, kind) WHERE uuid IS NULL;

-- What did not go back, or not as it was written, by the document that a client wrote.
CREATE TABLE writeback_finding (
    source INTEGER NOT NULL REFERENCES source (id),
    rule TEXT NOT NULL,
    field TEXT NOT NULL,
    severity TEXT NOT NULL,
    action TEXT NOT NULL,
    document BLOB NOT NULL,
    PRIMARY KEY (source, rule, field, action, document)
);
"""


@migrations(name="0070_writeback")
def writeback(db: Database) -> None:
    """What clients wrote, on its way back to the sources."""
    script(db, WRITEBACK)


TOTALS = """
-- What came of what was to be told, since ever: counted in the transaction in which it came of it.
CREATE TABLE writeback_total (
    source INTEGER NOT NULL REFERENCES source (id),
    kind TEXT NOT NULL,         -- as [[source]] write_back names it
    outcome TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (source, kind, outcome)
);
"""


@migrations(name="0072_writeback_totals")
def writeback_totals(db: Database) -> None:
    """How often sources were told something, refused it or gave no answer."""
    script(db, TOTALS)


MARKS = """
-- By which it is seen whether a field changed here, there, or on both sides: see target/marks.py.
ALTER TABLE export_pair ADD COLUMN marks BLOB;        -- of what was sent last, NULL when that is not known
ALTER TABLE export_pair ADD COLUMN marks_there BLOB;  -- of what the register showed instead
ALTER TABLE export_pair ADD COLUMN overwritten TEXT NOT NULL DEFAULT '';  -- names of fields that got our value anyhow

-- What stood in files for loaddata, with the marks of its fields; empty once the document is gone here.
CREATE TABLE export_filed (
    uuid BLOB NOT NULL,
    marks BLOB NOT NULL,
    PRIMARY KEY (uuid, marks)
) WITHOUT ROWID;
CREATE TRIGGER export_filed_goes AFTER DELETE ON document
WHEN EXISTS (SELECT 1 FROM export_filed WHERE uuid = OLD.uuid)
BEGIN
    DELETE FROM export_filed WHERE uuid = OLD.uuid;
    INSERT INTO export_filed (uuid, marks) VALUES (OLD.uuid, x'');
END;
"""


@migrations(name="0073_export_marks")
def export_marks(db: Database) -> None:
    """What the register was sent of each field, and what files for it held."""
    script(db, MARKS)
