"""Is a source covered: read whole by a backfill, and followed since? The one place that says so.

A source is covered when its backfill is done and its last sync is under three intervals old. Of a source in phase
cutover the store is all there is, so it is covered always.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import IntEnum

from apscheduler.triggers.base import BaseTrigger

from gateway.base.cron import cron_trigger

# Phases in which requests do not wait for the source.
SYNCED, CUTOVER = "synced", "cutover"
SETTLED_PHASES = (SYNCED, CUTOVER)
# How often the job sync runs when no schedule says otherwise.
SYNC_SECONDS = 300
INTERVALS = 3
SECOND = 1_000_000


class Coverage(IntEnum):
    """How far lists of everything can be answered from the store."""

    UNREAD = 0  # no backfill has read everything yet
    BEHIND = 1  # it did, but sync is overdue
    COVERED = 2


class CoverageJudge:
    """Judges the sources of one process by the schedule of the job sync."""

    def __init__(self, schedule: str = "") -> None:
        """`schedule`: the cron fields of `[jobs.sync] schedule`; blank is every SYNC_SECONDS."""
        self._trigger = cron_trigger(schedule) if schedule else None
        self._late: dict[
            int, int
        ] = {}  # of the last sync of each source, so that a trigger is asked once a sync

    def coverage(self, phase: str, read: int, synced: int, moment: int) -> Coverage:
        """How a source stands at `moment`.

        In: its phase; when its last complete backfill and its last whole sync began (0: never). All moments are
        microseconds UTC.
        """
        if phase == CUTOVER:
            return Coverage.COVERED
        if not read:
            return Coverage.UNREAD
        # A time that is still to come was noted before the clock was set back: nothing is known by it.
        last = max(each for each in (read, synced, 0) if each <= moment)
        return Coverage.COVERED if moment < self.late_from(last) else Coverage.BEHIND

    def late_from(self, synced: int) -> int:
        """From when on a sync that began then is three intervals old (microseconds UTC)."""
        if self._trigger is None:
            return synced + INTERVALS * SYNC_SECONDS * SECOND
        late = self._late.get(synced)
        if late is None:
            if len(self._late) > 100:
                self._late.clear()
            late = self._late[synced] = _third_after(self._trigger, synced)
        return late


def _third_after(trigger: BaseTrigger, synced: int) -> int:
    """The third time after a moment that a schedule names: an interval may be an hour by day and a weekend."""
    after = datetime.fromtimestamp(synced / SECOND, UTC)
    for _ in range(INTERVALS):
        due = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
        if due is None:
            break
        after = due
    return int(after.timestamp() * SECOND)
