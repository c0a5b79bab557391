"""Is a copy what it is a copy of? All rows of all tables, and the canonical dump of both sides."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import orjson

from gateway.store.base.errors import StoreError
from gateway.store.base.moving import MovedTable
from gateway.store.base.session import Session
from gateway.store.inspect.dump import lines_of
from gateway.store.moving.copying import AT_ONCE, Progress, rows_of

DIFFERS = (
    "De kopie is niet gelijk aan de opslag ({}). De opslag is onveranderd; maak het doel leeg en begin opnieuw, en "
    "meld het als het weer gebeurt."
)
LINES_BETWEEN = 10_000


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
        if not lines % LINES_BETWEEN:
            progress("dump vergelijken", lines, 0)
    return lines


def _rows(one: Session, other: Session, table: MovedTable, done: int, total: int, progress: Progress) -> int:
    after = None
    while True:
        ours, theirs = rows_of(one, table, after), rows_of(other, table, after)
        if ours != theirs:
            raise StoreError(DIFFERS.format(f"tabel {table.name}"))
        done += len(ours)
        progress("rijen vergelijken", done, total)
        if len(ours) < AT_ONCE or not table.key:
            return done
        after = table.key_of(ours[-1])
