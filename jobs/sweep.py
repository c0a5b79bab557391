"""Sweep: reads everything again, bit by bit, and so finds what nothing announced.

A round walks all lists page by page, asks what ties each contactmoment and has no list, and reads the
zaakcontactmomenten (jobs/connections.py), evenly spread over a bit less than half of `[[source]] sweep_days`; then it
asks by uuid for what is held and nothing showed since the round began: deleted, hidden by a delete during the walk, or
no longer visible. So a change is found within one round and a deletion within two: within sweep_days. Lists, and not
zaak after zaak: a page of 500 costs the source as much as a dozen single objects. Ingest compares by digest; an ETag is
not believed.

Beside that, zaken that clients ask about often are read again each hour. A sync or inbox that missed something asks for
a round at full speed.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any
from uuid import UUID

from gateway.batch import Result
from gateway.fetch import CUTOVER, Fetcher
from gateway.installation import Installation
from gateway.legacy.errors import LegacyError
from gateway.logs import get_logger
from gateway.store import asked, following
from gateway.store.database import now
from gateway.store.following import Following
from jobs import connections
from jobs.following import Followed
from jobs.lists import LISTS, all_kinds_of, kinds_of, ties_in
from jobs.work import Work

log = get_logger("klantbrug.sweep")

SECOND = 1_000_000
DAY = 86400 * SECOND
# Two rounds, with what is asked by uuid at their ends, fit in the period.
ROUND_SHARE = 0.45
# A run ends before the next is due; then other jobs have their turn and a stop is quick.
RUN_SECONDS = 40.0
PIECE = 50
# Trouble that may be the object's own: so many in a row are the source's.
IN_A_ROW = 3
# A zaak that was asked for so often since yesterday is read again each hour, so many of them in a run.
OFTEN = 3
OFTEN_SINCE = DAY
OFTEN_READ = 3600 * SECOND
OFTEN_IN_A_RUN = 20


@dataclass(slots=True)
class Place:
    """Where a round is: in the walk of the list of kinds[stage] at `page`; after those, behind `row`, in the ties of
    contactmomenten when there are `ties`; then in the zaakcontactmomenten, that are read in this `way`; then by uuid in
    each kind.

    `read` of the `held` objects were read, which is how the round keeps its pace.
    """

    began: int
    held: int
    hurried: bool
    stage: int = 0
    page: int = 1
    row: int = 0
    read: int = 0
    kinds: Sequence[str] = LISTS
    ties: Sequence[str] = ()
    way: str = ""

    @property
    def connecting(self) -> int:
        """The stage of the zaakcontactmomenten."""
        return len(self.kinds) + bool(self.ties)

    def next_stage(self) -> None:
        """Go on with the next list, or the next kind by uuid."""
        self.stage, self.page, self.row = self.stage + 1, 1, 0

    def due(self, moment: int, length: float) -> bool:
        """Is it time for the next step, when the round is spread evenly over `length`?"""
        by_zaak = self.way == connections.BY_ZAAK
        if self.hurried or self.stage >= self.connecting + by_zaak:
            return True
        return moment - self.began >= length * min(1.0, self.read / max(1, self.held))


def anything_due(installation: Installation) -> bool:
    """Is there a step of a round to do, or a zaak that is asked for often to be read?"""
    moment = now()
    for fetcher in installation.fetchers.values():
        phase, covered = fetcher.state()
        if phase == CUTOVER or not covered:
            continue
        with installation.store.read() as connection:
            state = following.following(connection, fetcher.source)
            often = asked.often(connection, fetcher.source, OFTEN, moment - OFTEN_READ, 1)
        if _due(state, moment, _length(installation, fetcher), fetcher) or (often and phase == "synced"):
            return True
    return False


def _length(installation: Installation, fetcher: Fetcher) -> float:
    """How long a round lasts, in microseconds."""
    days = next(each.sweep_days for each in installation.config.sources if each.name == fetcher.name)
    return days * DAY * ROUND_SHARE


def _kinds(fetcher: Fetcher) -> tuple[list[str], list[str]]:
    """The kinds that are walked in lists, and those that are asked for each contactmoment."""
    return list(kinds_of(fetcher.client)), list(ties_in(fetcher.client))


def _due(state: Following, moment: int, length: float, fetcher: Fetcher) -> bool:
    """Does a round begin or go on now?"""
    if state.place is None:
        return state.hurry > 0 or not state.swept <= moment < state.swept + length
    place = Place(**state.place)
    return _void(place, state, moment, fetcher) or place.due(moment, length)


def _void(place: Place, state: Following, moment: int, fetcher: Fetcher) -> bool:
    """Must another round begin: one was asked for since, the clock was set back to before this one, or the source was
    given another API?"""
    other = ([*place.kinds], [*place.ties]) != _kinds(fetcher)
    return other or not place.way or state.hurry > place.began or place.began > moment


def sweep(work: Work) -> dict[str, int]:
    """Do what is due, for every source. Out: counts; a source that fails is counted and logged. Raises leases.Lost."""
    names = ("pages", "changed", "ties", "connections", "by_uuid", "often", "failed", "rounds")
    counts = dict.fromkeys(names, 0)
    for fetcher in work.installation.fetchers.values():
        if work.stopping.is_set():
            break
        try:
            _Sweep(work, fetcher, counts).run()
        except LegacyError as error:
            log.warning("sweep failed", source=fetcher.name, cause=error.cause)
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
        self.until = time.monotonic() + RUN_SECONDS
        self.in_a_row = 0

    def run(self) -> None:
        if self.followed.standing_still():
            return
        self._often()
        place = self._place()
        # At least one step, however long the zaken took.
        while place is not None and place.due(self.work.clock(), self.length):
            by_uuid = all_kinds_of(self.fetcher.client)
            if place.stage < len(place.kinds):
                self._read_page(place)
            elif place.stage < place.connecting:
                self._ask_ties(place)
            elif place.stage == place.connecting:
                self._read_connections(place)
            elif place.stage <= place.connecting + len(by_uuid):
                self._ask_by_uuid(place, by_uuid[place.stage - place.connecting - 1])
            else:
                with self.work.write() as connection:
                    following.set_swept(connection, self.source, place.began, place.hurried)
                self.counts["rounds"] += 1
                return
            if not self._going_on():
                return

    def _going_on(self) -> bool:
        return not self.work.stopping.is_set() and time.monotonic() < self.until

    # A round

    def _place(self) -> Place | None:
        """Where the round is that goes on or begins now; None when none is due."""
        state, moment = self.followed.state(), self.work.clock()
        if not _due(state, moment, self.length, self.fetcher):
            return None
        if state.place is not None:
            place = Place(**state.place)
            if not _void(place, state, moment, self.fetcher):
                return place
        kinds, ties = _kinds(self.fetcher)
        way = connections.way_of(self.fetcher)
        with self.followed.store.read() as connection:
            held = following.count_held(connection, self.source, kinds)
            if ties:
                held += following.count_held(connection, self.source, ["contactmoment"])
            if way == connections.BY_ZAAK:
                held += following.count_held(connection, self.source, ["zaak"])
        return Place(now(), held, hurried=state.hurry > 0, kinds=kinds, ties=ties, way=way)

    def _read_page(self, place: Place) -> None:
        kind = place.kinds[place.stage]
        page = next(self.fetcher.client.pages(kind, start=place.page), None)
        if page is None:
            place.next_stage()
            self._keep(place)
            return

        def also(connection: sqlite3.Connection, result: Result) -> None:
            place.read += len(page.objects)
            place.page += 1
            if page.ends:
                place.next_stage()
            following.set_place(connection, self.source, asdict(place))

        if kind == "contactmoment":
            self.followed.ties_of_new(page.objects)
        result = self.followed.take(kind, page.objects, also, asked=page.asked)
        self.counts["pages"] += 1
        self.counts["changed"] += result.changed

    def _ask_ties(self, place: Place) -> None:
        """Ask again what ties contactmomenten, for some of them."""
        with self.followed.store.read() as connection:
            found = following.held_after(connection, self.source, "contactmoment", place.row, PIECE)
        earlier = self.fetcher.earlier
        for row, uuid in found:
            self._one(partial(earlier.reread_ties, self.followed.visit(), UUID(bytes=uuid), place.ties))
            self.counts["ties"] += 1
            place.row, place.read = row, place.read + 1
            if not self._going_on():
                break
        if not found:
            place.next_stage()
        self._keep(place)

    def _read_connections(self, place: Place) -> None:
        """Read the zaakcontactmomenten, all of them or those of some zaken."""
        found: list[dict[str, Any]] = []
        asked = now()
        if not self.fetcher.client.can(connections.CONNECTION, "zaak"):
            place.way = connections.NONE  # not any more, since the round began
        elif place.way == connections.WHOLE:
            place.way, found = connections.whole(self.fetcher.client)
        elif place.way == connections.BY_ZAAK:
            with self.followed.store.read() as connection:
                zaken = following.held_after(connection, self.source, "zaak", place.row, PIECE)
            for row, zaak in zaken:
                found += connections.of_zaak(self.fetcher.client, zaak)
                place.row, place.read = row, place.read + 1
                if not self._going_on():
                    break
            if not zaken:
                place.way = connections.NONE
        result = self.followed.take(connections.CONNECTION, found, asked=asked)
        self.counts["connections"] += len(found)
        self.counts["changed"] += result.changed
        if place.way != connections.BY_ZAAK:
            place.next_stage()
            place.way = connections.NONE
        self._keep(place)

    def _ask_by_uuid(self, place: Place, kind: str) -> None:
        with self.followed.store.read() as connection:
            found = following.not_shown(connection, self.source, kind, place.began, place.row, PIECE)
        for row, uuid in found:
            self._one(partial(self.followed.look_into, kind, UUID(bytes=uuid)))
            self.counts["by_uuid"] += 1
            place.row = row
            if not self._going_on():
                break
        if not found:
            place.next_stage()
        self._keep(place)

    def _one(self, ask: Callable[[], None]) -> None:
        """Ask for one thing; what the source can't give is left for a next time.

        Raises LegacyError when it gives nothing several times in a row.
        """
        try:
            ask()
            self.in_a_row = 0
        except LegacyError:
            self.in_a_row += 1
            if self.in_a_row >= IN_A_ROW:
                raise
            self.counts["failed"] += 1

    def _keep(self, place: Place) -> None:
        with self.work.write() as connection:
            following.set_place(connection, self.source, asdict(place))

    # Zaken that are asked for often

    def _often(self) -> None:
        """Read again what clients ask about; in phase live their requests do so themselves."""
        if self.fetcher.state()[0] != "synced":
            return
        moment = self.work.clock()
        with self.work.write() as connection:
            asked.forget(connection, self.source, moment - OFTEN_SINCE)
            zaken = asked.often(connection, self.source, OFTEN, moment - OFTEN_READ, OFTEN_IN_A_RUN)
        for zaak in zaken:
            if not self._going_on():
                return
            self._one(partial(self.fetcher.reread_zaak, self.followed.visit(), UUID(bytes=zaak)))
            with self.work.write() as connection:
                asked.was_read(connection, self.source, zaak, moment)
            self.counts["often"] += 1
