"""The bodies of requests: read beside the threads that answer, within a time and a size."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from gateway.base.logs import get_logger
from gateway.server.exchange import Exchange

log = get_logger(__name__)

# So many are read at a time in one process; of more, the one that came first has had its time.
MOST = 64


class Bodies:
    """Reads bodies on the event loop of a process; a thread is taken when there is something to answer."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        hands: ThreadPoolExecutor,
        take: Callable[[Exchange], None],
        seconds: float,
        max_body: int,
    ) -> None:
        """In: the loop; threads that go on with `take` when a body is there; the limits of one body."""
        self._loop, self._hands, self._take = loop, hands, take
        # One byte more shows the application that there is too much.
        self._seconds, self._size = seconds, max_body + 1
        self._reading: dict[asyncio.Task[None], Exchange] = {}

    def receive(self, exchange: Exchange) -> None:
        """Read the body of a request, and then let it be answered. From any thread; waits for nothing."""
        self._loop.call_soon_threadsafe(self._begin, exchange)

    def _begin(self, exchange: Exchange) -> None:
        length = exchange.environ.get("CONTENT_LENGTH", "")
        if length and (not length.isascii() or not length.isdigit() or int(length) > self._size):
            self._hands.submit(self._take, exchange)  # it is refused for its length
            return
        if len(self._reading) >= MOST:
            next(iter(self._reading)).cancel()
        task = self._loop.create_task(self._read(exchange, int(length) if length else None))
        self._reading[task] = exchange
        task.add_done_callback(self._reading.pop)

    async def _read(self, exchange: Exchange, length: int | None) -> None:
        pieces: list[bytes] = []
        try:
            async with asyncio.timeout(self._seconds):
                whole = await self._collect(exchange, length, pieces)
        except (TimeoutError, asyncio.CancelledError):
            exchange.refuse(408)
            return
        except Exception as fault:  # noqa: BLE001 - granian's own, of a connection that ended
            log.debug("a body did not come", cause=type(fault).__name__)
            whole = False
        if not whole:
            exchange.refuse(408)  # to nobody, mostly: the client went away
            return
        exchange.give_body(b"".join(pieces))
        self._hands.submit(self._take, exchange)

    async def _collect(self, exchange: Exchange, length: int | None, pieces: list[bytes]) -> bool:
        """Read into `pieces`. Out: is it the whole body, or as much as may be had of it?"""
        if length is not None:
            pieces.append(await exchange.body())  # in one go, because it says how much it is
            return len(pieces[0]) == length
        size = ends = 0
        async for piece in exchange.pieces():
            pieces.append(piece)
            size += len(piece)
            ends += not piece  # granian gives an empty one at the end, and two when the connection broke
            if size >= self._size:
                return True
        return ends < 2
