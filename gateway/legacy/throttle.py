"""A rate that several threads share."""

import threading
import time


class Rate:
    """At most so many units in a second; 0 is no limit.

    Unused time is saved up to one second's worth, so a short burst after a silence is not slowed down.
    """

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._burst = max(0.0, 1 - 1 / per_second) if per_second > 0 else 0.0
        self._lock = threading.Lock()
        self._next = 0.0  # time.monotonic at which the next unit is due

    def wait(self, units: float = 1, *, deadline: float | None = None) -> bool:
        """Take units and wait for the turn; False, without waiting or taking, if it is after the deadline."""
        if self._per_second <= 0:
            return True
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now - self._burst)
            if deadline is not None and turn > deadline:
                return False
            self._next = turn + units / self._per_second
        if turn > now:
            time.sleep(turn - now)
        return True

    def charge(self, units: float) -> None:
        """Count units that have been used already; later turns wait for them."""
        if self._per_second > 0:
            with self._lock:
                turn = max(self._next, time.monotonic() - self._burst)
                self._next = turn + units / self._per_second
