"""Sync: what is new at a source comes in, in a few calls, whatever happens meanwhile."""

from __future__ import annotations

import json
import math
import random
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from builders.asker import Asker
from builders.commands import killed_after, klantbrug
from builders.configs import read_config, write_config
from builders.following import Clock, backfilled, lists, run, state, working
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.sample_data import new_contact, new_rol, new_zaak, small
from builders.store_digest import dump_digest
from builders.stores import copy_folder

import jobs.follow.sync
from gateway.base.clock import now
from gateway.cli.terminal.status_text import status_text
from gateway.fetch.visit import Visit
from gateway.installation import Installation, open_installation, open_store
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.base.store import Store
from gateway.store.inspect.dump import dump_lines
from gateway.store.inspect.status import status
from gateway.store.operation import following
from jobs.backfill.asking import PATIENCE
from jobs.follow.followed_source import Followed
from jobs.follow.sweep import sweep
from jobs.follow.sync import sync, sync_source

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]


@pytest.fixture
def data() -> Dataset:
    return small(8)


@pytest.fixture
def paged() -> Iterator[SampleServer]:
    """A plain Zaken API: pages of 100, so that there are several."""
    with SampleServer(small(8), version="1.5.1", open_zaak=False) as running:
        yield running


def same_as_a_fresh_backfill(installation: Installation, install: Install, server: SampleServer) -> bool:
    """Everything is equal but the raw zaken, whose list of rollen changes without a new zaak."""

    def lines(store: Store) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in dump_lines(store)]
        return [line for line in found if (line["t"], line.get("kind")) != ("raw", "zaak")]

    return lines(installation.store) == lines(backfilled(install(bron=server)).store)


def test_new_objects_cost_one_call_for_each_list(server: SampleServer, install: Install) -> None:
    """However many rollen there are: the lists are newest first, and walked until nothing is new."""
    installation = backfilled(install(bron=server))
    for number in range(10):
        new_rol(server.dataset, number)
    new_contact(server.dataset, new_zaak(server.dataset)["uuid"])
    server.reset_calls()
    assert run(installation, sync)["new"] == 12
    assert lists(server) == [
        "zaken?registratiedatum__gt&pageSize&page",
        "rollen?pageSize&page",
        "klantcontacten?pageSize&page",
    ]
    assert same_as_a_fresh_backfill(installation, install, server)
    server.reset_calls()
    assert run(installation, sync)["new"] == 0
    assert server.calls_count == 3


def test_nothing_is_asked_before_the_backfill_or_after_the_cutover(
    server: SampleServer, install: Install
) -> None:
    installation = install(bron=server)
    assert run(installation, sync)["skipped"] == 1
    backfilled(installation)
    Tamper(installation.store).set_phase("cutover")
    server.reset_calls()
    assert run(installation, sync)["skipped"] == 1
    assert not server.calls
    with working(installation, "sync") as work:
        assert "cutover" in sync_source(work, installation.fetchers["bron"]).skipped


def test_a_sync_that_was_off_for_a_week_catches_up(paged: SampleServer, install: Install) -> None:
    installation = backfilled(install(bron=paged))
    zaken = [new_zaak(paged.dataset)["uuid"] for _ in range(40)]
    for number in range(350):
        new_rol(paged.dataset, number, zaken[number % len(zaken)])
    paged.reset_calls()
    assert run(installation, sync)["new"] == 390
    assert paged.calls_count < 16
    assert same_as_a_fresh_backfill(installation, install, paged)


def test_objects_that_requests_brought_in_do_not_hide_the_new_ones_behind_them(
    paged: SampleServer, install: Install
) -> None:
    """What is held proves nothing of what is older; only what was held when the last sync began does."""
    paged.traps.fuzzy_pagination = True  # no page says that it is the last
    installation = backfilled(install(bron=paged))
    for number in range(140):
        new_rol(paged.dataset, number)
    fetcher, newest = installation.fetchers["bron"], paged.dataset.objects("rol")[:125]
    visit = Visit(PATIENCE * 10**6)
    for rol in newest:
        fetcher.fetch(visit, "rol", UUID(rol["uuid"]))
    assert run(installation, sync)["new"] == 15
    assert same_as_a_fresh_backfill(installation, install, paged)


