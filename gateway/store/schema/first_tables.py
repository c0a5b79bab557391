"""The tables of documents and legacy objects. A change of the schema is a new migration at the end."""

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

DOCUMENTS = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE document (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    uuid BLOB NOT NULL UNIQUE,
    owner INTEGER,              -- the partij, actor or klantcontact document that it was made with
    origin INTEGER NOT NULL,    -- 0 from the legacy, 1 written by a client
    created INTEGER NOT NULL,   -- microseconds UTC, M42
    moment INTEGER NOT NULL,    -- what lists sort on first: plaatsgevondenOp of a klantcontact, else created
    body TEXT NOT NULL          -- the resource as JSON, without url, uuid and references
);
CREATE INDEX document_order ON document (kind, moment DESC, created DESC, uuid DESC);
CREATE INDEX document_owner ON document (owner);

CREATE TABLE link (
    source INTEGER NOT NULL REFERENCES document (id),
    relation INTEGER NOT NULL,
    target INTEGER NOT NULL REFERENCES document (id),
    PRIMARY KEY (source, relation, target)
) WITHOUT ROWID;
CREATE INDEX link_target ON link (target, relation, source);

CREATE TABLE alias (
    uuid BLOB PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX alias_document ON alias (document);

-- What a client wrote over a legacy value (M19): one row a group of fields, or a tombstone.
CREATE TABLE local (
    uuid BLOB NOT NULL,
    part TEXT NOT NULL,
    value TEXT,
    written INTEGER NOT NULL,
    PRIMARY KEY (uuid, part)
) WITHOUT ROWID;
"""

LEGACY = """
CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    phase TEXT NOT NULL DEFAULT 'live',
    covered INTEGER             -- when the last complete backfill began, microseconds UTC
);

CREATE TABLE raw (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES source (id),
    kind INTEGER NOT NULL,
    uuid BLOB NOT NULL,
    zaak BLOB,                  -- uuid of its zaak
    state INTEGER NOT NULL,     -- see base/kinds.py
    visible INTEGER NOT NULL DEFAULT 1,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    digest BLOB,
    facts TEXT,                 -- the little that others need of it, as JSON
    body BLOB,                  -- as the legacy gave it, compressed; empty when left out (M34)
    UNIQUE (source, kind, uuid)
);
CREATE INDEX raw_zaak ON raw (source, zaak, kind);
CREATE INDEX raw_state ON raw (source, kind, state);
CREATE INDEX raw_seen ON raw (source, kind, last_seen);

