"""Counts kept beside the documents, so that no list is counted and no deep page is walked to.

A span is a run of neighbours in a kind's order, with how many documents it holds: `moment`, `created` and `uuid`
are its lower bound, the next span's are its end. The first span of a kind starts before everything. Who writes
documents notes where they came and went (base/changes.py), and `settle` counts that at the end of the transaction, a
write for each span: one that has grown too large is cut, one that has become empty joins the one before it. Where the
bounds lie doesn't matter to any answer.
"""

from __future__ import annotations

import secrets
from bisect import bisect_right
from collections import Counter

from gateway.store.base.bound_lists import IN_IDS, id_list
from gateway.store.base.session import Session

# Half of it is what walking inside a span costs on average; the number of spans is what finding one costs.
CUT_AT, CUT_TO = 2000, 1000
LOWEST = -(2**63)
MOST_KINDS = 64

# What makes the table right for the documents that are there: the first span of each kind (also of kinds that don't
# exist yet), how many it holds, and the others. The first is given an empty uuid.
FILL = (
    f"""
WITH RECURSIVE kinds (kind) AS (SELECT 1 UNION ALL SELECT kind + 1 FROM kinds WHERE kind < {MOST_KINDS})
INSERT INTO span SELECT kind, {LOWEST}, {LOWEST}, ?, 0 FROM kinds""",
    f"""
UPDATE span SET found = (
    SELECT count(*) FROM (SELECT 1 FROM document WHERE document.kind = span.kind LIMIT {CUT_TO}) first_of
)""",
    f"""
WITH placed AS (
    SELECT kind, moment, created, uuid,
        row_number() OVER (PARTITION BY kind ORDER BY moment, created, uuid) - 1 AS place,
        count(*) OVER (PARTITION BY kind) AS total
    FROM document
)
INSERT INTO span SELECT kind, moment, created, uuid,
    CASE WHEN total - place < {CUT_TO} THEN total - place ELSE {CUT_TO} END
FROM placed WHERE place % {CUT_TO} = 0 AND place > 0""",
)

# How many documents of a kind (?1) there are, for a part of a statement.
COUNT = "(SELECT CAST(coalesce(sum(found), 0) AS INTEGER) FROM span WHERE kind = ?1)"
NEWER_THAN_ALL = 2**63 - 1
_OF_KIND = "SELECT moment, created, uuid, found FROM span WHERE kind = ?1"


def _placed(among: str) -> str:
    """What `from_newest` says of ?2 as one row, among these spans; no row when they hold no more than that."""
    return f"""SELECT * FROM (SELECT moment, created, uuid, CAST(?2 - upto + found AS INTEGER) AS skip FROM (
    SELECT found, sum(found) OVER newest AS upto, lag(moment, 1, {NEWER_THAN_ALL}) OVER newest AS moment,
        lag(created) OVER newest AS created, lag(uuid) OVER newest AS uuid
    FROM ({among}) spans
    WINDOW newest AS (ORDER BY moment DESC, created DESC, uuid DESC ROWS UNBOUNDED PRECEDING)
) placed WHERE upto > ?2 ORDER BY upto LIMIT 1) place"""


# The same of all, for a part of a statement. The newest spans are looked at, as many as hold that when they are half as
# full as they are cut to; only where more was deleted than that, all are.
_NEWEST = f"{_OF_KIND} ORDER BY moment DESC, created DESC, uuid DESC LIMIT ?2 / {CUT_TO // 2} + 2"
FROM_NEWEST = f"{_placed(_NEWEST)} UNION ALL {_placed(_OF_KIND)} LIMIT 1"

# Names where the spans lie: another number after each change of that.
_ELSEWHERE = "UPDATE span_state SET bounds = ?"
_THIS = "kind = ? AND moment = ? AND created = ? AND uuid = ?"
_OF_BOUND = f"WHERE {_THIS}"
KNOWN_BOUNDS = 4
# Up to so many are looked at one by one.
FEW_SPANS = 20

# The lower bound of a span: the moment, created and uuid of a document.
Bound = tuple[int, int, bytes]
BEFORE_ALL: Bound = (LOWEST, LOWEST, b"")

_bounds: dict[int, dict[int, list[Bound]]] = {}


def settle(connection: Session) -> None:
    """Count the documents that came and went. At the end of a transaction that wrote, and before it asks for counts."""
    changes = connection.changes
    if not changes.came and not changes.left:
        return
    bounds = _known_bounds(connection)
    found: Counter[tuple[int, Bound]] = Counter()
    for change, counted in ((1, changes.came), (-1, changes.left)):
        for kind, *where in counted:
            of_kind = bounds.get(kind)
            if of_kind:  # else they are lost: a rebuild counts again
                found[kind, of_kind[bisect_right(of_kind, tuple(where)) - 1]] += change
        counted.clear()
    written = [(number, kind, *bound) for (kind, bound), number in found.items() if number]
    if written:
        connection.many(f"UPDATE span SET found = found + ? {_OF_BOUND}", written)
        _keep_size(connection, [(kind, bound) for (kind, bound), number in found.items() if number])


