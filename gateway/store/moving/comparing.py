"""Is a copy what it is a copy of? All rows of all tables, and the canonical dump of both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import orjson

from gateway.store.base.errors import StoreError
from gateway.store.base.moving import LATER, UNDER_WAY, MovedTable
from gateway.store.base.session import Row, Session
from gateway.store.inspect.dump import lines_of
from gateway.store.moving.copying import Progress

DIFFERS = (
    "De kopie is niet gelijk aan de opslag ({}). De opslag is onveranderd; maak het doel leeg en begin opnieuw, en "
    "meld het als het weer gebeurt."
)
BETWEEN = 10_000


def compare(
    one: Session, other: Session, tables: Sequence[MovedTable], held: dict[str, int], progress: Progress
) -> int:
    """Compare a store with its copy, both in one state. In: how many rows each table has. Out: the lines of the dump.

    Raises StoreError, that names the table or the kind of line, never a value.
    """
    total, done = sum(held.values()), 0
    for table in tables:
        done = _rows(one, other, table, done, total, progress)
    lines = 0
    for lines, (ours, theirs) in enumerate(zip_longest(lines_of(one), lines_of(other)), 1):
        if ours != theirs:
            raise StoreError(DIFFERS.format(f"dump: {orjson.loads(ours or theirs or b'{}').get('t')}"))
        if not lines % BETWEEN:
            progress("dump vergelijken", lines, 0)
    return lines


def _rows(one: Session, other: Session, table: MovedTable, done: int, total: int, progress: Progress) -> int:
    for our, their in zip_longest(_content(one, table), _content(other, table)):
        if our != their:
            raise StoreError(DIFFERS.format(f"tabel {table.name}"))
        done += 1
        if not done % BETWEEN:
            progress("rijen vergelijken", done, total)
    progress("rijen vergelijken", done, total)
    return done


def _content(session: Session, table: MovedTable) -> Iterator[Row]:
    """The rows of a table; of what is known about the store those that are no notes of the copy."""
    for row in table.rows(session):
        if table.name != "meta" or row[0] not in (UNDER_WAY, LATER):
            yield row
