"""The moments at which jobs are to run, as every process reckons them the same: by the schedule and the time alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.base import BaseTrigger

from gateway.base.clock import DUTCH_TIME

SECOND = 1_000_000
# A moment that is so near counts as come: who woke for it may have a clock that is ahead of that of the store.
NEAR_SECONDS = 3.0
# How far back the last moment of a schedule is looked for: what comes each minute has few of them in the first.
BACK = (
    timedelta(minutes=5),
    timedelta(hours=2),
    timedelta(days=2),
    timedelta(days=33),
    timedelta(days=370),
    timedelta(days=1500),
)


@dataclass(frozen=True, slots=True)
class Slots:
    """The moments of one job. `seconds`: it runs every so many; 0 is by its schedule."""

    trigger: BaseTrigger
    seconds: int = 0

    def last(self, moment: int) -> int:
        """The last one, 0 when there was none. In and out: microseconds UTC."""
        if self.seconds:
            step, near = self.seconds * SECOND, int(min(NEAR_SECONDS, self.seconds / 4) * SECOND)
            return (moment + near) // step * step
        until = datetime.fromtimestamp(moment / SECOND + NEAR_SECONDS, UTC)
        for back in BACK:
            found: datetime | None = None
            due = self._after(until - back)
            while due is not None and due <= until:
                found, due = due, self._after(due + timedelta(seconds=1))
            if found is not None:
                return round(found.timestamp()) * SECOND
        return 0

    def _after(self, moment: datetime) -> datetime | None:
        """The first moment from there on (UTC). Where the hour comes twice, the trigger may give one that is past."""
        due = self.trigger.get_next_fire_time(None, moment.astimezone(DUTCH_TIME))
        if due is None or (found := due.astimezone(UTC)) >= moment:
            return due if due is None else found
        later = self.trigger.get_next_fire_time(None, (moment + timedelta(hours=1)).astimezone(DUTCH_TIME))
        return later if later is None else max(later.astimezone(UTC), moment)
