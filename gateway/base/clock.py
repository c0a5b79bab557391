"""The one clock: what time it is, for all that is written, shown or compared with a moment.

How long something takes is no moment: that is `time.monotonic`, which nobody sets.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

DUTCH_TIME = ZoneInfo("Europe/Amsterdam")
# Where the time comes from, in nanoseconds since 1970. Tests set another one.
time_ns = time.time_ns


def now() -> int:
    """The time as the store writes it: microseconds since 1970, UTC."""
    return time_ns() // 1000


def seconds() -> float:
    """The same in seconds, as HTTP and the system have it."""
    return time_ns() / 1_000_000_000


def utc_now() -> datetime:
    """The same as a datetime in UTC."""
    return datetime.fromtimestamp(now() // 1_000_000, UTC).replace(microsecond=now() % 1_000_000)


def today() -> date:
    """The Dutch day of now."""
    return utc_now().astimezone(DUTCH_TIME).date()
