"""A store, whatever database it is on: short transactions for each thread, of which the rest of the house knows no more
than this."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from gateway.store.base.errors import Troubles
from gateway.store.base.lock_waits import LockWaits
from gateway.store.base.session import Session


class Store(Protocol):
    """Threads and processes may share a store.

    `read()` gives a session for questions, `write()` one whose changes come all or not at all. Both may raise
    StoreError, StoreFailed and TooLong. Inside a block another one of its thread is part of it.
    """

    # Beside it stand the small files that the processes of one machine share; on SQLite it is the store itself.
    path: Path
    waiting: LockWaits
    question_seconds: float  # that everything asked in one read() may take

    @property
    def troubles(self) -> Troubles:
        """What goes wrong is told to these."""

    @property
    def only_reads(self) -> bool:
        """Can it be read and not written, for as long as it is open?"""

    def trouble(self) -> list[str]:
        """What an operator must know. Sentences without values."""

    def connection(self) -> Session:
        """A session of this thread, for one question at a time outside a transaction."""

    def read(self) -> AbstractContextManager[Session]:
        """A block with one consistent view for several questions. Raises TooLong after `question_seconds`."""

    def write(
        self, *, synced: bool | None = None, wait: float | None = None
    ) -> AbstractContextManager[Session]:
        """A write transaction.

        In: must it outlive a power cut when the block ends? By default yes, but for a job's: what that did is done
        again. `wait`: how many seconds it waits for another writer at most, when that is less than is usual. Raises
        StoreBusy when that took longer.
        """

    def apart(self) -> AbstractContextManager[Session]:
        """A write transaction that waits for no other writer, for rows that no other one touches."""

    def clients_write(self) -> bool:
        """Were clients seen writing within the last minute, by the jobs of this process?"""

    def giving_way(self, meanwhile: Callable[[], None] | None = None) -> AbstractContextManager[None]:
        """Let writes of this thread in the block be those of a job: they wait for those of clients, and for whoever
        holds the store for as long as it takes.

        `meanwhile` is called while they wait, and may raise what ends that; None: as in the block around this one.
        """

    def guarded(self, guard: Callable[[Session], None]) -> AbstractContextManager[None]:
        """Let `guard` look at every write transaction that this thread begins in the block, before it writes; what it
        raises undoes the transaction."""

    def serves(self) -> None:
        """This process answers clients: many threads, each with little memory."""

    def shows_life(self) -> None:
        """See that the other machines notice it within half a minute when this process is no more: for who takes a
        lease. On one machine its number tells that."""

    def for_bulk(self) -> None:
        """Make this thread's sessions fit for work that goes through everything once."""

    def tidy_log(self, *, bulk: bool) -> None:
        """Keep what the database writes beside the store short, unless `bulk` work goes on."""

    def empty_log(self) -> bool:
        """See to it that what was erased is nowhere in what the database writes beside the store. Out: was it done?

        Of a database only its tables are freed of it: what it writes beside them is not ours.
        """

    def copy_to(self, path: Path) -> None:
        """Write a copy of the store, as it is at this moment, to a file that is not there yet. Raises StoreError."""

    def sizes(self) -> dict[str, int]:
        """How many bytes it takes, by part: store, and wal where that is a file beside it. Raises StoreFailed."""

    def close(self) -> None:
        """Let go of what this thread has of it; when it is the one that opened the store, it is open no longer."""
