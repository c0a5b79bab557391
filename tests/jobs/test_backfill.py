"""Backfill: complete in spite of change, resumable after any stop, and without effect the second time."""

from __future__ import annotations

import gc
import json
import math
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from builders.commands import killed_after, klantbrug
from builders.configs import read_config, write_config
from builders.probe.probe import Probe
from builders.sample_data import sample_data, some_zaken
from builders.store_digest import dump_digest
from builders.until import until

from gateway.installation import Installation, open_installation, open_store
from gateway.legacy.client.answers import Page
from gateway.legacy.errors import LegacyError
from gateway.sample.contents.dataset import Dataset
from gateway.sample.contents.earlier_objects import add_earlier
from gateway.sample.server import SampleServer
from gateway.sample.traps import Traps
from gateway.store.inspect.status import status
from jobs.backfill.backfill import LOOKS_MORE, Backfill, Busy, Progress

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]


@pytest.fixture
def small(slice_data: Dataset) -> Iterator[SampleServer]:
    """A quarter of the slice in pages of 100."""
    with SampleServer(some_zaken(slice_data, 4), version="1.5.1", open_zaak=False) as running:
        yield running


def backfill(installation: Installation, show: Callable[[Progress], None] = lambda progress: None) -> bool:
    complete = True
    for fetcher in installation.fetchers.values():
        complete = Backfill(fetcher, show).run() and complete
    return complete


def held(installation: Installation, kind: str) -> set[str]:
    """The uuids of the legacy objects of a kind in the store."""
    return set(Probe(installation.store).raw_uuids(kind))


def test_every_object_of_the_slice_is_accounted_for(server: SampleServer, install: Install) -> None:
    installation = install(bron=server)
    assert backfill(installation)
    kinds = status(installation.store)["sources"]["bron"]["kinds"]
    assert {kind: kinds[kind]["seen"] for kind in ("zaak", "rol", "klantcontact")} == {
        "zaak": 1174,
        "rol": 3485,
        "klantcontact": 755,
    }
    for counts in kinds.values():
        left_out = sum(counts["left_out"].values())
        assert counts["seen"] == counts["translated"] + counts["quarantined"] + left_out
    assert kinds["rol"]["translated"] > 2000


def test_a_second_run_changes_nothing(all_data: Dataset, install: Install) -> None:
    with SampleServer(some_zaken(all_data, 4)) as server:
        installation = install(bron=server)
        assert backfill(installation)
        before = dump_digest(installation.store)
        assert backfill(installation)
    assert dump_digest(installation.store) == before
    counters = status(installation.store)["runs"][0]["counters"]
    assert all(counters[kind]["unchanged"] for kind in ("zaak", "rol", "klantcontact"))
    assert [row["stored"] + row["changed"] for row in counters.values()] == [0] * len(counters)


def test_progress_tells_how_far_it_is(small: SampleServer, install: Install) -> None:
    shown: list[Progress] = []
    number = len(small.dataset.snapshot("rol"))
    assert number > 500
    backfill(install(bron=small), lambda progress: shown.append(replace(progress)))
    rollen = [each for each in shown if each.kind == "rol" and each.look == 1 and each.total is not None]
    done = [progress.done for progress in rollen]
    assert done == sorted(done)
    assert done[-1] == number
    assert {progress.total for progress in rollen} == {number}
    assert all(progress.average > 0 for progress in rollen)


def there_all_the_time(server: SampleServer, kind: str, before: set[str]) -> set[str]:
    return before & {item["uuid"] for item in server.dataset.objects(kind)}


def test_a_walk_with_deletes_going_on_misses_nothing_that_stays(
    small: SampleServer, install: Install
) -> None:
    before = {rol["uuid"] for rol in small.dataset.objects("rol")}
    small.traps.protected = set(sorted(before)[::2])
    small.traps.delete_during_walk = 25
    installation = install(bron=small)
    assert backfill(installation)
    assert len(small.traps.removed) > 100
    assert there_all_the_time(small, "rol", before) <= held(installation, "rol")


