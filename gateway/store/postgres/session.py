"""A connection to PostgreSQL as the session that the rest of the store speaks to."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg import pq

from gateway.store.base.changes import Changes
from gateway.store.base.errors import StoreAway, StoreFailed, TooLong
from gateway.store.base.session import Parameters, Row, Session
from gateway.store.postgres.wire.connections import Asked, Silent, Wire
from gateway.store.postgres.wire.errors import is_outdated, told
from gateway.store.postgres.wire.statements import Put, RowsPut, put, put_insert, put_rows
from gateway.store.postgres.wire.values import Bound, bound, packed

# So many rows of `each` come at a time.
AT_ONCE = 1000
# From so many rows on they go in one statement.
TOGETHER = 4
# The columns of tables, that are the same in all stores of this program.
_TYPES: dict[str, dict[str, str]] = {}
# A database that did not end a question itself so long after its time was up does not answer any more.
GRACE_SECONDS = 1.0
# The database is told of the time that is left when it became less than this part of what it knows.
LEFT = 0.8


class PostgresDialect:
    """How PostgreSQL answers the questions about itself."""

    is_a_file = False

    def tables(self, session: Session, /) -> set[str]:
        """The names of the tables that there are."""
        rows = session.all(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(current_schema()))"
            " AND relkind IN ('r', 'p')"
        )
        return {name for (name,) in rows}

    def migrated(self, session: Session, /) -> set[str]:
        """The names of the migrations that it has."""
        if session.one("SELECT to_regclass(quote_ident(current_schema()) || '.migration') IS NULL")[0]:
            return set()
        return {name for (name,) in session.all("SELECT name FROM migration")}


class PostgresSession:
    """A Session on PostgreSQL: see there what its methods do."""

    dialect = PostgresDialect()
    __slots__ = (
        "_again",
        "_known",
        "_names",
        "_timeout",
        "_wire",
        "changes",
        "connection",
        "fresh",
        "process",
        "until",
    )

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        again: Callable[[], psycopg.Connection[Any]] | None = None,
    ) -> None:
        """In: a connection that commits by itself, so that transactions begin and end only as we say; what makes
        another one, when this was closed while it lay idle (raises StoreFailed)."""
        self.changes = Changes()
        self.process = os.getpid()
        self.until = math.inf  # when the questions of this transaction must be answered
        self._known = math.inf  # how many seconds the database gives each
        self._names = itertools.count()
        self._again = again
        self._open(connection)

    def _open(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.fresh = True  # nothing was asked on it yet
        self._wire = Wire(connection)
        self._timeout = 0  # milliseconds that the database gives a statement in every transaction; 0: no end

    @property
    def usable(self) -> bool:
        """Can another begin a transaction on it?"""
        return self._wire.unheard or self.connection.pgconn.transaction_status == pq.TransactionStatus.IDLE

    def lives(self) -> bool:
        """Is the database still there? Raises StoreAway."""
        self.script("SET statement_timeout = 0" if self._timeout else "")
        self._timeout = 0
        return True

    def close(self) -> None:
        """End the connection."""
        self.connection.close()

    def limit(self, seconds: float, *, told: bool = True) -> None:
        """From now on what is asked has so many seconds in all, until this is said again.

        In: does the database know, and is each asked in a transaction? Else only an answer that does not come ends it.
        """
        until = time.monotonic() + seconds
        self._wire.deadline = until + GRACE_SECONDS
        self.until, self._known = (until, seconds) if told else (math.inf, math.inf)

    def begin_reading(self, begin: str, seconds: float) -> None:
        """Begin a transaction that reads, together with its first statement. Raises as a Session does.

        In: the statement that begins it, and how many seconds all that is asked in it has.
        """
        self.limit(seconds)
        timeout = max(1, int(seconds * 1000)) if seconds < math.inf else 0
        if timeout != self._timeout:
            self.script(f"SET statement_timeout = {timeout}")
            self._timeout = timeout
        self._wire.beginning = begin

    def end_reading(self, *, failed: bool) -> None:
        """End it; nobody waits for what comes of that. Raises as a Session does."""
        try:
            self._wire.end("ROLLBACK" if failed else "COMMIT")
        except psycopg.Error as error:
            raise self._failed(error) from None

    def script(self, text: str) -> str:
        """Run statements without values, in one trip to the database; out: what the last one says that it did.

        Raises as a Session does.
        """
        return (self._sent(text).command_status or b"").decode()

    def word(self, text: str) -> str | None:
        """The same; out: the value that the last one gives, a question for one text."""
        value = self._sent(text).get_value(0, 0)
        return None if value is None else value.decode()

    def _sent(self, text: str) -> pq.abc.PGresult:
        try:
            result = self._wire.script(text)
        except psycopg.Error as error:
            raise self._failed(error) from None
        self.fresh = False
        return result

    def _failed(self, error: psycopg.Error) -> StoreFailed | TooLong:
        """What is raised for an error; a connection of no more use is closed."""
        if isinstance(error, Silent) or is_outdated(error):
            self.connection.close()
        return TooLong() if isinstance(error, Silent) else told(error)

    def _put(self, sql: str, putting: Callable[[str], Put] = put) -> Put:
        """A statement as it is sent, when there is time for it. Raises TooLong."""
        if self.until < math.inf:
            left = self.until - time.monotonic()
            if left <= 0:
                raise TooLong
            if left < LEFT * self._known:
                self._known = left
                self.script(f"SET LOCAL statement_timeout = {max(1, int(left * 1000))}")
        return putting(sql)

    @property
    def in_transaction(self) -> bool:
        """See Session."""
        if self._wire.unheard:
            return False
        idle = self.connection.pgconn.transaction_status == pq.TransactionStatus.IDLE
        return bool(self._wire.beginning) or not idle

    def _ask(self, asked: Sequence[Asked], *, keep: bool = True) -> pq.abc.PGresult:
        """Send statements in one trip. Out: the result of the last one."""
        begins = self._wire.beginning
        try:
            result = self._wire.ask_in_turn(asked, keep=keep)
        except psycopg.Error as error:
            if not begins or self.fresh or self._again is None or not _was_closed(error):
                raise self._failed(error) from None
            result = self._asked_again(begins, self._again, asked)
        self.fresh = False
        return result

    def _asked_again(
        self, begins: str, again: Callable[[], psycopg.Connection[Any]], asked: Sequence[Asked]
    ) -> pq.abc.PGresult:
        """The connection was closed while it lay idle, as when the database was restarted: not the fault of who asks
        first."""
        timeout, deadline = self._timeout, self._wire.deadline
        self.connection.close()
        self._open(again())
        self._wire.deadline = deadline
        if timeout:
            self.script(f"SET statement_timeout = {timeout}")
            self._timeout = timeout
        self._wire.beginning = begins
        try:
            return self._wire.ask_in_turn(asked)
        except psycopg.Error as error:
            raise self._failed(error) from None

    def _answered(self, statement: Put, parameters: Parameters) -> pq.abc.PGresult:
        return self._ask([(statement.text, [bound(value) for value in statement.values(parameters)])])

    def all(self, sql: str, parameters: Parameters = (), /) -> list[Row]:
        """See Session."""
        return self._wire.rows(self._answered(self._put(sql), parameters))

    def one(self, sql: str, parameters: Parameters = (), /) -> Row:
        """See Session."""
        rows = self._wire.rows(self._answered(self._put(sql), parameters))
        return rows[0] if rows else None

    def each(self, sql: str, parameters: Parameters = (), /) -> Iterator[Row]:
        """See Session."""
        if not self.in_transaction:
            yield from self.all(sql, parameters)
            return
        statement, name = self._put(sql), f"each_{next(self._names)}"
        declared = f"DECLARE {name} NO SCROLL CURSOR FOR {statement.text}"
        fetch: Asked = (f"FETCH {AT_ONCE} FROM {name}", ())
        asked = [(declared, [bound(value) for value in statement.values(parameters)]), fetch]
        while True:
            rows = self._wire.rows(self._ask(asked, keep=False))
            yield from rows
            if len(rows) < AT_ONCE:
                break
            self._put(sql)
            asked = [fetch]
        self._send_on(f"CLOSE {name}", [()], keep=False)

    def run(self, sql: str, parameters: Parameters = (), /) -> int:
        """See Session."""
        rows = self._answered(self._put(sql), parameters).command_tuples
        return -1 if rows is None else rows

    def insert(self, sql: str, parameters: Parameters = (), /) -> int:
        """See Session."""
        rows = self._wire.rows(self._answered(self._put(sql, put_insert), parameters))
        return int(rows[0][0]) if rows else 0

    def many(self, sql: str, rows: Iterable[Parameters], /) -> None:
        """See Session."""
        rows = rows if isinstance(rows, list) else list(rows)
        together = put_rows(sql) if len(rows) >= TOGETHER else None
        if together is not None and together.may_take(rows):
            self._rows(together, rows)
            return
        statement = self._put(sql)
        for start in range(0, len(rows), AT_ONCE):
            part = [
                [bound(value) for value in statement.values(row)] for row in rows[start : start + AT_ONCE]
            ]
            self._send_on(statement.text, part)

    def _rows(self, statement: RowsPut, rows: list[Any]) -> None:
        """Write rows in one statement: a third of what one for each costs."""
        types = self._types(statement)
        columns = zip(types, zip(*rows, strict=True), strict=True)
        given = [(packed(kind, column), 0, pq.Format.BINARY) for kind, column in columns]
        self._send_on(statement.typed(types), [given])

    def meanwhile(self, pieces: Iterator[object], /) -> None:
        """See Session."""
        self._wire.meanwhile = pieces

    def _send_on(self, text: str, rows: Sequence[Sequence[Bound]], *, keep: bool = True) -> None:
        """Send a statement for each of some rows; in a transaction it is not waited for."""
        try:
            if self.in_transaction:
                self._wire.send_on(text, rows, keep=keep)
            else:
                for row in rows:
                    self._wire.ask(text, row, keep=keep)
        except psycopg.Error as error:
            raise self._failed(error) from None

    def _types(self, statement: RowsPut) -> list[str]:
        """The types of the columns of a statement."""
        known = _TYPES.get(statement.table, {})
        if any(column not in known for column in statement.columns):
            known = _TYPES[statement.table] = dict(
                self.all(
                    "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute"
                    " WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped",
                    (statement.table,),
                )
            )
        return [known[column] for column in statement.columns]


def _was_closed(error: psycopg.Error) -> bool:
    """Was the connection no more, and may another be?"""
    return not isinstance(error, Silent) and not is_outdated(error) and isinstance(told(error), StoreAway)
