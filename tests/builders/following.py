"""A source that is followed by sync, sweep and inbox: runs of a job, faults of a source, a clock that moves."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper

from gateway.base import clock
from gateway.base.clock import now
from gateway.installation import Installation
from gateway.legacy.background import background
from gateway.sample.server import SampleServer
from gateway.store.operation import following, leases
from gateway.store.operation.following import Following
from jobs.backfill.backfill import Backfill
from jobs.common.work import Work

DAY = 86400
SECOND = 1_000_000
# A source in pages of 100, so that there are several of small data.
PLAIN: dict[str, Any] = {"version": "1.5.1", "open_zaak": False}
# What a server behind the API says when it breaks, and a router that knows no such address.
BREAKS, NO_ADDRESS = "500 Internal Server Error", "404 Not Found"


def backfilled(installation: Installation) -> Installation:
    """The same installation, with every source read whole."""
    for fetcher in installation.fetchers.values():
        assert Backfill(fetcher).run()
    return installation


@contextlib.contextmanager
def working(installation: Installation, job: str) -> Iterator[Work]:
    """The work of one run of a job."""
    grip = leases.take(installation.store, f"job {job}", 60)
    assert grip
    try:
        yield Work(installation, grip, threading.Event())
    finally:
        leases.let_go(installation.store, grip)


def run(installation: Installation, function: Callable[[Work], dict[str, int]]) -> dict[str, int]:
    """One run of a job."""
    with working(installation, function.__name__) as work, background(work.stopping, patience=5):
        return function(work)


def state(installation: Installation) -> Following:
    """How far the source `bron` is followed."""
    with installation.store.read() as connection:
        return following.following(connection, installation.fetchers["bron"].source)


def hurry(installation: Installation) -> None:
    """Ask for a round of the sweep of the source `bron` at once."""
    with installation.store.write() as connection:
        following.ask_hurry(connection, installation.fetchers["bron"].source, now(), "test")


class Clock:
    """The store's clock, as far ahead as a test wants."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = clock.time_ns
        self.days = 0.0
        monkeypatch.setattr(clock, "time_ns", lambda: real() + int(self.days * DAY * 1_000_000_000))


def traces(installation: Installation, *texts: str | bytes) -> list[str]:
    """The files of the store in which one of these stands; where it is in a database, the tables.

    What a database wrote over nobody can ask for, and it keeps that in its files until it needs the place.
    """
    if not installation.store.connection().dialect.is_a_file:
        return Probe(installation.store).tables_with(*texts)
    sought = [text if isinstance(text, bytes) else text.encode() for text in texts]
    path = installation.store.path
    files = [path, *path.parent.glob(f"{path.name}-*")]
    return [file.name for file in files if any(text in file.read_bytes() for text in sought)]


def lists(server: SampleServer) -> list[str]:
    """The lists that were asked since the last reset, with the names of their parameters."""
    return [call.path.removeprefix("/zaken/api/v1/") for call in server.calls]


class Broken:
    """A source that answers with a fault wherever the path or query holds one of these; `calls` counts those."""

    def __init__(self, server: SampleServer, parts: Iterable[str], status: str = BREAKS) -> None:
        self.parts, self.status, self.calls = list(parts), status, 0
        self.inner = server.app.wsgi_app
        server.app.wsgi_app = self  # type: ignore[method-assign]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        asked_for = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        if not any(part in asked_for for part in self.parts):
            return self.inner(environ, start_response)
        self.calls += 1
        start_response(self.status, [("Content-Type", "application/json"), ("Content-Length", "2")])
        return [b"{}"]


def given_long_ago(monkeypatch: pytest.MonkeyPatch, installation: Installation, uuids: Iterable[str]) -> None:
    """Let these not be among what the source gave lately, one of which is asked when they fail."""
    monkeypatch.setattr("gateway.store.operation.following.LATELY", 3)
    for each in uuids:
        Tamper(installation.store).seen_before(each, 1_000_000)
