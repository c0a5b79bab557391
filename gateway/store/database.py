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

from sqlite_utils import Database

from gateway.processes import NotShared
from gateway.store import (
    limits,
    profiles,
    schema,
    schema_addresses,
    schema_filters,
    schema_jobs,
    schema_links,
    schema_local,
    schema_numbers,
    schema_texts,
    schema_tokens,
    texts,
    turns,
)
from gateway.store.migrating import migrations

BUSY_SECONDS = 30.0
CACHE_KIBIBYTES = 64 * 1024
SMALL_CACHE_KIBIBYTES = 24 * 1024
STATEMENTS = 512  # that stay prepared
# Pages in the write-ahead log after which a writer copies them into the file. The jobs process does so every few
# seconds, and work that goes through everything does before it is the turn of a writer that somebody waits for. The
# longer that log, the fewer pages are copied twice: at a million rollen 600 MB of it costs a tenth less than 200 MB.
CHECKPOINT_PAGES = 200_000
BULK_CHECKPOINT_PAGES = 150_000
# They declare the migrations.
TABLES = (
    schema,
    schema_jobs,
    schema_addresses,
    schema_local,
    schema_links,
    schema_numbers,
    schema_tokens,
    schema_filters,
    schema_texts,
)
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


class StoreError(Exception):
    """The store can't be used; the text says why and what to do."""


class Store:
    """One store file. Threads and processes may share it; each thread gets its own connection.

    `read()` gives a connection for questions; `write()` a transaction that began IMMEDIATE, committed at the
    end of the block and rolled back when it raises.
    """

    def __init__(self, path: str | Path) -> None:
        """Open (and create) the store at `path`; raises StoreError when that can't be done."""
        self.path = Path(path)
        self.question_seconds = math.inf  # that everything asked in one read() may take
        self._limit = limits.Limit()
        self._local = threading.local()
        self._prepare_file()
        try:
            self._turns = turns.Turns(self.path)
        except NotShared as error:
            raise StoreError(f"[store] path: {error}") from None
        with self.write():
            migrations.apply(self.operator())

    def _prepare_file(self) -> None:
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
        mask = os.umask(0o077)
        try:
            connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=STATEMENTS
            )
            try:
                for pragma in (
                    f"busy_timeout = {int(BUSY_SECONDS * 1000)}",
                    "journal_mode = WAL",
                    "synchronous = NORMAL",
                    "foreign_keys = ON",
                    "secure_delete = ON",
                    f"cache_size = -{CACHE_KIBIBYTES}",
                    f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
                    "temp_store = MEMORY",
                ):
                    connection.execute(f"PRAGMA {pragma}")
            except sqlite3.Error as error:
                connection.close()
                raise StoreError(
                    f"[store] path: {self.path} is geen bruikbare opslag ({type(error).__name__})."
                ) from error
        finally:
            os.umask(mask)
        return connection

    def connection(self) -> sqlite3.Connection:
        """This thread's connection. After a fork the child gets one of its own."""
        held = getattr(self._local, "held", None)
        if held is None or held[0] != os.getpid():
            # Kept, never closed: closing a parent's connection here could disturb its files.
            self._local.of_parent = held
            held = (os.getpid(), self._connect())
            self._limit.watch(held[1])
            texts.prepare(held[1])
            self._local.held = held
        return held[1]

    def for_bulk(self) -> None:
        """Make this thread's connection fit for work that goes through everything once.

        It keeps few pages. And it lets the write-ahead log grow further before it copies that into the file: in a
        large store each transaction touches other pages, and one that is touched again meanwhile is copied once.
        """
        for pragma in (
            f"cache_size = -{SMALL_CACHE_KIBIBYTES}",
            f"wal_autocheckpoint = {BULK_CHECKPOINT_PAGES}",
        ):
            self.connection().execute(f"PRAGMA {pragma}")

    def operator(self) -> Database:
        """This thread's connection as a sqlite-utils Database, for schema and operator queries."""
        return Database(self.connection(), execute_plugins=False)

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view for several questions. Raises TooLong after `question_seconds`."""
        connection = self.connection()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        self._local.reading = True
        self._limit.begin(self.question_seconds)
        try:
            yield connection
        except sqlite3.OperationalError as error:
            if limits.was_ended(error):
                raise limits.TooLong from None
            raise
        finally:
            self._limit.end()
            self._local.reading = False
            connection.execute("COMMIT")

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A write transaction; inside another one of this thread it is part of that one."""
        connection = self.connection()
        if getattr(self._local, "reading", False):
            raise RuntimeError("a write inside read(): SQLite would refuse it when another process writes")
        if connection.in_transaction:
            yield connection
            return
        background = getattr(self._local, "background", False)
        if background:
            self._turns.give_way()
        with contextlib.nullcontext() if background else self._turns.live():
            turns.begin(connection, BUSY_SECONDS)
            try:
                for guard in getattr(self._local, "guards", ()):
                    guard(connection)
                yield connection
                profiles.settle(connection)
                texts.settle(connection)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextlib.contextmanager
    def giving_way(self) -> Iterator[None]:
        """Let writes of this thread in the block be those of a job: they wait for those of clients."""
        before = getattr(self._local, "background", False)
        self._local.background = True
        try:
            yield
        finally:
            self._local.background = before

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

    def checkpoint(self) -> None:
        """Copy the write-ahead log into the file, as far as nobody has to wait for that."""
        self.connection().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def empty_log(self) -> bool:
        """Copy the write-ahead log into the file and empty it, so that it holds nothing that was erased since.

        Out: was it done? Not when somebody reads or writes all the time.
        """
        busy, _, _ = self.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def copy_to(self, path: Path) -> None:
        """Write a copy of the store, as it is at this moment, to a file that is not there yet."""
        self.connection().execute("VACUUM INTO ?", (str(path),))

    def close(self) -> None:
        """Close this thread's connection."""
        held = getattr(self._local, "held", None)
        if held is not None:
            self._local.held = None
            if held[0] == os.getpid():
                held[1].close()
        self._turns.close()


def now() -> int:
    """The time as the store writes it: microseconds since 1970, UTC."""
    return time.time_ns() // 1000


def file_system_of(folder: Path) -> str:
    """The type of the file system that holds `folder`, "" where the machine doesn't tell."""
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
