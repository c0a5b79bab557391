"""How many background calls a source gets at a time: fewer when it suffers, slowly more when it is well.

It suffers when calls of one kind take much longer than calls of that kind do when it is well, or when it fails. Pure
steps on the state that all processes share; `now` is clock.monotonic.
"""

from hashlib import blake2b
from statistics import median

from gateway.legacy.pacing.shared_state import RECENT, SAMPLES, Kind, Pace

# Slow: the p50 is more than so many times that of a well source, and so many seconds more.
FACTOR, AT_LEAST = 2.5, 0.1
# So many calls tell something of a kind.
ENOUGH = 5
# What is called normal may go up so slowly, lest a source that stays slow is taken for a well one.
DOUBLING_SECONDS = 6 * 3600.0
# A page twice as deep takes at most about twice as long (a database walks to it).
DEEPER = 2.0
FALL, RECOVER_CALLS = 0.5, 10
# One bad moment makes many calls fail: it counts once.
FALL_SECONDS = 1.0


def key_of(template: str, depth: int) -> int:
    """The number of a kind of calls: what is asked, and about how deep in the list (the bits of the page)."""
    return int.from_bytes(blake2b(f"{template} {depth}".encode(), digest_size=8).digest(), "big") or 1


def allowed(pace: Pace, connections: int) -> int:
    """How many background calls may be on the line."""
    if not pace.allowed:
        return connections
    return max(1, min(connections, int(pace.allowed)))


def answered(pace: Pace, template: str, page: int, seconds: float, connections: int, now: float) -> None:
    """A call was answered well, in so many seconds."""
    pace.recent[pace.recent_count % RECENT] = seconds
    pace.recent_count = (pace.recent_count + 1) % (RECENT * 2) or RECENT
    depth = page.bit_length()
    kind = _kind(pace, key_of(template, depth), now)
    kind.seconds[kind.count % SAMPLES] = seconds
    kind.count = (kind.count + 1) % (SAMPLES * 2) or SAMPLES
    elapsed, kind.at = max(0.0, now - kind.at), now
    if kind.count >= ENOUGH:
        usual = median(kind.seconds[: min(kind.count, SAMPLES)])
        if kind.baseline:
            risen = kind.baseline * 2 ** min(elapsed / DOUBLING_SECONDS, 10)
            kind.baseline = min(risen, usual)
        else:
            kind.baseline = min(usual, _shallower(pace, template, depth))
        if usual > kind.baseline * FACTOR and usual - kind.baseline > AT_LEAST:
            pace.slow = 1
            kind.count = 0  # what fewer calls do for it shows in new ones
            _fall(pace, connections, now)
            return
        pace.slow = 0
    if pace.allowed and not pace.slow:
        pace.allowed = min(float(connections), pace.allowed + 1 / RECOVER_CALLS)


def record_failure(pace: Pace, connections: int, now: float) -> None:
    """A call failed on the source's side, or was refused as too much."""
    if not 0 <= now - pace.fell_at < FALL_SECONDS:
        _fall(pace, connections, now)


def p50(pace: Pace) -> float | None:
    """The median of the last calls in seconds, None before the first."""
    count = min(pace.recent_count, RECENT)
    return median(pace.recent[:count]) if count else None


def _fall(pace: Pace, connections: int, now: float) -> None:
    before = min(pace.allowed or connections, connections)
    pace.allowed, pace.fell_at = max(1.0, before * FALL), now


def _shallower(pace: Pace, template: str, depth: int) -> float:
    """What a baseline may begin with, so that a source that became slow is not normal for the deeper pages."""
    if depth > 1:
        key = key_of(template, depth - 1)
        for kind in pace.kinds:
            if kind.key == key and kind.baseline:
                return kind.baseline * DEEPER
    return float("inf")


def _kind(pace: Pace, key: int, now: float) -> Kind:
    oldest = pace.kinds[0]
    for kind in pace.kinds:
        if kind.key == key:
            return kind
        if kind.at < oldest.at or not kind.key:
            oldest = kind
            if not kind.key:
                break
    oldest.key, oldest.at, oldest.baseline, oldest.count = key, now, 0.0, 0
    return oldest
