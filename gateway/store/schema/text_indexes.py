"""The indexes of texts, and the triggers that keep them. A change is a new migration at the end."""

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

# Merging less often makes writing a third faster, and searching hardly slower.
INDEXES = """
-- See indexes/text_search.py: which documents are not in the indexes yet, and which indexes hold what was erased.
CREATE TABLE text_due (document INTEGER PRIMARY KEY);
CREATE TABLE text_erased (name TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE text_actor_naam
    USING fts5(text, content='', columnsize=0, tokenize='trigram case_sensitive 1');
INSERT INTO text_actor_naam (text_actor_naam, rank) VALUES ('automerge', 8);
CREATE VIRTUAL TABLE text_digitaleadres_adres
    USING fts5(text, content='', columnsize=0, tokenize='trigram case_sensitive 1');
INSERT INTO text_digitaleadres_adres (text_digitaleadres_adres, rank) VALUES ('automerge', 8);
CREATE VIRTUAL TABLE text_digitaleadres_omschrijving
    USING fts5(text, content='', columnsize=0, tokenize='trigram case_sensitive 1');
INSERT INTO text_digitaleadres_omschrijving (text_digitaleadres_omschrijving, rank) VALUES ('automerge', 8);
CREATE VIRTUAL TABLE text_klantcontact_inhoud
    USING fts5(text, content='', columnsize=0, tokenize='trigram case_sensitive 1');
INSERT INTO text_klantcontact_inhoud (text_klantcontact_inhoud, rank) VALUES ('automerge', 8);
CREATE VIRTUAL TABLE text_klantcontact_onderwerp
    USING fts5(text, content='', columnsize=0, tokenize='trigram case_sensitive 1');
INSERT INTO text_klantcontact_onderwerp (text_klantcontact_onderwerp, rank) VALUES ('automerge', 8);
CREATE VIRTUAL TABLE text_klantcontact_reactie
    USING fts5(text, content='', columnsize=0, tokenize='trigram case_sensitive 1');
INSERT INTO text_klantcontact_reactie (text_klantcontact_reactie, rank) VALUES ('automerge', 8);
"""
ACTOR = """
CREATE TRIGGER text_of_actor_comes AFTER INSERT ON document WHEN NEW.kind = 12 BEGIN
    INSERT OR IGNORE INTO text_due VALUES (NEW.id);
END;
CREATE TRIGGER text_of_actor_goes AFTER DELETE ON document WHEN OLD.kind = 12 BEGIN
    INSERT INTO text_actor_naam (text_actor_naam, rowid, text)
        SELECT 'delete', OLD.id, folded(OLD.body ->> '$.naam')
        WHERE OLD.body ->> '$.naam' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id);
    INSERT INTO text_erased SELECT 'text_actor_naam', 1
        WHERE OLD.body ->> '$.naam' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id)
        ON CONFLICT (name) DO UPDATE SET times = times + 1;
    DELETE FROM text_due WHERE document = OLD.id;
END;
CREATE TRIGGER text_of_actor_changes AFTER UPDATE OF body, kind ON document
WHEN OLD.kind = 12 AND (NEW.kind <> 12 OR OLD.body ->> '$.naam' IS NOT NEW.body ->> '$.naam')
BEGIN
    INSERT INTO text_actor_naam (text_actor_naam, rowid, text)
        SELECT 'delete', OLD.id, folded(OLD.body ->> '$.naam')
        WHERE OLD.body ->> '$.naam' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id);
    INSERT INTO text_erased SELECT 'text_actor_naam', 1
        WHERE OLD.body ->> '$.naam' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id)
        ON CONFLICT (name) DO UPDATE SET times = times + 1;
    INSERT OR IGNORE INTO text_due VALUES (NEW.id);
END;
CREATE TRIGGER text_of_actor_becomes AFTER UPDATE OF kind ON document
WHEN NEW.kind = 12 AND OLD.kind <> 12
BEGIN
    INSERT OR IGNORE INTO text_due VALUES (NEW.id);
END;
"""
DIGITALEADRES = """
CREATE TRIGGER text_of_digitaleadres_comes AFTER INSERT ON document WHEN NEW.kind = 3 BEGIN
    INSERT OR IGNORE INTO text_due VALUES (NEW.id);
END;
CREATE TRIGGER text_of_digitaleadres_goes AFTER DELETE ON document WHEN OLD.kind = 3 BEGIN
    INSERT INTO text_digitaleadres_adres (text_digitaleadres_adres, rowid, text)
        SELECT 'delete', OLD.id, folded(OLD.body ->> '$.adres')
        WHERE OLD.body ->> '$.adres' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id);
    INSERT INTO text_erased SELECT 'text_digitaleadres_adres', 1
        WHERE OLD.body ->> '$.adres' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id)
        ON CONFLICT (name) DO UPDATE SET times = times + 1;
    INSERT INTO text_digitaleadres_omschrijving (text_digitaleadres_omschrijving, rowid, text)
        SELECT 'delete', OLD.id, folded(OLD.body ->> '$.omschrijving')
        WHERE OLD.body ->> '$.omschrijving' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id);
    INSERT INTO text_erased SELECT 'text_digitaleadres_omschrijving', 1
        WHERE OLD.body ->> '$.omschrijving' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id)
        ON CONFLICT (name) DO UPDATE SET times = times + 1;
    DELETE FROM text_due WHERE document = OLD.id;
END;
CREATE TRIGGER text_of_digitaleadres_changes AFTER UPDATE OF body, kind ON document
WHEN OLD.kind = 3 AND (NEW.kind <> 3 OR OLD.body ->> '$.adres' IS NOT NEW.body ->> '$.adres'
    OR OLD.body ->> '$.omschrijving' IS NOT NEW.body ->> '$.omschrijving')
BEGIN
    INSERT INTO text_digitaleadres_adres (text_digitaleadres_adres, rowid, text)
        SELECT 'delete', OLD.id, folded(OLD.body ->> '$.adres')
        WHERE OLD.body ->> '$.adres' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id);
    INSERT INTO text_erased SELECT 'text_digitaleadres_adres', 1
        WHERE OLD.body ->> '$.adres' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id)
        ON CONFLICT (name) DO UPDATE SET times = times + 1;
    INSERT INTO text_digitaleadres_omschrijving (text_digitaleadres_omschrijving, rowid, text)
        SELECT 'delete', OLD.id, folded(OLD.body ->> '$.omschrijving')
        WHERE OLD.body ->> '$.omschrijving' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id);
    INSERT INTO text_erased SELECT 'text_digitaleadres_omschrijving', 1
        WHERE OLD.body ->> '$.omschrijving' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id)
        ON CONFLICT (name) DO UPDATE SET times = times + 1;
    INSERT OR IGNORE INTO text_due VALUES (NEW.id);
END;
CREATE TRIGGER text_of_digitaleadres_becomes AFTER UPDATE OF kind ON document
WHEN NEW.kind = 3 AND OLD.kind <> 3
BEGIN
    INSERT OR IGNORE INTO text_due VALUES (NEW.id);
END;
"""
KLANTCONTACT = """
CREATE TRIGGER text_of_klantcontact_comes AFTER INSERT ON document WHEN NEW.kind = 8 BEGIN
    INSERT OR IGNORE INTO text_due VALUES (NEW.id);
END;
CREATE TRIGGER text_of_klantcontact_goes AFTER DELETE ON document WHEN OLD.kind = 8 BEGIN
    INSERT INTO text_klantcontact_inhoud (text_klantcontact_inhoud, rowid, text)
        SELECT 'delete', OLD.id, folded(OLD.body ->> '$.inhoud')
        WHERE OLD.body ->> '$.inhoud' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id);
    INSERT INTO text_erased SELECT 'text_klantcontact_inhoud', 1
        WHERE OLD.body ->> '$.inhoud' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id)
        ON CONFLICT (name) DO UPDATE SET times = times + 1;
    INSERT INTO text_klantcontact_onderwerp (text_klantcontact_onderwerp, rowid, text)
        SELECT 'delete', OLD.id, folded(OLD.body ->> '$.onderwerp')
        WHERE OLD.body ->> '$.onderwerp' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id);
    INSERT INTO text_erased SELECT 'text_klantcontact_onderwerp', 1
        WHERE OLD.body ->> '$.onderwerp' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id)
        ON CONFLICT (name) DO UPDATE SET times = times + 1;
    INSERT INTO text_klantcontact_reactie (text_klantcontact_reactie, rowid, text)
        SELECT 'delete', OLD.id, folded(OLD.body ->> '$.reactie')
        WHERE OLD.body ->> '$.reactie' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id);
    INSERT INTO text_erased SELECT 'text_klantcontact_reactie', 1
        WHERE OLD.body ->> '$.reactie' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id)
        ON CONFLICT (name) DO UPDATE SET times = times + 1;
    DELETE FROM text_due WHERE document = OLD.id;
END;
CREATE TRIGGER text_of_klantcontact_changes AFTER UPDATE OF body, kind ON document
WHEN OLD.kind = 8 AND (NEW.kind <> 8 OR OLD.body ->> '$.inhoud' IS NOT NEW.body ->> '$.inhoud'
    OR OLD.body ->> '$.onderwerp' IS NOT NEW.body ->> '$.onderwerp'
    OR OLD.body ->> '$.reactie' IS NOT NEW.body ->> '$.reactie')
BEGIN
    INSERT INTO text_klantcontact_inhoud (text_klantcontact_inhoud, rowid, text)
        SELECT 'delete', OLD.id, folded(OLD.body ->> '$.inhoud')
        WHERE OLD.body ->> '$.inhoud' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id);
    INSERT INTO text_erased SELECT 'text_klantcontact_inhoud', 1
        WHERE OLD.body ->> '$.inhoud' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id)
        ON CONFLICT (name) DO UPDATE SET times = times + 1;
    INSERT INTO text_klantcontact_onderwerp (text_klantcontact_onderwerp, rowid, text)
        SELECT 'delete', OLD.id, folded(OLD.body ->> '$.onderwerp')
        WHERE OLD.body ->> '$.onderwerp' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id);
    INSERT INTO text_erased SELECT 'text_klantcontact_onderwerp', 1
        WHERE OLD.body ->> '$.onderwerp' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id)
        ON CONFLICT (name) DO UPDATE SET times = times + 1;
    INSERT INTO text_klantcontact_reactie (text_klantcontact_reactie, rowid, text)
        SELECT 'delete', OLD.id, folded(OLD.body ->> '$.reactie')
        WHERE OLD.body ->> '$.reactie' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id);
    INSERT INTO text_erased SELECT 'text_klantcontact_reactie', 1
        WHERE OLD.body ->> '$.reactie' <> ''
            AND NOT EXISTS (SELECT 1 FROM text_due WHERE document = OLD.id)
        ON CONFLICT (name) DO UPDATE SET times = times + 1;
    INSERT OR IGNORE INTO text_due VALUES (NEW.id);
END;
CREATE TRIGGER text_of_klantcontact_becomes AFTER UPDATE OF kind ON document
WHEN NEW.kind = 8 AND OLD.kind <> 8
BEGIN
    INSERT OR IGNORE INTO text_due VALUES (NEW.id);
END;
"""


@migrations(name="0052_texts")
def texts_indexed(db: Database) -> None:
    """Texts can be searched by a part of them without looking into each; upgrade.py puts them in."""
    for text in (INDEXES, ACTOR, DIGITALEADRES, KLANTCONTACT):
        script(db, text)
