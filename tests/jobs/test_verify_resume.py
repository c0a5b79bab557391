"""A whole verify that is stopped goes on where it was, and says at its end what an undisturbed one says."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from builders.commands import command
from builders.configs import read_config, write_config
from builders.killing import kill_after, kills_itself
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.sample_data import some_zaken
from builders.store_digest import dump_digest
from builders.stores import copy_folder
from builders.verifying import a_rol, interrupted, outcome, stop_at, verify
from click.testing import CliRunner

from gateway.base.row_set import RowSet
from gateway.cli.main import cli
from gateway.fetch.fetcher import Fetcher
from gateway.installation import Installation, open_installation
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.errors import Forbidden
from gateway.sample.contents.dataset import default_paths, load
from gateway.sample.server import SampleServer
from gateway.store.base.kinds import TRANSLATED
from gateway.store.operation import leases, runs
from gateway.store.operation.sources import source_id
from gateway.store.operation.verify_reports import get_report, list_reports
from jobs.backfill.backfill import Backfill
from jobs.common.progress import Step
from jobs.rebuild.rebuild import Rebuild
from jobs.verify.ledger import Ledger, Suspect
from jobs.verify.verify import LASTS, Verify

pytestmark = pytest.mark.slow

PAGE = 20


class Damaged:
    """A source, and a store that is not what it says, made once: `copy` gives an installation of its own."""

    def __init__(self, server: SampleServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.count = 0
        installation = open_installation(read_config(write_config(folder / "template", {"bron": server})))
        assert Backfill(installation.fetchers["bron"]).run()
        rollen = server.dataset.objects("rol")
        for rol in (rollen[3], rollen[-3]):
            server.dataset.remove("rol", rol["uuid"])
            server.dataset.add("rol", {**a_rol(server), "uuid": str(uuid4())})
        changed = a_rol(server)
        changed["betrokkeneIdentificatie"] |= {"geslachtsnaam": "Anders"}
        server.dataset.replace("rol", changed["uuid"], changed)
        tamper = Tamper(installation.store)
        for zaak in server.dataset.objects("zaak")[:2]:
            tamper.lose_raw(zaak["uuid"])
        tamper.lose_documents("partij", every=7)
        tamper.lose_documents("betrokkene", every=5)
        tamper.invent_document("klantcontact")
        Probe(installation.store).checkpoint()
        installation.store.close()

    def copy(self) -> Installation:
        self.count += 1
        own = self.folder / f"copy-{self.count}"
        copy_folder(self.folder / "template", own)
        return open_installation(read_config(own / "config.toml"))


@contextmanager
def small_pages() -> Iterator[pytest.MonkeyPatch]:
    """Small pages, so that there are several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.legacy.client.api_versions.PAGE_SIZE", PAGE)
        patch.setattr("jobs.verify.whole.PIECE", PAGE)
        yield patch


@pytest.fixture(scope="module")
def pages() -> Iterator[None]:
    with small_pages():
        yield


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory, pages: None) -> Iterator[Damaged]:
    with SampleServer(some_zaken(load(default_paths()), 20)) as server:
        yield Damaged(server, tmp_path_factory.mktemp("damaged"))


@pytest.fixture(scope="module")
def undisturbed(damaged: Damaged) -> dict[bool, tuple[dict[str, Any], str]]:
    """The report of a verify that nobody stops, and the store after it; without and with repair."""
    found = {}
    for repair in (False, True):
        installation = damaged.copy()
        found[repair] = outcome(verify(installation, repair=repair)), dump_digest(installation.store)
        installation.store.close()
    return found


