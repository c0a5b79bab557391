"""An answer that was asked for before something newer came to be known of an object does not undo that (M35)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from builders.configs import read_config, write_config
from builders.earlier_source import EarlierSource, fixtures, last
from builders.following import Clock, backfilled, hurry, run
from builders.probe.probe import Probe
from builders.sample_data import small

from gateway.base.clock import now
from gateway.installation import Installation, open_installation
from gateway.legacy.errors import Forbidden
from gateway.sample.contents.dataset import PATHS
from gateway.sample.server import SampleServer
from gateway.store.base.compression import unpack
from gateway.store.inspect.dump import dump_lines
from gateway.store.operation import inbox
from jobs.backfill.backfill import Backfill
from jobs.common.work import Work
from jobs.follow.inbox import process_inbox
from jobs.follow.sweep import sweep
from jobs.follow.sync import sync

pytestmark = pytest.mark.slow

whole, source, filled = fixtures()
Job = Callable[[Installation], object]


class Held:
    """Middleware: the first answer to a question whose address holds these parts is made, and waits."""

    def __init__(self, server: SampleServer, *parts: str) -> None:
        self.inner, self.first, self.parts = server.app.wsgi_app, True, parts
        self.made, self.sent = threading.Event(), threading.Event()
        server.app.wsgi_app = self  # type: ignore[method-assign]

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = list(self.inner(environ, start))
        asked_for = f"{environ['PATH_INFO']}?{environ['QUERY_STRING'] or 'all'}"
        if self.first and all(part in asked_for for part in self.parts):
            self.first = False
            self.made.set()
            assert self.sent.wait(60)
        return body


@contextmanager
def under_way(server: SampleServer, job: Job, installation: Installation, *parts: str) -> Iterator[None]:
    """Do what is inside while an answer, a page of rollen or another, as it was before, is on its way to the job."""
    held, failed = Held(server, *(parts or ("/rollen?",))), []

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


def announce(installation: Installation, uuid: str, kind: str = "rol", zaak: str = "") -> None:
    """A notification of this object comes, and is looked into."""
    place = UUID(last(zaak)).bytes if zaak else None
    with installation.store.write() as connection:
        inbox.put(connection, installation.fetchers["bron"].source, kind, UUID(uuid).bytes, place, now())
    assert run(installation, process_inbox)["done"] == 1


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


class NotInLists:
    """Middleware: lists of rollen leave out one, as when the rows around it go while they are walked."""

    def __init__(self, server: SampleServer, uuid: str) -> None:
        self.inner, self.uuid = server.app.wsgi_app, uuid
        server.app.wsgi_app = self  # type: ignore[method-assign]

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if not environ["PATH_INFO"].endswith("/rollen"):
            return self.inner(environ, start)
        begun: list[Any] = []
        body = orjson.loads(b"".join(self.inner(environ, lambda *given: begun.extend(given))))
        if "results" in body:
            body["results"] = [each for each in body["results"] if each["uuid"] != self.uuid]
        content = orjson.dumps(body)
        kept = [pair for pair in begun[1] if pair[0].lower() != "content-length"]
        start(begun[0], [*kept, ("Content-Length", str(len(content)))])
        return [content]


@pytest.mark.rule("M35")
def test_an_object_asked_for_by_uuid_does_not_undo_what_a_notification_told(tmp_path: Path) -> None:
    with SampleServer(small(20)) as server:
        installation = backfilled(open_installation(read_config(write_config(tmp_path, {"bron": server}))))
        rol = next(each for each in server.dataset.objects("rol") if each["betrokkeneIdentificatie"])
        NotInLists(server, rol["uuid"])
        with under_way(server, whole_backfill, installation, f"/rollen/{rol['uuid']}?"):
            person = rol["betrokkeneIdentificatie"] | {"geslachtsnaam": "Nieuwenaam"}
            server.dataset.replace("rol", rol["uuid"], rol | {"betrokkeneIdentificatie": person})
            announce(installation, rol["uuid"])
        assert told(installation, "rol", rol["uuid"])["betrokkeneIdentificatie"] == person


@pytest.mark.rule("M35")
def test_a_refusal_under_way_does_not_hide_what_a_notification_showed(tmp_path: Path) -> None:
    with SampleServer(small(20)) as server:
        installation = backfilled(open_installation(read_config(write_config(tmp_path, {"bron": server}))))
        fetcher, rol = installation.fetchers["bron"], server.dataset.objects("rol")[3]
        asked = now()
        announce(installation, rol["uuid"])
        refusal = Forbidden("bron", "GET /rollen/*", code="permission_denied")
        result = fetcher.apply_answer("rol", UUID(rol["uuid"]), refusal, asked)
        assert result.doubtful == {("rol", UUID(rol["uuid"]))}
        assert Probe(installation.store).raw(rol["uuid"], "visible") == 1


@pytest.mark.rule("M35")
def test_zaakcontactmomenten_under_way_do_not_undo_what_a_notification_told(
    source: EarlierSource, filled: Installation
) -> None:
    """They come in one list at the end, or zaak by zaak; nothing reads them again after that."""
    data, kind = source.server.dataset, "zaakcontactmoment"
    tie = source.shown(filled, kind)
    inner = source.server.app.wsgi_app
    try:
        with under_way(source.server, whole_backfill, filled, PATHS[kind].rstrip("/"), "?all"):
            data.replace(kind, last(tie["url"]), tie | {"toelichting": "Een nieuwe toelichting"})
            announce(filled, last(tie["url"]), kind, tie["zaak"])
    finally:
        source.server.app.wsgi_app = inner  # type: ignore[method-assign]
    assert told(filled, kind, last(tie["url"]))["toelichting"] == "Een nieuwe toelichting"


def told(installation: Installation, kind: str, uuid: str) -> dict[str, Any]:
    """What is held of an object."""
    (body,) = Probe(installation.store).values("raw", "body", kind=kind, uuid=uuid)
    return orjson.loads(unpack(body))


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
