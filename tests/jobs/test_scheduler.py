"""The scheduler: jobs at their times, one scheduler at a time, kept alive beside the server and stopped with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from builders.asker import Asker
from builders.commands import klantbrug
from builders.configs import read_config, write_config
from builders.notificaties_server import NotificatiesServer, left, notifying, notifying_config, put
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.register import read_slice
from builders.served_process import a_port
from builders.set_clock import SetClock, set_clock_of_schedulers
from builders.stores import ON_POSTGRES
from builders.until import until

from gateway.base import clock as base_clock
from gateway.base.clock import DUTCH_TIME, now
from gateway.cli.terminal.status_text import status_text
from gateway.installation import Installation, open_installation, open_store
from gateway.operator.status import NO_SCHEDULER, overview
from gateway.sample.server import SampleServer
from gateway.server.supervise import FIRST_WAIT
from gateway.store.base.store import Store
from gateway.store.operation import leases, runs
from gateway.store.operation.sources import fetched_at, note_fetched, set_meta, source_id
from jobs import registry
from jobs.common.work import Work
from jobs.job import Job
from jobs.registry import BY_NAME, JOBS, listing, mark_of, run_job, switch, trigger_of, usable
from jobs.scheduler import LEASE, LEASE_SECONDS, STANDBY_SECONDS, Scheduler, SkipMissed

pytestmark = pytest.mark.slow

SECOND = 1_000_000
DAY = 86400 * SECOND
SUNDAY = datetime(2026, 2, 1, tzinfo=DUTCH_TIME)


def test_a_schedule_of_the_config_replaces_that_of_the_job(tmp_path: Path) -> None:
    installation = notifying(tmp_path, "http://127.0.0.1:9/api/v1", '[jobs.outbox]\nschedule = "0 4 * * 0"\n')
    found = trigger_of(BY_NAME["outbox"], installation.config).get_next_fire_time(None, SUNDAY)
    assert found == SUNDAY + timedelta(hours=4)


# One scheduler at a time


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return notifying(tmp_path, "http://127.0.0.1:9/api/v1")


class Counted:
    """A job that counts its runs, and may take time or go wrong."""

    def __init__(self, seconds: float = 0.0, error: Exception | None = None) -> None:
        self.runs: list[float] = []
        self.threads: set[str] = set()
        self.seconds = seconds
        self.error = error

    def __call__(self, work: Work) -> dict[str, int]:
        self.runs.append(base_clock.monotonic())
        self.threads.add(threading.current_thread().name)
        work.stopping.wait(self.seconds)
        if self.error:
            raise self.error
        return {"runs": len(self.runs)}


def a_job(counted: Counted, **how: Any) -> Job:
    return Job("test", "telt", counted, lambda config: "", **how)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    return set_clock_of_schedulers(monkeypatch)


@contextmanager
def scheduling(
    installation: Installation, job: Job, clock: SetClock, lease_seconds: float = 2.0
) -> Iterator[Scheduler]:
    """A scheduler in a thread of this process, that began to schedule or stands by."""
    stop = threading.Event()
    scheduler = Scheduler(installation, [job], lease_seconds)

    def wait(seconds: float) -> bool:
        return clock.wait_again(stop.wait, seconds)

    thread = threading.Thread(target=scheduler.run, args=(wait,))
    thread.start()
    until(lambda: clock.waits(thread))
    try:
        yield scheduler
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def holder(store: Store) -> int | None:
    """The process that schedules; of several, on a store that they share, any."""
    names = [name for name in Probe(store).values("lease", "name") if name.startswith(LEASE)]
    with store.read() as connection:
        return next(filter(None, (leases.holder_of(connection, name) for name in names)), None)


@pytest.mark.slow
def test_a_job_runs_every_so_many_seconds_until_the_scheduler_stops(
    installation: Installation, clock: SetClock
) -> None:
    counted = Counted()
    with scheduling(installation, a_job(counted, seconds=1), clock):
        clock.until(lambda: len(counted.runs) >= 3)
    count = len(counted.runs)
    clock.passes(1.2)
    assert len(counted.runs) == count
    assert all(after - before > 0.5 for before, after in pairwise(counted.runs))
    assert holder(installation.store) is None


@pytest.mark.slow
@pytest.mark.of_the_file  # one schedules; on a database both do, see test_any_machine.py
def test_of_two_schedulers_one_works_and_the_other_takes_over_when_it_stops(
    installation: Installation, clock: SetClock
) -> None:
    first, second = Counted(), Counted()
    with scheduling(installation, a_job(second, seconds=1), clock, lease_seconds=10):
        clock.until(lambda: second.runs)
        with scheduling(installation, a_job(first, seconds=1), clock, lease_seconds=10):
            clock.passes(3)
            assert not first.runs
    with scheduling(installation, a_job(first, seconds=1), clock):
        clock.until(lambda: first.runs)


@pytest.mark.slow
def test_a_run_that_takes_long_is_not_joined_by_another(installation: Installation, clock: SetClock) -> None:
    counted = Counted(seconds=60)
    with scheduling(installation, a_job(counted, seconds=1), clock):
        clock.until(lambda: counted.runs)
        clock.passes(3)
        assert len(counted.runs) == 1


@pytest.mark.slow
@pytest.mark.of_the_file  # one schedules
def test_a_scheduler_that_lost_its_lease_stops_and_stands_by(
    installation: Installation, clock: SetClock
) -> None:
    """As after a sleep of the machine: another process took over and now does the work."""
    counted = Counted()
    with scheduling(installation, a_job(counted, seconds=1), clock):
        clock.until(lambda: counted.runs)
        Tamper(installation.store).take_over(LEASE, now() + 60 * SECOND)
        clock.passes(1.5)
        count = len(counted.runs)
        clock.passes(1.5)
        assert len(counted.runs) == count
        Tamper(installation.store).expire(LEASE)
        clock.until(lambda: len(counted.runs) > count)


def test_a_job_that_fails_is_logged_without_its_text_and_runs_again(
    installation: Installation, caplog: pytest.LogCaptureFixture, clock: SetClock
) -> None:
    counted = Counted(error=ValueError("BSN 123456782"))
    with scheduling(installation, a_job(counted, seconds=1), clock):
        clock.until(lambda: len(counted.runs) >= 2)
    assert "job failed" in caplog.text
    assert "ValueError at" in caplog.text
    assert "123456782" not in caplog.text


def test_a_job_with_nothing_to_do_takes_no_lease(installation: Installation, clock: SetClock) -> None:
    counted = Counted()
    with scheduling(installation, a_job(counted, seconds=1, anything=lambda installation: False), clock):
        clock.passes(1.5)
    assert not counted.runs


# A clock that jumps


@pytest.mark.slow
def test_a_clock_that_is_set_back_or_jumps_ahead_stops_no_job(
    installation: Installation, clock: SetClock
) -> None:
    counted = Counted()
    with scheduling(installation, a_job(counted, seconds=1), clock, lease_seconds=1.0):
        for hours in (0, -2, 20, 1):
            clock.jump(timedelta(hours=hours))
            count = len(counted.runs)
            clock.until(lambda count=count: len(counted.runs) >= count + 2, 30)
            assert len(counted.runs) <= count + 4


@pytest.mark.slow
@pytest.mark.of_the_file  # what is due goes by the clock of the database there
def test_a_moment_that_the_clock_jumped_over_is_met_once_and_comes_again(
    installation: Installation, clock: SetClock
) -> None:
    """Ahead, as after a sleep of the machine; and when it was a mistake, back again."""
    counted = Counted()
    with scheduling(installation, a_job(counted, schedule=hourly()), clock, lease_seconds=1.0):
        clock.passes(0.7)
        assert not counted.runs
        clock.jump(timedelta(days=9))
        clock.until(lambda: counted.runs, 30)
        clock.jump(timedelta(0))
        clock.passes(1.2)
        assert len(counted.runs) == 1
        clock.jump(timedelta(hours=2))
        clock.until(lambda: len(counted.runs) == 2, 30)


def test_moments_that_were_missed_are_not_walked_through(tmp_path: Path) -> None:
    """Of each two seconds of the years that a clock jumped, that would take longer than anyone waits."""
    config = notifying(tmp_path, "http://127.0.0.1:9/api/v1").config
    for job in JOBS:
        trigger = SkipMissed(trigger_of(job, config))
        moment = datetime.now(DUTCH_TIME)
        due = trigger.get_next_fire_time(moment - timedelta(days=3650), moment)
        assert due is not None
        assert due > moment


# Missed runs


def ran(installation: Installation, ago: timedelta) -> None:
    with installation.store.write() as connection:
        started = now() - int(ago.total_seconds() * SECOND)
        runs.record_run(connection, "test", started, runs.FINISHED, {})


def hourly() -> str:
    """Every hour, at a minute that is half an hour away."""
    return f"{(datetime.now(DUTCH_TIME).minute + 30) % 60} * * * *"


def test_a_missed_run_is_caught_up_once(installation: Installation, clock: SetClock) -> None:
    counted = Counted()
    ran(installation, timedelta(days=3))
    job = a_job(counted, schedule=hourly())
    with scheduling(installation, job, clock):
        clock.until(lambda: counted.runs)
        clock.passes(0.5)
    with scheduling(installation, job, clock):
        clock.passes(0.7)
    assert len(counted.runs) == 1
    with installation.store.read() as connection:
        last = runs.last_run(connection, "test")
    assert last is not None
    assert (last[0] > now() - 30 * SECOND, last[1]) == (True, runs.FINISHED)


def test_a_run_that_was_not_missed_waits_for_its_time(installation: Installation, clock: SetClock) -> None:
    counted = Counted()
    ran(installation, timedelta(minutes=1))
    with scheduling(installation, a_job(counted, schedule=hourly()), clock):
        clock.passes(0.7)
    assert not counted.runs


@pytest.mark.of_the_file  # there the claims tell what was missed
def test_a_job_that_never_ran_waits_for_its_time_and_is_caught_up_when_that_was_missed(
    installation: Installation, clock: SetClock
) -> None:
    counted = Counted()
    job = a_job(counted, schedule=hourly())
    with scheduling(installation, job, clock):
        clock.passes(0.7)
    assert not counted.runs
    # As when it first stood by three days ago, and was off at each moment since.
    set_meta(installation.store, mark_of("test"), str(now() - 3 * DAY))
    with scheduling(installation, job, clock):
        clock.until(lambda: counted.runs)
    assert len(counted.runs) == 1


def test_a_moment_at_which_there_was_nothing_to_do_is_not_missed(
    installation: Installation, clock: SetClock
) -> None:
    counted = Counted()
    ran(installation, timedelta(days=3))
    looked: list[bool] = []

    def nothing(installation: Installation) -> bool:
        looked.append(True)
        return False

    with scheduling(installation, a_job(counted, schedule=hourly(), anything=nothing), clock):
        clock.until(lambda: looked)
    with scheduling(installation, a_job(counted, schedule=hourly()), clock):
        clock.passes(0.7)
    assert not counted.runs


@pytest.mark.slow
@pytest.mark.of_the_file  # there the claims tell what was missed
def test_a_job_that_runs_all_the_time_runs_by_its_schedule_when_it_was_given_one(
    tmp_path: Path, clock: SetClock
) -> None:
    """It is not started by each start, also not by what a command did to a source long ago; its runs are recorded."""
    more = f'[jobs.outbox]\nschedule = "{hourly()}"\n'
    installation = notifying(tmp_path, "http://127.0.0.1:9/api/v1", more)
    counted = Counted()
    job = Job("outbox", "telt", counted, lambda config: "", seconds=1)
    with installation.store.write() as connection:
        old = runs.open_run(connection, "outbox", source_id(connection, "bron"))
        runs.end_run(connection, old, runs.FINISHED)
        Tamper(installation.store).started(now() - 30 * DAY)
    with scheduling(installation, job, clock):
        clock.passes(1.7)
    assert not counted.runs
    run_job(installation, job)
    with scheduling(installation, job, clock):
        clock.passes(0.7)
    assert len(counted.runs) == 1
    with installation.store.write() as connection:
        assert runs.last_began(connection, "outbox")
        Tamper(installation.store).started(now() - 3 * DAY)
    set_meta(installation.store, mark_of("outbox"), str(now() - 4 * DAY))
    with scheduling(installation, job, clock):
        clock.until(lambda: len(counted.runs) == 2)
        clock.passes(0.7)
    assert len(counted.runs) == 2


def test_a_failed_run_is_recorded_as_failed(installation: Installation) -> None:
    with pytest.raises(ValueError, match="no"):
        run_job(installation, a_job(Counted(error=ValueError("no")), schedule=hourly()))
    with installation.store.read() as connection:
        last = runs.last_run(connection, "test")
    assert last is not None
    assert last[1] == runs.FAILED
    assert leases.take(installation.store, "job test", 5) is not None


@pytest.mark.slow
def test_what_is_turned_off_while_it_runs_waits_until_it_is_turned_on(
    installation: Installation, clock: SetClock
) -> None:
    counted = Counted()
    store = installation.store
    with scheduling(installation, a_job(counted, seconds=1), clock):
        clock.until(lambda: counted.runs)
        switch(store, "test", on=False)
        clock.passes(1.1)
        count = len(counted.runs)
        clock.passes(1.5)
        assert len(counted.runs) == count
        switch(store, "test", on=True)
        clock.until(lambda: len(counted.runs) > count)


def test_a_switch_goes_before_the_configuration(tmp_path: Path) -> None:
    off = "[jobs.outbox]\nenabled = false\n"
    installation = notifying(tmp_path, "http://127.0.0.1:9/api/v1", off)
    config, store = installation.config, installation.store

    def reason() -> str:
        return next(line.off_because for line in listing(config, store) if line.name == "outbox")

    assert reason() == "[jobs.outbox] enabled is false"
    switch(store, "outbox", on=True)
    assert reason() == ""
    switch(store, "outbox", on=False)
    assert reason() == "klantbrug jobs disable"


def test_a_job_that_gives_no_sign_is_told_of_and_writes_nothing_more(
    installation: Installation,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    clock: SetClock,
) -> None:
    """It hangs; another one takes over; when it wakes, its write is refused with all that goes with it."""
    monkeypatch.setattr(registry, "LEASE_SECONDS", 1)
    store, woken, refused = installation.store, threading.Event(), threading.Event()

    def hangs(work: Work) -> dict[str, int]:
        woken.wait(30)
        try:
            with store.write() as connection:  # not Work.write: nobody in between needs to know of leases
                note_fetched(connection, source_id(connection, "bron"), "te laat", now())
        except leases.Lost:
            refused.set()
            raise
        return {}

    job = Job("test", "hangt", hangs, lambda config: "", seconds=60)
    with scheduling(installation, job, clock, lease_seconds=1.0):
        clock.until(lambda: "job hangs" in caplog.text)
        with store.read() as connection:
            assert leases.grip_of(connection, "job test") == leases.STUCK
        taken = leases.take(store, "job test", 30)
        assert taken is not None
        woken.set()
        assert refused.wait(10)
    assert Probe(store).count("fetched", key="te laat") == 0


@pytest.mark.parametrize(("day", "name"), list(enumerate(["zo", "ma", "di", "wo", "do", "vr", "za", "zo"])))
def test_a_day_of_the_week_is_that_of_cron(tmp_path: Path, day: int, name: str) -> None:
    """0 and 7 are Sunday, for every job that runs by a schedule."""
    job = next(job for job in JOBS if job.schedule)
    installation = notifying(
        tmp_path, "http://127.0.0.1:9/api/v1", f'[jobs.{job.name}]\nschedule = "0 4 * * {day}"\n'
    )
    found = trigger_of(job, installation.config).get_next_fire_time(None, SUNDAY)
    assert ["ma", "di", "wo", "do", "vr", "za", "zo"][found.weekday()] == name


# Purge


def test_purge_forgets_old_runs_and_old_questions_but_not_the_last_run(
    tmp_path: Path, slice_data: Any
) -> None:
    with SampleServer(slice_data) as sample:
        path = write_config(tmp_path / "purge", {"bron": sample}, max_age=300)
        installation = open_installation(read_config(path))
    assert "purge" in [job.name for job in usable(installation.config)]
    source, moment = installation.fetchers["bron"].source, now()
    with installation.store.write() as connection:
        for age in (0, 3000, 90_000):
            note_fetched(connection, source, f"sleutel {age}", moment - age * SECOND)
        for name, age in (
            ("bron sleutel brp:bsn:1", 90_000),
            ("bron sleutel brp:bsn:2", 0),
            ("job sync", 90_000),
        ):
            Tamper(installation.store).add_lease(name, moment - age * SECOND, "x")
        for days in (400, 200, 10):
            runs.record_run(connection, "backfill", moment - days * DAY, runs.FINISHED, {})
        runs.record_run(connection, "verify", moment - 300 * DAY, runs.FINISHED, {})
        Tamper(installation.store).ended_at_once()
    gone = {
        "fetched": 1,
        "turns": 1,
        "runs": 2,
        "events": 0,
        "notifications": 0,
        "emptied": 0,
        "sealed": 0,
        "profiles": 0,
        "texts": 0,
        "audit_files": 0,
        "log_emptied": 0 if ON_POSTGRES else 1,  # that is the database's own
    }
    assert run_job(installation, BY_NAME["purge"]) == gone
    with installation.store.read() as connection:
        assert fetched_at(connection, source, "sleutel 3000")
        assert not fetched_at(connection, source, "sleutel 90000")
        kept = set(Probe(installation.store).values("lease", "name"))
        assert {"bron sleutel brp:bsn:2", "job sync"} == {name for name in kept if name != "job purge"}
    assert [run.job for run in Probe(installation.store).runs()] == ["backfill", "verify", "purge"]


def test_purge_goes_in_pieces(tmp_path: Path, slice_data: Any) -> None:
    with SampleServer(slice_data) as sample:
        path = write_config(tmp_path / "purge", {"bron": sample})
        installation = open_installation(read_config(path))
    source = installation.fetchers["bron"].source
    with installation.store.write() as connection:
        for number in range(2500):
            note_fetched(connection, source, f"sleutel {number}", now() - 3 * DAY)
    assert run_job(installation, BY_NAME["purge"])["fetched"] == 2500


def is_open(zaak: dict[str, Any]) -> bool:
    return zaak["vertrouwelijkheidaanduiding"] == "openbaar"


def has_bsn(rol: dict[str, Any]) -> str:
    return (rol["betrokkeneIdentificatie"] or {}).get("inpBsn", "")


@pytest.mark.of_the_file
def test_purge_leaves_nothing_of_what_was_erased_beside_the_store(tmp_path: Path, slice_data: Any) -> None:
    with SampleServer(slice_data) as sample:
        installation = open_installation(read_config(write_config(tmp_path / "purge", {"bron": sample})))
    open_zaken = {raw["url"]: raw for kind, raw in read_slice() if kind == "zaak" and is_open(raw)}
    rol = next(
        raw for kind, raw in read_slice() if kind == "rol" and raw["zaak"] in open_zaken and has_bsn(raw)
    )
    bsn, uuid, zaak = has_bsn(rol).encode(), UUID(rol["uuid"]), open_zaken[rol["zaak"]]
    installation.ingest.take("bron", "zaak", [zaak], asked=0)
    installation.ingest.take("bron", "rol", [rol], asked=0)
    path = installation.config.store.path

    def holds(name: str) -> bool:
        return bsn in path.with_name(path.name + name).read_bytes()

    assert holds("-wal")
    installation.ingest.remove("bron", "rol", [uuid])
    assert holds("-wal")  # as it was before it was erased
    run_job(installation, BY_NAME["purge"])
    assert not holds("-wal")
    assert not holds("")


# Processes


def children(process: int) -> list[int]:
    """The processes whose parent this is."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue  # it ended just now
            if int(stat.rpartition(")")[2].split()[1]) == process:
                found.append(int(folder.name))
    return found


