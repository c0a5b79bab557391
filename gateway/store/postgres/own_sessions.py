"""A session for questions outside a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from gateway.store.base.changes import Changes
from gateway.store.base.session import Parameters, Row
from gateway.store.postgres.session import PostgresDialect, PostgresSession

if TYPE_CHECKING:
    from gateway.store.postgres.database import PostgresStore

Answer = TypeVar("Answer")


class OwnSession:
    """A Session that is in no transaction: each question takes a connection from the pool for as long as it lasts."""

    dialect = PostgresDialect()
    in_transaction = False

    def __init__(self, store: PostgresStore) -> None:
        """In: the store whose connections it takes."""
        self._store = store

    @property
    def changes(self) -> Changes:
        """See Session: those of this thread."""
        return self._store.mine.changes

    def _asked(self, ask: Callable[[PostgresSession], Answer]) -> Answer:
        def begins(session: PostgresSession) -> bool:
            session.limit(self._store.question_seconds, told=False)
            return session.lives()

        session = self._store.begin(begins)
        try:
            return ask(session)
        finally:
            self._store.pool.give(session)

    def all(self, sql: str, parameters: Parameters = (), /) -> list[Row]:
        """See Session."""
        return self._asked(lambda session: session.all(sql, parameters))

    def one(self, sql: str, parameters: Parameters = (), /) -> Row:
        """See Session."""
        return self._asked(lambda session: session.one(sql, parameters))

    def each(self, sql: str, parameters: Parameters = (), /) -> Iterator[Row]:
        """See Session."""
        yield from self.all(sql, parameters)

    def run(self, sql: str, parameters: Parameters = (), /) -> int:
        """See Session."""
        return self._asked(lambda session: session.run(sql, parameters))

    def insert(self, sql: str, parameters: Parameters = (), /) -> int:
        """See Session."""
        return self._asked(lambda session: session.insert(sql, parameters))

    def many(self, sql: str, rows: Iterable[Parameters], /) -> None:
        """See Session."""
        self._asked(lambda session: session.many(sql, rows))

    def meanwhile(self, pieces: Iterator[object], /) -> None:
        """See Session: there is no transaction to do it in."""