def test_what_was_deleted_during_the_walk_ends_up_gone(small: SampleServer, install: Install) -> None:
    """Deleting stops before the last look: everything that went is asked for by uuid, and removed."""
    installation, calls = install(bron=small), 0

    def stop_deleting(progress: Progress) -> None:
        nonlocal calls
        calls += progress.kind == "rol"
        if calls == 5:
            small.traps.delete_during_walk = 0

    small.traps.delete_during_walk = 30
    assert backfill(installation, stop_deleting)
    assert small.traps.removed
    assert held(installation, "rol") == {rol["uuid"] for rol in small.dataset.objects("rol")}
    fresh = install(bron=small)
    assert backfill(fresh)
    assert dump_digest(fresh.store) == dump_digest(installation.store)


def test_a_walk_with_inserts_going_on_misses_nothing_that_stays(
    small: SampleServer, install: Install
) -> None:
    before = {rol["uuid"] for rol in small.dataset.objects("rol")}
    small.traps.insert_during_walk = 7
    installation = install(bron=small)
    backfill(installation)
    assert small.traps.inserted
    assert before <= held(installation, "rol")


def test_fuzzy_pagination_does_not_end_a_walk_early(small: SampleServer, install: Install) -> None:
    """Page 1 of 100 says `next: null` and counts 100: followed, it would read a ninth of all."""
    small.traps.fuzzy_pagination = True
    installation = install(bron=small)
    assert backfill(installation)
    assert len(held(installation, "rol")) == len(small.dataset.snapshot("rol")) > 800


def in_trouble(data: Dataset, install: Install, stall_seconds: float) -> None:
    """Every trap at once; deleting and adding stop in the second look, then the store must be what the source has."""
    with SampleServer(data) as server:
        traps = server.traps
        traps.fuzzy_pagination, traps.delete_during_walk, traps.insert_during_walk = True, 4, 3
        traps.error_rate, traps.drop_rate, traps.truncate_rate = 0.05, 0.02, 0.01
        traps.too_many_rate, traps.retry_after, traps.expire_rate = 0.01, 1, 0.02
        traps.stall_rate, traps.stall_seconds = 0.02, stall_seconds
        troubled = install(bron=server)

        def quieten(progress: Progress) -> None:
            if progress.look == 2:
                traps.delete_during_walk = traps.insert_during_walk = 0

        for _ in range(5):
            try:
                assert backfill(troubled, quieten)
                break
            except LegacyError:
                continue
        assert traps.removed
        assert traps.inserted
        server.traps = Traps()
        quiet = install(bron=server)
        assert backfill(quiet)
    assert dump_digest(troubled.store) == dump_digest(quiet.store)


def test_with_every_trap_at_once_it_ends_complete(slice_data: Dataset, install: Install) -> None:
    in_trouble(some_zaken(slice_data, 8), install, stall_seconds=0.2)


@pytest.mark.soak
def test_with_every_trap_at_once_a_large_source_ends_complete(all_data: Dataset, install: Install) -> None:
    in_trouble(all_data, install, stall_seconds=3)


@pytest.mark.rule("M40")
def test_klanten_and_contactmomenten_are_walked_with_all_that_ties_them(
    slice_data: Dataset, tmp_path: Path
) -> None:
    """Also what went away while nobody looked: an objectcontactmoment is asked for by uuid, and gone."""
    with SampleServer(add_earlier(some_zaken(slice_data, 20))) as server:
        path = write_config(tmp_path / "here", {"bron": server})
        addresses = (
            f'klanten_url = "{server.klanten_url}"\ncontactmomenten_url = "{server.contactmomenten_url}"\n'
        )
        path.write_text(path.read_text() + addresses)
        installation = open_installation(read_config(path))
        assert backfill(installation)
        for kind in ("klant", "contactmoment", "objectcontactmoment", "klantcontactmoment"):
            there = {item["url"].rpartition("/")[2] for item in server.dataset.objects(kind)}
            assert held(installation, kind) == there, kind
        gone = server.dataset.objects("objectcontactmoment")[0]["url"].rpartition("/")[2]
        server.dataset.remove("objectcontactmoment", gone)
        assert backfill(installation)
        assert gone not in held(installation, "objectcontactmoment")
        counters = status(installation.store)["runs"][0]["counters"]
        assert counters["contactmoment"]["unchanged"] == 2 * len(server.dataset.objects("contactmoment"))
        assert counters["klantcontactmoment"]["seen"] == len(server.dataset.objects("klantcontactmoment"))


