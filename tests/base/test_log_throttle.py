"""A log line that would come with every request comes once a minute, with how often it happened."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from gateway.base import log_throttle as module
from gateway.base.log_throttle import LogThrottle


class Log:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []

    def warning(self, text: str, **values: Any) -> None:
        self.told.append((text, values))


class Clock:
    """A clock and timers that go as far as a test lets them."""

    def __init__(self) -> None:
        self.moment = 1000.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def monotonic(self) -> float:
        return self.moment

    def timer(self, seconds: float, function: Callable[..., None], arguments: tuple[Any, ...]) -> Any:
        clock, due = self, self.moment + seconds

        class Timer:
            daemon = False

            def start(self) -> None:
                clock.timers.append((due, lambda: function(*arguments)))

        return Timer()

    def go_on(self, seconds: float) -> None:
        self.moment += seconds
        due = [timer for timer in self.timers if timer[0] <= self.moment]
        self.timers = [timer for timer in self.timers if timer not in due]
        for _, tell in due:
            tell()


def test_the_first_is_told_at_once_and_the_others_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    log, clock = Log(), Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module.threading, "Timer", clock.timer)
    seldom = LogThrottle(log, "bron antwoordt niet", seconds=60)  # type: ignore[arg-type]
    threads = [
        threading.Thread(target=lambda: [seldom.warning(source="a", cause="x") for _ in range(100)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seldom.warning(source="b", cause="x")
    first = {"source": "a", "cause": "x", "count": 1}
    other = {"source": "b", "cause": "x", "count": 1}
    assert [values for _, values in log.told] == [first, other]
    clock.go_on(59)
    assert len(log.told) == 2
    clock.go_on(2)
    assert log.told[2:] == [("bron antwoordt niet", first | {"count": 799})]
    clock.go_on(600)
    assert len(log.told) == 3, "nothing happened, nothing is told"
    seldom.warning(source="a", cause="x")
    assert log.told[3][1]["count"] == 1
