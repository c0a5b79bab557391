"""What operators are told of backfills: what outlives them, until when they wait, and not the same line for ever."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from builders.commands import command
from builders.configs import write_config
from builders.probe.probe import Probe
from builders.sample_data import some_zaken
from builders.set_clock import SetClock

from gateway.app import create_app
from gateway.base.clock import DUTCH_TIME
from gateway.cli.terminal.displays import BACKFILL
from gateway.cli.terminal.progress import show_progress
from gateway.installation import Installation
from gateway.legacy.errors import TooManyRequests
from gateway.legacy.pacing import server_gates
from gateway.login.links import new_link
from gateway.operator.status import overview
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from jobs.backfill import asking, connections
from jobs.backfill.backfill import Backfill, Progress
from jobs.backfill.progress import waits_text
from jobs.common import zaakcontactmomenten

Install = Callable[..., Installation]


def test_a_pause_that_outlives_its_backfill_is_told_and_taken_back(
    slice_data: Dataset, tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SampleServer(some_zaken(slice_data, 50)) as server:
        config = write_config(tmp_path / "here", {"bron": server})
        installation = install(config)
        source, path = installation.config.sources[0], installation.store.path

        def pause_and_end(progress: Progress) -> None:
            if progress.done:
                server_gates.pause(path, source)
                server_gates.set_overrides(path, source, connections=2, objects_per_second=500)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Backfill(installation.fetchers["bron"], pause_and_end).run()
    for arguments in (("status",), ("backfill", "status")):
        told = command(config, *arguments).stdout
        assert "Jobs op deze bron wachten: gepauzeerd, tot klantbrug backfill resume." in told, arguments
        assert "ingesteld, tot er een backfill klaar is: connections=2, objects_per_second=500." in told
    asking = json.loads(command(config, "backfill", "status", "--json").stdout)["sources"]["bron"]["asking"]
    assert asking["paused"]
    lifted = command(config, "backfill", "resume")
    assert (lifted.exit_code, lifted.stderr) == (0, "")
    assert "De pauze van alle jobs op bron bron is opgeheven. Er loopt geen backfill" in lifted.stdout
    SetClock(monkeypatch).passes(0.5)  # for so long it is told what a call waited for last
    assert "wachten" not in command(config, "status").stdout
    nothing = command(config, "backfill", "resume")
    assert nothing.exit_code == 1
    assert "Er loopt geen backfill van bron bron" in nothing.stderr


def test_rest_that_a_source_asked_for_is_told_of_without_a_backfill(
    slice_data: Dataset, tmp_path: Path, install: Install
) -> None:
    with SampleServer(some_zaken(slice_data, 50)) as server:
        config = write_config(tmp_path / "here", {"bron": server})
        server.traps.too_many_rate, server.traps.retry_after = 1, 600
        client = install(config).fetchers["bron"].client
        assert "wachten" not in command(config, "backfill", "status").stdout
        with pytest.raises(TooManyRequests):
            client.version(deadline=time.monotonic() + 5)
    assert "Jobs op deze bron wachten: bron vraagt rust" in command(config, "backfill", "status").stdout


def test_a_moment_on_another_day_has_its_day() -> None:
    now = datetime.now(DUTCH_TIME)
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)

    def told(days: int) -> str:
        return waits_text("buiten het venster", (noon + timedelta(days=days)).isoformat())

    names = ("ma", "di", "wo", "do", "vr", "za", "zo")
    assert told(0) == "buiten het venster, verder om 12:00"
    assert told(2) == f"buiten het venster, verder {names[(noon.weekday() + 2) % 7]} om 12:00"
    assert told(8) == (
        f"buiten het venster, verder {names[(noon.weekday() + 1) % 7]} "
        f"{noon + timedelta(days=8):%d-%m} om 12:00"
    )
    assert waits_text("gepauzeerd", None) == "gepauzeerd"


def test_a_wait_at_the_end_of_a_list_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with show_progress(BACKFILL) as show:
        for waits in ("", "", "gepauzeerd", "gepauzeerd", "gepauzeerd", ""):
            show(Progress("bron", "rol", 1, done=100, total=100, changed=0, quarantined=0, waits=waits))
    assert len([each for each in caplog.records if "'event': 'backfill'" in each.getMessage()]) == 3


@pytest.fixture
def zaak_by_zaak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few zaken count as many, so zaakcontactmomenten are sampled, and then asked zaak by zaak; that is told often."""
    monkeypatch.setattr(zaakcontactmomenten, "FEW_ZAKEN", 10)
    monkeypatch.setattr(zaakcontactmomenten, "SAMPLE", 20)
    monkeypatch.setattr(zaakcontactmomenten, "MOST", -1)
    monkeypatch.setattr(connections, "SAVE_SAMPLE", 1)
    monkeypatch.setattr(asking, "LOOK_AROUND_SECONDS", 0.005)


