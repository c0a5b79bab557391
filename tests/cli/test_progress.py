"""The progress of a command: which lines there are where there is no terminal, and what stands beside a bar."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from rich.console import Console

from gateway.cli.terminal import progress
from gateway.cli.terminal.displays import COPY, VERIFY, Copied
from gateway.cli.terminal.progress import show_progress
from jobs.common.progress import Step


class Moments:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Moments:
    moments = Moments()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=moments.monotonic))
    return moments


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [record.msg for record in caplog.records if isinstance(record.msg, dict)]


def test_a_verify_has_a_line_every_five_seconds_and_at_each_change_of_a_wait(
    clock: Moments, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with show_progress(VERIFY) as show:
        for second, what, done, waits in (
            (0, "rol", 100, ""),
            (2, "rol", 120, ""),  # too soon
            (5, "rol", 150, ""),
            (6, "zaak", 0, ""),  # a step that begins is no reason
            (7, "zaak", 0, "gepauzeerd"),
            (60, "zaak", 0, "gepauzeerd"),  # a wait that lasts, is shown now and then
            (61, "zaak", 1, ""),
        ):
            clock.now = 1000.0 + second
            show(Step("bron", what, done, 200, waits))
    shown = [(line["step"], line["done"], line.get("waits")) for line in lines(caplog)]
    assert shown == [("rol", 100, None), ("rol", 150, None), ("zaak", 0, "gepauzeerd"), ("zaak", 1, None)]
    # What was done before this run does not count for its rate.
    assert (lines(caplog)[1]["per_second"], lines(caplog)[1]["seconds_left"]) == (10, 5)


def test_a_copy_that_is_soon_done_says_only_what_has_no_total(
    clock: Moments, capsys: pytest.CaptureFixture[str]
) -> None:
    with show_progress(COPY) as show:
        for second, what, done, total in (
            (0, "kopiëren", 1, 4),
            (4, "kopiëren", 4, 4),
            (4, "nakijken", 0, 0),
        ):
            clock.now = 1000.0 + second
            show(Copied(what, done, total))
    assert capsys.readouterr().err == "nakijken ...\n"


def test_a_copy_that_takes_long_says_how_long_still(
    clock: Moments, capsys: pytest.CaptureFixture[str]
) -> None:
    with show_progress(COPY) as show:
        for second, done in ((0, 0), (6, 25), (8, 30), (12, 50), (13, 100)):
            clock.now = 1000.0 + second
            show(Copied("kopiëren", done, 100))
    assert capsys.readouterr().err.splitlines() == [
        "kopiëren: 25 %, nog 18 s",
        "kopiëren: 50 %, nog 12 s",
        "kopiëren: 100 %",
    ]


def test_on_a_terminal_a_bar_says_how_far_how_fast_and_how_long_still(
    clock: Moments, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        progress, "Console", lambda stderr: Console(stderr=stderr, force_terminal=True, width=100)
    )
    with show_progress(VERIFY) as show:
        show(Step("bron", "rol", 0, 200))
        clock.now += 10
        show(Step("bron", "rol", 100, 200))
        show(Step("bron", "rol", 100, 200, "gepauzeerd"))
        show(Step("bron", "zaak", 100, None))
        clock.now += 10
        show(Step("bron", "zaak", 150, None))
        show(Step("bron", "zio", 0, 200))
        clock.now += 10
        show(Step("bron", "zio", 150, 200))
    last = capsys.readouterr().err.rsplit("bron: rol", 1)[1]
    assert "gepauzeerd" not in last  # that was the step before
    assert "150/? 5/s -:--:--" in last
    assert "150/200 15/s 0:00:03" in last
