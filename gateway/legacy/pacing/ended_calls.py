"""What a call that is over tells of the source: that it works, wants rest, suffers or fails."""

from __future__ import annotations

import random
from dataclasses import dataclass

from gateway.legacy import errors
from gateway.legacy.pacing import circuit_breaker, concurrency, turns
from gateway.legacy.pacing.shared_state import Call, Pace
from gateway.legacy.pacing.turns import Limits

# A call that was on the line for so long tells that the source hangs, though the client's own time was short: less than
# half of `[live] deadline`, or no question would ever tell. What is merely slow is read on by background calls, which
# have more time, and whose answers tell that it works.
HANGS_SECONDS = 1.5
# After a 429 that does not say how long: from the first to the longest, doubling.
FIRST_REST, LONGEST_REST = 0.25, 20.0


@dataclass(frozen=True, slots=True)
class EndedCall:
    """A call that is over. `page` is its place in a list; `error` None is a good answer."""

    template: str
    page: int
    seconds: float
    error: errors.LegacyError | None


def learn(pace: Pace, call: Call, asked: EndedCall, limits: Limits, now: float) -> None:
    """Let the pace (of all processes) learn from a call."""
    error, connections = asked.error, max(1, limits.connections)
    if error is None:
        concurrency.answered(pace, asked.template, asked.page, asked.seconds, connections, now)
        circuit_breaker.answered(pace, now)
        pace.busy = 0
        return
    retry_after = getattr(error, "retry_after", None)
    if isinstance(error, errors.TooManyRequests) or retry_after is not None:
        if retry_after is None:
            longest = min(LONGEST_REST, FIRST_REST * 2 ** min(pace.busy, 10))
            retry_after = random.uniform(longest / 2, longest)  # noqa: S311  spreads load, protects nothing
        pace.busy += 1
        turns.rest_for(pace, retry_after, now)
        concurrency.record_failure(pace, connections, now)
        circuit_breaker.ended(pace, call, now)
    elif _is_failure(error, asked.seconds):
        concurrency.record_failure(pace, connections, now)
        circuit_breaker.failed(pace, call, now)
    elif isinstance(error, errors.DeadlinePassed | errors.Untrusted):
        circuit_breaker.ended(pace, call, now)
    else:
        circuit_breaker.answered(pace, now)  # a refusal is an answer too


def _is_failure(error: errors.LegacyError, seconds: float) -> bool:
    if isinstance(error, errors.DeadlinePassed):
        return seconds >= HANGS_SECONDS
    if isinstance(error, errors.BadAnswer):
        return error.cut_off
    return error.temporary
