"""Decides, for each question of a client, whether the store can answer it or the legacy must be asked first.

The served API calls `before_list` or `before_detail` and reads the store. Then it calls `after_answer` with what it is
about to show. It reads again for as long as the outcome says `retry`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from gateway.base import clock, correlation, memory
from gateway.base.correlation import HYDRATE, Operation
from gateway.base.log_throttle import LogThrottle
from gateway.base.logs import get_logger
from gateway.config.model import Live
from gateway.fetch.coverage import CUTOVER, SETTLED_PHASES, Coverage
from gateway.fetch.fetcher import Fetcher
from gateway.fetch.keys import NO_KVK_FILTER
from gateway.fetch.visit import Freshness, Visit
from gateway.hydrate import refusals, untranslated
from gateway.hydrate.made_of import needs_of
from gateway.hydrate.needs import (
    LOCAL_KINDS,
    ListQuestion,
    Need,
    actor_codes,
    question,
    written_keys,
)
from gateway.hydrate.noting import AskedSources
from gateway.hydrate.refresh import Refresher
from gateway.hydrate.refusals import NOT_ASKABLE, Failed
from gateway.ingest.ingest import OtherMaximum
from gateway.klantinteracties.model.freshness import COMPLETE, LOCAL, PARTIAL, Outcome, ShownDocument, worst
from gateway.legacy.errors import CircuitOpen, DeadlinePassed, LegacyError, NoPlace, TimedOut
from gateway.legacy.pacing.waiting_threads import Places
from gateway.store.base.errors import StoreLocked
from gateway.store.base.store import Store
from gateway.store.legacy import identities
from gateway.store.legacy.provenance import document_of
from gateway.store.legacy.untranslated_keys import UNKNOWN_KEYS

log = get_logger(__name__)
no_answers = LogThrottle(log, "a source does not answer")
# Reading on after the answer is of use: the source was not done yet, or was given no chance; or the store was not free.
NOT_DONE = (DeadlinePassed, TimedOut, CircuitOpen, NoPlace, StoreLocked)
# So long what is held but too old waits for who writes.
OLD_WAITS_SECONDS = 0.25
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
        self,
        store: Store,
        fetchers: Mapping[str, Fetcher],
        live: Live,
        places: Places | None = None,
        noting: AskedSources | None = None,
    ) -> None:
        """`places`: how many questions may wait for sources at a time; None is any number. `noting`: where the audit
        log is kept."""
        self._noting = noting
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

    def drain(self, seconds: float = 60.0) -> bool:
        """Wait until what is read after answers is read. Out: was it, within so many seconds?"""
        return self.refresher.drain(seconds)

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

    def before_detail(self, kind: str, uuid: bytes) -> Outcome:
        """Make the store ready for one object by uuid; raises Problem."""
        if kind in self._local_kinds:
            return LOCAL
        return self._meet([Need("document", str(UUID(bytes=uuid)), kind)])

    def before_write(self, kind: str, loaded: Mapping[str, Any]) -> Outcome:
        """Fetch whom the numbers belong to that a write sets, so that a double is seen; raises Problem."""
        needs = [Need("identiteit", key) for key in written_keys(kind, loaded, self._actor_codes)]
        met = self._meet(needs)
        if met.otherwise and not all(self._held(need) for need in needs):
            raise met.otherwise
        return met

    def after_answer(self, outcome: Outcome, shown: Sequence[ShownDocument]) -> Outcome:
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
        """A list that no source can be asked for, while not all is held yet.

        Raises a 503 Problem, or answers what can be answered of it.
        """
        if asked.unique:
            return Outcome(COMPLETE, "", "fresh", otherwise=refusals.unanswerable(NOT_ASKABLE))
        if self.live.partial == "refuse":
            refused = refusals.unanswerable(NOT_ASKABLE)
            if asked.written:
                return Outcome(PARTIAL, NOT_ASKABLE, "fresh", settled=True, otherwise=refused, written=True)
            if filters or self.live.partial_lists == "refuse":
                raise refused
        return Outcome(PARTIAL, NOT_ASKABLE, "fresh", settled=True)

    def _everything(self) -> Outcome:
        """A list that no source can be asked for: only a backfill makes it complete."""
        coverages = [self._coverage(fetcher)[1] for fetcher in self.fetchers.values()]
        if Coverage.UNREAD in coverages:
            self._refuse(NOT_ASKABLE)
            return Outcome(PARTIAL, NOT_ASKABLE, "fresh", settled=True)
        freshness = "fresh" if min(coverages) is Coverage.COVERED else "stale"
        return Outcome(COMPLETE, "", freshness, settled=True)

    def _refuse(self, reason: str) -> None:
        """Raise a 503 Problem for what can't be answered whole, unless `[live] partial` says to answer."""
        if self.live.partial == "refuse":
            raise refusals.unanswerable(reason)

    def _backfilled(self) -> bool:
        return all(self._coverage(fetcher)[1] > Coverage.UNREAD for fetcher in self.fetchers.values())

    def _coverage(self, fetcher: Fetcher) -> tuple[str, Coverage]:
        """A source's phase and coverage; that something of it is in quarantine is kept for the end of the question."""
        phase, coverage, found = fetcher.coverage()
        if found:
            self._request.unread = self._request.unread | {fetcher.name: found}
        elif self._request.unread:
            self._request.unread = {
                name: each for name, each in self._request.unread.items() if name != fetcher.name
            }
        return phase, coverage

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
        return refusals.partly(met) if self._request.unread else met

    def _beside_unread(
        self, met: Outcome, known: Sequence[Need], unknown: Sequence[Need], search: Search | None
    ) -> Outcome:
        """The same of a question about somebody or something.

        Refused when that occurs in what could not be read; partial when something of it may, or nobody can tell. Of a
        document that is held, what is held is an answer. One that is `unknown` may be what an object would become.
        """
        rollen = search is not None and search.rollen
        found: dict[str, untranslated.Overlap] = {}
        with self.store.read() as connection:
            for name in self._request.unread:
                fetcher = self.fetchers[name]
                each = untranslated.Unread(
                    connection, fetcher.source, name, fetcher.ingest.uuids, rollen=rollen
                )
                found[name] = each.concerns([*known, *unknown])
        about = [name for name, each in found.items() if each is untranslated.Overlap.ITSELF]
        if about and self.live.partial == "refuse":
            problem = refusals.unread(about)
            if search is not None:
                raise problem
            met = replace(met, otherwise=met.otherwise or problem)
        hides = UNKNOWN_KEYS in self._request.unread.values() and bool(known)
        return refusals.partly(met) if any(found.values()) or hides or unknown else met

    def _of_source(self, fetcher: Fetcher, needs: Sequence[Need]) -> Outcome:
        """What an answer may say of itself as far as it comes from this source, that is asked when it may be."""
        phase, coverage = self._coverage(fetcher)
        if phase not in SETTLED_PHASES:
            return self._from_source(fetcher, coverage, needs)
        if phase != CUTOVER:
            for need in needs:
                fetcher.count_asked(need.what, need.value)
        if coverage is Coverage.UNREAD and any(
            fetcher.freshness_of(need.what, need.value) is Freshness.NEVER for need in needs
        ):
            return Outcome(PARTIAL, NOT_ASKABLE, "stale", settled=True)
        return Outcome(COMPLETE, "", "fresh" if coverage is Coverage.COVERED else "stale", settled=True)

    def _shown(self, fetcher: Fetcher, needs: Iterable[Need]) -> Outcome:
        """The same of what stands in an answer beside what was asked for."""
        phase, coverage, _ = fetcher.coverage()
        if phase in SETTLED_PHASES:
            return Outcome(COMPLETE, "", "fresh" if coverage is Coverage.COVERED else "stale", settled=True)
        done = self._request.done
        needs = [each for each in needs if (fetcher.name, fetcher.name_of(each.what, each.value)) not in done]
        known = {need: fetcher.freshness_of(need.what, need.value) for need in needs}
        never = [need for need in needs if known[need] is Freshness.NEVER]
        old = [need for need in needs if known[need] is Freshness.STALE]
        found = Outcome(COMPLETE, "", "stale" if old else "fresh")
        if coverage is Coverage.UNREAD:
            self._read_on(fetcher, Visit(0.0), old)
            if never:
                found = worst([found, self._from_source(fetcher, coverage, never, tolerant=True)])
        return found

    def _from_source(
        self, fetcher: Fetcher, coverage: Coverage, needs: Sequence[Need], tolerant: bool = False
    ) -> Outcome:
        """The same of a source that may be asked: waits for as long as there is time, half of it for what is held."""
        with correlation.part(HYDRATE, "hydrate", source=fetcher.name) as operation:
            if self._noting is None:
                return self._held_or_asked(operation, fetcher, coverage, needs, tolerant)
            self._noting.begin(operation)
            found = self._held_or_asked(operation, fetcher, coverage, needs, tolerant)
            self._noting(operation, fetcher, needs)
            return found

    def _held_or_asked(
        self,
        operation: Operation,
        fetcher: Fetcher,
        coverage: Coverage,
        needs: Sequence[Need],
        tolerant: bool,
    ) -> Outcome:
        known = {need: fetcher.freshness_of(need.what, need.value) for need in needs}
        settled, operation.status = coverage is Coverage.COVERED, "held"
        if settled and min(known.values()) is Freshness.FRESH:
            return Outcome(COMPLETE, "", "fresh", settled=True)
        first = min(known.values())
        give_up = self._request.give_up or clock.monotonic() + self.live.deadline
        visit = Visit(give_up)
        freshness, otherwise = "fresh", None
        error: Failed | None = None
        for number, need in enumerate(needs):
            never = known[need] is Freshness.NEVER
            visit.give_up = give_up - (0 if never else self.live.deadline / 2)
            # Who can be answered from what is held does not wait for who writes.
            patience = self.store.waiting.seconds if never else OLD_WAITS_SECONDS
            try:
                with self.store.waiting.at_most(patience):
                    fetcher.read(visit, need.what, need.value)
            except (LegacyError, OtherMaximum, StoreLocked) as failed:
                if not isinstance(failed, StoreLocked):
                    no_answers.warning(source=fetcher.name, cause=failed.cause)
                if isinstance(failed, NOT_DONE):
                    self._read_on(
                        fetcher, visit, [each for each in needs[number:] if known[each] < Freshness.FRESH]
                    )
                error = failed
                break
            known[need] = Freshness.FRESH
        # Also what there was no time for: it is read on as a whole.
        for need in needs:
            self._request.done |= {(fetcher.name, name) for name in fetcher.names_of(need.what, need.value)}
        if first is not Freshness.FRESH:
            self._coverage(fetcher)  # what came just now may be in quarantine, or have left it
        if error is not None:
            if min(known.values()) is Freshness.NEVER:
                visit.partial(refusals.why_partial(error))
                if not tolerant:  # what is held is answered; where that is nothing, nobody knows
                    otherwise = refusals.not_read(fetcher.name, error, self.store.waiting.seconds)
            freshness, operation.status = "stale", error.cause
        elif visit.asked:
            freshness = operation.status = "live"
        if NO_KVK_FILTER in visit.reasons and not tolerant:
            self._refuse(NO_KVK_FILTER)
        extent = PARTIAL if visit.reasons else COMPLETE
        return Outcome(extent, "; ".join(visit.reasons), freshness, settled=settled, otherwise=otherwise)

    def _read_on(self, fetcher: Fetcher, visit: Visit, needs: Iterable[Need]) -> None:
        """What there was no time for is read after the answer."""
        for need in needs:
            self.refresher.enqueue(fetcher, need, visit)

    # Needs

    def _resolve(self, need: Need) -> list[Need] | None:
        """A need for a document becomes what that document is made of; None for a derived uuid that is not known.

        Raises Problem for one before the backfill.
        """
        if need.what != "document":
            return [need]
        uuid = UUID(need.value)
        with self.store.read() as connection:
            found = document_of(connection, uuid.bytes)
        if found is not None:
            return self._needs_of([ShownDocument(need.kind, found[0], uuid.bytes)])
        if need.kind == "klantcontact" and uuid.version != 8:
            return [Need("klantcontact", need.value)]
        if uuid.version != 8:
            return []
        if not self._backfilled():
            self._refuse(NOT_ASKABLE)
        return None

    def _needs_of(self, shown: Sequence[ShownDocument]) -> list[Need]:
        """What the documents in an answer are made of."""
        with self.store.read() as connection:
            return needs_of(connection, shown, moments=self._moments)

    def _held(self, need: Need) -> bool:
        """Does a document have this identity key, so that the store can judge whose it is?"""
        with self.store.read() as connection:
            return identities.key_is_held(connection, need.value)
