"""Sweep: what nothing announced is found within its period, in small steps, and what is asked often sooner."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from builders.asker import Asker
from builders.following import DAY, PLAIN, SECOND, Clock, backfilled, hurry, run, state
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.sample_data import new_contact, new_rol, new_zaak, small
from builders.store_digest import dump_digest

import jobs.follow.sweep
from gateway.fetch.requested_zaken import RequestedZaken
from gateway.installation import Installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.sample.writes import destroy
from jobs.follow.sweep import anything_due, sweep
from jobs.registry import BY_NAME

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]
ZAAK = "onderwerpobject__onderwerpobjectidentificatorObjectId"


@pytest.fixture
def data() -> Dataset:
    return small(6)


@pytest.fixture
def source_options() -> dict[str, Any]:
    """Pages of 100, so that there are several."""
    return PLAIN


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def rename(data: Dataset, rol: dict[str, Any], name: str) -> None:
    """Change a rol as a PUT does: its ETag stays as it was."""
    identificatie = rol["betrokkeneIdentificatie"] | {"geslachtsnaam": name}
    data.replace("rol", rol["uuid"], rol | {"betrokkeneIdentificatie": identificatie})


def a_person(data: Dataset) -> dict[str, Any]:
    return next(
        rol
        for rol in data.objects("rol")
        if rol["betrokkeneType"] == "natuurlijk_persoon" and rol["betrokkeneIdentificatie"]["inpBsn"]
    )


def held_rol(installation: Installation, rol: dict[str, Any]) -> bool:
    return Probe(installation.store).has_raw(rol["uuid"])


@pytest.mark.rule("M35")
def test_a_round_finds_all_that_nothing_announced(
    server: SampleServer, install: Install, clock: Clock
) -> None:
    """Changed under the same ETag, destroyed, added, made secret: the store is as a fresh backfill's."""
    installation, data = backfilled(install(bron=server)), server.dataset
    rename(data, a_person(data), "Anders")
    for rol in data.objects("rol")[5:50:3]:
        data.remove("rol", rol["uuid"])
    for zaak in data.objects("zaak")[3:30:5]:
        destroy(data, "zaak", zaak["uuid"])
    for contact in data.objects("klantcontact")[1:20:4]:
        data.remove("klantcontact", contact["uuid"])
    secret, *_ = data.objects("zaak")[10:]
    data.replace("zaak", secret["uuid"], secret | {"vertrouwelijkheidaanduiding": "zeer_geheim"})
    new_rol(data, 7)
    new_contact(data, new_zaak(data)["uuid"])
    run(installation, sweep)
    clock.days = 3.5
    counts = run(installation, sweep)
    assert counts["rounds"] == 1
    assert counts["failed"] == 0
    assert dump_digest(installation.store) == dump_digest(backfilled(install(bron=server)).store)


