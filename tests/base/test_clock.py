"""The one clock of the program, that a test can set."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from builders.paths import ROOT

from gateway.base import clock


def test_a_test_sets_every_reading_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 7, 1, 22, 30, 1, 250_000, tzinfo=UTC)
    monkeypatch.setattr(clock, "time_ns", lambda: int(moment.timestamp() * 1000) * 1_000_000)
    assert clock.now() == 1_782_945_001_250_000
    assert clock.seconds() == moment.timestamp()
    assert clock.utc_now() == moment
    assert clock.today() == date(2026, 7, 2)  # the Dutch day


def test_nothing_has_a_clock_of_its_own() -> None:
    """The sample source has: it is another machine."""
    read = re.compile(r"time\.time\b|time_ns\(|datetime\.now|utcnow|date\.today|ZoneInfo\(")
    found = {
        str(path.relative_to(ROOT))
        for package in ("gateway", "jobs", "mappings")
        for path in (ROOT / package).rglob("*.py")
        if read.search(path.read_text(encoding="utf-8"))
    }
    # A mapping has no clock, but the times that a source gives without a zone are Dutch.
    assert {each for each in found if not each.startswith("gateway/sample/")} == {
        "gateway/base/clock.py",
        "mappings/incoming/given_fields.py",
    }


def test_who_waits_for_a_source_or_a_lease_waits_by_the_clock() -> None:
    """Else a test that lets time pass has one that waits for real, or a deadline of another time."""
    own = re.compile(
        r"^import time$|^from time import|\btime\.(monotonic|sleep)\b|stop\.wait\(", re.MULTILINE
    )
    of = (
        *("beheer", "fetch", "hydrate", "legacy", "notificaties", "operator", "store/operation"),
        *("target", "writeback", "../jobs"),
    )
    found = {
        path.name
        for package in of
        for path in (ROOT / "gateway" / package).rglob("*.py")
        if own.search(path.read_text(encoding="utf-8"))
    }
    assert found == set()
