"""Of the threads that answer clients only so many wait for sources at a time: a slow one must leave others.

A question takes a place when it is about to wait for a source the first time: for an answer, for its turn at the gate,
or for another that asks the same. It gives the place back when it is done with the sources. One that finds none is
told so at once, for waiting for a place would hold its thread just as long.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from gateway.legacy.background import current
from gateway.legacy.errors import NoPlace


def most_waiting(threads: int) -> int:
    """How many of so many threads may wait for sources: at most half of them, and never the last one."""
    return threads // 2


class Places:
    """The places of one process; safe for threads."""

    def __init__(self, most: int | None = None, waits: Callable[[], None] = lambda: None) -> None:
        """`most`: how many questions may wait at a time; None is as many as there are.

        `waits` is called in the thread of a question that is about to.
        """
        self._free = most
        self._waits = waits
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def question(self) -> Iterator[None]:
        """Let what the block asks of sources, in this thread, be one question that needs one place."""
        if _asking.get() is not None:
            yield  # within another: it is the same question
            return
        asking = _WaitsQuestion(self)
        token = _asking.set(asking)
        try:
            yield
        finally:
            _asking.reset(token)
            if asking.has_place:
                self._give_back()

    def _take(self) -> bool:
        with self._lock:
            if self._free is None:
                return True
            if self._free <= 0:
                return False
            self._free -= 1
            return True

    def _give_back(self) -> None:
        with self._lock:
            if self._free is not None:
                self._free += 1


class _WaitsQuestion:
    def __init__(self, places: Places) -> None:
        self.places = places
        self.has_place = False


_asking: ContextVar[_WaitsQuestion | None] = ContextVar("klantbrug question", default=None)


def take_waiting_place(source: str, template: str) -> None:
    """Take a place for the question of this thread, unless it has one; what jobs ask needs none.

    In: what is waited for, for the error. Raises NoPlace when as many wait as may.
    """
    asking = _asking.get()
    if asking is None or asking.has_place or current() is not None:
        return
    if not asking.places._take():
        raise NoPlace(source, template)
    asking.has_place = True
    asking.places._waits()
