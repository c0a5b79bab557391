"""How large the write-ahead log of a store becomes: what it may be while work goes on, and how it is small after that.

SQLite writes changes to the log (the file `-wal`) and copies them into the store at a checkpoint; after one that copied
everything the next writer begins at the start of the log again, unless somebody still reads what was there before. The
file itself never becomes smaller by that. And where clients write all the time there is always something that came
since, so copying alone never gets there: the last bit is copied while writers wait, which is milliseconds.

The longer the log, the fewer pages are copied twice, so work that goes through everything lets it grow. What clients
write is little: the jobs process keeps the log short then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from gateway.base.logs import get_logger
from gateway.config.defaults import LOG_MB
from gateway.store.file.session import SqliteSession

log = get_logger("klantbrug.store")

MEGABYTE = 1_000_000
PAGE = 4096 + 24  # bytes in the log for a page of the store
# At these parts of the limit the log is copied: by work that goes through everything, and, where no jobs process did so
# before, by a client's write.
BULK_PART, LAST_PART = 0.6, 0.8
# Beside no such work: from so much on the next writer begins at its start again, and from so much on the file is cut
# off. Not sooner, because writing over what is there costs less than making the file longer.
AGAIN_PART, AGAIN_MB = 0.1, 32
CUT_PART, CUT_MB = 0.3, 96
# So often it is tried when writers or readers are in the way. Each time it waits for so many milliseconds, and so long
# writers wait at most for whoever reads; who looks whether it may write counts as one who reads for an instant.
TRIES, PATIENCE_MS, LOOK_SECONDS = 30, 20, 0.001
# So long such work waits before each transaction for who still reads what was there before, when the log is over its
# limit.
MAKE_ROOM_SECONDS = 60.0


class WriteLog:
    """The log of one store. Its functions take a connection of the calling thread that is in no transaction."""

    def __init__(self, store: Path, megabytes: int = LOG_MB) -> None:
        """In: the path of the store, and `[store] log_mb`."""
        self.path = store.with_name(f"{store.name}-wal")
        self.limit = megabytes * MEGABYTE

    def set_up(self, connection: SqliteSession, *, bulk: bool = False) -> None:
        """Let a connection copy the log when it has the length for that."""
        pages = int(self.limit * (BULK_PART if bulk else LAST_PART) / PAGE)
        connection.run(f"PRAGMA wal_autocheckpoint = {pages}")
        connection.run(f"PRAGMA journal_size_limit = {self.limit}")

    def size(self) -> int:
        """The bytes of the file; 0 when there is none."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def make_room(self, connection: SqliteSession, meanwhile: Callable[[], None]) -> None:
        """Before a transaction of work that goes through everything: empty a log that is over its limit, because
        somebody read all the time.

        Waits for that, but not for ever: after a minute one more transaction goes in. `meanwhile` may end the wait.
        """
        if self.size() <= self.limit:
            return
        until = time.monotonic() + MAKE_ROOM_SECONDS
        while not self.empty(connection):
            if time.monotonic() > until:
                log.warning(
                    "the write-ahead log is too large: somebody reads for long",
                    megabytes=self.size() // MEGABYTE,
                )
                return
            meanwhile()

    def tidy(self, connection: SqliteSession, *, bulk: bool) -> None:
        """Copy the log as far as nobody has to wait for that, and keep it short unless `bulk` work goes on."""
        _, frames, _ = _checkpoint(connection, "PASSIVE")
        if bulk:
            return
        if self.size() > min(CUT_MB * MEGABYTE, CUT_PART * self.limit):
            self._insist(connection, "TRUNCATE")
        elif frames * PAGE > min(AGAIN_MB * MEGABYTE, AGAIN_PART * self.limit):
            self._insist(connection, "RESTART")

    def empty(self, connection: SqliteSession) -> bool:
        """Copy the log and cut it off to nothing, without holding up a writer for longer than a moment.

        Out: was it done? Not while somebody writes, or reads what was there before.
        """
        return self._insist(connection, "TRUNCATE")

    def _insist(self, connection: SqliteSession, how: str) -> bool:
        """Copy all of the log: most of it while others write, the rest while they wait. Out: was it done?"""
        (before,) = connection.one("PRAGMA busy_timeout")
        connection.run(f"PRAGMA busy_timeout = {PATIENCE_MS}")
        try:
            _checkpoint(connection, "PASSIVE")
            for _ in range(TRIES):
                if not _checkpoint(connection, how)[0]:
                    return True
                time.sleep(LOOK_SECONDS)
            return False
        finally:
            connection.run(f"PRAGMA busy_timeout = {before}")


def _checkpoint(connection: SqliteSession, how: str) -> tuple[int, int, int]:
    """Out: was somebody in the way; how many pages the log had, and how many of them were copied."""
    busy, frames, copied = connection.one(f"PRAGMA wal_checkpoint({how})")
    return busy, frames, copied
