"""Sweep: reads everything again, bit by bit, and so finds what nothing announced.

A round walks all lists page by page. It asks what ties each contactmoment and has no list, and reads the
zaakcontactmomenten (jobs/common/zaakcontactmomenten.py). It is spread evenly over a bit less than half of `[[source]]
sweep_days`. Then it asks by uuid for what is held and nothing showed since the round began. That was deleted, hidden by
a delete during the walk, or is no longer visible. So a change is found within one round and a deletion within two:
within sweep_days. Lists, and not zaak after zaak: a page of 500 costs the source as much as a dozen single objects.
Ingest compares by digest; an ETag is not believed.

Beside that, zaken that clients ask about often are read again each hour. A sync or inbox that missed something asks for
a round at full speed.

What a source can't give while it does answer for other objects is counted and passed over until the next round. Else
one broken object would keep the rest from ever being read. While the source itself does not answer, nothing is passed
over: the round is blocked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any
from uuid import UUID

from gateway.base import clock
from gateway.base.clock import now
from gateway.base.logs import get_logger, safe_traceback
from gateway.fetch.coverage import CUTOVER
from gateway.fetch.fetcher import Fetcher
from gateway.ingest.outcome import Result
from gateway.installation import Installation
from gateway.legacy.client.answers import Page
from gateway.legacy.errors import LegacyError, TooLarge, Unreachable
from gateway.store.base.session import Session
from gateway.store.operation import following, requested_zaken
from jobs.common import zaakcontactmomenten
from jobs.common.failures import NOT_ASKED, UNEXPECTED, answers_for_others, answers_lists, is_of_the_job
from jobs.common.lists import all_kinds_of
from jobs.common.work import Work
from jobs.follow.followed_source import Followed
from jobs.follow.sweep_rounds import UNKNOWN, SweepPlace, is_due, is_void, kinds_in
from mappings.standards import CONNECTION

log = get_logger("klantbrug.sweep")

SECOND = 1_000_000
DAY = 86400 * SECOND
# Two rounds, with what is asked by uuid at their ends, fit in the period.
ROUND_SHARE = 0.45
# A run ends before the next is due; then other jobs have their turn and a stop is quick.
RUN_SECONDS = 40.0
PIECE = 50
# A page, or all of a kind by uuid, that failed in so many runs (an hour) while lists were answered is given up.
TRIES = 60
# So many pages in a row that are given up: nor will the rest of that list come.
LOST_PAGES = 3
# Zaken that are asked for often and fail: after so many in a row the round has its turn.
IN_A_ROW = 3
# A zaak that was asked for so often since yesterday is read again each hour, so many of them in a run.
OFTEN = 3
OFTEN_SINCE = DAY
OFTEN_READ = 3600 * SECOND
OFTEN_IN_A_RUN = 20


def anything_due(installation: Installation) -> bool:
    """Is there a step of a round to do, or a zaak that is asked for often to be read?"""
    moment = now()
    for fetcher in installation.fetchers.values():
        phase, covered = fetcher.state()
        if phase == CUTOVER or not covered:
            continue
        with installation.store.read() as connection:
            state = following.following(connection, fetcher.source)
            often = requested_zaken.often(connection, fetcher.source, OFTEN, moment - OFTEN_READ, 1)
        if is_due(state, moment, _length(installation, fetcher), fetcher) or (often and phase == "synced"):
            return True
    return False


def _length(installation: Installation, fetcher: Fetcher) -> float:
    """How long a round lasts, in microseconds."""
    days = next(each.sweep_days for each in installation.config.sources if each.name == fetcher.name)
    return days * DAY * ROUND_SHARE


def sweep(work: Work) -> dict[str, int]:
    """Do what is due, for every source. Out: counts; a source that fails is counted and logged. Raises leases.Lost."""
    names = ("pages", "changed", "ties", "connections", "by_uuid", "often", "failed", "rounds")
    counts = dict.fromkeys(names, 0)
    for fetcher in work.installation.fetchers.values():
        if work.stopping.is_set():
            break
        one = _Sweep(work, fetcher, counts)
        try:
            one.run()
        except LegacyError as error:
            hours = one.note_blocked(error.cause)
            log.warning("sweep failed", source=fetcher.name, cause=error.cause, still_hours=hours)
            counts["failed"] += 1
        except Exception as error:
            if is_of_the_job(error):
                raise
            hours = one.note_blocked(UNEXPECTED)
            error_at = safe_traceback(error)
            log.error("sweep failed", source=fetcher.name, error=error_at, still_hours=hours)
            counts["failed"] += 1
    return counts


class _Sweep:
    def __init__(self, work: Work, fetcher: Fetcher, counts: dict[str, int]) -> None:
        self.work = work
        self.fetcher = fetcher
        self.followed = Followed(work, fetcher)
        self.source = fetcher.source
        self.counts = counts
        self.length = _length(work.installation, fetcher)
        self.until = clock.monotonic() + RUN_SECONDS
        self.begun: SweepPlace | None = None
        self.at: object = None
        # Did the source answer for a list after it failed?
        self.lists = False

    def run(self) -> None:
        """Do what is due. Raises LegacyError when the source gives no answers; what came before is kept."""
        if self.followed.blocked_reason():
            return
        self._often()
        place = self._place()
        # At least one step, however long the zaken took.
        while place is not None and place.due(self.work.clock(), self.length):
            by_uuid = all_kinds_of(self.fetcher.client)
            if place.way == UNKNOWN:
                self._find_way(place)
            elif place.stage < len(place.kinds):
                self._read_page(place)
            elif place.stage < place.connecting:
                self._ask_ties(place)
            elif place.stage == place.connecting:
                self._read_connections(place)
            elif place.stage <= place.connecting + len(by_uuid):
                self._ask_by_uuid(place, by_uuid[place.stage - place.connecting - 1])
            else:
                self._end(place)
                return
            if not self._going_on():
                return

    def note_blocked(self, cause: str) -> int:
        """Keep since when the round can't go on, and why. Out: for how many hours. Raises leases.Lost."""
        kept = self.followed.state().place
        place = SweepPlace(**kept) if kept else self.begun
        if place is None:
            return 0
        if self.begun is not None and self.begun.began != place.began:
            place = self.begun  # the round that was kept is void
        moment = self.work.clock()
        place.still, place.cause, place.tries = place.still or moment, cause, place.tries + self.lists
        with self.work.write() as connection:
            following.set_place(connection, self.source, asdict(place))
        return int((moment - place.still) // (3600 * SECOND))

    def _going_on(self) -> bool:
        return not self.work.stopping.is_set() and clock.monotonic() < self.until

    # A round

    def _place(self) -> SweepPlace | None:
        """Where the round is that goes on or begins now; None when none is due."""
        state, moment = self.followed.state(), self.work.clock()
        if not is_due(state, moment, self.length, self.fetcher):
            return None
        if state.place is not None:
            place = SweepPlace(**state.place)
            if not is_void(place, state, moment, self.fetcher):
                self.at = place.at
                return place
        if state.hurry > moment:  # asked when the clock was ahead: no round would be later
            with self.work.write() as connection:
                following.ask_hurry(connection, self.source, moment, state.why)
        kinds, ties = kinds_in(self.fetcher)
        counted = [*kinds, "contactmoment"] if ties else kinds
        with self.followed.store.read() as connection:
            held = sum(following.count_held(connection, self.source, [kind]) for kind in counted)
        place = SweepPlace(now(), held, hurried=state.hurry > 0, kinds=kinds, ties=ties, way=UNKNOWN)
        self.begun = SweepPlace(**asdict(place))
        return place

    def _find_way(self, place: SweepPlace) -> None:
        """Find out how the zaakcontactmomenten are to be read."""
        try:
            place.way = zaakcontactmomenten.way_of(self.fetcher)
        except LegacyError as error:
            if not self._is_lost(place, error):
                raise
            place.way = zaakcontactmomenten.BY_ZAAK  # then only the zaken that fail are passed over
        if place.way == zaakcontactmomenten.BY_ZAAK:
            with self.followed.store.read() as connection:
                place.held += following.count_held(connection, self.source, ["zaak"])
        self._keep(place)

    def _read_page(self, place: SweepPlace) -> None:
        kind = place.kinds[place.stage]
        try:
            page = next(self.fetcher.client.pages(kind, start=place.page), None)
            if page is not None and kind == "contactmoment":
                self.followed.ties_of_new(page.objects)
        except LegacyError as error:
            if not self._is_lost(place, error):
                raise
            self._leave_page(place)
            return
        if page is None:
            place.next_stage()
            self._keep(place)
            return
        self._take_page(place, kind, page)

    def _take_page(self, place: SweepPlace, kind: str, page: Page) -> None:
        def also(connection: Session, result: Result) -> None:
            place.read += len(page.objects)
            place.page += 1
            place.tries = 0
            if page.ends:
                place.next_stage()
            self._set_place(connection, place)

        result = self.followed.take(kind, page.objects, also, asked=page.asked)
        self.counts["pages"] += 1
        self.counts["changed"] += result.changed

    def _leave_page(self, place: SweepPlace) -> None:
        """Go on behind a page that does not come: what is held of it is asked for by uuid, at the end."""
        self._passed(place)
        place.page += 1
        place.tries += 1
        if place.tries >= TRIES + LOST_PAGES:
            place.next_stage()
        self._keep(place)

    def _ask_ties(self, place: SweepPlace) -> None:
        """Ask again what ties contactmomenten, for some of them."""
        with self.followed.store.read() as connection:
            found = following.held_after(connection, self.source, "contactmoment", place.row, PIECE)
        contents, before = self.fetcher.contents, place.read
        trouble = self._each(
            place,
            "contactmoment",
            found,
            lambda uuid: contents.reread_ties(self.followed.visit(), uuid, place.ties),
        )
        self.counts["ties"] += place.read - before
        self._after(place, found, trouble)

    def _read_connections(self, place: SweepPlace) -> None:
        """Read the zaakcontactmomenten, all of them or those of some zaken."""
        found: list[dict[str, Any]] = []
        trouble: LegacyError | None = None
        began = now()
        if not self.fetcher.client.can(CONNECTION, "zaak"):
            place.way = zaakcontactmomenten.NONE  # not any more, since the round began
        elif place.way == zaakcontactmomenten.WHOLE:
            place.way, found = zaakcontactmomenten.whole(self.fetcher.client)
        elif place.way == zaakcontactmomenten.BY_ZAAK:
            with self.followed.store.read() as connection:
                zaken = following.held_after(connection, self.source, "zaak", place.row, PIECE)
            trouble = self._each(
                place,
                "zaak",
                zaken,
                lambda uuid: found.extend(zaakcontactmomenten.of_zaak(self.fetcher.client, uuid.bytes)),
            )
            if not zaken:
                place.way = zaakcontactmomenten.NONE
        result = self.followed.take(CONNECTION, found, asked=began)
        self.counts["connections"] += len(found)
        self.counts["changed"] += result.changed
        if place.way != zaakcontactmomenten.BY_ZAAK:
            place.next_stage()
            place.way = zaakcontactmomenten.NONE
        self._keep(place)
        if trouble is not None:
            raise trouble

    def _ask_by_uuid(self, place: SweepPlace, kind: str) -> None:
        with self.followed.store.read() as connection:
            found = following.not_shown(connection, self.source, kind, place.began, place.row, PIECE)
        before = place.read
        trouble = self._each(place, kind, found, partial(self.followed.reread, kind))
        self.counts["by_uuid"] += place.read - before
        self._after(place, found, trouble)

    def _after(self, place: SweepPlace, found: Sequence[object], trouble: LegacyError | None) -> None:
        """Keep what `_each` of what was found came to. Raises the trouble."""
        if not found:
            place.next_stage()
        self._keep(place)
        if trouble is not None:
            raise trouble

    def _each(
        self, place: SweepPlace, kind: str, found: Sequence[tuple[int, bytes]], ask: Callable[[UUID], None]
    ) -> LegacyError | None:
        """Ask about these objects, and move the place along. Out: the trouble of the source that ended it."""
        for row, uuid in found:
            try:
                ask(UUID(bytes=uuid))
                place.tries = 0
            except LegacyError as error:
                if isinstance(error, NOT_ASKED):
                    return error
                with self.work.write():
                    pass  # the lease stays ours, however long the next questions take
                if answers_for_others(self.fetcher, kind, UUID(bytes=uuid)):
                    place.tries = 0
                elif not self._is_lost(place, error):
                    return error
                self._passed(place)
            place.row, place.read = row, place.read + 1
            if not self._going_on():
                break
        return None

    def _is_lost(self, place: SweepPlace, error: LegacyError) -> bool:
        """Did what stands here fail in so many runs, while the source did answer, that it is to be passed over?"""
        self.lists = False
        if isinstance(error, TooLarge):
            return True  # the source did answer, and the next time it is no smaller
        if isinstance(error, (Unreachable, *NOT_ASKED)):
            return False
        self.lists = answers_lists(self.fetcher)
        return self.lists and place.tries >= TRIES

    def _passed(self, place: SweepPlace) -> None:
        self.lists = False
        place.failed += 1
        self.counts["failed"] += 1

    def _end(self, place: SweepPlace) -> None:
        with self.work.write() as connection:
            following.set_swept(connection, self.source, place.began, place.hurried, place.failed)
        if place.failed:
            log.warning("sweep left questions unanswered", source=self.fetcher.name, count=place.failed)
        self.counts["rounds"] += 1

    def _keep(self, place: SweepPlace) -> None:
        with self.work.write() as connection:
            self._set_place(connection, place)

    def _set_place(self, connection: Session, place: SweepPlace) -> None:
        if place.at != self.at:
            self.at, place.still, place.cause = place.at, 0, ""
        following.set_place(connection, self.source, asdict(place))

    # Zaken that are asked for often

    def _often(self) -> None:
        """Read again what clients ask about; in phase live their requests do so themselves."""
        if self.fetcher.state()[0] != "synced":
            return
        moment = self.work.clock()
        with self.work.write() as connection:
            requested_zaken.forget(connection, self.source, moment - OFTEN_SINCE)
            zaken = requested_zaken.often(connection, self.source, OFTEN, moment - OFTEN_READ, OFTEN_IN_A_RUN)
        in_a_row = 0
        for zaak in zaken:
            if not self._going_on():
                return
            try:
                self.fetcher.reread_zaak(self.followed.visit(), UUID(bytes=zaak))
                in_a_row = 0
                self.counts["often"] += 1
            except LegacyError as error:
                in_a_row += 1
                self.counts["failed"] += 1
                if isinstance(error, (Unreachable, *NOT_ASKED)):
                    return
            # Also one that failed, for an hour: it must not keep the others from their turn.
            with self.work.write() as connection:
                requested_zaken.was_read(connection, self.source, zaak, moment)
            if in_a_row >= IN_A_ROW:
                return
