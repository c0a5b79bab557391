"""Every job in one table: what it does, when it runs by itself, and whether this configuration wants it."""

from __future__ import annotations

import threading
from functools import partial
from typing import NamedTuple

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from gateway.audit.log import log_of
from gateway.audit.lookups import note_job
from gateway.base import correlation, memory
from gateway.base.clock import DUTCH_TIME, now
from gateway.base.correlation import JOB
from gateway.base.cron import cron_trigger
from gateway.base.logs import get_logger
from gateway.base.subjects import Subjects
from gateway.config.model import Config
from gateway.fetch.coverage import SYNC_SECONDS
from gateway.installation import Installation
from gateway.legacy.background import background
from gateway.legacy.errors import Stopped
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.export.pairs import EXPORTED, PHASE
from gateway.store.machines import claimed
from gateway.store.operation import leases, runs
from gateway.store.operation.sources import meta, set_meta
from jobs.backfill import all_sources
from jobs.common.work import Busy, NotFree, Work
from jobs.deliver import outbox, writeback
from jobs.export import follow as export
from jobs.follow import inbox, sweep, sync
from jobs.job import TIME_OVER, Job
from jobs.ordered import orders
from jobs.slots import Slots
from jobs.turns import Turn, Until, is_shared, turns_of
from jobs.upkeep import backup, ended, purge
from jobs.verify import verify

log = get_logger("klantbrug.jobs")

# Longer than a job may take between two writes: after that it hangs. A holder that died is seen at once by its
# process number.
LEASE_SECONDS = 120
# So long a call of a job waits at most for a source that wants rest; then the job fails, and comes again.
PATIENCE = 60.0
ON, OFF = "on", "off"
MINUTE, HOUR = 60, 3600


def _no_notifications(config: Config) -> str:
    return "" if config.notifications.url else "[notifications] url is leeg"


def _no_callback(config: Config) -> str:
    if not config.notifications.callback_token:
        return "[notifications] callback_token is leeg"
    return _no_source(config)


def _no_target(config: Config) -> str:
    return "" if config.target.url else "[target] url is leeg"


def _always(config: Config) -> str:
    return ""


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
        trouble=("postponed", "given_up"),
        most_seconds=15 * MINUTE,
    ),
    Job(
        "purge",
        "ruimt oude runs, vragen aan bronnen en opgegeven berichten op, en wat gewist is uit het logboek van de opslag",
        purge.purge,
        _always,
        schedule="30 3 * * *",
        most_seconds=HOUR,
    ),
    Job(
        "ends",
        "trekt vertegenwoordigingen in van rollen waarvan de eindeGeldigheid voorbij is",
        ended.recompute_ended,
        _no_source,
        schedule="10 0 * * *",
        most_seconds=HOUR,
    ),
    Job(
        "backfill",
        "leest bronnen in die nog niet volledig zijn, in de uren van [[source]] window",
        all_sources.refill,
        _no_source,
        seconds=60,
        anything=all_sources.anything_to_read,
        wanted=False,
        trouble=("incomplete", "stopped", "failed"),
        apart=True,
    ),
    Job(
        "orders",
        "leest in of bewijst wat een beheerder op de pagina's vroeg",
        orders.carry_out,
        _no_source,
        seconds=2,
        anything=orders.anything_due,
        trouble=("failed",),
        by_source=True,
    ),
    Job(
        "sync",
        "haalt op wat nieuw is in de bronnen",
        sync.sync,
        _no_source,
        seconds=SYNC_SECONDS,
        anything=sync.anything_to_follow,
        trouble=("failed",),
        by_source=True,
        most_seconds=2 * HOUR,
    ),
    Job(
        "inbox",
        "kijkt na wat de Notificaties API over de bronnen meldde",
        inbox.process_inbox,
        _no_callback,
        seconds=2,
        anything=inbox.anything_due,
        trouble=("postponed",),
        by_source=True,
        most_seconds=15 * MINUTE,
    ),
    Job(
        "sweep",
        "leest alles binnen [[source]] sweep_days opnieuw, in kleine stappen",
        sweep.sweep,
        _no_source,
        seconds=60,
        anything=sweep.anything_due,
        trouble=("failed",),
        by_source=True,
        most_seconds=15 * MINUTE,
    ),
    Job(
        "verify",
        "vergelijkt een steekproef van elke bron in fase synced met de opslag",
        verify.verify_synced,
        _no_source,
        schedule="0 5 * * 6",
        anything=verify.any_synced,
        trouble=("not_clean", "skipped"),
        by_source=True,
        most_seconds=6 * HOUR,
    ),
    Job(
        "backup",
        "maakt een back-up van de opslag in [jobs.backup] directory, en houdt de laatste",
        backup.backup,
        backup.unusable,
        schedule="30 2 * * *",
        wanted=False,
        trouble=("failed",),
        most_seconds=6 * HOUR,
    ),
    Job(
        "writeback",
        "vertelt de bronnen wat clients schreven, voor zover [[source]] write_back dat wil",
        writeback.deliver,
        writeback.unusable,
        seconds=3,
        anything=writeback.anything_due,
        trouble=("postponed", "parked"),
        by_source=True,
        most_seconds=15 * MINUTE,
    ),
    Job(
        "export",
        "stuurt wijzigingen naar het register van [target], na klantbrug export follow",
        export.follow,
        _no_target,
        seconds=2,
        anything=export.anything_due,
        trouble=("failed", "postponed"),
        most_seconds=15 * MINUTE,
    ),
)
# What goes on when another register took over: no source is asked any more.
AFTER_LEAVING = ("outbox", "purge", "backup")
BY_NAME = {job.name: job for job in JOBS}


