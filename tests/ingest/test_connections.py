"""Zaakcontactmomenten, also of a source without a Contactmomenten API: found by every job and by a question (M32)."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from builders.asker import Asker
from builders.configs import read_config, write_config
from builders.following import Clock, backfilled, run
from builders.legacy_objects import uuid_of, zaak
from builders.probe.probe import Probe
from builders.sample_data import small
from builders.store_digest import dump_digest

from gateway.fetch.visit import Visit
from gateway.installation import Installation, open_installation
from gateway.legacy.background import background
from gateway.legacy.client import transport
from gateway.legacy.client.transport import LONG_SECONDS, Transport
from gateway.legacy.errors import LegacyError, TimedOut, Unreachable
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.base.kinds import LOCAL_ORIGIN
from gateway.store.documents.writing import put_documents
from gateway.store.inspect.dump import dump_lines
from gateway.store.operation import following
from jobs.backfill import asking, connections
from jobs.backfill.backfill import Backfill, BackfillStopped
from jobs.common import zaakcontactmomenten
from jobs.follow.sweep import sweep
from jobs.verify.verify import Verify
from mappings import klantinteracties
from mappings.model.documents import Document

pytestmark = pytest.mark.slow

HERE = "https://klantbrug.example"
ALSO_HERE = "http://klantbrug.intern:8000/brug"
CONTACT = UUID("11111111-0000-4000-8000-000000000001")
LIST = "/zaken/api/v1/zaakcontactmomenten"
OBJECT = {
    "onderwerpobjectidentificatorCodeObjecttype": "zgw-Zaak",
    "onderwerpobjectidentificatorCodeRegister": "openzaak",
    "onderwerpobjectidentificatorCodeSoortObjectId": "uuid",
}


@pytest.fixture
def data() -> Dataset:
    return small(12)


def opened(server: SampleServer, folder: Path, way: str = "auto") -> Installation:
    """An installation with an empty store, and a klantcontact that a client made."""
    path = write_config(folder, {"bron": server})
    known = f'[gateway]\npublic_url = "{HERE}"\nalso_known_as = ["{ALSO_HERE}"]\n'
    text = path.read_text().replace("[store]", f"{known}[store]", 1)
    path.write_text(text + f'zaakcontactmomenten = "{way}"\n')
    installation = open_installation(read_config(path))
    body = klantinteracties.defaults("klantcontact")
    with installation.store.write() as connection:
        put_documents(connection, [(Document("klantcontact", CONTACT, body, 5, 5), None)], LOCAL_ORIGIN)
    return installation


def seen(server: SampleServer) -> dict[str, Any]:
    """A zaak that may be shown."""
    allowed = ("openbaar", "intern")
    return next(z for z in server.dataset.objects("zaak") if z["vertrouwelijkheidaanduiding"] in allowed)


def tied(server: SampleServer, zaak: dict[str, Any], to: str = "") -> str:
    """A new zaakcontactmoment of a zaak, by default with the klantcontact of `opened`. Out: its uuid."""
    contact = to or f"{HERE}/klantinteracties/api/v1/klantcontacten/{CONTACT}"
    uuid = str(uuid4())
    server.dataset.add("zaakcontactmoment", {"uuid": uuid, "zaak": zaak["url"], "contactmoment": contact})
    return uuid


def held(installation: Installation) -> set[str]:
    return set(Probe(installation.store).raw_uuids("zaakcontactmoment"))


def there(server: SampleServer) -> set[str]:
    return {item["uuid"] for item in server.dataset.objects("zaakcontactmoment")}


def asked(server: SampleServer) -> list[str]:
    """The questions for zaakcontactmomenten since the last reset."""
    return [call.path for call in server.calls if call.path.startswith(LIST)]


def subjects(installation: Installation) -> set[str]:
    """The zaken that the client's klantcontact is about."""
    lines = [orjson.loads(line) for line in dump_lines(installation.store)]
    of = {x["source"] for x in lines if x["t"] == "link" and x["target"] == str(CONTACT)}
    documents = [x for x in lines if x["t"] == "document" and x["kind"] == "onderwerpobject"]
    return {
        each["body"]["onderwerpobjectidentificator"]["objectId"] for each in documents if each["uuid"] in of
    }


