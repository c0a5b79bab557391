"""What probes are told: does it live, may it be asked, does something stand still."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from builders.following import backfilled
from builders.sample_data import sample_slice, some_zaken
from builders.set_clock import SetClock
from builders.until import until
from builders.watched_gateway import WatchedGateway, watched_gateway

from gateway.installation import Installation
from gateway.legacy.pacing import server_gates
from gateway.operator.rooms.overview import whole_overview
from gateway.operator.watch.standing import Watch
from gateway.sample.server import SampleServer
from gateway.store.operation import leases

slow = pytest.mark.slow
QUIET = "[jobs.sync]\nenabled = false\n[jobs.sweep]\nenabled = false\n"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, run_log: Path) -> Iterator[WatchedGateway]:
    """One without a jobs process."""
    with (
        SampleServer(some_zaken(sample_slice(), 5)) as sample,
        watched_gateway(tmp_path_factory.mktemp("health"), run_log, sample, QUIET, "--no-jobs") as running,
    ):
        yield running


@pytest.fixture
def ending(tmp_path: Path, run_log: Path) -> Iterator[WatchedGateway]:
    """One for a test that ends it."""
    with (
        SampleServer(some_zaken(sample_slice(), 50)) as sample,
        watched_gateway(tmp_path / "health-ending", run_log, sample, QUIET, "--no-jobs") as running,
    ):
        yield running


@slow
def test_without_a_token_it_says_what_stands_still_in_one_word(gateway):
    status, headers, body = gateway.ask("/health/status", token="")
    assert (status, headers["cache-control"]) == (503, "no-store")
    assert json.loads(body) == {"status": "stands still", "standing_still": ["jobs"]}


@slow
def test_a_monitor_is_told_all_of_it(gateway):
    gateway.ask(gateway.some_person())  # the store knows the source from now on

    def told() -> bool:
        return bool(json.loads(gateway.ask("/health/status", token=gateway.monitor)[2])["sources"])

    until(told)
    status, _, body = gateway.ask("/health/status", token=gateway.monitor)
    found = json.loads(body)
    assert status == 503
    assert found["jobs"] == {"wanted": True, "runs": False, "hanging": []}
    (standing,) = found["standing_still"]
    assert (standing["what"], standing["of"]) == ("jobs", "")
    assert "klantbrug jobs" in standing["text"]
    assert found["sources"]["bron"] == {
        "phase": "live",
        "coverage": "partial",
        "breaker": "dicht",
        "waiting": None,
        "synced": None,
        "swept": None,
        "proof": None,
    }


@slow
def test_a_token_that_is_no_monitors_is_refused(gateway):
    assert gateway.ask("/health/status")[0] == 403
    assert gateway.ask("/health/status", token="kb_wrong")[0] == 401


@slow
def test_a_process_that_stops_says_that_it_is_not_ready(ending):
    gateway = ending
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)) as connection:
        connection.request("GET", "/health/ready")
        assert connection.getresponse().read() == b'{"status":"ready"}'
        gateway.process.send_signal(signal.SIGTERM)
        statuses = []
        with contextlib.suppress(OSError, http.client.HTTPException):
            for _ in range(200):  # until the connection ends, half a second later
                connection.request("GET", "/health/ready")
                answer = connection.getresponse()
                statuses.append(answer.status)
                last = answer.read()
                time.sleep(0.005)
    assert statuses[-1] == 503
    assert json.loads(last)["detail"] == "Dit proces stopt."
    assert gateway.process.wait(timeout=30) == 0


@pytest.fixture
def watch(filled: Installation) -> Watch:
    """What watches an installation that read all of its source, and whose jobs are not wanted."""
    return Watch(filled.store, filled.config)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    return SetClock(monkeypatch, skips=True)


def words(watch: Watch) -> list[tuple[str, str]]:
    watch._held = None
    return [(each.what, each.of) for each in watch.standstills() if each.what != "jobs"]


@pytest.mark.slow
def test_a_source_that_was_read_and_is_followed_stands_still_in_nothing(watch):
    assert words(watch) == []
    source = watch.told()[1]["sources"]["bron"]
    assert (source["coverage"], source["breaker"]) == ("complete", "dicht")


@pytest.mark.slow
def test_a_sync_that_is_overdue_is_told_and_one_that_an_operator_holds_is_not(watch, filled, monkeypatch):
    moved = SetClock(monkeypatch, skips=True)
    moved._jumped = timedelta(hours=1).total_seconds()
    assert words(watch) == [("sync", "bron")]
    (source,) = filled.config.sources
    server_gates.pause(filled.store.path, source)
    assert words(watch) == []
    server_gates.resume(filled.store.path, source)
    assert words(watch) == [("sync", "bron")]


@pytest.mark.slow
def test_a_source_that_does_not_answer_is_told(
    install: Callable[..., Installation], server: SampleServer, monkeypatch
):
    installation = backfilled(install(bron=server))
    clock = SetClock(monkeypatch, skips=True)
    server.traps.error_rate = 1.0
    (source,) = installation.config.sources
    gate = installation.fetchers["bron"].client
    with contextlib.suppress(Exception):
        for _ in range(3):
            list(gate.pages("rol"))
    assert server_gates.describe(installation.store.path, source)["breaker"] != "dicht"
    assert words(Watch(installation.store, installation.config)) == [("source", "bron")]
    assert clock.skips


@pytest.mark.slow
def test_a_job_that_hangs_is_said_first_on_the_overview(filled: Installation) -> None:
    assert leases.take(filled.store, leases.SCHEDULER, 600)
    assert leases.take(filled.store, "job sync", -1)
    assert words(Watch(filled.store, filled.config)) == [("job", "sync")]
    said = whole_overview(filled.store, filled.config)["standing"]
    assert (said["word"], said["level"]) == ("Job hangt", "bad")
