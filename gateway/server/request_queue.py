"""Which request is answered now, and which one waits.

Requests come in on threads of granian, of which there are more than places. As long as answers are quick, only as
many threads as there are places take requests, and the others rest: they would only take the interpreter from those
that answer. When one takes longer, a resting thread is called to see what comes, so that the health of the service
can always be asked. Who finds no place is queued, and taken from the queue by whoever is done: of each client one in
turn, so that one with many requests does not keep the others waiting. Who takes long gives its place away, and goes
on beside the others; so does at once who says that it waits for something else than the processor (`give_place`).

There is one writer to the store at a time. So only some requests that write are answered at once, and others rest in
the queue, which costs no thread: those that read pass them.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

from gateway.http.request_ids import WAITED
from gateway.server.exchange import Exchange

# Longer than this takes a page of many, so that others want to know whether they must wait.
QUICK_SECONDS = 0.005
# Longer than this takes a question that waits for a source, a write that waits for another, or a heavy search.
LONG_SECONDS = 0.01
LOOK_SECONDS = 0.005
# So long rests a thread that nobody calls.
REST_SECONDS = 10.0
# So many wait at most in one process, and so many who write: more could not be answered in the time that clients wait.
MOST_WAITING, MOST_WRITES_WAITING = 500, 250
# Who waited so long is not waited for any more.
PATIENCE_SECONDS = 30.0
RETRY_SECONDS = 2

Run = Callable[[Exchange], None]
_at = threading.local()


def most_writing(threads: int) -> int:
    """How many of so many threads may answer who writes, and so wait for another writer."""
    return max(1, threads // 2)


def give_place() -> None:
    """This thread is about to wait, for a source or another writer: if it answers a request, others get its place."""
    lane: Lane | None = getattr(_at, "lane", None)
    if lane is not None:
        lane.give(_at.exchange)


def give_place_for_source() -> None:
    """The same for who waits for a source: who writes is not kept waiting by that either."""
    lane: Lane | None = getattr(_at, "lane", None)
    if lane is not None:
        lane.give(_at.exchange, writes=False)


class Lane:
    """Requests that share a number of places."""

    def __init__(
        self,
        run: Run,
        places: int,
        long_places: int,
        hands: ThreadPoolExecutor,
        writes: int = sys.maxsize,
    ) -> None:
        """In: what answers one; how many at a time; how many more that take long; threads for who gets a place; how
        many of all these may write."""
        self._run = run
        self._hands = hands
        self._places, self._long_places, self._writes = places, long_places, writes
        self._lock = threading.Lock()
        self._running: dict[Exchange, float] = {}  # in the order of their beginning, with its moment
        self._long: set[Exchange] = set()
        self._answered_by: dict[Exchange, int] = {}  # the thread of each of both
        self._writing: set[Exchange] = set()  # those of both that write
        # Of each client, what writes apart.
        self._queues: OrderedDict[tuple[str, bool], deque[tuple[Exchange, float]]] = OrderedDict()
        self._waiting = self._writes_waiting = 0
        self._threads: set[int] = set()  # of granian; they are there for good
        self._resting = 0
        self._call = threading.Semaphore(0)

    def take(self, exchange: Exchange) -> None:
        """Answer it in this thread, or lay it down until there is a place."""
        moment = monotonic()
        writes = exchange.writes
        with self._lock:
            has_place = len(self._running) < self._places and self._may_go(writes)
            may_wait = self._waiting < MOST_WAITING and not (
                writes and self._writes_waiting >= MOST_WRITES_WAITING
            )
            if has_place:
                self._begin(exchange, moment)
            elif may_wait:
                self._waiting += 1
                self._writes_waiting += writes
                self._queues.setdefault((exchange.client_key, writes), deque()).append((exchange, moment))
        if has_place:
            self.go_on(exchange)
        elif not may_wait:
            exchange.refuse(503, RETRY_SECONDS)

    def _may_go(self, writes: bool) -> bool:
        return not writes or len(self._writing) < self._writes

    def _begin(self, exchange: Exchange, moment: float) -> None:
        self._running[exchange] = moment
        if exchange.writes:
            self._writing.add(exchange)

    def take_and_rest(self, exchange: Exchange) -> None:
        """The same, in a thread of granian: it rests when there are enough of them without it."""
        self._threads.add(threading.get_ident())
        self.take(exchange)
        with self._lock:
            looking = len(self._threads) - self._resting - self._in_long()
            if looking <= self._places or not self._quick(monotonic()):
                return
            self._resting += 1
        self._call.acquire(timeout=REST_SECONDS)
        with self._lock:
            self._resting -= 1

    def _in_long(self) -> int:
        """How many threads of granian are busy with who takes long, and see nothing of what comes in."""
        if not self._long:
            return 0
        return sum(self._answered_by.get(each) in self._threads for each in self._long)

    def _quick(self, moment: float) -> bool:
        return moment - next(iter(self._running.values()), moment) < QUICK_SECONDS

    def go_on(self, exchange: Exchange) -> None:
        """Answer one that has a place, and then those that wait."""
        following: Exchange | None = exchange
        try:
            while following is not None:
                _at.lane, _at.exchange = self, following
                self._answered_by[following] = threading.get_ident()
                self._run(following)
                following = self._after(following)
        finally:
            _at.lane = _at.exchange = None

    def _after(self, done: Exchange) -> Exchange | None:
        with self._lock:
            self._running.pop(done, None)
            self._long.discard(done)
            self._answered_by.pop(done, None)
            self._writing.discard(done)
            return self._next()

    def _next(self) -> Exchange | None:
        """Who waits and gets a place that is free."""
        if not self._waiting or len(self._running) >= self._places:
            return None
        moment = monotonic()
        while (turn := next((each for each in self._queues if self._may_go(each[1])), None)) is not None:
            queue = self._queues.pop(turn)
            exchange, since = queue.popleft()
            self._waiting -= 1
            self._writes_waiting -= exchange.writes
            if queue:
                self._queues[turn] = queue  # at the end
            if moment - since < PATIENCE_SECONDS:
                exchange.environ[WAITED] = moment - since
                self._begin(exchange, moment)
                return exchange
            exchange.refuse(503, RETRY_SECONDS)
        return None

    def give(self, exchange: Exchange, *, writes: bool = True) -> None:
        """Let one that is being answered go on beside the others, if there is room there.

        In: does it count among those that write, if it is one of them?
        """
        with self._lock:
            if not writes:
                self._writing.discard(exchange)
            if exchange in self._running and len(self._long) < self._long_places:
                following = self._move(exchange)
            else:
                following = self._next()
        if following is not None:
            self._hands.submit(self.go_on, following)

    def _move(self, exchange: Exchange) -> Exchange | None:
        """Its place is for others from now on. Out: who gets it, and needs a thread."""
        del self._running[exchange]
        self._long.add(exchange)
        if self._resting:
            self._call.release()
        return self._next()

    def move_long(self) -> None:
        """Move requests that take long to their own places, and start requests that wait in theirs."""
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
                if (following := self._move(exchange)) is not None:
                    found.append(following)
        for following in found:
            self._hands.submit(self.go_on, following)


def watch_lane(lane: Lane) -> None:
    """Check a lane for ever, so that nobody waits long because others take long."""
    while True:
        sleep(LOOK_SECONDS)
        lane.move_long()
