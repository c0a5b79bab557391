"""All SQL of the read side: one document, a page of a list, and the links around documents.

Call inside `Store.read()`, so that several questions see one state. Rows are plain tuples: on the hot path a
class for each row costs as much as reading it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from gateway.store.conditions import Compare, Condition, Subject, Where
from gateway.store.kinds import KIND, RELATION
from gateway.store.schema import FILTER_INDEXES

# A stored document: row id, uuid (16 bytes), body (JSON text).
Row = tuple[int, bytes, str]
# The other side of a link: row id asked about, relation, then row id, uuid and body (None unless asked for).
Linked = tuple[int, int, int, bytes, str | None]

STATEMENTS_KEPT = 1024
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
    last = max(1, -(-count // size))
    if number is None:
        number = last
    elif number > last:
        return None
    start = (number - 1) * size
    length = min(size, count - start)
    after = count - start - length
    if after < start:  # nearer to the end: walk from there
        rows = _rows(connection, kind, wheres, values, OLDEST_FIRST, length, after)[::-1]
    else:
        rows = _rows(connection, kind, wheres, values, NEWEST_FIRST, length, start)
    return Page(count, number, rows)


def targets(
    connection: sqlite3.Connection,
    ids: Sequence[int],
    whole: Collection[int] = (),
    *,
    ordered: bool = False,
) -> list[Linked]:
    """What these documents refer to; with bodies for the relations (by number) in `whole`.

    `ordered` gives them by creation, oldest first.
    """
    return _ask(connection, _links("source", "target", None, tuple(whole), ordered, len(ids) == 1), ids)


def sources(
    connection: sqlite3.Connection,
    ids: Sequence[int],
    relations: Collection[int],
    whole: Collection[int] = (),
) -> list[Linked]:
    """What refers to these documents by the relations (by number), by creation, oldest first."""
    statement = _links("target", "source", tuple(relations), tuple(whole), True, len(ids) == 1)
    return _ask(connection, statement, ids)


def _ask(connection: sqlite3.Connection, statement: str, ids: Sequence[int]) -> list[Linked]:
    if not ids:
        return []
    bound = ids[0] if len(ids) == 1 else f"[{','.join(map(str, ids))}]"
    return connection.execute(statement, (bound,)).fetchall()


@lru_cache(maxsize=STATEMENTS_KEPT)
def _links(
    near: str, far: str, relations: tuple[int, ...] | None, whole: tuple[int, ...], ordered: bool, one: bool
) -> str:
    """The statement that follows links from documents at the `near` column to those at the `far` one."""
    body = f"CASE WHEN l.relation IN ({_numbers(whole)}) THEN d.body END" if whole else "NULL"
    asked = "= ?" if one else "IN (SELECT value FROM json_each(?))"
    only = "" if relations is None else f" AND l.relation IN ({_numbers(relations)})"
    order = " ORDER BY d.created, d.uuid" if ordered else ""
    return (
        f"SELECT l.{near}, l.relation, d.id, d.uuid, {body}"
        f" FROM link l CROSS JOIN document d ON d.id = l.{far} WHERE l.{near} {asked}{only}{order}"
    )


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _rows(
    connection: sqlite3.Connection,
    kind: str,
    wheres: tuple[Where, ...],
    values: list[str | int | bytes],
    order: str,
    limit: int,
    offset: int,
) -> list[Row]:
    asked = len(values)
    statement = (
        f"SELECT d.id, d.uuid, d.body {_selection(kind, wheres)}"
        f" {order} LIMIT ?{asked + 1} OFFSET ?{asked + 2}"
    )
    return connection.execute(statement, (*values, limit, offset)).fetchall()


def _count(
    connection: sqlite3.Connection, kind: str, wheres: tuple[Where, ...], values: list[str | int | bytes]
) -> int:
    statement = f"SELECT count(*) {_selection(kind, wheres)}"
    count: int = connection.execute(statement, values).fetchone()[0]
    return count


@lru_cache(maxsize=STATEMENTS_KEPT)
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
    elif where.compare is Compare.PRESENT:
        tests.append(f"({subject} IS NOT NULL) = ?{parameter}")
    else:
        tests.append(f"{subject} {where.compare.value} ?{parameter}")
    return _exists(tables, tests) if tables else tests[0]


def _exists(tables: list[str], tests: list[str]) -> str:
    return f"EXISTS (SELECT 1 FROM {' CROSS JOIN '.join(tables)} WHERE {' AND '.join(tests)})"


def _field(alias: str, field: str) -> str:
    return f"{alias}.body ->> '$.{field}'"


def _contains(text: str | None, part: str) -> bool:
    return text is not None and part.upper() in text.upper()
