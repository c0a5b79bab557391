"""The scheduler: runs jobs at their times, in a process of its own.

On a store in a file it is the only one over all processes: who holds its lease schedules; others stand by, and take
over within half a minute when the holder dies or hangs. On a store that several machines may use each process schedules
all jobs, and each turn is claimed by one of them (`gateway/store/machines/claimed.py`).
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import random
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
from apscheduler.triggers.interval import IntervalTrigger

from gateway.base import clock
from gateway.base.clock import DUTCH_TIME, now, utc_now
from gateway.base.logs import get_logger, safe_traceback
from gateway.base.process_identity import this_process
from gateway.installation import Installation
from gateway.store.base.errors import StoreAway, StoreBusy
from gateway.store.base.session import Session
from gateway.store.machines import claimed
from gateway.store.operation import leases, runs
from gateway.store.operation.sources import meta, meta_of, put_meta, set_meta
from gateway.telemetry import running as telemetry
from jobs.common.work import Busy, NotFree
from jobs.job import Job
from jobs.registry import (
    mark_of,
    off_because,
    pass_over,
    run_turn,
    schedule_of,
    slots_of,
    soon_of,
    trigger_of,
    usable,
)
from jobs.turns import LEASE as JOB_LEASE
from jobs.turns import Turn, is_shared, turns_of

log = get_logger("klantbrug.jobs")

LEASE = "scheduler"
LEASE_SECONDS = 20.0
STANDBY_SECONDS = 2.0
ORPHAN_SECONDS = 1.0
# A clock that is kept right by small steps stays below it.
JUMP_SECONDS = 5.0
# Where several processes run the jobs, one that is busy lets the others go first, so long for each turn that it has.
SPREAD_SECONDS = 0.1
# A moment that nobody ran at, or that died with who ran at it, is noticed after so many seconds at the soonest.
LEFT_SECONDS = 6.0
# From here on moments of jobs that run all the time are counted, so that they are those of all processes.
ORIGIN = datetime(2000, 1, 1, tzinfo=UTC)
_numbers = itertools.count(1)

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
        self.shared = is_shared(installation.store)
        self.lease = f"{LEASE} {next(_numbers)} {this_process()}" if self.shared else LEASE
        self.turns = [
            turn for job in self.jobs for turn in turns_of(job, installation.fetchers, shared=self.shared)
        ]
        self._busy: set[str] = set()  # the turns that run here
        self._now: set[str] = set()  # the turns that an operator wants to run now, whatever their moments are
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
            grip = leases.take(self.installation.store, self.lease, self.lease_seconds)
            if grip is not None:
                logged = False
                try:
                    if self._term(grip, wait):
                        return
                except StoreAway:
                    log.warning("the database is away: the scheduler begins anew")
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
        if self.shared:
            missed = self._claims_begun(missed)
        for turn in self.turns:
            scheduler.add_job(
                partial(self._run, turn, stopping),
                self._trigger(turn.job),
                id=turn.name,
                **({"next_run_time": utc_now()} if missed[turn.job.name] else {}),
            )
        self._tell_of_before()
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
                    soon = self._asked_for(connection)
                    if dead := runs.mark_dead(connection):
                        log.warning("runs ended with their process", runs=dead)
                for turn in self.turns:
                    if turn.job.name in soon:
                        self._now.add(turn.name)
                        scheduler.modify_job(turn.name, next_run_time=utc_now())
                if self.shared:
                    with contextlib.suppress(StoreAway):  # the next round looks again
                        self._run_left(scheduler)
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

    def _tell_of_before(self) -> None:
        """What ended well before this process was there counts too: a nightly back-up is not missed after a restart."""
        with self.installation.store.read() as connection:
            for job, finished in runs.last_finished(connection):
                telemetry.job_succeeded(job, "", finished / 1_000_000)

    def _trigger(self, job: Job) -> BaseTrigger:
        trigger = trigger_of(job, self.installation.config)
        if self.shared and isinstance(trigger, IntervalTrigger):
            trigger = IntervalTrigger(seconds=job.seconds, start_date=ORIGIN, timezone=DUTCH_TIME)
        return SkipMissed(trigger)

    def _claims_begun(self, missed: dict[str, bool]) -> dict[str, bool]:
        """Let what was never claimed wait for its next moment, unless it was missed. Out: what must run at once: of
        what has a schedule the claims tell that."""
        with self.installation.store.write() as connection:
            for turn in self._scheduled():
                if claimed.last_of(connection, turn.name) is None and not missed[turn.job.name]:
                    pass_over(connection, self.installation.config, turn)
        at_once = {turn.job.name for turn in self.turns} - {turn.job.name for turn in self._scheduled()}
        return {name: name in at_once for name in missed}

    def _scheduled(self) -> list[Turn]:
        return [turn for turn in self.turns if schedule_of(turn.job, self.installation.config)]

    def _run_left(self, scheduler: BackgroundScheduler) -> None:
        """Run what nobody ran at its moment, or what died with the process that did."""
        with self.installation.store.read() as connection:
            left = [turn for turn in self._scheduled() if self._is_left(connection, turn)]
        for turn in left:
            scheduler.modify_job(turn.name, next_run_time=utc_now())

    def _is_left(self, connection: Session, turn: Turn) -> bool:
        slots = slots_of(turn.job, self.installation.config)
        return (
            turn.name not in self._busy
            and claimed.is_left(connection, turn.name, slots.last, int(LEFT_SECONDS * 1_000_000))
            and leases.grip_of(connection, turn.lease) == leases.FREE
        )

    def _clock_jumped(self, scheduler: BackgroundScheduler, seconds: float) -> None:
        """APScheduler sleeps until a moment of the clock of before: ahead, that came by now; back, it is far away."""
        log.warning("the clock jumped", seconds=round(seconds))
        if seconds < 0:
            for turn in self.turns:
                scheduler.reschedule_job(turn.name, trigger=self._trigger(turn.job))
        scheduler.wakeup()

    def _asked_for(self, connection: Session) -> set[str]:
        """The jobs that an operator wants to run now, once."""
        names = {job.name for job in self.jobs if meta_of(connection, soon_of(job.name))}
        for name in names:
            put_meta(connection, soon_of(name), "")
        return names

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

    def _nothing_to_do(self, turn: Turn) -> None:
        self._mark(turn.job)
        if self.shared and turn in self._scheduled():
            with self.installation.store.write() as connection:
                pass_over(connection, self.installation.config, turn)

    def _is_others(self, turn: Turn, stopping: threading.Event) -> bool:
        """Let others go first, the longer the more runs here. Out: has another the turn now?"""
        clock.wait(stopping.wait, SPREAD_SECONDS * (random.random() + len(self._busy)))  # noqa: S311  spreads load
        with self.installation.store.read() as connection:
            return leases.grip_of(connection, turn.lease) == leases.HELD

    def _run(self, turn: Turn, stopping: threading.Event) -> None:
        installation, job = turn.narrowed(self.installation), turn.job
        if stopping.is_set():
            return
        try:
            off = off_because(job, installation.config, installation.store)
            if off or not job.anything(installation):
                self._nothing_to_do(turn)
                return
            by_moment = self.shared and turn.name not in self._now
            self._now.discard(turn.name)
            if by_moment and (self._is_others(turn, stopping) or stopping.is_set()):
                return
            slots = slots_of(job, installation.config) if by_moment else None
            self._busy.add(turn.name)
            began = clock.monotonic()
            counters: dict[str, Any] = run_turn(self.installation, turn, stopping, slots)
        except Busy:
            log.log(logging.DEBUG if self.shared else logging.INFO, "job runs elsewhere", job=turn.name)
            return
        except leases.Lost:
            log.warning("job stopped: another process took over", job=turn.name)
            return
        except NotFree:
            return  # the process ends
        except StoreBusy:
            log.warning("the store is held: the job comes again", job=turn.name)
            return
        except StoreAway:
            log.warning("the database is away: the job comes again", job=turn.name)
            return
        finally:
            self._busy.discard(turn.name)
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
