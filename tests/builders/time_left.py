"""As many tests as can be begun before a moment, for what takes longer than a run may: `--until` and `--order-of`.

The files come in an order that a text decides (a commit), so that each run takes others and can be done again. What is
not begun is skipped, and counted at the end of the run.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

NO_TIME = "no time was left"


def options(parser: pytest.Parser) -> None:
    """The options of such a run."""
    group = parser.getgroup("time")
    group.addoption(
        "--until", type=float, metavar="SECONDS", help="begin no test after it (seconds since 1970)"
    )
    group.addoption("--order-of", metavar="TEXT", help="shuffle the files, the same way for the same text")


class TimeLeft:
    """Shuffles them, and skips what is too late."""

    def __init__(self, config: pytest.Config) -> None:
        self.until: float | None = config.getoption("--until")
        self.order_of: str | None = config.getoption("--order-of")
        self.left = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Shuffle the files; within one the order stays."""
        if self.order_of is not None:
            files: dict[Path, list[pytest.Item]] = {}
            for item in items:
                files.setdefault(item.path, []).append(item)
            order = sorted(files)
            random.Random(self.order_of).shuffle(order)
            items[:] = [item for path in order for item in files[path]]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Begin nothing that is too late."""
        if self.until is not None and time.time() > self.until:
            pytest.skip(NO_TIME)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what was not begun."""
        if report.skipped and NO_TIME in str(report.longrepr):
            self.left += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell it."""
        if self.until is not None:
            terminalreporter.write_line(f"{self.left} tests were not begun: {NO_TIME}")
