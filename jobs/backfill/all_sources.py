"""Backfills of several sources in turn, and that as a job: it reads in every source that is not complete yet.

A source that must wait, for its window, a pause, rest or until it is well again, yields to one that can be read. Only
when all that are left must wait, one of them does: it can be seen and steered as a backfill that runs.

The job is off unless the operator wants it. A source that failed is tried again after a while, also when another is
being waited for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial

from gateway.base import clock
from gateway.base.logs import get_logger
from gateway.fetch.coverage import CUTOVER
from gateway.fetch.fetcher import CutOver, Fetcher
from gateway.installation import Installation
from gateway.legacy.errors import LegacyError
from gateway.store.operation import backfills
from jobs.backfill.backfill import Backfill, BackfillStopped, Busy, Yielded
from jobs.common.work import Work

log = get_logger("klantbrug.backfill")

AGAIN_SECONDS = 60.0


def in_turn(
    left: Callable[[], Sequence[Fetcher]], read: Callable[[Fetcher, Callable[[], bool]], None]
) -> None:
    """Read sources one after the other, for as long as there are any left.

    `left` gives those, `read` makes the backfill of one with what tells it whether it must yield, and lets Yielded
    through.
    """
    begun = set[str]()

    def can_go(fetcher: Fetcher) -> bool:
        # One that was not begun may be paused by what `begins` takes back.
        return fetcher.name not in begun or not _waits(fetcher)

    def others_can_go(fetcher: Fetcher) -> bool:
        return any(can_go(other) for other in left() if other is not fetcher)

    while fetchers := left():
        fetcher = next(filter(can_go, fetchers), fetchers[0])
        begun.add(fetcher.name)
        try:
            read(fetcher, partial(others_can_go, fetcher))
        except Yielded:
            log.info("backfill waits, another source goes first", source=fetcher.name)


def _waits(fetcher: Fetcher) -> bool:
    """Must it wait for what may take long: its window, a pause, rest, or that it is well again?"""
    with contextlib.suppress(CutOver):
        return fetcher.client.waits() is not None
    return False


def anything_to_read(installation: Installation) -> bool:
    """Is there a source that is not complete yet, and whose backfill nobody stopped?"""
    return any(_wanted(fetcher) for fetcher in installation.fetchers.values())


def _wanted(fetcher: Fetcher) -> bool:
    phase, covered = fetcher.state()
    with fetcher.store.read() as connection:
        stopped = backfills.stop_wished(connection, fetcher.source)
    return phase != CUTOVER and not covered and not stopped


def refill(work: Work) -> dict[str, int]:
    """Read in what is not complete. Out: counts; a source that fails is counted and logged. Raises leases.Lost."""
    counts = {"complete": 0, "incomplete": 0, "stopped": 0, "failed": 0}
    again = dict[str, float]()

    def left() -> list[Fetcher]:
        if work.stopping.is_set():
            return []
        fetchers = work.installation.fetchers.values()
        return [each for each in fetchers if clock.monotonic() >= again.get(each.name, 0.0) and _wanted(each)]

    def read(fetcher: Fetcher, yields: Callable[[], bool]) -> None:
        try:
            complete = Backfill(fetcher, stopping=work.stopping, yields=yields).run()
        except Yielded:
            raise
        except BackfillStopped:
            counts["stopped"] += 1
        except Busy:
            log.info("backfill runs elsewhere", source=fetcher.name)
        except LegacyError as error:
            log.warning("backfill failed", source=fetcher.name, cause=error.cause)
            counts["failed"] += 1
        else:
            counts["complete" if complete else "incomplete"] += 1
        again[fetcher.name] = clock.monotonic() + AGAIN_SECONDS

    in_turn(left, read)
    return counts