@pytest.mark.rule("M32")
def test_a_backfill_finds_what_points_here_and_what_points_elsewhere(
    server: SampleServer, tmp_path: Path
) -> None:
    """Whichever way it reads them: in one call, or zaak by zaak."""
    zaak = seen(server)
    tied(server, zaak)
    elsewhere = tied(server, zaak, "https://elders.example/contactmomenten/" + str(uuid4()))
    whole = backfilled(opened(server, tmp_path / "whole"))
    assert asked(server) == [LIST]
    server.reset_calls()
    by_zaak = backfilled(opened(server, tmp_path / "by-zaak", "per_zaak"))
    assert len(asked(server)) == len(server.dataset.objects("zaak"))
    assert held(whole) == there(server)
    assert subjects(whole) == {zaak["uuid"]}
    (found,) = (
        line for each in dump_lines(whole.store)
        if (line := orjson.loads(each))["t"] == "finding" and line.get("uuid") == elsewhere
    )  # fmt: skip
    assert found["rule"] == "M32"
    assert dump_digest(whole.store) == dump_digest(by_zaak.store)


@pytest.mark.rule("M32")
def test_what_points_here_by_another_address_of_ours_points_here(
    server: SampleServer, tmp_path: Path
) -> None:
    zaak = seen(server)
    tied(server, zaak, f"{ALSO_HERE}/klantinteracties/api/v1/klantcontacten/{CONTACT}")
    assert subjects(backfilled(opened(server, tmp_path))) == {zaak["uuid"]}


def test_a_list_that_does_not_come_is_asked_zaak_by_zaak(
    server: SampleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "LONG_SECONDS", 0.0)
    server.traps.largest_bare = 2_000
    installation = backfilled(opened(server, tmp_path))
    assert held(installation) == there(server)
    assert len(there(server)) > 10


@pytest.mark.parametrize(
    ("many", "way"), [(False, zaakcontactmomenten.WHOLE), (True, zaakcontactmomenten.BY_ZAAK)]
)
def test_a_look_at_some_zaken_says_how_long_the_list_is(
    server: SampleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: bool, way: str
) -> None:
    """Of a long list nothing is asked at once: that is what breaks a source."""
    monkeypatch.setattr(zaakcontactmomenten, "FEW_ZAKEN", 10)
    monkeypatch.setattr(zaakcontactmomenten, "SAMPLE", 30)
    monkeypatch.setattr(zaakcontactmomenten, "MOST", 10 if many else 1000)
    installation = backfilled(opened(server, tmp_path))
    assert held(installation) == there(server)
    assert (LIST in asked(server)) is (way == zaakcontactmomenten.WHOLE)
    assert (
        len(asked(server)) > 15 if way == zaakcontactmomenten.WHOLE else len(server.dataset.objects("zaak"))
    )


