"""Which request is answered now, and which one waits.

Requests come in on threads of granian, of which there are more than places. As long as answers are quick, only as many
threads as there are places take requests, and the others rest: they would only take the interpreter from those that
answer. When one takes longer, a resting thread is called to see what comes, so that the health of the service can
always be asked. Who finds no place is laid down, and taken up by whoever is done: of each client one in turn, so that
one with many requests does not keep the others waiting. Who takes long gives its place away, and goes on beside the
others.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

from gateway.server.exchange import Exchange

# Longer than this takes a page of many, so that others want to know whether they must wait.
QUICK_SECONDS = 0.01
# Longer than this takes a question that waits for a source, a write that waits for another, or a heavy search.
LONG_SECONDS = 0.1
LOOK_SECONDS = 0.02
# So long rests a thread that nobody calls.
REST_SECONDS = 10.0
# So many wait at most in one process: more could not be answered in the time that clients wait.
MOST_WAITING = 500
# Who waited so long is not waited for any more.
PATIENCE_SECONDS = 30.0
RETRY_SECONDS = 2

Run = Callable[[Exchange], None]


class Lane:
    """Requests that share a number of places."""

    def __init__(self, run: Run, places: int, long_places: int) -> None:
        """In: what answers one; how many at a time; how many more that take long."""
        self._run = run
        self._places, self._long_places = places, long_places
        self._lock = threading.Lock()
        self._running: dict[Exchange, float] = {}  # in the order of their beginning, with its moment
        self._long: set[Exchange] = set()
        self._queues: OrderedDict[str, deque[tuple[Exchange, float]]] = OrderedDict()  # of each client
        self._waiting = 0
        self._threads: set[int] = set()  # of granian; they are there for good
        self._resting = 0
        self._call = threading.Semaphore(0)

    def take(self, exchange: Exchange) -> None:
        """Answer it in this thread, or lay it down until there is a place."""
        moment = monotonic()
        with self._lock:
            has_place = len(self._running) < self._places
            may_wait = self._waiting < MOST_WAITING
            if has_place:
                self._running[exchange] = moment
            elif may_wait:
                self._waiting += 1
                self._queues.setdefault(exchange.whose, deque()).append((exchange, moment))
        if has_place:
            self.go_on(exchange)
        elif not may_wait:
            exchange.refuse(503, RETRY_SECONDS)

    def take_and_rest(self, exchange: Exchange) -> None:
        """The same, in a thread of granian: it rests when there are enough of them without it."""
        self._threads.add(threading.get_ident())
        self.take(exchange)
        with self._lock:
            if len(self._threads) - self._resting <= self._places or not self._quick(monotonic()):
                return
            self._resting += 1
        self._call.acquire(timeout=REST_SECONDS)
        with self._lock:
            self._resting -= 1

    def _quick(self, moment: float) -> bool:
        return moment - next(iter(self._running.values()), moment) < QUICK_SECONDS

    def go_on(self, exchange: Exchange) -> None:
        """Answer one that has a place, and then those that wait."""
        following: Exchange | None = exchange
        while following is not None:
            self._run(following)
            following = self._after(following)

    def _after(self, done: Exchange) -> Exchange | None:
        with self._lock:
            self._running.pop(done, None)
            self._long.discard(done)
            return self._next() if self._waiting and len(self._running) < self._places else None

    def _next(self) -> Exchange | None:
        moment = monotonic()
        while self._waiting:
            whose, queue = self._queues.popitem(last=False)
            exchange, since = queue.popleft()
            self._waiting -= 1
            if queue:
                self._queues[whose] = queue  # at the end
            if moment - since < PATIENCE_SECONDS:
                self._running[exchange] = moment
                return exchange
            exchange.refuse(503, RETRY_SECONDS)
        return None

    def relieve(self) -> list[Exchange]:
        """See to those that wait for who takes long. Out: those that got a place by it, and need a thread."""
        moment = monotonic()
        found = []
        with self._lock:
            for exchange, since in list(self._running.items()):
                if moment - since < QUICK_SECONDS:
                    break
                if self._resting:
                    self._call.release()
                if moment - since < LONG_SECONDS or not self._waiting or len(self._long) >= self._long_places:
                    continue
                del self._running[exchange]
                self._long.add(exchange)
                if (following := self._next()) is not None:
                    found.append(following)
        return found


def attend(lane: Lane, hands: ThreadPoolExecutor) -> None:
    """See to it, for ever, that nobody waits for long because others take long."""
    while True:
        sleep(LOOK_SECONDS)
        for exchange in lane.relieve():
            hands.submit(lane.go_on, exchange)
