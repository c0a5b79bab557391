"""The connections of one process to PostgreSQL: made when they are needed, kept for the next, none across a fork.

Not the pool of psycopg: that tries a database that went away again after ever longer pauses, and has threads of its own
that no fork takes along. Here who needs a connection makes it, and finds out at once whether the database is back.
"""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable

from gateway.store.base.errors import StoreAway
from gateway.store.postgres.session import PostgresSession
from gateway.store.postgres.silence import Silence

# Of one process. Of a database with 100 connections, three processes leave some to others.
MOST = 30


class Pool:
    """Sessions that are not in use. Safe for threads."""

    def __init__(self, connect: Callable[[], PostgresSession], wait: float, most: int = MOST) -> None:
        """In: what makes a session (raises StoreFailed); how many seconds who finds all in use waits; how many there
        may be."""
        self._connect, self._wait, self._most = connect, wait, most
        self._forked = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._idle: deque[PostgresSession] = deque()
        self._silence = Silence(self._connect)
        self._places = threading.BoundedSemaphore(self._most)
        self._pid = os.getpid()  # last: another thread may look

    def take(self) -> PostgresSession:
        """A session, the one that was used last. Raises StoreFailed."""
        if self._pid != os.getpid():
            with self._forked:
                if self._pid != os.getpid():
                    self._of_parent = self._idle  # kept, never closed: the parent uses them
                    self._begin()
        if not self._places.acquire(timeout=self._wait):
            raise StoreAway("POOL", says="alle verbindingen met de database zijn in gebruik")
        try:
            session = self._idle_one() or self._connect()
        except BaseException:
            self._places.release()
            raise
        self._silence.begin(session)
        return session

    def _idle_one(self) -> PostgresSession | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def give(self, session: PostgresSession) -> None:
        """Give a session back; one that is broken, or still in a transaction, is not kept."""
        if session.process != os.getpid():
            return
        self._silence.end(session)
        if session.usable:
            session.limit(math.inf)
            self._idle.append(session)
        else:
            session.close()
        self._places.release()

    def close(self) -> None:
        """Close those that are not in use."""
        while self._pid == os.getpid() and self._idle:
            self._idle.pop().close()
