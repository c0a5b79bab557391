"""A running backfill, steered from elsewhere: pause, resume, stop, set and status, by command and over HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders.backfill_threads import InThread
from builders.backfill_threads import attentive as attentive
from builders.commands import klantbrug
from builders.configs import read_config, write_config
from builders.sample_data import some_zaken
from builders.stores import ON_POSTGRES
from builders.until import until
from click.testing import CliRunner, Result

from gateway.app import create_app
from gateway.base.clock import DUTCH_TIME
from gateway.base.time_windows import DAYS
from gateway.cli.main import cli
from gateway.http.auth import create_token
from gateway.installation import Installation, open_installation
from gateway.legacy.background import background
from gateway.legacy.errors import Unreachable, WaitTooLong
from gateway.legacy.pacing import server_gates
from gateway.operator import backfills
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.inspect.status import status
from gateway.store.operation import runs
from jobs.backfill.backfill import Backfill, BackfillStopped
from jobs.registry import BY_NAME, off_because, run_job

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]


@pytest.fixture
def slow(slice_data: Dataset) -> Iterator[SampleServer]:
    """A source of 100 objects a page, a tenth of a second each."""
    with SampleServer(some_zaken(slice_data, 6), version="1.5.1", open_zaak=False) as server:
        server.traps.slow = 0.1
        yield server


class Running(InThread):
    """A backfill in a thread of this process, with its store to steer it by."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation.store)
        self.source = installation.config.sources[0]
        self.outcome: list[Any] = []
        fetcher = installation.fetchers["bron"]
        self.backfill = Backfill(fetcher, stopping=self.stopping)

    def work(self) -> None:
        try:
            self.outcome.append(self.backfill.run())
        except (BackfillStopped, AssertionError) as error:
            self.outcome.append(error)

    def now(self) -> dict[str, Any]:
        """What it tells of itself; empty before it tells."""
        return backfills.overview(self.store, [self.source])["sources"]["bron"]["now"] or {}

    def until(self, what: Callable[[dict[str, Any]], object], seconds: float = 20) -> dict[str, Any]:
        return until(lambda: next((news for news in [self.now()] if what(news)), None), seconds)


def command(config: Path, *arguments: str) -> Result:
    """Steer: in this process, while the backfill runs in another."""
    return CliRunner().invoke(cli, ["--config", str(config), "backfill", *arguments])


def test_paused_nothing_is_asked_and_resumed_it_ends_complete(slow: SampleServer, install: Install) -> None:
    with Running(install(bron=slow)) as running:
        running.until(lambda news: news.get("done", 0) > 0)
        backfills.pause(running.store, running.source)
        assert running.until(lambda news: news.get("waits"))["waits"] == "gepauzeerd"
        time.sleep(0.3)  # in which the calls under way end
        before = slow.calls_count
        time.sleep(0.5)  # in which others would be made
        assert slow.calls_count == before
        slow.traps.slow = 0
        backfills.resume(running.store, running.source)
        running.thread.join(30)
        assert running.outcome == [True]


def test_stopped_it_keeps_its_place_and_the_next_run_goes_on(slow: SampleServer, install: Install) -> None:
    installation, slow.traps.slow = install(bron=slow), 0.4
    with Running(installation) as running:
        running.until(lambda news: news.get("kind") == "rol" and news["done"] > 100)
        backfills.stop(running.store, running.source)
        running.thread.join(10)
        assert isinstance(running.outcome[0], BackfillStopped)
    run = status(installation.store)["runs"][0]
    assert run["status"] == runs.INTERRUPTED
    with pytest.raises(backfills.NothingRuns):
        backfills.stop(installation.store, running.source)
    assert not backfills.pause(installation.store, running.source)
    assert backfills.resume(installation.store, running.source) == backfills.Resumed(True, True, False)
    slow.traps.slow = 0
    slow.reset_calls()
    assert Backfill(installation.fetchers["bron"]).run()
    assert [call.path.split("?")[0].rsplit("/", 1)[1] for call in slow.calls[1:3]] == ["rollen", "rollen"]
    assert [run["status"] for run in status(installation.store)["runs"]] == [runs.FINISHED]


