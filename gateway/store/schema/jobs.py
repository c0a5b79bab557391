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


ORDERS = """
-- What operators asked the jobs process to do, see operation/orders.py. No personal data.
CREATE TABLE job_order (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    source INTEGER NOT NULL REFERENCES source (id),
    options TEXT NOT NULL,      -- JSON
    who TEXT NOT NULL,
    asked INTEGER NOT NULL,     -- microseconds UTC, as the moments below
    began INTEGER,
    ended INTEGER,
    outcome TEXT NOT NULL DEFAULT '',
    news TEXT,                  -- JSON: numbers and reasons
    stop INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX job_order_open ON job_order (source, id) WHERE ended IS NULL;

-- How fast a run of a backfill went and the source answered, every so many seconds.
CREATE TABLE backfill_sample (
    run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    moment INTEGER NOT NULL,
    rate REAL NOT NULL,         -- objects a second
    p50_ms INTEGER,             -- NULL before the first answer
    PRIMARY KEY (run, moment)
) WITHOUT ROWID;
"""


@migrations(name="0074_orders")
def orders(db: Database) -> None:
    """Orders of operators, and the course of a backfill."""
    script(db, ORDERS)


MACHINES = """
-- Which processes live, as they say themselves every ten seconds, see postgres/heartbeat.py. In a file there are none.
CREATE TABLE process (
    name TEXT PRIMARY KEY,      -- see base/process_identity.py
    alive INTEGER NOT NULL      -- until when it is taken to live, microseconds UTC
) WITHOUT ROWID;

-- The last turn of each job that a process took, see machines/claimed.py. In a file there are none.
CREATE TABLE claimed (
    name TEXT PRIMARY KEY,      -- of the turn: its job, and its source when it has one
    due INTEGER NOT NULL,       -- when it was to run, microseconds UTC
    done INTEGER NOT NULL       -- 1: it ended, or there was nothing to do
) WITHOUT ROWID;
"""


@migrations(name="0078_machines")
def machines(db: Database) -> None:
    """Which processes live, and which turns of jobs were taken."""
    script(db, MACHINES)


PACE = """
-- What all machines know of a server of a source, see machines/paces.py. In a file there is none, see pacing/.
-- Moments are microseconds UTC, 0 is none; of the wishes of an operator below 0 is none.
CREATE TABLE pace (
    server TEXT PRIMARY KEY,    -- the name of the source, and of the API when that has a server of its own
    turn INTEGER NOT NULL DEFAULT 0,  -- who changes it has the row
    rest_until INTEGER NOT NULL DEFAULT 0,
    live_rest_until INTEGER NOT NULL DEFAULT 0,
    open_until INTEGER NOT NULL DEFAULT 0,  -- of the circuit breaker
    failed_trials INTEGER NOT NULL DEFAULT 0,
    paused INTEGER NOT NULL DEFAULT 0,
    connections REAL NOT NULL DEFAULT -1,
    requests REAL NOT NULL DEFAULT -1,
    objects REAL NOT NULL DEFAULT -1
) WITHOUT ROWID;

-- What each machine that asks may ask of it.
CREATE TABLE pace_share (
    server TEXT NOT NULL,
    member TEXT NOT NULL,       -- a number that the machine took
    wants INTEGER NOT NULL,     -- connections
    places INTEGER NOT NULL,    -- connections that it may have
    weight INTEGER NOT NULL,
    fraction REAL NOT NULL,     -- of the rates
    until INTEGER NOT NULL,     -- microseconds UTC
    PRIMARY KEY (server, member)
) WITHOUT ROWID;
"""


@migrations(name="0081_pace")
def pace(db: Database) -> None:
    """How sources are asked by several machines together."""
    script(db, PACE)


@migrations(name="0082_one_index")
def one_index(db: Database) -> None:
    """Nothing here: SQLite is told which index to take. PostgreSQL can't be (`postgres/tables.py`)."""
