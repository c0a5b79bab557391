"""How tokens came to have an end, and names that can be used again; and how operators log in."""

from __future__ import annotations

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

TOKENS = """
ALTER TABLE token RENAME TO token_before;
CREATE TABLE token (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    scope TEXT NOT NULL,
    created INTEGER NOT NULL,
    last_used INTEGER,
    expires INTEGER,            -- from then on it is not taken any more, NULL is never
    revoked INTEGER             -- likewise, because an operator took it out of use; may lie ahead
);
INSERT INTO token (id, name, digest, scope, created, last_used, revoked)
    SELECT id, name, digest, scope, created, last_used, revoked FROM token_before;
DROP TABLE token_before;
CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked IS NULL;
"""


@migrations(name="0048_tokens_end")
def tokens_end(db: Database) -> None:
    """A token may expire, and the name of a revoked one can be used again."""
    script(db, TOKENS)


@migrations(name="0060_scopes_combine")
def scopes_combine(db: Database) -> None:
    """`operate` no longer lets a token read and write, but it may have several scopes: those of before keep all."""
    db.execute("UPDATE token SET scope = 'read write operate' WHERE scope = 'operate'")


PASSES = """
-- Links to the status page and sessions of it, see operation/page_sessions.py.
CREATE TABLE pass (
    digest BLOB PRIMARY KEY,
    link INTEGER NOT NULL,      -- 1: a link that works once, 0: a session
    expires INTEGER NOT NULL
) WITHOUT ROWID;
"""


@migrations(name="0062_passes")
def passes(db: Database) -> None:
    """Links to the status page that work once."""
    script(db, PASSES)


# Links and sessions of before were of nobody: whoever had one logs in again.
OPERATORS = """
CREATE TABLE operator (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password TEXT,              -- as argon2 writes it, with its salt and costs
    roles TEXT NOT NULL,        -- with commas between them
    created INTEGER NOT NULL,
    last_login INTEGER,
    disabled INTEGER            -- since when it lets nobody in
);
DELETE FROM pass;
ALTER TABLE pass ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE pass ADD COLUMN roles TEXT NOT NULL DEFAULT '';
ALTER TABLE pass ADD COLUMN via TEXT NOT NULL DEFAULT '';       -- wachtwoord, link, aanbieder
ALTER TABLE pass ADD COLUMN operator INTEGER REFERENCES operator (id);
ALTER TABLE pass ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
CREATE INDEX pass_name ON pass (name);
-- Who went to the provider of logins and did not come back yet.
CREATE TABLE login_attempt (
    state BLOB PRIMARY KEY,     -- a digest
    browser BLOB NOT NULL,      -- a digest: who comes back must be who went
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    leads_to TEXT NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
-- How often a wrong password was given lately: of an account, from an address; both as keyed digests.
CREATE TABLE login_failure (
    who BLOB PRIMARY KEY,
    since INTEGER NOT NULL,
    failures INTEGER NOT NULL
) WITHOUT ROWID;
"""


@migrations(name="0071_operators")
def operators(db: Database) -> None:
    """Operators log in."""
    script(db, OPERATORS)
