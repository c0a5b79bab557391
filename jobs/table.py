"""Every job in one table: what it does, when it runs by itself, and whether this configuration wants it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from gateway.config import Config
from gateway.cron import DUTCH_TIME, cron_trigger
from gateway.installation import Installation
from gateway.store import leases, runs
from gateway.store.database import Store, now
from jobs import outbox, purge
from jobs.work import Busy, Work

# Longer than a job may take between two writes; a holder that died is seen at once by its process number.
LEASE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Job:
    """One job. Runs of a job with a cron schedule are recorded; those of one that runs all the time are not."""

    name: str
    about: str
    function: Callable[[Work], dict[str, int]]
    # Why this configuration can't use it, for an operator; blank when it can.
    unusable: Callable[[Config], str]
    schedule: str = ""
    seconds: int = 0
    # Asked before a run that would cost a lease: is there anything to do?
    anything: Callable[[Installation], bool] = lambda installation: True


def _no_notifications(config: Config) -> str:
    return "" if config.notifications.url else "[notifications] url is leeg"


def _no_source(config: Config) -> str:
    return "" if config.sources else "er is geen bron"


JOBS = (
    Job(
        "outbox",
        "brengt notificaties naar de Notificaties API",
        outbox.deliver,
        _no_notifications,
        seconds=3,
        anything=outbox.anything_due,
    ),
    Job(
        "purge",
        "ruimt oude runs en oude vragen aan bronnen op",
        purge.purge,
        _no_source,
        schedule="30 3 * * *",
    ),
)
BY_NAME = {job.name: job for job in JOBS}


def off_because(job: Job, config: Config) -> str:
    """Why a job does not run by itself, for an operator; blank when it does."""
    chosen = config.jobs.get(job.name)
    if chosen and not chosen.enabled:
        return f"[jobs.{job.name}] enabled is false"
    return job.unusable(config)


def enabled(config: Config) -> list[Job]:
    """The jobs that run by themselves under this configuration."""
    return [job for job in JOBS if not off_because(job, config)]


def schedule_of(job: Job, config: Config) -> str:
    """The cron expression of a job; blank when it runs every so many seconds."""
    chosen = config.jobs.get(job.name)
    return (chosen.schedule if chosen else "") or job.schedule


def trigger_of(job: Job, config: Config) -> BaseTrigger:
    """When a job runs."""
    schedule = schedule_of(job, config)
    if schedule:
        return cron_trigger(schedule)
    return IntervalTrigger(seconds=job.seconds, timezone=DUTCH_TIME)


class Line(NamedTuple):
    """A job as `klantbrug jobs list` shows it; `last_run` in microseconds UTC."""

    name: str
    about: str
    off_because: str
    when: str
    last_run: int | None
    last_status: str | None


def listing(config: Config, store: Store) -> list[Line]:
    """Every job, whether it is on, when it runs, and its last run where runs are recorded."""
    lines = []
    for job in JOBS:
        schedule = schedule_of(job, config)
        with store.read() as connection:
            last = runs.last_run(connection, job.name)
        when = schedule or f"elke {job.seconds} s"
        lines.append(Line(job.name, job.about, off_because(job, config), when, *(last or (None, None))))
    return lines


def run_job(installation: Installation, job: Job, stopping: threading.Event | None = None) -> dict[str, int]:
    """Run a job now, as the only one over all processes. Out: what it counted.

    `stopping` asks it to stop at the next good moment. Raises Busy when it runs elsewhere, leases.Lost when another
    took over, and what the job itself raises.
    """
    store = installation.store
    grip = leases.take(store, f"job {job.name}", LEASE_SECONDS)
    if grip is None:
        raise Busy(f"job {job.name} loopt al in een ander proces")
    work = Work(installation, grip, stopping or threading.Event())
    started, status, counters = now(), runs.FAILED, dict[str, int]()
    try:
        counters = job.function(work)
        status = runs.FINISHED
    finally:
        if not job.seconds:
            with store.write() as connection:
                runs.record_run(connection, job.name, started, status, counters)
        leases.let_go(store, grip)
    return counters
