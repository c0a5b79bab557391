"""Tells sources what clients wrote (W1): in the order of the writes, each at least once and at its source never twice.

What waits is tried until it is done: after seconds, then minutes, then each hour. Trouble of the source as a whole
holds up everything of it, and one change finds out when it is over. What the source refuses for what it is waits for
an operator. Calls go before those of other jobs and after those of clients, and do not wait for the window (W11).
"""

from __future__ import annotations

from functools import partial

from gateway.base.clock import now
from gateway.base.logs import get_logger, safe_traceback
from gateway.config.model import Config
from gateway.fetch.coverage import CUTOVER
from gateway.fetch.fetcher import CutOver, Fetcher
from gateway.installation import Installation
from gateway.legacy.background import background
from gateway.legacy.client import changes
from gateway.legacy.errors import LegacyError
from gateway.store.operation import writeback as queue
from gateway.store.operation.writeback import QueuedChange
from gateway.writeback.delivering import Courier
from gateway.writeback.sending import Parked, SourceSender, StillUnderWay, refusal
from jobs.common.backoff import LONGEST_WAIT, back_off
from jobs.common.failures import UNEXPECTED, is_of_the_job
from jobs.common.work import Work

log = get_logger("klantbrug.writeback")

BATCH = 50
PATIENCE = 10.0
SECOND = 1_000_000
# A source that is back is noticed within this time.
LONGEST_HOLD_UP = 300 * SECOND


def unusable(config: Config) -> str:
    """Why no source is told of anything; blank when one is."""
    told = [source for source in config.sources if source.write_back and not source.write_back_dry_run]
    return "" if told else "geen [[source]] heeft write_back (zonder write_back_dry_run)"


def anything_due(installation: Installation) -> bool:
    """Is there a change that may be sent now?"""
    moment = now()
    with installation.store.read() as connection:
        return any(
            queue.due(connection, each.source, _kinds(installation, each), moment, 1)
            for each in installation.fetchers.values()
        )


def deliver(work: Work) -> dict[str, int]:
    """Send what may be sent now, until nothing is left or the source fails.

    Out: how many changes were sent, postponed and parked. Raises leases.Lost; what was being sent is looked for at the
    source by who took over.
    """
    counts = {"sent": 0, "postponed": 0, "parked": 0}
    with background(work.stopping, patience=PATIENCE, window=False, first=True):
        for fetcher in work.installation.fetchers.values():
            if _kinds(work.installation, fetcher) and fetcher.state()[0] != CUTOVER:
                _Delivering(work, fetcher, counts).run()
    return counts


def _kinds(installation: Installation, fetcher: Fetcher) -> tuple[str, ...]:
    """What a source is told now; what waits of a kind that was switched off stays."""
    sources = (source for source in installation.config.sources if source.name == fetcher.name)
    return next((source.write_back for source in sources if not source.write_back_dry_run), ())


class _Delivering:
    def __init__(self, work: Work, fetcher: Fetcher, counts: dict[str, int]) -> None:
        self.work = work
        self.fetcher = fetcher
        self.counts = counts
        self.failed = 0  # in a row
        config = work.installation.config
        source = next(each for each in config.sources if each.name == fetcher.name)
        uuids, write = fetcher.ingest.uuids, partial(work.write, synced=True)
        self.courier = Courier(
            SourceSender(fetcher, source, config.mapping, uuids, write, work.clock), config
        )

    def run(self) -> None:
        while batch := self._due():
            for change in batch:
                if self.work.stopping.is_set() or not self._one(change):
                    return

    def _due(self) -> list[QueuedChange]:
        with self.work.installation.store.read() as connection:
            kinds = _kinds(self.work.installation, self.fetcher)
            return queue.due(connection, self.fetcher.source, kinds, self.work.clock(), BATCH)

    def _one(self, change: QueuedChange) -> bool:
        """Send one change and write down what came of it. Out: may the others be tried?"""
        try:
            message = self.courier.deliver(change)
        except Parked as error:
            self._park(change, error)
            return True
        except StillUnderWay as error:
            self._postpone(change, error.moment, "unanswered", holds_up=False)
            return True
        except CutOver:
            return False
        except LegacyError as error:
            refused = refusal(error)
            if not isinstance(refused, Parked):
                return self._failed(change, error)
            self._park(change, refused)
            return True
        except Exception as error:
            if is_of_the_job(error):
                raise
            log.error("writeback failed", source=self.fetcher.name, error=safe_traceback(error))
            self._postpone(change, self.work.clock() + back_off(change.attempts), UNEXPECTED, holds_up=False)
            return True
        with self.work.write(synced=True) as connection:
            queue.done(connection, change, message, self.work.clock())
            if change.attempts:
                queue.try_all(connection, self.fetcher.source, self.work.clock())
        self.counts["sent"] += 1
        self.failed = 0
        return True

    def _park(self, change: QueuedChange, error: Parked) -> None:
        with self.work.write(synced=True) as connection:
            queue.park(connection, change, self.work.clock(), error.cause, error.fields, error.shown)
            queue.tell(connection, self.fetcher.source, change.document, self.courier.told_of(change, error))
        self.counts["parked"] += 1
        log.error(
            "writeback parked",
            source=self.fetcher.name,
            kind=change.kind,
            cause=error.cause,
            fields=error.fields,
        )

    def _failed(self, change: QueuedChange, error: LegacyError) -> bool:
        """Postpone the change, and all others unless the trouble may be its own. Out: may the others be tried?"""
        # A plain 500 or a silence may be about this one thing: others are tried, until three in a row failed.
        self.failed += 1
        own = error.status == 500 and self.failed < 3
        moment = self.work.clock()
        rest = int((getattr(error, "retry_after", None) or 0.0) * SECOND)
        wait = min(LONGEST_WAIT if own else LONGEST_HOLD_UP, back_off(change.attempts))
        lost = changes.unknown(error) and not error.template.startswith("GET ")
        self._postpone(change, moment + max(wait, rest), error.cause, holds_up=not own, unanswered=lost)
        return own

    def _postpone(
        self,
        change: QueuedChange,
        next_try: int,
        cause: str,
        *,
        holds_up: bool,
        unanswered: bool = False,
    ) -> None:
        with self.work.write(synced=True) as connection:
            queue.postpone(connection, change, next_try, cause, holds_up=holds_up, unanswered=unanswered)
        self.counts["postponed"] += 1
        log.warning(
            "writeback postponed",
            source=self.fetcher.name,
            kind=change.kind,
            cause=cause,
            attempts=change.attempts + 1,
            seconds=max(0, next_try - self.work.clock()) // SECOND,
        )
