"""What filters need beside the first tables. A change is a new migration at the end."""

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

FILTERS = """
CREATE INDEX filter_partij_nummer
    ON document (body ->> '$.nummer') WHERE kind = 1;
CREATE INDEX filter_partij_bezoekadres_nummeraanduidingid
    ON document (body ->> '$.bezoekadres.nummeraanduidingId') WHERE kind = 1;
CREATE INDEX filter_partij_identificator_partijidentificator_objectid
    ON document (body ->> '$.partijIdentificator.objectId') WHERE kind = 2;
CREATE INDEX filter_partij_identificator_anderepartijidentificator
    ON document (body ->> '$.anderePartijIdentificator') WHERE kind = 2;
CREATE INDEX filter_digitaleadres_adres
    ON document (body ->> '$.adres') WHERE kind = 3;
CREATE INDEX filter_rekeningnummer_iban
    ON document (body ->> '$.iban') WHERE kind = 4;
CREATE INDEX filter_categorie_naam
    ON document (body ->> '$.naam') WHERE kind = 5;
CREATE INDEX filter_klantcontact_nummer
    ON document (body ->> '$.nummer') WHERE kind = 8;
CREATE INDEX filter_klantcontact_referentienummer
    ON document (body ->> '$.referentienummer') WHERE kind = 8;
CREATE INDEX filter_betrokkene_contactnaam_achternaam
    ON document (body ->> '$.contactnaam.achternaam') WHERE kind = 9;
CREATE INDEX filter_onderwerpobject_onderwerpobjectidentificator_objectid
    ON document (body ->> '$.onderwerpobjectidentificator.objectId') WHERE kind = 10;
CREATE INDEX filter_bijlage_bijlageidentificator_objectid
    ON document (body ->> '$.bijlageidentificator.objectId') WHERE kind = 11;
CREATE INDEX filter_actor_actoridentificator_objectid
    ON document (body ->> '$.actoridentificator.objectId') WHERE kind = 12;
CREATE INDEX filter_internetaak_nummer
    ON document (body ->> '$.nummer') WHERE kind = 13;
CREATE INDEX filter_internetaak_referentienummer
    ON document (body ->> '$.referentienummer') WHERE kind = 13;
"""


@migrations(name="0002_filters")
def filters(db: Database) -> None:
    """Indexes for searching documents by a value in their body."""
    script(db, FILTERS)


