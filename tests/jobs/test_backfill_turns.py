"""Backfills of several sources: one that must wait or fails does not hold up the others, in the job and the command."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders.backfill_threads import InThread
from builders.backfill_threads import attentive as attentive
from builders.commands import command, klantbrug
from builders.configs import read_config, write_config
from builders.sample_data import some_zaken
from builders.until import until

from gateway.base.clock import DUTCH_TIME
from gateway.installation import Installation, open_store
from gateway.legacy.pacing import server_gates
from gateway.operator import backfills
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.base.store import Store
from gateway.store.inspect.status import status
from gateway.store.operation import runs
from jobs.backfill import all_sources
from jobs.registry import BY_NAME, run_job

pytestmark = pytest.mark.slow
# In a database each source has a turn of its own, and waits alone.
in_one_turn = pytest.mark.of_the_file

Install = Callable[..., Installation]


@pytest.fixture
def two(slice_data: Dataset) -> Iterator[tuple[SampleServer, SampleServer]]:
    """Two small sources."""
    first, second = (some_zaken(slice_data, every) for every in (40, 50))
    with (
        SampleServer(first, version="1.5.1", open_zaak=False) as one,
        SampleServer(second, version="1.5.1", open_zaak=False) as other,
    ):
        yield one, other


def config_of(
    folder: Path, two: tuple[SampleServer, SampleServer], *, closed: str = "", job: bool = False
) -> Path:
    """A configuration of sources `een` and `twee`; the window of the one that is named `closed` is."""
    path = write_config(folder, {"een": two[0], "twee": two[1]})
    opens = datetime.now(DUTCH_TIME) + timedelta(hours=3)
    window = f'window = "{opens:%H:%M}-{opens + timedelta(hours=1):%H:%M}"\n'
    text = path.read_text()
    if closed:
        text = text.replace(f'name = "{closed}"\n', f'name = "{closed}"\n{window}')
    path.write_text(text + ("[jobs.backfill]\n" if job else ""))
    return path


def coverage(store: Store, source: str) -> str:
    return str(status(store)["sources"][source]["coverage"])


class Job(InThread):
    """The job in a thread of this process."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation.store)
        self.installation = installation
        self.counts: dict[str, int] = {}

    def work(self) -> None:
        self.counts = run_job(self.installation, BY_NAME["backfill"], self.stopping)

    def of(self, source: str) -> dict[str, Any]:
        config = next(each for each in self.installation.config.sources if each.name == source)
        return backfills.overview(self.store, [config])["sources"][source]  # type: ignore[no-any-return]


@in_one_turn
def test_the_job_passes_over_a_source_outside_its_window_and_waits_for_it_at_the_end(
    two: tuple[SampleServer, SampleServer], install: Install, tmp_path: Path
) -> None:
    with Job(install(config_of(tmp_path / "here", two, closed="een", job=True))) as job:
        until(lambda: coverage(job.store, "twee") == "complete")
        until(lambda: (job.of("een")["now"] or {}).get("waits", "").startswith("buiten het venster"))
        assert job.of("een")["running"]
        assert two[0].calls_count == 0
    assert (job.counts["complete"], job.counts["stopped"]) == (1, 1)


@in_one_turn
def test_a_source_that_is_paused_while_it_is_read_yields_and_is_gone_on_with(
    two: tuple[SampleServer, SampleServer], install: Install, tmp_path: Path
) -> None:
    two[0].traps.slow = two[1].traps.slow = 0.05
    with Job(install(config_of(tmp_path / "here", two, job=True))) as job:
        source = job.installation.config.sources[0]
        until(lambda: job.of("een")["now"] and two[0].calls_count > 3)
        server_gates.pause(job.store.path, source)
        until(lambda: two[1].calls_count)
        assert job.of("een")["run"]["status"] == runs.INTERRUPTED
        assert job.of("een")["run"]["message"] == "wacht; een andere bron gaat voor"
        until(lambda: coverage(job.store, "twee") == "complete")
        assert coverage(job.store, "een") == "partial"
        server_gates.resume(job.store.path, source)
        job.thread.join(20)
        assert coverage(job.store, "een") == "complete"
    assert job.counts == {"complete": 2, "incomplete": 0, "stopped": 0, "failed": 0}


@in_one_turn
def test_a_source_that_breaks_while_it_is_read_yields_and_is_gone_on_with(
    two: tuple[SampleServer, SampleServer], install: Install, tmp_path: Path
) -> None:
    """Its calls have all patience, so it kept the others waiting for as long as it was down."""
    two[0].traps.slow = 0.1
    with Job(install(config_of(tmp_path / "here", two, job=True))) as job:
        until(lambda: job.of("een")["now"] and two[0].calls_count > 3)
        two[0].traps.down = True
        until(lambda: coverage(job.store, "twee") == "complete", 40)
        assert coverage(job.store, "een") == "partial"
        two[0].traps.down, two[0].traps.slow = False, 0
        until(lambda: coverage(job.store, "een") == "complete", 90)


@in_one_turn
def test_a_source_that_failed_is_tried_again_while_another_is_waited_for(
    two: tuple[SampleServer, SampleServer], install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_sources, "AGAIN_SECONDS", 0.3)
    two[1].traps.json_not_json = True
    with Job(install(config_of(tmp_path / "here", two, closed="een", job=True))) as job:
        until(lambda: job.of("een")["running"] and two[1].calls_count)
        two[1].traps.json_not_json = False
        until(lambda: coverage(job.store, "twee") == "complete")
    assert job.counts["failed"] >= 1
    assert job.counts["complete"] == 1


def test_the_command_goes_on_with_the_next_source_when_one_fails(
    two: tuple[SampleServer, SampleServer], tmp_path: Path
) -> None:
    two[0].traps.json_not_json = True
    config = config_of(tmp_path / "here", two)
    result = command(config, "backfill")
    assert result.exit_code == 1
    assert "Bron een: " in result.stderr
    assert "). Hetzelfde commando gaat verder" in result.stderr
    assert "Bron twee: volledig ingelezen." in result.stdout
    assert coverage(open_store(read_config(config)), "twee") == "complete"


def test_the_command_waits_only_when_no_source_can_be_read(
    two: tuple[SampleServer, SampleServer], tmp_path: Path, run_log: Path
) -> None:
    config = config_of(tmp_path / "here", two, closed="een")
    with klantbrug(run_log, "--config", config, "backfill", "run") as process:
        source, store = read_config(config).sources[0], open_store(read_config(config))
        until(lambda: "twee" in status(store)["sources"] and coverage(store, "twee") == "complete")
        until(lambda: backfills.overview(store, [source])["sources"]["een"]["running"])
        assert two[0].calls_count == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 1
