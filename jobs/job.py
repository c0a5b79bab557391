"""One job as the table of jobs declares it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.config.model import Config
from gateway.installation import Installation
from jobs.common.work import Work

# Counts turns that were stopped because they lasted too long.
TIME_OVER = "time_over"


@dataclass(frozen=True, slots=True)
class Job:
    """One job. It runs by its cron schedule or every so many seconds; a schedule in the configuration goes before both.

    Runs by a cron schedule are recorded; those of a job that runs all the time are not.
    """

    name: str
    about: str
    function: Callable[[Work], dict[str, int]]
    # Why this configuration can't use it, for an operator; blank when it can.
    unusable: Callable[[Config], str]
    schedule: str = ""
    seconds: int = 0
    # Asked before a run that would cost a lease: is there anything to do?
    anything: Callable[[Installation], bool] = lambda installation: True
    # Does it run by itself when nobody asked for it?
    wanted: bool = True
    # The counters that are trouble for an operator, as of a source that could not be asked.
    trouble: tuple[str, ...] = ()
    # Has each source a turn of its own, side by side with the others'?
    by_source: bool = False
    # The same where several processes may run the jobs, so that each machine takes sources; else one after the other.
    apart: bool = False
    # How long a turn lasts at most; 0 is as long as it takes.
    most_seconds: int = 0

    def in_trouble(self, counters: Mapping[str, int]) -> bool:
        """Did a run that counted this finish with problems?"""
        return any(counters.get(name) for name in (*self.trouble, TIME_OVER))
