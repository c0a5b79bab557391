"""A source that drips, answers with too much or asks for a day of rest costs what it may, and no other one waits."""

from __future__ import annotations

import contextlib
import gzip
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from builders.asker import API, Asker
from builders.configs import read_config, write_config
from builders.following import DAY, Clock, backfilled, run, state
from builders.probe.probe import Probe
from builders.quarantine import quarantined
from builders.sample_data import new_rol, small
from builders.scripted_source import FAST, FOUND, ROL, UNKNOWN, Reply, Scripted, client_of
from builders.set_clock import SetClock
from builders.slow_source import BSN, served
from builders.until import until

from gateway.config.model import Notifications
from gateway.config.written import ConfigError
from gateway.installation import Installation, open_installation
from gateway.legacy import errors
from gateway.legacy.background import background
from gateway.legacy.client.transport import Retries
from gateway.legacy.pacing import turns
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.operation import following
from jobs.common import zaakcontactmomenten
from jobs.common.work import Work
from jobs.deliver.outbox import Delivery, Notificaties
from jobs.follow.sweep import sweep
from jobs.follow.sync import sync
from jobs.job import TIME_OVER, Job
from jobs.registry import BY_NAME, run_job
from jobs.scheduler import Scheduler

Install = Callable[..., Installation]
MB = 1024 * 1024
ONCE = Retries(attempts=1, costly_attempts=1)


class Dripping:
    """A server that sends a byte now and then: with `head`, of its headers already."""

    def __init__(self, seconds: float, head: bool) -> None:
        self.seconds, self.head = seconds, head
        self.calls = 0
        self.ended = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.zaken_url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/zaken/api/v1/"
        self.catalogi_url = ""
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Dripping:
        return self

    def __exit__(self, *args: object) -> None:
        self.ended.set()
        self.socket.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while connection.recv(65536):
                self.calls += 1
                head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
                if not self.head:
                    connection.sendall(head)
                for byte in head if self.head else b" " * 100000:
                    connection.sendall(bytes([byte]))
                    if self.ended.wait(self.seconds):
                        return


@pytest.mark.slow
@pytest.mark.parametrize("head", [True, False], ids=["headers", "body"])
def test_a_call_to_a_source_that_drips_ends(head: bool) -> None:
    with Dripping(0.3, head) as server:
        client = client_of(server, ONCE, api_version="1.5.1", read_timeout=1, call_timeout=2)
        began = time.monotonic()
        with pytest.raises(errors.TimedOut):
            client.get("rol", UNKNOWN)
        assert 1.5 < time.monotonic() - began < 10
        client = client_of(server, ONCE, api_version="1.5.1", read_timeout=1, call_timeout=60)
        began = time.monotonic()
        with pytest.raises(errors.DeadlinePassed):
            client.get("rol", UNKNOWN, deadline=began + 1)
        assert time.monotonic() - began < 10


@pytest.mark.slow
def test_so_it_is_with_the_notificaties_api() -> None:
    with Dripping(0.3, head=True) as server:
        url = server.zaken_url.rstrip("/")
        settings = Notifications(url, "klantbrug", "k" * 32, connect_timeout=1, read_timeout=1)
        client = Notificaties(settings)
        began = time.monotonic()
        sent = client.send({"kanaal": "partijen"})
        client.close()
        assert time.monotonic() - began < 15, "all of its head would take twenty-five seconds"
        assert (sent.verdict, sent.cause) == (Delivery.TROUBLE, "timed_out")


def test_a_connection_is_used_again_after_calls_with_a_limit() -> None:
    with Scripted(FOUND) as server:
        client = client_of(server, call_timeout=5)
        for _ in range(5):
            assert client.get("rol", UNKNOWN, deadline=time.monotonic() + 3) == ROL
        assert server.connections == 1


# --- size


def rollen(*sizes: int) -> dict[str, Any]:
    """A list of rollen of these sizes."""
    return {"count": len(sizes), "next": None, "results": [ROL | {"omschrijving": "x" * s} for s in sizes]}


@pytest.mark.slow
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
def test_what_is_larger_than_max_answer_is_not_read(zipped: bool) -> None:
    content = orjson.dumps(rollen(40 * MB))

    def send(connection: socket.socket) -> None:
        body = gzip.compress(content) if zipped else content
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        head += b"Content-Encoding: gzip\r\n" if zipped else b""
        head += b"Content-Length: %d\r\n\r\n" % len(body)
        with contextlib.suppress(OSError):
            connection.sendall(head + body)

    with Scripted(Reply(raw=send)) as server:
        client = client_of(server, FAST, api_version="1.5.1", max_answer=MB)
        with pytest.raises(errors.TooLarge, match="max_answer") as caught:
            client.unfiltered("zaakcontactmoment")
        assert len(caught.value.begin) <= 64 * 1024
        assert "x" * 10 not in str(caught.value)
        assert len(server.paths) < 8, "it is not asked again: it will be no smaller"