FILLED = """
CREATE INDEX filter_actor_naam
    ON document (body ->> '$.naam')
    WHERE kind = 12 AND body ->> '$.naam' <> '';
CREATE INDEX filter_betrokkene_contactnaam_voorletters
    ON document (body ->> '$.contactnaam.voorletters')
    WHERE kind = 9 AND body ->> '$.contactnaam.voorletters' <> '';
CREATE INDEX filter_betrokkene_contactnaam_voornaam
    ON document (body ->> '$.contactnaam.voornaam')
    WHERE kind = 9 AND body ->> '$.contactnaam.voornaam' <> '';
CREATE INDEX filter_betrokkene_organisatienaam
    ON document (body ->> '$.organisatienaam')
    WHERE kind = 9 AND body ->> '$.organisatienaam' <> '';
CREATE INDEX filter_categorie_relatie_begindatum
    ON document (body ->> '$.beginDatum')
    WHERE kind = 6 AND body ->> '$.beginDatum' <> '';
CREATE INDEX filter_categorie_relatie_einddatum
    ON document (body ->> '$.eindDatum')
    WHERE kind = 6 AND body ->> '$.eindDatum' <> '';
CREATE INDEX filter_digitaleadres_referentie
    ON document (body ->> '$.referentie')
    WHERE kind = 3 AND body ->> '$.referentie' <> '';
CREATE INDEX filter_digitaleadres_verificatiedatum
    ON document (body ->> '$.verificatieDatum')
    WHERE kind = 3 AND body ->> '$.verificatieDatum' <> '';
CREATE INDEX filter_internetaak_toegewezenop
    ON document (body ->> '$.toegewezenOp')
    WHERE kind = 13 AND body ->> '$.toegewezenOp' <> '';
CREATE INDEX filter_partij_bezoekadres_adresregel1
    ON document (body ->> '$.bezoekadres.adresregel1')
    WHERE kind = 1 AND body ->> '$.bezoekadres.adresregel1' <> '';
CREATE INDEX filter_partij_bezoekadres_adresregel2
    ON document (body ->> '$.bezoekadres.adresregel2')
    WHERE kind = 1 AND body ->> '$.bezoekadres.adresregel2' <> '';
CREATE INDEX filter_partij_bezoekadres_adresregel3
    ON document (body ->> '$.bezoekadres.adresregel3')
    WHERE kind = 1 AND body ->> '$.bezoekadres.adresregel3' <> '';
CREATE INDEX filter_partij_correspondentieadres_adresregel1
    ON document (body ->> '$.correspondentieadres.adresregel1')
    WHERE kind = 1 AND body ->> '$.correspondentieadres.adresregel1' <> '';
CREATE INDEX filter_partij_correspondentieadres_adresregel2
    ON document (body ->> '$.correspondentieadres.adresregel2')
    WHERE kind = 1 AND body ->> '$.correspondentieadres.adresregel2' <> '';
CREATE INDEX filter_partij_correspondentieadres_adresregel3
    ON document (body ->> '$.correspondentieadres.adresregel3')
    WHERE kind = 1 AND body ->> '$.correspondentieadres.adresregel3' <> '';
CREATE INDEX filter_partij_correspondentieadres_nummeraanduidingid
    ON document (body ->> '$.correspondentieadres.nummeraanduidingId')
    WHERE kind = 1 AND body ->> '$.correspondentieadres.nummeraanduidingId' <> '';
CREATE INDEX filter_rekeningnummer_bic
    ON document (body ->> '$.bic')
    WHERE kind = 4 AND body ->> '$.bic' <> '';
"""


@migrations(name="0050_filled_fields")
def filled_fields(db: Database) -> None:
    """Indexes for fields that are mostly blank."""
    script(db, FILLED)


PROFILES = """
-- What many documents share, see indexes/profiles.py.
CREATE TABLE profile (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, traits TEXT NOT NULL);
CREATE INDEX profile_kind ON profile (kind);
CREATE TABLE profiled (document INTEGER PRIMARY KEY, profile INTEGER NOT NULL);
CREATE INDEX profiled_profile ON profiled (profile);
-- Empty between transactions. Did links change, or only the document itself?
CREATE TABLE profile_due (document INTEGER PRIMARY KEY, links INTEGER NOT NULL);
-- Documents that come together get their profiles at once: then triggers need not note them.
CREATE TABLE profile_state (id INTEGER PRIMARY KEY CHECK (id = 1), one_by_one INTEGER NOT NULL);
INSERT INTO profile_state VALUES (1, 1);

CREATE TRIGGER profile_comes AFTER INSERT ON document
WHEN NEW.kind IN (5, 10, 11, 12, 13, 6, 2, 1, 9, 3, 8) AND (SELECT one_by_one FROM profile_state)
BEGIN
    INSERT INTO profile_due VALUES (NEW.id, 1) ON CONFLICT (document) DO UPDATE SET links = 1;
END;
CREATE TRIGGER profile_changes AFTER UPDATE OF body, origin, kind ON document
WHEN NEW.kind IN (5, 10, 11, 12, 13, 6, 2, 1, 9, 3, 8)
BEGIN
    INSERT OR IGNORE INTO profile_due VALUES (NEW.id, 0);
END;
CREATE TRIGGER profile_goes AFTER DELETE ON document
WHEN OLD.kind IN (5, 10, 11, 12, 13, 6, 2, 1, 9, 3, 8)
BEGIN
    DELETE FROM profiled WHERE document = OLD.id;
END;
CREATE TRIGGER profile_link_comes AFTER INSERT ON link
WHEN NEW.relation IN (14, 9, 18, 15, 16, 4, 13, 10, 7, 6, 5)
    AND (SELECT one_by_one FROM profile_state)
BEGIN
    INSERT INTO profile_due VALUES (
        CASE WHEN NEW.relation IN (14, 9, 18, 15, 16, 4) THEN NEW.target ELSE NEW.source END, 1
    ) ON CONFLICT (document) DO UPDATE SET links = 1;
END;
CREATE TRIGGER profile_link_goes AFTER DELETE ON link
WHEN OLD.relation IN (14, 9, 18, 15, 16, 4, 13, 10, 7, 6, 5)
    AND (SELECT one_by_one FROM profile_state)
BEGIN
    INSERT INTO profile_due VALUES (
        CASE WHEN OLD.relation IN (14, 9, 18, 15, 16, 4) THEN OLD.target ELSE OLD.source END, 1
    ) ON CONFLICT (document) DO UPDATE SET links = 1;
END;
"""


