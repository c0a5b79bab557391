"""How counts came to be kept, and not counted."""

from sqlite_utils import Database

from gateway.store.schema.migrations import migrations, script

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