def test_a_list_without_pages_that_is_too_large_is_asked_zaak_by_zaak() -> None:
    tie = {"url": f"http://x/zaakcontactmomenten/{UNKNOWN}", "zaak": "x" * 2 * MB}
    with Scripted(Reply(200, [tie])) as server:
        client = client_of(server, FAST, api_version="1.5.1", max_answer=MB)
        assert zaakcontactmomenten.whole(client) == (zaakcontactmomenten.BY_ZAAK, [])


def fatten(data: Dataset, each: int) -> None:
    """Make every rol so large."""
    for rol in data.objects("rol"):
        data.replace("rol", rol["uuid"], rol | {"roltoelichting": "x" * each})


def installed(folder: Path, server: SampleServer, **more: int) -> Installation:
    path = write_config(folder / "here", {"bron": server})
    path.write_text(path.read_text() + "".join(f"{key} = {value}\n" for key, value in more.items()))
    return open_installation(read_config(path))


@pytest.mark.slow
def test_a_list_that_is_too_large_is_asked_in_smaller_pages(tmp_path: Path) -> None:
    data = small(12)
    number = sum(1 for _ in data.objects("rol"))
    fatten(data, 6000)
    assert 200 < number < 500  # one page, of more than MB
    with SampleServer(data) as server:
        installation = backfilled(installed(tmp_path, server, max_answer=MB))
        assert not quarantined(installation)
        assert {rol["uuid"] for rol in data.objects("rol")} <= set(Probe(installation.store).raw_uuids())
        counts = run(installation, sync)
        assert counts["failed"] == 0 and counts["synced"] == 1
        new = new_rol(data)["uuid"]
        assert run(installation, sync)["new"] >= 1
        assert new in set(Probe(installation.store).raw_uuids())


@pytest.mark.slow
def test_one_object_that_is_too_large_goes_to_quarantine_and_the_others_are_taken(tmp_path: Path) -> None:
    data = small(12)
    large = next(iter(data.objects("rol")))["uuid"]
    data.replace("rol", large, data.get("rol", large) | {"roltoelichting": "x" * 2 * MB})
    with SampleServer(data) as server:
        installation = backfilled(installed(tmp_path, server, max_answer=MB))
        kinds = [(kind, uuid, reason.rpartition(": ")[2]) for kind, uuid, reason in quarantined(installation)]
        assert kinds == [("rol", large, "groter dan max_answer")]
        assert {rol["uuid"] for rol in data.objects("rol")} <= set(Probe(installation.store).raw_uuids())
        found = installation.fetchers["bron"].client.get("rol", large)
        assert "roltoelichting" not in found and found["uuid"] == large
        data.replace("rol", large, data.get("rol", large) | {"roltoelichting": "kort"})
        installation.fetchers["bron"].reread_zaak(_visit(), _zaak_of(data, large))
        assert not quarantined(installation)


@pytest.mark.slow
def test_what_can_not_be_asked_smaller_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    """A source without pageSize: its pages have the size that they have."""
    from jobs.backfill.backfill import Backfill

    data = small(12)
    fatten(data, 60_000)
    with SampleServer(data, version="1.5.1", open_zaak=False) as server:
        installation = installed(tmp_path, server, max_answer=MB)
        assert not Backfill(installation.fetchers["bron"]).run()
        message = Probe(installation.store).runs()[-1].message
        assert "max_answer" in message and "rol pagina 1" in message
        found = set(Probe(installation.store).raw_uuids())
        for kind in ("zaak", "klantcontact"):
            assert {each["uuid"] for each in data.objects(kind)} <= found


@pytest.mark.slow
def test_sync_and_sweep_read_the_other_lists_when_one_page_is_too_large(tmp_path: Path) -> None:
    data = small(12)
    with SampleServer(data, version="1.5.1", open_zaak=False) as server:
        installation = backfilled(installed(tmp_path, server, max_answer=MB))
        fatten(data, 60_000)
        rol = new_rol(data)
        contact = data.snapshot("klantcontact")[0].load() | {"uuid": "6f0e7a52-5d0c-4a55-9d3f-3a1f5a1d0001"}
        data.add("klantcontact", contact)
        counts = run(installation, sync)
        assert counts["failed"] == 1
        found = set(Probe(installation.store).raw_uuids())
        assert contact["uuid"] in found and rol["uuid"] not in found
        assert state(installation).hurry
        rounds = 0
        for _ in range(20):
            counts = run(installation, sweep)
            rounds += counts["rounds"]
            if rounds:
                break
        assert rounds, "the sweep did not go on"


