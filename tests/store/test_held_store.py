"""While another process holds the store: reads go on, writes are refused within bounds, and jobs wait."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from builders.asker import API
from builders.commands import klantbrug
from builders.configs import read_config, write_config
from builders.probe.other_writer import hogged
from builders.sample_data import small
from builders.served_process import a_port
from builders.stores import make_store
from builders.timed_clients import Clients, ask
from builders.until import until, until_it_works

from gateway.base.clock import now
from gateway.http.auth import create_token
from gateway.hydrate.refusals import NOT_FREE
from gateway.installation import Installation, open_installation, open_store
from gateway.sample.server import SampleServer
from gateway.store.base import lock_waits
from gateway.store.base.errors import StoreBusy
from gateway.store.base.lock_waits import LockWaits
from gateway.store.base.store import Store
from gateway.store.operation.events import set_phase
from gateway.store.operation.requested_zaken import often
from jobs.backfill.backfill import Backfill
from jobs.common.work import NotFree, Work
from jobs.job import Job
from jobs.registry import run_job
from jobs.scheduler import Scheduler

pytestmark = pytest.mark.slow

BUSY_SECONDS = 4
# What a question may cost on a machine that does other things too. Before, it waited as long as the store was held.
SOON = 3.0
PARTIJ = {"soortPartij": "persoon", "indicatieActief": True}
PARTIJEN = f"{API}/partijen"
Install = Callable[..., Installation]


def by_bsn(bsn: str) -> str:
    return f"{PARTIJEN}?partijIdentificator__codeSoortObjectId=bsn&partijIdentificator__objectId={bsn}"


def bsns_of(sample: SampleServer) -> list[str]:
    rollen = (rol["betrokkeneIdentificatie"] or {} for rol in sample.dataset.objects("rol"))
    return sorted({rol["inpBsn"] for rol in rollen if rol.get("inpBsn")})


class Served:
    """A gateway over one source, of which one BSN was asked before and is too old by now."""

    def __init__(self, folder: Path, run_log: Path, sample: SampleServer) -> None:
        self.port = a_port()
        self.old, self.never = bsns_of(sample)[:2]
        self.config = write_config(
            folder, {"bron": sample}, max_age=1, partial="answer", partial_lists="answer"
        )
        text = self.config.read_text().replace("[store]\n", f"[store]\nbusy_seconds = {BUSY_SECONDS}\n")
        self.config.write_text(f'[gateway]\nbind = "127.0.0.1:{self.port}"\n{text}')
        self.store = folder / "klantbrug.db"
        store = open_store(read_config(self.config))
        self.token = create_token(store, "tests", "write")
        store.close()

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def ask(self, path: str, body: Any = None) -> Any:
        return ask(self.address, self.token, path, body)

    def wait(self) -> None:

        def ready() -> None:
            assert self.ask("/health/ready").status == 200

        until_it_works(ready, (OSError, AssertionError))


@pytest.fixture
def served(tmp_path: Path, run_log: Path) -> Iterator[Served]:
    with SampleServer(small(20)) as sample:
        found = Served(tmp_path, run_log, sample)
        with klantbrug(run_log, "--config", found.config, "serve"):
            found.wait()
            assert found.ask(by_bsn(found.old)).status == 200
            time.sleep(1.5)  # until that is too old
            yield found


def hold(served: Served, seconds: float) -> None:
    """Ask and write for so long while another process holds the store."""
    store = make_store(served.store)
    with store.write() as connection:
        connection.execute("UPDATE token SET last_used = 0")  # that it was used now can't be noted meanwhile
    store.close()
    with hogged(served.store), Clients(served.address, served.token) as clients:
        clients.begin("live", 1, "/health/live")
        clients.begin("list", 2, PARTIJEN)
        clients.begin("held", 1, by_bsn(served.old))
        clients.begin("never", 1, by_bsn(served.never))
        clients.begin("write", 12, PARTIJEN, PARTIJ)
        time.sleep(seconds)  # for so long real clients ask a real server
    told = "\n".join(map(clients.told, clients.answers))
    for name in ("live", "list", "held"):
        assert clients.longest(name) < SOON, told
        assert {answer.status for answer in clients.answers[name]} == {200}, told
        assert len(clients.answers[name]) > seconds / 2, told
    for name in ("never", "write"):
        assert clients.longest(name) < BUSY_SECONDS + SOON, told
        assert {answer.status for answer in clients.answers[name]} == {503}, told
    assert clients.longest("write") > BUSY_SECONDS - 1, told  # some wait, and most are refused at once
    refused = clients.answers["write"][0]
    assert refused.headers["retry-after"] == str(BUSY_SECONDS)
    assert "De opslag is bezet" in refused.body["detail"]
    assert clients.answers["never"][0].headers["klantbrug-coverage"].endswith(NOT_FREE)
    assert {answer.headers["klantbrug-freshness"] for answer in clients.answers["held"]} == {"stale"}
    after = served.ask(PARTIJEN, PARTIJ)
    assert after.status == 201
    assert served.ask(by_bsn(served.never)).status == 200


def test_who_reads_goes_on_and_who_writes_is_told_to_come_back(served: Served) -> None:
    hold(served, 8)


@pytest.mark.soak
def test_the_same_for_a_minute(served: Served) -> None:
    hold(served, 60)


# Jobs


def test_a_backfill_waits_for_as_long_as_the_store_is_held_and_tells(
    install: Install, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lock_waits, "JOB_TELLS_SECONDS", 0.3)
    with SampleServer(small(40)) as server:
        installation = install(bron=server)
        store = installation.store
        store.waiting.seconds = 0.5
        begun, held, done = threading.Event(), threading.Event(), []

        def begins() -> None:
            begun.set()
            assert held.wait(60)

        work = Backfill(installation.fetchers["bron"], begins=begins)
        thread = threading.Thread(target=lambda: done.append(work.run()))
        with caplog.at_level(logging.INFO):
            # Held before the first write after its beginning, for much longer than a client's write would wait.
            thread.start()
            assert begun.wait(60)
            with hogged(store.path):
                held.set()
                time.sleep(2)  # SQLite waits in real seconds
                assert thread.is_alive()
            thread.join(60)
        assert done == [True]
        assert "a job waits for another process" in caplog.text
        assert "the job goes on" in caplog.text


def test_the_scheduler_and_its_jobs_outlast_it(tmp_path: Path) -> None:
    with SampleServer(small(40)) as server:
        installation = open_installation(read_config(write_config(tmp_path, {"bron": server})))
        installation.store.waiting.seconds = 0.3
        ran: list[float] = []

        def count(work: Work) -> dict[str, int]:
            with work.write():
                ran.append(time.monotonic())
            return {}

        job = Job("test", "telt", count, lambda config: "", seconds=1)
        stop = threading.Event()
        thread = threading.Thread(
            target=Scheduler(installation, [job], lease_seconds=1).run, args=(stop.wait,)
        )
        thread.start()
        try:
            until(lambda: ran)
            with hogged(installation.store.path):
                time.sleep(0.5)
                before = len(ran)
                time.sleep(2)  # SQLite waits in real seconds
                assert len(ran) == before
                assert thread.is_alive()
            until(lambda: len(ran) != before)
        finally:
            stop.set()
            thread.join(60)
        assert not thread.is_alive()


def test_a_job_that_waits_stops_when_it_is_told_to(install: Install) -> None:
    with SampleServer(small(40)) as server:
        installation = install(bron=server)
    stopping = threading.Event()
    with hogged(installation.store.path), pytest.raises(NotFree):
        threading.Timer(0.5, stopping.set).start()
        run_job(installation, Job("test", "niets", lambda work: {}, lambda config: ""), stopping)


# What reading writes


def test_counts_of_zaken_wait_until_they_can_be_written(install: Install) -> None:
    with SampleServer(small(40)) as server:
        installation = install(bron=server)
        assert Backfill(installation.fetchers["bron"]).run()
    fetcher, store = installation.fetchers["bron"], installation.store
    with store.write() as connection:
        set_phase(connection, fetcher.source, "synced")
    fetcher.asked._seconds = fetcher.asked._next = 0.0
    zaak = next(iter(server.dataset.objects("zaak")))["uuid"]
    began = time.monotonic()
    with hogged(store.path):
        for _ in range(5):
            fetcher.count_asked("zaak", zaak)
    assert time.monotonic() - began < SOON
    fetcher.count_asked("zaak", zaak)
    with store.read() as connection:
        assert len(often(connection, fetcher.source, 6, now(), 10)) == 1


# The bound


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = make_store(tmp_path / "store.db", busy_seconds=1)
    yield store
    store.close()


def timed(store: Store, *, request: bool = True, **how: Any) -> float:
    """How long a write tried until it gave up."""
    if request:
        store.waiting.new_request()
    began = time.monotonic()
    with pytest.raises(StoreBusy), store.write(**how):
        pass
    return time.monotonic() - began


def test_no_more_threads_than_there_are_places_wait_long(store: Store) -> None:
    store.waiting.places = 2
    waits: list[float] = []
    with hogged(store.path):
        threads = [threading.Thread(target=lambda: waits.append(timed(store))) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.6)  # until the first wait long
        assert timed(store) < lock_waits.SHORT_SECONDS / 2  # by now it is known that the store is held
        for thread in threads:
            thread.join()
    assert sorted(wait > 0.9 for wait in waits) == [False] * 6 + [True] * 2
    with store.write() as connection:
        assert connection.in_transaction


def test_the_writes_of_one_request_wait_no_longer_together_than_one(store: Store) -> None:
    with hogged(store.path):
        first = timed(store)
        again = timed(store, request=False)
    assert 0.9 < first < 1 + SOON
    assert again < 0.9


def test_a_block_may_wait_less_and_its_waits_count_for_the_request(store: Store) -> None:
    store.waiting.seconds = 3
    store.waiting.new_request()
    with hogged(store.path):
        with store.waiting.at_most(1):
            first = timed(store, request=False)
        assert 0.9 < first < 2.5
        # In all 3 seconds; each by itself would be 4.
        assert 2.9 < first + timed(store, request=False) < 3.9


def test_who_does_not_wait_gives_up_at_once(store: Store) -> None:
    with hogged(store.path):
        assert timed(store, wait=0) < 0.9


def test_writers_of_clients_that_have_their_turns_take_no_places(tmp_path: Path) -> None:
    """Sixteen that write at once, as for the same number: none is refused, with a single place for all of them."""
    store, failed = make_store(tmp_path / "store.db"), []
    store.waiting.places = 1

    def write() -> None:
        store.waiting.new_request()
        try:
            with store.write() as connection:
                connection.execute("INSERT INTO meta VALUES (?, '')", (str(uuid4()),))
                time.sleep(0.005)  # so long does a write take
        except StoreBusy as error:
            failed.append(error)
        store.close()

    threads = [threading.Thread(target=write) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_it_is_told_once_and_then_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    found = LockWaits(0.01)
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            found.new_request()
            with pytest.raises(StoreBusy):
                found.live(lambda: False)
    assert caplog.text.count("the store is held by another process") == 1
