"""The one clock: what time it is, how much time passes, and waiting for it.

Tests set another one (`tests/builders/set_clock.py`), so whoever waits or has a deadline takes both from here, as
`clock.monotonic()`. How long processes and the locks of the store's file take is of the machine, whatever a test sets.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

DUTCH_TIME = ZoneInfo("Europe/Amsterdam")
# Nanoseconds since 1970, as somebody set them.
time_ns = time.time_ns
# Seconds that passed, which nobody sets; the same for all processes of a machine.
monotonic = time.monotonic
sleep = time.sleep


def wait(waits: Callable[[float | None], bool], seconds: float | None) -> bool:
    """Wait for something, with its own `wait`, so many seconds at most. Out: did it come?"""
    return waits(seconds)


def now() -> int:
    """The time as the store writes it: microseconds since 1970, UTC."""
    return time_ns() // 1000


def seconds() -> float:
    """The same in seconds, as HTTP and the system have it."""
    return time_ns() / 1_000_000_000


def text_of(moment: int) -> str:
    """A time (microseconds UTC) as text, without its zone: in a fifth of the time that datetime takes."""
    seconds, rest = divmod(moment, 1_000_000)
    return f"{_second(seconds)}.{rest:06}"


@lru_cache(2)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def utc_now() -> datetime:
    """The same as a datetime in UTC."""
    return datetime.fromtimestamp(now() // 1_000_000, UTC).replace(microsecond=now() % 1_000_000)


def today() -> date:
    """The Dutch day of now."""
    return utc_now().astimezone(DUTCH_TIME).date()
