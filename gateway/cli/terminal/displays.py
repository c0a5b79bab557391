"""What each command shows of its progress: of a backfill, a verify, a rebuild, and a copy of the store."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import click

from gateway.base.logs import get_logger
from gateway.cli.terminal.progress import LINE_SECONDS, Display, Reached, Speed
from gateway.operator.status import in_all_text, pace_text, reading_text
from jobs.backfill.progress import Progress
from jobs.common.progress import Step


def _counted(done: int, total: int | None) -> str:
    return f"{done}/{'?' if total is None else total}"


def _backfill_reached(progress: Progress) -> Reached:
    step = f"{progress.source}: {reading_text(progress.kind, progress.look)}"
    return Reached(step, progress.done, progress.total, progress.waits)


def _backfill_beside(progress: Progress, _pace: Speed) -> str:
    text = pace_text(progress.rate, progress.seconds_left, progress.waits, progress.limit)
    return f"{_counted(progress.done, progress.total)} {text}{in_all_text(progress.seconds_left_in_all)}"


def _backfill_line(progress: Progress, _pace: Speed) -> None:
    get_logger("klantbrug.backfill").info(
        "backfill",
        source=progress.source,
        kind=progress.kind,
        look=progress.look,
        done=progress.done,
        total=progress.total,
        per_second=round(progress.rate),
        seconds_left=progress.seconds_left,
        seconds_left_in_all=progress.seconds_left_in_all,
        quarantined=progress.quarantined,
        waits=progress.waits or None,
    )


def _step_reached(step: Step) -> Reached:
    return Reached(f"{step.source}: {step.what}", step.done, step.total, step.waits)


def _step_beside(step: Step, speed: Speed) -> str:
    left = "-:--:--" if speed.seconds_left is None else str(timedelta(seconds=round(speed.seconds_left)))
    text = f"{_counted(step.done, step.total)} {round(speed.rate)}/s {left}"
    return f"{text} wacht: {step.waits}" if step.waits else text


def _steps(job: str) -> Display[Step]:
    log = get_logger(f"klantbrug.{job.split()[0]}")

    def line(step: Step, speed: Speed) -> None:
        log.info(
            "progress",
            job=job,
            source=step.source,
            step=step.what,
            done=step.done,
            total=step.total,
            per_second=round(speed.rate),
            seconds_left=None if speed.seconds_left is None else round(speed.seconds_left),
            **({"waits": step.waits} if step.waits else {}),
        )

    return Display(_step_reached, _step_beside, line)


class Copied(NamedTuple):
    """How far a copy of the store is: what is being done, how much of how much; 0 is not known."""

    what: str
    done: int
    total: int


def _copy_reached(copied: Copied) -> Reached:
    return Reached(copied.what, copied.done, copied.total or None)


def _copy_beside(copied: Copied, speed: Speed) -> str:
    if not copied.total:
        return "..."
    text = f"{100 * copied.done // copied.total} %"
    return text if speed.seconds_left is None else f"{text}, nog {speed.seconds_left:.0f} s"


def _copy_line(copied: Copied, speed: Speed) -> None:
    click.echo(f"{copied.what}{':' if copied.total else ''} {_copy_beside(copied, speed)}", err=True)


BACKFILL = Display(_backfill_reached, _backfill_beside, _backfill_line, each_step=True)
VERIFY = _steps("verify")
REBUILD = _steps("rebuild")
EXPORT = _steps("export")
EXPORT_VERIFY = _steps("export verify")
COPY = Display(_copy_reached, _copy_beside, _copy_line, each_step=True, silent=LINE_SECONDS)
