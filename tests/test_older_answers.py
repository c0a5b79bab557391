"""An answer that was asked for before something newer came to be known of an object does not undo that (M35)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from following import Clock, backfilled, hurry, run, small
from support import read_config, write_config

from gateway.installation import Installation, open_installation
from gateway.sample.server import SampleServer
from gateway.store import inbox
from gateway.store.database import now
from gateway.store.dump import dump_lines
from jobs.backfill import Backfill
from jobs.inbox import look_into
from jobs.sweep import sweep
from jobs.sync import sync
from jobs.work import Work

Job = Callable[[Installation], object]


class Held:
    """Middleware: the first page of rollen is made at once, and sent when the test says so."""

    def __init__(self, server: SampleServer) -> None:
        self.inner, self.first = server.app.wsgi_app, True
        self.made, self.sent = threading.Event(), threading.Event()
        server.app.wsgi_app = self  # type: ignore[method-assign]

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = list(self.inner(environ, start))
        if self.first and environ["PATH_INFO"].endswith("/rollen"):
            self.first = False
            self.made.set()
            assert self.sent.wait(60)
        return body


@contextmanager
def under_way(server: SampleServer, job: Job, installation: Installation) -> Iterator[None]:
    """Do what is inside while a page of rollen, as they were before it, is on its way to the job."""
    held, failed = Held(server), []

    def work() -> None:
        try:
            job(installation)
        except BaseException as error:
            failed.append(error)
            raise

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert held.made.wait(60)
        yield
    finally:
        held.sent.set()
        thread.join(60)
    assert not failed
    assert not thread.is_alive()


def announce(installation: Installation, uuid: str) -> None:
    """A notification of this rol comes, and is looked into."""
    with installation.store.write() as connection:
        inbox.put(connection, installation.fetchers["bron"].source, "rol", UUID(uuid).bytes, None, now())
    assert run(installation, look_into)["done"] == 1


def of(function: Callable[[Work], dict[str, int]]) -> Job:
    return lambda installation: run(installation, function)


def whole_round(installation: Installation) -> None:
    hurry(installation)
    run(installation, sweep)


def whole_backfill(installation: Installation) -> None:
    assert Backfill(installation.fetchers["bron"]).run()


@pytest.mark.rule("M35")
@pytest.mark.parametrize("destroyed", [True, False])
@pytest.mark.parametrize("job", [of(sync), whole_round, whole_backfill], ids=["sync", "sweep", "backfill"])
def test_a_page_under_way_does_not_undo_what_a_notification_told(
    tmp_path: Path, job: Job, destroyed: bool
) -> None:
    with SampleServer(small(20)) as server:
        installation = backfilled(open_installation(read_config(write_config(tmp_path, {"bron": server}))))
        rol = next(
            rol
            for rol in server.dataset.objects("rol")
            if (rol.get("betrokkeneIdentificatie") or {}).get("geslachtsnaam")
        )
        with under_way(server, job, installation):
            if destroyed:
                server.dataset.remove("rol", rol["uuid"])
            else:
                person = rol["betrokkeneIdentificatie"] | {"geslachtsnaam": "Nieuwenaam"}
                server.dataset.replace("rol", rol["uuid"], rol | {"betrokkeneIdentificatie": person})
            announce(installation, rol["uuid"])
        lines = [line for line in dump_lines(installation.store) if rol["uuid"].encode() in line]
        assert bool(lines) is not destroyed
        assert any(b"Nieuwenaam" in line for line in dump_lines(installation.store)) is not destroyed


def test_what_was_seen_by_a_clock_that_was_ahead_is_not_newer_than_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it make an answer fresh: else nothing would be asked or taken until the clock is there again."""
    clock = Clock(monkeypatch)
    with SampleServer(small(20)) as server:
        clock.days = 1
        installation = backfilled(open_installation(read_config(write_config(tmp_path, {"bron": server}))))
        fetcher = installation.fetchers["bron"]
        assert fetcher.fresh("sleutel x")
        clock.days = 0
        assert not fetcher.fresh("sleutel x")
        rol = next(rol for rol in server.dataset.objects("rol") if rol["betrokkeneType"] == "medewerker")
        moved = rol | {"roltoelichting": "Een nieuwe toelichting"}
        result = installation.ingest.take("bron", "rol", [moved], asked=now())
        assert (result.changed, result.doubtful) == (1, set())
