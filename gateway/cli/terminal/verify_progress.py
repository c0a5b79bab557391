"""How the command shows the steps of a verify, and why it waits: a bar for each on a terminal, log lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.base.logs import get_logger
from jobs.common.progress import Step

LINE_SECONDS = 5.0
# A wait is shown when it begins, and now and then while it lasts.
WAIT_SECONDS = 300.0
log = get_logger("klantbrug.verify")


@contextlib.contextmanager
def shown_steps(job: str = "verify") -> Iterator[Callable[[Step], None]]:
    """Gives a function that shows steps of a job: rate, done of total, time left."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _VerifyLines(job).show
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}/s"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[waits]}"),
    )
    with Progress(*columns, console=console) as bars:
        yield _Bars(bars).show


class _Rates:
    def __init__(self) -> None:
        self.began: dict[str, float] = {}

    def of(self, step: Step) -> int:
        passed = time.monotonic() - self.began.setdefault(step.what, time.monotonic())
        return round(step.done / passed) if passed > 0.5 else 0


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.tasks: dict[str, Any] = {}
        self.rates = _Rates()
        self.now = ""

    def show(self, step: Step) -> None:
        if step.what not in self.tasks:
            name = f"{step.source}: {step.what}"
            self.tasks[step.what] = self.bars.add_task(name, total=step.total, rate=0, waits="")
        if self.now not in ("", step.what):
            self.bars.update(self.tasks[self.now], waits="")
        self.now = step.what
        # The count of a source is a hint: it may be lower than what it shows.
        total = None if step.total is None else max(step.total, step.done)
        waits = f"wacht: {step.waits}" if step.waits else ""
        rate = self.rates.of(step)
        self.bars.update(self.tasks[step.what], completed=step.done, total=total, rate=rate, waits=waits)


class _VerifyLines:
    def __init__(self, job: str) -> None:
        self.job = job
        self.last = 0.0
        self.waits = ""
        self.rates = _Rates()

    def show(self, step: Step) -> None:
        rate = self.rates.of(step)
        same = not step.waits or step.waits == self.waits
        seconds = WAIT_SECONDS if step.waits else LINE_SECONDS
        if same and time.monotonic() - self.last < seconds:
            return
        self.last, self.waits = time.monotonic(), step.waits
        left = (
            round((step.total - step.done) / rate)
            if step.total and rate and step.total > step.done and not step.waits
            else None
        )
        log.info(
            self.job,
            source=step.source,
            step=step.what,
            done=step.done,
            total=step.total,
            per_second=rate,
            seconds_left=left,
            **({"waits": step.waits} if step.waits else {}),
        )
