"""`klantbrug serve`: the application in several worker processes (`gateway/server`).

Chosen by measurement (docs/performance.md). Granian reads and writes HTTP outside Python; the application is plain
WSGI, so another server can take its place.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from flask import Flask

from gateway.app import create_app
from gateway.audit.log import close_logs, log_of
from gateway.base.logs import get_logger
from gateway.beheer.metrics import METRICS
from gateway.config.model import Config, Gateway
from gateway.config.written import ConfigError
from gateway.http.rate_limit import shared_memory
from gateway.http.wrong_tokens import WrongTokens
from gateway.installation import open_installation, open_when_there
from gateway.legacy.pacing import machine_shares
from gateway.legacy.pacing.waiting_threads import most_waiting
from gateway.operator.exposure import open_files
from gateway.operator.rooms.jobs import JobTable
from gateway.server.address import listen, must_be_free
from gateway.server.balance import ConnectionCounts
from gateway.server.exchange import App
from gateway.server.metrics_port import serve_metrics
from gateway.server.request_queue import give_place, give_place_for_source, most_writing
from gateway.server.worker import MARGIN, work
from gateway.server.worker_processes import STOPPING, Workers
from gateway.store import chosen
from gateway.store.base.errors import StoreError
from gateway.telemetry import running as telemetry

__all__ = ["make_app", "must_be_free", "run_server", "serve", "settings"]

log = get_logger(__name__)
STOPS_WITHIN = 30  # seconds for the requests that are being answered
FILES_BESIDE = 256  # of the store, sources and logs
LOOK_SECONDS = 0.5
# Beside the places of [gateway] threads, so many requests of a process may go on that take long: writes that wait,
# heavy questions, and, where there are sources, more that only wait for those.
LONG_PLACES, LONG_PLACES_WITH_SOURCES = 3, 8
PR_SET_PDEATHSIG = 1  # of Linux's prctl


def make_app(
    config: Config,
    counted: memoryview[float] | None = None,
    guesses: WrongTokens | None = None,
    jobs: JobTable | None = None,
) -> Flask:
    """The application with everything that the configuration asks for. Raises StoreError.

    In: what is counted over all workers, requests of tokens and wrong tokens; the jobs, for the page that shows them.
    """
    telemetry.begin(config, serves=True)
    installation = open_installation(config)
    installation.store.serves()
    threads = settings(config).threads + long_places(config)
    # The other half answers questions, however long another process holds the store.
    installation.store.waiting.places = most_writing(threads)
    installation.store.waiting.waits = give_place
    return create_app(
        config,
        store=installation.store,
        hydrator=installation.hydrator(most_waiting(threads), give_place_for_source),
        counted=counted,
        guesses=guesses,
        jobs=jobs,
    )


def _heed_signals_before_serving() -> None:
    """Until workers run, end at a signal to stop, and keep one to read the configuration again until then.

    The first process of a container hears no signal that it does not ask for, and another would end at a SIGHUP.
    """

    def end(*_: object) -> None:
        sys.exit(0)

    for number in STOPPING:
        signal.signal(number, end)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])


def _heed_signals_from_birth() -> None:
    """Let a worker stop on a signal, at whatever moment after it was forked.

    It is born with the main process's handlers, by which it would take note of a signal in an object that nobody looks
    at any more. So signals wait until those handlers are gone. Ctrl-C goes to all processes of a terminal; a worker
    that hears it, and then the main process too, does not stop. So it hears only the main process.
    """

    def wait() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)

    def heed() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)

    def heed_anew() -> None:
        for number in STOPPING:
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


def _in_worker(make: Callable[[], App]) -> App:
    """The application of one worker process; where the kernel does not signal the end of its parent, it looks."""
    main = multiprocessing.parent_process()
    if sys.platform != "linux" and main is not None:
        threading.Thread(target=_end_without, args=(main.pid,), daemon=True).start()
    return make()


def run_server(
    gateway: Gateway,
    make: Callable[[], App],
    on_reload: Callable[[], None] = lambda: None,
    long: int = LONG_PLACES,
) -> None:
    """Serve until a signal says stop what `make` gives; it is called once in every worker process.

    `long`: how many requests of a process that take long may go on beside those of `[gateway] threads`.
    At SIGHUP `on_reload` is called, and each worker gives way to a new one when that serves. Raises ConfigError when
    it can't listen there. Granian logs no request, ever: a query string holds a BSN. We do, without it
    (`gateway.telemetry.access_log`).
    """
    listener, counts = listen(gateway.bind), ConnectionCounts(gateway.workers)
    _allow_files(gateway.max_connections)
    _heed_signals_from_birth()
    _end_with_the_server()

    def one(number: int, tell_ready: Callable[[], None]) -> None:
        try:
            work(number, counts, listener, gateway, long, partial(_in_worker, make), tell_ready)
        except (ConfigError, StoreError) as error:
            log.error("a worker can't serve", problem=str(error))
            sys.exit(1)
        finally:
            machine_shares.leave()
            telemetry.end()
            close_logs()

    Workers(gateway.workers, one, on_reload, STOPS_WITHIN, gateway.leave_seconds).run()


def _allow_files(connections: int) -> None:
    """Let a process have as many files as it may need for its connections, as far as it may."""
    wanted = FILES_BESIDE + MARGIN * connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))


def settings(config: Config) -> Gateway:
    """How to serve this configuration: `[gateway]`, with as many threads as are of use."""
    if config.sources:
        # One that waits for a source, and one that does not.
        return replace(config.gateway, threads=max(2, config.gateway.threads))
    # Threads are for requests that wait for a source. Without sources none does, and threads that only compute take
    # the interpreter from each other at every row of a question to the store.
    return replace(config.gateway, threads=1)


def long_places(config: Config) -> int:
    """How many requests of a process that take long may go on beside those of `[gateway] threads`."""
    return LONG_PLACES_WITH_SOURCES if config.sources else LONG_PLACES


def serve(
    config: Config,
    reread: Callable[[], Config] | None = None,
    on_reload: Callable[[], None] = lambda: None,
    jobs: JobTable | None = None,
) -> None:
    """Serve until a signal says stop. Raises StoreError or ConfigError when store or address can't be used.

    At SIGHUP workers go on by what `reread` gives, when that can be used, and `on_reload` is called. `jobs` are those
    that the page Jobs shows.
    """
    followed = [config]

    def follow() -> None:
        new = _reread(reread, followed[0]) if reread else None
        if new is not None:
            followed[0] = new
            on_reload()

    _heed_signals_before_serving()
    # Schema and secret are judged once, before any worker starts.
    installation = open_when_there(config, time.sleep)
    log_of(config)  # and so is the key of the audit log
    for said in installation.store.trouble():
        log.error("the store needs an operator", problem=said)
    if installation.to_rebuild:
        names = ", ".join(installation.to_rebuild)
        log.warning("translated with another mapping", sources=names, do="klantbrug rebuild")
    with chosen.in_use(config.store), telemetry.counting_goes_on(config):  # also while workers come and go
        installation.store.close()
        for found in open_files(config):  # after the store was made, which makes its own files right
            log.warning("others can read or change a file", problem=found.text)
        counted, guesses = shared_memory(), WrongTokens()  # before the workers are, so that they share them
        apart = listen(config.metrics.bind, "metrics") if _apart(config) else None

        def make() -> Flask:
            app = make_app(followed[0], counted, guesses, jobs)
            if apart is not None:
                serve_metrics(apart, app.extensions[METRICS])
            return app

        run_server(settings(config), make, follow, long_places(config))


def _apart(config: Config) -> str:
    """The address of its own for /metrics; blank for none."""
    return config.metrics.bind if config.metrics.enabled else ""


def _reread(reread: Callable[[], Config], old: Config) -> Config | None:
    """The configuration as it is now; None, with a line in the log, when it asks for a restart."""
    try:
        new = reread()
        open_installation(new).store.close()
    except (ConfigError, StoreError) as error:
        log.error("the configuration is not taken over", problem=str(error))
        return None
    for key, here, there in (
        ("[gateway] bind", new.gateway.bind, old.gateway.bind),
        ("[gateway] workers", new.gateway.workers, old.gateway.workers),
        ("[gateway] threads", settings(new).threads, settings(old).threads),
        ("[store] path", new.store.path, old.store.path),
        ("[store] url", new.store.url, old.store.url),
        ("[store] schema", new.store.schema, old.store.schema),
        ("[metrics] bind", _apart(new), _apart(old)),
    ):
        if here != there:
            log.error("the configuration asks for a restart", key=key)
            return None
    log.info("the configuration was read again")
    return new
