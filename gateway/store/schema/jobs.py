"""The tables of the jobs. A change of the schema is a new migration at the end."""

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

OUTBOX = """
-- Messages to a Notificaties API, in the order of the writes that they tell of. Row ids are never used twice.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL,      -- the object that it tells of: its messages keep their order
    message TEXT NOT NULL,
    created INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try INTEGER NOT NULL,
    held_up INTEGER NOT NULL DEFAULT 0,  -- 1: the last try failed by the service as a whole
    failed INTEGER,             -- when it was given up
    cause TEXT
);
CREATE INDEX outbox_next ON outbox (next_try, id) WHERE failed IS NULL;
CREATE INDEX outbox_subject ON outbox (subject, id) WHERE failed IS NULL;
CREATE INDEX outbox_held_up ON outbox (id) WHERE held_up = 1;
"""


@migrations(name="0003_outbox")
def outbox(db: Database) -> None:
    """Notifications on their way out."""
    script(db, OUTBOX)


VERIFY = """
-- The report of each verify, as JSON: numbers, rules and uuids, no personal data.
CREATE TABLE verification (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL REFERENCES source (id),
    began INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    mode TEXT NOT NULL,         -- full or sample
    clean INTEGER NOT NULL,
    report TEXT NOT NULL
);
CREATE INDEX verification_source ON verification (source, ended DESC);

-- What an operator did to a source that must be found again later.
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    moment INTEGER NOT NULL,
    source INTEGER REFERENCES source (id),
    what TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL DEFAULT ''
);
"""


@migrations(name="0007_verify")
def verified(db: Database) -> None:
    """Reports of verify, and the log of events."""
    script(db, VERIFY)


FOLLOWING = """
-- How far each source is followed, see operation/following.py. Moments are microseconds UTC, 0 for never.
CREATE TABLE following (
    source INTEGER PRIMARY KEY REFERENCES source (id),
    synced INTEGER NOT NULL DEFAULT 0,
    swept INTEGER NOT NULL DEFAULT 0,
    place TEXT,                 -- where the sweep is, as JSON
    hurry INTEGER NOT NULL DEFAULT 0,
    why TEXT NOT NULL DEFAULT ''
);

-- Objects that a notification told of and that are still to be looked into.
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL REFERENCES source (id),
    kind INTEGER NOT NULL,
    uuid BLOB NOT NULL,
    zaak BLOB,
    received INTEGER NOT NULL,
    told INTEGER NOT NULL DEFAULT 1,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try INTEGER NOT NULL,
    cause TEXT NOT NULL DEFAULT '',
    UNIQUE (source, kind, uuid)
);
CREATE INDEX inbox_next ON inbox (source, next_try, id);
CREATE TABLE inbox_count (what TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;

-- Zaken that clients ask for, or that changed.
CREATE TABLE asked (
    source INTEGER NOT NULL REFERENCES source (id),
    zaak BLOB NOT NULL,
    times INTEGER NOT NULL,
    last INTEGER NOT NULL,
    read INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (source, zaak)
) WITHOUT ROWID;
"""


@migrations(name="0008_sync")
def followed(db: Database) -> None:
    """How far sources are followed, notifications in, and what is asked for often."""
    script(db, FOLLOWING)


BACKFILL = """
-- Whether the backfill of a source must stop, and what it tells of itself while it runs, see operation/backfills.py.
CREATE TABLE backfill (
    source INTEGER PRIMARY KEY REFERENCES source (id),
    stopped INTEGER NOT NULL DEFAULT 0,
    news TEXT,                  -- JSON: numbers and reasons, no personal data
    moment INTEGER
);
"""


@migrations(name="0010_backfill")
def backfilled(db: Database) -> None:
    """Stopping a running backfill, and its news."""
    script(db, BACKFILL)


REBUILD = """
-- How documents were before a rebuild touched them: a digest, NULL when they were not there.
CREATE TABLE rebuild_note (
    run INTEGER NOT NULL,
    uuid BLOB NOT NULL,
    kind INTEGER NOT NULL,
    before BLOB,
    PRIMARY KEY (run, uuid)
) WITHOUT ROWID;
-- The fingerprint of the one mapping that all that is held of a source was made with; NULL: several, or not known.
ALTER TABLE source ADD COLUMN mapping TEXT;
"""


@migrations(name="0011_rebuild")
def rebuilt(db: Database) -> None:
    """What rebuilds need: what they changed, and whether one is needed."""
    script(db, REBUILD)


UNANSWERED = """
-- How many questions of the last whole sweep got no answer.
ALTER TABLE following ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
-- From when on `times` counts.
ALTER TABLE asked ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
"""


@migrations(name="0024_unanswered")
def unanswered(db: Database) -> None:
    """What a sweep could not find out, and from when on it is counted what is asked for often."""
    script(db, UNANSWERED)


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


@migrations(name="0071_export")
def exported(db: Database) -> None:
    """Leaving for a register: which of its uuids is which of ours, and what changed since."""
    script(db, EXPORT)
