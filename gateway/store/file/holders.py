"""Who has a store open, and whether the write-ahead log beside it is of that file.

SQLite applies a log to whatever file stands beside it. A back-up that is copied over a store whose processes were
killed gets pages of another file, and nothing tells of it. So each time that a store is opened by the first of its
processes, it gets a new mark in its header, that is written down in a small file beside it. When a log is found and
the file has another mark than was written down, the log is of another file.

The same small file shows who has the store open: each process holds a shared lock on it, that the kernel takes back
when it dies. Who finds it free is the first. A restore asks for it alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import quote

import orjson

from gateway.base.logs import get_logger
from gateway.base.process_identity import NotShared, open_shared
from gateway.store.base.errors import StoreError, StoreFailed
from gateway.store.file.session import connect

log = get_logger(__name__)

# The record has one length for ever, so that a full disk has room for the next.
RECORD_BYTES = 512
HEADER_BYTES = 100
LOG_HEADER_BYTES = 32
# So long the first process may take to make a store ready while others wait for it.
READY_SECONDS = 60.0
LOOK_SECONDS = 0.05
STAMP_BUSY_SECONDS = 2.0
# SQLite's lock byte of whoever has a file in WAL mode open.
SHARED_FIRST, SHARED_SIZE = 0x40000002, 510


class InUse(StoreError):
    """The store is open elsewhere, so what was asked can't be done; the text says by whom, as far as that is known."""


class Mark(NamedTuple):
    """What distinguishes a file from its copy: a number of ours in its header, and two of SQLite's that only grow.

    A copy made by SQLite itself begins with low ones.
    """

    stamp: int
    schema: int
    changes: int

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """The mark in a file, without its log; None when it is no SQLite file. Raises OSError, StoreFailed."""
        header = _first_bytes(path)
        if len(header) < HEADER_BYTES or not header.startswith(b"SQLite format 3\0"):
            return None
        changes, schema, stamp = (struct.unpack(">I", header[at : at + 4])[0] for at in (24, 40, 60))
        return cls(stamp, schema, changes)

    def is_of(self, written: Mark) -> bool:
        """May a file with this mark be the one that this was written down of?"""
        return (
            self.stamp == written.stamp and self.schema >= written.schema and self.changes >= written.changes
        )


def _first_bytes(path: Path) -> bytes:
    """The header of a file that SQLite may have open in this process.

    Opening it ourselves would do harm: when a process closes a file, the kernel takes back all locks that it holds on
    it, also those that SQLite counts on. So SQLite opens it, and knows when to close; it looks at no log (`immutable`).
    """
    connection = connect(f"file:{quote(str(path))}?mode=ro&immutable=1")
    try:
        wanted = path.stat()
        for name in _open_files():
            with contextlib.suppress(OSError):
                found = os.fstat(name)
                if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                    return os.pread(name, HEADER_BYTES, 0)
    finally:
        connection.close()
    # A system that does not list which files are open.
    with path.open("rb") as file:
        return file.read(HEADER_BYTES)


def _open_files() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208 (names are numbers)
    except OSError:
        return []


class StoreRecord(NamedTuple):
    """What the small file says: the marks that the store may have, and the folder of a restore that is under way."""

    marks: tuple[Mark, ...] = ()
    restoring: str = ""


def path_of(store: Path) -> Path:
    """The small file beside the store at that path."""
    return store.with_name(f"{store.name}.open")


def log_of(store: Path) -> Path:
    """The write-ahead log of the store at that path."""
    return store.with_name(f"{store.name}-wal")


