"""All SQL of the read side: one document, a page of a list, and the links around documents.

Call inside `Store.read()`, so that several questions see one state. Rows are plain tuples: on the hot path a
class for each row costs as much as reading it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from gateway.store import spans
from gateway.store.conditions import Compare, Condition, Subject, Where
from gateway.store.kinds import KIND, LEGACY_ORIGIN, LOCAL_ORIGIN, RELATION
from gateway.store.schema import FILTER_INDEXES

# A stored document: row id, uuid (16 bytes), body (JSON text).
Row = tuple[int, bytes, str]
# One side of a link: the row id it was followed from, relation, then the row id, uuid, body (None unless asked for)
# and creation (or place in an order) of the document at its other side, and which of the three sides this is.
Linked = tuple[int, int, int, bytes, str | None, int, int]
NEAR, FAR, FURTHER = range(3)

STATEMENTS_KEPT = 1024
FEW = 8
NEWEST_FIRST = "ORDER BY d.moment DESC, d.created DESC, d.uuid DESC"
OLDEST_FIRST = "ORDER BY d.moment, d.created, d.uuid"
# A uuid that a client holds may be one that resolves to another document (M6).
RESOLVED = (
    "coalesce((SELECT id FROM document WHERE uuid = ?{0}), (SELECT document FROM alias WHERE uuid = ?{0}))"
)


class Page(NamedTuple):
    """One page of a list: how many documents there are in all, the page's number, and its rows."""

    total: int
    number: int
    rows: list[Row]


def find(connection: sqlite3.Connection, kind: str, uuid: bytes) -> Row | None:
    """The document of this kind with this uuid, or the one that this uuid resolves to (M6)."""
    own = "SELECT id, uuid, body FROM document WHERE uuid = ? AND kind = ?"
    row: Row | None = connection.execute(own, (uuid, KIND[kind])).fetchone()
    if row is None:
        other = (
            "SELECT d.id, d.uuid, d.body FROM alias a JOIN document d ON d.id = a.document"
            " WHERE a.uuid = ? AND d.kind = ?"
        )
        row = connection.execute(other, (uuid, KIND[kind])).fetchone()
    return row


def page(
    connection: sqlite3.Connection,
    kind: str,
    conditions: Sequence[Condition],
    number: int | None,
    size: int,
) -> Page | None:
    """One page of the documents of a kind that meet every condition, newest first (M42).

    In: the page's number from 1, or None for the last one; the size of a page. Out: None when there is no
    such page. The first page of an empty list exists.
    """
    if number is not None and number < 1:
        return None
    if not conditions:
        return _page_of_all(connection, KIND[kind], number, size)
    wheres = tuple(condition.where for condition in conditions)
    values = [condition.value for condition in conditions]
    if any(where.compare is Compare.CONTAINS for where in wheres):
        connection.create_function("contains_text", 2, _contains, deterministic=True)
    if number == 1:
        # One row more than asked tells whether counting is needed at all.
        rows = _rows(connection, kind, wheres, values, NEWEST_FIRST, size + 1, 0)
        if len(rows) <= size:
            return Page(len(rows), 1, rows)
        return Page(_count(connection, kind, wheres, values), 1, rows[:size])
    count = _count(connection, kind, wheres, values)
    place = _place(count, number, size)
    if place is None:
        return None
    number, start, length, after = place
    if after < start:  # nearer to the end: walk from there
        rows = _rows(connection, kind, wheres, values, OLDEST_FIRST, length, after)[::-1]
    else:
        rows = _rows(connection, kind, wheres, values, NEWEST_FIRST, length, start)
    return Page(count, number, rows)


def wrote_any(connection: sqlite3.Connection, kind: str, conditions: Sequence[Condition]) -> bool:
    """Did a client write, or change, one of the documents of a kind that meet these conditions?"""
    wheres = tuple(condition.where for condition in conditions)
    if any(where.compare is Compare.CONTAINS for where in wheres):
        connection.create_function("contains_text", 2, _contains, deterministic=True)
    written = (
        f"(d.origin = {LOCAL_ORIGIN} OR EXISTS (SELECT 1 FROM local WHERE uuid = d.uuid)"
        " OR EXISTS (SELECT 1 FROM adopted WHERE own = d.uuid))"
    )
    statement = f"SELECT EXISTS (SELECT 1 {_selection(kind, wheres)} AND {written})"
    values = [condition.value for condition in conditions]
    return bool(connection.execute(statement, values).fetchone()[0])


