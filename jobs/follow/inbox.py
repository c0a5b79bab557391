"""Fetches the objects that notifications are about.

A message is only a hint: the object is asked for now, and what the source says counts. So messages that are lost,
doubled, late or out of order do no harm, and neither does one that lies. When the source fails all hints wait; an
object that fails by itself keeps only its own hint waiting.
"""

from __future__ import annotations

from uuid import UUID

from gateway.base.clock import now
from gateway.base.logs import get_logger, safe_traceback
from gateway.fetch.coverage import CUTOVER
from gateway.fetch.fetcher import Fetcher
from gateway.installation import Installation
from gateway.legacy.background import background
from gateway.legacy.errors import Forbidden, LegacyError, Unreachable
from gateway.store.operation import inbox as rows
from jobs.common.backoff import back_off
from jobs.common.failures import NOT_ASKED, UNEXPECTED, answers_for_others, is_of_the_job
from jobs.common.work import Work
from jobs.follow.followed_source import Followed
from mappings.standards import CONNECTION

log = get_logger("klantbrug.inbox")

BATCH = 50
# Seconds that a call waits at most for a source that wants rest; then the hint waits.
PATIENCE = 10.0
SECOND = 1_000_000
# A source that is back is noticed within this time.
LONGEST_HOLD_UP = 300 * SECOND
OF_SOURCE = (Unreachable, Forbidden, *NOT_ASKED)


def anything_due(installation: Installation) -> bool:
    """Is there a hint that is due?"""
    moment = now()
    with installation.store.read() as connection:
        return any(rows.due(connection, each.source, moment, 1) for each in installation.fetchers.values())


def process_inbox(work: Work) -> dict[str, int]:
    """Look into what is due, until nothing is or the source fails. Out: how many were done and postponed.

    Raises leases.Lost; what was being fetched is fetched again by the new owner.
    """
    counts = {"done": 0, "postponed": 0}
    # The source itself announced it, so its window is no reason to wait.
    with background(work.stopping, patience=PATIENCE, window=False):
        for fetcher in work.installation.fetchers.values():
            _Inbox(work, fetcher, counts).run()
    return counts


class _Inbox:
    def __init__(self, work: Work, fetcher: Fetcher, counts: dict[str, int]) -> None:
        self.work = work
        self.fetcher = fetcher
        self.followed = Followed(work, fetcher)
        self.counts = counts

    def run(self) -> None:
        if self.fetcher.state()[0] == CUTOVER:
            with self.work.write() as connection:
                rows.forget(connection, self.fetcher.source)
            return
        while batch := self._due():
            for hint in batch:
                if self.work.stopping.is_set() or not self._one(hint):
                    return

    def _due(self) -> list[rows.Hint]:
        with self.work.installation.store.read() as connection:
            return rows.due(connection, self.fetcher.source, self.work.clock(), BATCH)

    def _one(self, hint: rows.Hint) -> bool:
        """Look into one hint. Out: may the others be tried?"""
        try:
            zaak = UUID(bytes=hint.zaak) if hint.zaak else None
            self.followed.reread(hint.kind, UUID(bytes=hint.uuid), zaak)
        except LegacyError as error:
            return self._failed(hint, error)
        except Exception as error:
            if is_of_the_job(error):
                raise
            log.error("notification failed", source=self.fetcher.name, error=safe_traceback(error))
            self._postpone(hint, UNEXPECTED)
            return True
        with self.work.write() as connection:
            rows.done(connection, hint)
        self.counts["done"] += 1
        return True

    def _failed(self, hint: rows.Hint, error: LegacyError) -> bool:
        """Postpone the hint, and all others when it is the source that fails. Out: may the others be tried?"""
        kind = "zaak" if hint.kind == CONNECTION else hint.kind
        well = not isinstance(error, OF_SOURCE) and answers_for_others(
            self.fetcher, kind, UUID(bytes=hint.uuid)
        )
        self._postpone(hint, error.cause)
        if not well:
            wait = min(back_off(hint.attempts), LONGEST_HOLD_UP)
            with self.work.write() as connection:
                rows.hold_up(connection, self.fetcher.source, self.work.clock() + wait)
        return well

    def _postpone(self, hint: rows.Hint, cause: str) -> None:
        with self.work.write() as connection:
            rows.postpone(connection, hint, self.work.clock() + back_off(hint.attempts), cause)
        self.counts["postponed"] += 1
        log.warning(
            "notification waits",
            source=self.fetcher.name,
            kind=hint.kind,
            cause=cause,
            attempts=hint.attempts + 1,
        )
