"""A limit on how long one question to the store may take. What of SQLite that needs stands here alone."""

from __future__ import annotations

import math
import sqlite3
import threading
import time

from gateway.store.trouble import name_of

# Steps of SQLite's machine between two looks at the clock: some tens of microseconds, or a hundred looks into a text.
STEPS = 1000


class TooLong(Exception):
    """A question took longer than it may; it was ended and changed nothing."""


class Limit:
    """The time by which the question of a thread must be done, watched on that thread's connection."""

    def __init__(self) -> None:
        self._local = threading.local()

    def watch(self, connection: sqlite3.Connection) -> None:
        """Let a question on this connection end when its time is up. Call from the thread that uses it."""
        local = self._local

        def over() -> bool:
            return time.monotonic() > getattr(local, "until", math.inf)

        connection.set_progress_handler(over, STEPS)

    def begin(self, seconds: float) -> None:
        """From now on this thread's question has so many seconds."""
        self._local.until = time.monotonic() + seconds

    def end(self) -> None:
        """This thread's question is done."""
        self._local.until = math.inf


def was_ended(error: sqlite3.Error) -> bool:
    """Is this how SQLite tells that a question was ended?"""
    return name_of(error) == "SQLITE_INTERRUPT"