def test_set_changes_the_pace_while_it_runs_and_only_of_this_run(
    slow: SampleServer, install: Install
) -> None:
    slow.traps.slow = 0.02
    installation = install(bron=slow)
    source, path = installation.config.sources[0], installation.store.path
    with Running(installation) as running:
        running.until(lambda news: news)
        backfills.set_limits(running.store, source, backfills.BackfillLimits(rate=100, connections=1))
        running.until(lambda news: news.get("rate") == 100 and news["connections"] == 1)
        news = running.until(lambda news: news.get("limited_by") == "snelheid (objecten/s)")
        assert not news["waits"]
        backfills.set_limits(running.store, source, backfills.BackfillLimits(rate=0, connections=3))
        slow.traps.slow = 0
        running.thread.join(30)
        assert running.outcome == [True]
    assert server_gates.describe(path, source)["overrides"] == {}
    for limits in (
        backfills.BackfillLimits(),
        backfills.BackfillLimits(connections=0),
        backfills.BackfillLimits(rate=-1),
    ):
        with pytest.raises(backfills.NotPossible):
            backfills.set_limits(installation.store, source, limits)


def test_outside_the_window_it_waits_and_says_until_when(
    slow: SampleServer, tmp_path: Path, install: Install
) -> None:
    opens = datetime.now(DUTCH_TIME) + timedelta(hours=3)
    window = f"{opens:%H:%M}-{opens + timedelta(hours=1):%H:%M}"
    config = write_config(tmp_path / "here", {"bron": slow})
    config.write_text(config.read_text() + f'window = "{window}"\n')
    with Running(install(config)) as running:
        news = running.until(lambda news: news.get("waits"))
        day = "" if opens.date() == datetime.now(DUTCH_TIME).date() else f"{DAYS[opens.weekday()]} "
        assert news["waits"] == f"buiten het venster, verder {day}om {opens:%H:%M}"
        assert slow.calls_count == 0
        backfills.stop(running.store, running.source)
        running.thread.join(5)
        assert isinstance(running.outcome[0], BackfillStopped)


def test_a_second_run_takes_back_no_pause_and_no_stop(
    slow: SampleServer, tmp_path: Path, run_log: Path, install: Install
) -> None:
    config = write_config(tmp_path / "here", {"bron": slow})
    with Running(install(config)) as running:
        running.until(lambda news: news.get("done", 0) > 0)
        backfills.pause(running.store, running.source)
        running.until(lambda news: news.get("waits") == "gepauzeerd")
        with klantbrug(run_log, "--config", config, "backfill", "run") as process:
            assert process.wait(timeout=15) == 1
        assert server_gates.describe(running.store.path, running.source)["paused"]
        backfills.stop(running.store, running.source)
        running.thread.join(10)
        assert isinstance(running.outcome[0], BackfillStopped)
    slow.traps.slow = 0
    with klantbrug(run_log, "--config", config, "backfill", "run") as process:
        assert process.wait(timeout=30) == 0


def test_a_source_that_asks_for_rest_at_once_leaves_it_able_to_hear_and_to_tell(
    slow: SampleServer, install: Install
) -> None:
    slow.traps.too_many_rate, slow.traps.retry_after = 1, 600
    with Running(install(bron=slow)) as running:
        news = running.until(lambda news: news.get("waits"))
        assert news["waits"].startswith("bron vraagt rust (Retry-After), verder ")
        backfills.pause(running.store, running.source)
        running.until(lambda news: news.get("waits") == "gepauzeerd")
        backfills.resume(running.store, running.source)
        running.until(lambda news: news.get("waits", "").startswith("bron vraagt rust"))
        backfills.stop(running.store, running.source)
        running.thread.join(3)
        assert isinstance(running.outcome[0], BackfillStopped)
    assert slow.calls_count == 1


def test_a_source_that_asked_for_a_little_rest_is_read_after_it(slow: SampleServer, install: Install) -> None:
    slow.traps.slow, slow.traps.too_many_rate = 0, 1
    with Running(install(bron=slow)) as running:
        running.until(lambda _: slow.calls_count)
        slow.traps.too_many_rate = 0
        running.thread.join(30)
        assert running.outcome == [True]


