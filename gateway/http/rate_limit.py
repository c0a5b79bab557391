"""How often each token is taken: so many requests a second over all worker processes, and more for a short while.

What the workers know together lies in memory that they share by being forked from one process. Nobody locks it: at
each request a worker reads and writes one number (when all that the token is given is there again), and when two do so
at once a request too many may pass. It costs less than a microsecond.
"""

from __future__ import annotations

import math
import mmap

from gateway.base.logs import get_logger
from gateway.http import problems
from gateway.store.operation.tokens import StoredToken

log = get_logger(__name__)

# What a token doesn't use it saves up, for so many seconds.
SAVED_SECONDS = 10.0
# Tokens that are so many numbers apart share a place, which does no harm.
PLACES = 4096
BYTES = 8
# How often it is logged that a token asks too much.
TOLD_SECONDS = 60.0


def shared_memory() -> memoryview[float]:
    """What `Rates` of processes that are forked after this know together."""
    return memoryview(mmap.mmap(-1, PLACES * BYTES)).cast("d")


class Rates:
    """Counts the requests of tokens, and refuses those that are too many."""

    def __init__(self, per_second: float, memory: memoryview[float] | None = None) -> None:
        """In: requests a second for each token, 0 for no limit; `shared_memory`, without which it counts alone."""
        self._every = 1 / per_second if per_second else 0.0
        self._memory = shared_memory() if memory is None else memory
        self._told: dict[int, float] = {}
        self._refused: dict[int, int] = {}

    def take(self, token: StoredToken, moment: float) -> None:
        """A request with a token, at a moment of `time.monotonic`. Raises a 429 Problem when it is one too many."""
        if not self._every:
            return
        place = token.id % PLACES
        used_up = self._memory[place] - moment
        if used_up > SAVED_SECONDS:
            self._tell(token, moment)
            raise problems.too_many_requests(math.ceil(used_up - SAVED_SECONDS))
        self._memory[place] = moment + max(used_up, 0.0) + self._every

    def _tell(self, token: StoredToken, moment: float) -> None:
        """Say in the log, once a minute in each process, which token asks too much."""
        refused = self._refused[token.id] = self._refused.get(token.id, 0) + 1
        if moment >= self._told.get(token.id, 0.0):
            self._told[token.id] = moment + TOLD_SECONDS
            self._refused[token.id] = 0
            log.warning("a token asks too much", token=token.name, refused=refused)
