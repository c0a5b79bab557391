"""The scheduler: runs jobs at their times, in a process of its own, the only one over all processes of a store.

Who holds its lease schedules; others stand by, and take over within half a minute when the holder dies or hangs.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from gateway.base import clock
from gateway.base.clock import DUTCH_TIME, now, utc_now
from gateway.base.logs import get_logger, safe_traceback
from gateway.installation import Installation
from gateway.store.base.errors import StoreBusy
from gateway.store.operation import leases, runs
from gateway.store.operation.sources import meta, set_meta
from jobs.common.work import Busy, NotFree
from jobs.job import Job
from jobs.registry import mark_of, off_because, run_turn, schedule_of, trigger_of, usable
from jobs.turns import LEASE as JOB_LEASE
from jobs.turns import Turn, turns_of

log = get_logger("klantbrug.jobs")

LEASE = "scheduler"
LEASE_SECONDS = 20.0
STANDBY_SECONDS = 2.0
ORPHAN_SECONDS = 1.0
# A clock that is kept right by small steps stays below it.
JUMP_SECONDS = 5.0

# Waits so many seconds; out: must the scheduler stop?
Wait = Callable[[float], bool]


class Scheduler:
    """Schedules the jobs of an installation for as long as it holds the lease."""

    def __init__(
        self,
        installation: Installation,
        jobs: Sequence[Job] | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.installation = installation
        # Also those that are off: an operator may turn them on while we run.
        self.jobs = usable(installation.config) if jobs is None else jobs
        self.turns = [turn for job in self.jobs for turn in turns_of(job, installation.fetchers)]
        self.lease_seconds = lease_seconds
        # It logs every run and every run that was not needed; what matters we log ourselves.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)

    def run(self, wait: Wait) -> None:
        """Schedule, or stand by, until `wait` says stop."""

        def meanwhile() -> None:
            if wait(0.0):
                raise NotFree

        # While another process holds the store nobody can take over, and jobs wait as well.
        with contextlib.suppress(NotFree), self.installation.store.giving_way(meanwhile):
            self._run_terms(wait)

    def _run_terms(self, wait: Wait) -> None:
        logged = False
        while True:
            grip = leases.take(self.installation.store, LEASE, self.lease_seconds)
            if grip is not None:
                logged = False
                if self._term(grip, wait):
                    return
            elif not logged:
                log.info("scheduler stands by: another process schedules")
                logged = True
            if wait(min(STANDBY_SECONDS, self.lease_seconds / 4)):
                return

    def _term(self, grip: leases.Grip, wait: Wait) -> bool:
        """Schedule until asked to stop (out: True) or until the lease is another's."""
        stopping = threading.Event()
        scheduler = BackgroundScheduler(
            timezone=DUTCH_TIME,
            executors={"default": ThreadPoolExecutor(max(1, len(self.turns)))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        scheduler.add_listener(_tell_error, EVENT_JOB_ERROR)
        missed = {job.name: self._missed(job) for job in self.jobs}
        for turn in self.turns:
            scheduler.add_job(
                partial(self._run, turn, stopping),
                self._trigger(turn.job),
                id=turn.name,
                **({"next_run_time": utc_now()} if missed[turn.job.name] else {}),
            )
        scheduler.start()
        log.info("scheduler started", jobs=", ".join(job.name for job in self.jobs))
        logged: set[str] = set()
        ahead = _ahead()
        try:
            while not wait(self.lease_seconds / 4):
                before, ahead = ahead, _ahead()
                if abs(ahead - before) > JUMP_SECONDS:
                    self._clock_jumped(scheduler, ahead - before)
                with self.installation.store.write() as connection:
                    leases.keep(connection, grip)
                    hanging = set(leases.stuck(connection, JOB_LEASE))
                    bulk = runs.any_bulk(connection)
                self.installation.store.tidy_log(bulk=bulk)  # so that no writer of the gateway has to
                for name in sorted(hanging - logged):
                    log.error("job hangs: it gives no sign", job=name.removeprefix(JOB_LEASE))
                logged = hanging
            return True
        except leases.Lost:
            log.warning("scheduler stopped: another process took over")
            return False
        finally:
            stopping.set()
            scheduler.shutdown(wait=True)
            leases.let_go(self.installation.store, grip)

    def _trigger(self, job: Job) -> BaseTrigger:
        return SkipMissed(trigger_of(job, self.installation.config))

    def _clock_jumped(self, scheduler: BackgroundScheduler, seconds: float) -> None:
        """APScheduler sleeps until a moment of the clock of before: ahead, that came by now; back, it is far away."""
        log.warning("the clock jumped", seconds=round(seconds))
        if seconds < 0:
            for turn in self.turns:
                scheduler.reschedule_job(turn.name, trigger=self._trigger(turn.job))
        scheduler.wakeup()

    def _missed(self, job: Job) -> bool:
        """Must a job run at once? One that runs all the time: yes. One with a schedule: when a moment came since it
        last ran, or had nothing to do. One that never ran waits for its moment, so for this its first start counts.
        """
        store, name = self.installation.store, job.name
        if not schedule_of(job, self.installation.config):
            return True
        with store.read() as connection:
            ran = runs.last_began(connection, name)
        # One that lies ahead was written by a clock that was wrong.
        known = [moment for moment in (ran or 0, int(meta(store, mark_of(name)) or 0)) if 0 < moment <= now()]
        if not known:
            self._mark(job)
            return False
        # A run that began on the dot was not missed.
        after = datetime.fromtimestamp(max(known) / 1_000_000, UTC) + timedelta(seconds=1)
        due = trigger_of(job, self.installation.config).get_next_fire_time(None, after)
        return due is not None and due <= utc_now()

    def _mark(self, job: Job) -> None:
        """Of a job with a schedule, no moment until now was missed."""
        if schedule_of(job, self.installation.config):
            set_meta(self.installation.store, mark_of(job.name), str(now()))

    def _run(self, turn: Turn, stopping: threading.Event) -> None:
        installation, job = turn.narrowed(self.installation), turn.job
        if stopping.is_set():
            return
        began = clock.monotonic()
        try:
            off = off_because(job, installation.config, installation.store)
            if off or not job.anything(installation):
                self._mark(job)
                return
            counters: dict[str, Any] = run_turn(self.installation, turn, stopping)
        except Busy:
            log.info("job runs elsewhere", job=turn.name)
            return
        except leases.Lost:
            log.warning("job stopped: another process took over", job=turn.name)
            return
        except NotFree:
            return  # the process ends
        except StoreBusy:
            log.warning("de opslag is bezet: gaat een volgende keer", job=turn.name)
            return
        log.info("job done", job=turn.name, seconds=round(clock.monotonic() - began, 1), **counters)


def _tell_error(event: JobExecutionEvent) -> None:
    log.error("job failed", job=event.job_id, error=safe_traceback(event.exception))


class SkipMissed(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Another trigger without the moments that were missed: after one comes the next that lies ahead.

    APScheduler goes through each moment that it missed, also when a clock jumped years ahead.
    """

    def __init__(self, trigger: BaseTrigger) -> None:
        self._trigger = trigger

    def get_next_fire_time(self, previous: datetime | None, moment: datetime) -> datetime | None:
        """The next moment; with one before it, the first that comes after now."""
        after = moment if previous is None else moment + timedelta(microseconds=1)
        due: datetime | None = self._trigger.get_next_fire_time(None, after)
        return due


def _ahead() -> float:
    """How many seconds the clock is ahead of the time that passes, which no one sets and which stops in a sleep."""
    return now() / 1_000_000 - clock.monotonic()


class UntilStopped:
    """Waits until SIGTERM or SIGINT comes, or the process that supervises this one is gone."""

    def __init__(self, supervisor: int | None = None) -> None:
        self._supervisor = supervisor
        # A pipe, because a handler may come at any moment, also while a lock is held that an Event needs.
        self._reading, writing = os.pipe()
        os.set_blocking(writing, False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os.write(writing, b"."))

    def __call__(self, seconds: float) -> bool:
        """Wait so long. Out: must we stop?"""
        until = clock.monotonic() + seconds
        while not self._orphan():
            left = until - clock.monotonic()
            if select.select([self._reading], [], [], max(0.0, min(left, ORPHAN_SECONDS)))[0]:
                return True
            if left <= 0:
                return False
        return True

    def _orphan(self) -> bool:
        return self._supervisor is not None and os.getppid() != self._supervisor
