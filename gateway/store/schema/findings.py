"""How the tables of findings came to have the columns of their key first, and how counts came to be kept.

SQLite 3.40 looks at the wrong column when a table WITHOUT ROWID has them elsewhere: `PRAGMA integrity_check` then tells
of NULLs that are not there, and real damage is lost among them.
"""

from __future__ import annotations

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

FINDINGS = """
DROP VIEW finding;
ALTER TABLE raw_finding RENAME TO raw_finding_before;
CREATE TABLE raw_finding (
    raw INTEGER NOT NULL REFERENCES raw (id) ON DELETE CASCADE,
    stage INTEGER NOT NULL,     -- 1 translating it, 3 its klantcontact with the rollen of the zaak
    rule TEXT NOT NULL,
    field TEXT NOT NULL,
    action TEXT NOT NULL,
    severity TEXT NOT NULL,
    PRIMARY KEY (raw, stage, rule, field, action)
) WITHOUT ROWID;
INSERT INTO raw_finding (raw, stage, rule, field, action, severity)
    SELECT raw, stage, rule, field, action, severity FROM raw_finding_before
    ORDER BY raw, stage, rule, field, action;
DROP TABLE raw_finding_before;
CREATE INDEX raw_finding_rule ON raw_finding (rule);

ALTER TABLE statement_finding RENAME TO statement_finding_before;
CREATE TABLE statement_finding (
    statement INTEGER NOT NULL REFERENCES statement (id) ON DELETE CASCADE,
    rule TEXT NOT NULL,
    field TEXT NOT NULL,
    action TEXT NOT NULL,
    severity TEXT NOT NULL,
    PRIMARY KEY (statement, rule, field, action)
) WITHOUT ROWID;
INSERT INTO statement_finding (statement, rule, field, action, severity)
    SELECT statement, rule, field, action, severity FROM statement_finding_before
    ORDER BY statement, rule, field, action;
DROP TABLE statement_finding_before;

CREATE VIEW finding (raw, stage, rule, field, severity, action) AS
    SELECT raw, stage, rule, field, severity, action FROM raw_finding
    UNION ALL
    SELECT DISTINCT c.raw, 2, f.rule, f.field, f.severity, f.action
    FROM statement_finding f JOIN claim c ON c.statement = f.statement;
"""


@migrations(name="0049_keys_first")
def keys_first(db: Database) -> None:
    """Tables whose soundness SQLite can tell of."""
    script(db, FINDINGS)


TALLIES = """
-- How many legacy objects of a source and kind are in a state, see indexes/tallies.py.
CREATE TABLE raw_tally (
    source INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    state INTEGER NOT NULL,
    found INTEGER NOT NULL,
    PRIMARY KEY (source, kind, state)
) WITHOUT ROWID;
INSERT INTO raw_tally (source, kind, state, found)
    SELECT source, kind, state, count(*) FROM raw GROUP BY source, kind, state;

-- How many findings on objects and statements there are by rule.
CREATE TABLE finding_tally (rule TEXT PRIMARY KEY, found INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO finding_tally (rule, found)
    SELECT rule, sum(found) FROM (
        SELECT rule, count(*) AS found FROM raw_finding GROUP BY rule
        UNION ALL
        SELECT f.rule, count(*) FROM statement_finding f JOIN claim c ON c.statement = f.statement GROUP BY f.rule
    ) each_of GROUP BY rule;

CREATE INDEX run_started ON run (started DESC, id DESC);
"""


@migrations(name="0061_tallies")
def tallied(db: Database) -> None:
    """Legacy objects by state and findings by rule are counted once, here; the last runs have an index."""
    script(db, TALLIES)


ROOMS = """
-- Findings are counted, and leafed through, by rule, severity and field, without going through all of a rule.
DROP INDEX raw_finding_rule;
CREATE INDEX raw_finding_group ON raw_finding (rule, severity, field, raw);
-- The quarantine is leafed through, longest there first.
CREATE INDEX quarantine_since ON quarantine (since, raw);
-- What sources show no more, and zaken by their zaaknummer.
CREATE INDEX raw_unshown ON raw (source, kind) WHERE visible = 0;
CREATE INDEX raw_zaaknummer ON raw (facts ->> '$.identificatie') WHERE facts ->> '$.identificatie' IS NOT NULL;
"""


@migrations(name="0080_rooms")
def rooms(db: Database) -> None:
    """What operators look at on pages is found in a large store too."""
    script(db, ROOMS)