def test_a_source_that_is_down_at_its_begin_ends_the_run(slow: SampleServer, install: Install) -> None:
    fetcher, slow.traps.down = install(bron=slow).fetchers["bron"], True
    for error in (Unreachable, WaitTooLong):  # then the circuit breaker is open, which is not waited for
        began = time.monotonic()
        with pytest.raises(error):
            Backfill(fetcher).run()
        assert time.monotonic() - began < 8


def test_another_process_steers_by_command(slow: SampleServer, tmp_path: Path, run_log: Path) -> None:
    config, slow.traps.slow = write_config(tmp_path / "here", {"bron": slow}), 0.3

    def overview() -> dict[str, Any]:
        return json.loads(command(config, "status", "--json").stdout)["sources"]["bron"]

    looked_in = "er liep nog geen backfill" in command(config, "status").stdout
    assert looked_in == ON_POSTGRES, (
        "there is no store to look in; a schema of the tests has its tables already"
    )
    open_installation(read_config(config)).store.close()
    assert "er liep nog geen backfill" in command(config, "status").stdout
    nothing = command(config, "stop")
    assert (nothing.exit_code, nothing.stderr.strip()) == (1, "Er loopt geen backfill van bron bron.")
    with klantbrug(run_log, "--config", config, "backfill", "run") as process:
        until = time.monotonic() + 20
        while not (one := overview())["now"] or not one["now"]["kind"]:
            assert time.monotonic() < until
        assert one["running"]
        assert set(one["run"]["kinds"]["zaak"]) == {"seen", "stored", "changed", "unchanged", "quarantined"}
        paused = command(config, "pause")
        assert (paused.exit_code, "wacht; verder met resume" in paused.stdout) == (0, True)
        assert "wacht: gepauzeerd" in command(config, "status").stdout
        assert command(config, "set", "rate=5000", "connections=1").exit_code == 0
        assert command(config, "resume").exit_code == 0
        assert command(config, "stop").exit_code == 0
        assert process.wait(timeout=15) == 1
    told = command(config, "status").stdout
    assert "er loopt geen backfill; de laatste is onderbroken. gestopt met klantbrug backfill stop" in told
    assert "Hij begint niet vanzelf: verder met klantbrug backfill run" in told
    assert "gaat bij de volgende start verder" not in told
    assert "Met backfill set ingesteld, tot er een backfill klaar is: connections=1, objects" in told
    wrong = command(config, "set", "connections=99", "--source", "bron")
    assert wrong.exit_code == 2
    assert "connections is 1 tot en met" in wrong.stderr
    assert command(config, "set", "snelheid=veel").exit_code == 2


def test_a_run_whose_process_was_killed_is_not_shown_as_running(
    slow: SampleServer, tmp_path: Path, run_log: Path, install: Install
) -> None:
    config = write_config(tmp_path / "here", {"bron": slow})
    with klantbrug(run_log, "--config", config, "backfill") as process:
        installation = install(config)
        store = installation.store
        until(
            lambda: backfills.overview(store, installation.config.sources)["sources"]["bron"]["running"], 20
        )
        process.kill()
        process.wait()
    one = backfills.overview(store, installation.config.sources)["sources"]["bron"]
    assert (one["running"], one["run"]["status"], one["now"]) == (False, runs.INTERRUPTED, None)
    assert status(store)["runs"][0]["status"] == runs.INTERRUPTED
    with pytest.raises(backfills.NothingRuns):
        backfills.stop(store, installation.config.sources[0])


def test_operators_steer_over_http(slow: SampleServer, install: Install) -> None:
    installation = install(bron=slow)
    client = create_app(
        installation.config, store=installation.store, hydrator=installation.hydrator()
    ).test_client()
    headers = {"Authorization": f"Token {create_token(installation.store, 'baas', 'operate')}"}
    reader = {"Authorization": f"Token {create_token(installation.store, 'lezer', 'read')}"}
    base = "/beheer/api/v1/backfill"

    def post(deed: str, body: str | None = None, source: str = "bron") -> Any:
        return client.post(f"{base}/{source}/{deed}", headers=headers, data=body)

    assert client.get(base, headers=reader).status_code == 403
    assert client.post(f"{base}/bron/stop", headers=reader).status_code == 403
    nothing = post("stop")
    assert (nothing.status_code, nothing.json["detail"]) == (409, "Er loopt geen backfill van bron bron.")
    with Running(installation) as running:
        running.until(lambda news: news)
        assert post("pause").json["sources"]["bron"]["running"]
        running.until(lambda news: news.get("waits") == "gepauzeerd")
        assert client.get(base, headers=headers).json["sources"]["bron"]["now"]["waits"] == "gepauzeerd"
        assert post("resume").status_code == 200
        assert post("set", '{"rate": 5000, "connections": 1}').status_code == 200
        running.until(lambda news: news.get("rate") == 5000)
        for body in (
            '{"rate": "5"}',
            '{"connections": 1.5}',
            '{"tempo": 1}',
            "{}",
            '{"rate": true}',
            "[]",
            "x",
        ):
            assert post("set", body).status_code == 400, body
        assert post("set", '{"connections": 99}').status_code == 400
        assert post("dans").status_code == 404
        assert post("pause", source="anders").status_code == 404
        assert post("stop").status_code == 200
        running.thread.join(10)
        assert isinstance(running.outcome[0], BackfillStopped)