def words(process: int) -> list[str]:
    try:
        return (Path("/proc") / str(process) / "cmdline").read_text().split("\0")
    except OSError:
        return []


def jobs_process(serve: int) -> int | None:
    """The jobs process beside a server, when it is there."""
    for keeper in children(serve):
        if "gateway.server.supervise" in words(keeper):
            for child in children(keeper):
                if "gateway.server.supervise" not in words(child):
                    return child
    return None


def gone(process: int) -> bool:
    try:
        state = (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")


@pytest.fixture
def config(tmp_path: Path, notificaties: NotificatiesServer) -> Path:
    more = f'[gateway]\nbind = "127.0.0.1:{a_port()}"\nworkers = 2\n'
    return notifying_config(tmp_path, notificaties.url, more)


@pytest.mark.slow
@pytest.mark.of_the_file  # one schedules
def test_killed_it_is_taken_over_by_the_one_that_stands_by(config: Path, run_log: Path) -> None:
    store = open_store(read_config(config))
    with klantbrug(run_log, "--config", config, "jobs") as first:
        until(lambda: holder(store) == first.pid)
        with klantbrug(run_log, "--config", config, "jobs", "serve") as second:
            time.sleep(3)  # real processes
            assert holder(store) == first.pid
            first.kill()
            first.wait()
            until(lambda: holder(store) == second.pid, 30)
            put(store, "a")
            until(lambda: left(store)["waiting"] == 0)


def test_the_lease_of_a_dead_scheduler_is_free_within_half_a_minute() -> None:
    """Also where its process number says nothing, as in another container."""
    assert LEASE_SECONDS + STANDBY_SECONDS <= 25


HASTY = """
import sys
from pathlib import Path
from gateway.config.load import load_config
from gateway.installation import open_installation
from jobs.scheduler import Scheduler, UntilStopped

installation = open_installation(load_config(Path(sys.argv[1]), {}))
Scheduler(installation, lease_seconds=4.0).run(UntilStopped())
"""


@pytest.mark.slow
@pytest.mark.of_the_file  # one schedules
def test_hanging_it_is_taken_over_too_and_stands_by_when_it_wakes(config: Path) -> None:
    """Two schedulers that give up on each other after four seconds."""
    store = open_store(read_config(config))
    both = []
    try:
        for _ in range(2):
            both.append(subprocess.Popen([sys.executable, "-c", HASTY, str(config)]))
            until(lambda: holder(store) == both[0].pid)
        time.sleep(1.5)  # real processes, that look every second
        both[0].send_signal(signal.SIGSTOP)
        until(lambda: holder(store) == both[1].pid, 30)
        both[0].send_signal(signal.SIGCONT)
        time.sleep(1.5)  # the same
        assert holder(store) == both[1].pid
        assert both[0].poll() is None
    finally:
        for process in both:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_it_stops_at_once_when_told_and_gives_its_lease_back(config: Path, run_log: Path) -> None:
    store = open_store(read_config(config))
    for number in (signal.SIGTERM, signal.SIGINT):
        with klantbrug(run_log, "--config", config, "jobs") as process:
            until(lambda process=process: holder(store) == process.pid)
            process.send_signal(number)
            assert process.wait(20) == 0
        assert holder(store) is None


@pytest.mark.slow
@needs_proc
def test_serve_keeps_a_jobs_process_alive_and_stops_with_it(
    config: Path, run_log: Path, notificaties: NotificatiesServer
) -> None:
    store = open_store(read_config(config))
    with klantbrug(run_log, "--config", config, "serve") as process:
        until(lambda: holder(store) is not None)
        first = jobs_process(process.pid)
        assert first is not None
        assert first == holder(store)
        assert "jobs" in words(first)
        put(store, "a")
        # Not only taken by the service: killed before it wrote that down, its successor rightly sends "a" again.
        until(lambda: left(store)["waiting"] == 0)
        os.kill(first, signal.SIGKILL)
        until(lambda: holder(store) not in (None, first))
        second = jobs_process(process.pid)
        assert second is not None
        put(store, "b")
        until(lambda: notificaties.subjects() == ["a", "b"])
        process.terminate()
        process.wait(30)
        until(lambda: gone(second), 30)


@pytest.mark.slow
@needs_proc
def test_killed_hard_a_server_leaves_no_jobs_process_behind(config: Path, run_log: Path) -> None:
    store = open_store(read_config(config))
    with klantbrug(run_log, "--config", config, "serve") as process:
        until(lambda: holder(store) is not None)
        jobs = jobs_process(process.pid)
        assert jobs is not None
        process.kill()
        until(lambda: gone(jobs), 30)


def keeper_of(serve: int) -> int | None:
    """What looks after the jobs process beside a server, when it is there."""
    return next((child for child in children(serve) if "gateway.server.supervise" in words(child)), None)


@pytest.mark.slow
@needs_proc
def test_killed_hard_a_supervisor_takes_its_jobs_process_along_and_both_are_started_again(
    config: Path, run_log: Path, tmp_path: Path
) -> None:
    """A jobs process that nobody looks after would outlive its server; and without one nothing is kept in step."""
    store = open_store(read_config(config))
    said = tmp_path / "said.log"
    with said.open("w") as file, klantbrug(run_log, "--config", config, "serve", stderr=file) as process:
        until(lambda: holder(store) is not None)
        jobs, keeper = jobs_process(process.pid), keeper_of(process.pid)
        assert jobs is not None
        assert keeper is not None
        os.kill(keeper, signal.SIGKILL)
        until(lambda: gone(jobs), 60)
        until(lambda: holder(store) not in (None, jobs), 60)
        assert process.poll() is None
        second = jobs_process(process.pid)
        assert second == holder(store)
        process.terminate()
        assert process.wait(60) == 0
        until(lambda: gone(second), 60)
    assert "what looks after the jobs ended, starting it again" in said.read_text()


@pytest.mark.slow
@needs_proc
def test_a_supervisor_that_was_told_to_stop_is_not_started_again_at_once(config: Path, run_log: Path) -> None:
    """Mostly its server was told so too, and takes its time: it still answers."""
    store = open_store(read_config(config))
    with klantbrug(run_log, "--config", config, "serve") as process:
        until(lambda: holder(store) is not None)
        keeper = keeper_of(process.pid)
        assert keeper is not None
        os.kill(keeper, signal.SIGTERM)
        until(lambda: holder(store) is None)
        time.sleep(4 * FIRST_WAIT)  # a real supervisor
        assert keeper_of(process.pid) in (None, keeper)


def test_the_status_says_when_no_process_runs_the_jobs(tmp_path: Path, clock: SetClock) -> None:
    assert LEASE == leases.SCHEDULER
    installation = notifying(tmp_path / "on", "http://127.0.0.1:9/api/v1")
    told = overview(installation.store, installation.config)
    assert told["scheduler"] == {"wanted": True, "runs": False}
    asker = Asker(installation)
    assert NO_SCHEDULER in " ".join(status_text(told).split())
    assert NO_SCHEDULER in " ".join(asker.page().split())

    with scheduling(installation, a_job(Counted(), seconds=60), clock):
        clock.until(lambda: holder(installation.store) is not None)
        told = overview(installation.store, installation.config)
        assert told["scheduler"] == {"wanted": True, "runs": True}
        assert "jobs" not in status_text(told)
        page = Asker(installation).page()
        assert NO_SCHEDULER not in page

    off = "".join(f"[jobs.{job.name}]\nenabled = false\n" for job in JOBS)
    installation = notifying(tmp_path / "off", "http://127.0.0.1:9/api/v1", off)
    told = overview(installation.store, installation.config)
    assert told["scheduler"] == {"wanted": False, "runs": False}
    assert "jobs" not in status_text(told)


@pytest.mark.slow
@needs_proc
def test_without_jobs_no_process_is_started(config: Path, run_log: Path) -> None:
    with klantbrug(run_log, "--config", config, "serve", "--no-jobs") as process:
        until(lambda: len(children(process.pid)) >= 2)
        time.sleep(1)  # a real server
        assert not [child for child in children(process.pid) if "gateway.server.supervise" in words(child)]


@pytest.mark.slow
@needs_proc
def test_the_jobs_process_has_no_threads_before_it_is_one(config: Path, run_log: Path) -> None:
    """Its supervisor, started before the server, has no threads, so that nothing is forked with a lock held."""
    store = open_store(read_config(config))
    with klantbrug(run_log, "--config", config, "serve") as process:
        until(lambda: holder(store) is not None)
        keepers = [child for child in children(process.pid) if "gateway.server.supervise" in words(child)]
        assert keepers
        for single in keepers:
            assert len(list((Path("/proc") / str(single) / "task").iterdir())) == 1


@pytest.mark.slow
def test_a_process_that_dies_at_once_is_not_restarted_at_full_speed(tmp_path: Path) -> None:
    """And the supervisor of a parent that is not its own starts nothing at all."""
    marks = tmp_path / "marks"
    program = f"open({str(marks)!r}, 'a').write('x')"
    supervise = [sys.executable, "-m", "gateway.server.supervise"]
    process = subprocess.Popen([*supervise, str(os.getpid()), sys.executable, "-c", program])
    until(marks.exists)
    time.sleep(3)  # a real supervisor
    process.terminate()
    assert process.wait(20) == 0
    assert 1 <= len(marks.read_text()) <= 3
    marks.unlink()
    subprocess.run([*supervise, "1", sys.executable, "-c", program], check=True, timeout=20)
    assert not marks.exists()
