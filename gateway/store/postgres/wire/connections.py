"""How a statement goes to the database and its rows come back: prepared, in binary, with no trip that can be spared,
and waited for no longer than a question may take.

Not by the cursors of psycopg: those take half of the time of a read.
"""

from __future__ import annotations

import math
import select
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer

from gateway.store.postgres.wire.values import Bound

# Statements that stay prepared on a connection, and after how often.
STATEMENTS, PREPARED_AFTER = 512, 2
FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE, pq.ExecStatus.PIPELINE_ABORTED)
_BINARY = pq.Format.BINARY
Asked: TypeAlias = tuple[str, Sequence[Bound]]  # a statement and its values


class Silent(psycopg.OperationalError):
    """The database did not answer in time, nor break off."""


def must(result: pq.abc.PGresult) -> pq.abc.PGresult:
    """The result of what succeeded. Raises psycopg.Error."""
    if result.status in FAILED:
        raise psycopg.errors.error_from_result(result)
    return result


class Message(NamedTuple):
    """A statement on its way: the name that it is prepared by (empty: it is not), and its values."""

    name: bytes
    text: str
    data: Sequence[bytes | None]
    types: Sequence[int]
    formats: Sequence[pq.Format]


class Wire:
    """One connection, of one thread at a time. Its methods raise psycopg.Error, Silent after the deadline; then it is
    of no more use."""

    __slots__ = (
        "_behind",
        "_known",
        "_made",
        "_new",
        "_pgconn",
        "_poll",
        "_rows",
        "beginning",
        "deadline",
        "meanwhile",
        "unheard",
    )

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """In: a connection that gives values as sessions promise (`values.adapt`)."""
        self.deadline = math.inf
        self.beginning = ""  # what begins a transaction, and goes with the next statement
        self.unheard = False  # was a transaction ended of which nobody heard yet what came of that?
        self.meanwhile: Iterator[object] = iter(
            ()
        )  # pieces of other work, done while the database is waited for
        self._pgconn = connection.pgconn
        self._rows = Transformer(connection)
        # By text and types: the name that it is prepared by, or how often it was asked.
        self._known: OrderedDict[tuple[str, Sequence[int]], bytes | int] = OrderedDict()
        self._made = 0
        # How many statements were sent of which nobody heard yet what came of them, and what was prepared among them.
        self._behind = 0
        self._new: list[tuple[str, Sequence[int]]] = []
        self._poll = select.poll()
        self._poll.register(self._pgconn.socket, select.POLLIN)

    def script(self, text: str) -> pq.abc.PGresult:
        """Run statements without values in one trip; out: the result of the last one."""
        self._hear()
        if self._behind:
            if ";" not in text:
                return self.ask(text, (), keep=False)
            self._catch_up()
        if self.beginning:
            text, self.beginning = f"{self.beginning}; {text}", ""
        return self._simple(text)

    def end(self, text: str) -> None:
        """End a transaction that read. What comes of that is heard when the connection is used again."""
        if self.beginning:  # nothing was asked
            self.beginning = ""
            return
        if self._behind:
            self._catch_up()
        self._pgconn.send_query(text.encode())
        self._pgconn.flush()
        self.unheard = True

    def ask(self, text: str, given: Sequence[Bound], *, keep: bool = True) -> pq.abc.PGresult:
        """Send a statement with its values. Out: its result. `keep`: it may be prepared."""
        return self.ask_in_turn([(text, given)], keep=keep)

    def ask_in_turn(self, asked: Sequence[Asked], *, keep: bool = True) -> pq.abc.PGresult:
        """Send statements in one trip. Out: the result of the last one."""
        self._hear()
        if self.beginning:
            asked, self.beginning = [(self.beginning, ()), *asked], ""
        if not self._behind and not asked[1:]:
            ((text, given),) = asked
            self._send(self._message(text, given, keep))
            self._flush()
            return must(self._last())
        self._pgconn.enter_pipeline_mode()  # which it may be in
        for text, given in asked:
            self._send(self._message(text, given, keep))
        return self._catch_up(sync=True)

    def send_on(self, text: str, rows: Sequence[Sequence[Bound]], *, keep: bool = True) -> None:
        """Send a statement for each of some rows in a transaction, and wait for nothing: what came of it is heard with
        the next question, or the end. So the database writes while we go on.

        After each of these the database tells that it is ready. It would not count else how long nothing happens: a
        writer that is frozen would keep the lock for ever.
        """
        self._hear()
        self._pgconn.enter_pipeline_mode()
        if self.beginning:
            begins, self.beginning = self.beginning, ""
            self._send(self._message(begins, (), True))
        for row in rows:
            self._send(self._message(text, row, keep))
        self._pgconn.pipeline_sync()
        self._behind += 1
        self._flush()

    def rows(self, result: pq.abc.PGresult) -> list[Any]:
        """The rows of a result."""
        self._rows.set_pgresult(result)
        return self._rows.load_rows(0, result.ntuples, tuple)

    def _hear(self) -> None:
        """Hear what came of the end of the last transaction."""
        if self.unheard:
            self.unheard = False
            must(self._last())

    def _simple(self, text: str) -> pq.abc.PGresult:
        self._pgconn.send_query(text.encode())
        self._flush()
        return must(self._last())

    def _message(self, text: str, given: Sequence[Bound], keep: bool) -> Message:
        """A statement with its values; what was asked often enough is prepared first."""
        data, types, formats = zip(*given, strict=True) if given else ((), (), ())
        known = self._known
        name = known.get((text, types), 0)
        if isinstance(name, bytes):
            known.move_to_end((text, types))
            return Message(name, text, data, types, formats)
        if not keep:
            return Message(b"", text, data, types, formats)
        if name + 1 < PREPARED_AFTER:
            known[text, types], name = name + 1, b""
        else:
            self._made += 1
            name = f"s{self._made}".encode()
            self._pgconn.send_prepare(name, text.encode(), types)
            if self._pgconn.pipeline_status:
                self._new.append((text, types))
            else:
                self._flush()
                must(self._last())
            known[text, types] = name
        while (
            len(known) > STATEMENTS and not self._pgconn.pipeline_status
        ):  # what was asked longest ago makes room
            _, old = known.popitem(last=False)
            if isinstance(old, bytes):
                self._simple(f"DEALLOCATE {old.decode()}")
        return Message(name, text, data, types, formats)

    def _send(self, message: Message) -> None:
        name, text, data, types, formats = message
        if name:
            self._pgconn.send_query_prepared(name, data, formats, _BINARY)
        else:
            self._pgconn.send_query_params(text.encode(), data, types, formats, _BINARY)

    def _catch_up(self, *, sync: bool = False) -> pq.abc.PGresult:
        """Hear what came of all that was sent. Out: the result of the last one.

        In: was something sent since we said last that the database is to tell that it is ready? Raises for the first
        that failed.
        """
        pgconn = self._pgconn
        behind, self._behind = self._behind, 0
        new, self._new = self._new, []
        if sync:
            pgconn.pipeline_sync()
            behind += 1
        failed: pq.abc.PGresult | None = None
        last: pq.abc.PGresult | None = None
        try:
            self._flush()
            while behind:
                result = self._next()
                broken = pgconn.status == pq.ConnStatus.BAD
                if result is None:  # between two statements
                    if broken:
                        raise psycopg.OperationalError
                    continue
                if result.status == pq.ExecStatus.PIPELINE_SYNC:
                    behind -= 1
                    continue
                last = result
                if result.status in FAILED:
                    failed = failed or result
                    if broken:
                        break
            if failed is None:
                new = []
        finally:
            for statement in new:  # it may not have been prepared
                self._known.pop(statement, None)
        if failed is not None and pgconn.status == pq.ConnStatus.BAD:
            must(failed)
        pgconn.exit_pipeline_mode()
        if failed is not None:
            must(failed)
        if last is None:
            raise psycopg.OperationalError
        return last

    def _last(self) -> pq.abc.PGresult:
        """The last result of what was sent."""
        last = None
        while (result := self._next()) is not None:
            last = result
        if last is None:
            raise psycopg.OperationalError
        return last

    def _next(self) -> pq.abc.PGresult | None:
        """The next result, waited for while other threads go on."""
        pgconn = self._pgconn
        while pgconn.is_busy():
            self._wait(select.POLLIN)
            pgconn.consume_input()
        return pgconn.get_result()

    def _flush(self) -> None:
        """See that all is sent; what the database says meanwhile is taken, else it would not read on."""
        try:
            while self._pgconn.flush():
                self._wait(select.POLLIN | select.POLLOUT)
                self._pgconn.consume_input()
        except Silent:
            raise
        except psycopg.OperationalError:
            result = self._pgconn.get_result()  # it may have said why it left
            if result is not None:
                must(result)
            raise

    def _wait(self, what: int) -> None:
        self._poll.modify(self._pgconn.socket, what)
        for _ in self.meanwhile:
            if self._poll.poll(0):
                return
        left = None if self.deadline == math.inf else max(0.0, (self.deadline - time.monotonic()) * 1000)
        if not self._poll.poll(left):
            raise Silent