def test_the_job_is_off_by_default_and_leaves_alone_what_an_operator_stopped(
    slow: SampleServer, tmp_path: Path, install: Install
) -> None:
    config = write_config(tmp_path / "here", {"bron": slow})
    job = BY_NAME["backfill"]
    installation = install(config)
    assert off_because(job, installation.config, installation.store) == "er is geen [jobs.backfill]"
    config.write_text(config.read_text() + "[jobs.backfill]\n")
    installation = install(config)
    assert not off_because(job, installation.config, installation.store)
    with Running(installation) as running:
        running.until(lambda news: news)
        backfills.stop(running.store, running.source)
        running.thread.join(10)
    assert not job.anything(installation)
    backfills.resume(installation.store, running.source)
    assert job.anything(installation)
    slow.traps.slow = 0
    assert run_job(installation, job) == {"complete": 1, "incomplete": 0, "stopped": 0, "failed": 0}
    assert not job.anything(installation)


def test_the_job_stops_when_its_process_does(slow: SampleServer, install: Install) -> None:
    installation, stopping = install(bron=slow), threading.Event()
    threading.Timer(1.0, stopping.set).start()
    began = time.monotonic()
    assert run_job(installation, BY_NAME["backfill"], stopping)["stopped"] == 1
    assert time.monotonic() - began < 5
    assert BY_NAME["backfill"].anything(installation)


def test_the_jobs_of_a_source_are_paused_and_slowed_outside_a_backfill_too(
    slow: SampleServer, tmp_path: Path, install: Install
) -> None:
    config = write_config(tmp_path / "here", {"bron": slow})
    installation = install(config)
    source, path = installation.config.sources[0], installation.store.path
    paused = command(config, "pause", "--source", "bron")
    assert (paused.exit_code, paused.stderr) == (0, "")
    assert "De jobs op bron bron wachten, tot resume; er loopt geen backfill." in paused.stdout
    with background(patience=0.1), pytest.raises(WaitTooLong):
        installation.fetchers["bron"].client.version()
    assert command(config, "resume").exit_code == 0
    slowed = command(config, "set", "rate=7", "connections=1")
    assert (slowed.exit_code, slowed.stderr) == (0, "")
    assert server_gates.describe(path, source)["overrides"] == {"connections": 1, "objects_per_second": 7.0}
    assert "tempo van de configuratie" in command(config, "set", "--undo").stdout
    assert server_gates.describe(path, source)["overrides"] == {}
    for wrong in (("set",), ("set", "--undo", "rate=1")):
        assert command(config, *wrong).exit_code == 2


@pytest.mark.of_the_file  # in a database it is told by the store too
def test_a_pause_that_the_running_process_does_not_hear_of_is_told_as_that(
    slow: SampleServer, tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when it looks at another file: what counts is what it says, not what was written."""
    monkeypatch.setattr(backfills, "REPORTS_WITHIN", 1.5)
    config = write_config(tmp_path / "here", {"bron": slow})
    with Running(install(config)) as running:
        running.until(lambda news: news.get("done", 0) > 0)
        slow.traps.slow = 1
        (pace,) = (tmp_path / "here").glob("*.pace")
        pace.rename(pace.with_suffix(".old"))  # the process keeps the old one open
        told = command(config, "pause")
        assert told.exit_code == 1
        assert "niet gemeld dat het wacht" in told.stderr