def _place(count: int, number: int | None, size: int) -> tuple[int, int, int, int] | None:
    """Where a page stands: its number, and how many documents come before it, are on it, and come after."""
    last = max(1, -(-count // size))
    if number is None:
        number = last
    elif number > last:
        return None
    start = (number - 1) * size
    length = min(size, count - start)
    return number, start, length, count - start - length


def _page_of_all(connection: sqlite3.Connection, kind: int, number: int | None, size: int) -> Page | None:
    """One page of all documents of a kind: counted and found by its spans, not by walking."""
    count = spans.count(connection, kind)
    place = _place(count, number, size)
    if place is None:
        return None
    number, start, length, after = place
    bound: spans.Bound | None
    if from_end := after < start:
        bound, skip = spans.from_oldest(connection, kind, after)
        order, test = OLDEST_FIRST, ">="
    else:
        bound, skip = spans.from_newest(connection, kind, start)
        order, test = NEWEST_FIRST, "<"
    within = f"AND (d.moment, d.created, d.uuid) {test} (?, ?, ?)" if bound else ""
    rows = connection.execute(
        f"SELECT d.id, d.uuid, d.body FROM document d WHERE d.kind = ? {within} {order} LIMIT ? OFFSET ?",
        (kind, *(bound or ()), length, skip),
    ).fetchall()
    return Page(count, number, rows[::-1] if from_end else rows)


class Surroundings:
    """What to ask around documents of one kind, in one statement."""

    def __init__(self, statement: str) -> None:
        # For a few documents the numbers are parameters: unpacking them from a list costs more than they do.
        self.few = [
            statement.format(asked=f"IN ({', '.join(f'?{n}' for n in range(1, count + 1))})")
            for count in range(FEW + 1)
        ]
        self.many = statement.format(asked="IN (SELECT value FROM json_each(?1))")


def surroundings(
    *,
    refers: bool,
    whole_targets: Collection[int] = (),
    sources: Collection[int] = (),
    whole_sources: Collection[int] = (),
    further_from: Collection[int] = (),
    further_whole: Collection[int] = (),
) -> Surroundings | None:
    """Prepare what `around` asks; None for nothing. Relations are given by number.

    In: whether to ask what the documents refer to (near), what refers to them by the relations in `sources` (far),
    and what that refers to, when it refers to them by the relations in `further_from`. Bodies come along for what
    is linked by the relations in `whole_targets`, `whole_sources` and `further_whole`.
    """
    parts = []
    if refers:
        # In the place of the age the place in an order, where a document refers to several in one.
        age = "coalesce(l.place, d.created)"
        parts.append(_links(NEAR, "source", "target", "l.source {asked}", whole_targets, age))
    if sources:
        # One walk over a stretch of relations: cheaper than a search for each, and little lies in between.
        stretch = f"l.relation BETWEEN {min(sources)} AND {max(sources)}"
        which = f"l.target {{asked}} AND {stretch} AND +l.relation IN ({_numbers(sources)})"
        parts.append(_links(FAR, "target", "source", which, whole_sources))
    if further_from:
        those = f"SELECT source FROM link WHERE target {{asked}} AND relation IN ({_numbers(further_from)})"
        parts.append(_links(FURTHER, "source", "target", f"l.source IN ({those})", further_whole))
    if not parts:
        return None
    return Surroundings(" UNION ALL ".join(parts))


def around(connection: sqlite3.Connection, asked: Surroundings, ids: Sequence[int]) -> list[Linked]:
    """The links around these documents, in no order."""
    if len(ids) <= FEW:
        return connection.execute(asked.few[len(ids)], ids).fetchall()
    return connection.execute(asked.many, (f"[{','.join(map(str, ids))}]",)).fetchall()


def _links(side: int, near: str, far: str, which: str, whole: Collection[int], age: str = "d.created") -> str:
    """A query that follows links from documents at the `near` column to those at the `far` one."""
    body = f"CASE WHEN l.relation IN ({_numbers(whole)}) THEN d.body END" if whole else "NULL"
    return (
        f"SELECT l.{near}, l.relation, d.id, d.uuid, {body}, {age}, {side}"
        f" FROM link l CROSS JOIN document d ON d.id = l.{far} WHERE {which}"
    )


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def _rows(
    connection: sqlite3.Connection,
    kind: str,
    wheres: tuple[Where, ...],
    values: list[str | int | bytes],
    order: str,
    limit: int,
    offset: int,
) -> list[Row]:
    return connection.execute(_listing(kind, wheres, order), (*values, limit, offset)).fetchall()


@lru_cache(maxsize=STATEMENTS_KEPT)
def _listing(kind: str, wheres: tuple[Where, ...], order: str) -> str:
    """The statement for rows of a list; its last two parameters are how many, and how many to skip."""
    asked = len(wheres)
    return (
        f"SELECT d.id, d.uuid, d.body {_selection(kind, wheres)}"
        f" {order} LIMIT ?{asked + 1} OFFSET ?{asked + 2}"
    )


def _count(
    connection: sqlite3.Connection, kind: str, wheres: tuple[Where, ...], values: list[str | int | bytes]
) -> int:
    count: int = connection.execute(_counting(kind, wheres), values).fetchone()[0]
    return count


@lru_cache(maxsize=STATEMENTS_KEPT)
def _counting(kind: str, wheres: tuple[Where, ...]) -> str:
    return f"SELECT count(*) {_selection(kind, wheres)}"


def _selection(kind: str, wheres: tuple[Where, ...]) -> str:
    """FROM and WHERE for the documents of a kind that meet conditions of these shapes.

    The value of the n-th condition is parameter ?n. The search starts from the condition that few documents
    meet, when there is one; the others are then tried on what it found.
    """
    start = min(range(len(wheres)), key=lambda n: _rank(wheres[n]), default=None)
    if start is not None and _rank(wheres[start]) == NO_INDEX:
        start = None
    tests = [f"d.kind = {KIND[kind]}"]
    tests += [_trial(where, n + 1) for n, where in enumerate(wheres) if n != start]
    found = "document d"
    if start is not None:
        found = f"({_search(wheres[start], start + 1)}) found CROSS JOIN document d ON d.id = found.id"
    return f"FROM {found} WHERE {' AND '.join(tests)}"


BY_DOCUMENT, BY_INDEX, NO_INDEX = range(3)


def _rank(where: Where) -> int:
    if where.compare is not Compare.IS:
        return NO_INDEX
    if where.subject is Subject.DOCUMENT:
        return BY_DOCUMENT
    return BY_INDEX if (where.kind, where.field) in FILTER_INDEXES else NO_INDEX


def _search(where: Where, parameter: int) -> str:
    """A query for the listed documents that meet an indexed condition, walking its path from the end."""
    if where.subject is Subject.DOCUMENT:
        tables, tests, at = [], [], RESOLVED.format(parameter)
    else:
        tables = [f"document x INDEXED BY {FILTER_INDEXES[where.kind, where.field]}"]
        tests = [f"x.kind = {KIND[where.kind]}", f"{_field('x', where.field)} = ?{parameter}"]
        at = "x.id"
    for step, hop in enumerate(reversed(where.path)):
        near, far = ("target", "source") if hop.back else ("source", "target")
        tables.append(f"link s{step}")
        tests += [f"s{step}.{far} = {at}", f"s{step}.relation = {RELATION[hop.relation]}"]
        at = f"s{step}.{near}"
    if not tables:
        return f"SELECT {at} AS id"
    return f"SELECT DISTINCT {at} AS id FROM {' CROSS JOIN '.join(tables)} WHERE {' AND '.join(tests)}"


def _trial(where: Where, parameter: int) -> str:
    """A test on the listed document d, following the path from there."""
    if where.compare is Compare.NEVER:
        return f"?{parameter} IS NULL"  # the value is never NULL; naming it keeps the numbering whole
    tables, tests, at = [], [], "d.id"
    for step, hop in enumerate(where.path):
        near, far = ("target", "source") if hop.back else ("source", "target")
        tables.append(f"link t{step}")
        tests += [f"t{step}.{near} = {at}", f"t{step}.relation = {RELATION[hop.relation]}"]
        at = f"t{step}.{far}"
    if where.subject is Subject.DOCUMENT:
        if where.compare is Compare.PRESENT:
            return f"{_exists(tables, tests)} = ?{parameter}"
        tests.append(f"{at} = {RESOLVED.format(parameter)}")
        return _exists(tables, tests) if tables else tests[0]
    holder = "d"
    if tables:
        holder = "y"
        tables.append("document y")
        tests += [f"y.id = {at}", f"y.kind = {KIND[where.kind]}"]
    subject = f"{holder}.moment" if where.subject is Subject.MOMENT else _field(holder, where.field)
    if where.compare is Compare.CONTAINS:
        tests.append(f"contains_text({subject}, ?{parameter})")
    elif where.compare is Compare.AMONG:
        tests.append(f"{subject} IN (SELECT value FROM json_each(?{parameter}))")
    elif where.compare is Compare.PRESENT:
        tests.append(f"({subject} IS NOT NULL) = ?{parameter}")
    elif where.compare is Compare.IS_OR_DERIVED:
        derived = f"{holder}.origin = {LEGACY_ORIGIN} AND {subject} = ?{parameter} ->> 1"
        tests.append(f"({subject} = ?{parameter} ->> 0 OR {derived})")
    else:
        tests.append(f"{subject} {where.compare.value} ?{parameter}")
    return _exists(tables, tests) if tables else tests[0]


def _exists(tables: list[str], tests: list[str]) -> str:
    return f"EXISTS (SELECT 1 FROM {' CROSS JOIN '.join(tables)} WHERE {' AND '.join(tests)})"


def _field(alias: str, field: str) -> str:
    return f"{alias}.body ->> '$.{field}'"


def _contains(text: str | None, part: str) -> bool:
    return text is not None and part.upper() in text.upper()
