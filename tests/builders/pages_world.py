"""The operator's pages over real HTTP, of an installation with its jobs, as an operator or onlooker sees them."""

from __future__ import annotations

import contextlib
import html
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from builders.backfill_threads import InThread
from builders.browser import Browser, form_token, operator_browser
from builders.probe.tamper import Tamper
from builders.served_store import Got
from builders.until import until
from builders.verifying import a_rol
from werkzeug.serving import make_server

from gateway.app import create_app
from gateway.installation import Installation
from gateway.legacy.errors import LegacyError
from gateway.operator import backfills
from gateway.sample.server import SampleServer
from gateway.store.operation import leases
from jobs import registry
from jobs.backfill.backfill import Backfill, BackfillStopped
from jobs.scheduler import Scheduler
from jobs.verify.verify import Verify

ROOMS = (
    "/",
    "/beheer/backfill",
    "/beheer/bewijs",
    "/beheer/bevindingen",
    "/beheer/quarantaine",
    "/beheer/zoeken",
    "/beheer/fasen",
    "/beheer/jobs",
    "/beheer/tokens",
    "/beheer/terugschrijven",
    "/beheer/export",
    "/beheer/instellingen",
    "/beheer/logboek",
)


@dataclass
class Pages:
    """The pages of an installation at an address."""

    installation: Installation
    base: str
    browsers: dict[tuple[str, ...], Browser] = field(default_factory=dict)

    def browser(self, *roles: str) -> Browser:
        """Somebody with these roles; with none named: all of them."""
        if roles not in self.browsers:
            self.browsers[roles] = operator_browser(self.installation.store, self.base, *roles)
        return self.browsers[roles]

    def see(self, path: str, *roles: str, status: int = 200) -> str:
        """The text of a page, as a person reads it: without its tags."""
        return text_of(self.got(path, *roles, status=status).raw)

    def got(self, path: str, *roles: str, status: int = 200) -> Got:
        got = self.browser(*roles).get(path)
        assert got.status == status, text_of(got.raw)
        return got

    def do(self, form_at: str, action: str, *roles: str, **fields: str) -> Got:
        """Fill in a form that stands on a page; the answer, not followed."""
        browser = self.browser(*roles)
        token = form_token(browser.get(form_at))
        return browser.post(action, {"csrf_token": token, **fields})

    def did(self, form_at: str, action: str, **fields: str) -> str:
        """The same, followed to the page that it leads to: its text."""
        got = self.do(form_at, action, **fields)
        assert got.status == 303, text_of(got.raw)
        return text_of(self.browser().follow(got).raw)


@contextlib.contextmanager
def pages_of(installation: Installation) -> Iterator[Pages]:
    """Serve the pages of an installation."""
    app = create_app(
        installation.config, store=installation.store, hydrator=installation.hydrator(), jobs=registry
    )
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield Pages(installation, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def jobs_of(installation: Installation, *names: str) -> Iterator[None]:
    """Let a scheduler carry out these jobs for as long as the block lasts."""
    stopping = threading.Event()

    def work() -> None:
        scheduler = Scheduler(installation, [registry.BY_NAME[name] for name in names])
        try:
            scheduler.run(stopping.wait)
        finally:
            installation.store.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(60)
        assert not thread.is_alive()


def jobs_process(installation: Installation) -> None:
    """Have it look as if a process carries jobs out, which does nothing."""
    assert leases.take(installation.store, leases.SCHEDULER, 3600)


def text_of(raw: bytes) -> str:
    """What a person reads of a page."""
    text = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", raw.decode())
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def title_of(raw: bytes) -> str:
    found = re.search(r"(?s)<title>(.*?)</title>", raw.decode())
    return html.unescape(found[1]) if found else ""


def first_said(raw: bytes) -> str:
    """The heading of the page: what it says first."""
    found = re.search(r"(?s)<h1[^>]*>(.*?)</h1>", raw.decode())
    return text_of(found[1].encode()) if found else ""


# What an operator wants to see at night


class _Reading(InThread):
    def __init__(self, installation: Installation) -> None:
        super().__init__(installation.store)
        self.backfill = Backfill(installation.fetchers["bron"], stopping=self.stopping)

    def work(self) -> None:
        with contextlib.suppress(BackfillStopped, LegacyError):
            self.backfill.run()


@contextlib.contextmanager
def running(installation: Installation, server: SampleServer) -> Iterator[None]:
    """A backfill is under way."""
    jobs_process(installation)
    server.traps.slow = 1.0
    with _Reading(installation):
        try:
            until(lambda: _news(installation).get("done"))
            yield
        finally:
            server.traps.slow = 0


@contextlib.contextmanager
def paused(installation: Installation, server: SampleServer) -> Iterator[None]:
    """Somebody paused it."""
    with running(installation, server):
        backfills.pause(installation.store, installation.config.sources[0], "anna", "de bron is traag")
        try:
            until(lambda: _news(installation).get("waits"))
            yield
        finally:
            backfills.resume(installation.store, installation.config.sources[0])


@contextlib.contextmanager
def source_down(installation: Installation, server: SampleServer) -> Iterator[None]:
    """The source does not answer."""
    Backfill(installation.fetchers["bron"]).run()
    jobs_process(installation)
    server.traps.down = True
    client = installation.fetchers["bron"].client
    for _ in range(8):
        with contextlib.suppress(LegacyError):
            client.get("zaak", "00000000-0000-4000-8000-000000000000", deadline=time.monotonic() + 2)
    try:
        yield
    finally:
        server.traps.down = False


@contextlib.contextmanager
def failed_proof(installation: Installation, server: SampleServer) -> Iterator[None]:
    """The last proof was not clean."""
    Backfill(installation.fetchers["bron"]).run()
    jobs_process(installation)
    Tamper(installation.store).lose_raw(a_rol(server)["uuid"])
    assert not Verify(installation.fetchers["bron"]).run()["clean"]
    yield


@contextlib.contextmanager
def no_jobs(installation: Installation, server: SampleServer) -> Iterator[None]:
    """No process carries jobs out."""
    Backfill(installation.fetchers["bron"]).run()
    yield


State = Callable[[Installation, SampleServer], contextlib.AbstractContextManager[None]]
NIGHT: Sequence[tuple[str, State, str, str]] = (
    ("loopt", running, "Inlezen loopt", "busy"),
    ("gepauzeerd", paused, "Gepauzeerd", "half"),
    ("bron weg", source_down, "Bron antwoordt niet", "bad"),
    ("bewijs mislukt", failed_proof, "Bewijs mislukt", "bad"),
    ("geen jobs", no_jobs, "Geen jobs-proces", "bad"),
)


def _news(installation: Installation) -> dict[str, Any]:
    found: dict[str, Any] | None = backfills.overview(installation.store, installation.config.sources)[
        "sources"
    ]["bron"]["now"]
    return found or {}