def test_few_pages_are_in_memory_at_a_time(slice_data: Dataset, install: Install) -> None:
    """Two connections: two on their way and two waiting at most, and the one that is being taken."""
    most: list[int] = []

    def pages() -> set[int]:
        return {id(each) for each in gc.get_objects() if type(each) is Page}

    def look(progress: Progress) -> None:
        if progress.kind == "rol" and len(most) < 12:
            most.append(len(pages() - others))

    gc.collect()
    others = pages()  # what tests before this one left
    with SampleServer(some_zaken(slice_data, 4), version="1.5.1", open_zaak=False) as server:
        assert backfill(install(bron=server), look)
    assert 2 <= max(most) <= 5


def test_a_source_without_page_size_is_walked_by_its_own(slice_data: Dataset, install: Install) -> None:
    """A plain Zaken API has no pageSize: pages of 100."""
    with SampleServer(some_zaken(slice_data, 5), version="1.0.2", open_zaak=False) as server:
        installation = install(bron=server)
        assert backfill(installation)
        assert held(installation, "rol") == {rol["uuid"] for rol in server.dataset.objects("rol")}


def test_only_one_backfill_of_a_source_runs_at_a_time(
    server: SampleServer, install: Install, run_log: Path
) -> None:
    installation = install(bron=server)
    server.traps.slow = 1
    with klantbrug(run_log, "--config", installation.config.path, "backfill"):
        until(lambda: server.calls)
        with pytest.raises(Busy):
            backfill(installation)


def test_ctrl_c_costs_nothing(small: SampleServer, install: Install) -> None:
    installation = install(bron=small)
    pages = 0

    def interrupt(progress: Progress) -> None:
        nonlocal pages
        pages += 1
        if pages == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backfill(installation, interrupt)
    assert status(installation.store)["runs"][0]["status"] == "interrupted"
    small.reset_calls()
    assert backfill(installation)
    runs = status(installation.store)["runs"]
    assert [run["status"] for run in runs] == ["finished"]
    # The zaken were read before the stop: this run begins with the rollen.
    zaken = [call for call in small.calls if call.path.startswith("/zaken/api/v1/zaken?")]
    rollen = [call for call in small.calls if call.path.startswith("/zaken/api/v1/rollen?")]
    assert small.calls.index(rollen[1]) < small.calls.index(zaken[0])


def after_kills(data: Dataset, folder: Path, run_log: Path, kills: int) -> None:
    """kill -9 at random moments, so many times, then a full run: the same canonical dump."""
    chance = random.Random(20261123)
    with SampleServer(data) as server:
        calm = write_config(folder / "calm", {"bron": server})
        killed = write_config(folder / "killed", {"bron": server})
        assert not killed_after(server, math.inf, run_log, "--config", calm, "backfill")
        calls, stopped, rounds = server.calls_count, 0, 0
        while stopped < kills:
            rounds += 1
            assert rounds < 5 * kills + 10
            moment = chance.uniform(1, calls)
            stopped += killed_after(server, moment, run_log, "--config", killed, "backfill")
        assert not killed_after(server, math.inf, run_log, "--config", killed, "backfill")
        stores = [open_store(read_config(path)) for path in (calm, killed)]
        assert dump_digest(stores[0]) == dump_digest(stores[1])
        assert {run["status"] for run in status(stores[1])["runs"]} == {"finished"}


