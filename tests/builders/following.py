"""Helpers of the tests of sync, sweep and inbox: runs of a job, changes at a source, a clock that moves."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from builders.probe.tamper import Tamper
from builders.support import sample_slice, some_zaken

from gateway.base import clock
from gateway.base.clock import now
from gateway.installation import Installation
from gateway.legacy.background import background
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.operation import following, leases
from gateway.store.operation.following import Following
from jobs.backfill.backfill import Backfill
from jobs.common.work import Work

DAY = 86400
SECOND = 1_000_000
# What a server behind the API says when it breaks, and a router that knows no such address.
BREAKS, NO_ADDRESS = "500 Internal Server Error", "404 Not Found"


def small(every: int) -> Dataset:
    """Each `every`th zaak of the slice with all that hangs on it, to change at will."""
    return some_zaken(sample_slice(), every)


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


def new_rol(data: Dataset, number: int = 0, zaak: str = "") -> dict[str, Any]:
    """A new rol as an old one is, on its zaak or on another."""
    rollen = data.snapshot("rol")
    made = rollen[-1 - number % min(500, len(rollen))].load()
    made |= {"uuid": str(uuid.uuid4()), "registratiedatum": "2026-11-20T10:00:00Z"}
    if zaak:
        made["zaak"] = data.get("zaak", zaak)["url"]
    return data.add("rol", made)


def an_open_zaak(data: Dataset) -> dict[str, Any]:
    """A zaak that anybody may see."""
    return next(zaak for zaak in data.objects("zaak") if zaak["vertrouwelijkheidaanduiding"] == "openbaar")


def person(data: Dataset, bsn: str, number: int = 0, **changes: Any) -> dict[str, Any]:
    """A new rol of somebody with this BSN, on a zaak that anybody may see."""
    rol = new_rol(data, number, an_open_zaak(data)["uuid"]) | {
        "betrokkeneType": "natuurlijk_persoon",
        "betrokkene": "",
        "betrokkeneIdentificatie": {"inpBsn": bsn, "geslachtsnaam": "Voorbeeld"},
    }
    return data.replace("rol", rol["uuid"], rol | changes)


def new_zaak(data: Dataset) -> dict[str, Any]:
    """A new zaak that anybody may see, of today."""
    made = data.snapshot("zaak")[0].load() | {
        "uuid": str(uuid.uuid4()),
        "rollen": [],
        "registratiedatum": time.strftime("%Y-%m-%d", time.gmtime(time.time_ns() // 1_000_000_000)),
        "vertrouwelijkheidaanduiding": "openbaar",
    }
    return data.add("zaak", made)


def new_contact(data: Dataset, zaak: str) -> dict[str, Any]:
    """A new klantcontact on a zaak."""
    made = data.snapshot("klantcontact")[0].load()
    return data.add("klantcontact", made | {"uuid": str(uuid.uuid4()), "zaak": data.get("zaak", zaak)["url"]})


@pytest.fixture
def server(data: Dataset) -> Iterator[SampleServer]:
    """The `data` of the tests that ask for it, as a source."""
    with SampleServer(data) as running:
        yield running


def traces(installation: Installation, *texts: str | bytes) -> list[str]:
    """The files of the store in which one of these stands."""
    path = installation.store.path
    sought = [text if isinstance(text, bytes) else text.encode() for text in texts]
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