class Hold:
    """Having a store open, for as long as this object is. `alone` says whether nobody else had."""

    def __init__(self, store: Path) -> None:
        """Begin to have it open, and wait while another makes it ready. Raises StoreError."""
        self.store = store
        try:
            self._file = open_shared(path_of(store), store)
        except NotShared as error:
            raise StoreError(f"[store] path: {error}") from None
        self.alone = self._lock(fcntl.LOCK_EX)
        until = time.monotonic() + READY_SECONDS
        while not self.alone and not self._lock(fcntl.LOCK_SH):
            if time.monotonic() > until:
                self.close()
                raise InUse(
                    f"[store] path: een ander proces houdt {store} al {READY_SECONDS:.0f} seconden voor zich (een "
                    "restore, of een nieuwe versie die de opslag bijwerkt); probeer het daarna opnieuw."
                )
            time.sleep(LOOK_SECONDS)

    def share(self) -> None:
        """Let others have it open too."""
        self.alone = False
        self._lock(fcntl.LOCK_SH)

    def close(self) -> None:
        """Have it open no longer."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def __del__(self) -> None:
        # Not when the making of it failed.
        if hasattr(self, "_file"):
            self.close()

    def record(self) -> StoreRecord:
        """What is written down; nothing when that can't be read."""
        text = os.pread(self._file, RECORD_BYTES, 0)
        try:
            noted = orjson.loads(text.strip() or b"{}")
            return StoreRecord(
                tuple(Mark(*mark) for mark in noted.get("marks", ())), noted.get("restoring", "")
            )
        except (ValueError, TypeError, AttributeError):
            log.warning("what was written down of the store can't be read", file=path_of(self.store).name)
            return StoreRecord()

    def write(self, record: StoreRecord) -> None:
        """Write this down, so that it lasts. Raises OSError."""
        text = orjson.dumps({"marks": [list(mark) for mark in record.marks], "restoring": record.restoring})
        if len(text) > RECORD_BYTES:
            raise ValueError("the name of the folder of a restore is too long")
        os.pwrite(self._file, text.ljust(RECORD_BYTES), 0)
        os.fsync(self._file)

    def _lock(self, how: int) -> bool:
        try:
            fcntl.flock(self._file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def judge(hold: Hold) -> None:
    """Raise StoreError when the store was half restored, or when its log is of another file.

    Call it before SQLite opens the file: it would put that log into it. Says nothing when others have it open.
    """
    if not hold.alone:
        return
    record, store = hold.record(), hold.store
    if record.restoring:
        raise StoreError(
            f"[store] path: het terugzetten van een back-up in {store} is niet afgemaakt; doe klantbrug store restore "
            f"opnieuw. Wat er eerst stond, ligt in {record.restoring}."
        )
    log_file = log_of(store)
    if not record.marks or not log_file.exists() or log_file.stat().st_size <= LOG_HEADER_BYTES:
        return
    found = Mark.of(store) if store.exists() else None
    if found is None or not any(found.is_of(mark) for mark in record.marks):
        raise StoreError(
            f"[store] path: het logboek {log_file.name} naast {store} hoort bij een ander bestand: na de laatste keer "
            "is er een ander bestand over de opslag heen gezet. Samen geopend raken ze beschadigd, dus Klantbrug opent "
            f"ze niet. Is {store.name} een back-up die u terugzet: verplaats haar naar een andere map en doe daar "
            "klantbrug store restore BESTAND mee; dat zet het oude logboek opzij."
        )


def examine(store: Path) -> None:
    """Raise StoreError when the store may not be opened as it is; makes nothing where nothing is."""
    if not path_of(store).exists():
        return
    hold = Hold(store)
    try:
        judge(hold)
    finally:
        hold.close()


def stamp(hold: Hold) -> None:
    """Give the store a new mark and write that down. Only for who is alone.

    Without room for that (a full disk) all stays as it was.
    """
    if not hold.alone:
        return
    try:
        before = Mark.of(hold.store)
        if before is None:
            return
        new = before._replace(stamp=secrets.randbelow(2**31 - 1) + 1)
        hold.write(StoreRecord((before, new)))
        if _mark(hold.store, new.stamp) and (after := Mark.of(hold.store)) is not None:
            hold.write(StoreRecord((after,)))
    except (OSError, StoreFailed) as error:
        cause = error.name if isinstance(error, StoreFailed) else str(error.errno)
        log.warning("the store was not marked", cause=cause)


def _mark(store: Path, number: int) -> bool:
    """Put the number in the header. Out: does it stand in the file itself, not in the log alone?"""
    connection = connect(store, timeout=STAMP_BUSY_SECONDS)
    try:
        connection.run(f"PRAGMA user_version = {number}")
        busy, _, _ = connection.one("PRAGMA wal_checkpoint(TRUNCATE)")
        return not busy
    finally:
        connection.close()


@contextmanager
def in_use(store: Path) -> Iterator[None]:
    """Have a store open for the block, without a connection: nobody may restore it meanwhile. Raises StoreError."""
    hold = Hold(store)
    hold.share()
    try:
        yield
    finally:
        hold.close()


@contextmanager
def alone(store: Path) -> Iterator[Hold]:
    """Be the only one that has the store open, for the block; also of programs that are not ours. Raises InUse."""
    with _sqlite_lock(store):
        hold = _at_once(store)
        try:
            yield hold
        finally:
            hold.close()


def _at_once(store: Path) -> Hold:
    try:
        hold = Hold(store)
    except InUse:
        raise InUse(_in_use(store, "")) from None
    if not hold.alone:
        hold.close()
        raise InUse(_in_use(store, ""))
    return hold


@contextmanager
def _sqlite_lock(store: Path) -> Iterator[None]:
    """Hold the lock that SQLite asks before it opens the file, when there is one."""
    if not store.exists():
        yield
        return
    file = os.open(store, os.O_RDWR | os.O_CLOEXEC)
    try:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
        except OSError:
            raise InUse(_in_use(store, _locker(file))) from None
        yield
    finally:
        os.close(file)


def _locker(file: int) -> str:
    """The process that has the file open, in words; blank when the machine does not say."""
    asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, SHARED_FIRST, SHARED_SIZE, 0)
    try:
        kind, _, _, _, pid = struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, asked))
    except (OSError, struct.error):
        return ""
    return f" (proces {pid})" if kind != fcntl.F_UNLCK and pid > 0 else ""


def refuse_upgrade(store: Path) -> None:
    """Raise InUse: an older version that has the store open would not keep what a newer one adds to it."""
    raise InUse(f"[store] path: een nieuwere versie van Klantbrug moet haar bijwerken. {_in_use(store, '')}")


def _in_use(store: Path, who: str) -> str:
    return (
        f"De opslag {store} is in gebruik{who}. Stop eerst alles wat haar open heeft: klantbrug serve, klantbrug jobs, "
        "lopende commando's en andere programma's zoals sqlite3. Er is niets veranderd."
    )
