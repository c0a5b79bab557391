"""The tables of what clients do to documents from the legacy. A change is a new migration at the end."""

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

HIDDEN = """
-- What legacy objects say of a partij or actor that a client deleted: the uuid that it has, and its others (JSON).
CREATE TABLE hidden (
    statement INTEGER PRIMARY KEY REFERENCES statement (id) ON DELETE CASCADE,
    uuid BLOB NOT NULL,
    others TEXT NOT NULL
);
CREATE INDEX hidden_uuid ON hidden (uuid);

-- The documents that clients had a document from the legacy refer to: `local` by what it names, kept by triggers.
CREATE TABLE named (
    target TEXT NOT NULL,       -- the uuid that the client named
    uuid BLOB NOT NULL,         -- the document that refers to it
    part TEXT NOT NULL,
    PRIMARY KEY (target, uuid, part)
) WITHOUT ROWID;
INSERT OR IGNORE INTO named SELECT e.value, o.uuid, o.part FROM local o CROSS JOIN json_each(o.value) e
    WHERE o.part GLOB 'link *';
CREATE TRIGGER local_comes AFTER INSERT ON local WHEN NEW.part GLOB 'link *' BEGIN
    INSERT OR IGNORE INTO named SELECT e.value, NEW.uuid, NEW.part FROM json_each(NEW.value) e
        WHERE NEW.part GLOB 'link *';
END;
CREATE TRIGGER local_goes AFTER DELETE ON local WHEN OLD.part GLOB 'link *' BEGIN
    DELETE FROM named WHERE uuid = OLD.uuid AND part = OLD.part
        AND target IN (SELECT value FROM json_each(OLD.value));
END;
CREATE TRIGGER local_changes AFTER UPDATE ON local WHEN OLD.part GLOB 'link *' BEGIN
    DELETE FROM named WHERE uuid = OLD.uuid AND part = OLD.part
        AND target IN (SELECT value FROM json_each(OLD.value));
    INSERT OR IGNORE INTO named SELECT e.value, NEW.uuid, NEW.part FROM json_each(NEW.value) e
        WHERE NEW.part GLOB 'link *';
END;

UPDATE source SET mapping = NULL WHERE EXISTS (SELECT 1 FROM statement WHERE document IS NULL);
"""


@migrations(name="0036_hidden")
def hidden(db: Database) -> None:
    """Who is meant by what is said of a partij that a client deleted, and what clients' references name.

    A store in which clients deleted partijen or actoren asks for a rebuild: who those were is found by that.
    """
    script(db, HIDDEN)


KEPT = """
-- Documents whose legacy objects are no more and that stay for what clients wrote (M20): theirs until the legacy gives
-- them again.
CREATE TABLE kept (uuid BLOB PRIMARY KEY) WITHOUT ROWID;
-- Of those that stayed until now the ones with a uuid of version 8: no client's has that.
INSERT INTO kept SELECT uuid FROM document WHERE origin = 1 AND hex(substr(uuid, 7, 1)) GLOB '8*';
"""


@migrations(name="0037_kept")
def kept(db: Database) -> None:
    """What clients write in a document that stayed for their sake counts when the legacy gives it again."""
    script(db, KEPT)
