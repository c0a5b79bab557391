"""Counts kept beside the documents, so that no list is counted and no deep page is walked to.

A span is a run of neighbours in a kind's order, with how many documents it holds: `moment`, `created` and `uuid`
are its lower bound, the next span's are its end. The first span of a kind starts before everything. Triggers on the
documents keep the counts (schema/spans.py), so no way of writing can forget them: a span that has grown too large is
cut in two, one that has become empty joins the one before it. Where the bounds lie doesn't matter to any answer.

Many documents that come or move at once are counted `together`, a write for each span instead of for each document.
"""

from __future__ import annotations

import contextlib
import secrets
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator

from gateway.store.base.session import Session

# Half of it is what walking inside a span costs on average; the number of spans is what finding one costs.
CUT_AT, CUT_TO = 2000, 1000
LOWEST = -(2**63)
MOST_KINDS = 64

# What makes the table right for the documents that are there: the first span of each kind (also of kinds that don't
# exist yet, because the triggers count on it), how many it holds, and the others. The first is given an empty uuid.
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

# Names where the spans lie: another number after each change of that.
_ELSEWHERE = "UPDATE span_state SET bounds = ?"
KNOWN_BOUNDS = 4

# The lower bound of a span: the moment, created and uuid of a document.
Bound = tuple[int, int, bytes]
BEFORE_ALL: Bound = (LOWEST, LOWEST, b"")

# What a document is counted by: its kind (a number), moment, created and uuid.
Place = tuple[int, int, int, bytes]
_bounds: dict[int, dict[int, list[Bound]]] = {}


@contextlib.contextmanager
def together(connection: Session, places: Iterable[Place], left: Iterable[Place] = ()) -> Iterator[None]:
    """Count documents that are inserted or moved in the block at its end, all at once.

    `places` must be where they are then, `left` where those that are moved were.
    """
    connection.run("UPDATE span_state SET one_by_one = 0")
    try:
        yield
        _add(connection, places, left)
    finally:
        connection.run("UPDATE span_state SET one_by_one = 1")


def _add(connection: Session, places: Iterable[Place], left: Iterable[Place]) -> None:
    bounds = _known_bounds(connection)
    found: Counter[tuple[int, Bound]] = Counter()
    for change, counted in ((1, places), (-1, left)):
        for kind, *where in counted:
            of_kind = bounds[kind]
            found[kind, of_kind[bisect_right(of_kind, tuple(where)) - 1]] += change
    connection.many(
        "UPDATE span SET found = found + ? WHERE kind = ? AND moment = ? AND created = ? AND uuid = ?",
        [(number, kind, *bound) for (kind, bound), number in found.items() if number],
    )
    if max(found.values(), default=0) > CUT_TO:
        too_large = "UPDATE span SET found = found WHERE kind = ? AND found > ?"
        for kind in {kind for kind, _ in found}:
            while connection.run(too_large, (kind, CUT_AT)):
                pass  # a trigger cuts each of them once a round


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
    connection.run("DELETE FROM span")
    for number, statement in enumerate(FILL):
        connection.run(statement, () if number else (b"",))
    connection.run(_ELSEWHERE, (secrets.randbits(63),))


def count(connection: Session, kind: int) -> int:
    """How many documents of a kind (its number) there are."""
    question = "SELECT coalesce(sum(found), 0) FROM span WHERE kind = ?"
    total: int = connection.one(question, (kind,))[0]
    return total


def counts(connection: Session) -> dict[int, int]:
    """How many documents there are of each kind (its number)."""
    return dict(connection.all("SELECT kind, sum(found) FROM span GROUP BY kind"))


def from_newest(connection: Session, kind: int, skip: int) -> tuple[Bound | None, int]:
    """Where to find what `skip` newer documents of a kind precede.

    Out: a bound that it is older than (None: nothing is newer), and how many documents to skip from there.
    """
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
    since: Bound = (LOWEST, LOWEST, b"")
    spans = connection.each(
        "SELECT found, moment, created, uuid FROM span WHERE kind = ? ORDER BY moment, created, uuid", (kind,)
    )
    for found, *bound in spans:
        since = (bound[0], bound[1], bound[2])
        if skip < found:
            break
        skip -= found
    return since, skip
