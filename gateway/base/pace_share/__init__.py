"""What machines settle between them about one server of a source: who may ask it how much, and what all must know."""

from __future__ import annotations

from typing import NamedTuple


class Wishes(NamedTuple):
    """What an operator asked for; of the numbers, below 0 is no wish."""

    paused: bool = False
    connections: float = -1
    requests_per_second: float = -1
    objects_per_second: float = -1


class AskedShare(NamedTuple):
    """What one machine has, wants and knows. Moments are seconds from now; 0 is none, or over."""

    most: int  # connections that all machines may have together
    lasts: float  # for how long its calls may go on without a word of it
    wants: int  # connections that it could use now; 0: it asks nothing any more
    held: int  # connections that it has now, or may take
    live: bool  # does a client wait for one?
    weight: int  # how much of the rates it should have, against the others
    fraction: float  # of the rates, that it may use now
    rest: float
    live_rest: float
    breaker: (
        float | None
    )  # until the next try when it is open, 0 closed; None: as it was when we last settled
    failed_trials: int
    wishes: Wishes | None  # None: as they were


class PaceShare(NamedTuple):
    """What it gets, and what all know."""

    places: int
    fraction: float
    rest: float
    live_rest: float
    breaker: float
    failed_trials: int
    wishes: Wishes
