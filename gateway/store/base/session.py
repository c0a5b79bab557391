"""How the rest of the store speaks to its database: a session, with few methods, on whatever database it is.

The SQL is the text that both SQLite and PostgreSQL understand, written as SQLite runs it: with `?` or `?1` for values,
and `:name` where one stands often or they are many (SQLite binds that slower). What can't be said in that text alike
is written with the forms of `dialect.py` and `bound_lists.py`, which a driver may put otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from gateway.store.base.changes import Changes
from gateway.store.base.dialect import Dialect

# A tuple of what the statement asks. What is in it only the statement tells.
Row: TypeAlias = Any
Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any]


class Session(Protocol):
    """A connection to the store, of one thread, as `Store.read()` and `Store.write()` give it.

    Values are None, int, float, str, bytes, and a list of numbers or texts as one value. All raise StoreFailed, of the
    class that tells what (`errors.py`), or TooLong.
    """

    @property
    def dialect(self) -> Dialect:
        """What differs between databases."""

    @property
    def changes(self) -> Changes:
        """What was done to documents since the transaction began."""

    @property
    def in_transaction(self) -> bool:
        """Did a transaction begin?"""

    def all(self, sql: str, parameters: Parameters = (), /) -> list[Row]:
        """All rows of a question."""

    def one(self, sql: str, parameters: Parameters = (), /) -> Row:
        """The first row of a question; None when there is none."""

    def each(self, sql: str, parameters: Parameters = (), /) -> Iterator[Row]:
        """The rows of a question one by one, for many; it is asked when the first is taken."""

    def run(self, sql: str, parameters: Parameters = (), /) -> int:
        """Run a statement that gives no rows. Out: how many rows it inserted, updated or deleted."""

    def insert(self, sql: str, parameters: Parameters = (), /) -> int:
        """Run an INSERT of one row into a table with an `id`. Out: that of the row."""

    def many(self, sql: str, rows: Iterable[Parameters], /) -> None:
        """Run a statement once for each of `rows`. What fails may be raised by what is asked next, or by the end of the
        transaction."""

    def meanwhile(self, pieces: Iterator[object], /) -> None:
        """Until the transaction ends, do the next of these short pieces of other work whenever the database is waited
        for. What one raises, the question that was waited for raises. A file is not waited for."""