-- What legacy objects say of one partij or actor: the content, once.
CREATE TABLE statement (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    document INTEGER REFERENCES document (id) ON DELETE SET NULL,
    body TEXT NOT NULL
);
CREATE INDEX statement_document ON statement (document);
-- Which legacy object makes that statement, in which part of it, and its registratiedatum.
CREATE TABLE claim (
    id INTEGER PRIMARY KEY,
    raw INTEGER NOT NULL REFERENCES raw (id) ON DELETE CASCADE,
    facet TEXT NOT NULL,
    statement INTEGER NOT NULL REFERENCES statement (id),
    moment INTEGER NOT NULL,
    rol BLOB NOT NULL,
    UNIQUE (raw, facet)
);
CREATE INDEX claim_statement ON claim (statement, moment, rol);
CREATE TABLE identity (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE claim_key (
    identity INTEGER NOT NULL REFERENCES identity (id),
    statement INTEGER NOT NULL REFERENCES statement (id) ON DELETE CASCADE,
    PRIMARY KEY (identity, statement)
) WITHOUT ROWID;
CREATE INDEX claim_key_statement ON claim_key (statement);

-- Provenance hangs on statements for what belongs to a partij or actor, on legacy objects for klantcontacten.
CREATE TABLE made_of_statement (
    document INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    statement INTEGER NOT NULL REFERENCES statement (id) ON DELETE CASCADE,
    PRIMARY KEY (document, statement)
) WITHOUT ROWID;
CREATE INDEX made_of_statement_statement ON made_of_statement (statement);
CREATE TABLE made_of_raw (
    document INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    raw INTEGER NOT NULL REFERENCES raw (id) ON DELETE CASCADE,
    PRIMARY KEY (document, raw)
) WITHOUT ROWID;
CREATE INDEX made_of_raw_raw ON made_of_raw (raw);
CREATE VIEW provenance (document, raw) AS
    SELECT document, raw FROM made_of_raw
    UNION ALL
    SELECT m.document, c.raw FROM made_of_statement m JOIN claim c ON c.statement = m.statement
    UNION ALL
    SELECT s.document, c.raw FROM statement s JOIN claim c ON c.statement = s.id WHERE s.document IS NOT NULL;

CREATE TABLE raw_finding (
    raw INTEGER NOT NULL REFERENCES raw (id) ON DELETE CASCADE,
    stage INTEGER NOT NULL,     -- 1 translating it, 3 its klantcontact with the rollen of the zaak
    rule TEXT NOT NULL,
    field TEXT NOT NULL,
    severity TEXT NOT NULL,
    action TEXT NOT NULL,
    PRIMARY KEY (raw, stage, rule, field, action)
) WITHOUT ROWID;
CREATE INDEX raw_finding_rule ON raw_finding (rule);
CREATE TABLE statement_finding (
    statement INTEGER NOT NULL REFERENCES statement (id) ON DELETE CASCADE,
    rule TEXT NOT NULL,
    field TEXT NOT NULL,
    severity TEXT NOT NULL,
    action TEXT NOT NULL,
    PRIMARY KEY (statement, rule, field, action)
) WITHOUT ROWID;
CREATE VIEW finding (raw, stage, rule, field, severity, action) AS
    SELECT raw, stage, rule, field, severity, action FROM raw_finding
    UNION ALL
    SELECT DISTINCT c.raw, 2, f.rule, f.field, f.severity, f.action
    FROM statement_finding f JOIN claim c ON c.statement = f.statement;

CREATE TABLE source_finding (
    source INTEGER NOT NULL REFERENCES source (id),
    rule TEXT NOT NULL,
    field TEXT NOT NULL,
    severity TEXT NOT NULL,
    action TEXT NOT NULL,
    PRIMARY KEY (source, rule, field)
) WITHOUT ROWID;

CREATE TABLE quarantine (
    raw INTEGER PRIMARY KEY REFERENCES raw (id) ON DELETE CASCADE,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL
);
"""

OPERATION = """
-- What was asked of the legacy and answered whole, and when.
CREATE TABLE fetched (
    source INTEGER NOT NULL REFERENCES source (id),
    key TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (source, key)
) WITHOUT ROWID;

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    job TEXT NOT NULL,
    source INTEGER REFERENCES source (id),
    status TEXT NOT NULL,       -- running, interrupted, finished, failed
    started INTEGER NOT NULL,
    heartbeat INTEGER NOT NULL,
    finished INTEGER,
    counters TEXT NOT NULL DEFAULT '{}',
    cursor TEXT,
    message TEXT NOT NULL DEFAULT ''
);
CREATE INDEX run_job ON run (job, source, started DESC);

CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    expires INTEGER NOT NULL,
    fence INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE token (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    digest BLOB NOT NULL UNIQUE,
    scope TEXT NOT NULL,
    created INTEGER NOT NULL,
    last_used INTEGER,
    revoked INTEGER
);
"""


@migrations(name="0001_first")
def first(db: Database) -> None:
    """Documents with their links, raw legacy objects with what they say, and the operation's own tables."""
    script(db, DOCUMENTS)
    script(db, LEGACY)
    script(db, OPERATION)


@migrations(name="0006_quarantine")
def dismissed(db: Database) -> None:
    """What an operator looked at and left in quarantine: since when it is not counted any more."""
    db.execute("ALTER TABLE quarantine ADD COLUMN dismissed INTEGER")


REPRESENTATION = """
-- Which zaak gives which vertegenwoordiging (by the uuid of its document, also when a client deleted that).
CREATE TABLE representation (
    source INTEGER NOT NULL REFERENCES source (id),
    zaak BLOB NOT NULL,
    uuid BLOB NOT NULL,
    PRIMARY KEY (source, zaak, uuid)
) WITHOUT ROWID;
CREATE INDEX representation_uuid ON representation (uuid);

-- The last day of the rol in a zaak that is the first to end.
CREATE TABLE representation_end (
    source INTEGER NOT NULL REFERENCES source (id),
    zaak BLOB NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY (source, zaak)
) WITHOUT ROWID;
CREATE INDEX representation_end_until ON representation_end (until);

-- The few rollen that have a part in representation.
CREATE INDEX raw_machtiging ON raw (source, zaak) WHERE facts ->> '$.machtiging' IS NOT NULL;
-- The fields without a place that objects fill, a bit each: counted from this index alone.
CREATE INDEX raw_zonder_plaats ON raw (source, facts ->> '$.zonder_plaats')
    WHERE facts ->> '$.zonder_plaats' IS NOT NULL;
"""


