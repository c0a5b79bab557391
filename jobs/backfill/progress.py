"""What a backfill reports while it runs: what it counted, how fast it goes, why it waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.base.clock import DUTCH_TIME, now
from gateway.base.clock import today as this_day
from gateway.base.time_windows import DAYS
from gateway.ingest.outcome import Result
from gateway.legacy.pacing.gate import LONG
from gateway.store.inspect.status import moment_of
from jobs.backfill.rate_meter import Meter

# What is asked one by one is counted under this name.
BY_UUID = "by_uuid"


@dataclass(slots=True)
class Progress:
    """What the run is doing, for whoever shows it.

    `kind` is what is being read, in look number `look`; 0 is asking by uuid. `rate` and `average` are objects a
    second; `waits` says why nothing is asked at all, `limit` what keeps it from going faster.
    """

    source: str
    kind: str
    look: int
    done: int
    total: int | None
    changed: int
    quarantined: int
    rate: float = 0.0
    average: float = 0.0
    waits: str = ""
    # Since when it waits, microseconds UTC.
    waits_since: int | None = None
    limit: str = ""
    # Of the whole run: what is left after this step, in seconds; None when there is no telling.
    after: float | None = None

    @property
    def seconds_left_in_all(self) -> int | None:
        """Until the run is done, with two looks and as fast as now; None when there is no telling."""
        now = self.seconds_left
        return None if now is None or self.after is None else now + round(self.after)

    @property
    def seconds_left(self) -> int | None:
        """Until this look of this kind is done; None when there is no telling."""
        if self.total is None or not self.average or self.waits:
            return None
        return round(max(0, self.total - self.done) / self.average)


def waits_text(reason: str, until: str | None) -> str:
    """Why nothing is asked and until when: a moment as `ZakenClient.describe` gives it, None when nobody knows."""
    if not until:
        return reason
    moment, today = datetime.fromisoformat(until).astimezone(DUTCH_TIME), this_day()
    day = "" if moment.date() == today else f"{DAYS[moment.weekday()]} "
    if (moment.date() - today).days >= len(DAYS):
        day += f"{moment:%d-%m} "
    return f"{reason}, verder {day}om {moment:%H:%M}"


class ProgressReporter:
    """Counts by kind, in the counters of the run, and the progress of what is being read now."""

    def __init__(
        self, source: str, counters: dict[str, dict[str, int]], show: Callable[[Progress], None]
    ) -> None:
        self.source = source
        self.counters = counters
        self.show = show
        self.begin("", 0, 0)

    def begin(
        self, kind: str, look: int, read: int, total: int | None = None, *, steps: bool = False
    ) -> None:
        """From now on a kind is read, in this look; of `total`, `read` were before.

        With `steps` it is not objects that are counted as done, but steps (`step`): zaken that are asked.
        """
        self.meter = Meter()
        self.steps = steps
        self.progress = Progress(self.source, kind, look, read, total, 0, 0)
        if look:
            self._row(kind)

    def step(self, number: int = 1) -> None:
        """So many more were done."""
        self.meter.add(number)
        self.progress.done += number

    def count(self, kind: str, seen: int, result: Result) -> None:
        """So many objects were shown, and this came of them."""
        row, stored = self._row(kind), len(result.new)
        row["seen"] += seen
        row["stored"] += stored
        row["changed"] += result.changed - stored
        row["unchanged"] += result.unchanged
        row["quarantined"] += result.quarantined
        if kind == (self.progress.kind if self.progress.look else BY_UUID):
            if not self.steps:
                self.step(seen)
            self.progress.changed += result.changed
            self.progress.quarantined += result.quarantined

    def report(self, asked_how: dict[str, Any], limit: str) -> None:
        """Show progress. In: how the source is asked (`ZakenClient.describe`), and what else limits us."""
        progress = self.progress
        progress.rate, progress.average = self.meter.now, self.meter.average
        reason, until = asked_how["waiting"] or "", asked_how["until"]
        waits = waits_text(reason, until) if reason in LONG else ""
        if bool(progress.waits) != bool(waits):
            self.meter.waits(bool(waits))
            progress.waits_since = now() if waits else None
        progress.waits = waits
        progress.limit = "" if waits else reason or limit
        self.show(progress)

    def snapshot(self, asked_how: dict[str, Any]) -> dict[str, Any]:
        """How it is going, for who asks from elsewhere: numbers and reasons."""
        progress = self.progress
        return {
            "look": progress.look,
            "kind": progress.kind,
            "done": progress.done,
            "total": progress.total,
            "rate_now": 0.0 if progress.waits else round(progress.rate, 1),
            "rate_average": round(progress.average, 1),
            "seconds_left": progress.seconds_left,
            "seconds_left_in_all": progress.seconds_left_in_all,
            "waits": progress.waits,
            "waits_since": moment_of(progress.waits_since),
            "limited_by": progress.limit,
            "rate": asked_how["objects_per_second"],
            "connections": asked_how["connections"],
            "counters": self.counters,
        }

    def _row(self, kind: str) -> dict[str, int]:
        names = ("seen", "stored", "changed", "unchanged", "quarantined")
        return self.counters.setdefault(kind, dict.fromkeys(names, 0))
