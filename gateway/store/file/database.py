"""The store: one SQLite file, opened and made ready; short transactions on the connection of each thread."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlite_utils import Database

from gateway.base.process_identity import NotShared
from gateway.config.defaults import BUSY_SECONDS, LOG_MB
from gateway.store.base.errors import StoreError, StoreFailed
from gateway.store.base.lock_waits import LockWaits
from gateway.store.base.session import Session
from gateway.store.file import holders, opening, write_turns
from gateway.store.file.errors import BUSY, told
from gateway.store.file.thread_connections import (
    SERVING_CACHE_KIBIBYTES,
    ThreadConnection,
    ThreadConnections,
)
from gateway.store.file.troubles import FileTroubles
from gateway.store.file.write_ahead_log import WriteLog
from gateway.store.indexes import settling
from gateway.store.schema import upgrade


class FileReading:
    """The block of `FileStore.read()`; inside another transaction of its thread it is part of that one.

    A class, because a generator would cost every question to the API a microsecond more.
    """

    __slots__ = ("_inner", "_mine", "_seconds")

    def __init__(self, mine: ThreadConnection, seconds: float) -> None:
        """In: the connection of this thread, and how many seconds the questions may take together."""
        self._mine, self._seconds = mine, seconds
        self._inner = mine.connection.in_transaction

    def __enter__(self) -> Session:
        mine = self._mine
        if not self._inner:
            mine.connection.execute("BEGIN")
            mine.reading = True
            mine.limit.begin(self._seconds)
        return mine.connection

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self._inner:
            return
        mine = self._mine
        mine.limit.end()
        mine.reading = False
        try:
            mine.connection.execute("COMMIT")
        except sqlite3.Error as failed:
            raise told(failed) from failed
        if isinstance(error, sqlite3.Error):
            raise told(error) from error


class FileStore:
    """One store file. Threads and processes may share it; each thread gets its own connection.

    `read()` gives a connection for questions; `write()` a transaction that began IMMEDIATE, committed at the
    end of the block and rolled back when it raises. `waiting` says how long a write waits for another.
    """

    def __init__(self, path: str | Path, *, busy_seconds: float = BUSY_SECONDS, log_mb: int = LOG_MB) -> None:
        """Open (and create) the store at `path`, by `[store] busy_seconds` and `log_mb`.

        Raises StoreError when that can't be done, StoreFailed when it can't be written now.
        """
        self.path = Path(path)
        self.waiting = LockWaits(busy_seconds, BUSY)
        self.question_seconds = math.inf  # that everything asked in one read() may take
        self.troubles = FileTroubles(self.path)
        self._log = WriteLog(self.path, log_mb)
        self.connections = ThreadConnections(self.path, self.waiting, self._log, self.troubles)
        self._mine = self.connections.mine
        self._local = threading.local()
        opening.judge_folder(self.path)
        self._hold = holders.Hold(self.path)
        self._opener = (os.getpid(), threading.get_ident())
        try:
            holders.judge(self._hold)
            opening.make_file(self.path)
            self._turns = write_turns.Turns(self.path)
            self._make_ready()
        except NotShared as error:
            raise StoreError(f"[store] path: {error}") from None
        except BaseException:
            self._hold.close()
            raise

    def _make_ready(self) -> None:
        """Bring the schema up to date, and mark the file when nobody else has it open."""
        opening.refuse_another(self.connection(), self.path)
        if upgrade.is_due(self.connection()):
            if not self._hold.alone:
                holders.refuse_upgrade(self.path)
            with self.write() as connection:
                upgrade.make_tables(connection)
        if not self.only_reads and upgrade.is_to_fill(self.connection()):
            upgrade.fill(self.write)
        if self._hold.alone:
            if not self.only_reads:
                self.connections.close()
                holders.stamp(self._hold)
            self._hold.share()

    def connection(self) -> Session:
        """This thread's connection. After a fork the child gets one of its own."""
        return self._mine().connection

    @property
    def only_reads(self) -> bool:
        """Was there no room to open it for writing?"""
        return self.connections.no_room is not None

    def trouble(self) -> list[str]:
        """What an operator must know: damage, nothing can be written, little room. Sentences without values."""
        return self.troubles.told(only_reads=self.only_reads)

    def serves(self) -> None:
        """This process answers clients: many threads, each with little memory."""
        self.connections.cache_kibibytes = SERVING_CACHE_KIBIBYTES

    def shows_life(self) -> None:
        """See Store: processes of one machine see each other."""

    def for_bulk(self) -> None:
        """Make this thread's connection fit for work that goes through everything once."""
        self.connections.for_bulk()

    def operator(self) -> Database:
        """This thread's connection as a sqlite-utils Database, for schema and operator queries."""
        return Database(self._mine().connection, execute_plugins=False)

    def read(self) -> FileReading:
        """A block with one consistent view for several questions. Raises TooLong after `question_seconds`."""
        return FileReading(self._mine(), self.question_seconds)

    @contextlib.contextmanager
    def write(self, *, synced: bool | None = None, wait: float | None = None) -> Iterator[Session]:
        """A write transaction; inside another one of this thread it is part of that one.

        In: must it be on the disk when the block ends, so that a power cut can't undo it? By default yes, but for a
        job's: what that did is done again. `wait`: how many seconds it waits for another writer at most, when that is
        less than is usual. Raises StoreBusy when that took longer.
        """
        mine = self._mine()
        connection = mine.connection
        if mine.reading:
            raise RuntimeError("a write inside read(): SQLite would refuse it when another process writes")
        if connection.in_transaction:
            yield connection
            return
        background = getattr(self._local, "background", False)
        meanwhile: Callable[[], None] = getattr(self._local, "meanwhile", _nothing)
        if background and mine.bulk:
            self._log.make_room(connection, meanwhile)
        if background:
            self._turns.give_way()
        with contextlib.nullcontext() if background else self._turns.live():
            self._begin(mine, synced=not background if synced is None else synced, wait=wait)
            try:
                for guard in getattr(self._local, "guards", ()):
                    guard(connection)
                yield connection
                settling.settle(connection)
                connection.run("COMMIT")
            except BaseException as error:
                connection.changes.clear()
                if connection.in_transaction:
                    connection.run("ROLLBACK")
                failed = told(error) if isinstance(error, sqlite3.Error) else error
                self.troubles.notice(failed)
                if failed is error:
                    raise
                raise failed from error
            self.troubles.unwritable = None

    def _begin(self, mine: ThreadConnection, *, synced: bool, wait: float | None) -> None:
        if (why := self.connections.no_room) is not None:
            raise why.with_traceback(None)
        try:
            mine.sync(synced)
            with write_turns.beginning(mine.connection, self.waiting.seconds) as begins:
                if getattr(self._local, "background", False) and wait is None:
                    self.waiting.patient(begins, getattr(self._local, "meanwhile", _nothing))
                else:
                    self.waiting.live(begins, wait)
        except StoreFailed as error:
            self.troubles.notice(error)
            raise

    def apart(self) -> contextlib.AbstractContextManager[Session]:
        """See Store: in a file there is one writer, whatever it writes."""
        return self.write(synced=False)

    def clients_write(self) -> bool:
        """Were clients seen writing within the last minute, by the jobs of this process?"""
        return self._turns.lately()

    @contextlib.contextmanager
    def giving_way(self, meanwhile: Callable[[], None] | None = None) -> Iterator[None]:
        """Let writes of this thread in the block be those of a job: they wait for those of clients, and for whoever
        holds the store for as long as it takes.

        `meanwhile` is called while they wait, and may raise what ends that; None: as in the block around this one.
        """
        local = self._local
        before = getattr(local, "background", False), getattr(local, "meanwhile", _nothing)
        local.background, local.meanwhile = True, meanwhile or before[1]
        try:
            yield
        finally:
            local.background, local.meanwhile = before

    @contextlib.contextmanager
    def guarded(self, guard: Callable[[Session], None]) -> Iterator[None]:
        """Let `guard` look at every write transaction that this thread begins in the block, before it writes.

        What it raises undoes the transaction: so a job whose lease was lost can't write any more, whoever's code it
        runs.
        """
        held = getattr(self._local, "guards", ())
        self._local.guards = (*held, guard)
        try:
            yield
        finally:
            self._local.guards = held

    def tidy_log(self, *, bulk: bool) -> None:
        """Copy the write-ahead log into the file, and keep it short unless `bulk` work goes on that lets it grow."""
        self._log.tidy(self._mine().connection, bulk=bulk)

    def empty_log(self) -> bool:
        """Copy the write-ahead log into the file and empty it, so that it holds nothing that was erased since.

        Out: was it done? Not when somebody reads or writes all the time.
        """
        return self._log.empty(self._mine().connection)

    def copy_to(self, path: Path) -> None:
        """Write a copy of the store, as it is at this moment, to a file that is not there yet."""
        self.connection().run("VACUUM INTO ?", (str(path),))

    def sizes(self) -> dict[str, int]:
        """See Store."""
        size = self.path.stat().st_size if self.path.exists() else 0
        return {"store": size, "wal": self._log.size()}

    def close(self) -> None:
        """Close this thread's connection; when it is the one that opened the store, the store is open no longer."""
        self.connections.close()
        self._turns.close()
        if self._opener == (os.getpid(), threading.get_ident()):
            self._hold.close()


def _nothing() -> None:
    """Nothing to do while waiting."""
