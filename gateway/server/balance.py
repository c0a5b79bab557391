"""Connections that are kept open, spread over the workers.

All workers take connections from one socket, so that none is lost while one of them ends. The kernel gives a burst of
them to whoever is first, and that worker keeps them: a proxy with a pool of eight had one worker work and one rest.
So a worker that has much to do, and more of the connections than others, says `Connection: close` with some of its
answers. Who asked makes a new connection for its next question, as HTTP has it, which a worker that rests takes first.
"""

from __future__ import annotations

import asyncio
import mmap
import struct
import time
from time import monotonic

from gateway.server.exchange import Clients

LOOK_SECONDS = 0.5
# A worker that takes less of a core than this, and has no more questions than threads, can do more.
BUSY = 0.5
# So many connections more than its share are let be.
MARGIN = 1
# What was told longer ago is of a worker that is no more.
STALE_SECONDS = 3 * LOOK_SECONDS


class ConnectionCounts:
    """How many connections asked something of each worker lately. Made before the workers are, which share it."""

    def __init__(self, workers: int) -> None:
        # Of each worker when it told (time.monotonic, the same in all processes), and how many.
        self._told = memoryview(mmap.mmap(-1, workers * 2 * struct.calcsize("d"))).cast("d")

    def tell(self, worker: int, connections: int, moment: float) -> None:
        """In: the worker, from 1 on; how many connections asked it something; now."""
        place = 2 * (worker - 1)
        self._told[place], self._told[place + 1] = moment, connections

    def too_many(self, worker: int, moment: float) -> int:
        """How many connections a worker has more than its share; 0 when it is about that."""
        told = self._told.tolist()
        alive = [
            count for when, count in zip(told[::2], told[1::2], strict=True) if moment - when <= STALE_SECONDS
        ]
        share = -(-sum(alive) // max(1, len(alive)))
        more = int(told[2 * worker - 1] - share)
        return more if more > MARGIN else 0


class Balance:
    """Lets connections of one worker go, where others have few."""

    def __init__(self, counts: ConnectionCounts, worker: int, threads: int, clients: Clients) -> None:
        """In: what all workers tell; this one, and how many questions it answers at a time; its clients."""
        self._counts, self._worker, self._threads, self._clients = counts, worker, threads, clients
        self._looked, self._worked = monotonic(), time.process_time()
        self._waits = False

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look now and then, for ever."""
        self.look(monotonic(), time.process_time())
        loop.call_later(LOOK_SECONDS, self.begin, loop)

    def look(self, moment: float, worked: float) -> None:
        """Tell the others, and see how many connections must go. In: now; the processor time of this process."""
        clients = self._clients
        asked, clients.asked = clients.asked, set()
        part = (worked - self._worked) / max(moment - self._looked, 0.001)
        busy = part > BUSY or len(clients.in_work) > self._threads
        self._looked, self._worked = moment, worked
        self._counts.tell(self._worker, len(asked), moment)
        # Those that were let go are among the askers once more: only the look after that one knows where they went.
        go = busy and not self._waits and self._counts.too_many(self._worker, moment)
        clients.let_go, self._waits = int(go), bool(go)
