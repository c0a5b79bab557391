"""The counts of documents, and the triggers that keep them. A change is a new migration at the end."""

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

SPANS = """
-- How many documents of a kind stand where in its order, see indexes/spans.py; kept by triggers on document.
CREATE TABLE span (
    kind INTEGER NOT NULL,
    moment INTEGER NOT NULL,
    created INTEGER NOT NULL,
    uuid BLOB NOT NULL,
    found INTEGER NOT NULL,     -- from here to the next span of its kind
    PRIMARY KEY (kind, moment, created, uuid)
) WITHOUT ROWID;

WITH RECURSIVE kinds (kind) AS (SELECT 1 UNION ALL SELECT kind + 1 FROM kinds WHERE kind < 64)
INSERT INTO span SELECT kind, -9223372036854775808, -9223372036854775808, x'', 0 FROM kinds;
UPDATE span SET found = min(1000, (SELECT count(*) FROM document WHERE document.kind = span.kind));
WITH placed AS (
    SELECT kind, moment, created, uuid,
        row_number() OVER (PARTITION BY kind ORDER BY moment, created, uuid) - 1 AS place,
        count(*) OVER (PARTITION BY kind) AS total
    FROM document
)
INSERT INTO span SELECT kind, moment, created, uuid, min(1000, total - place)
FROM placed WHERE place % 1000 = 0 AND place > 0;

CREATE TRIGGER document_comes AFTER INSERT ON document BEGIN
    UPDATE span SET found = found + 1 WHERE (kind, moment, created, uuid) = (
        SELECT kind, moment, created, uuid FROM span
        WHERE kind = NEW.kind AND (moment, created, uuid) <= (NEW.moment, NEW.created, NEW.uuid)
        ORDER BY moment DESC, created DESC, uuid DESC LIMIT 1);
END;
CREATE TRIGGER document_goes AFTER DELETE ON document BEGIN
    UPDATE span SET found = found - 1 WHERE (kind, moment, created, uuid) = (
        SELECT kind, moment, created, uuid FROM span
        WHERE kind = OLD.kind AND (moment, created, uuid) <= (OLD.moment, OLD.created, OLD.uuid)
        ORDER BY moment DESC, created DESC, uuid DESC LIMIT 1);
END;
CREATE TRIGGER document_moves AFTER UPDATE OF kind, moment, created, uuid ON document
WHEN (OLD.kind, OLD.moment, OLD.created, OLD.uuid) <> (NEW.kind, NEW.moment, NEW.created, NEW.uuid)
BEGIN
    UPDATE span SET found = found - 1 WHERE (kind, moment, created, uuid) = (
        SELECT kind, moment, created, uuid FROM span
        WHERE kind = OLD.kind AND (moment, created, uuid) <= (OLD.moment, OLD.created, OLD.uuid)
        ORDER BY moment DESC, created DESC, uuid DESC LIMIT 1);
    UPDATE span SET found = found + 1 WHERE (kind, moment, created, uuid) = (
        SELECT kind, moment, created, uuid FROM span
        WHERE kind = NEW.kind AND (moment, created, uuid) <= (NEW.moment, NEW.created, NEW.uuid)
        ORDER BY moment DESC, created DESC, uuid DESC LIMIT 1);
END;
CREATE TRIGGER span_too_large AFTER UPDATE OF found ON span WHEN NEW.found > 2000 BEGIN
    INSERT INTO span SELECT kind, moment, created, uuid, NEW.found - 1000 FROM document
        WHERE kind = NEW.kind AND (moment, created, uuid) >= (NEW.moment, NEW.created, NEW.uuid)
        ORDER BY moment, created, uuid LIMIT 1 OFFSET 1000;
    UPDATE span SET found = 1000
        WHERE (kind, moment, created, uuid) = (NEW.kind, NEW.moment, NEW.created, NEW.uuid);
END;
CREATE TRIGGER span_empty AFTER UPDATE OF found ON span WHEN NEW.found = 0 AND NEW.uuid <> x'' BEGIN
    DELETE FROM span WHERE (kind, moment, created, uuid) = (NEW.kind, NEW.moment, NEW.created, NEW.uuid);
END;
"""


