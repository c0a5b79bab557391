"""Moving a store from one database to another: what the one that gives and the one that takes are asked.

Rows keep their ids, so what refers to them from outside (cursors, addresses of pages) goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from gateway.store.base.session import Row, Session

# The facts (`meta`) that only a half copy has: how far it is, and which statements make it whole.
UNDER_WAY, LATER = "copy under way", "copy later"
HALF = "hier staat een kopie die nog niet af is; doe hetzelfde klantbrug store copy opnieuw, of maak het doel leeg"


class MovedTable(NamedTuple):
    """A table: its columns, of which kind each is (number, real, text or bytes), and those that order its rows; of a
    table without a key none."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    key: tuple[str, ...]

    def key_of(self, row: Row) -> tuple[object, ...]:
        """What the row is ordered by."""
        return tuple(row[self.columns.index(name)] for name in self.key)

    def rows(self, session: Session, after: Sequence[object] | None = None) -> Iterator[Row]:
        """All rows in order, or those after one with this key. One question for all: no database has to have an index
        in this order, and then it sorts them once. Within a transaction."""
        columns, key = ", ".join(self.columns), ", ".join(self.key)
        behind = f" WHERE ({key}) > ({', '.join('?' * len(self.key))})" if after else ""
        order = f" ORDER BY {key}" if key else ""
        return session.each(f"SELECT {columns} FROM {self.name}{behind}{order}", tuple(after or ()))


class MoveSide(Protocol):
    """One of the two databases, held so that nobody else writes in it. Methods raise StoreFailed."""

    @property
    def session(self) -> Session:
        """What it is asked by."""

    @property
    def shown(self) -> str:
        """Where it is, as it may be told."""

    def last_ids(self) -> dict[str, int]:
        """The highest row id that was ever given, of each table of which the database knows that."""

    def is_there(self) -> bool:
        """Are there tables of ours? Raises StoreError for those of another program."""

    def make(self) -> None:
        """Make the tables of this program. Inside a transaction."""

    def transaction(self, *, lasts: bool = False) -> AbstractContextManager[None]:
        """What is done in the block comes all or not at all; with `lasts` a power cut can't undo it."""

    def snapshot(self) -> AbstractContextManager[None]:
        """What is asked in the block is of one state."""

    def put_off(self) -> list[str]:
        """Drop what makes writing slow. Inside a transaction. Out: the statements that make it again."""

    def load(self, table: MovedTable, rows: Iterable[Row]) -> None:
        """Put rows in a table. Inside a transaction."""

    def later(self, statement: str) -> None:
        """Run one of the statements that `put_off` gave. Inside a transaction."""

    def set_last_ids(self, last: dict[str, int]) -> None:
        """Give no row id again that was given before. Inside a transaction."""

    def tidy(self) -> None:
        """Look at what was given: for plans, and whether it is sound. In no transaction. Raises StoreError."""

    def settle(self) -> None:
        """It is whole: nobody writes in it any more."""