def off_because(job: Job, config: Config, store: Store) -> str:
    """Why a job does not run by itself, for an operator; blank when it does.

    What an operator said with `klantbrug jobs enable` or `disable` goes before `[jobs.<name>] enabled`.
    """
    if reason := job.unusable(config):
        return reason
    if job.name not in AFTER_LEAVING and meta(store, PHASE) == EXPORTED:
        return "de fase is exported"
    switched = meta(store, _switch_of(job.name))
    if switched is not None:
        return "" if switched == ON else "klantbrug jobs disable"
    chosen = config.jobs.get(job.name)
    if chosen is None and not job.wanted:
        return f"er is geen [jobs.{job.name}]"
    return f"[jobs.{job.name}] enabled is false" if chosen and not chosen.enabled else ""


def switch(store: Store, name: str, *, on: bool) -> None:
    """Let a job run by itself, or not, from its next time on: in every process, and after a restart."""
    set_meta(store, _switch_of(name), ON if on else OFF)


def off_now(config: Config, store: Store, name: str) -> str:
    """Why the job of this name does not run by itself; blank when it does. Raises KeyError."""
    return off_because(BY_NAME[name], config, store)


def run_soon(store: Store, name: str) -> None:
    """Let the process that schedules run a job at once, beside its times; it looks every few seconds."""
    set_meta(store, soon_of(name), ON)


def soon_of(name: str) -> str:
    """Where is kept that an operator wants a job to run at once."""
    return f"job {name} soon"


def _switch_of(name: str) -> str:
    return f"job {name}"


def mark_of(name: str) -> str:
    """Where is kept from when on the moments of a job count that it did not run at (microseconds UTC)."""
    return f"job {name} mark"


def usable(config: Config) -> list[Job]:
    """The jobs that have something to do under this configuration, whether they are on or not."""
    return [job for job in JOBS if not job.unusable(config)]


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


def slots_of(job: Job, config: Config) -> Slots:
    """The moments at which a job is to run, for all processes."""
    trigger = trigger_of(job, config)
    return Slots(trigger, 0 if schedule_of(job, config) else job.seconds)


class JobLine(NamedTuple):
    """A job as `klantbrug jobs list` shows it; `now` is what it does at this moment, `last_run` in microseconds UTC."""

    name: str
    about: str
    off_because: str
    when: str
    now: str
    last_run: int | None
    last_status: str | None


