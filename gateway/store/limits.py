"""A limit on how long one question to the store may take. What of SQLite that needs stands here alone."""

from __future__ import annotations

import math
import sqlite3
import time

from gateway.store.trouble import name_of

# Steps of SQLite's machine between two looks at the clock: some tens of microseconds, or a hundred looks into a text.
STEPS = 1000


class TooLong(Exception):
    """A question took longer than it may; it was ended and changed nothing."""


class Limit:
    """The moment (of `time.monotonic`) by which the question on a connection must be done."""

    __slots__ = ("until",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.until = math.inf
        connection.set_progress_handler(self._over, STEPS)

    def _over(self) -> bool:
        return time.monotonic() > self.until


def was_ended(error: sqlite3.Error) -> bool:
    """Is this how SQLite tells that a question was ended?"""
    return name_of(error) == "SQLITE_INTERRUPT"
