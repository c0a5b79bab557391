"""Counts kept beside the documents, so that no list is counted and no deep page is walked to.

A span is a run of neighbours in a kind's order, with how many documents it holds: `moment`, `created` and `uuid`
are its lower bound, the next span's are its end. The first span of a kind starts before everything. Triggers on the
documents keep the counts, so no way of writing can forget them: a span that has grown too large is cut in two, one
that has become empty joins the one before it. Where the bounds lie doesn't matter to any answer.
"""

from __future__ import annotations

import sqlite3

# Half of it is what walking inside a span costs on average; the number of spans is what finding one costs.
CUT_AT, CUT_TO = 2000, 1000
LOWEST = -(2**63)
MOST_KINDS = 64

_HOLDING = """
    UPDATE span SET found = found {change} 1 WHERE (kind, moment, created, uuid) = (
        SELECT kind, moment, created, uuid FROM span
        WHERE kind = {row}.kind AND (moment, created, uuid) <= ({row}.moment, {row}.created, {row}.uuid)
        ORDER BY moment DESC, created DESC, uuid DESC LIMIT 1);
"""
_COMES = _HOLDING.format(change="+", row="NEW")
_GOES = _HOLDING.format(change="-", row="OLD")

TRIGGERS = (
    f"CREATE TRIGGER document_comes AFTER INSERT ON document BEGIN {_COMES} END",
    f"CREATE TRIGGER document_goes AFTER DELETE ON document BEGIN {_GOES} END",
    f"""
    CREATE TRIGGER document_moves AFTER UPDATE OF kind, moment, created, uuid ON document
    WHEN (OLD.kind, OLD.moment, OLD.created, OLD.uuid) <> (NEW.kind, NEW.moment, NEW.created, NEW.uuid)
    BEGIN {_GOES} {_COMES} END""",
    f"""
    CREATE TRIGGER span_too_large AFTER UPDATE OF found ON span WHEN NEW.found > {CUT_AT} BEGIN
        INSERT INTO span SELECT kind, moment, created, uuid, NEW.found - {CUT_TO} FROM document
            WHERE kind = NEW.kind AND (moment, created, uuid) >= (NEW.moment, NEW.created, NEW.uuid)
            ORDER BY moment, created, uuid LIMIT 1 OFFSET {CUT_TO};
        UPDATE span SET found = {CUT_TO} WHERE (kind, moment, created, uuid)
            = (NEW.kind, NEW.moment, NEW.created, NEW.uuid);
    END""",
    """
    CREATE TRIGGER span_empty AFTER UPDATE OF found ON span WHEN NEW.found = 0 AND NEW.uuid <> x'' BEGIN
        DELETE FROM span WHERE (kind, moment, created, uuid) = (NEW.kind, NEW.moment, NEW.created, NEW.uuid);
    END""",
)

# What makes the table right for the documents that are there: the first span of each kind (also of kinds that don't
# exist yet, because the triggers count on it), how many it holds, and the others.
FILL = (
    f"""
WITH RECURSIVE kinds (kind) AS (SELECT 1 UNION ALL SELECT kind + 1 FROM kinds WHERE kind < {MOST_KINDS})
INSERT INTO span SELECT kind, {LOWEST}, {LOWEST}, x'', 0 FROM kinds""",
    f"""
UPDATE span SET found = min({CUT_TO}, (SELECT count(*) FROM document WHERE document.kind = span.kind))""",
    f"""
WITH placed AS (
    SELECT kind, moment, created, uuid,
        row_number() OVER (PARTITION BY kind ORDER BY moment, created, uuid) - 1 AS place,
        count(*) OVER (PARTITION BY kind) AS total
    FROM document
)
INSERT INTO span SELECT kind, moment, created, uuid, min({CUT_TO}, total - place)
FROM placed WHERE place % {CUT_TO} = 0 AND place > 0""",
)

# The lower bound of a span: the moment, created and uuid of a document.
Bound = tuple[int, int, bytes]


def count(connection: sqlite3.Connection, kind: int) -> int:
    """How many documents of a kind (its number) there are."""
    question = "SELECT coalesce(sum(found), 0) FROM span WHERE kind = ?"
    total: int = connection.execute(question, (kind,)).fetchone()[0]
    return total


def from_newest(connection: sqlite3.Connection, kind: int, skip: int) -> tuple[Bound | None, int]:
    """Where to find what `skip` newer documents of a kind precede.

    Out: a bound that it is older than (None: nothing is newer), and how many documents to skip from there.
    """
    older_than: Bound | None = None
    spans = connection.execute(
        "SELECT found, moment, created, uuid FROM span WHERE kind = ?"
        " ORDER BY moment DESC, created DESC, uuid DESC",
        (kind,),
    )
    for found, *bound in spans:
        if skip < found:
            break
        skip -= found
        older_than = (bound[0], bound[1], bound[2])
    return older_than, skip


def from_oldest(connection: sqlite3.Connection, kind: int, skip: int) -> tuple[Bound, int]:
    """Where to find what `skip` older documents of a kind precede.

    Out: a bound that it isn't older than, and how many documents to skip from there.
    """
    since: Bound = (LOWEST, LOWEST, b"")
    spans = connection.execute(
        "SELECT found, moment, created, uuid FROM span WHERE kind = ? ORDER BY moment, created, uuid", (kind,)
    )
    for found, *bound in spans:
        since = (bound[0], bound[1], bound[2])
        if skip < found:
            break
        skip -= found
    return since, skip