def listing(config: Config, store: Store) -> list[JobLine]:
    """Every job, whether it is on, when it runs, and its last run where runs are recorded."""
    lines = []
    shared = is_shared(store)
    for job in JOBS:
        schedule = schedule_of(job, config)
        turns = turns_of(job, [source.name for source in config.sources], shared=shared)
        with store.read() as connection:
            last = runs.last_run(connection, job.name)
            grips = {leases.grip_of(connection, turn.lease) for turn in turns}
        doing = next((grip for grip in (leases.STUCK, leases.HELD) if grip in grips), leases.FREE)
        when = schedule or f"elke {job.seconds} s"
        off = off_because(job, config, store)
        lines.append(JobLine(job.name, job.about, off, when, doing, *(last or (None, None))))
    return lines


def run_job(installation: Installation, job: Job, stopping: threading.Event | None = None) -> dict[str, int]:
    """Run a job now, each source in its turn, as the only one over all processes. Out: what it counted.

    `stopping` asks it to stop at the next good moment. Raises Busy when a turn of it runs elsewhere, after the others.
    Raises leases.Lost when another took over, NotFree when it had to stop while it waited for the store, and what the
    job itself raises.
    """
    counters: dict[str, int] = {}
    busy: Busy | None = None
    for turn in turns_of(job, installation.fetchers, shared=is_shared(installation.store)):
        if stopping is not None and stopping.is_set():
            break
        try:
            counted = run_turn(installation, turn, stopping)
        except Busy as error:
            busy = error
            continue
        counters = {name: counters.get(name, 0) + counted.get(name, 0) for name in counters | counted}
    if busy is not None:
        raise busy
    return counters


def pass_over(connection: Session, config: Config, turn: Turn) -> None:
    """Where any number of processes runs the jobs: the last moment of a job with a schedule is done with."""
    if not connection.dialect.is_a_file:
        moment = claimed.moment_of_store(connection)
        claimed.finish(connection, turn.name, slots_of(turn.job, config).last(moment))


def run_turn(
    installation: Installation,
    turn: Turn,
    stopping: threading.Event | None = None,
    slots: Slots | None = None,
) -> dict[str, int]:
    """Run one turn of a job now, as the only one over all processes; in, out and raised as of `run_job`.

    One that lasts longer than it may is stopped, which is logged and counted. `slots`: only when nobody ran it at its
    last moment of these, else it raises Busy.
    """
    stopping = stopping or threading.Event()

    def meanwhile() -> None:
        if stopping.is_set():
            raise NotFree

    # Whoever holds the store, it waits until it may write: nothing that it did is lost.
    with installation.store.giving_way(meanwhile):
        return _run(installation, turn, stopping, slots)


def _run(
    installation: Installation, turn: Turn, stopping: threading.Event, slots: Slots | None
) -> dict[str, int]:
    store, job = installation.store, turn.job
    scheduled = bool(schedule_of(job, installation.config))
    with store.write(synced=False) as connection:
        grip = leases.take(store, turn.lease, LEASE_SECONDS)
        if grip is None:
            raise Busy(f"job {turn.name} loopt al in een ander proces")
        if slots and claimed.claim(connection, turn.name, slots.last, done=not scheduled) is None:
            raise Busy(f"job {turn.name} is al gedaan door een ander proces")  # undoes taking the lease too
    seconds = turn.most_seconds(installation.config)
    until = Until(stopping, seconds)
    work = Work(turn.narrowed(installation), grip, until)
    started, status, counters = now(), runs.FAILED, dict[str, int]()
    try:
        # Whatever code the job runs, it writes only for as long as the lease is its own.
        with (
            store.guarded(partial(leases.keep, grip=grip)),
            background(work.stopping, patience=PATIENCE),
            correlation.part(JOB, job.name, source=turn.source) as operation,
        ):
            audit = log_of(installation.config)
            operation.subjects = Subjects() if audit else None
            counters = job.function(work)
            status = operation.status = runs.PROBLEMS if job.in_trouble(counters) else runs.FINISHED
            note_job(audit, operation, counters)
    except Stopped:
        status = runs.INTERRUPTED  # while it asked a source, or waited for its turn there
    finally:
        if until.expired:
            log.warning("job stopped: it lasted too long", job=turn.name, seconds=seconds)
            counters, status = {**counters, TIME_OVER: 1}, runs.PROBLEMS
        if scheduled:
            with store.write() as connection:
                runs.record_run(connection, job.name, started, status, counters)
                pass_over(connection, installation.config, turn)
        leases.let_go(store, grip)
        memory.give_back()
    return counters
