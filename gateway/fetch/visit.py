"""One question on its way through the sources: how long it has, what it met, and how new what is held is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from gateway.base.clock import now


class Freshness(IntEnum):
    """What the store has of something that can be asked of a source."""

    NEVER = 0  # it was never read whole
    STALE = 1  # longer than `max_age` ago
    FRESH = 2


@dataclass(slots=True)
class Visit:
    """One client's question on its way through the sources: its time limit, and what it met.

    Rollen that came since it `began` need not be asked for again. One that `waits` waits for another that reads the
    same party; the work after an answer leaves that to the other.
    """

    give_up: float
    began: int = field(default_factory=now)
    asked: bool = False
    reasons: list[str] = field(default_factory=list)
    waits: bool = True

    def partial(self, reason: str) -> None:
        """Note why the answer is not complete."""
        if reason not in self.reasons:
            self.reasons.append(reason)
