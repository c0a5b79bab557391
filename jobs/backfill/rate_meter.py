"""How fast something goes: over the last seconds, and over all the time that it was allowed to go."""

from __future__ import annotations

from collections import deque

from gateway.base import clock

SECONDS = 10.0


class Meter:
    """Counts what was done since it was made."""

    def __init__(self) -> None:
        self._began = clock.monotonic()
        self._waited = 0.0
        self._waits_since: float | None = None
        self._done = 0
        self._marks: deque[tuple[float, int]] = deque([(self._began, 0)])

    def add(self, number: int) -> None:
        """So many more were done."""
        self._done += number
        self._marks.append((clock.monotonic(), self._done))
        # One mark older than the last seconds stays: the rate is measured from there.
        while len(self._marks) > 2 and self._marks[1][0] < clock.monotonic() - SECONDS:
            self._marks.popleft()

    def waits(self, waiting: bool) -> None:
        """From now on it may not go, or may again: that time does not count in the average."""
        moment = clock.monotonic()
        if self._waits_since is not None:
            self._waited += moment - self._waits_since
        self._waits_since = moment if waiting else None

    @property
    def now(self) -> float:
        """A second, over the last seconds."""
        start, done = self._marks[0]
        return (self._done - done) / max(clock.monotonic() - start, 0.001)

    @property
    def average(self) -> float:
        """A second, over all the time that it did not have to wait."""
        moment = clock.monotonic()
        waiting = moment - self._waits_since if self._waits_since is not None else 0.0
        return self._done / max(moment - self._began - self._waited - waiting, 0.001)
