"""What tests share: sample sources over real HTTP, installations on real files, and one log of the whole run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from privacy import judge
from support import read_config, sample_data, sample_slice, write_config

from gateway.installation import Installation, open_installation
from gateway.sample.contents.dataset import Dataset


@pytest.fixture(scope="session")
def run_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which every log line of this run lands: ours, the libraries', and those of processes.

    At the end of the run nothing personal may stand in it.
    """
    folder = tmp_path_factory.mktemp("run-log")
    yield folder
    judge(folder)


class _Keep(logging.StreamHandler):
    def format(self, record: logging.LogRecord) -> str:
        text = f"{record.name} {record.getMessage()}"
        return text + (f"\n{logging.Formatter().formatException(record.exc_info)}" if record.exc_info else "")


@pytest.fixture(autouse=True)
def keep_log(run_log: Path) -> Iterator[None]:
    """Keep what this test logs, at the most talkative level."""
    root = logging.getLogger()
    level = root.level
    with (run_log / "pytest.log").open("a", encoding="utf-8") as file:
        handler = _Keep(file)
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        yield
        root.removeHandler(handler)
        root.setLevel(level)


@pytest.fixture
def slice_data() -> Dataset:
    """The slice, to change at will."""
    return sample_slice()


@pytest.fixture
def all_data() -> Dataset:
    """The slice and the ugly set together."""
    return sample_data()


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Installation]:
    """Make an installation on an empty store: `install(bron=server, max_age=5)`."""
    count = iter(range(1000))

    def make(config: Path | None = None, **arguments: Any) -> Installation:
        keys = ("max_age", "deadline", "partial", "partial_lists")
        live = {key: arguments.pop(key) for key in keys if key in arguments}
        path = config or write_config(tmp_path / f"installation-{next(count)}", arguments, **live)
        return open_installation(read_config(path))

    return make