@pytest.fixture
def each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a picture after each piece of work."""
    monkeypatch.setattr("jobs.verify.whole.SAVE_SECONDS", 0.0)


def stopped(installation: Installation, when: Callable[[Step], bool], **options: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        verify(installation, show=stop_at(when), **options)


def lists(server: SampleServer, path: str = "rollen") -> int:
    """How many pages of a list were asked since the calls were forgotten."""
    return sum(
        call.path.rpartition("/")[2].startswith(f"{path}?")
        and "page" in call.path.partition("?")[2].split("&")
        for call in server.calls
    )


def test_there_is_something_of_each_sort_to_find(undisturbed: dict[bool, tuple[dict[str, Any], str]]) -> None:
    report = undisturbed[False][0]
    assert set(report["named"]) >= {"missing", "extra", "different", "document_missing", "document_extra"}
    assert undisturbed[True][0]["clean"]
    assert undisturbed[True][0]["kinds"] == report["kinds"]
    assert undisturbed[True][1] != undisturbed[False][1]


@pytest.mark.parametrize("repair", [False, True])
def test_interrupted_all_the_way_it_says_the_same(
    damaged: Damaged, undisturbed: dict[bool, tuple[dict[str, Any], str]], each_piece: None, repair: bool
) -> None:
    installation = damaged.copy()
    report, stops, first = interrupted(installation, random.Random(5), repair)
    assert stops > 5
    assert outcome(report) == undisturbed[repair][0]
    assert report["began"] == first
    assert dump_digest(installation.store) == undisturbed[repair][1]
    assert Probe(installation.store).count("verification") == 1
    ended = "finished" if repair else "problems"
    assert [run.status for run in Probe(installation.store).runs("verify")] == [ended]


def test_a_source_that_goes_away_is_waited_for(
    damaged: Damaged, undisturbed: dict[bool, tuple[dict[str, Any], str]]
) -> None:
    gone: list[threading.Timer] = []

    def leave(step: Step) -> None:
        if step.what.startswith("rol, lezing 1") and step.done >= 3 * PAGE and not gone:
            damaged.server.stop()
            gone.append(threading.Timer(0.05, damaged.server.start))
            gone[0].start()

    assert outcome(verify(damaged.copy(), show=leave)) == undisturbed[False][0]
    assert gone


def test_a_source_that_refuses_us_for_a_while_costs_nothing(
    damaged: Damaged, undisturbed: dict[bool, tuple[dict[str, Any], str]], each_piece: None
) -> None:
    installation, server = damaged.copy(), damaged.server
    known = server.app.extensions["sample"].applications
    kept = dict(known)

    def refuse(step: Step) -> None:
        if step.what.startswith("rol, lezing 1") and step.done >= 3 * PAGE:
            known.clear()

    with pytest.raises(Forbidden):
        verify(installation, show=refuse)
    known.update(kept)
    assert Probe(installation.store).runs("verify")[0].status == "failed"
    server.reset_calls()
    assert outcome(verify(installation)) == undisturbed[False][0]
    # What was shown before it stopped is known: not read again, nor asked for by uuid.
    asked = server.calls_count
    server.reset_calls()
    verify(damaged.copy())
    assert asked < server.calls_count


# Killed


def killed(installation: Installation, after: int, seconds: float, repair: bool) -> bool:
    """Verify in a process that is killed after so many steps of SQLite; out: was it killed?"""
    installation.store.close()
    return kills_itself(verify_until, installation.config.path, after, seconds, repair)


def verify_until(config: Path, after: int, seconds: float, repair: bool) -> None:
    """What that process does."""
    with small_pages() as patch:
        patch.setattr("jobs.verify.whole.SAVE_SECONDS", seconds)
        own = open_installation(read_config(config))
        kill_after(own.store, after, 200)
        verify(own, repair=repair)


def kill_and_go_on(
    damaged: Damaged, undisturbed: tuple[dict[str, Any], str], chance: random.Random, kills: int, repair: bool
) -> int:
    """Kill so many times and let it finish; out: how often it was killed before it was done."""
    installation, count = damaged.copy(), 0
    while count < kills and killed(
        installation, chance.randrange(50, 600), chance.choice((0.0, 0.02)), repair
    ):
        count += 1
    if not list_reports(installation.store.connection()):
        verify(installation, repair=repair)
    report = get_report(installation.store.connection(), 1)
    assert report is not None
    assert outcome(report) == undisturbed[0]
    assert dump_digest(installation.store) == undisturbed[1]
    assert Probe(installation.store).count("verification") == 1
    ended = "finished" if repair else "problems"
    assert [run.status for run in Probe(installation.store).runs("verify")] == [ended]
    installation.store.close()
    return count


def test_killed_it_goes_on_and_says_the_same(
    damaged: Damaged, undisturbed: dict[bool, tuple[dict[str, Any], str]]
) -> None:
    assert kill_and_go_on(damaged, undisturbed[True], random.Random(3), 4, repair=True) == 4


@pytest.mark.soak
@pytest.mark.parametrize("repair", [False, True])
def test_killed_often(
    damaged: Damaged, undisturbed: dict[bool, tuple[dict[str, Any], str]], repair: bool
) -> None:
    chance, kills = random.Random(17), 0
    while kills < 60:
        kills += kill_and_go_on(damaged, undisturbed[repair], chance, 30, repair)


def test_a_killed_run_is_not_shown_as_running(damaged: Damaged) -> None:
    installation = damaged.copy()
    assert killed(installation, 300, 0.0, repair=False)
    assert Probe(installation.store).runs("verify")[0].status == "running"
    told = command(installation, "status", "--json")
    assert {run["job"]: run["status"] for run in orjson.loads(told.stdout)["runs"]}["verify"] == "interrupted"


@pytest.mark.parametrize("other", ["backfill", "rebuild", "verify-sample"])
def test_a_killed_run_is_not_shown_as_running_beside_one_by_its_lease(damaged: Damaged, other: str) -> None:
    """One lease keeps these jobs apart: that it is held says nothing of a run that was killed before."""
    installation = damaged.copy()
    assert killed(installation, 300, 0.0, repair=False)
    with installation.store.write() as connection:
        elsewhere = source_id(connection, "ander")
        runs.open_run(connection, "verify", elsewhere)
        leases.take(installation.store, runs.lease_of("verify", "ander"), 60.0)
    seen: list[dict[str, str]] = []

    def look(_: object) -> None:
        told = command(installation, "status", "--json")
        found = orjson.loads(told.stdout)["runs"]
        seen.append({f"{run['job']} {run['source']}": run["status"] for run in reversed(found)})

    fetcher = installation.fetchers["bron"]
    if other == "backfill":
        Backfill(fetcher, look).run()
    elif other == "rebuild":
        Rebuild(installation.store, fetcher.ingest, show=look).run()
    else:
        Verify(fetcher, show=look, sample=5).run()
    assert seen
    assert all(one["verify bron"] == "interrupted" for one in seen)
    assert all(one["verify ander"] == "running" for one in seen)
    assert "running" in seen[0].values()


# What starts it over


@pytest.mark.parametrize("change", ["", "age", "clock", "mapping", "repair", "version", "sample"])
def test_another_verify_or_one_of_long_ago_starts_over(
    damaged: Damaged, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    installation = damaged.copy()
    stopped(installation, lambda step: step.what.startswith("partijen"))
    began, repair = Probe(installation.store).runs("verify")[0].started, False
    if change in ("age", "clock"):
        shift = -LASTS if change == "age" else LASTS
        Tamper(installation.store).started_later("verify", shift)
        began += shift
    elif change == "mapping":
        path = installation.config.path
        assert path
        path.write_text(path.read_text().replace("[mapping]\n", '[mapping]\nadressen = "geen"\n'))
        installation = open_installation(read_config(path))
    elif change == "version":
        monkeypatch.setattr("jobs.verify.verify.version", lambda _: "9.9")
    elif change == "sample":
        verify(installation, sample=2)
    else:
        repair = change == "repair"
    damaged.server.reset_calls()
    report = verify(installation, repair=repair)
    starts_over = change not in ("", "sample")
    assert (lists(damaged.server) > 0) is starts_over
    assert (report["began"] == began) is not starts_over


def test_the_command_says_that_it_goes_on(damaged: Damaged, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = damaged.copy()
    arguments = ["--config", str(installation.config.path), "verify"]
    with monkeypatch.context() as patch:
        patch.setattr(Fetcher, "client", property(lambda self: interrupt()))
        assert "gaat verder waar dit ophield" in CliRunner().invoke(cli, [*arguments, "--full"]).output
        assert "begint opnieuw" in CliRunner().invoke(cli, arguments).output


def interrupt() -> Any:
    raise KeyboardInterrupt


# While the source changes


def test_what_moves_past_the_page_of_a_stop_is_not_missed(
    pages: None, tmp_path: Path, each_piece: None
) -> None:
    """Objects that are not held moved up to pages that were read; when it ends there are as many as at first."""
    with SampleServer(some_zaken(load(default_paths()), 20)) as server:
        installation = open_installation(read_config(write_config(tmp_path / "moved", {"bron": server})))
        assert Backfill(installation.fetchers["bron"]).run()
        contacts = server.dataset.objects("klantcontact")
        lost = [each["uuid"] for each in contacts[2 * PAGE : 2 * PAGE + 3]]
        # Not those of a zaak that is left out: they need not be held.
        probe = Probe(installation.store)
        wanted = {uuid for uuid in lost if probe.raw(uuid, "state") == TRANSLATED}
        assert wanted
        for uuid in lost:
            Tamper(installation.store).lose_raw(uuid)
        # Stopped while page 3 was judged: page 2 is the last that counts.
        stopped(installation, lambda step: step.what.startswith("klantc") and step.done >= 3 * PAGE)
        gone = contacts[:3]
        for each in gone:
            server.dataset.remove("klantcontact", each["uuid"])
        added: list[str] = []

        def meanwhile(step: Step) -> None:
            if step.what.startswith("klantcontact, lezing 1") and not added:
                for each in gone:
                    new = {**each, "uuid": str(uuid4()), "identificatie": f"NIEUW{len(added)}"}
                    added.append(server.dataset.add("klantcontact", new)["uuid"])

        report = verify(installation, show=meanwhile)
        assert len(added) == 3
        assert {each["uuid"] for each in report["named"].get("missing", [])} >= wanted


# How it asks


def test_pages_are_asked_side_by_side_and_few_ahead_in_whatever_order_they_come(
    damaged: Damaged, undisturbed: dict[bool, tuple[dict[str, Any], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, flying, most, asked, taken, ahead = threading.Lock(), 0, 0, [0], [0], 0
    real = ZakenClient.pages

    def slow(self: ZakenClient, kind: str, *rest: Any, start: int = 1, **more: Any) -> Iterator[Any]:
        nonlocal flying, most, ahead
        if kind != "rol":
            yield from real(self, kind, *rest, start=start, **more)
            return
        with lock:
            flying += 1
            asked[0] = max(asked[0], start)
            most, ahead = max(most, flying), max(ahead, start - taken[0])
        time.sleep(0.2 if start == 3 else 0.01)
        found = list(real(self, kind, *rest, start=start, **more))[:1]
        with lock:
            flying -= 1
        yield from found

    def show(step: Step) -> None:
        if step.what.startswith("rol, lezing 1"):
            taken[0] = step.done // PAGE

    monkeypatch.setattr(ZakenClient, "pages", slow)
    assert outcome(verify(damaged.copy(), show=show)) == undisturbed[False][0]
    assert most == 2
    assert asked[0] > 5
    assert 2 <= ahead <= 4


def test_a_picture_is_not_kept_for_every_page(damaged: Damaged, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only at the end of each stage, and every so many seconds."""
    kept: list[int] = []
    real = runs.save_run
    monkeypatch.setattr(runs, "save_run", lambda connection, run: (kept.append(1), real(connection, run))[1])
    verify(damaged.copy())
    assert 5 < len(kept) < 15


def test_what_is_kept_comes_back_as_it_was() -> None:
    ledger, bits = Ledger(), RowSet()
    ledger.count("rol", "", "equal")
    ledger.suspects["rol", b"u" * 16] = Suspect("rol", b"u" * 16, "x", None, repaired=True)
    ledger.documents["partij"]["compared"] = 3
    ledger.document("partij", b"d" * 16, "missing", repaired=False)
    ledger.mending["actor", b"a" * 16] = "extra"
    ledger.not_looked_at_again, ledger.added = 4, 5
    ledger.unreachable, ledger.remarks = ["klant"], ["iets"]
    assert Ledger.unpacked(orjson.loads(orjson.dumps(ledger.packed()))) == ledger
    for row in (1, 8, 70_000, 900_001):
        bits.add(row)
    again = RowSet(bits.packed())
    assert [row for row in range(1_000_000) if row in again] == [1, 8, 70_000, 900_001]
    assert len(bits.packed()) < 2000