def test_a_round_is_spread_evenly_and_goes_on_where_it_was(
    server: SampleServer, install: Install, clock: Clock
) -> None:
    installation = backfilled(install(bron=server))
    pages = [run(installation, sweep)["pages"]]
    for hour in range(1, 76):
        clock.days = hour / 24
        installation.store.close()
        installation = install(installation.config.path)  # as after a restart
        pages.append(run(installation, sweep)["pages"])
    counts = [len(server.dataset.snapshot(kind)) for kind in ("zaak", "rol", "klantcontact")]
    assert sum(pages) == sum(-(-count // 100) for count in counts)  # every page once
    hours = [hour for hour, read in enumerate(pages) if read]
    assert all(after - before >= 3 for before, after in pairwise(hours))
    assert hours[-1] > 60
    assert state(installation).swept
    assert not anything_due(installation)


def test_everything_is_looked_at_within_the_period(
    server: SampleServer, install: Install, clock: Clock
) -> None:
    """Whenever something changes or goes, within sweep_days of then it is known."""
    installation, data = backfilled(install(bron=server)), server.dataset
    watched: list[tuple[float, dict[str, Any]]] = []
    rollen = data.objects("rol")
    for step in range(56):
        clock.days = step / 4
        run(installation, sweep)
        if step < 28:
            watched.append((clock.days, gone := rollen[step * 5]))
            data.remove("rol", gone["uuid"])
        for moment, rol in watched:
            assert clock.days - moment < 7 or not held_rol(installation, rol)
    assert not any(held_rol(installation, rol) for _, rol in watched)


def test_a_wish_for_a_hurry_is_met_at_once_and_once(
    server: SampleServer, install: Install, clock: Clock
) -> None:
    installation = backfilled(install(bron=server))
    clock.days = 1
    run(installation, sweep)
    data = server.dataset
    gone = data.objects("rol")[0]
    data.remove("rol", gone["uuid"])
    hurry(installation)
    assert anything_due(installation)
    assert run(installation, sweep)["rounds"] == 1
    assert not held_rol(installation, gone)
    assert state(installation).hurry == 0
    assert not anything_due(installation)
    assert run(installation, sweep)["pages"] == 0


def test_a_run_that_has_no_time_left_goes_on_in_the_next(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = backfilled(install(bron=server))
    hurry(installation)
    monkeypatch.setattr(jobs.follow.sweep, "RUN_SECONDS", 0.05)
    server.traps.slow = 0.02
    runs = 0
    while state(installation).hurry:
        run(installation, sweep)
        runs += 1
        assert runs < 200
    assert runs > 1


@pytest.mark.rule("M35")
def test_what_was_refused_and_is_destroyed_since_is_removed(server: SampleServer, install: Install) -> None:
    installation = backfilled(install(bron=server))
    fetcher, rol = installation.fetchers["bron"], server.dataset.objects("rol")[0]
    installation.ingest.refused(fetcher.name, "rol", UUID(rol["uuid"]), asked=0)
    server.dataset.remove("rol", rol["uuid"])
    hurry(installation)
    run(installation, sweep)
    assert not held_rol(installation, rol)


def test_nothing_is_asked_before_the_backfill_or_after_the_cutover(
    server: SampleServer, install: Install
) -> None:
    installation = install(bron=server)
    assert not anything_due(installation)
    run(installation, sweep)
    backfilled(installation)
    assert anything_due(installation)
    Tamper(installation.store).set_phase("cutover")
    server.reset_calls()
    assert not anything_due(installation)
    run(installation, sweep)
    assert not server.calls


def test_a_source_that_fails_is_swept_the_next_time(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.legacy.pacing.circuit_breaker.FIRST_SECONDS", 0.1)
    installation = backfilled(install(bron=server))
    hurry(installation)
    server.stop()
    assert run(installation, sweep)["failed"] == 1
    with server:
        assert run(installation, sweep)["rounds"] == 1


def a_zaak_with_contacts(data: Dataset) -> str:
    allowed = {
        zaak["uuid"] for zaak in data.objects("zaak") if zaak["vertrouwelijkheidaanduiding"] == "openbaar"
    }
    zaken = [contact["zaak"].rpartition("/")[2] for contact in data.objects("klantcontact")]
    return next(zaak for zaak in zaken if zaak in allowed)


def rows_asked(installation: Installation) -> int:
    return Probe(installation.store).count("asked")


def test_a_zaak_that_clients_ask_about_often_is_read_again_each_hour(
    server: SampleServer, install: Install, clock: Clock
) -> None:
    installation, data = backfilled(install(bron=server)), server.dataset
    clock.days = 0.1
    run(installation, sweep)
    fetcher = installation.fetchers["bron"]
    fetcher.asked = RequestedZaken(installation.store, fetcher.source, flush_seconds=0)
    asker, zaak = Asker(installation), a_zaak_with_contacts(data)
    asker.get("klantcontacten", **{ZAAK: zaak})
    assert rows_asked(installation) == 0  # in phase live requests ask themselves
    Tamper(installation.store).set_phase("synced")
    before = asker.get("klantcontacten", **{ZAAK: zaak}).get_json()["count"]
    new_contact(data, zaak)
    for _ in range(2):
        assert asker.get("klantcontacten", **{ZAAK: zaak}).get_json()["count"] == before
    assert anything_due(installation)
    server.reset_calls()
    assert run(installation, sweep)["often"] == 1
    assert server.calls_count == 4
    assert asker.get("klantcontacten", **{ZAAK: zaak}).get_json()["count"] == before + 1
    assert run(installation, sweep)["often"] == 0
    clock.days += 1 / 20
    assert run(installation, sweep)["often"] == 1
    clock.days += 1.1
    assert run(installation, sweep)["often"] == 0  # nobody asks any more
    assert rows_asked(installation) == 0


def test_requests_write_nothing_until_a_minute_is_over(server: SampleServer, install: Install) -> None:
    installation = backfilled(install(bron=server))
    Tamper(installation.store).set_phase("synced")
    asker, zaak = Asker(installation), a_zaak_with_contacts(server.dataset)
    for _ in range(3):
        asker.get("klantcontacten", **{ZAAK: zaak})
    assert rows_asked(installation) == 0


def test_the_table_of_jobs_runs_it_every_minute_and_a_run_ends_before_the_next() -> None:
    assert BY_NAME["sweep"].seconds > jobs.follow.sweep.RUN_SECONDS
    assert 2 * jobs.follow.sweep.ROUND_SHARE * 7 * DAY * SECOND < 7 * DAY * SECOND
