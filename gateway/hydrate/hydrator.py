"""Decides, for each question of a client, whether the store can answer it or the legacy must be asked first.

The served API calls `before_list` or `before_detail`, reads the store, and calls `after` with what it is about to
show; it reads again for as long as the outcome says `retry`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any
from uuid import UUID

from gateway.base import clock, memory
from gateway.base.log_throttle import Seldom
from gateway.base.logs import get_logger
from gateway.config.model import Live
from gateway.fetch.coverage import CUTOVER, SETTLED_PHASES, Standing
from gateway.fetch.fetcher import Fetcher
from gateway.fetch.keys import NO_KVK_FILTER
from gateway.fetch.visit import Known, Visit
from gateway.http import problems
from gateway.http.problems import Problem
from gateway.hydrate import untranslated
from gateway.hydrate.needs import (
    LOCAL_KINDS,
    ListQuestion,
    Need,
    actor_codes,
    number_keys,
    question,
    written_keys,
)
from gateway.hydrate.refresh import Refresher
from gateway.ingest.ingest import OtherMaximum
from gateway.klantinteracties.model.freshness import COMPLETE, LOCAL, PARTIAL, Outcome, Shown, worst
from gateway.legacy.errors import CircuitOpen, DeadlinePassed, LegacyError, NoPlace, TimedOut
from gateway.legacy.pacing.waiting_threads import Places
from gateway.store.file.database import Store
from gateway.store.file.lock_waits import StoreBusy
from gateway.store.legacy import identities, ties
from gateway.store.legacy import objects as rows
from gateway.store.legacy.untranslated_keys import UNKNOWN_KEYS
from mappings.identity.identity import place

log = get_logger(__name__)
no_answers = Seldom(log, "bron antwoordt niet")
RETRY_AFTER = 300
# Who found no place to wait for a source may find one so soon, and what was asked is read meanwhile.
PLACE_RETRY_AFTER = 2
NOT_ASKABLE = (
    "de bron kan dit niet gevraagd worden; na de backfill (klantbrug backfill) is er een volledig antwoord"
)
AWAY = "de bron antwoordt niet"
NOT_ALL_READ = "de bron antwoordde niet, en niet alles was al gelezen"
NO_TIME = "de tijd voor deze vraag was om"
NO_PLACE = "er wachten al genoeg vragen op de bron"
NOT_FREE = "de opslag was bezet, en niet alles was al gelezen"
UNREAD = (
    "van bron {} staat een object in quarantaine waarin dit voorkomt: het is niet te lezen, dus of er meer is weet "
    "niemand (voor de beheerder: klantbrug quarantine list)"
)
# Reading on after the answer is of use: the source was not done yet, or was given no chance; or the store was not free.
NOT_DONE = (DeadlinePassed, TimedOut, CircuitOpen, NoPlace, StoreBusy)
# So long what is held but too old waits for who writes.
OLD_WAITS_SECONDS = 0.25
CONTACT_KINDS = ("klantcontact", "betrokkene", "onderwerpobject", "actorklantcontact", "internetaak")


# Filters on whom a partij represents.
REPRESENTED = "vertegenwoordigdePartij__"
NOTHING_UNREAD: dict[str, int] = {}


class Request(threading.local):
    """The request of this thread: when it must wait no longer (clock.monotonic), and what was asked for it."""

    def __init__(self) -> None:
        self.give_up = 0.0
        self.done: set[tuple[str, str]] = set()  # source, and the name under which it is remembered
        self.unread: dict[str, int] = NOTHING_UNREAD  # sources with something in quarantine, see store.unread


@dataclass(frozen=True, slots=True)
class Search:
    """What a list is asked for; `rollen`: also about who else has a part in a zaak."""

    rollen: bool

    @classmethod
    def of(cls, kind: str, filters: Iterable[str]) -> Search:
        """That of a list of this kind with these filters."""
        return cls(kind == "vertegenwoordiging" or any(name.startswith(REPRESENTED) for name in filters))


class LegacyHydrator:
    """Hydrates from the configured sources. One for each process."""

    def __init__(
        self, store: Store, fetchers: Mapping[str, Fetcher], live: Live, places: Places | None = None
    ) -> None:
        """`places`: how many questions may wait for sources at a time; None is any number."""
        self.places = places or Places()
        self.store = store
        self.fetchers = fetchers
        self.live = live
        # Each source is translated by the same [mapping].
        settings = next(iter(fetchers.values())).ingest.settings
        # Contactmomenten may give internetaken, and addresses of betrokkenen (M40).
        self._moments = any(fetcher.has_api("contactmomenten") for fetcher in fetchers.values())
        self._actor_codes = actor_codes(settings, moments=self._moments)
        tasks = self._moments and settings.contactverzoek_typen
        self._local_kinds = LOCAL_KINDS - {"internetaak"} if tasks else LOCAL_KINDS
        self.refresher = Refresher()
        self._request = Request()

    def begin(self) -> None:
        """A request begins: from now on it may wait for sources for as long as `[live] deadline`."""
        self._request.give_up = clock.monotonic() + self.live.deadline
        self._request.done = set()
        self._request.unread = NOTHING_UNREAD

    def settle(self, seconds: float = 60.0) -> bool:
        """Wait until what is read after answers is read. Out: was it, within so many seconds?"""
        return self.refresher.settle(seconds)

    def before_list(self, kind: str, filters: Mapping[str, str]) -> Outcome:
        """Make the store ready for a list; raises Problem (502, 503, 504) when it can't be."""
        asked = question(kind, filters, self._actor_codes, self._local_kinds)
        if asked.unbounded:
            found = self._everything() if self._backfilled() else self._before_backfill(asked, filters)
            return self._without_unread(found)
        if not asked.partial or self._backfilled():
            return self._meet(asked.needs, search=Search.of(kind, filters))
        self._refuse(asked.partial)
        met = self._meet(asked.needs, search=Search.of(kind, filters))
        return replace(met, coverage="partial", reason="; ".join(filter(None, (met.reason, asked.partial))))

    def before_detail(self, kind: str, uuid: UUID) -> Outcome:
        """Make the store ready for one object by uuid; raises Problem."""
        if kind in self._local_kinds:
            return LOCAL
        return self._meet([Need("document", str(uuid), kind)])

    def before_write(self, kind: str, loaded: Mapping[str, Any]) -> Outcome:
        """Fetch whom the numbers belong to that a write sets, so that a double is seen; raises Problem."""
        needs = [Need("identiteit", key) for key in written_keys(kind, loaded, self._actor_codes)]
        met = self._meet(needs)
        if met.otherwise and not all(self._held(need) for need in needs):
            raise met.otherwise
        return met

    def after(self, outcome: Outcome, shown: Sequence[Shown]) -> Outcome:
        """What stands in the answer must be whole too: fetch what was never read of it, and say to read again.

        Only a source that was not read whole is asked for it: of another the store has all. What is only too old is
        read after the answer.
        """
        if outcome.settled:
            return outcome
        needs = self._needs_of(shown)
        if not needs:
            return replace(outcome, retry=False)
        with self._asking():
            met = worst([self._shown(fetcher, needs) for fetcher in self.fetchers.values()])
        if self._request.unread:
            met = replace(self._beside_unread(met, needs, [], None), otherwise=None)
        return worst([outcome, met], retry=met.freshness == "live")

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """The block may ask sources, as one question."""
        try:
            with self.places.question():
                yield
        finally:
            memory.give_back()

    # Outcomes

    def _before_backfill(self, asked: ListQuestion, filters: Mapping[str, str]) -> Outcome:
        """A list that no source can be asked for, while what is held is not all: raises a 503 Problem, or says what
        part of it is an answer."""
        if asked.unique:
            return Outcome(COMPLETE, "", "fresh", otherwise=self._unanswerable(NOT_ASKABLE))
        if self.live.partial == "refuse":
            refused = self._unanswerable(NOT_ASKABLE)
            if asked.written:
                return Outcome(PARTIAL, NOT_ASKABLE, "fresh", settled=True, otherwise=refused, written=True)
            if filters or self.live.partial_lists == "refuse":
                raise refused
        return Outcome(PARTIAL, NOT_ASKABLE, "fresh", settled=True)

    def _everything(self) -> Outcome:
        """A list that no source can be asked for: only a backfill makes it complete."""
        standings = [self._standing(fetcher)[1] for fetcher in self.fetchers.values()]
        if Standing.UNREAD in standings:
            self._refuse(NOT_ASKABLE)
            return Outcome(PARTIAL, NOT_ASKABLE, "fresh", settled=True)
        freshness = "fresh" if min(standings) is Standing.COVERED else "stale"
        return Outcome(COMPLETE, "", freshness, settled=True)

    def _refuse(self, reason: str) -> None:
        """Raise a 503 Problem for what can't be answered whole, unless `[live] partial` says to answer."""
        if self.live.partial == "refuse":
            raise self._unanswerable(reason)

    def _unanswerable(self, reason: str) -> Problem:
        return _told(problems.unavailable(reason, RETRY_AFTER), reason)

    def _backfilled(self) -> bool:
        return all(self._standing(fetcher)[1] > Standing.UNREAD for fetcher in self.fetchers.values())

    def _standing(self, fetcher: Fetcher) -> tuple[str, Standing]:
        """A source's phase and standing; that something of it is in quarantine is kept for the end of the question."""
        phase, standing, found = fetcher.standing()
        if found:
            self._request.unread = self._request.unread | {fetcher.name: found}
        elif self._request.unread:
            self._request.unread = {
                name: each for name, each in self._request.unread.items() if name != fetcher.name
            }
        return phase, standing

    def _meet(self, needs: Iterable[Need], search: Search | None = None) -> Outcome:
        """Have every source give what is needed. A `search` for what could not be read is refused: raises Problem."""
        known: list[Need] = []
        unknown: list[Need] = []
        for need in needs:
            resolved = self._resolve(need)
            if resolved is None:
                unknown.append(need)
            else:
                known += resolved
        met = LOCAL
        if known:
            with self._asking():
                met = worst([self._of_source(fetcher, known) for fetcher in self.fetchers.values()])
        if not self._request.unread:
            return met
        return self._beside_unread(met, known, unknown, search)

    # What could not be read (M3)

    def _without_unread(self, met: Outcome) -> Outcome:
        """A list of everything: what is in quarantine is not in it."""
        return _partly(met) if self._request.unread else met

    def _beside_unread(
        self, met: Outcome, known: Sequence[Need], unknown: Sequence[Need], search: Search | None
    ) -> Outcome:
        """The same of a question about somebody or something: refused when that occurs in what could not be read, and
        partial when something of it may, or nobody can tell. Of a document that is held what is held is an answer; one
        that is `unknown` may be what an object would become."""
        rollen = search is not None and search.rollen
        found: dict[str, untranslated.About] = {}
        with self.store.read() as connection:
            for name in self._request.unread:
                fetcher = self.fetchers[name]
                each = untranslated.Unread(
                    connection, fetcher.source, name, fetcher.ingest.uuids, rollen=rollen
                )
                found[name] = each.concerns([*known, *unknown])
        about = [name for name, each in found.items() if each is untranslated.About.ITSELF]
        if about and self.live.partial == "refuse":
            problem = _told(
                problems.unavailable(UNREAD.format(", ".join(about)), RETRY_AFTER), untranslated.REASON
            )
            if search is not None:
                raise problem
            met = replace(met, otherwise=met.otherwise or problem)
        hides = UNKNOWN_KEYS in self._request.unread.values() and bool(known)
        return _partly(met) if any(found.values()) or hides or unknown else met

    def _of_source(self, fetcher: Fetcher, needs: Sequence[Need]) -> Outcome:
        """What an answer may say of itself as far as it comes from this source, that is asked when it may be."""
        phase, standing = self._standing(fetcher)
        if phase not in SETTLED_PHASES:
            return self._from_source(fetcher, standing, needs)
        if phase != CUTOVER:
            for need in needs:
                fetcher.count_asked(need.what, need.value)
        if standing is Standing.UNREAD and any(
            fetcher.held(need.what, need.value) is Known.NEVER for need in needs
        ):
            return Outcome(PARTIAL, NOT_ASKABLE, "stale", settled=True)
        return Outcome(COMPLETE, "", "fresh" if standing is Standing.COVERED else "stale", settled=True)

    def _shown(self, fetcher: Fetcher, needs: Iterable[Need]) -> Outcome:
        """The same of what stands in an answer beside what was asked for."""
        phase, standing, _ = fetcher.standing()
        if phase in SETTLED_PHASES:
            return Outcome(COMPLETE, "", "fresh" if standing is Standing.COVERED else "stale", settled=True)
        done = self._request.done
        needs = [each for each in needs if (fetcher.name, fetcher.name_of(each.what, each.value)) not in done]
        held = {need: fetcher.held(need.what, need.value) for need in needs}
        never = [need for need in needs if held[need] is Known.NEVER]
        old = [need for need in needs if held[need] is Known.OLD]
        found = Outcome(COMPLETE, "", "stale" if old else "fresh")
        if standing is Standing.UNREAD:
            self._read_on(fetcher, Visit(0.0), old)
            if never:
                found = worst([found, self._from_source(fetcher, standing, never, tolerant=True)])
        return found

    def _from_source(
        self, fetcher: Fetcher, standing: Standing, needs: Sequence[Need], tolerant: bool = False
    ) -> Outcome:
        """The same of a source that may be asked: waits for as long as there is time, half of it for what is held."""
        held = {need: fetcher.held(need.what, need.value) for need in needs}
        settled = standing is Standing.COVERED
        if settled and min(held.values()) is Known.YOUNG:
            return Outcome(COMPLETE, "", "fresh", settled=True)
        first = min(held.values())
        give_up = self._request.give_up or clock.monotonic() + self.live.deadline
        visit = Visit(give_up)
        freshness, otherwise = "fresh", None
        error: LegacyError | OtherMaximum | StoreBusy | None = None
        for number, need in enumerate(needs):
            never = held[need] is Known.NEVER
            visit.give_up = give_up - (0 if never else self.live.deadline / 2)
            # Who can be answered from what is held does not wait for who writes.
            patience = self.store.waiting.seconds if never else OLD_WAITS_SECONDS
            try:
                with self.store.waiting.at_most(patience):
                    fetcher.read(visit, need.what, need.value)
            except (LegacyError, OtherMaximum, StoreBusy) as failed:
                if not isinstance(failed, StoreBusy):
                    no_answers.warning(source=fetcher.name, cause=failed.cause)
                if isinstance(failed, NOT_DONE):
                    self._read_on(
                        fetcher, visit, [each for each in needs[number:] if held[each] < Known.YOUNG]
                    )
                error = failed
                break
            held[need] = Known.YOUNG
        # Also what there was no time for: it is read on as a whole.
        for need in needs:
            self._request.done |= {(fetcher.name, name) for name in fetcher.names_of(need.what, need.value)}
        if first is not Known.YOUNG:
            self._standing(fetcher)  # what came just now may be in quarantine, or have left it
        if error is not None:
            if min(held.values()) is Known.NEVER:
                visit.partial(_why_partial(error))
                if not tolerant:  # what is held is answered; where that is nothing, nobody knows
                    otherwise = self._problem(fetcher.name, error)
            freshness = "stale"
        elif visit.asked:
            freshness = "live"
        if NO_KVK_FILTER in visit.reasons and not tolerant:
            self._refuse(NO_KVK_FILTER)
        coverage = PARTIAL if visit.reasons else COMPLETE
        return Outcome(coverage, "; ".join(visit.reasons), freshness, settled=settled, otherwise=otherwise)

    def _read_on(self, fetcher: Fetcher, visit: Visit, needs: Iterable[Need]) -> None:
        """What there was no time for is read after the answer."""
        for need in needs:
            self.refresher.later(fetcher, need, visit)

    def _problem(self, source: str, error: LegacyError | OtherMaximum | StoreBusy) -> Problem:
        if isinstance(error, StoreBusy):
            return _told(problems.store_busy(ceil(self.store.waiting.seconds)), NOT_FREE)
        if isinstance(error, NoPlace):
            text = f"Er wachten al genoeg vragen op de bron {source}; probeer het zo weer."
            return _told(problems.unavailable(text, PLACE_RETRY_AFTER), NO_PLACE)
        late = isinstance(error, (TimedOut, DeadlinePassed))
        text = f"De bron {source} kon niet worden bevraagd ({error.cause})."
        problem = problems.gateway_timeout(text) if late else problems.bad_gateway(text)
        return _told(problem, AWAY)

    # Needs

    def _resolve(self, need: Need) -> list[Need] | None:
        """A need for a document becomes what that document is made of; None for a derived uuid that is not known.

        Raises Problem for one before the backfill.
        """
        if need.what != "document":
            return [need]
        uuid = UUID(need.value)
        with self.store.read() as connection:
            found = rows.document_of(connection, uuid.bytes)
        if found is not None:
            return self._needs_of([Shown(need.kind, found[0], uuid.bytes)])
        if need.kind == "klantcontact" and uuid.version != 8:
            return [Need("klantcontact", need.value)]
        if uuid.version != 8:
            return []
        if not self._backfilled():
            self._refuse(NOT_ASKABLE)
        return None

    def _needs_of(self, shown: Sequence[Shown]) -> list[Need]:
        """What the documents in an answer are made of."""
        needs: dict[Need, None] = {}
        with self.store.read() as connection:
            for item in shown:
                found = rows.document_of(connection, item.uuid)
                if found is None:
                    continue
                _, owner, owner_row = found
                if owner is None or owner_row is None:
                    continue
                of_moment = (
                    self._moments and item.kind == "digitaleadres" and ties.is_moment(connection, owner)
                )
                if item.kind in CONTACT_KINDS or of_moment:
                    zaak = rows.zaak_of_contact(connection, owner)
                    if zaak:
                        needs[Need("zaak", str(UUID(bytes=zaak[1])))] = None
                    elif ties.is_moment(connection, owner):
                        needs[Need("klantcontact", str(UUID(bytes=owner)))] = None
                    continue
                keys = sorted(identities.keys_of_document(connection, owner_row), key=place)
                if keys:
                    whole = item.kind in ("partij", "actor-met-contacten")
                    needs[Need("partij" if whole else "identiteit", keys[0])] = None
                elif item.kind == "partij":  # a client's: a source may know its numbers meanwhile
                    for soort, number in identities.numbers_of_partij(connection, owner_row):
                        needs |= {Need("partij", key): None for key in number_keys(number, soort)}
        return list(needs)

    def _held(self, need: Need) -> bool:
        """Does a document have this identity key, so that the store can judge whose it is?"""
        with self.store.read() as connection:
            return identities.key_is_held(connection, need.value)


def _why_partial(error: LegacyError | OtherMaximum | StoreBusy) -> str:
    """Why an answer is not complete, of which something was never read."""
    if isinstance(error, StoreBusy):
        return NOT_FREE
    if isinstance(error, NoPlace):
        return NO_PLACE
    return NO_TIME if isinstance(error, DeadlinePassed) else NOT_ALL_READ


def _partly(met: Outcome) -> Outcome:
    """An outcome of which a part could not be read."""
    reason = "; ".join(filter(None, (met.reason, untranslated.REASON)))
    return replace(met, coverage=PARTIAL, reason=reason)


def _told(problem: Problem, reason: str) -> Problem:
    """A refusal that says of itself what every answer of the API says."""
    problem.said = Outcome(PARTIAL, reason, "stale").headers()
    return problem
