"""How views ask whether the store can answer: a protocol, and its form when there are no sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from gateway.http.problems import Problem

COMPLETE, PARTIAL = "complete", "partial"
# From the best to the worst.
FRESHNESS = ("local", "fresh", "live", "stale")


class ShownDocument(NamedTuple):
    """A document that stands in full in an answer: its kind, row id, and uuid (16 bytes)."""

    kind: str
    id: int
    uuid: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer may say of itself.

    `coverage` is complete, or partial with a `reason`; `freshness` is live (fetched for this request), fresh
    (recent enough), stale (older than allowed: the source failed, was not done in time, or is not followed) or local
    (no source concerned). `retry` says that the store has changed and must be read again; `settled` that no source
    has to be asked for what stands in the answer. `otherwise` is what to answer instead when the store turns out to
    hold nothing for the question, for then nobody knows; with `written` also when no client wrote any of it.
    """

    coverage: str
    reason: str
    freshness: str
    retry: bool = False
    settled: bool = False
    otherwise: Problem | None = None
    written: bool = False

    def headers(self) -> list[tuple[str, str]]:
        """The two headers of every answer of the API that says something of what is held."""
        coverage = self.coverage
        if self.reason and coverage != COMPLETE:
            reason = self.reason.encode("latin-1", "replace").decode("latin-1")
            coverage = f"{coverage}; reason={' '.join(reason.split())}"
        return [("Klantbrug-Coverage", coverage), ("Klantbrug-Freshness", self.freshness)]


LOCAL = Outcome(COMPLETE, "", "local", settled=True)


def worst(outcomes: Sequence[Outcome], retry: bool = False) -> Outcome:
    """What an answer may say of itself that depends on all of these."""
    reasons = dict.fromkeys(outcome.reason for outcome in outcomes if outcome.reason)
    coverage = PARTIAL if any(outcome.coverage == PARTIAL for outcome in outcomes) else COMPLETE
    freshness = max((outcome.freshness for outcome in outcomes), key=FRESHNESS.index, default=FRESHNESS[0])
    otherwise = next((outcome.otherwise for outcome in outcomes if outcome.otherwise), None)
    written = any(outcome.written for outcome in outcomes)
    settled = all(outcome.settled for outcome in outcomes)
    return Outcome(coverage, "; ".join(reasons), freshness, retry, settled, otherwise, written)


class Hydrator(Protocol):
    """Fetches from the sources what a question needs. Never called inside a transaction of the store."""

    def begin(self) -> None:
        """A request begins, in this thread: over all that follows it has one time to wait for sources."""
        ...

    def before_list(self, kind: str, filters: Mapping[str, str]) -> Outcome:
        """Before a list is read.

        In: the filters that are not empty, by their name in the API, as the client wrote them. Raises a
        Problem (502, 503 or 504) when the store can't answer and the sources don't.
        """
        ...

    def before_detail(self, kind: str, uuid: bytes) -> Outcome:
        """Before one document is read. Raises as before_list does."""
        ...

    def before_write(self, kind: str, loaded: Mapping[str, Any]) -> Outcome:
        """Before a write is judged: the numbers that it sets must be known when the source has them.

        In: the kind of document and its loaded body. Raises as before_list does.
        """
        ...

    def after_answer(self, outcome: Outcome, shown: Sequence[ShownDocument]) -> Outcome:
        """When the answer has been read: may fetch more, and then asks to read again (`retry`)."""
        ...


class LocalOnly:
    """A register without sources: what the store has is all there is."""

    def begin(self) -> None:
        """Nothing: there is nothing to wait for."""

    def before_list(self, kind: str, filters: Mapping[str, str]) -> Outcome:
        """Complete, from the store."""
        return LOCAL

    def before_detail(self, kind: str, uuid: bytes) -> Outcome:
        """Complete, from the store."""
        return LOCAL

    def before_write(self, kind: str, loaded: Mapping[str, Any]) -> Outcome:
        """Complete, from the store."""
        return LOCAL

    def after_answer(self, outcome: Outcome, shown: Sequence[ShownDocument]) -> Outcome:
        """As it was."""
        return outcome
