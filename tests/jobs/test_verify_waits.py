"""Verify tells that it waits for the source, and why: on the screen nothing else tells it from one that hangs."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from typing import Any

import pytest
from builders.commands import klantbrug
from builders.sample_data import sample_data, some_zaken
from builders.until import until
from builders.verifying import LIMITED

from gateway.installation import Installation, open_installation
from gateway.legacy.background import background
from gateway.legacy.pacing import server_gates
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from jobs.common.progress import Step
from jobs.verify.verify import Verify

Install = Callable[..., Installation]


@pytest.fixture
def data() -> Dataset:
    return some_zaken(sample_data(), 60)


@pytest.fixture
def source_options() -> dict[str, Any]:
    return {"applications": [LIMITED]}


class Running:
    """A verify by hand of an installation, in a thread of its own."""

    def __init__(self, installation: Installation, at: Callable[[Step], None] = lambda step: None) -> None:
        self.config = installation.config
        self.at = at
        self.steps: list[Step] = []
        self.report: dict[str, Any] = {}
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        own = open_installation(self.config)
        with background(window=False):
            self.report = Verify(own.fetchers["bron"], show=self._show).run()
        own.store.close()

    def _show(self, step: Step) -> None:
        self.steps.append(step)
        self.at(step)

    def told(self, seconds: float = 10) -> str:
        """The first reason that it waits."""
        return until(lambda: [step.waits for step in self.steps if step.waits], seconds)[0]

    def ends_clean(self) -> None:
        self.thread.join(30)
        assert self.report["clean"]
        assert not self.steps[-1].waits


@pytest.mark.slow
def test_paused_from_the_beginning_it_says_so(filled: Installation) -> None:
    source, path = filled.config.sources[0], filled.store.path
    server_gates.pause(path, source)
    running = Running(filled)
    assert running.told() == "gepauzeerd"
    server_gates.resume(path, source)
    running.ends_clean()


@pytest.mark.slow
def test_paused_on_the_way_it_says_so_and_where(filled: Installation) -> None:
    source, path = filled.config.sources[0], filled.store.path

    def pause(step: Step) -> None:
        if step.what.startswith("rol, lezing 1") and not step.waits:
            server_gates.pause(path, source)

    running = Running(filled, pause)
    assert running.told() == "gepauzeerd"
    assert next(step.what for step in running.steps if step.waits).startswith("rol, lezing 1")
    running.at = lambda step: None
    server_gates.resume(path, source)
    running.ends_clean()


@pytest.mark.slow
def test_a_source_that_asks_for_rest_is_named_with_its_hour(
    server: SampleServer, filled: Installation
) -> None:
    server.traps.too_many_rate, server.traps.retry_after = 1, 3
    running = Running(filled)
    assert running.told().startswith("bron vraagt rust (Retry-After), verder om ")
    server.traps.too_many_rate = 0
    running.ends_clean()


@pytest.mark.slow
def test_a_source_that_is_down_is_named(server: SampleServer, filled: Installation) -> None:
    server.traps.down = True
    running = Running(filled)
    assert running.told(15).startswith("storing (circuit breaker)")
    server.traps.down = False
    running.ends_clean()


@pytest.mark.slow
def test_the_command_writes_a_line_of_it(filled: Installation, run_log: Any) -> None:
    source, path = filled.config.sources[0], filled.store.path
    server_gates.pause(path, source)
    config = filled.config.path
    with klantbrug(run_log, "--config", config, "verify", stderr=subprocess.PIPE) as process:
        assert process.stderr
        line = next(line for line in process.stderr if "job=verify" in line)
        assert "waits=gepauzeerd" in line
        server_gates.resume(path, source)
        assert process.wait(timeout=30) == 0
