"""Whose turn it is: the rates, the places on the line, and live before background.

Pure steps on the state that all processes share; `now` is clock.monotonic.
"""

from dataclasses import dataclass

from gateway.legacy.pacing import circuit_breaker, concurrency
from gateway.legacy.pacing.shared_state import CALLS, Call, Pace

LIVE_WAITING, LIVE, BACKGROUND, FIRST_WAITING = 1, 2, 3, 4
# A live call may use one connection more than there are, while background calls hold them.
RESERVE = 1
# Nothing in the file makes anybody wait longer for a source that asked for rest.
LONGEST_REST = 3600.0
# Live calls leave it alone for so long at most: it may be well again long before the time it named is over.
LONGEST_LIVE_REST = 60.0
# A call whose process we can't see is believed to be on the line for so long.
UNSEEN_SECONDS = 120.0

REST = "bron vraagt rust (Retry-After)"
BROKEN = "storing (circuit breaker)"
LIVE_FIRST = "live verzoeken gaan voor"
FULL = "alle verbindingen bezet"
SLOW = "bron traag"
REQUESTS = "snelheid (requests/s)"
OBJECTS = "snelheid (objecten/s)"
WRITES_FIRST = "terugschrijven gaat voor"
# Reasons that end when a call ends; and all that mostly take less than a second.
PLACES = (LIVE_FIRST, FULL, SLOW, WRITES_FIRST)
SHORT = (LIVE_FIRST, FULL, SLOW, REQUESTS, OBJECTS, WRITES_FIRST)


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds now: the configuration with an operator's wishes over it; 0 for a rate is no limit."""

    connections: int
    requests_per_second: float
    objects_per_second: float


# Rates: `following` is when the next unit is due. Unused time is saved up to one second's worth.


def due(following: float, per_second: float, now: float) -> float:
    """When the next unit may be taken: a moment before now when there is some left over."""
    if per_second <= 0:
        return now
    # What was set at a lower rate, or by another clock, never lies further ahead than this.
    following = min(following, now + LONGEST_REST)
    return max(following, now - max(0.0, 1 - 1 / per_second))


def take(pace: Pace, turn: float, limits: Limits) -> None:
    """Use the turn that `due` gave."""
    if limits.requests_per_second > 0:
        pace.next_request = turn + 1 / limits.requests_per_second


def charge(pace: Pace, objects: int, per_second: float, now: float) -> None:
    """Count objects that were read."""
    if per_second > 0:
        pace.next_object = due(pace.next_object, per_second, now) + objects / per_second


def rest_for(pace: Pace, seconds: float, now: float) -> None:
    """The source wants to be left alone for so long; a shorter wish does not undo a longer one."""
    pace.rest_until = max(pace.rest_until, now + min(seconds, LONGEST_REST))
    pace.live_rest_until = max(pace.live_rest_until, now + min(seconds, LONGEST_LIVE_REST))


def rest(pace: Pace, now: float) -> float:
    """Seconds that background calls still leave the source alone."""
    return min(max(0.0, pace.rest_until - now), LONGEST_REST)


def live_rest(pace: Pace, now: float) -> float:
    """Seconds that live calls still leave the source alone."""
    return min(max(0.0, pace.live_rest_until - now), LONGEST_LIVE_REST)


# Places


def count(pace: Pace, sort: int) -> int:
    """How many calls of one sort there are."""
    return sum(1 for call in pace.calls[: pace.call_count] if call.sort == sort)


def add(pace: Pace, call: Call, sort: int) -> bool:
    """Give a call its place; False when there is no room to write it down."""
    if pace.call_count >= CALLS:
        return False
    call.sort = sort
    pace.calls[pace.call_count] = call
    pace.call_count += 1
    return True


def remove(pace: Pace, call: Call) -> None:
    """Take a call's place back, if it has one."""
    for place in range(pace.call_count):
        if pace.calls[place].name == call.name:
            _remove_at(pace, place)
            return


def reclaim(pace: Pace, now: float) -> None:
    """Take back the places of processes that are no more."""
    for place in reversed(range(pace.call_count)):
        call = pace.calls[place]
        lives = call.lives
        if lives is False or (lives is None and not 0 <= now - call.at < UNSEEN_SECONDS):
            _remove_at(pace, place)


def _remove_at(pace: Pace, place: int) -> None:
    pace.call_count -= 1
    pace.calls[place] = pace.calls[pace.call_count]


def live_may_go(pace: Pace, connections: int, reserve: float = RESERVE) -> bool:
    """Is there a place for a live call?"""
    live, background = count(pace, LIVE), count(pace, BACKGROUND)
    return live < connections and live + background < connections + reserve


# A background call


def long_hold(pace: Pace, now: float) -> tuple[str, float] | None:
    """Why no background call may go for what may be long, and for how many seconds."""
    broken = circuit_breaker.wait(pace, now)
    if broken:
        return BROKEN, broken
    resting = rest(pace, now)
    return (REST, resting) if resting else None


def background_hold(
    pace: Pace, limits: Limits, now: float, *, first: bool = False
) -> tuple[str, float | None] | None:
    """Why a background call must wait for its turn, and for how many seconds; None when it may go.

    One that is `first` goes before the others of its sort.
    """
    if count(pace, LIVE_WAITING):
        return LIVE_FIRST, None
    if not first and count(pace, FIRST_WAITING):
        return WRITES_FIRST, None
    live, background = count(pace, LIVE), count(pace, BACKGROUND)
    if live + background >= limits.connections or pace.call_count >= CALLS:
        return LIVE_FIRST if live else FULL, None
    if live + background >= concurrency.allowed(pace, limits.connections):
        return LIVE_FIRST if live else SLOW, None
    wait = due(pace.next_request, limits.requests_per_second, now) - now
    if wait > 0:
        return REQUESTS, wait
    wait = due(pace.next_object, limits.objects_per_second, now) - now
    return (OBJECTS, wait) if wait > 0 else None
