"""Which tests ask for no store: on PostgreSQL they would prove what they proved on SQLite, so they are left out there.

A run with `--note-storeless FILE` notes those that it saw ask for none, by themselves or by a fixture. A run on
PostgreSQL with `--leave-out FILE` leaves out those, and no other: what the noting run didn't run, or didn't know, runs.
With `--slow-only-of "FILES"` it leaves out what is marked `slow` in others than those.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.stores import ON_POSTGRES, Asked

NOTED = "asks for no store"


def options(parser: pytest.Parser) -> None:
    """The options of the two runs."""
    group = parser.getgroup("stores")
    group.addoption("--note-storeless", metavar="FILE", help="note which tests ask for no store")
    group.addoption("--leave-out", metavar="FILE", help="leave the noted tests out, on PostgreSQL")
    group.addoption(
        "--slow-only-of", metavar="FILES", help="leave out what is slow in other files than these"
    )


class Storeless:
    """Notes them, or leaves them out."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.worker = hasattr(config, "workerinput")
        self.noted: set[str] = set()
        self.asking: set[int] = set()  # the fixtures that asked for a store, by identity
        self.kept: list[Any] = []  # so that no other gets the same identity

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        """Does a fixture ask for one? Then so do all tests that use it."""
        before = Asked.times
        try:
            return (yield)
        finally:
            if Asked.times > before:
                self.asking.add(id(fixturedef))
                self.kept.append(fixturedef)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """What was asked for before a test is not of that test."""
        self.before = Asked.times
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
        """Tell with the report of a test that passed, which goes to who runs the workers."""
        report = yield
        if call.when == "call" and report.passed and Asked.times == self.before:
            info = getattr(item, "_fixtureinfo", None)
            fixtures = [each for all_of in info.name2fixturedefs.values() for each in all_of] if info else []
            if info and not any(id(each) in self.asking for each in fixtures):
                report.user_properties.append((NOTED, True))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what the report tells."""
        if (NOTED, True) in map(tuple, report.user_properties):
            self.noted.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write down what was noted."""
        to = self.config.getoption("--note-storeless")
        if to and not self.worker:
            Path(to).write_text(json.dumps(sorted(self.noted)), encoding="utf-8")

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out those that were noted, and those that are slow."""
        held, of = config.getoption("--leave-out"), config.getoption("--slow-only-of")
        storeless: set[str] = set()
        if held and ON_POSTGRES and Path(held).exists():
            storeless = {*json.loads(Path(held).read_text(encoding="utf-8"))}
        whole = None if of is None else {config.rootpath / name for name in of.split()}

        def goes(item: pytest.Item) -> bool:
            is_slow = item.get_closest_marker("slow") is not None
            return item.nodeid in storeless or (is_slow and whole is not None and item.path not in whole)

        if out := [item for item in items if goes(item)]:
            items[:] = [item for item in items if not goes(item)]
            config.hook.pytest_deselected(items=out)
