"""Why an answer is not complete, in the words of `Klantbrug-Coverage`, and what a question is refused with for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import ceil

from gateway.http import problems
from gateway.http.problems import Problem
from gateway.hydrate import untranslated
from gateway.ingest.ingest import OtherMaximum
from gateway.klantinteracties.model.freshness import PARTIAL, Outcome
from gateway.legacy.errors import DeadlinePassed, LegacyError, NoPlace, TimedOut
from gateway.store.base.errors import StoreAway, StoreLocked

RETRY_AFTER = 300
# Who found no place to wait for a source may find one so soon, and what was asked is read meanwhile.
PLACE_RETRY_AFTER = 2
# A database that is started again is back after seconds.
AWAY_RETRY_AFTER = 5
NOT_ASKABLE = (
    "de bron kan dit niet gevraagd worden; na de backfill (klantbrug backfill) is er een volledig antwoord"
)
AWAY = "de bron antwoordt niet"
NOT_ALL_READ = "de bron antwoordde niet, en niet alles was al gelezen"
NO_TIME = "de tijd voor deze vraag was om"
NO_PLACE = "er wachten al genoeg vragen op de bron"
STORE_AWAY = "de opslag was even niet bereikbaar, en niet alles was al gelezen"
NOT_FREE = "de opslag was bezet, en niet alles was al gelezen"
UNREAD = (
    "van bron {} staat een object in quarantaine waarin dit voorkomt: het is niet te lezen, dus of er meer is weet "
    "niemand (voor de beheerder: klantbrug quarantine list)"
)

# What ends the reading of a source early.
Failed = LegacyError | OtherMaximum | StoreLocked


def why_partial(error: Failed) -> str:
    """Why an answer is not complete, of which something was never read."""
    if isinstance(error, StoreLocked):
        return STORE_AWAY if isinstance(error, StoreAway) else NOT_FREE
    if isinstance(error, NoPlace):
        return NO_PLACE
    return NO_TIME if isinstance(error, DeadlinePassed) else NOT_ALL_READ


def partly(met: Outcome) -> Outcome:
    """An outcome of which a part could not be read."""
    reason = "; ".join(filter(None, (met.reason, untranslated.REASON)))
    return replace(met, coverage=PARTIAL, reason=reason)


def unanswerable(reason: str) -> Problem:
    """The refusal of what can't be answered whole."""
    return _told(problems.unavailable(reason, RETRY_AFTER), reason)


def unread(sources: Iterable[str]) -> Problem:
    """The refusal of what occurs in objects of these sources that can't be read (M3)."""
    return _told(problems.unavailable(UNREAD.format(", ".join(sources)), RETRY_AFTER), untranslated.REASON)


def not_read(source: str, error: Failed, busy_seconds: float) -> Problem:
    """The refusal of what was never read, because this source failed or the store was not free.

    `busy_seconds` is how long the store is waited for.
    """
    if isinstance(error, StoreAway):
        text = "De opslag was even niet bereikbaar; probeer het straks opnieuw."
        return _told(problems.unavailable(text, AWAY_RETRY_AFTER), STORE_AWAY)
    if isinstance(error, StoreLocked):
        return _told(problems.store_busy(ceil(busy_seconds)), NOT_FREE)
    if isinstance(error, NoPlace):
        text = f"Er wachten al genoeg vragen op de bron {source}; probeer het zo weer."
        return _told(problems.unavailable(text, PLACE_RETRY_AFTER), NO_PLACE)
    late = isinstance(error, (TimedOut, DeadlinePassed))
    text = f"De bron {source} kon niet worden bevraagd ({error.cause})."
    problem = problems.gateway_timeout(text) if late else problems.bad_gateway(text)
    return _told(problem, AWAY)


def _told(problem: Problem, reason: str) -> Problem:
    """A refusal that says of itself what every answer of the API says."""
    problem.said = Outcome(PARTIAL, reason, "stale").headers()
    return problem
