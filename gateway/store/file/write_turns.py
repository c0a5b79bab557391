"""Who writes first: what a client waits for goes before the batches of a job, over all processes of a store.

SQLite lets one writer in at a time, and who finds it taken sleeps up to a tenth of a second before it looks again. A
backfill begins its next batch within a millisecond, so a client would find it taken again and again. So a live writer
says that it is there, by a shared lock on a small file beside the store, that the kernel takes back when it dies; a
background writer looks at that before each transaction and lets it pass. The file is empty and stays so.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.base.process_identity import open_shared
from gateway.store.base.errors import StoreLocked
from gateway.store.file.session import SqliteSession

# How often who waits looks again.
LOOK_SECONDS = 0.001
# So long a background writer lets live ones pass; where they never end it must get on as well.
GIVES_WAY_SECONDS = 1.0
# For so long after a client wrote the next one is expected.
LATELY_SECONDS = 60.0


def path_of(store: Path) -> Path:
    """The file beside the store at that path."""
    return store.with_name(f"{store.name}.turn")


class Turns:
    """The turns of one store. Safe for threads and forks: each thread of each process has a lock of its own."""

    def __init__(self, store: Path) -> None:
        """In: the path of the store. Raises NotShared when the file beside it can't be used."""
        self._store, self.path = store, path_of(store)
        self._local = threading.local()
        self._seen = -LATELY_SECONDS
        self._file()

    @contextmanager
    def live(self) -> Iterator[None]:
        """A live writer is there for as long as the block lasts."""
        file = self._file()
        fcntl.flock(file, fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def anybody_live(self) -> bool:
        """Is there a live writer, in whatever process?"""
        file = self._file()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(file, fcntl.LOCK_UN)
        return False

    def give_way(self) -> None:
        """Wait until no live writer is there, or for as long as is fair."""
        until = time.monotonic() + GIVES_WAY_SECONDS
        while self.anybody_live():
            self._seen = time.monotonic()
            if self._seen >= until:
                return
            time.sleep(LOOK_SECONDS)

    def lately(self) -> bool:
        """Did a background writer of this process have to give way within the last minute?"""
        return time.monotonic() - self._seen < LATELY_SECONDS

    def close(self) -> None:
        """Close this thread's file; the next use opens it again."""
        held = getattr(self._local, "held", None)
        self._local.held = None
        if held is not None:
            held.close()

    def _file(self) -> int:
        held: _File | None = getattr(self._local, "held", None)
        if held is None or held.pid != os.getpid():
            held = self._local.held = _File(self.path, self._store)
        return held.number


class _File:
    """An open file that is closed with the thread that holds it."""

    def __init__(self, path: Path, store: Path) -> None:
        self.number = -1  # until it is open, which may fail
        self.pid = os.getpid()
        self.number = open_shared(path, store)

    def close(self) -> None:
        if self.number >= 0:
            os.close(self.number)
        self.number = -1

    __del__ = close


@contextmanager
def beginning(connection: SqliteSession, usual: float) -> Iterator[Callable[[], bool]]:
    """Gives what begins a write transaction at once, if nobody writes; it says whether it did.

    `usual` is how many seconds other statements of the connection wait for a lock.
    """

    def begins() -> bool:
        try:
            connection.run("BEGIN IMMEDIATE")
        except StoreLocked:
            return False
        return True

    connection.run("PRAGMA busy_timeout = 0")
    try:
        yield begins
    finally:
        connection.run(f"PRAGMA busy_timeout = {int(usual * 1000)}")
