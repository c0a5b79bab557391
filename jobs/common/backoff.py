"""How long to wait before the next try of what did not succeed."""

from __future__ import annotations

SECOND = 1_000_000
FIRST_WAIT = 5 * SECOND
LONGEST_WAIT = 3600 * SECOND


def back_off(attempts: int) -> int:
    """Microseconds to wait after a try that came after so many others: 5 seconds, doubling, up to an hour."""
    doubled: int = FIRST_WAIT * 2 ** min(attempts, 20)
    return min(LONGEST_WAIT, doubled)
