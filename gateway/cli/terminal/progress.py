"""How a command shows its progress: bars on a terminal, lines elsewhere. `displays.py` declares what each one shows."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as RichProgress

LINE_SECONDS = 5.0
# A wait is shown when it begins, and now and then while it lasts.
WAIT_SECONDS = 300.0
# A rate over less time says nothing.
LEAST_SECONDS = 0.5

Report = TypeVar("Report")


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a command is in one of its steps; `waits` says why nothing goes on."""

    step: str
    done: int
    total: int | None
    waits: str = ""

    @property
    def ended(self) -> bool:
        """Is the step done, as far as its total tells?"""
        return self.total is not None and self.done >= self.total


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a step goes, measured from when it was first shown: a second, and the seconds left."""

    rate: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class Display(Generic[Report]):
    """What a command shows of the reports of its work.

    `reached` reads a report, `beside` is the text beside the bar, `line` writes a report as a line. With `each_step`
    every step has a line when it begins and when it ends. In the first `silent` seconds no step with a total has one.
    """

    reached: Callable[[Report], Reached]
    beside: Callable[[Report, Speed], str]
    line: Callable[[Report, Speed], None]
    each_step: bool = False
    silent: float = 0.0


@contextlib.contextmanager
def show_progress(display: Display[Report]) -> Iterator[Callable[[Report], None]]:
    """Gives a function that shows a report of a command, on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(display).show
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[beside]}"))
    with RichProgress(*columns, console=console) as bars:
        yield _Bars(display, bars).show


class _Speeds:
    def __init__(self) -> None:
        self.begun: dict[str, tuple[float, int]] = {}

    def of(self, reached: Reached) -> Speed:
        began, before = self.begun.setdefault(reached.step, (time.monotonic(), reached.done))
        passed, done = time.monotonic() - began, reached.done - before
        rate = done / passed if passed > LEAST_SECONDS else 0.0
        left = (reached.total or 0) - reached.done
        return Speed(rate, left / rate if rate and left > 0 and not reached.waits else None)


class _Bars(Generic[Report]):
    def __init__(self, display: Display[Report], bars: RichProgress) -> None:
        self.display = display
        self.bars = bars
        self.tasks: dict[str, Any] = {}
        self.speeds = _Speeds()
        self.last = Reached("", 0, 0)

    def show(self, report: Report) -> None:
        reached = self.display.reached(report)
        if reached.step not in self.tasks:
            self.tasks[reached.step] = self.bars.add_task(reached.step, total=reached.total, beside="")
        if self.last.waits and self.last.step != reached.step:
            self.bars.update(self.tasks[self.last.step], beside="")
        self.last = reached
        # The count of a source is a hint: it may be lower than what it shows.
        total = None if reached.total is None else max(reached.total, reached.done)
        beside = self.display.beside(report, self.speeds.of(reached))
        self.bars.update(self.tasks[reached.step], completed=reached.done, total=total, beside=beside)


class _Lines(Generic[Report]):
    def __init__(self, display: Display[Report]) -> None:
        self.display = display
        self.begun = time.monotonic()
        self.last: dict[str, float] = {}
        self.ended: set[str] = set()
        self.waits = ""
        self.speeds = _Speeds()

    def show(self, report: Report) -> None:
        reached = self.display.reached(report)
        speed = self.speeds.of(reached)
        if not self._due(reached):
            return
        self.last[self._step(reached)], self.waits = time.monotonic(), reached.waits
        if reached.ended:
            self.ended.add(reached.step)
        self.display.line(report, speed)

    def _due(self, reached: Reached) -> bool:
        if reached.total is not None and time.monotonic() - self.begun < self.display.silent:
            return False
        if reached.waits != self.waits:
            return True
        if self.display.each_step and reached.ended and reached.step not in self.ended:
            return True
        seconds = WAIT_SECONDS if reached.waits else LINE_SECONDS
        step = self._step(reached)
        return step not in self.last or time.monotonic() - self.last[step] >= seconds

    def _step(self, reached: Reached) -> str:
        return reached.step if self.display.each_step else ""