def test_the_store_after_kills_equals_an_undisturbed_one(
    all_data: Dataset, tmp_path: Path, run_log: Path
) -> None:
    after_kills(some_zaken(all_data, 12), tmp_path, run_log, 4)


@pytest.mark.soak
def test_the_store_after_a_hundred_kills_equals_an_undisturbed_one(
    all_data: Dataset, tmp_path: Path, run_log: Path
) -> None:
    after_kills(some_zaken(all_data, 4), tmp_path, run_log, 100)


def test_the_command_tells_what_it_did(tmp_path: Path, run_log: Path) -> None:
    with SampleServer(some_zaken(sample_data(), 10)) as server:
        config = write_config(tmp_path / "here", {"bron": server})
        with klantbrug(run_log, "--config", config, "backfill") as process:
            output, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert "Bron bron: volledig ingelezen." in output
        command = [sys.executable, "-m", "gateway", "--config", str(config)]
        told = json.loads(
            subprocess.run([*command, "status", "--json"], capture_output=True, check=True).stdout
        )
        assert told["sources"]["bron"]["coverage"] == "complete"
        lines = subprocess.run([*command, "dump"], capture_output=True, check=True).stdout.splitlines()
        assert {json.loads(line)["t"] for line in lines} >= {
            "raw",
            "document",
            "link",
            "key",
            "provenance",
            "finding",
        }
        types = [json.loads(line)["t"] for line in lines]
        assert types == sorted(types)


def test_a_source_that_is_down_ends_the_command_with_1(tmp_path: Path, run_log: Path) -> None:
    with SampleServer(some_zaken(sample_data(), 50)) as server:
        config = write_config(tmp_path / "here", {"bron": server})
    with klantbrug(run_log, "--config", config, "backfill", stderr=subprocess.PIPE) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Bron bron: er is geen verbinding te krijgen" in errors


def test_another_uuid_secret_is_refused(server: SampleServer, tmp_path: Path) -> None:
    path = write_config(tmp_path / "here", {"bron": server})
    open_installation(read_config(path)).store.close()
    path.write_text(path.read_text().replace("a secret of the tests", "another secret of the tests"))
    with pytest.raises(Exception, match="ander geheim"):
        open_installation(read_config(path))


class Shrinking:
    """Middleware of a source whose list of rollen gets shorter with each page that it gives, `times` times."""

    def __init__(self, server: SampleServer, times: int) -> None:
        self.inner, self.times, self.looks = server.app.wsgi_app, times, 0

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        head: list[Any] = []
        body = b"".join(self.inner(environ, lambda *given: head.extend(given)))
        status, headers = head[0], head[1]
        if environ["PATH_INFO"].endswith("/rollen") and status.startswith("200"):
            self.looks += environ["QUERY_STRING"] in ("", "page=1")  # page 1
            page = orjson.loads(body)
            page["count"] += self.times
            self.times = max(0, self.times - 1)
            body = orjson.dumps(page)
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
            headers.append(("Content-Length", str(len(body))))
        start(status, headers)
        return [body]


@pytest.mark.parametrize(("times", "more"), [(1, 0), (17, 1), (100_000, LOOKS_MORE)])
def test_looks_that_agree_while_a_list_gets_shorter_are_looked_after(
    small: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch, times: int, more: int
) -> None:
    """Twice more at most, for at some sources that goes on for ever. In the first look (12 answers) it says nothing."""
    quiet = Shrinking(small, 0)
    with monkeypatch.context() as patched:
        patched.setattr(small.app, "wsgi_app", quiet)
        assert backfill(install(bron=small))
    shrinking = Shrinking(small, times)
    monkeypatch.setattr(small.app, "wsgi_app", shrinking)
    assert backfill(install(bron=small))
    assert shrinking.looks == quiet.looks + more
