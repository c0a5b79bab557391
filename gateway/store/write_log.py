"""How large the write-ahead log of a store becomes: what it may be while work goes on, and how it is small after that.

SQLite writes changes to the log (the file `-wal`) and copies them into the store at a checkpoint; after one that copied
everything the next writer begins at the start of the log again, unless somebody still reads what was there before. The
file itself never becomes smaller by that. The longer the log, the fewer pages are copied twice, so work that goes
through everything lets it grow; what clients write is little, and the jobs process copies that every few seconds.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from gateway.logs import get_logger

log = get_logger("klantbrug.store")

LOG_MB = 1000
LEAST_LOG_MB = 50  # less would be copied again and again
MEGABYTE = 1_000_000
PAGE = 4096 + 24  # bytes in the log for a page of the store
# At these parts of the limit the log is copied: by work that goes through everything, and, where no jobs process did so
# before, by a client's write.
BULK_PART, LAST_PART = 0.6, 0.8
# A log that is no longer stays as it is: writing over what is there costs less than making the file longer.
SMALL_MB = 16
# So long a job waits before each transaction for who still reads what was there before, when the log is over its limit.
MAKE_ROOM_SECONDS = 60.0
LOOK_SECONDS = 0.01


class WriteLog:
    """The log of one store. Its functions take a connection of the calling thread that is in no transaction."""

    def __init__(self, store: Path, megabytes: int = LOG_MB) -> None:
        """In: the path of the store, and `[store] log_mb`."""
        self.path = store.with_name(f"{store.name}-wal")
        self.limit = megabytes * MEGABYTE
        self._calm = False  # was little written since the look before the last one?

    def set_up(self, connection: sqlite3.Connection, *, bulk: bool = False) -> None:
        """Let a connection copy the log when it has the length for that."""
        pages = int(self.limit * (BULK_PART if bulk else LAST_PART) / PAGE)
        connection.execute(f"PRAGMA wal_autocheckpoint = {pages}")
        connection.execute(f"PRAGMA journal_size_limit = {self.limit}")

    def size(self) -> int:
        """The bytes of the file; 0 when there is none."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def make_room(self, connection: sqlite3.Connection, meanwhile: Callable[[], None]) -> None:
        """Before a transaction of a job: empty a log that is over its limit because somebody read all the time.

        Waits for that, but not for ever: after a minute one more transaction goes in. `meanwhile` may end the wait.
        """
        if self.size() <= self.limit:
            return
        until = time.monotonic() + MAKE_ROOM_SECONDS
        while not self.empty(connection):
            if time.monotonic() > until:
                log.warning(
                    "het logboek van de opslag is over zijn grens: er leest lang iemand",
                    megabytes=self.size() // MEGABYTE,
                )
                return
            meanwhile()
            time.sleep(LOOK_SECONDS)

    def tidy(self, connection: sqlite3.Connection) -> None:
        """Copy the log as far as nobody has to wait for that; make it small again after large work is over."""
        _, frames, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        calm, self._calm = self._calm, frames == copied and frames * PAGE <= SMALL_MB * MEGABYTE
        if calm and self._calm and self.size() > SMALL_MB * MEGABYTE:
            self.empty(connection)

    def empty(self, connection: sqlite3.Connection) -> bool:
        """Copy the log and cut it off to nothing, without holding up a writer for longer than a moment.

        Out: was it done? Not while somebody writes, or reads what was there before.
        """
        # Most of it is copied while others write; emptying has them wait, for what came since.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        (before,) = connection.execute("PRAGMA busy_timeout").fetchone()
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.execute(f"PRAGMA busy_timeout = {before}")
        return not busy
