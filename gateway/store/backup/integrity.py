"""Is the file sound? A look at a few pages for who asks often, and whole checks for an operator."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from gateway.store.base.compression import Damaged, unpack
from gateway.store.base.errors import TooLong
from gateway.store.base.session import Session
from gateway.store.file.opening import OURS
from gateway.store.file.session import SqliteSession

# Rows that are looked at in each table and index, each time: where one page in fifty is damaged, that is seen nearly
# always.
ROWS_AT_RANDOM = 3
# So many kinds of damage are reported; the rest is more of the same.
MOST_TOLD = 5
STEPS_BETWEEN = 100_000  # of SQLite's machine, a few milliseconds


class _RandomPlace(NamedTuple):
    """Where to look at random: a question with one value, and how that is found; of a text none can be."""

    sql: str
    kind: str
    bounds: str


def sample(connection: Session) -> None:
    """Read a page of every table and index, at random where that can be. Raises StoreDamaged for that.

    Call it inside `Store.read()`.
    """
    for place in _places(connection):
        if place.kind == "BLOB":
            for _ in range(ROWS_AT_RANDOM):
                connection.one(place.sql, (secrets.token_bytes(16),))
            continue
        low, high = connection.one(place.bounds)
        if not isinstance(low, int) or not isinstance(high, int):
            continue
        for _ in range(ROWS_AT_RANDOM):
            connection.one(place.sql, (random.randint(low, high),))  # noqa: S311 (no secret)


def _places(connection: Session) -> Iterator[_RandomPlace]:
    for table, made in _tables(connection):
        # By its own pages: an index may know already that it is empty.
        connection.one(f'SELECT * FROM "{table}" NOT INDEXED LIMIT 1')
        columns = connection.all("SELECT name, type, pk FROM pragma_table_info(?)", (table,))
        first = next(((name, kind) for name, kind, key in columns if key == 1), ("", ""))
        if "WITHOUT ROWID" not in made:
            first = ("rowid", "INTEGER")
        places = [(f'"{table}"', *first)]
        indexes = connection.all(
            "SELECT name FROM pragma_index_list(?) WHERE NOT partial AND origin <> 'pk'", (table,)
        )
        types = {name: kind for name, kind, _ in columns}
        for (index,) in indexes:
            (column,) = connection.one("SELECT name FROM pragma_index_info(?) WHERE seqno = 0", (index,))
            places.append((f'"{table}" INDEXED BY "{index}"', column, types.get(column, "")))
        for place, column, kind in places:
            if kind in ("INTEGER", "BLOB"):
                name = column if column == "rowid" else f'"{column}"'
                yield _RandomPlace(
                    f"SELECT * FROM {place} WHERE {name} >= ? ORDER BY {name} LIMIT 1",
                    kind,
                    f"SELECT (SELECT min({name}) FROM {place}), (SELECT max({name}) FROM {place})",
                )


def _tables(connection: Session) -> list[tuple[str, str]]:
    """The tables with their own pages, and how each was made."""
    return connection.all(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        " AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    )


def is_ours(connection: Session) -> bool:
    """Is it a store, or nothing yet, and not the database of another program?"""
    tables = connection.dialect.tables(connection)
    return not tables or tables >= OURS


class Looked(NamedTuple):
    """What a check found: how many of all tables were looked at in time, and what is wrong, in SQLite's words.

    Those name tables, columns and pages, never a value.
    """

    done: int
    of: int
    wrong: list[str]


def quick(connection: SqliteSession, seconds: float) -> Looked:
    """Check the pages of one table after another, for at most so long. Raises StoreFailed."""
    tables = [name for name, _ in _tables(connection)]
    until = time.monotonic() + seconds
    wrong: list[str] = []
    connection.set_progress_handler(lambda: int(time.monotonic() > until), STEPS_BETWEEN)
    try:
        for done, table in enumerate(tables):
            if time.monotonic() > until:
                return Looked(done, len(tables), wrong[:MOST_TOLD])
            try:
                found = [row[0] for row in connection.all(f'PRAGMA quick_check("{table}")')]
            except TooLong:
                return Looked(done, len(tables), wrong[:MOST_TOLD])
            wrong += [f"{table}: {one}" for one in found if one != "ok"]
    finally:
        connection.set_progress_handler(None, 0)
    return Looked(len(tables), len(tables), wrong[:MOST_TOLD])


def pages(connection: Session) -> list[str]:
    """Check all pages and what indexes hold; out: what is wrong, in SQLite's words. Raises StoreFailed."""
    return [text for (text,) in connection.all(f"PRAGMA integrity_check({MOST_TOLD})") if text != "ok"]


def whole(
    connection: SqliteSession, on_step: Callable[[str], None] = lambda step: None, every: float = 5.0
) -> Looked:
    """Check everything: pages, indexes, references, and whether what is kept can be read. Raises StoreFailed.

    `on_step` is told what is being done, and every so many seconds for how long already.
    """
    tables = [name for name, _ in _tables(connection)]
    wrong: list[str] = []
    with _telling(connection, on_step, every) as begin:
        begin("bladzijden en indexen")
        wrong += pages(connection)
        if wrong:  # of a damaged file the rest says nothing
            return Looked(len(tables), len(tables), wrong)
        begin("verwijzingen")
        broken: dict[str, int] = {}
        for table, *_ in connection.each("PRAGMA foreign_key_check"):
            broken[table] = broken.get(table, 0) + 1
        wrong += [f"{table}: {count} verwijzing(en) naar wat er niet is" for table, count in broken.items()]
        begin("documenten")
        (bad,) = connection.one("SELECT count(*) FROM document WHERE NOT json_valid(body)")
        wrong += [f"document: {bad} niet te lezen"] if bad else []
        begin("objecten van bronnen")
        bad = unreadable(connection)
        wrong += [f"raw: {bad} niet te lezen"] if bad else []
    return Looked(len(tables), len(tables), wrong)


def unreadable(connection: Session) -> int:
    """How many objects of sources can't be read."""
    return sum(_unreadable(body) for (body,) in connection.each("SELECT body FROM raw"))


def _unreadable(body: bytes | None) -> bool:
    try:
        unpack(body or b"") if body else b""
    except Damaged:
        return True
    return False


@contextmanager
def _telling(
    connection: SqliteSession, on_step: Callable[[str], None], every: float
) -> Iterator[Callable[[str], None]]:
    """Tell how long a step takes, while SQLite is at it; gives how a step begins."""
    step, began, told = "", time.monotonic(), 0.0

    def begin(name: str) -> None:
        nonlocal step, began, told
        step, began, told = name, time.monotonic(), time.monotonic()
        on_step(name)

    def tick() -> int:
        nonlocal told
        if time.monotonic() - told >= every:
            told = time.monotonic()
            on_step(f"{step}: {told - began:.0f} seconden")
        return 0

    connection.set_progress_handler(tick, STEPS_BETWEEN)
    try:
        yield begin
    finally:
        connection.set_progress_handler(None, 0)
