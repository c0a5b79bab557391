"""What the jobs of a process leave to clients that write.

One that takes its turn again the moment the lock is free lets in only who waited for it just then.
"""

from __future__ import annotations

import time

# For so long after clients were seen writing they are expected again.
LATELY_SECONDS = 60.0
# While they write (seen within NOW_SECONDS), a job rests so many times as long as its last batch took, at most so long.
NOW_SECONDS, TIMES, MOST_SECONDS = 1.0, 2.0, 0.2


class Rests:
    """The rests of one process. Safe for threads."""

    def __init__(self) -> None:
        self._seen = -LATELY_SECONDS
        self._until = 0.0

    def see(self) -> None:
        """Somebody else writes, or waits to."""
        self._seen = time.monotonic()

    def lately(self) -> bool:
        """Was anybody seen within the last minute?"""
        return time.monotonic() - self._seen < LATELY_SECONDS

    def wrote(self, seconds: float) -> None:
        """A batch just ended, that took so many seconds."""
        self._until = time.monotonic() + min(MOST_SECONDS, TIMES * seconds)

    def rest(self) -> None:
        """Before a batch: wait while clients write and their time is not over."""
        moment = time.monotonic()
        if moment - self._seen < NOW_SECONDS and self._until > moment:
            time.sleep(self._until - moment)