def resident(pid: int) -> int:
    """Bytes in memory of a process and its workers."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = [int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in (str(pid), *children)]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_the_memory_of_a_large_answer_is_given_back(tmp_path: Path, run_log: Path) -> None:
    """A worker kept five times the answer for as long as it lived."""
    data = small(30)
    person = next(rol for rol in data.objects("rol") if (rol["betrokkeneIdentificatie"] or {}).get("inpBsn"))
    for number in range(200):
        more = {"uuid": str(uuid.uuid4()), "roltoelichting": f"{number:06} " * 17000}
        data.add("rol", person | more)
    bsn = person["betrokkeneIdentificatie"]["inpBsn"]
    with (
        SampleServer(data) as server,
        served(server, tmp_path / "here", run_log, deadline=60) as gateway,
    ):
        before = resident(gateway.pid)
        answer = gateway.get(f"{API}/partijen", **BSN, partijIdentificator__objectId=bsn)
        assert answer.status_code == 200 and answer.json()["count"] == 1
        until(lambda: resident(gateway.pid) - before < 40 * MB)


def _visit() -> Any:
    from gateway.fetch.visit import Visit

    return Visit(time.monotonic() + 60)


def _zaak_of(data: Dataset, rol: str) -> Any:
    from uuid import UUID

    return UUID(data.get("rol", rol)["zaak"].rpartition("/")[2])


# --- rest


def test_a_live_question_does_not_wait_for_a_day_of_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stayed 502 for an hour, though the source was well again."""
    assert turns.LONGEST_LIVE_REST == 60
    clock = SetClock(monkeypatch, skips=True)
    with Scripted(Reply(429, {}, {"Retry-After": "86400"}), FOUND) as server:
        client = client_of(server, ONCE, api_version="1.5.1")
        with pytest.raises(errors.TooManyRequests):
            client.get("rol", UNKNOWN)
        with pytest.raises(errors.TooManyRequests, match="rust"):
            client.get("rol", UNKNOWN, deadline=clock.monotonic() + 50)
        clock.passes(61)
        assert client.get("rol", UNKNOWN, deadline=clock.monotonic() + 60) == ROL
        with background(patience=2), pytest.raises(errors.WaitTooLong, match="rust"):
            client.get("rol", UNKNOWN)  # jobs do as they were asked, up to longest_rest


def test_jobs_rest_no_longer_than_the_config_says_and_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with Scripted(Reply(429, {}, {"Retry-After": "86400"}), FOUND) as server:
        client = client_of(server, ONCE, api_version="1.5.1", longest_rest=90)
        with pytest.raises(errors.TooManyRequests):
            client.get("rol", UNKNOWN)
        with background(patience=30), pytest.raises(errors.WaitTooLong) as caught:
            client.get("rol", UNKNOWN)
        left = caught.value.waiting.until.timestamp() - time.time()
        assert 80 < left <= 91
    told = [record.getMessage() for record in caplog.records if "asks for rest" in record.getMessage()]
    assert len(told) == 1
    assert "86400" in told[0] and "90" in told[0]


# --- turns


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Installation, SampleServer, SampleServer]]:
    """Two sources that were read whole; a call of one that hangs lasts for as long as the test does."""
    with SampleServer(small(60)) as bad, SampleServer(small(60)) as good:
        path = write_config(tmp_path / "two", {"aaa": bad, "zzz": good}, deadline=1)
        path.write_text(patient(path.read_text()))
        yield backfilled(open_installation(read_config(path))), bad, good


def patient(text: str) -> str:
    """A configuration in which calls may last three minutes."""
    return text.replace("read_timeout = 10\n", "read_timeout = 180\ncall_timeout = 180\n")


def let_hang(server: SampleServer) -> None:
    """Take calls and not answer, until it stops."""
    server.traps.stall_seconds, server.traps.stall_rate = 600, 1


def _synced(installation: Installation, source: str) -> int:
    with installation.store.read() as connection:
        return following.following(connection, installation.fetchers[source].source).synced


