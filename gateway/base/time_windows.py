"""The hours in which jobs may ask a source, as `[[source]] window` writes them.

Parts with commas between them; each has days, hours, or both: "22:00-06:00", "za-zo", "ma-vr 22:00-06:00, za-zo".
Days are those on which a part begins: "vr 22:00-06:00" ends on Saturday. All in Dutch time: where the clock is set
forward or back, the hours are those that the clock on the wall shows.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from gateway.base.clock import DUTCH_TIME

DAYS = ("ma", "di", "wo", "do", "vr", "za", "zo")
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_PART = re.compile(rf"(?:({'|'.join(DAYS)})(?:-({'|'.join(DAYS)}))?)?(?:\s+|^|$)(?:({_CLOCK})-({_CLOCK}))?")
_WEEK = 7


@dataclass(frozen=True, slots=True)
class _Part:
    days: frozenset[int]
    start: time
    end: time

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """From when until when it is open that begins on this day, None when it does not."""
        if day.weekday() not in self.days:
            return None
        last = day if self.end > self.start else day + timedelta(days=1)
        start = datetime.combine(day, self.start, DUTCH_TIME).astimezone(UTC)
        end = datetime.combine(last, self.end, DUTCH_TIME).astimezone(UTC)
        return (start, end) if start < end else None  # else in the hour that spring skips


class Window:
    """When background calls are let through; a blank text is always."""

    def __init__(self, text: str) -> None:
        """Raises ValueError when the text is no window."""
        self._parts = [_part(part.strip()) for part in text.split(",")] if text.strip() else []

    def opens(self, moment: datetime) -> datetime | None:
        """When it opens next (UTC), None when it is open at that moment (aware)."""
        if not self._parts:
            return None
        moment = moment.astimezone(UTC)
        today = moment.astimezone(DUTCH_TIME).date()
        starts = []
        # What began yesterday may still be open; a part comes every week, but for one that spring skips.
        for days in range(-1, 2 * _WEEK + 1):
            for part in self._parts:
                found = part.on(today + timedelta(days=days))
                if found is None:
                    continue
                start, end = found
                if start <= moment < end:
                    return None
                if start > moment:
                    starts.append(start)
        return min(starts)


def _part(text: str) -> _Part:
    found = _PART.fullmatch(text)
    if not text or found is None:
        raise ValueError("no window")
    first, last, start, end = found.groups()
    if first is None:
        days = range(_WEEK)
    else:
        begin = DAYS.index(first)
        days = range(begin, begin + (DAYS.index(last or first) - begin) % _WEEK + 1)
    midnight = time(0, 0)
    return _Part(
        frozenset(day % _WEEK for day in days),
        time.fromisoformat(start) if start else midnight,
        time.fromisoformat(end) if end else midnight,
    )
