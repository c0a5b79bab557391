"""Sync: takes what is new at a source since the last time, in a few calls.

Rollen, klantcontacten and contactmomenten come newest first. What existed when the previous sync (or the backfill)
began is held, so a walk from the front may stop where everything existed then. It goes on for a margin: a transaction
at the source may show older numbers later than newer ones. Besides, requests and notifications brought in single
objects from further back. Deletes during a walk of several pages hide objects: such a walk is done again
until one misses nothing. With a new contactmoment come its ties and klanten. Changes and deletions are not seen here:
they are announced (inbox) or found (sweep).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.base.clock import now
from gateway.base.logs import get_logger, safe_traceback
from gateway.fetch.coverage import CUTOVER
from gateway.fetch.fetcher import Fetcher
from gateway.installation import Installation
from gateway.legacy.errors import LegacyError, TooLarge
from gateway.store.operation import following
from jobs.common.failures import is_of_the_job
from jobs.common.work import Work
from jobs.follow.followed_source import Followed
from mappings.standards import KINDS, in_order
from mappings.standards.declaration import Newest
from mappings.values.uuids import uuid_in

log = get_logger("klantbrug.sync")

# So many objects in a row that existed before: less than a page of any version, and more than come late in practice.
MARGIN = 50
MOST_LOOKS = 5
# The registratiedatum of a zaak is a date in the source's own time, which may be set a day back.
DAYS_BACK = 2
SECOND = 1_000_000
NOT_AGREED = "een sync miste bij elke lezing objecten"
CLOCK_AHEAD = "de klok van deze machine liep voor, dus wat nieuw is was niet te zeggen"
PIECE = 1000


@dataclass(slots=True)
class Synced:
    """What a sync of one source did. `skipped` says why it did nothing; `agreed`: did it see all that is new?"""

    source: str
    skipped: str = ""
    pages: int = 0
    new: int = 0
    agreed: bool = True


def anything_to_follow(installation: Installation) -> bool:
    """Is there a source that a backfill read whole and that is still asked?"""
    states = [fetcher.state() for fetcher in installation.fetchers.values()]
    return any(covered and phase != CUTOVER for phase, covered in states)


def sync(work: Work) -> dict[str, int]:
    """Sync every source. Out: counts; a source that fails is counted and logged. Raises leases.Lost."""
    counts = {"synced": 0, "skipped": 0, "failed": 0, "pages": 0, "new": 0}
    for fetcher in work.installation.fetchers.values():
        if work.stopping.is_set():
            break
        try:
            done = sync_source(work, fetcher)
        except LegacyError as error:
            log.warning("sync failed", source=fetcher.name, cause=error.cause)
            counts["failed"] += 1
            continue
        except Exception as error:
            if is_of_the_job(error):
                raise
            log.error("sync failed", source=fetcher.name, error=safe_traceback(error))
            counts["failed"] += 1
            continue
        counts["skipped" if done.skipped else "synced" if done.agreed else "failed"] += 1
        counts["pages"] += done.pages
        counts["new"] += done.new
    return counts


def sync_source(work: Work, fetcher: Fetcher) -> Synced:
    """Sync one source.

    When it could not see all that is new, the sweep is asked to hurry, and the next sync begins where this one did.
    Raises LegacyError, leases.Lost; both leave what a next sync completes.
    """
    followed = Followed(work, fetcher)
    done = Synced(fetcher.name, followed.blocked_reason())
    if done.skipped:
        return done
    since = _since(followed)
    ahead = since is None
    if since is None:
        # Only what is newest is taken now. What else was missed the sweep finds.
        log.warning("the clock was ahead", source=fetcher.name)
        since = _mend_moments(followed)
    began = now()
    looking = _Looking(followed, since, done)
    client = followed.fetcher.client
    for kind in (kind.name for kind in in_order() if kind.newest and client.has_api(kind.api)):
        try:
            looking.everything_new(kind)
        except TooLarge as error:  # the other lists must not wait for it
            log.warning("sync could not read all", source=fetcher.name, kind=kind, cause=error.cause)
            done.agreed = False
    with work.write() as connection:
        if done.agreed:
            following.set_synced(connection, fetcher.source, began)
        if ahead or not done.agreed:
            why = CLOCK_AHEAD if ahead else NOT_AGREED
            following.ask_hurry(connection, fetcher.source, now(), why)
    return done


def _since(followed: Followed) -> int | None:
    """When everything that existed then is known to be held; None when that is later than now, so the clock was ahead.

    A backfill that began in such a future is no reason, once a sync began at a moment to be believed.
    """
    moment, synced, (_, covered) = now(), followed.state().synced, followed.fetcher.state()
    if synced > moment or (covered > moment and not synced):
        return None
    return max(each for each in (synced, covered) if each <= moment)


def _mend_moments(followed: Followed) -> int:
    """Let nothing of a source be seen later than now. Out: the moment before which all was seen. Raises leases.Lost."""
    moment = now()
    after: int | None = 0
    while after is not None:
        with followed.work.write() as connection:
            after = following.not_seen_after(connection, followed.source, moment, after, PIECE)
    return moment + 1


class _Looking:
    """Looks from the front of each list; `since` is when everything that existed is known to be held."""

    def __init__(self, followed: Followed, since: int, done: Synced) -> None:
        self.followed = followed
        self.client = followed.fetcher.client
        self.since = since
        self.done = done

    def everything_new(self, kind: str) -> None:
        """Look until a look missed nothing. One page is a single moment at the source: once is enough."""
        newest, filters = KINDS[kind].newest or Newest(), {}
        if newest.since:
            if not self.client.can(kind, newest.since):
                return  # then zaken come with their rollen and klantcontacten, or with the sweep
            filters = {newest.since: first_day(self.since)}
        if newest.ordering and self.client.can(kind, "ordering"):
            filters = {"ordering": newest.ordering}
        for look in range(MOST_LOOKS):
            pages, missed = self._look(kind, filters)
            if pages <= 1 or (look and not missed):
                return
        self.done.agreed = False

    def _look(self, kind: str, filters: dict[str, str]) -> tuple[int, int]:
        """Walk from the front to where nothing is new. Out: the pages read, and the objects missed by earlier looks.

        An object that came after an earlier look has nothing known before it; one that was missed has.
        """
        pages = missed = known_before = 0
        met_known = False
        for page in self.client.pages(kind, filters):
            pages += 1
            self.done.pages += 1
            moments = self.followed.ties_of_new(page.objects) if kind == "contactmoment" else set()
            result = self.followed.take(kind, page.objects, asked=page.asked)
            for moment in sorted(moments):
                self.followed.fetcher.contents.klanten(self.followed.visit(), moment)
            self.done.new += len(result.new)
            uuids = _uuids(page.objects)
            with self.followed.store.read() as connection:
                held = following.held_before(connection, self.followed.source, kind, uuids, self.since)
            for uuid in uuids:
                known_before = known_before + 1 if uuid in held else 0
                missed += met_known and uuid in result.new
                met_known = met_known or uuid not in result.new
            if known_before >= MARGIN or page.ends:
                break
        return pages, missed


def _uuids(objects: Sequence[dict[str, Any]]) -> list[bytes]:
    found = (uuid_in(item.get("uuid")) or uuid_in(item.get("url")) for item in objects)
    return [uuid.bytes for uuid in found if uuid is not None]


def first_day(since: int) -> str:
    """The date after which zaken are asked for that were registered since a moment (microseconds UTC)."""
    return (datetime.fromtimestamp(since // SECOND, UTC).date() - timedelta(days=DAYS_BACK)).isoformat()
