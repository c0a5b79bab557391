"""Tells the other machines, in the database, that this process lives: else its leases are free after half a minute."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable

from gateway.base import clock
from gateway.base.logs import get_logger
from gateway.base.process_identity import this_process
from gateway.store.base.errors import StoreFailed, TooLong
from gateway.store.postgres.session import PostgresSession

log = get_logger("klantbrug.store")

# How often it tells, and after how long without a word it is taken to be no more.
BEAT_SECONDS, ALIVE_SECONDS = 10.0, 30.0
# After a beat that failed the next one comes so soon.
AGAIN_SECONDS = 1.0
# Of a process that has been gone for so long the row is of no use.
KEPT_SECONDS = 86400
# A beat that takes longer is given up.
MOST_SECONDS = 5
# A clock that differs more from the database's is told of: moments that machines compare lie that far apart.
MOST_AHEAD_SECONDS = 1.0
NO_TABLE = "42P01"
BEAT = (
    "INSERT INTO process (name, alive) VALUES (?1, this_moment() + ?2) ON CONFLICT (name) DO UPDATE"
    " SET alive = excluded.alive RETURNING alive"
)


class Heartbeat:
    """The beats of the processes that have one store object, after a fork too; each begins when it has a lease."""

    def __init__(self, connect: Callable[[], PostgresSession]) -> None:
        """In: what makes a session; beats have one of their own, because the others may all be waiting."""
        self._connect = connect
        self._pid = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Tell it from now on, the first time before this ends when the database is there."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            ended = self._ended = threading.Event()
            beats = _Beats(self._connect, ended)
            beats.beat()
            self._thread = threading.Thread(target=beats.run, name="heartbeat", daemon=True)
            self._thread.start()
            self._pid = os.getpid()

    def end(self) -> None:
        """Tell it no more; its connection is closed."""
        if self._pid == os.getpid():
            self._ended.set()
            self._pid = 0
            self._thread.join(MOST_SECONDS)


class _Beats:
    """Those of one process."""

    def __init__(self, connect: Callable[[], PostgresSession], ended: threading.Event) -> None:
        self._connect, self._ended = connect, ended
        self._session: PostgresSession | None = None
        self._told = False

    def run(self) -> None:
        """Beat until it ended."""
        seconds = BEAT_SECONDS
        while not self._ended.wait(seconds):
            seconds = BEAT_SECONDS if self.beat() else AGAIN_SECONDS
        self._close()

    def beat(self) -> bool:
        """Out: was it told?"""
        try:
            if self._session is None:
                self._session = self._connect()
                self._session.limit(MOST_SECONDS, told=False)
                self._session.script(f"SET statement_timeout = '{MOST_SECONDS}s'")
                self._session.run(
                    "DELETE FROM process WHERE alive < this_moment() - ?", (KEPT_SECONDS * 1_000_000,)
                )
            self._session.limit(MOST_SECONDS, told=False)
            before = clock.now()
            (alive,) = self._session.one(BEAT, (str(this_process()), int(ALIVE_SECONDS * 1_000_000)))
            ours = (before + clock.now()) / 2
            self._tell_clock((ours - alive) / 1_000_000 + ALIVE_SECONDS)
            return True
        except (StoreFailed, TooLong) as error:
            if getattr(error, "store_code", "") == NO_TABLE:
                self._ended.set()  # the store is no more
            self._close()
            return False

    def _tell_clock(self, ahead: float) -> None:
        """Log it once when our clock differs from the database's."""
        wrong = abs(ahead) > MOST_AHEAD_SECONDS
        if wrong and not self._told:
            log.warning("the clock differs from the database's", seconds=round(ahead, 1))
        self._told = wrong

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(StoreFailed):
                session.close()
