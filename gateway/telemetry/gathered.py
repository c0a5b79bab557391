"""A thread that takes what was laid down, a fifth of a second after the first came, so that nobody waits for it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

GATHER_SECONDS = 0.2

Item = TypeVar("Item")


class Gathered(Generic[Item]):
    """What threads of one process lay down for one other. Made after a fork, not before it."""

    def __init__(
        self, name: str, take: Callable[[list[Item]], None], lost: Callable[[int], None], most: int
    ) -> None:
        """In: the name of the thread; what takes all that lies there, and what is told how many were dropped, for more
        than `most` do not wait: of these the newest is. Neither may raise."""
        self._take, self._lost, self._most = take, lost, most
        self._waiting: deque[Item] = deque()
        self._wake = threading.Event()
        self._woken = self._stopping = False
        self._dropped = 0
        self._thread = threading.Thread(target=self._work, daemon=True, name=name)
        self._thread.start()

    def lay(self, item: Item) -> None:
        """Lay one down. From any thread; waits for nothing."""
        if len(self._waiting) >= self._most:
            self._dropped += 1
            return
        self._waiting.append(item)
        if not self._woken:
            self._woken = True
            self._wake.set()

    def stop(self, within: float) -> None:
        """Let all that lies there be taken, and end; in so many seconds at most."""
        self._stopping = True
        self._wake.set()
        self._thread.join(within)

    def _work(self) -> None:
        while not self._stopping:
            self._wake.wait()
            if not self._stopping:
                time.sleep(GATHER_SECONDS)
            self._wake.clear()
            self._woken = False  # whatever comes from here on wakes again
            found = []
            while self._waiting:
                found.append(self._waiting.popleft())
            self._take(found)
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                self._lost(dropped)
