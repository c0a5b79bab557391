"""`klantbrug serve`: the application under granian, with several worker processes.

Chosen by measurement (docs/performance.md). Granian reads and writes HTTP outside Python; the application is plain
WSGI, so another server can take its place.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from gateway.app import create_app
from gateway.config import Config, Gateway
from gateway.installation import open_installation
from gateway.logs import get_logger

log = get_logger(__name__)
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
STOPS_WITHIN = 30  # seconds for the requests that are being answered
OBJECTS_BETWEEN_COLLECTIONS = 20_000
# The server's own lines go where ours go, so that nothing of a request can stand in them.
LOGGING = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"handlers": [], "propagate": True}},
}


def make_app(config: Config) -> Flask:
    """The application with everything that the configuration asks for. Raises StoreError."""
    installation = open_installation(config)
    return create_app(config, store=installation.store, hydrator=installation.hydrator())


def _heed_signals_from_birth() -> None:
    """Let a worker stop when it is told to at whatever moment after it was forked.

    It is born with the main process's handlers, by which it would take note of a signal in an object that nobody looks
    at any more. So signals wait until those handlers are gone.
    """

    def wait() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)

    def heed() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def heed_anew() -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        heed()

    os.register_at_fork(before=wait, after_in_parent=heed, after_in_child=heed_anew)


def _in_worker(make: Callable[[], Flask]) -> Flask:
    """The application of one worker process, and what makes that process fit to serve."""
    app = make()
    # Answers are many small objects that are gone at once, without cycles. Looking for cycles among them every 700
    # objects, and in the whole application now and then, takes a fifth of the time of a page of 100.
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    return app


def run_server(gateway: Gateway, make: Callable[[], Flask]) -> None:
    """Serve until a signal says stop what `make` gives; it is called once in every worker process.

    No access log, ever: a query string holds a BSN.
    """
    _heed_signals_from_birth()
    host, _, port = gateway.bind.rpartition(":")
    server = Server(
        "klantbrug",
        address=host.strip("[]"),
        port=int(port),
        interface=Interfaces.WSGI,
        workers=gateway.workers,
        blocking_threads=gateway.threads,
        http=HTTPModes.http1,
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=LOGGING,
        respawn_failed_workers=True,
        workers_kill_timeout=STOPS_WITHIN,
    )
    server.serve(target_loader=partial(_in_worker, make), wrap_loader=False)


def settings(config: Config) -> Gateway:
    """How to serve this configuration: `[gateway]`, with as many threads as are of use."""
    if config.sources:
        return config.gateway
    # Threads are for requests that wait for a source. Without sources none does, and threads that only compute take
    # the interpreter from each other at every row of a question to the store.
    return replace(config.gateway, threads=1)


def serve(config: Config) -> None:
    """Serve until a signal says stop. Raises StoreError when the store can't be used."""
    installation = open_installation(config)  # schema and secret are judged once, before any worker starts
    if installation.to_rebuild:
        names = ", ".join(installation.to_rebuild)
        log.warning(
            "gegevens zijn met een andere [mapping] of versie vertaald: klantbrug rebuild",
            sources=names,
        )
    installation.store.close()
    run_server(settings(config), partial(make_app, config))
