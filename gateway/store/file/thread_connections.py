"""The connection that each thread has to a store: how it is set up, and what becomes of it on a full disk.

A store without room is read over connections that only read. When there is room again they make way for others.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TypeGuard

from gateway.base.process_identity import Here
from gateway.store.base.errors import StoreError, StoreFailed, StoreUnwritable
from gateway.store.base.lock_waits import LockWaits
from gateway.store.file import full_disk, time_limit
from gateway.store.file.session import STATEMENTS, SqliteSession, connect
from gateway.store.file.troubles import FileTroubles
from gateway.store.file.write_ahead_log import WriteLog

CACHE_KIBIBYTES = 64 * 1024
# Of each thread of a server, which has more of them: the system keeps in memory what many ask.
SERVING_CACHE_KIBIBYTES = 16 * 1024
SMALL_CACHE_KIBIBYTES = 24 * 1024
# How often a store without room is tried again.
AGAIN_SECONDS = 2.0
# So long has who was just given a connection that only reads to be done with it, or to begin a transaction.
SETTLE_SECONDS = 0.1


class ThreadConnection:
    """The connection of a thread, and how it is set up."""

    __slots__ = ("bulk", "connection", "limit", "opened", "pid", "reading", "synced")

    def __init__(self, connection: SqliteSession, opened: int, long: time_limit.LongQuestions) -> None:
        """In: `opened` says which connections it came with, `long` has the long questions of this process."""
        self.pid, self.connection, self.opened = os.getpid(), connection, opened
        self.limit = time_limit.Limit(connection, long)
        self.reading = self.synced = self.bulk = False

    def sync(self, synced: bool) -> None:
        """Let the next transactions wait for the disk, or not."""
        if self.synced is not synced:
            self.connection.run(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            self.synced = synced


class ThreadConnections:
    """The connections of one process to one store. None is used across a fork."""

    def __init__(self, store: Path, waiting: LockWaits, log: WriteLog, troubles: FileTroubles) -> None:
        """In: the path of the store; how long its writes wait; its log; who is told what goes wrong."""
        self.cache_kibibytes = CACHE_KIBIBYTES
        # Why connections only read now.
        self.no_room: StoreUnwritable | None = None
        self._store, self._waiting, self._log, self._troubles = store, waiting, log, troubles
        self._long_questions = time_limit.LongQuestions()
        self._local = threading.local()
        self._cramped: list[SqliteSession] = []  # that only read; none without `no_room`
        self._cramped_lock = threading.Lock()
        self._next_try = 0.0
        self._opened = 0  # how often connections that only read made way for others

    def mine(self) -> ThreadConnection:
        """This thread's connection. After a fork the child gets one of its own. Raises StoreError."""
        mine: ThreadConnection | None = getattr(self._local, "mine", None)
        if self.no_room is not None and not (self._is_current(mine) and mine.connection.in_transaction):
            self._make_way()
        if not self._is_current(mine):
            # Kept, never closed: closing a parent's connection here could disturb its files.
            self._local.of_parent = mine
            mine = self._local.mine = ThreadConnection(self._connect(), self._opened, self._long_questions)
        return mine

    def for_bulk(self) -> None:
        """Make this thread's connection fit for work that goes through everything once.

        It keeps few pages. And it lets the write-ahead log grow further before it copies that into the file: in a
        large store each transaction touches other pages, and one that is touched again meanwhile is copied once.
        """
        mine = self.mine()
        mine.connection.run(f"PRAGMA cache_size = -{SMALL_CACHE_KIBIBYTES}")
        self._log.set_up(mine.connection, bulk=True)
        mine.bulk = True

    def close(self) -> None:
        """Close this thread's connection, if it has one."""
        mine: ThreadConnection | None = getattr(self._local, "mine", None)
        if mine is None:
            return
        self._local.mine = None
        if mine.pid == os.getpid():
            with self._cramped_lock:
                self._cramped = [each for each in self._cramped if each is not mine.connection]
                if not self._cramped:
                    self.no_room = None
            mine.connection.close()

    def _is_current(self, mine: ThreadConnection | None) -> TypeGuard[ThreadConnection]:
        return mine is not None and mine.pid == Here.pid and mine.opened == self._opened

    def _connect(self) -> SqliteSession:
        """A new connection; one that only reads when there is no room to write. Raises StoreError.

        Beside one that only reads, SQLite makes every other one of the process like it.
        """
        if (why := self.no_room) is not None:
            return self._connect_cramped(why)
        mask = os.umask(0o077)
        try:
            return self._prepared(
                connect(self._store, timeout=self._waiting.seconds, cached_statements=STATEMENTS)
            )
        except StoreUnwritable as error:
            return self._connect_cramped(error)
        except StoreFailed as error:
            self._troubles.notice(error)
            raise StoreError(f"[store] path: {self._store}. {error}") from error
        finally:
            os.umask(mask)

    def _prepared(self, connection: SqliteSession) -> SqliteSession:
        try:
            for pragma in (
                f"busy_timeout = {int(self._waiting.seconds * 1000)}",
                "journal_mode = WAL",
                "synchronous = NORMAL",
                "foreign_keys = ON",
                "secure_delete = ON",
                f"cache_size = -{self.cache_kibibytes}",
                "temp_store = MEMORY",
            ):
                connection.run(f"PRAGMA {pragma}")
            self._log.set_up(connection)
        except StoreFailed:
            connection.close()
            raise
        return connection

    def _connect_cramped(self, why: StoreUnwritable) -> SqliteSession:
        try:
            connection = self._prepared(full_disk.connect(self._store))
        except StoreFailed:
            raise StoreError(f"[store] path: {self._store}. {why}") from why
        with self._cramped_lock:
            self._cramped.append(connection)
            self.no_room = why.with_traceback(None)
        self._next_try = time.monotonic() + AGAIN_SECONDS
        self._troubles.notice(why)
        return connection

    def _make_way(self) -> None:
        """Let every thread get a connection that writes, when there is room and nobody reads at this moment.

        SQLite lets a process write only after all its connections that only read are closed. Nobody is given one
        meanwhile: who asks waits for the lock.
        """
        with self._cramped_lock:
            if time.monotonic() < self._next_try:
                return
            self._next_try = time.monotonic() + AGAIN_SECONDS
            if not self._cramped or not full_disk.can_write(self._store):
                return
            time.sleep(SETTLE_SECONDS)
            if any(each.in_transaction for each in self._cramped):
                return
            for each in self._cramped:
                each.close()
            self._cramped.clear()
            self.no_room = None
            self._opened += 1
            self._troubles.unwritable = None
