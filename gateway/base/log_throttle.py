"""A log line that would come with every request: the first at once, then one a minute that says how often."""

from __future__ import annotations

import threading
import time
from typing import Any

from structlog.stdlib import BoundLogger

EVERY_SECONDS = 60.0

_Key = tuple[tuple[str, Any], ...]


class LogThrottle:
    """Warnings with one text, counted for each set of values. Safe for threads."""

    def __init__(self, log: BoundLogger, text: str, seconds: float = EVERY_SECONDS) -> None:
        """In: the log, the text, and how far apart two lines with the same values are at least."""
        self._log, self._text, self._seconds = log, text, seconds
        self._lock = threading.Lock()
        # For each set of values: when it was logged, and how often it happened since.
        self._told: dict[_Key, tuple[float, int]] = {}

    def warning(self, **values: Any) -> None:
        """It happened, with these values: short names that say nothing of persons, and few different ones."""
        key = tuple(sorted(values.items()))
        with self._lock:
            logged, since = self._told.get(key, (0.0, 0))
            left = logged + self._seconds - time.monotonic()
            if key in self._told and left > 0:
                self._told[key] = logged, since + 1
                if not since:
                    # So that the last ones are logged too, when nothing comes after them.
                    timer = threading.Timer(left, self._tell, (key,))
                    timer.daemon = True
                    timer.start()
                return
            self._told[key] = time.monotonic(), 0
        self._log.warning(self._text, **values, count=since + 1)

    def _tell(self, key: _Key) -> None:
        with self._lock:
            _, since = self._told[key]
            self._told[key] = time.monotonic(), 0
        if since:
            self._log.warning(self._text, **dict(key), count=since)
