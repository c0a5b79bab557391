"""Any number of processes runs the jobs of a store on PostgreSQL: each turn once, sources side by side."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from builders.configs import UUID_SECRET, read_config
from builders.probe.probe import Probe
from builders.stores import ON_POSTGRES, store_keys
from builders.until import until

from gateway.base.clock import now
from gateway.installation import Installation, open_installation
from gateway.store.machines import claimed
from gateway.store.operation import leases, runs
from jobs.common.work import Work
from jobs.job import Job
from jobs.scheduler import LEASE, Scheduler

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database"),
]
MINUTE = 60
SOURCES = ("een", "twee", "drie", "vier")


class Runs:
    """Notes who ran what when."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.noted: list[tuple[int, str, float]] = []
        self.at_once = self.most = 0
        self._lock = threading.Lock()

    def job(self, machine: int, **how: Any) -> Job:
        def work(work: Work) -> dict[str, int]:
            source = ",".join(work.installation.fetchers)
            with self._lock:
                self.noted.append((machine, source, time.time()))
                self.at_once += 1
                self.most = max(self.most, self.at_once)
            work.stopping.wait(self.seconds)
            with self._lock:
                self.at_once -= 1
            return {"done": 1}

        return Job("test", "telt", work, lambda config: "", **how)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    text = f'[store]\n{store_keys(tmp_path / "klantbrug.db")}uuid_secret = "{UUID_SECRET}"\n'
    text += '[mapping]\nmax_vertrouwelijkheidaanduiding = "zaakvertrouwelijk"\n'
    for name in SOURCES:
        text += (
            f'[[source]]\nname = "{name}"\nzaken_url = "http://127.0.0.1:9/zaken/api/v1/"\n'
            'client_id = "me"\nsecret = "a secret that is long enough for everybody"\n'
        )
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def scheduling(config: Path, *jobs: Job) -> Iterator[list[Installation]]:
    """Schedulers as of so many machines, for the block."""
    stop = threading.Event()
    with ExitStack() as stack:
        made = [open_installation(read_config(config)) for _ in jobs]
        threads = [
            threading.Thread(target=Scheduler(one, [job], 4.0).run, args=(stop.wait,))
            for one, job in zip(made, jobs, strict=True)
        ]
        for one in made:
            stack.callback(one.store.close)
        try:
            for thread in threads:
                thread.start()
            yield made
        finally:
            stop.set()
            for thread in threads:
                thread.join(20)
                assert not thread.is_alive()


def test_what_runs_all_the_time_runs_once_in_each_time_and_on_all_machines(config: Path) -> None:
    noted = Runs(seconds=0.6)
    began = time.time()
    with scheduling(config, *(noted.job(number, seconds=1, by_source=True) for number in range(3))):
        until(lambda: len(noted.noted) >= 30)
    passed = time.time() - began
    each = Counter(source for _, source, _ in noted.noted)
    assert set(each) == set(SOURCES)
    assert max(each.values()) <= passed + 2
    assert len({machine for machine, _, _ in noted.noted}) > 1
    assert noted.most > 1


def test_of_a_schedule_each_moment_is_met_once(config: Path) -> None:
    noted = Runs()
    jobs = [noted.job(number, schedule="* * * * *") for number in range(3)]
    with scheduling(config, *jobs) as made:
        until(lambda: noted.noted, MINUTE + 20)
        time.sleep(8)  # longer than it takes to find what nobody ran
        assert len({int(at // MINUTE) for _, _, at in noted.noted}) == len(noted.noted)
        with made[0].store.read() as session:
            assert leases.jobs_run(session)
        probe = Probe(made[0].store)
        assert probe.count("run", job="test") == len(noted.noted)
        names = probe.values("lease", "name")
    assert sum(name.startswith(LEASE) for name in names) == 3


def test_what_died_with_its_process_is_run_by_another(config: Path) -> None:
    noted = Runs()
    installation = open_installation(read_config(config))
    with installation.store.write() as session:
        # As one that claimed the last moment left it.
        moment = now() // (3600 * 1_000_000) * 3600 * 1_000_000
        assert claimed.claim(session, "test", lambda _: moment, done=False)
        run = runs.open_run(session, "rebuild", None)

    def status() -> str:
        found: list[str] = Probe(installation.store).values("run", "status", id=run.id)
        return found[0]

    with scheduling(config, noted.job(1, schedule="0 * * * *")):
        until(lambda: noted.noted, 30)
        until(lambda: status() == runs.INTERRUPTED, 30)
    assert len(noted.noted) == 1
    installation.store.close()
