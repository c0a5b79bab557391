"""Limits on a question to the store: how long it may take, and that long ones go on in turn.

What of SQLite that needs stands here alone.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque

from gateway.store.file.session import SqliteSession

# Steps of SQLite's machine between two looks at the clock: a tenth of a millisecond, or some hundred looks into a text.
STEPS = 4000
# A question that takes longer than this is a long one, and goes on in turn with the others that are.
QUICK_SECONDS = 0.01
TURN_SECONDS = 0.05


class LongQuestions:
    """The long questions of a process, of which one goes on at a time.

    Together they would keep the processors and the interpreter from the many that are quick, and be done no sooner.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._going: Limit | None = None
        self._waiting: deque[Limit] = deque()

    def turn(self, limit: Limit) -> None:
        """Wait until this question may go on, at most until its time is up."""
        with self._lock:
            if self._going is limit and not self._waiting:
                return
            limit.called.clear()
            self._waiting.append(limit)
            if self._going is None or self._going is limit:
                self._next()
        limit.called.wait(max(0.0, limit.until - time.monotonic()))

    def leave(self, limit: Limit) -> None:
        """This question is done, or given up."""
        with self._lock:
            if self._going is limit:
                self._next()
            elif limit in self._waiting:
                self._waiting.remove(limit)

    def _next(self) -> None:
        self._going = self._waiting.popleft() if self._waiting else None
        if self._going is not None:
            self._going.called.set()


class Limit:
    """The time that the question on a connection has; questions without an end take no turns either."""

    __slots__ = ("_long", "_takes_turns", "_turn_ends", "called", "until")

    def __init__(self, connection: SqliteSession, long: LongQuestions) -> None:
        """In: `long` has the other questions of this process. Call from the thread that uses the connection."""
        self._long = long
        self.called = threading.Event()
        self._takes_turns = False
        self.until = self._turn_ends = math.inf
        connection.set_progress_handler(self._over, STEPS)

    def begin(self, seconds: float) -> None:
        """From now on the question has so many seconds."""
        moment = time.monotonic()
        self.until = moment + seconds
        self._turn_ends = moment + QUICK_SECONDS if seconds < math.inf else math.inf

    def end(self) -> None:
        """The question is done."""
        if self._takes_turns:
            self._long.leave(self)
            self._takes_turns = False
        self.until = self._turn_ends = math.inf

    def _over(self) -> bool:
        moment = time.monotonic()
        if moment > self._turn_ends:
            self._takes_turns = True
            self._long.turn(self)
            moment = time.monotonic()
            self._turn_ends = moment + TURN_SECONDS
        return moment > self.until