def test_zaken_that_lie_close_together_are_asked_as_others_are(
    server: SampleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place among all uuids was chosen, so that of many zaken with uuids in a row one was asked."""
    monkeypatch.setattr(zaakcontactmomenten, "FEW_ZAKEN", 10)
    monkeypatch.setattr(zaakcontactmomenten, "SAMPLE", 30)
    installation = opened(server, tmp_path)
    installation.ingest.take("bron", "zaak", [zaak(number) for number in range(1, 91)], asked=0)
    sample = zaakcontactmomenten.sample_of(installation.fetchers["bron"])
    assert (sample.way, sample.held) == ("", 90)
    assert sample.zaken == [UUID(uuid_of("zaak", number)).bytes for number in range(1, 91, 3)]


def test_where_there_are_none_nobody_asks(server: SampleServer, tmp_path: Path) -> None:
    """Neither a job nor a client's question, when the operator says so."""
    zaak = seen(server)
    installation = backfilled(opened(server, tmp_path, "geen"))
    fetcher = installation.fetchers["bron"]
    assert Verify(fetcher).run()["clean"]
    fetcher.reread_zaak(Visit(time.monotonic() + 60), UUID(zaak["uuid"]))
    assert asked(server) == []


@pytest.mark.parametrize("version", ["1.1.0", "1.0.2"])
def test_a_version_without_them_is_not_asked(tmp_path: Path, version: str) -> None:
    with SampleServer(small(40), version=version, open_zaak=False) as server:
        installation = backfilled(opened(server, tmp_path))
        assert Verify(installation.fetchers["bron"]).run()["clean"]
        assert asked(server) == []


def test_a_source_that_never_built_the_list_is_read_without_it(
    server: SampleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Transport.get

    def get(self: Transport, url: str, *rest: Any) -> Any:
        return real(self, url.replace("zaakcontactmomenten", "nergens"), *rest)

    monkeypatch.setattr(Transport, "get", get)
    installation = backfilled(opened(server, tmp_path))
    fetcher = installation.fetchers["bron"]
    fetcher.reread_zaak(Visit(time.monotonic() + 60), UUID(seen(server)["uuid"]))
    assert Verify(fetcher).run()["clean"]
    assert held(installation) == set()


def test_a_stop_half_way_goes_on_where_it_was(
    server: SampleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "PIECE", 20)
    monkeypatch.setattr(asking, "LOOK_AROUND_SECONDS", 0.0)
    installation, stopping = opened(server, tmp_path / "stopped", "per_zaak"), threading.Event()

    def show(progress: Any) -> None:
        if progress.kind == zaakcontactmomenten.CONNECTION and len(asked(server)) >= 45:
            stopping.set()

    with pytest.raises(BackfillStopped):
        Backfill(installation.fetchers["bron"], show, stopping).run()
    zaken, before = len(server.dataset.objects("zaak")), len(asked(server))
    assert 40 <= before < zaken
    assert Backfill(installation.fetchers["bron"]).run()
    assert len(asked(server)) <= zaken + 25
    calm = backfilled(opened(server, tmp_path / "calm", "per_zaak"))
    assert dump_digest(installation.store) == dump_digest(calm.store)


def test_a_version_that_has_them_no_more_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source goes back to 1.1 half-way: the backfill, or the round of the sweep, ends without them."""
    clock = Clock(monkeypatch)
    monkeypatch.setattr(connections, "PIECE", 20)
    with SampleServer(small(24), version="1.5.1", open_zaak=False) as server:
        installation = opened(server, tmp_path, "per_zaak")

        def show(progress: Any) -> None:
            if progress.kind == zaakcontactmomenten.CONNECTION and asked(server):
                raise BackfillStopped

        with pytest.raises(BackfillStopped):
            Backfill(installation.fetchers["bron"], show).run()
        server.become("1.1.0", open_zaak=False)
        installation = open_installation(installation.config)  # as after a restart
        assert Backfill(installation.fetchers["bron"]).run()
        for days, version in ((0, "1.5.1"), (1.5, "1.5.1"), (3.5, "1.1.0")):
            clock.days = days
            server.become(version, open_zaak=False)
            installation = open_installation(installation.config)
            assert run(installation, sweep)["failed"] == 0
        with installation.store.read() as connection:
            assert following.following(connection, installation.fetchers["bron"].source).swept


@pytest.mark.parametrize("way", ["auto", "per_zaak"])
def test_a_sweep_finds_what_came_and_what_went(
    server: SampleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    clock = Clock(monkeypatch)
    installation = backfilled(opened(server, tmp_path, way))
    gone = server.dataset.objects("zaakcontactmoment")[0]["uuid"]
    server.dataset.remove("zaakcontactmoment", gone)
    zaak = seen(server)
    new = tied(server, zaak)
    assert {gone} == held(installation) - there(server)
    run(installation, sweep)
    clock.days = 3.5
    counts = run(installation, sweep)
    assert (counts["rounds"], counts["failed"]) == (1, 0)
    assert held(installation) == there(server)
    assert new in held(installation)
    assert subjects(installation) == {zaak["uuid"]}


def test_zaken_are_asked_in_the_pace_of_the_round(
    server: SampleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    installation = backfilled(opened(server, tmp_path, "per_zaak"))
    each = []
    for hour in range(77):
        clock.days = hour / 24
        server.reset_calls()
        run(installation, sweep)
        each.append(len(asked(server)))
    assert sum(each) >= len(server.dataset.objects("zaak"))
    assert sum(count > 0 for count in each) > 1
    assert max(each) <= 50


@pytest.mark.parametrize("way", ["auto", "per_zaak"])
def test_verify_finds_and_mends_what_is_missing_and_what_is_gone(
    server: SampleServer, tmp_path: Path, way: str
) -> None:
    installation = backfilled(opened(server, tmp_path, way))
    fetcher = installation.fetchers["bron"]
    assert Verify(fetcher).run()["clean"]
    server.dataset.remove("zaakcontactmoment", server.dataset.objects("zaakcontactmoment")[0]["uuid"])
    zaak = seen(server)
    tied(server, zaak)
    report = Verify(fetcher, repair=True).run()
    row = report["kinds"]["zaakcontactmoment"]
    assert (row["missing"], row["extra"], report["found"]) == (1, 1, 2)
    assert held(installation) == there(server)
    assert subjects(installation) == {zaak["uuid"]}
    assert Verify(fetcher).run()["clean"]


@pytest.mark.rule("M32")
def test_a_question_about_a_zaak_brings_them_in(server: SampleServer, tmp_path: Path) -> None:
    zaak = seen(server)
    tied(server, zaak)
    installation = opened(server, tmp_path)
    asker = Asker(installation)
    found = asker.get(
        "onderwerpobjecten", **OBJECT, onderwerpobjectidentificatorObjectId=zaak["uuid"]
    ).get_json()
    assert str(CONTACT) in {(each["klantcontact"] or {}).get("uuid") for each in found["results"]}
    assert len(asked(server)) == 1


def test_a_source_that_has_none_at_all_costs_a_question_nothing(server: SampleServer, tmp_path: Path) -> None:
    """Until one is announced: then the zaak is read, and from then on they are asked."""
    for each in there(server):
        server.dataset.remove("zaakcontactmoment", each)
    installation = backfilled(opened(server, tmp_path))
    assert asked(server) == [LIST]
    zaak, fetcher = seen(server), installation.fetchers["bron"]
    fetcher.max_age = 0
    server.reset_calls()
    fetcher.zaak(Visit(time.monotonic() + 60), UUID(zaak["uuid"]))
    assert server.calls
    assert asked(server) == []
    new = tied(server, zaak)
    fetcher.reread_zaak(Visit(time.monotonic() + 60), UUID(zaak["uuid"]))
    assert held(installation) == {new}
    server.reset_calls()
    fetcher.zaak(Visit(time.monotonic() + 60), UUID(zaak["uuid"]))
    assert len(asked(server)) == 1


@pytest.mark.parametrize("error", [TimedOut, Unreachable])
def test_a_call_that_breaks_off_late_is_tried_once_more_and_no_further(
    server: SampleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[LegacyError]
) -> None:
    """A list of 80,000 ends after a minute of work for the source."""
    tries = 0

    def once(self: Transport, gate: Any, url: str, params: Any, template: str, *rest: Any) -> Any:
        nonlocal tries
        tries += 1
        failure = error("bron", template)
        failure.took = LONG_SECONDS + 1
        raise failure

    client = opened(server, tmp_path).fetchers["bron"].client
    client.version()
    monkeypatch.setattr(Transport, "once", once)
    with background():
        assert zaakcontactmomenten.whole(client) == (zaakcontactmomenten.BY_ZAAK, [])
    assert tries == 2
