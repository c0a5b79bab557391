"""How tokens came to have an end, and names that can be used again."""

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
