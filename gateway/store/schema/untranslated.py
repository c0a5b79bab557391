"""The tables of what is held and not translated: in quarantine, or waiting for its zaak. Declared after `schema`."""

from __future__ import annotations

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

# Of what was in quarantine before, the keys are not known until it is read again: so any may occur in it.
UNREAD = """
-- The keyed hashes of the keys that occur in an object that is not translated, and the contactmomenten that it names.
CREATE TABLE unread_key (
    hash BLOB NOT NULL,
    raw INTEGER NOT NULL REFERENCES raw (id) ON DELETE CASCADE,
    PRIMARY KEY (hash, raw)
) WITHOUT ROWID;
CREATE INDEX unread_key_raw ON unread_key (raw);
-- Whether a key may occur in it that is not among those.
ALTER TABLE quarantine ADD COLUMN keyless INTEGER NOT NULL DEFAULT 1;
-- What is in quarantine of a source and was not dismissed: 0 nothing, 1 something, 2 also an object with unknown keys.
ALTER TABLE source ADD COLUMN unread INTEGER NOT NULL DEFAULT 0;
-- Since when an object that was shown before is not: it waits for its zaak, that can't be read, or it is in quarantine.
-- NULL: since it is held.
ALTER TABLE raw ADD COLUMN waits INTEGER;
UPDATE source SET unread = 2 WHERE id IN (SELECT r.source FROM quarantine q JOIN raw r ON r.id = q.raw
    WHERE q.dismissed IS NULL);
"""


@migrations(name="0051_unread_keys")
def unread(db: Database) -> None:
    """A search for somebody whose object could not be read is told so."""
    script(db, UNREAD)


SEALED = """
-- Of a partij or actor that a client deleted it is kept sealed what legacy objects say of it (see
-- legacy/sealed_claims.py).
ALTER TABLE statement ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX statement_sealed ON statement (id) WHERE sealed = 1;
-- A key is remembered by its keyed hash (see claims.asked_by_key): what was remembered otherwise is asked again.
DELETE FROM fetched WHERE key GLOB 'sleutel *';
DELETE FROM lease WHERE instr(name, ' sleutel ');
"""


@migrations(name="0052_sealed")
def sealed(db: Database) -> None:
    """Whom a client deleted can't be read in what is kept to search by."""
    script(db, SEALED)
