"""The tables of write-back. A change is a new migration at the end."""

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

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
