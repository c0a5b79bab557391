"""`klantbrug serve`: the application under granian, with several worker processes.

Chosen by measurement (docs/performance.md). Granian reads and writes HTTP outside Python; the application is plain
WSGI, so another server can take its place.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from gateway.app import create_app
from gateway.config import Config, ConfigError, Gateway
from gateway.installation import open_installation
from gateway.legacy.places import most_waiting
from gateway.logs import get_logger
from gateway.store.database import StoreError

log = get_logger(__name__)
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
STOPS_WITHIN = 30  # seconds for the requests that are being answered
OBJECTS_BETWEEN_COLLECTIONS = 20_000
# So long the workers of a server that was just killed may still be ending.
FREE_WITHIN = 5.0
# So long an old worker answers on beside the one that takes its place.
START_SECONDS = 3.5
LOOK_SECONDS = 0.5
PR_SET_PDEATHSIG = 1  # of Linux's prctl
# The server's own lines go where ours go, so that nothing of a request can stand in them.
LOGGING = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"handlers": [], "propagate": True}},
}


def make_app(config: Config) -> Flask:
    """The application with everything that the configuration asks for. Raises StoreError."""
    installation = open_installation(config)
    most = most_waiting(settings(config).threads)
    return create_app(config, store=installation.store, hydrator=installation.hydrator(most))


def _heed_signals_from_birth() -> None:
    """Let a worker stop when it is told to at whatever moment after it was forked.

    It is born with the main process's handlers, by which it would take note of a signal in an object that nobody looks
    at any more. So signals wait until those handlers are gone. Ctrl-C goes to all processes of a terminal; a worker
    that hears it, and then the main process too, does not stop. So it hears only the main process.
    """

    def wait() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)

    def heed() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def heed_anew() -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])

    os.register_at_fork(before=wait, after_in_parent=heed, after_in_child=heed_anew)


def _end_with_the_server() -> None:
    """Let a worker end at once when the main process does, also when that is killed.

    Else it answers on by the old configuration, and the next server shares its port with it. The kernel sees to it,
    from the moment after the fork on; where there is no such kernel a worker looks for itself (`_end_without`).
    """
    if sys.platform != "linux":
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up here: after a fork that could wait for a lock
    prctl.argtypes = (ctypes.c_int, *(4 * [ctypes.c_ulong]))
    main = os.getpid()

    def end_with_it() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != main:  # it ended before that
            os._exit(1)

    os.register_at_fork(after_in_child=end_with_it)


def _end_without(main: int) -> None:
    while os.getppid() == main:
        time.sleep(LOOK_SECONDS)
    os._exit(1)


def _in_worker(make: Callable[[], Flask]) -> Flask:
    """The application of one worker process, and what makes that process fit to serve."""
    main = multiprocessing.parent_process()
    if sys.platform != "linux" and main is not None:
        threading.Thread(target=_end_without, args=(main.pid,), daemon=True).start()
    app = make()
    # Answers are many small objects that are gone at once, without cycles. Looking for cycles among them every 700
    # objects, and in the whole application now and then, takes a fifth of the time of a page of 100.
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    return app


def run_server(
    gateway: Gateway, make: Callable[[], Flask], on_reload: Callable[[], None] = lambda: None
) -> None:
    """Serve until a signal says stop what `make` gives; it is called once in every worker process.

    At SIGHUP `on_reload` is called, and each worker gives way to a new one when that is there. Raises ConfigError when
    it can't listen there. No access log, ever: a query string holds a BSN.
    """
    must_be_free(gateway.bind)
    _heed_signals_from_birth()
    _end_with_the_server()
    host, port = _address(gateway.bind)
    server = Server(
        "klantbrug",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=gateway.workers,
        blocking_threads=gateway.threads,
        http=HTTPModes.http1,
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=LOGGING,
        respawn_failed_workers=True,
        workers_kill_timeout=STOPS_WITHIN,
        respawn_interval=START_SECONDS,
    )
    server.on_reload(on_reload)
    server.serve(target_loader=partial(_in_worker, make), wrap_loader=False)


def _address(bind: str) -> tuple[str, int]:
    host, _, port = bind.rpartition(":")
    return host.strip("[]"), int(port)


def must_be_free(bind: str) -> None:
    """Raise ConfigError when we can't listen at that address, or another server does.

    Workers share their port in a way by which another server could share it too, and get a part of the questions.
    """
    host, port = _address(bind)
    give_up = time.monotonic() + FREE_WITHIN
    while True:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # what lingers of a server is no server
            try:
                probe.bind((host, port))
                return
            except OSError as error:
                problem = f"kan niet gebruikt worden ({error.strerror})"
                if error.errno == errno.EADDRINUSE:
                    problem = "is al in gebruik, misschien door een andere klantbrug serve"
                    if time.monotonic() < give_up:
                        time.sleep(LOOK_SECONDS)
                        continue
        fix = "stop wat daar luistert, of schrijf met [gateway] bind een ander adres of een andere poort"
        raise ConfigError([f"gateway.bind: {bind!r} {problem}; {fix}"])


def settings(config: Config) -> Gateway:
    """How to serve this configuration: `[gateway]`, with as many threads as are of use."""
    if config.sources:
        # One that waits for a source, and one that does not.
        return replace(config.gateway, threads=max(2, config.gateway.threads))
    # Threads are for requests that wait for a source. Without sources none does, and threads that only compute take
    # the interpreter from each other at every row of a question to the store.
    return replace(config.gateway, threads=1)


def serve(
    config: Config,
    reread: Callable[[], Config] | None = None,
    on_reload: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal says stop. Raises StoreError or ConfigError when store or address can't be used.

    At SIGHUP workers go on by what `reread` gives, when that can be used, and `on_reload` is called.
    """
    followed = [config]

    def follow() -> None:
        new = _reread(reread, followed[0]) if reread else None
        if new is not None:
            followed[0] = new
            on_reload()

    installation = open_installation(config)  # schema and secret are judged once, before any worker starts
    if installation.to_rebuild:
        names = ", ".join(installation.to_rebuild)
        log.warning(
            "gegevens zijn met een andere [mapping] of versie vertaald: klantbrug rebuild",
            sources=names,
        )
    installation.store.close()
    run_server(settings(config), lambda: make_app(followed[0]), follow)


def _reread(reread: Callable[[], Config], old: Config) -> Config | None:
    """The configuration as it is now; None, and told in the log, when it can't be followed without a restart."""
    try:
        new = reread()
        open_installation(new).store.close()
    except (ConfigError, StoreError) as error:
        log.error("config niet overgenomen, de vorige blijft gelden", problem=str(error))
        return None
    for key, here, there in (
        ("[gateway] bind", new.gateway.bind, old.gateway.bind),
        ("[gateway] workers", new.gateway.workers, old.gateway.workers),
        ("[gateway] threads", settings(new).threads, settings(old).threads),
        ("[store] path", new.store.path, old.store.path),
    ):
        if here != there:
            log.error("config niet overgenomen: dit vraagt een herstart", key=key)
            return None
    log.info("config opnieuw gelezen")
    return new
