"""What is ordered on pages is done, or it is said why not; and long lists are leafed through to their end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from builders.configs import read_config, write_config
from builders.following import backfilled
from builders.pages_world import Pages, jobs_of, pages_of, text_of
from builders.sample_data import sample_data, small
from builders.until import until

from gateway.config.target import Target
from gateway.installation import Installation, open_installation
from gateway.operator.export import switch
from gateway.operator.rooms import ordering
from gateway.sample.server import SampleServer
from gateway.store.export.pairs import EXPORTED, PHASE
from gateway.store.operation import events, orders
from gateway.store.operation.sources import set_meta
from jobs import registry
from jobs.registry import BY_NAME, run_job

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with SampleServer(sample_data()) as server:
        path = write_config(tmp_path_factory.mktemp("work"), {"bron": server})
        yield backfilled(open_installation(read_config(path)))


@pytest.fixture(scope="module")
def pages(world: Installation) -> Iterator[Pages]:
    with pages_of(world) as shown:
        yield shown


def told(pages: Pages) -> list[tuple[str | None, str, str, str]]:
    with pages.installation.store.read() as connection:
        return [(each.source, each.what, each.who, each.why) for each in events.events(connection)]


def test_what_nobody_would_do_is_refused_and_said_beforehand(pages: Pages) -> None:
    store = pages.installation.store
    registry.switch(store, "orders", on=False)
    try:
        for room, deed in (("backfill", "inlezen"), ("bewijs", "steekproef")):
            assert "de job orders staat uit (uitgezet door een beheerder)" in pages.see(f"/beheer/{room}")
            got = pages.do(f"/beheer/{room}", f"/beheer/bron/bron/{deed}", terug=room)
            assert got.status == 409
            assert "de job orders staat uit" in text_of(got.raw)
        assert pages.do("/beheer/jobs", "/beheer/jobs/orders/nu").status == 409
        assert ordering.open_orders(store) == {}
    finally:
        registry.switch(store, "orders", on=True)
    assert "staat uit (" not in pages.see("/beheer/bewijs")


def test_an_order_that_is_taken_back_stands_in_the_log_with_its_outcome(pages: Pages) -> None:
    pages.did("/beheer/backfill", "/beheer/bron/bron/inlezen", terug="backfill")
    said = pages.did("/beheer/backfill", "/beheer/bron/bron/stop", terug="backfill", waarom="toch niet")
    assert told(pages)[0] == ("bron", "inlezen ingetrokken", "beheerder", "toch niet")
    assert re.search(r"Wat van opdrachten kwam .* Inlezen beheerder .* Ingetrokken", said)


def test_a_fault_ends_the_order_and_the_next_is_done(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = pages.installation
    source = installation.config.sources[0]
    ordering.prove(installation.store, source, "anna", whole=True)
    with monkeypatch.context() as broken:
        broken.setattr("jobs.ordered.orders.Verify", lambda *_: 1 / 0)
        assert run_job(installation, BY_NAME["orders"]) == {"done": 0, "failed": 1}
    with installation.store.read() as connection:
        assert not orders.any_open(connection)
    assert "Mislukt door een fout in Klantbrug (ZeroDivisionError)" in pages.see("/beheer/bewijs")
    ordering.look_again(installation.store, source, "anna")
    assert run_job(installation, BY_NAME["orders"]) == {"done": 1, "failed": 0}


def test_a_job_is_run_at_once(pages: Pages) -> None:
    store = pages.installation.store
    before = registry.listing(pages.installation.config, store)
    assert {each.name: each.last_run for each in before}["purge"] is None
    said = pages.did("/beheer/jobs", "/beheer/jobs/purge/nu", waarom="opruimen")
    assert "begint binnen enkele seconden" in said
    assert told(pages)[0] == (None, "job purge nu", "beheerder", "opruimen")

    def ran() -> bool:
        rows = registry.listing(pages.installation.config, store)
        return next(each for each in rows if each.name == "purge").last_run is not None

    with jobs_of(pages.installation, "purge"):
        until(ran, 30)
    assert pages.do("/beheer/jobs", "/beheer/jobs/niets/nu").status == 404


def test_quarantine_is_leafed_through_to_the_last(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.pages.rooms.quarantine.SHOWN", 2)
    monkeypatch.setattr("gateway.operator.rooms.found.PIECE", 3)
    for kind in ("", "rol"):
        met: list[str] = []
        where = f"/beheer/quarantaine?bron=bron&soort={kind}"
        while where:
            page = pages.got(where).raw.decode()
            met += re.findall(r'name="rij" value="(\d+)"', page)
            onward = re.search(r'href="([^"]*&amp;na=[^"]*)"', page)
            where = onward[1].replace("&amp;", "&").removeprefix(pages.base) if onward else ""
        counted = re.search(
            r"<h2>Objecten: (\d+)", pages.got("/beheer/quarantaine?soort=" + kind).raw.decode()
        )
        assert counted
        assert len(met) == len(set(met)) == int(counted[1]) > 2
        csv = pages.got(f"/beheer/quarantaine/csv?soort={kind}").raw.decode("utf-8-sig")
        assert len(csv.splitlines()) == len(met) + 1
    assert "zaaktype" not in re.findall(r"<option>(\w+)", pages.got("/beheer/quarantaine").raw.decode())


def test_the_phase_exported_is_steered_from_a_page(install: Callable[..., Installation]) -> None:
    with SampleServer(small(3)) as server:
        installation = install(bron=server)
        config = replace(installation.config, target=Target(url="http://127.0.0.1:9/klantinteracties/api/v1"))
        with pages_of(replace(installation, config=config)) as pages:
            where = "/beheer/export"
            for fields, said in (
                ({"zeker": "1"}, "Schrijf waarom"),
                ({"waarom": "klaar"}, "Vink aan"),
                ({"waarom": "klaar", "zeker": "1"}, "er is nog niets naar dit register verstuurd"),
            ):
                got = pages.do(where, f"{where}/vertrek", **fields)
                assert (got.status, said in text_of(got.raw)) == (409, True), text_of(got.raw)
            set_meta(installation.store, PHASE, EXPORTED)
            assert "Terug uit fase exported" in pages.see(where)
            assert "Terug uit fase exported" not in pages.see(where, "kijken")
            assert "de fase is exported" in pages.see(
                "/beheer/bewijs"
            )  # nothing that is ordered would be done
            assert pages.do("/beheer/bewijs", "/beheer/bron/bron/steekproef", terug="bewijs").status == 409
            pages.did(where, f"{where}/terug", waarom="het ging mis", zeker="1")
            assert not switch.is_exported(installation.store)
            assert told(pages)[0] == (None, "fase exported -> terug", "beheerder", "het ging mis")


def test_a_file_that_breaks_off_says_so_itself(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent can't be taken back: whoever opens it must see that rows are missing."""
    from gateway.store.base.errors import StoreBusy
    from gateway.store.legacy import quarantine

    part = quarantine.part
    monkeypatch.setattr("gateway.operator.rooms.found.PIECE", 1)

    def once(connection: object, asked: object, after: tuple[int, int], limit: int) -> object:
        if after != quarantine.BEGIN:
            raise StoreBusy("busy")
        return part(connection, asked, after, limit)  # type: ignore[arg-type]

    monkeypatch.setattr(quarantine, "part", once)
    lines = pages.got("/beheer/quarantaine/csv").raw.decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert lines[-1].startswith('"DIT BESTAND IS NIET COMPLEET') or lines[-1].startswith("DIT BESTAND")
