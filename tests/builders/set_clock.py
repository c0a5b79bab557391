"""The clock of the program in the hands of a test: what would take minutes takes none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from apscheduler.schedulers import background as scheduler_thread
from apscheduler.schedulers import base as scheduler_base
from apscheduler.triggers import interval
from builders.until import until

from gateway.base import clock

# How often, in real seconds, one that waits looks at the clock.
LOOK_SECONDS = 0.002
# So much at a time passes: less than the shortest time that anything tested waits.
STEP_SECONDS = 0.25
# Threads of a pool begin and end a short job in far less.
POOL_SECONDS = 0.05


class SetClock:
    """Goes as the machine's does, and further when the test lets time pass; who waits goes on when it came.

    With `skips` nobody waits: what would be waited for passed at once. For one thread at a time.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, skips: bool = False) -> None:
        self._time_ns, self._monotonic = clock.time_ns, clock.monotonic
        self._passed, self._jumped = 0.0, 0.0
        self._changed = threading.Lock()
        # Who waits, and until when.
        self._waits: dict[threading.Thread, float] = {}
        # Threads that wait again and again, and do something in between.
        self._loops: set[threading.Thread] = set()
        self.skips = skips
        monkeypatch.setattr(clock, "time_ns", self.time_ns)
        monkeypatch.setattr(clock, "monotonic", self.monotonic)
        monkeypatch.setattr(clock, "sleep", self.sleep)
        monkeypatch.setattr(clock, "wait", self.wait)

    def time_ns(self) -> int:
        return self._time_ns() + round((self._passed + self._jumped) * 1_000_000_000)

    def monotonic(self) -> float:
        return self._monotonic() + self._passed

    def sleep(self, seconds: float) -> None:
        self.wait(lambda real: bool(time.sleep(real or 0)), seconds)

    def wait(self, its_wait: Callable[[float | None], bool], seconds: float | None) -> bool:
        if seconds is None:
            return its_wait(None)
        if self.skips:
            came = its_wait(0)
            with self._changed:
                self._passed += 0.0 if came else max(0.0, seconds)
            return came
        thread, due = threading.current_thread(), self.monotonic() + seconds
        with self._changed:
            outer = self._waits.get(thread)
            self._waits[thread] = due
        try:
            while not (came := its_wait(min(LOOK_SECONDS, max(0.0, due - self.monotonic())))):
                if self.monotonic() >= due:
                    return False
            return came
        finally:
            with self._changed:
                self._waits.pop(thread)
                if outer is not None:
                    self._waits[thread] = outer

    def wait_again(self, its_wait: Callable[[float | None], bool], seconds: float | None) -> bool:
        """The same, in a loop: time passes no further before the thread waits anew or has ended."""
        with self._changed:
            self._loops.add(threading.current_thread())
        return self.wait(its_wait, seconds)

    def waits(self, thread: threading.Thread) -> bool:
        """Does this thread wait?"""
        with self._changed:
            return thread in self._waits

    def jump(self, ahead: timedelta) -> None:
        """Somebody sets the clock so much ahead of the machine's, or behind it; no time passes."""
        self._jumped = ahead.total_seconds()

    def passes(self, seconds: float) -> None:
        """So much time passes, and all that waited for a part of it did what it does then."""
        end = self._passed + seconds
        if self.skips:
            self._passed = end
        while self._passed < end:
            with self._changed:
                self._passed = min(end, self._passed + STEP_SECONDS)
            until(self._is_quiet, look=LOOK_SECONDS)
            time.sleep(POOL_SECONDS)

    def until(self, done: Callable[[], Any], seconds: float = 60.0) -> None:
        """Time passes until it is so; fails the test when so many seconds do not suffice."""
        end = self._passed + seconds
        while not done():
            assert self._passed < end, "it did not come in time"
            self.passes(STEP_SECONDS)

    def _is_quiet(self) -> bool:
        with self._changed:
            moment = self.monotonic()
            waiting = all(due > moment for due in self._waits.values())
            return waiting and all(each in self._waits for each in self._loops if each.is_alive())


class ClockEvent(threading.Event):
    """For whoever waits for it in a loop without asking our clock."""

    of: SetClock

    def wait(self, timeout: float | None = None) -> bool:
        return self.of.wait_again(super().wait, timeout)


def set_clock_of_schedulers(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """The same clock for APScheduler, that has its own."""
    made = SetClock(monkeypatch)

    class ClockDatetime(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return clock.utc_now().astimezone(tz)

    monkeypatch.setattr(ClockEvent, "of", made, raising=False)
    for module in (scheduler_base, interval):
        monkeypatch.setattr(module, "datetime", ClockDatetime)
    monkeypatch.setattr(scheduler_thread, "Event", ClockEvent)
    return made