@migrations(name="0004_spans")
def counted(db: Database) -> None:
    """Counts of documents, kept by triggers."""
    script(db, SPANS)


# `bounds` names where the spans lie: it is another number after each change of that, also when the change is undone
# and another one made.
COUNTED_TOGETHER = """
CREATE TABLE span_state (
    id INTEGER PRIMARY KEY CHECK (id = 1), one_by_one INTEGER NOT NULL, bounds INTEGER NOT NULL
);
INSERT INTO span_state VALUES (1, 1, random());
DROP TRIGGER document_comes;
CREATE TRIGGER document_comes AFTER INSERT ON document WHEN (SELECT one_by_one FROM span_state)
BEGIN
    UPDATE span SET found = found + 1 WHERE (kind, moment, created, uuid) = (
        SELECT kind, moment, created, uuid FROM span
        WHERE kind = NEW.kind AND (moment, created, uuid) <= (NEW.moment, NEW.created, NEW.uuid)
        ORDER BY moment DESC, created DESC, uuid DESC LIMIT 1);
END;
DROP TRIGGER span_too_large;
CREATE TRIGGER span_too_large AFTER UPDATE OF found ON span WHEN NEW.found > 2000 BEGIN
    INSERT INTO span SELECT kind, moment, created, uuid, NEW.found - 1000 FROM document
        WHERE kind = NEW.kind AND (moment, created, uuid) >= (NEW.moment, NEW.created, NEW.uuid)
        ORDER BY moment, created, uuid LIMIT 1 OFFSET 1000;
    UPDATE span SET found = 1000
        WHERE (kind, moment, created, uuid) = (NEW.kind, NEW.moment, NEW.created, NEW.uuid);
    UPDATE span_state SET bounds = random();
END;
DROP TRIGGER span_empty;
CREATE TRIGGER span_empty AFTER UPDATE OF found ON span WHEN NEW.found = 0 AND NEW.uuid <> x'' BEGIN
    DELETE FROM span WHERE (kind, moment, created, uuid) = (NEW.kind, NEW.moment, NEW.created, NEW.uuid);
    UPDATE span_state SET bounds = random();
END;
"""


@migrations(name="0022_counted_together")
def counted_together(db: Database) -> None:
    """Documents that come together are counted together."""
    script(db, COUNTED_TOGETHER)