def _keep_size(connection: Session, counted: list[tuple[int, Bound]]) -> None:
    """Of the spans that were counted (kind and bound) cut those that are too large, and forget those that are empty but
    for the first of a kind."""
    asked = "SELECT kind, moment, created, uuid, found FROM span WHERE (found > ? OR found <= 0) AND"
    if len(counted) <= FEW_SPANS:  # a client's write: not all spans of its kind are walked
        these = " OR ".join([_THIS] * len(counted))
        values = [value for kind, bound in counted for value in (kind, *bound)]
        wrong = connection.all(f"{asked} ({these})", (CUT_AT, *values))
    else:
        wrong = connection.all(f"{asked} kind {IN_IDS}", (CUT_AT, id_list({kind for kind, _ in counted})))
    changed = 0
    for kind, *bound, found in wrong:
        if found > CUT_AT:
            changed += _cut(connection, kind, (bound[0], bound[1], bound[2]), found)
        elif not found and bound[2]:
            changed += connection.run(f"DELETE FROM span {_OF_BOUND}", (kind, *bound))
    if changed:
        connection.run(_ELSEWHERE, (secrets.randbits(63),))


def _cut(connection: Session, kind: int, bound: Bound, found: int) -> int:
    """Cut a span of so many documents until none is too large. Out: how many came."""
    came = 0
    while found > CUT_AT:
        end: Bound | None = connection.one(
            "SELECT moment, created, uuid FROM document WHERE kind = ? AND (moment, created, uuid) >= (?, ?, ?)"
            " ORDER BY moment, created, uuid LIMIT 1 OFFSET ?",
            (kind, *bound, CUT_TO),
        )
        if end is None:
            break  # the count is wrong: a rebuild counts again
        found -= CUT_TO
        connection.run(f"UPDATE span SET found = ? {_OF_BOUND}", (CUT_TO, kind, *bound))
        connection.run(
            "INSERT INTO span (kind, moment, created, uuid, found) VALUES (?, ?, ?, ?, ?)",
            (kind, *end, found),
        )
        bound = end
        came += 1
    return came


def _known_bounds(connection: Session) -> dict[int, list[Bound]]:
    """The lower bounds of the spans of each kind, in order; read again only when they lie elsewhere."""
    (name,) = connection.one("SELECT bounds FROM span_state")
    known = _bounds.get(name)
    if known is None:
        known = {}
        rows = connection.all(
            "SELECT kind, moment, created, uuid FROM span ORDER BY kind, moment, created, uuid"
        )
        for kind, moment, created, uuid in rows:
            known.setdefault(kind, []).append((moment, created, uuid))
        while len(_bounds) >= KNOWN_BOUNDS:
            _bounds.pop(next(iter(_bounds)), None)
        _bounds[name] = known
    return known


def count_again(connection: Session) -> None:
    """Make the spans anew from the documents that are there."""
    connection.changes.came.clear()
    connection.changes.left.clear()
    connection.run("DELETE FROM span")
    for number, statement in enumerate(FILL):
        connection.run(statement, () if number else (b"",))
    connection.run(_ELSEWHERE, (secrets.randbits(63),))


def count(connection: Session, kind: int) -> int:
    """How many documents of a kind (its number) there are."""
    settle(connection)
    question = "SELECT coalesce(sum(found), 0) FROM span WHERE kind = ?"
    total: int = connection.one(question, (kind,))[0]
    return total


def counts(connection: Session) -> dict[int, int]:
    """How many documents there are of each kind (its number)."""
    settle(connection)
    return dict(connection.all("SELECT kind, sum(found) FROM span GROUP BY kind"))


def from_newest(connection: Session, kind: int, skip: int) -> tuple[Bound | None, int]:
    """Where to find what `skip` newer documents of a kind precede.

    Out: a bound that it is older than (None: nothing is newer), and how many documents to skip from there.
    """
    settle(connection)
    older_than: Bound | None = None
    spans = connection.each(
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


def from_oldest(connection: Session, kind: int, skip: int) -> tuple[Bound, int]:
    """Where to find what `skip` older documents of a kind precede.

    Out: a bound that it isn't older than, and how many documents to skip from there.
    """
    settle(connection)
    since: Bound = BEFORE_ALL
    spans = connection.each(
        "SELECT found, moment, created, uuid FROM span WHERE kind = ? ORDER BY moment, created, uuid", (kind,)
    )
    for found, *bound in spans:
        since = (bound[0], bound[1], bound[2])
        if skip < found:
            break
        skip -= found
    return since, skip
