"""The commands verify and phase with wrong or uncommon options: said before the work, in words, with an exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from builders.commands import command
from builders.probe.probe import Probe
from builders.sample_data import sample_data, some_zaken
from builders.verifying import LIMITED

from gateway.installation import Installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from jobs.backfill.backfill import Backfill

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]


@pytest.fixture
def data() -> Dataset:
    return some_zaken(sample_data(), 120)


@pytest.fixture
def source_options() -> dict[str, Any]:
    return {"applications": [LIMITED]}


@pytest.fixture
def two(server: SampleServer, install: Install) -> Installation:
    """Two sources that are the same server."""
    installation = install(een=server, twee=server)
    for fetcher in installation.fetchers.values():
        assert Backfill(fetcher).run()
    return installation


def test_json_of_two_sources_is_one_document(two: Installation) -> None:
    told = command(two, "verify", "--json", "--sample", "2")
    reports = orjson.loads(told.stdout)
    assert [report["source"] for report in reports] == ["een", "twee"]
    assert told.exit_code == (0 if all(report["clean"] for report in reports) else 1)
    assert orjson.loads(command(two, "verify", "--json", "--source", "twee").stdout)["source"] == "twee"


def test_json_keeps_what_was_done_when_a_source_fails(two: Installation, server: SampleServer) -> None:
    forced = ("--force", "--reason", "proef")
    for phase in ("synced", "cutover"):
        assert command(two, "phase", phase, "--source", "twee", *forced).exit_code == 0
    told = command(two, "verify", "--json", "--sample", "2")
    assert told.exit_code == 1
    assert [report["source"] for report in orjson.loads(told.stdout)] == ["een"]


@pytest.mark.parametrize("more", [["--sample", "2"], ["--full"], ["--report", "1"]])
def test_a_page_that_can_not_be_written_is_told_before_the_work(
    server: SampleServer, install: Install, tmp_path: Path, more: list[str]
) -> None:
    installation = install(een=server)
    assert Backfill(installation.fetchers["een"]).run()
    assert command(installation, "verify", "--sample", "1").exit_code == 0
    server.reset_calls()
    (tmp_path / "bestand").touch()
    for wrong in (tmp_path / "geen" / "x.html", tmp_path / "bestand" / "x.html"):
        told = command(installation, "verify", *more, "--html", str(wrong))
        assert told.exit_code == 2
        assert "--html" in told.output
        assert str(wrong.parent) in told.output
    assert server.calls_count == 0
    assert Probe(installation.store).count("verification") == 1


def test_a_page_that_could_not_be_written_after_all_does_not_cost_the_report(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installation = install(een=server)
    assert Backfill(installation.fetchers["een"]).run()

    def full(self: Path, *args: object, **options: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    told = command(installation, "verify", "--sample", "2", "--html", str(tmp_path / "x.html"))
    assert told.exit_code == 1
    assert "Schoon" in told.output
    assert "klantbrug verify --report 1 --html" in told.output


def test_phase_of_an_unknown_source_names_those_that_are_known(two: Installation) -> None:
    told = command(two, "phase", "--source", "nope")
    assert told.exit_code == 2
    assert "een, twee" in told.output
    assert "live" not in told.output
    assert command(two, "phase", "--source", "een").output == "een: live, dekking volledig\n"
