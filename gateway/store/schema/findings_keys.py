"""How the tables of findings came to have the columns of their key first.

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
