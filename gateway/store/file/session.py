"""A connection to SQLite as the session that the rest of the store speaks to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from gateway.store.base.changes import Changes
from gateway.store.base.errors import StoreFailed
from gateway.store.base.session import Parameters, Row, Session
from gateway.store.file.errors import told
from gateway.store.file.functions import CHANGING, FUNCTIONS
from gateway.store.schema.migrations import migrations

STATEMENTS = 512  # that stay prepared

# A list as one value: json_each takes it apart. Only what is of no type that SQLite knows comes here.
sqlite3.register_adapter(list, lambda values: orjson.dumps(values).decode())


class SqliteDialect:
    """How SQLite answers the questions about itself."""

    is_a_file = True

    def tables(self, session: Session, /) -> set[str]:
        """The names of the tables that there are."""
        return {name for (name,) in session.all("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def migrated(self, session: Session, /) -> set[str]:
        """The names of the migrations that it has."""
        if migrations.migrations_table not in self.tables(session):
            return set()
        question = f"SELECT name FROM {migrations.migrations_table} WHERE migration_set = ?"
        return {name for (name,) in session.all(question, (migrations.name,))}


class SqliteSession(sqlite3.Connection):
    """A Session on SQLite. Beside its methods it has all of a connection, for what is of SQLite alone."""

    dialect = SqliteDialect()

    def __init__(self, *how: Any, **else_how: Any) -> None:
        super().__init__(*how, **else_how)
        self.changes = Changes()

    def meanwhile(self, pieces: Iterator[object], /) -> None:
        """See Session."""

    def all(self, sql: str, parameters: Parameters = (), /) -> list[Row]:
        """See Session."""
        try:
            return self.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise told(error) from error

    def one(self, sql: str, parameters: Parameters = (), /) -> Row:
        """See Session."""
        try:
            return self.execute(sql, parameters).fetchone()
        except sqlite3.Error as error:
            raise told(error) from error

    def each(self, sql: str, parameters: Parameters = (), /) -> Iterator[Row]:
        """See Session."""
        try:
            yield from self.execute(sql, parameters)
        except sqlite3.Error as error:
            raise told(error) from error

    def run(self, sql: str, parameters: Parameters = (), /) -> int:
        """See Session."""
        try:
            return self.execute(sql, parameters).rowcount
        except sqlite3.Error as error:
            raise told(error) from error

    def insert(self, sql: str, parameters: Parameters = (), /) -> int:
        """See Session."""
        try:
            return self.execute(sql, parameters).lastrowid or 0
        except sqlite3.Error as error:
            raise told(error) from error

    def many(self, sql: str, rows: Iterable[Parameters], /) -> None:
        """See Session."""
        try:
            self.executemany(sql, rows)
        except sqlite3.Error as error:
            raise told(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A write transaction for the block, on a connection that is not a store's."""
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException as error:
            if self.in_transaction:
                self.run("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise told(error) from error
            raise

    def copy_to(self, other: SqliteSession, pages: int, on_step: Callable[[int, int], None]) -> None:
        """Copy the store, page by page, to another; `on_step` is told how many of how many after so many."""

        def step(_status: int, left: int, total: int) -> None:
            on_step(total - left, total)

        try:
            self.backup(other, pages=pages, progress=step, sleep=0)
        except sqlite3.Error as error:
            raise told(error) from error


def connect(where: Path | str, **how: Any) -> SqliteSession:
    """Open a file, or `file:` with what to open it by; transactions begin and end only as we say. Raises StoreFailed.

    In: what else the library takes, such as `timeout` (seconds).
    """
    address = isinstance(where, str) and where.startswith("file:")
    try:
        session = sqlite3.connect(where, uri=address, isolation_level=None, factory=SqliteSession, **how)
    except sqlite3.Error as error:
        raise told(error) from error
    for name, values, function in FUNCTIONS:
        session.create_function(name, values, function, deterministic=True)
    for name, values, function in CHANGING:
        session.create_function(name, values, function)
    return session


def look(path: Path, also: str = "", **how: Any) -> SqliteSession:
    """Open a store to look at it only. Raises StoreFailed, also when it can't be read.

    In: what else stands in its address, and what else the library takes.
    """
    session = connect(f"file:{quote(str(path))}?mode=ro{also}", **how)
    try:
        session.one("SELECT 1 FROM sqlite_master LIMIT 1")
    except StoreFailed:
        session.close()
        raise
    return session