def test_deletes_while_it_walks_hide_nothing_new(paged: SampleServer, install: Install) -> None:
    installation = backfilled(install(bron=paged))
    old = {rol["uuid"] for rol in paged.dataset.objects("rol")}
    made = {new_rol(paged.dataset, number)["uuid"] for number in range(450)}
    paged.traps.protected = (made | old) - set(sorted(made)[::3])
    paged.traps.delete_during_walk = 10
    counts = run(installation, sync)
    assert len(paged.traps.removed) > 40
    assert counts["synced"] == 1
    held = Probe(installation.store).raw_uuids("rol")
    assert {rol["uuid"] for rol in paged.dataset.objects("rol")} <= set(held)


def test_a_sync_that_can_not_catch_up_says_so_and_asks_for_a_sweep(
    paged: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next one begins where this one did, so that nothing is taken for held that isn't."""
    installation = backfilled(install(bron=paged))
    for number in range(150):
        new_rol(paged.dataset, number)
    monkeypatch.setattr(jobs.follow.sync, "MOST_LOOKS", 1)
    assert run(installation, sync)["failed"] == 1
    assert state(installation).synced == 0
    assert state(installation).hurry
    assert "miste" in state(installation).why


def test_a_source_that_fails_is_synced_the_next_time(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.legacy.pacing.circuit_breaker.FIRST_SECONDS", 0.1)
    installation = backfilled(install(bron=server))
    new_rol(server.dataset)
    server.stop()
    assert run(installation, sync)["failed"] == 1
    assert state(installation).synced == 0
    with server:
        assert run(installation, sync) == {"synced": 1, "skipped": 0, "failed": 0, "pages": 2, "new": 1}


def test_a_version_without_dates_gets_new_zaken_with_their_rollen(install: Install) -> None:
    with SampleServer(small(8), version="1.0.2", open_zaak=False) as server:
        installation = backfilled(install(bron=server))
        for _ in range(3):
            new_rol(server.dataset, zaak=new_zaak(server.dataset)["uuid"])
        server.reset_calls()
        run(installation, sync)
        assert lists(server) == ["rollen?page", *["zaken/{uuid}"] * 3, "klantcontacten?page"]
        assert same_as_a_fresh_backfill(installation, install, server)


@pytest.mark.rule("M34")
def test_new_rollen_of_a_zaak_that_may_not_be_shown_make_nothing(
    server: SampleServer, install: Install
) -> None:
    installation = backfilled(install(bron=server))
    zaak = new_zaak(server.dataset)
    server.dataset.replace("zaak", zaak["uuid"], zaak | {"vertrouwelijkheidaanduiding": "geheim"})
    rol = new_rol(server.dataset, zaak=zaak["uuid"])
    run(installation, sync)
    assert Probe(installation.store).raw(rol["uuid"], "body") is None
    assert same_as_a_fresh_backfill(installation, install, server)


def test_the_command_says_what_it_did(
    server: SampleServer, tmp_path: Path, run_log: Path, install: Install
) -> None:
    config = write_config(tmp_path / "here", {"bron": server})

    def say(*arguments: str) -> tuple[int, str]:
        with klantbrug(run_log, "--config", config, *arguments, stderr=subprocess.PIPE) as process:
            output, _ = process.communicate(timeout=60)
        return process.returncode, output

    assert say("sync") == (0, "Bron bron: niets gedaan, want er is nog geen volledige backfill.\n")
    backfilled(install(config))
    new_rol(server.dataset)
    assert say("sync", "--source", "bron") == (0, "Bron bron: 1 nieuwe objecten, 2 pagina's gelezen.\n")
    assert say("sync", "--source", "andere")[0] == 2
    server.stop()
    assert say("sync")[0] == 1


def after_kills(server: SampleServer, folder: Path, run_log: Path, kills: int) -> None:
    """New objects, and kill -9 at a random moment of the sync that takes them, so many times: nothing is lost."""
    data, chance = server.dataset, random.Random(20261127)
    installation = backfilled(
        open_installation(read_config(write_config(folder / "whole", {"bron": server})))
    )
    Probe(installation.store).checkpoint()
    calm, killed = (
        copy_folder(folder / "whole", folder / name) / "config.toml" for name in ("calm", "killed")
    )

    def add() -> None:
        zaak = new_zaak(data)["uuid"]
        for number in range(4):
            new_rol(data, chance.randrange(500), zaak if number == 0 else "")
        new_contact(data, zaak)

    add()
    assert not killed_after(server, math.inf, run_log, "--config", calm, "sync")
    calls = server.calls_count
    assert calls > 5
    stopped = rounds = 0
    while stopped < kills:
        add()
        rounds += 1
        assert rounds < 3 * kills + 10
        moment = chance.uniform(1, calls)
        stopped += killed_after(server, moment, run_log, "--config", killed, "sync")
    for config in (calm, killed):
        assert not killed_after(server, math.inf, run_log, "--config", config, "sync")
    stores = [open_store(read_config(config)) for config in (calm, killed)]
    assert dump_digest(stores[0]) == dump_digest(stores[1])
    assert {run["status"] for run in status(stores[1])["runs"]} == {"finished"}


def test_the_store_after_kills_equals_an_undisturbed_one(
    paged: SampleServer, tmp_path: Path, run_log: Path
) -> None:
    after_kills(paged, tmp_path, run_log, 3)


@pytest.mark.soak
def test_the_store_after_a_hundred_kills_equals_an_undisturbed_one(
    paged: SampleServer, tmp_path: Path, run_log: Path
) -> None:
    after_kills(paged, tmp_path, run_log, 100)


def test_dates_are_asked_with_days_to_spare() -> None:
    """The registratiedatum is a date in the source's time zone; the day before that before is surely past."""
    moment = int(datetime(2026, 1, 1, 0, 30, tzinfo=UTC).timestamp()) * jobs.follow.sync.SECOND
    assert jobs.follow.sync.first_day(moment) == "2025-12-30"


def test_the_status_tells_when_a_source_was_followed_and_why_the_sweep_hurries(
    server: SampleServer, install: Install
) -> None:
    installation = backfilled(install(bron=server))
    run(installation, sync)
    with installation.store.write() as connection:
        following.ask_hurry(connection, installation.fetchers["bron"].source, 1, jobs.follow.sync.NOT_AGREED)
    told = status(installation.store)
    assert told["sources"]["bron"]["following"]["synced"].endswith("Z")
    assert told["sources"]["bron"]["following"]["swept"] is None
    text = status_text(told)
    assert "alles nagelopen nog niet; leest nu alles opnieuw: een sync miste" in " ".join(text.split())
    assert "klantcontact" in text and "klantcontactmoment" not in text, "a source without Contactmomenten API"
    page = Asker(installation).page()
    assert "Leest nu alles opnieuw" in page


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def nothing_missing(installation: Installation, server: SampleServer) -> bool:
    """Is everything held that the source has now?"""
    held = set(Probe(installation.store).raw_uuids())
    kinds = ("zaak", "rol", "klantcontact")
    return all(item["uuid"] in held for kind in kinds for item in server.dataset.objects(kind))


@pytest.mark.parametrize("when", ["at a sync", "at the backfill"])
def test_a_clock_that_was_ahead_hides_nothing_that_is_new(
    paged: SampleServer, install: Install, clock: Clock, when: str
) -> None:
    """What was written down then is no moment before which everything is held: the sweep reads everything again."""
    installation = install(bron=paged)
    clock.days = 400.0 if when == "at the backfill" else 0.0
    backfilled(installation)
    clock.days = 400.0
    if when == "at a sync":
        run(installation, sync)
    gone = paged.dataset.objects("rol")[3]
    clock.days = 0.0
    for number in range(250):
        new_rol(paged.dataset, number)
    old = new_zaak(paged.dataset)
    paged.dataset.replace("zaak", old["uuid"], old | {"registratiedatum": "2024-01-01"})
    paged.dataset.remove("rol", gone["uuid"])
    paged.reset_calls()
    assert run(installation, sync)["synced"] == 1
    assert paged.calls_count < 16, "the newest, and not everything"
    assert 0 < state(installation).synced <= now()
    assert "klok" in state(installation).why
    counts = run(installation, sweep)
    assert counts["rounds"] == 1
    assert nothing_missing(installation, paged)
    assert not Probe(installation.store).has_raw(gone["uuid"])
    for number in range(250):
        new_rol(paged.dataset, number)
    paged.reset_calls()
    assert run(installation, sync)["new"] == 250
    assert paged.calls_count < 16
    assert nothing_missing(installation, paged)
    assert not state(installation).hurry, "asked for once"


def test_an_unexpected_failure_in_one_source_leaves_the_others_their_sync(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with SampleServer(small(60)) as other:
        installation = backfilled(install(bron=server, tweede=other))
        take = Followed.take

        def breaks(self: Followed, *given: Any, **more: Any) -> Any:
            if self.fetcher.name == "bron":
                raise ValueError("999990019")
            return take(self, *given, **more)

        monkeypatch.setattr(Followed, "take", breaks)
        counts = run(installation, sync)
        assert (counts["failed"], counts["synced"]) == (1, 1)
        assert "ValueError at" in caplog.text and "999990019" not in caplog.text
