"""How the command shows things: progress on a terminal and as plain lines elsewhere, and the status as a table."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from gateway.logs import get_logger
from jobs.backfill import Progress

LINE_SECONDS = 5.0
log = get_logger(__name__)


@contextlib.contextmanager
def shown_progress() -> Iterator[Callable[[Progress], None]]:
    """Gives a function that shows progress: rate, done of total, time left."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines().show
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}/s"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console) as bars:
        yield _OnTerminal(bars).show


class _Rate:
    """Objects a second since a kind's walk began."""

    def __init__(self) -> None:
        self.began: dict[tuple[str, str, int], tuple[float, int]] = {}

    def of(self, progress: Progress) -> int:
        key = (progress.source, progress.kind, progress.look)
        start, done = self.began.setdefault(key, (time.monotonic(), progress.done))
        passed = time.monotonic() - start
        return round((progress.done - done) / passed) if passed > 0.05 else 0


class _OnTerminal:
    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self.tasks: dict[tuple[str, int], Any] = {}
        self.rate = _Rate()

    def show(self, progress: Progress) -> None:
        key = (progress.kind, progress.look)
        if key not in self.tasks:
            name = f"{progress.source}: {progress.kind}, lezing {progress.look}"
            self.tasks[key] = self.bars.add_task(name, total=progress.total, rate=0)
        self.bars.update(
            self.tasks[key],
            completed=progress.done,
            total=progress.total,
            rate=self.rate.of(progress),
        )


class _Lines:
    def __init__(self) -> None:
        self.last: dict[tuple[str, int], float] = {}
        self.rate = _Rate()

    def show(self, progress: Progress) -> None:
        rate = self.rate.of(progress)
        key = (progress.kind, progress.look)
        finished = progress.total is not None and progress.done >= progress.total
        if not finished and time.monotonic() - self.last.get(key, 0.0) < LINE_SECONDS:
            return
        self.last[key] = time.monotonic()
        left = (progress.total - progress.done) / rate if progress.total and rate else None
        log.info(
            "backfill",
            source=progress.source,
            kind=progress.kind,
            look=progress.look,
            done=progress.done,
            total=progress.total,
            per_second=rate,
            seconds_left=round(left) if left is not None else None,
            quarantined=progress.quarantined,
        )


def status_text(status: dict[str, Any]) -> str:
    """The status (`store.status.status`) as text for a person."""
    console = Console(file=io.StringIO(), width=100, highlight=False)
    for name, source in status["sources"].items():
        table = Table(
            title=f"Bron {name}: fase {source['phase']}, dekking {source['coverage']}", title_justify="left"
        )
        for heading in ("soort", "gezien", "vertaald", "quarantaine", "weggelaten"):
            table.add_column(heading, justify="left" if heading in ("soort", "weggelaten") else "right")
        for kind, counts in source["kinds"].items():
            left_out = ", ".join(f"{rule}: {count}" for rule, count in counts["left_out"].items())
            table.add_row(
                kind,
                str(counts["seen"]),
                str(counts["translated"]),
                str(counts["quarantined"]),
                left_out or "-",
            )
        console.print(table)
    if not status["sources"]:
        console.print("Geen bron: een zelfstandig Klantinteracties-register.")
    if status["runs"]:
        table = Table(title="Laatste runs", title_justify="left")
        columns = ("job", "source", "status", "started", "finished", "message")
        for heading in columns:
            table.add_column(heading)
        for run in status["runs"]:
            table.add_row(*(str(run.get(name) or "") for name in columns))
        console.print(table)
    notifications = status["notifications"]
    if any(notifications.values()):
        console.print(f"Notificaties: {notifications['waiting']} wachten, {notifications['failed']} mislukt.")
    return click.unstyle(console.file.getvalue())  # type: ignore[attr-defined]


def moment_text(microseconds: int | None) -> str | None:
    """A moment of the store for a person; None stays None."""
    if microseconds is None:
        return None
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
