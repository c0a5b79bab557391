"""A store in a file as one of the two sides of a move (`store/moving`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.store.base.errors import StoreError, StoreLocked
from gateway.store.base.moving import MovedTable
from gateway.store.base.session import Row
from gateway.store.file import holders, opening
from gateway.store.file.session import SqliteSession, connect
from gateway.store.indexes import text_search
from gateway.store.schema import upgrade

CACHE_KIBIBYTES = 65_536
# Made again from the texts, and of SQLite alone.
NOT_MOVED = "text_"
TEXTS = "texts"
_KINDS = {"INTEGER": "number", "REAL": "real", "TEXT": "text", "BLOB": "bytes"}


def tables_of_program() -> list[MovedTable]:
    """The tables of a new store that are moved, by name: those of SQLite and PostgreSQL are the same."""
    session = connect(":memory:")
    try:
        with session.transaction():
            upgrade.upgrade(session)
        return tables_of(session)
    finally:
        session.close()


def tables_of(session: SqliteSession) -> list[MovedTable]:
    """The tables of a store that are moved, by name."""
    names = session.all(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " AND name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name"
    )
    return [_table(session, name) for (name,) in names if not name.startswith(NOT_MOVED)]


def _table(session: SqliteSession, name: str) -> MovedTable:
    columns = session.all("SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid", (name,))
    keyed = sorted((pk, column) for column, _, pk in columns if pk)
    return MovedTable(
        name,
        tuple(column for column, _, _ in columns),
        tuple(_KINDS[kind] for _, kind, _ in columns),
        tuple(column for _, column in keyed),
    )


class FileSide:
    """See MoveSide. A file that takes is not the store itself yet, but a file beside its place."""

    def __init__(self, path: Path, session: SqliteSession) -> None:
        """In: the file, and a connection to it that nobody else has."""
        self.path, self.session = path, session

    @property
    def shown(self) -> str:
        """See MoveSide."""
        return str(self.path)

    def last_ids(self) -> dict[str, int]:
        """See MoveSide."""
        return dict(self.session.all("SELECT name, seq FROM sqlite_sequence"))

    def is_there(self) -> bool:
        """See MoveSide."""
        tables = self.session.dialect.tables(self.session)
        if tables and not tables >= opening.OURS:
            raise StoreError(f"{self.path} is een database van een ander programma; noem een ander bestand.")
        return bool(tables)

    def make(self) -> None:
        """See MoveSide."""
        upgrade.upgrade(self.session)

    @contextmanager
    def transaction(self, *, lasts: bool = False) -> Iterator[None]:
        """See MoveSide."""
        self.session.run(f"PRAGMA synchronous = {'FULL' if lasts else 'NORMAL'}")
        with self.session.transaction():
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See MoveSide: nobody else writes in it."""
        yield

    def put_off(self) -> list[str]:
        """See MoveSide."""
        found = self.session.all(
            "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
            " AND tbl_name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name"
        )
        for kind, name, _ in found:
            self.session.run(f"DROP {kind} {name}")
        indexes = [sql for kind, _, sql in found if kind == "index"]
        return [*indexes, TEXTS, *(sql for kind, _, sql in found if kind == "trigger")]

    def load(self, table: MovedTable, rows: Iterable[Row]) -> None:
        """See MoveSide."""
        marks = ", ".join("?" * len(table.columns))
        self.session.many(
            f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({marks})",
            rows,
        )

    def later(self, statement: str) -> None:
        """See MoveSide."""
        if statement == TEXTS:
            text_search.make_again(self.session)
        else:
            self.session.run(statement)

    def set_last_ids(self, last: dict[str, int]) -> None:
        """See MoveSide."""
        counting = self.session.all("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
        for (name,) in counting:
            (highest,) = self.session.one(f"SELECT coalesce(max(id), 0) FROM {name}")
            self.session.run("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
            self.session.run(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
                (name, max(highest, last.get(name, 0))),
            )

    def tidy(self) -> None:
        """See MoveSide."""
        broken = sorted({table for table, *_ in self.session.each("PRAGMA foreign_key_check")})
        wrong = broken or [text for (text,) in self.session.all("PRAGMA integrity_check(5)") if text != "ok"]
        if wrong:
            raise StoreError(
                f"{self.path}: de kopie is niet gaaf ({'; '.join(wrong)}); verwijder haar en begin opnieuw."
            )

    def settle(self) -> None:
        """See MoveSide: one file that is complete by itself."""
        self.session.run("PRAGMA journal_mode = DELETE")


@contextmanager
def giving(path: Path) -> Iterator[FileSide]:
    """The store in that file, from which nothing changes in the block. Raises InUse while any process has it open."""
    with holders.alone(path):
        session = connect(path)
        try:
            session.run(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
            session.run("BEGIN IMMEDIATE")
            yield FileSide(path, session)
        finally:
            session.close()


@contextmanager
def taking(part: Path) -> Iterator[FileSide]:
    """A file that becomes a store, for the block; one that was left halfway is gone on with. Raises StoreError."""
    opening.judge_folder(part)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"{part} kan niet worden gemaakt ({error.strerror}).") from None
    session = connect(part, timeout=1)
    try:
        session.run(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
        session.run("PRAGMA journal_mode = WAL")
        session.run("PRAGMA locking_mode = EXCLUSIVE")
        session.run("BEGIN IMMEDIATE")  # from here on nobody else is in it
        session.run("COMMIT")
        yield FileSide(part, session)
    except StoreLocked:
        raise StoreError(
            f"{part}: een ander proces is met deze kopie bezig. Er is niets veranderd."
        ) from None
    finally:
        session.close()
