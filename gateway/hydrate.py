"""Decides, for each question of a client, whether the store can answer it or the legacy must be asked first.

The served API calls `before_list` or `before_detail`, reads the store, and calls `after` with what it is about to
show; it reads again for as long as the outcome says `retry`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from gateway import problems
from gateway.config import Live
from gateway.fetch import MICROSECONDS, NO_KVK_FILTER, SETTLED_PHASES, Fetcher, Visit
from gateway.ingest import OtherMaximum
from gateway.klantinteracties.freshness import FRESHNESS, LOCAL, Outcome, Shown, worst
from gateway.legacy.errors import DeadlinePassed, LegacyError, TimedOut
from gateway.logs import get_logger
from gateway.needs import LOCAL_KINDS, Need, Question, actor_codes, number_keys, question, written_keys
from gateway.problems import Problem
from gateway.store import identities, ties
from gateway.store import legacy as rows
from gateway.store.claims import asked_by_key
from gateway.store.database import Store, now
from mappings.identity import place

log = get_logger(__name__)
RETRY_AFTER = 300
NOT_ASKABLE = (
    "de bron kan dit niet gevraagd worden; na de backfill (klantbrug backfill) is er een volledig antwoord"
)
AWAY = "de bron antwoordt niet"
CONTACT_KINDS = ("klantcontact", "betrokkene", "onderwerpobject", "actorklantcontact")


class LegacyHydrator:
    """Hydrates from the configured sources. One for each process."""

    def __init__(self, store: Store, fetchers: Mapping[str, Fetcher], live: Live) -> None:
        self.store = store
        self.fetchers = fetchers
        self.live = live
        # Each source is translated by the same [mapping].
        self._actor_codes = actor_codes(next(iter(fetchers.values())).ingest.settings)

    def before_list(self, kind: str, filters: Mapping[str, str]) -> Outcome:
        """Make the store ready for a list; raises Problem (502, 503, 504) when it can't be."""
        asked = question(kind, filters, self._actor_codes)
        if asked.unbounded:
            return self._everything() if self._backfilled() else self._before_backfill(asked, filters)
        if not asked.partial or self._backfilled():
            return self._meet(asked.needs)
        self._refuse(asked.partial)
        met = self._meet(asked.needs)
        return replace(met, coverage="partial", reason="; ".join(filter(None, (met.reason, asked.partial))))

    def before_detail(self, kind: str, uuid: UUID) -> Outcome:
        """Make the store ready for one object by uuid; raises Problem."""
        if kind in LOCAL_KINDS:
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
        """What stands in the answer must be whole too: fetch what is missing of it, and say to read again."""
        if outcome.freshness == "local" or outcome.reason == NOT_ASKABLE or self._covered():
            return replace(outcome, retry=False)
        needs = self._needs_of(shown)
        if not any(not self._fresh(need) for need in needs):
            return replace(outcome, retry=False)
        met = self._meet(needs, tolerant=True, give_up=outcome.give_up)
        return worst([outcome, met], retry=met.freshness == "live")

    # Outcomes

    def _before_backfill(self, asked: Question, filters: Mapping[str, str]) -> Outcome:
        """A list that no source can be asked for, while what is held is not all: raises a 503 Problem, or says what
        part of it is an answer."""
        if asked.unique:
            return Outcome("complete", "", "fresh", otherwise=self._unanswerable(NOT_ASKABLE))
        if self.live.partial == "refuse":
            refused = self._unanswerable(NOT_ASKABLE)
            if asked.written:
                return Outcome("partial", NOT_ASKABLE, "fresh", otherwise=refused, written=True)
            if filters or self.live.partial_lists == "refuse":
                raise refused
        return Outcome("partial", NOT_ASKABLE, "fresh")

    def _everything(self) -> Outcome:
        """A list that no source can be asked for: only a backfill makes it complete."""
        freshness = []
        for fetcher in self.fetchers.values():
            phase, covered = fetcher.state()
            if not covered:
                self._refuse(NOT_ASKABLE)
                return Outcome("partial", NOT_ASKABLE, "fresh")
            young = covered >= now() - self.live.max_age * MICROSECONDS
            freshness.append("fresh" if phase in SETTLED_PHASES or young else "stale")
        return Outcome("complete", "", max(freshness, key=FRESHNESS.index))

    def _refuse(self, reason: str) -> None:
        """Raise a 503 Problem for what can't be answered whole, unless `[live] partial` says to answer."""
        if self.live.partial == "refuse":
            raise self._unanswerable(reason)

    def _unanswerable(self, reason: str) -> Problem:
        return _told(problems.unavailable(reason, RETRY_AFTER), reason)

    def _backfilled(self) -> bool:
        return all(fetcher.state()[1] for fetcher in self.fetchers.values())

    def _covered(self) -> bool:
        """Is every source backfilled and young enough, so that nothing has to be asked?"""
        return all(fetcher.fresh("") for fetcher in self.fetchers.values())

    def _meet(self, needs: Iterable[Need], tolerant: bool = False, give_up: float = 0.0) -> Outcome:
        needs = [found for need in needs for found in self._resolve(need, tolerant)]
        if not needs:
            return Outcome("complete", "", "fresh" if self._covered() else "local")
        give_up = give_up or time.monotonic() + self.live.deadline
        met = [self._from_source(fetcher, needs, tolerant, give_up) for fetcher in self.fetchers.values()]
        return replace(worst(met), give_up=give_up)

    def _from_source(
        self, fetcher: Fetcher, needs: Sequence[Need], tolerant: bool, give_up: float
    ) -> Outcome:
        visit = Visit(give_up)
        freshness, otherwise = "fresh", None
        try:
            for need in needs:
                self._fetch(fetcher, visit, need)
        except (LegacyError, OtherMaximum) as error:
            log.warning("bron antwoordt niet", source=fetcher.name, cause=error.cause)
            if not tolerant and not all(fetcher.known(_name(need, fetcher)) for need in needs):
                # What is held is answered; where that is nothing, nobody knows.
                otherwise = self._problem(fetcher.name, error)
                visit.partial(AWAY)
            elif isinstance(error, DeadlinePassed) and visit.asked:
                visit.partial("de tijd voor deze vraag was om")
            freshness = "stale"
        if freshness == "fresh" and visit.asked:
            freshness = "live"
        if NO_KVK_FILTER in visit.reasons and not tolerant:
            self._refuse(NO_KVK_FILTER)
        coverage = "partial" if visit.reasons else "complete"
        return Outcome(coverage, "; ".join(visit.reasons), freshness, otherwise=otherwise)

    def _problem(self, source: str, error: LegacyError | OtherMaximum) -> Problem:
        late = isinstance(error, (TimedOut, DeadlinePassed))
        text = f"De bron {source} kon niet worden bevraagd ({error.cause})."
        problem = problems.gateway_timeout(text) if late else problems.bad_gateway(text)
        return _told(problem, AWAY)

    # Needs

    def _fetch(self, fetcher: Fetcher, visit: Visit, need: Need) -> None:
        value = need.value
        calls: dict[str, Callable[[], None]] = {
            "partij": lambda: fetcher.party(visit, value),
            "identiteit": lambda: fetcher.identity(visit, _of_source(value, fetcher)),
            "zaak": lambda: fetcher.zaak(visit, UUID(value)),
            "klantcontact": lambda: fetcher.klantcontact(visit, UUID(value)),
        }
        calls[need.what]()

    def _resolve(self, need: Need, tolerant: bool) -> list[Need]:
        """A need for a document becomes what that document is made of. Raises Problem for an unknown derived uuid."""
        if need.what != "document":
            return [need]
        uuid = UUID(need.value)
        with self.store.read() as connection:
            found = rows.document_of(connection, uuid.bytes)
        if found is not None:
            return self._needs_of([Shown(need.kind, found[0], uuid.bytes)])
        if need.kind == "klantcontact" and uuid.version != 8:
            return [Need("klantcontact", need.value)]
        if uuid.version == 8 and not tolerant and not self._backfilled():
            self._refuse(NOT_ASKABLE)
        return []

    def _needs_of(self, shown: Sequence[Shown]) -> list[Need]:
        """What the documents in an answer are made of."""
        needs: dict[Need, None] = {}
        with self.store.read() as connection:
            for item in shown:
                found = rows.document_of(connection, item.uuid)
                if found is None or found[1] is None:
                    continue
                _, owner, owner_row = found
                if item.kind in CONTACT_KINDS:
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

    def _fresh(self, need: Need) -> bool:
        return need.what != "partij" and all(
            fetcher.fresh(_name(need, fetcher)) for fetcher in self.fetchers.values()
        )

    def _held(self, need: Need) -> bool:
        """Does a document have this identity key, so that the store can judge whose it is?"""
        with self.store.read() as connection:
            return identities.key_is_held(connection, need.value)


def _name(need: Need, fetcher: Fetcher) -> str:
    """The name under which a need is remembered as fetched from a source."""
    if need.what in ("zaak", "klantcontact"):
        return f"{need.what} {need.value}"
    return asked_by_key(_of_source(need.value, fetcher))


def _of_source(key: str, fetcher: Fetcher) -> str:
    """The key of an actor of any source as it is in this one; other keys as they are."""
    return key.replace("|*|", f"|{fetcher.name}|", 1)


def _told(problem: Problem, reason: str) -> Problem:
    """A refusal that says of itself what every answer of the API says."""
    problem.said = Outcome("partial", reason, "stale").headers()
    return problem