MOVED_TOGETHER = """
DROP TRIGGER document_moves;
CREATE TRIGGER document_moves AFTER UPDATE OF kind, moment, created, uuid ON document
WHEN (SELECT one_by_one FROM span_state)
    AND (OLD.kind, OLD.moment, OLD.created, OLD.uuid) <> (NEW.kind, NEW.moment, NEW.created, NEW.uuid)
BEGIN
    UPDATE span SET found = found - 1 WHERE (kind, moment, created, uuid) = (
        SELECT kind, moment, created, uuid FROM span
        WHERE kind = OLD.kind AND (moment, created, uuid) <= (OLD.moment, OLD.created, OLD.uuid)
        ORDER BY moment DESC, created DESC, uuid DESC LIMIT 1);
    UPDATE span SET found = found + 1 WHERE (kind, moment, created, uuid) = (
        SELECT kind, moment, created, uuid FROM span
        WHERE kind = NEW.kind AND (moment, created, uuid) <= (NEW.moment, NEW.created, NEW.uuid)
        ORDER BY moment DESC, created DESC, uuid DESC LIMIT 1);
END;
"""
# Fields that are not filled take no place in indexes; the few numbers that clients gave have one of their own.
FEWER_PAGES = """
DROP INDEX filter_partij_nummer;
CREATE INDEX filter_partij_nummer
    ON document (body ->> '$.nummer')
    WHERE kind = 1 AND body ->> '$.nummer' IS NOT NULL;
DROP INDEX filter_partij_bezoekadres_nummeraanduidingid;
CREATE INDEX filter_partij_bezoekadres_nummeraanduidingid
    ON document (body ->> '$.bezoekadres.nummeraanduidingId')
    WHERE kind = 1 AND body ->> '$.bezoekadres.nummeraanduidingId' IS NOT NULL;
DROP INDEX filter_partij_identificator_partijidentificator_objectid;
CREATE INDEX filter_partij_identificator_partijidentificator_objectid
    ON document (body ->> '$.partijIdentificator.objectId')
    WHERE kind = 2 AND body ->> '$.partijIdentificator.objectId' IS NOT NULL;
DROP INDEX filter_partij_identificator_anderepartijidentificator;
CREATE INDEX filter_partij_identificator_anderepartijidentificator
    ON document (body ->> '$.anderePartijIdentificator')
    WHERE kind = 2 AND body ->> '$.anderePartijIdentificator' IS NOT NULL;
DROP INDEX filter_digitaleadres_adres;
CREATE INDEX filter_digitaleadres_adres
    ON document (body ->> '$.adres')
    WHERE kind = 3 AND body ->> '$.adres' IS NOT NULL;
DROP INDEX filter_rekeningnummer_iban;
CREATE INDEX filter_rekeningnummer_iban
    ON document (body ->> '$.iban')
    WHERE kind = 4 AND body ->> '$.iban' IS NOT NULL;
DROP INDEX filter_categorie_naam;
CREATE INDEX filter_categorie_naam
    ON document (body ->> '$.naam')
    WHERE kind = 5 AND body ->> '$.naam' IS NOT NULL;
DROP INDEX filter_klantcontact_nummer;
CREATE INDEX filter_klantcontact_nummer
    ON document (body ->> '$.nummer')
    WHERE kind = 8 AND body ->> '$.nummer' IS NOT NULL;
DROP INDEX filter_klantcontact_referentienummer;
CREATE INDEX filter_klantcontact_referentienummer
    ON document (body ->> '$.referentienummer')
    WHERE kind = 8 AND body ->> '$.referentienummer' IS NOT NULL;
DROP INDEX filter_betrokkene_contactnaam_achternaam;
CREATE INDEX filter_betrokkene_contactnaam_achternaam
    ON document (body ->> '$.contactnaam.achternaam')
    WHERE kind = 9 AND body ->> '$.contactnaam.achternaam' IS NOT NULL;
DROP INDEX filter_onderwerpobject_onderwerpobjectidentificator_objectid;
CREATE INDEX filter_onderwerpobject_onderwerpobjectidentificator_objectid
    ON document (body ->> '$.onderwerpobjectidentificator.objectId')
    WHERE kind = 10 AND body ->> '$.onderwerpobjectidentificator.objectId' IS NOT NULL;
DROP INDEX filter_bijlage_bijlageidentificator_objectid;
CREATE INDEX filter_bijlage_bijlageidentificator_objectid
    ON document (body ->> '$.bijlageidentificator.objectId')
    WHERE kind = 11 AND body ->> '$.bijlageidentificator.objectId' IS NOT NULL;
DROP INDEX filter_actor_actoridentificator_objectid;
CREATE INDEX filter_actor_actoridentificator_objectid
    ON document (body ->> '$.actoridentificator.objectId')
    WHERE kind = 12 AND body ->> '$.actoridentificator.objectId' IS NOT NULL;
DROP INDEX filter_internetaak_nummer;
CREATE INDEX filter_internetaak_nummer
    ON document (body ->> '$.nummer')
    WHERE kind = 13 AND body ->> '$.nummer' IS NOT NULL;
DROP INDEX filter_internetaak_referentienummer;
CREATE INDEX filter_internetaak_referentienummer
    ON document (body ->> '$.referentienummer')
    WHERE kind = 13 AND body ->> '$.referentienummer' IS NOT NULL;
CREATE INDEX document_own_number ON document (body ->> '$.partijIdentificator.objectId')
    WHERE kind = 2 AND origin = 1;
"""


@migrations(name="0023_fewer_pages")
def fewer_pages(db: Database) -> None:
    """Documents that move together are counted together, and indexes are smaller."""
    script(db, MOVED_TOGETHER)
    script(db, FEWER_PAGES)
