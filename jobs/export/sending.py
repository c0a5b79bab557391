"""Sends documents, several at a time, each exactly once (E3).

Before a lot is sent it is noted, on the disk, that it will be; after an answer the pair of uuids is kept. What got no
answer is looked for at the register, and sent again only when it is not there and `[target] read_timeout` has gone by
since: until then a slow register may still be doing it. What the register has already is taken as the same one (E4);
what it refuses is parked (E5).
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import orjson

from gateway.base import clock
from gateway.base.clock import now
from gateway.base.logs import get_logger
from gateway.config.target import Target
from gateway.klantinteracties.model.resources import BY_KIND
from gateway.legacy.background import Background
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.export import pairs
from gateway.store.export.pairs import EXPORTED, FOUND, PHASE, SENT, TAKEN, Arrival
from gateway.store.operation.sources import meta_of
from gateway.target.client import Register
from gateway.target.contents import differing
from gateway.target.errors import Declined, Unsure
from gateway.target.lookup import NUMBERS, is_same, numbers_at, searches, without_numbers
from gateway.target.marks import marks_of, marks_shown
from jobs.common.crew import Crew, Question
from jobs.common.work import Busy
from jobs.export.parcels import Parcel

log = get_logger("klantbrug.export")

Json = dict[str, Any]
UPDATE = "update"
SWITCHES = (("partijIdentificatie", "soortPartij"), ("actorIdentificatie", "soortActor"))
OWNER, ABOVE = "identificeerdePartij", "subIdentificatorVan"
# So many for each connection are noted and sent together, and so many pairs, or seconds, are kept together.
LOT_PER_CONNECTION = 8
KEPT_TOGETHER, KEPT_SECONDS = 50, 0.5
# While a lot is sent the next is noted; so who went with an earlier one than that was there before.
OLDER_LOTS = 2
PAGE = 100
SECOND = 1_000_000
TWO_OF_THEM = "conflict: two objects at the register"


OVER = "De fase is exported: het register is de baas; er gaat niets meer heen"


def must_be_home(connection: Session) -> None:
    """Raise Busy when clients write at the register already: what stands there is newer than ours."""
    if meta_of(connection, PHASE) == EXPORTED:
        raise Busy(OVER)


class ExportSender:
    """The one who sends, for one stage after another; for one thread, with a crew that asks."""

    def __init__(
        self,
        store: Store,
        register: Register,
        settings: Target,
        stopping: threading.Event,
        *,
        only_settle: bool = False,
    ) -> None:
        """`only_settle`: nothing is sent any more, only what is on its way is looked for."""
        self.store = store
        self.register = register
        self.counts: Counter[str] = Counter()
        self._settings = settings
        self._stopping = stopping
        self._crew = Crew(settings.max_connections, Background(None, None, None, window=False))
        self._first: deque[Question] = deque()
        self._later: deque[Parcel] = deque()  # in the order in which they were sent
        self._pending: list[Arrival] = []
        self._over = Busy(OVER) if only_settle else None  # why nothing goes any more
        self._not_sent: list[bytes] = []
        self._claimed: dict[bytes, None] = {}  # uuids at the register that are about to be kept
        self._kept = clock.monotonic()
        self._source: Iterator[Parcel] = iter(())
        self._lot: deque[Parcel] = deque()

    def close(self) -> None:
        """Keep what arrived, and send the crew home."""
        try:
            self.keep()
        finally:
            self._crew.close()

    def send(self, parcels: Iterator[Parcel], meanwhile: Callable[[], None]) -> None:
        """Send all of these, and settle what becomes of each. Raises TargetError, Busy when no more can be sent: not
        before the answers to what was sent came, for nobody would ask for them."""
        self._source = parcels
        while True:
            self._crew.work(self._first, self._next, partial(self._meanwhile, meanwhile))
            self.keep()
            if self._stopping.is_set() or not (self._later or self._first):
                break
            self._wait_for(self._later[0], meanwhile)
        if self._over is not None:
            raise self._over

    def settle(self, left: list[Parcel], meanwhile: Callable[[], None]) -> None:
        """Find out what became of what was on its way when a process ended, and send what did not arrive."""
        for parcel in left:
            parcel.moment = now()  # noted is when its lot was; it may have been sent until the process ended
        self._first.extend(self._look(parcel, self._lost) for parcel in left)
        self.send(iter(()), meanwhile)

    def keep(self) -> None:
        """Keep the pairs of what arrived."""
        self._kept = clock.monotonic()
        if not self._pending and not self._not_sent:
            return
        arrivals, self._pending = self._pending, []
        not_sent, self._not_sent = self._not_sent, []
        # Not waited for: what a power cut takes away is looked for as what got no answer.
        with self.store.write(synced=False) as connection:
            pairs.arrived(connection, arrivals, now())
            pairs.remove(connection, not_sent)
        for arrival in arrivals:
            self._claimed.pop(arrival.theirs, None)

    def _meanwhile(self, told: Callable[[], None]) -> None:
        if len(self._pending) >= KEPT_TOGETHER or clock.monotonic() - self._kept > KEPT_SECONDS:
            self.keep()
        told()

    def _next(self) -> Question | None:
        if self._stopping.is_set():
            return None
        if self._later and self._may_be_judged(self._later[0]):
            return self._look(self._later.popleft(), self._lost)
        if not self._lot:
            self._make_lot()
        if not self._lot:
            return None
        return self._asked_or_sent(self._lot.popleft())

    def _asked_or_sent(self, parcel: Parcel) -> Question:
        return self._look(parcel, self._known) if parcel.looks_first else self._post(parcel)

    def _send(self, parcel: Parcel, question: Callable[[Parcel], Question]) -> None:
        """Send it (again), unless clients write there meanwhile: then it is as if it never was to go."""
        if self._over is None:
            self._first.append(question(parcel))
        else:
            self.counts["not_sent"] += 1
            self._not_sent.append(parcel.own)

    def _make_lot(self) -> None:
        if self._over is not None:
            return
        most = LOT_PER_CONNECTION * self._settings.max_connections
        lot = [parcel for _, parcel in zip(range(most), self._source, strict=False)]
        if not lot:
            return
        moment = now()
        try:
            with self.store.write(synced=True) as connection:
                must_be_home(connection)
                turn = pairs.next_turn(connection)
                pairs.intend(connection, (parcel.intent() for parcel in lot), turn, moment)
        except Busy as error:
            self._over = error
            return
        for parcel in lot:
            parcel.turn, parcel.moment = turn, moment
        self._lot.extend(lot)

    def _wait_for(self, parcel: Parcel, meanwhile: Callable[[], None]) -> None:
        while not self._may_be_judged(parcel) and not self._stopping.is_set():
            meanwhile()
            self._stopping.wait(0.1)

    def _may_be_judged(self, parcel: Parcel) -> bool:
        """Is it so long ago that it was sent that a register that did not do it will not do it any more?"""
        passed = now() - parcel.moment
        if passed < 0:  # the clock was set back: the wait begins again
            parcel.moment = now()
        return passed >= self._settings.read_timeout * SECOND

    # Questions that the crew asks

    def _post(self, parcel: Parcel) -> Question:
        return Question(partial(self._posted, parcel), partial(self._answered, parcel))

    def _posted(self, parcel: Parcel) -> Json | Unsure | Declined:
        parcel.moment = max(parcel.moment, now())
        try:
            return self.register.post(BY_KIND[parcel.kind].path, orjson.dumps(parcel.sent))
        except (Unsure, Declined) as error:
            return error

    def _look(self, parcel: Parcel, take: Callable[[Parcel, list[Json]], None]) -> Question:
        lost = take == self._lost
        return Question(partial(self._looked, parcel, lost), partial(take, parcel))

    def _looked(self, parcel: Parcel, lost: bool) -> list[Json]:
        """What the register has that is the same, and that is nobody's yet; what says all the same first."""
        for search in searches(parcel.kind, parcel.sent, parcel.known_by):
            if not lost and parcel.kind == "partij" and len(search.params) < 2:
                continue  # only a lost one is looked for by what it says
            for page in self.register.pages(search.path, search.params, PAGE):
                shown = page["results"]
                with self.store.read() as connection:
                    known = pairs.of_theirs(connection, [UUID(one["uuid"]).bytes for one in shown])
                free = [
                    one
                    for one in shown
                    if UUID(one["uuid"]).bytes not in known and UUID(one["uuid"]).bytes not in self._claimed
                ]
                found = [
                    one
                    for one in free
                    if is_same(parcel.kind, parcel.sent, one, lost=lost, known_by=parcel.known_by)
                ]
                if found:
                    return sorted(found, key=lambda one: len(differing(without_numbers(parcel.sent), one)))
                if (
                    lost
                    and len(known) == len(shown)
                    and all(pair.turn <= parcel.turn - OLDER_LOTS for pair in known.values())
                ):
                    break  # newest first: what follows was there before this was sent
        return []

    # What becomes of the answers

    def _answered(self, parcel: Parcel, answer: Json | Unsure | Declined) -> None:
        if isinstance(answer, Unsure):
            log.warning("no answer: it is looked for", call=answer.template, cause=answer.cause)
            self.counts["unanswered"] += 1
            parcel.moment = now()  # it may have been under way until this moment
            self._first.append(self._look(parcel, self._lost))
        elif isinstance(answer, Declined):
            if answer.unique():
                take = partial(self._refused, answer)
                self._first.append(Question(partial(self._looked, parcel, False), partial(take, parcel)))
            else:
                self._park(parcel, answer.told)
        else:
            self.counts["sent"] += 1
            self._there(parcel, answer, SENT)

    def _known(self, parcel: Parcel, found: list[Json]) -> None:
        """Take what was there already as the same one, else send it."""
        if found := self._unclaimed(found):
            if parcel.known_by and len({one["uuid"] for one in found}) > 1:
                self._park(parcel, TWO_OF_THEM)
            else:
                self._take(parcel, found[0], TAKEN)
        else:
            self._send(parcel, self._post)

    def _refused(self, refusal: Declined, parcel: Parcel, found: list[Json]) -> None:
        """It may be refused because it is there; else without a number that another has; else it is parked."""
        if parcel.kind == "klantcontact":
            found = [one for one in found if not differing(parcel.sent, one)]
        if found := self._unclaimed(found):
            if len({one["uuid"] for one in found}) > 1 and parcel.kind == "partij":
                self._park(parcel, TWO_OF_THEM)
            else:
                self._take(parcel, found[0], TAKEN)
        elif any(param.name == "nummer" for param in refusal.params) and parcel.sent.get("nummer"):
            self._again_without(parcel, "nummer")
        elif NUMBERS in parcel.sent:  # they go apart, so that each is refused for what it is
            self._again_without(parcel, NUMBERS)
        else:
            self._park(parcel, refusal.told)

    def _again_without(self, parcel: Parcel, name: str) -> None:
        """Send it without a field; what goes is noted first, or it would not be known again after a kill."""
        parcel.without(name)
        parcel.moment = now()
        with self.store.write(synced=True) as connection:
            pairs.intend(connection, [parcel.intent()], parcel.turn, parcel.moment)
        self._send(parcel, self._post)

    def _lost(self, parcel: Parcel, found: list[Json]) -> None:
        """What got no answer is taken when it is there, and sent again when it surely is not."""
        if found := self._unclaimed(found):
            self.counts["found"] += 1
            self._take(parcel, found[0], FOUND)
        elif self._may_be_judged(parcel):
            self.counts["again"] += self._over is None
            self._send(parcel, self._asked_or_sent)
        else:
            self._later.append(parcel)

    def _unclaimed(self, found: list[Json]) -> list[Json]:
        return [one for one in found if UUID(one["uuid"]).bytes not in self._claimed]

    def _take(self, parcel: Parcel, shown: Json, state: int) -> None:
        differ = differing(without_numbers(parcel.sent), shown)
        if state == TAKEN:
            self.counts["taken"] += 1
        fill = [name for name in differ if name == OWNER and not shown.get(OWNER)]
        mend = differ if self._settings.on_existing == UPDATE else fill
        if not mend:
            self._there(parcel, shown, state, kept=differ)
            return
        body = body_of(parcel.sent, mend)
        self._claimed[UUID(shown["uuid"]).bytes] = None
        self._first.append(
            Question(
                partial(self._patched, parcel.kind, shown["uuid"], body),
                lambda answer: self._mended(parcel, shown, state, mend, answer),
            )
        )

    def _patched(self, kind: str, uuid: str, body: Json) -> Json | Declined:
        try:
            return self.register.patch(BY_KIND[kind].path, uuid, orjson.dumps(body))
        except Declined as error:
            return error

    def _mended(
        self, parcel: Parcel, shown: Json, state: int, mend: list[str], answer: Json | Declined
    ) -> None:
        if isinstance(answer, Declined):
            self._there(parcel, shown, state, kept=differing(without_numbers(parcel.sent), shown))
            return
        self.counts["updated"] += 1
        kept = [name for name in differing(without_numbers(parcel.sent), shown) if name not in mend]
        overwritten = [name for name in mend if name != OWNER or shown.get(OWNER)]
        self._there(parcel, answer, state, kept, overwritten)

    def _there(
        self,
        parcel: Parcel,
        shown: Json,
        state: int,
        kept: Sequence[str] = (),
        overwritten: Sequence[str] = (),
    ) -> None:
        """It is at the register: keep the pair, and those of the numbers that went along."""
        sent = without_numbers(parcel.sent) | parcel.left
        self._claim(
            Arrival(
                parcel.own,
                parcel.kind,
                UUID(shown["uuid"]).bytes,
                state,
                parcel.digest,
                ", ".join(kept),
                marks_of(sent),
                marks_shown(sent, shown),
                ", ".join(overwritten),
            )
        )
        if not parcel.numbers:
            return
        with_them = zip(parcel.numbers, parcel.sent[NUMBERS], numbers_at(parcel.sent, shown), strict=True)
        for (own, digest), number, uuid in with_them:
            if uuid and own:
                says = marks_of({**number, OWNER: {"uuid": shown["uuid"]}, ABOVE: None})
                theirs = UUID(uuid).bytes
                self._claim(Arrival(own, "partij-identificator", theirs, state, digest, marks=says))

    def _claim(self, arrival: Arrival) -> None:
        self._claimed[arrival.theirs] = None
        self._pending.append(arrival)

    def _park(self, parcel: Parcel, cause: str) -> None:
        self.counts["parked"] += 1
        log.warning("register refuses an object", kind=parcel.kind, cause=cause)
        with self.store.write(synced=False) as connection:
            pairs.park(connection, parcel.own, parcel.kind, cause, parcel.digest, now())


def body_of(values: Json, names: Sequence[str]) -> Json:
    """What is sent to change these fields only; without its soort a group is ignored."""
    body = {name: values[name] for name in names}
    for group, switch in SWITCHES:
        if group in body:
            body[switch] = values[switch]
    return body