@pytest.mark.slow
def test_every_step_has_progress_with_a_total_and_the_time_left_of_the_whole(
    slice_data: Dataset, install: Install, zaak_by_zaak: None
) -> None:
    shown: list[Progress] = []
    with SampleServer(some_zaken(slice_data, 20)) as server:
        server.traps.slow = 0.01
        installation = install(bron=server)
        assert Backfill(installation.fetchers["bron"], lambda each: shown.append(replace(each))).run()
    steps = {(each.kind, each.look) for each in shown if each.kind}
    assert {"zaak", "rol", "klantcontact", "zaakcontactmoment (steekproef)", "zaakcontactmoment"} <= {
        kind for kind, _ in steps
    }
    for step in steps:
        last = [each for each in shown if (each.kind, each.look) == step][-1]
        assert last.total is not None, step
        assert last.done <= last.total, step
    zaken = [each for each in shown if each.kind == "zaakcontactmoment"][-1]
    assert zaken.done == zaken.total == len(server.dataset.objects("zaak"))
    zaken_first = [each for each in shown if each.kind == "zaak" and each.look == 1]
    assert zaken_first[-1].seconds_left_in_all is not None
    whole = [each for each in shown if each.seconds_left_in_all is not None]
    assert all(each.seconds_left_in_all >= each.seconds_left for each in whole)


@pytest.mark.slow
def test_a_run_that_was_interrupted_goes_on_without_its_old_end_and_with_its_sample(
    slice_data: Dataset, tmp_path: Path, install: Install, zaak_by_zaak: None
) -> None:
    with SampleServer(some_zaken(slice_data, 20)) as server:
        config = write_config(tmp_path / "here", {"bron": server})
        installation = install(config)
        fetcher, store = installation.fetchers["bron"], installation.store

        def end(progress: Progress) -> None:
            if progress.kind.endswith("(steekproef)") and progress.done >= 12:
                raise KeyboardInterrupt

        server.traps.slow = 0.01  # so that the sample is shown many times on its way
        with pytest.raises(KeyboardInterrupt):
            Backfill(fetcher, end).run()
        assert "onderbroken" in command(config, "backfill", "status").stdout
        server.reset_calls()
        during: list[tuple[str | None, str | None, int]] = []
        told: list[str] = []

        def look(progress: Progress) -> None:
            run = Probe(store).runs()[-1]
            during.append((run.finished, run.message, run.heartbeat))
            if progress.kind == "zaakcontactmoment" and not told and progress.done > 5:
                told.append(command(config, "backfill", "status").stdout)
                told.append(command(config, "status").stdout)

        assert Backfill(fetcher, look).run()
        sampled = len(server.dataset.objects("zaak")) + 20 - 12
        assert sum("zaakcontactmomenten" in call.path for call in server.calls) <= sampled + 1
        assert {each[:2] for each in during} == {(None, "")}
        assert len({each[2] for each in during}) > 5  # its heartbeat goes on
        assert "onderbroken" not in told[0]
        assert "zaakcontactmoment" in told[0]


@pytest.mark.slow
def test_the_page_and_the_status_tell_how_far_it_is(
    slice_data: Dataset, install: Install, zaak_by_zaak: None
) -> None:
    with SampleServer(some_zaken(slice_data, 20)) as server:
        installation = install(bron=server)
        client = create_app(
            installation.config, store=installation.store, hydrator=installation.hydrator()
        ).test_client()
        link = new_link(installation.store, installation.config.gateway, "kijker", ["kijken"], "test")
        client.get(urlsplit(link).path)
        pages: list[str] = []

        def look(progress: Progress) -> None:
            if progress.kind == "zaakcontactmoment" and progress.done > 20 and not pages:
                found = overview(installation.store, installation.config)["sources"]["bron"]["backfill"]
                assert found["kind"] == "zaakcontactmoment"
                assert 0 < found["done"] <= found["total"]
                assert "seconds_left_in_all" in found
                pages.append(client.get("/").text)

        server.traps.slow = 0.005
        assert Backfill(installation.fetchers["bron"], look).run()
        assert "zaakcontactmoment, lezing" in pages[0]
        after = overview(installation.store, installation.config)["sources"]["bron"]["backfill"]
        assert after is None
