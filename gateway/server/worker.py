"""One worker process: granian reads and writes HTTP, the application answers.

Granian's RSGI is used below its event loop: it hands each request to a thread that already has the interpreter, and
there it is answered. So a question costs what it costs under WSGI, while a body can be read without holding a thread,
and an answer given by another thread than the one that took the request.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from granian._granian import CallbackScheduler, RSGIWorker, SocketHolder, WorkerSignal
from granian.http import HTTP1Settings

from gateway.base.logs import get_logger
from gateway.base.process_identity import ending
from gateway.config.model import Gateway
from gateway.server.address import BACKLOG
from gateway.server.balance import Balance, ConnectionCounts
from gateway.server.connections import Connections, watch
from gateway.server.exchange import App, Clients, Exchange
from gateway.server.request_bodies import Bodies
from gateway.server.request_queue import Lane, most_writing, watch_lane
from gateway.server.worker_processes import LEAVES

log = get_logger(__name__)

OBJECTS_BETWEEN_COLLECTIONS = 20_000
# A read gives the interpreter away at each of its questions to the store, and where another thread makes a large page
# it waits as long as this each time to get it back. Python's own 5 milliseconds would make it 30 for one document.
SWITCH_SECONDS = 0.0005
# Granian takes from there how many may wait to be accepted.
LISTENS_ITSELF = sys.platform.startswith(("linux", "freebsd"))
HEALTH = ("/health/live", "/health/ready")
# Threads that only see what comes in.
LOOKOUTS = 2
IDLE_THREAD_SECONDS = 365 * 86400  # a thread that ends takes what it holds of the store along
SETTLE_SECONDS = 0.5
# Longer than proxies keep an idle connection (nginx: 60), so that these end it and never ask on one that just ended.
IDLE_SECONDS = 75
# Connections are ended when there are more than the limit; this many more are let in until that is seen.
MARGIN = 2


class RequestEntry:
    """Where each request of a process comes in."""

    def __init__(self, app: App, gateway: Gateway, long_places: int, loop: asyncio.AbstractEventLoop) -> None:
        self.clients = Clients(loop)
        self.threads = gateway.threads + long_places + LOOKOUTS
        hands = ThreadPoolExecutor(gateway.threads + long_places, "answers")

        def run(exchange: Exchange) -> None:
            exchange.run(app)

        self._health = Lane(run, 1, 0, hands)
        writing = most_writing(gateway.threads + long_places)
        self._lane = Lane(run, gateway.threads, long_places, hands, writing)
        self._bodies = Bodies(loop, hands, self._lane.take, gateway.client_seconds, gateway.max_body)
        threading.Thread(target=watch_lane, args=(self._lane,), daemon=True, name="lane").start()

    def take(self, watcher: Any) -> None:
        """Take a request of granian."""
        try:
            exchange = Exchange(watcher.scope, watcher.proto, self.clients)
            if exchange.environ["PATH_INFO"] in HEALTH:
                self._health.take(exchange)  # whatever else goes on
            elif exchange.has_body():
                self._bodies.receive(exchange)
            else:
                self._lane.take_and_rest(exchange)
        except Exception as fault:  # noqa: BLE001 - granian can do nothing with it
            log.error("a request was lost", cause=type(fault).__name__)


class _Entrance(CallbackScheduler):
    """What granian calls with each request, in one of its threads."""

    def __new__(cls, loop: asyncio.AbstractEventLoop, _take: Callable[[Any], None]) -> _Entrance:
        return super().__new__(cls, loop, None, None, None, None)  # type: ignore[call-arg]  # granian does not type it

    def __init__(self, _loop: asyncio.AbstractEventLoop, take: Callable[[Any], None]) -> None:
        self._schedule_fn = take


def work(
    number: int,
    counts: ConnectionCounts,
    listener: socket.socket,
    gateway: Gateway,
    long_places: int,
    make: Callable[[], App],
    tell_ready: Callable[[], None],
) -> None:
    """Serve what `make` gives until SIGTERM, and end when all that was asked is answered.

    `long_places`: so many requests that take long may go on beside the places of `[gateway] threads`.
    """
    # Its own lines: nothing of a request stands in them, and only errors are worth a line.
    logging.getLogger("_granian").setLevel(logging.WARNING)
    app = make()
    # Answers are many small objects that are gone at once, without cycles. Looking for cycles among them every 700
    # objects, and in the whole application now and then, takes a fifth of the time of a page of 100.
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    sys.setswitchinterval(SWITCH_SECONDS)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    front = RequestEntry(app, gateway, long_places, loop)
    port = listener.getsockname()[1]
    most = max(1, gateway.max_connections // gateway.workers)
    connections = Connections(port, most, gateway.client_seconds, front.clients)
    threading.Thread(target=watch, args=(connections,), daemon=True, name="connections").start()

    stop, stopped = WorkerSignal(), asyncio.Event()
    door = listener.detach()

    def end() -> None:
        # Granian would end a connection that it took just now, and whose request is on its way. So first it gets no
        # more of them, which the other workers take, and those that it has get the time to ask.
        ending.set()
        with suppress(OSError):
            _close_door(door)
        loop.call_later(SETTLE_SECONDS, stop.set)

    loop.add_signal_handler(signal.SIGTERM, end)
    loop.add_signal_handler(LEAVES, ending.set)
    stop.add_cb(lambda: loop.call_soon_threadsafe(stopped.set))
    # The types of granian lag behind: what may be left out, how a socket is held, and what serves here.
    holder = SocketHolder(door, False, BACKLOG) if LISTENS_ITSELF else SocketHolder(door, False)  # type: ignore[call-arg]
    worker = RSGIWorker(  # type: ignore[call-arg]
        number,
        (None, holder),
        None,  # type: ignore[arg-type]
        py_threads=front.threads,
        py_threads_idle_timeout=IDLE_THREAD_SECONDS,
        backpressure=most * MARGIN,
        http_mode="1",
        http1_opts=HTTP1Settings(header_read_timeout=IDLE_SECONDS * 1000),
    )
    Balance(counts, number, gateway.threads, front.clients).begin(loop)
    worker.serve_mtr(_Entrance(loop, front.take), loop, stop)  # type: ignore[attr-defined]
    tell_ready()
    loop.run_until_complete(stopped.wait())


def _close_door(fd: int) -> None:
    """Let what accepts connections there find none: in its place comes a socket that nobody knows."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        nobody.listen(1)
        nobody.setblocking(False)
        os.dup2(nobody.fileno(), fd, inheritable=False)