@migrations(name="0005_representation")
def represented(db: Database) -> None:
    """Who represents whom, by zaak; and what has no place, counted."""
    script(db, REPRESENTATION)


CLIENTS_AND_LEGACY = """
-- Documents that clients made and that the legacy gives too: the derived uuid, the client's, and what the client made.
CREATE TABLE adopted (
    uuid BLOB PRIMARY KEY,
    own BLOB NOT NULL,
    body TEXT NOT NULL,
    created INTEGER NOT NULL,
    moment INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX adopted_own ON adopted (own);

-- What was destroyed at its source, and the documents that went with it: nothing but that, and when.
CREATE TABLE erased (
    uuid BLOB PRIMARY KEY,
    what TEXT NOT NULL,         -- the kind of legacy object or document
    at INTEGER NOT NULL
) WITHOUT ROWID;
"""


@migrations(name="0009_adopted_erased")
def adopted_and_erased(db: Database) -> None:
    """What clients and the legacy both have, and what is no more."""
    script(db, CLIENTS_AND_LEGACY)


TIES = """
-- What ties the contactmomenten of an earlier standard to klanten, zaken and each other, see legacy/ties.py.
CREATE TABLE tie (
    raw INTEGER PRIMARY KEY REFERENCES raw (id) ON DELETE CASCADE,
    source INTEGER NOT NULL REFERENCES source (id),
    contact BLOB NOT NULL,      -- uuid of the contactmoment
    klant BLOB,
    zaak BLOB,
    vorig BLOB                  -- uuid of an earlier contactmoment
);
CREATE INDEX tie_contact ON tie (source, contact);
CREATE INDEX tie_klant ON tie (source, klant) WHERE klant IS NOT NULL;
CREATE INDEX tie_zaak ON tie (source, zaak) WHERE zaak IS NOT NULL;
CREATE INDEX tie_vorig ON tie (source, vorig) WHERE vorig IS NOT NULL;
CREATE INDEX statement_nummer ON statement (body ->> '$.m') WHERE body ->> '$.m' IS NOT NULL;
"""


@migrations(name="0020_ties")
def tied(db: Database) -> None:
    """The earlier standards: what hangs on a contactmoment, and the numbers of klanten."""
    script(db, TIES)


FASTER = """
-- In the order of arrival, so that what comes in together lies together; it is only counted as a whole.
DROP INDEX raw_zonder_plaats;
CREATE INDEX raw_zonder_plaats ON raw (source, first_seen, facts ->> '$.zonder_plaats')
    WHERE facts ->> '$.zonder_plaats' IS NOT NULL;
-- The few documents that clients made.
CREATE INDEX document_local ON document (kind) WHERE origin = 1;
-- Which addresses clients made the standard ones.
CREATE INDEX local_standaard ON local (part) WHERE part = 'isStandaardAdres';
"""


@migrations(name="0021_faster")
def faster(db: Database) -> None:
    """Fewer pages are touched for each object that comes in; statements are found by their first key."""
    script(db, FASTER)
    rows = db.execute(
        "SELECT s.id, s.digest, i.id FROM statement s JOIN identity i ON i.key = s.body ->> '$.k[0]'"
    ).fetchall()
    for row, _, _ in rows:  # out of the way: a new digest may be what another one was
        db.execute("UPDATE statement SET digest = randomblob(17) WHERE id = ?", (row,))
    for row, old, identity in rows:
        digest = identity.to_bytes(6, "big") + old[:10]  # as legacy/claims.py had it then
        db.execute("UPDATE statement SET digest = ? WHERE id = ?", (digest, row))


@migrations(name="0079_erased_here")
def erased_here(db: Database) -> None:
    """What an operator erased here is told apart from what its source destroyed."""
    db.execute("ALTER TABLE erased ADD COLUMN here INTEGER NOT NULL DEFAULT 0")