@pytest.mark.slow
def test_a_source_that_hangs_does_not_keep_the_others_from_their_sync(
    two: tuple[Installation, SampleServer, SampleServer],
) -> None:
    """It comes first; each source has a turn of its own."""
    installation, bad, good = two
    new = new_rol(good.dataset)["uuid"]
    let_hang(bad)
    stop = threading.Event()
    scheduler = Scheduler(installation, [BY_NAME["sync"]], lease_seconds=2)
    thread = threading.Thread(target=scheduler.run, args=(stop.wait,))
    thread.start()
    try:
        until(lambda: _synced(installation, "zzz"))
        assert not _synced(installation, "aaa")
        assert new in set(Probe(installation.store).raw_uuids())
    finally:
        stop.set()
        bad.stop()  # which ends its calls
        thread.join()


@pytest.mark.slow
def test_what_is_read_after_answers_of_one_source_does_not_wait_for_another(
    tmp_path: Path, install: Install
) -> None:
    """All threads that read on were held by the one that hangs."""
    with SampleServer(small(60)) as bad, SampleServer(small(60)) as good:
        path = write_config(tmp_path / "here", {"bad": bad, "good": good}, deadline=1)
        path.write_text(patient(path.read_text()))
        asker = Asker(install(path))
        bsns = [
            rol["betrokkeneIdentificatie"]["inpBsn"]
            for rol in good.dataset.objects("rol")
            if (rol["betrokkeneIdentificatie"] or {}).get("inpBsn")
        ]
        let_hang(bad)
        fetcher = asker.hydrator.fetchers["good"]
        chosen = list(dict.fromkeys(bsns))[:4]
        for bsn in chosen:
            asker.get("partijen", **BSN, partijIdentificator__objectId=bsn)
        until(lambda: all(fetcher.freshness_of("partij", f"brp:bsn:{bsn}") for bsn in chosen))
        bad.stop()
        assert asker.hydrator.refresher.stop(60)


def endless(work: Work) -> dict[str, int]:
    """A job that does not end by itself, for as long as a test waits."""
    (fetcher,) = work.installation.fetchers.values()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        fetcher.client.first("rol")
    return {}


@pytest.mark.slow
def test_a_turn_that_lasts_too_long_is_stopped_and_told(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    with SampleServer(small(60)) as server:
        job = Job("sync", "", endless, lambda config: "", seconds=1, by_source=True, most_seconds=1)
        began = time.monotonic()
        counts = run_job(install(bron=server), job)
        assert 0.9 < time.monotonic() - began < 30
        assert counts == {TIME_OVER: 1}
        assert job.in_trouble(counts)
    told = [record.getMessage() for record in caplog.records if "lasted too long" in record.getMessage()]
    assert len(told) == 1 and "sync bron" in told[0]


@pytest.mark.slow
def test_how_long_a_job_may_last_is_for_the_operator_to_say(tmp_path: Path, install: Install) -> None:
    with SampleServer(small(60)) as server:
        path = write_config(tmp_path / "here", {"bron": server})
        text = path.read_text()
        path.write_text(text + "[jobs.sync]\nmost_seconds = 1\n")
        job = Job("sync", "", endless, lambda config: "", seconds=1, by_source=True, most_seconds=60)
        began = time.monotonic()
        assert run_job(install(path), job) == {TIME_OVER: 1}
        assert time.monotonic() - began < 30
        path.write_text(text + "[jobs.sync]\nmost_seconds = -1\n")
        with pytest.raises(ConfigError, match=r"jobs\.sync\.most_seconds"):
            read_config(path)


def test_each_job_that_asks_sources_has_a_limit_but_the_backfill() -> None:
    """A backfill is long by nature, also as an operator orders it: its calls have limits, it goes on where it was."""
    assert {name for name, job in BY_NAME.items() if not job.most_seconds} == {"backfill", "orders"}
    by_source = {name for name, job in BY_NAME.items() if job.by_source}
    assert by_source == {"sync", "inbox", "sweep", "verify", "writeback", "orders"}


# --- log


@pytest.mark.slow
def test_a_source_in_trouble_is_told_once_a_minute(
    install: Install, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was a line for each request while the circuit breaker was open."""
    with SampleServer(small(60)) as server:
        clock, installation = Clock(monkeypatch), backfilled(install(bron=server, deadline=2))
        clock.days = 600 / DAY
        asker = Asker(installation)
        zaken = [zaak["uuid"] for zaak in server.dataset.objects("zaak")]
        server.traps.down = True
        caplog.clear()
        for zaak in zaken * 5:
            asker.get("klantcontacten", onderwerpobject__onderwerpobjectidentificatorObjectId=zaak)

        def told() -> list[str]:
            return [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]

        until(told, 10)  # by what reads on after the answers
        assert len(told()) <= 6, told()
        asker.hydrator.refresher.stop(10)
