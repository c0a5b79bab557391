"""The store: one SQLite file, a connection for each thread, short write transactions."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeGuard

from sqlite_utils import Database

from gateway.base.process_identity import NotShared
from gateway.config.defaults import BUSY_SECONDS, LOG_MB
from gateway.store.file import full_disk, holders, time_limit, write_turns
from gateway.store.file.errors import StoreError, in_words, is_damage, is_unwritable, unwritable_in_words
from gateway.store.file.lock_waits import LockWaits
from gateway.store.file.write_ahead_log import WriteLog
from gateway.store.indexes import profiles, text_search
from gateway.store.schema import upgrade

CACHE_KIBIBYTES = 64 * 1024
# Of each thread of a server, which has more of them: the system keeps in memory what many ask.
SERVING_CACHE_KIBIBYTES = 16 * 1024
SMALL_CACHE_KIBIBYTES = 24 * 1024
STATEMENTS = 512  # that stay prepared
# What every store has had from the beginning.
OURS = {"meta", "document"}
# How often a store without room is tried again, and how long after a write that failed this is reported.
AGAIN_SECONDS = 2.0
# So long has who was just given a connection that only reads to be done with it, or to begin a transaction.
SETTLE_SECONDS = 0.1
TOLD_SECONDS = 60.0
NETWORK_FILE_SYSTEMS = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "fuse.sshfs",
    "afs",
    "ceph",
    "glusterfs",
}


class _Held:
    """The connection of a thread, and how it is set up."""

    __slots__ = ("bulk", "connection", "limit", "opened", "pid", "reading", "synced")

    def __init__(self, connection: sqlite3.Connection, opened: int, long: time_limit.LongQuestions) -> None:
        self.pid, self.connection, self.opened = os.getpid(), connection, opened
        self.limit = time_limit.Limit(connection, long)
        self.reading = self.synced = self.bulk = False
        text_search.prepare(connection)

    def sync(self, synced: bool) -> None:
        """Let the next transactions wait for the disk, or not."""
        if self.synced is not synced:
            self.connection.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            self.synced = synced


class Reading:
    """The block of `Store.read()`; inside another transaction of its thread it is part of that one.

    A class, because a generator would cost every question to the API a microsecond more.
    """

    __slots__ = ("_held", "_inner", "_seconds")

    def __init__(self, held: _Held, seconds: float) -> None:
        self._held, self._seconds = held, seconds
        self._inner = held.connection.in_transaction

    def __enter__(self) -> sqlite3.Connection:
        held = self._held
        if not self._inner:
            held.connection.execute("BEGIN")
            held.reading = True
            held.limit.begin(self._seconds)
        return held.connection

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self._inner:
            return
        held = self._held
        held.limit.end()
        held.reading = False
        held.connection.execute("COMMIT")
        if isinstance(error, sqlite3.OperationalError) and time_limit.was_ended(error):
            raise time_limit.TooLong from None


class Store:
    """One store file. Threads and processes may share it; each thread gets its own connection.

    `read()` gives a connection for questions; `write()` a transaction that began IMMEDIATE, committed at the
    end of the block and rolled back when it raises. `waiting` says how long a write waits for another.
    """

    def __init__(self, path: str | Path, *, busy_seconds: float = BUSY_SECONDS, log_mb: int = LOG_MB) -> None:
        """Open (and create) the store at `path`, by `[store] busy_seconds` and `log_mb`.

        Raises StoreError when that can't be done, sqlite3.Error when it can't be written now.
        """
        self.path = Path(path)
        self.waiting = LockWaits(busy_seconds)
        self._log = WriteLog(self.path, log_mb)
        self.cache_kibibytes = CACHE_KIBIBYTES
        self.question_seconds = math.inf  # that everything asked in one read() may take
        self._long_questions = time_limit.LongQuestions()
        self._local = threading.local()
        self._cramped: list[sqlite3.Connection] = []
        self._cramped_lock = threading.Lock()
        self._no_room: sqlite3.Error | None = None
        self._next_try = 0.0
        self._opened = 0  # how often connections that only read made way for others
        self._unwritable: tuple[float, str] | None = None
        # Set when the file proved to be damaged, in words.
        self.damaged = ""
        self._prepare_folder()
        self._hold = holders.Hold(self.path)
        self._opener = (os.getpid(), threading.get_ident())
        try:
            holders.judge(self._hold)
            self._prepare_file()
            self._turns = write_turns.Turns(self.path)
            self._make_ready()
        except NotShared as error:
            raise StoreError(f"[store] path: {error}") from None
        except BaseException:
            self._hold.close()
            raise

    def _make_ready(self) -> None:
        """Bring the schema up to date, and mark the file when nobody else has it open."""
        self._refuse_another()
        if upgrade.is_due(self.connection()):
            with self.write() as connection:
                upgrade.upgrade(connection)
        if self._hold.alone:
            if not self._cramped:
                self._close_connection()
                holders.stamp(self._hold)
            self._hold.share()

    def _refuse_another(self) -> None:
        """Raise StoreError for a database of another program, or of a later version of ours: we would spoil it."""
        try:
            tables = {row[0] for row in self.connection().execute("SELECT name FROM sqlite_master")}
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            raise StoreError(f"[store] path: {self.path}. {in_words(error)}") from error
        if tables and not tables >= OURS:
            raise StoreError(
                f"[store] path: {self.path} is een database van een ander programma; noem een ander bestand."
            )
        if later := upgrade.later_version(self.connection()):
            raise StoreError(f"[store] path: {self.path} {later}")

    def _prepare_folder(self) -> None:
        folder = self.path.parent
        if not folder.is_dir():
            raise StoreError(
                f"[store] path: de map {folder} bestaat niet; maak haar aan of kies een ander pad."
            )
        kind = file_system_of(folder)
        if kind in NETWORK_FILE_SYSTEMS:
            raise StoreError(
                f"[store] path: {folder} ligt op een netwerkschijf ({kind}), waar SQLite niet veilig is; "
                "kies een lokale schijf."
            )

    def _prepare_file(self) -> None:
        if not self.path.exists():
            mask = os.umask(0o077)
            try:
                self.path.touch(mode=0o600)
            except OSError as error:
                raise StoreError(
                    f"[store] path: {self.path} kan niet worden gemaakt ({error.strerror})."
                ) from None
            finally:
                os.umask(mask)

    def _connect(self) -> sqlite3.Connection:
        """A new connection; one that only reads when there is no room to write. Raises StoreError.

        Beside one that only reads, SQLite makes every other one of the process like it.
        """
        if self._no_room is not None and self._cramped:
            return self._connect_cramped(self._no_room)
        mask = os.umask(0o077)
        try:
            return self._prepared(
                sqlite3.connect(
                    self.path,
                    timeout=self.waiting.seconds,
                    isolation_level=None,
                    cached_statements=STATEMENTS,
                )
            )
        except sqlite3.Error as error:
            if not is_unwritable(error):
                self.notice(error)
                raise StoreError(f"[store] path: {self.path}. {in_words(error)}") from error
            return self._connect_cramped(error)
        finally:
            os.umask(mask)

    def _prepared(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        try:
            for pragma in (
                f"busy_timeout = {int(self.waiting.seconds * 1000)}",
                "journal_mode = WAL",
                "synchronous = NORMAL",
                "foreign_keys = ON",
                "secure_delete = ON",
                f"cache_size = -{self.cache_kibibytes}",
                "temp_store = MEMORY",
            ):
                connection.execute(f"PRAGMA {pragma}")
            self._log.set_up(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _connect_cramped(self, why: sqlite3.Error) -> sqlite3.Connection:
        try:
            connection = self._prepared(full_disk.connect(self.path, STATEMENTS))
        except sqlite3.Error:
            raise StoreError(f"[store] path: {self.path}. {in_words(why)}") from why
        with self._cramped_lock:
            self._cramped.append(connection)
        self._no_room = why.with_traceback(None)
        self._next_try = time.monotonic() + AGAIN_SECONDS
        self.notice(why)
        return connection

    def connection(self) -> sqlite3.Connection:
        """This thread's connection. After a fork the child gets one of its own."""
        return self._held().connection

    def _held(self) -> _Held:
        held: _Held | None = getattr(self._local, "held", None)
        if self._cramped and not (self._is_current(held) and held.connection.in_transaction):
            self._make_way()
        if not self._is_current(held):
            # Kept, never closed: closing a parent's connection here could disturb its files.
            self._local.of_parent = held
            held = self._local.held = _Held(self._connect(), self._opened, self._long_questions)
        return held

    def _is_current(self, held: _Held | None) -> TypeGuard[_Held]:
        return held is not None and held.pid == os.getpid() and held.opened == self._opened

    def _make_way(self) -> None:
        """Let every thread get a connection that writes, when there is room and nobody reads at this moment.

        SQLite lets a process write only after all its connections that only read are closed. Nobody is given one
        meanwhile: who asks waits for the lock.
        """
        with self._cramped_lock:
            if time.monotonic() < self._next_try:
                return
            self._next_try = time.monotonic() + AGAIN_SECONDS
            if not self._cramped or not full_disk.can_write(self.path):
                return
            time.sleep(SETTLE_SECONDS)
            if any(each.in_transaction for each in self._cramped):
                return
            for each in self._cramped:
                each.close()
            self._cramped.clear()
            self._opened += 1
            self._unwritable = None

    @property
    def only_reads(self) -> bool:
        """Was there no room to open it for writing?"""
        return bool(self._cramped)

    def notice(self, error: BaseException) -> None:
        """Remember of an error what an operator must know: nothing can be written, or the file is damaged."""
        if not isinstance(error, sqlite3.Error):
            return
        if is_damage(error):
            self.damaged = in_words(error)
        elif is_unwritable(error):
            self._unwritable = (time.monotonic(), unwritable_in_words(error))

    def trouble(self) -> list[str]:
        """What an operator must know: damage, nothing can be written, little room. Sentences without values."""
        problems = [self.damaged] if self.damaged else []
        failed = self._unwritable
        if failed and (self._cramped or time.monotonic() - failed[0] < TOLD_SECONDS):
            problems.append(failed[1])
        if room := full_disk.low_space(self.path):
            problems.append(room)
        return problems

    def for_bulk(self) -> None:
        """Make this thread's connection fit for work that goes through everything once.

        It keeps few pages. And it lets the write-ahead log grow further before it copies that into the file: in a
        large store each transaction touches other pages, and one that is touched again meanwhile is copied once.
        """
        held = self._held()
        held.connection.execute(f"PRAGMA cache_size = -{SMALL_CACHE_KIBIBYTES}")
        self._log.set_up(held.connection, bulk=True)
        held.bulk = True

    def operator(self) -> Database:
        """This thread's connection as a sqlite-utils Database, for schema and operator queries."""
        return Database(self.connection(), execute_plugins=False)

    def read(self) -> Reading:
        """A block with one consistent view for several questions. Raises TooLong after `question_seconds`."""
        return Reading(self._held(), self.question_seconds)

    @contextlib.contextmanager
    def write(self, *, synced: bool | None = None, wait: float | None = None) -> Iterator[sqlite3.Connection]:
        """A write transaction; inside another one of this thread it is part of that one.

        In: must it be on the disk when the block ends, so that a power cut can't undo it? By default yes, but for a
        job's: what that did is done again. `wait`: how many seconds it waits for another writer at most, when that is
        less than is usual. Raises StoreBusy when that took longer.
        """
        held = self._held()
        connection = held.connection
        if held.reading:
            raise RuntimeError("a write inside read(): SQLite would refuse it when another process writes")
        if connection.in_transaction:
            yield connection
            return
        background = getattr(self._local, "background", False)
        meanwhile: Callable[[], None] = getattr(self._local, "meanwhile", _nothing)
        if background and held.bulk:
            self._log.make_room(connection, meanwhile)
        if background:
            self._turns.give_way()
        with contextlib.nullcontext() if background else self._turns.live():
            self._begin(held, synced=not background if synced is None else synced, wait=wait)
            try:
                for guard in getattr(self._local, "guards", ()):
                    guard(connection)
                yield connection
                profiles.settle(connection)
                text_search.settle(connection)
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self.notice(error)
                raise
            self._unwritable = None

    def _begin(self, held: _Held, *, synced: bool, wait: float | None) -> None:
        if self._no_room is not None and self._cramped:
            raise self._no_room.with_traceback(None)
        try:
            held.sync(synced)
            with write_turns.beginning(held.connection, self.waiting.seconds) as begins:
                if getattr(self._local, "background", False) and wait is None:
                    self.waiting.patient(begins, getattr(self._local, "meanwhile", _nothing))
                else:
                    self.waiting.live(begins, wait)
        except sqlite3.Error as error:
            self.notice(error)
            raise

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
    def guarded(self, guard: Callable[[sqlite3.Connection], None]) -> Iterator[None]:
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
        self._log.tidy(self.connection(), bulk=bulk)

    def empty_log(self) -> bool:
        """Copy the write-ahead log into the file and empty it, so that it holds nothing that was erased since.

        Out: was it done? Not when somebody reads or writes all the time.
        """
        return self._log.empty(self.connection())

    def copy_to(self, path: Path) -> None:
        """Write a copy of the store, as it is at this moment, to a file that is not there yet."""
        self.connection().execute("VACUUM INTO ?", (str(path),))

    def close(self) -> None:
        """Close this thread's connection; when it is the one that opened the store, the store is open no longer."""
        self._close_connection()
        self._turns.close()
        if self._opener == (os.getpid(), threading.get_ident()):
            self._hold.close()

    def _close_connection(self) -> None:
        held: _Held | None = getattr(self._local, "held", None)
        if held is not None:
            self._local.held = None
            if held.pid == os.getpid():
                with self._cramped_lock:
                    self._cramped = [each for each in self._cramped if each is not held.connection]
                held.connection.close()


def _nothing() -> None:
    """Nothing to do while waiting."""


def file_system_of(folder: Path) -> str:
    """The type of the file system that holds `folder`, "" where the machine doesn't say."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    resolved = str(folder.resolve())
    for line in mounts:
        parts = line.split()
        if len(parts) < 3:
            continue
        point = parts[1].replace("\\040", " ")
        inside = resolved == point or resolved.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, parts[2]
    return kind