@migrations(name="0051_profiles")
def profiled(db: Database) -> None:
    """What many documents share is found and counted by their profiles, that upgrade.py gives them."""
    script(db, PROFILES)


VALUES = """
-- The values of documents that clients search by, see indexes/field_values.py: upgrade.py puts them in.
CREATE TABLE field_value (
    field INTEGER NOT NULL,     -- its number in base/searched_fields.py
    value TEXT NOT NULL,
    document INTEGER NOT NULL,
    PRIMARY KEY (field, value, document)
) WITHOUT ROWID;
DROP INDEX filter_partij_nummer;
DROP INDEX filter_partij_bezoekadres_nummeraanduidingid;
DROP INDEX filter_partij_identificator_partijidentificator_objectid;
DROP INDEX filter_partij_identificator_anderepartijidentificator;
DROP INDEX filter_digitaleadres_adres;
DROP INDEX filter_rekeningnummer_iban;
DROP INDEX filter_categorie_naam;
DROP INDEX filter_klantcontact_nummer;
DROP INDEX filter_klantcontact_referentienummer;
DROP INDEX filter_betrokkene_contactnaam_achternaam;
DROP INDEX filter_onderwerpobject_onderwerpobjectidentificator_objectid;
DROP INDEX filter_bijlage_bijlageidentificator_objectid;
DROP INDEX filter_actor_actoridentificator_objectid;
DROP INDEX filter_internetaak_nummer;
DROP INDEX filter_internetaak_referentienummer;
DROP INDEX filter_actor_naam;
DROP INDEX filter_betrokkene_contactnaam_voorletters;
DROP INDEX filter_betrokkene_contactnaam_voornaam;
DROP INDEX filter_betrokkene_organisatienaam;
DROP INDEX filter_categorie_relatie_begindatum;
DROP INDEX filter_categorie_relatie_einddatum;
DROP INDEX filter_digitaleadres_referentie;
DROP INDEX filter_digitaleadres_verificatiedatum;
DROP INDEX filter_internetaak_toegewezenop;
DROP INDEX filter_partij_bezoekadres_adresregel1;
DROP INDEX filter_partij_bezoekadres_adresregel2;
DROP INDEX filter_partij_bezoekadres_adresregel3;
DROP INDEX filter_partij_correspondentieadres_adresregel1;
DROP INDEX filter_partij_correspondentieadres_adresregel2;
DROP INDEX filter_partij_correspondentieadres_adresregel3;
DROP INDEX filter_partij_correspondentieadres_nummeraanduidingid;
DROP INDEX filter_rekeningnummer_bic;
DROP INDEX document_own_number;
"""


@migrations(name="0077_field_values")
def field_values(db: Database) -> None:
    """What clients search by stands in a table, and no more in an index on each field."""
    script(db, VALUES)
