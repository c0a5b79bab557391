"""The backfill as a job: reads in every source that is not complete yet, and goes on where that was stopped.

Off unless the operator wants it. In the hours of [[source]] window only; outside of them it waits.
"""

from __future__ import annotations

from gateway.fetch import CUTOVER, Fetcher
from gateway.installation import Installation
from gateway.legacy.errors import LegacyError
from gateway.logs import get_logger
from gateway.store import backfills
from jobs.backfill import Backfill, Busy, Stopped
from jobs.work import Work

log = get_logger("klantbrug.backfill")


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
    for fetcher in work.installation.fetchers.values():
        if work.stopping.is_set():
            break
        if not _wanted(fetcher):
            continue
        try:
            complete = Backfill(fetcher, stopping=work.stopping).run()
        except Stopped:
            counts["stopped"] += 1
        except Busy:
            log.info("backfill runs elsewhere", source=fetcher.name)
        except LegacyError as error:
            log.warning("backfill failed", source=fetcher.name, cause=error.cause)
            counts["failed"] += 1
        else:
            counts["complete" if complete else "incomplete"] += 1
    return counts
