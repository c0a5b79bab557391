"""The write-ahead log keeps to `[store] log_mb` during work that goes through everything, and is short after that."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from builders.sample_data import small

from gateway.installation import Installation
from gateway.sample.server import SampleServer
from gateway.store.file import write_ahead_log
from gateway.store.file.database import FileStore
from gateway.store.file.write_ahead_log import BULK_PART, MEGABYTE
from gateway.store.operation import leases, runs

pytestmark = pytest.mark.of_the_file

LOG_MB = 50
TRANSACTION = 1_000_000  # bytes
Install = Callable[..., Installation]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileStore]:
    store = FileStore(tmp_path / "store.db", log_mb=LOG_MB)
    yield store
    store.close()


def megabytes(store: FileStore) -> float:
    return store._log.size() / MEGABYTE


def put(store: FileStore, name: str, size: int = TRANSACTION, *, synced: bool = False) -> None:
    with store.write(synced=synced) as connection:
        connection.execute(
            "INSERT INTO meta VALUES (?1, randomblob(?2)) ON CONFLICT (name) DO UPDATE SET value = randomblob(?2)",
            (name, size),
        )


def fill(store: FileStore, total: int) -> float:
    """Write so many megabytes as a job does that goes through everything. Out: the most that the log was."""
    store.for_bulk()
    most = 0.0
    with store.giving_way():
        for number in range(total):
            put(store, f"bulk {number % 100}")
            most = max(most, megabytes(store))
    return most


@pytest.mark.slow
def test_work_that_goes_through_everything_keeps_below_the_limit(store: FileStore) -> None:
    most = fill(store, 3 * LOG_MB)
    assert LOG_MB * BULK_PART * 0.9 < most < LOG_MB


@pytest.mark.slow
def test_when_it_is_over_the_log_is_cut_off(store: FileStore) -> None:
    fill(store, LOG_MB)
    assert megabytes(store) > LOG_MB / 2
    store.tidy_log(bulk=True)
    store.tidy_log(bulk=True)
    assert megabytes(store) > LOG_MB / 2  # it will be written over
    put(store, "a client's", 1000)
    store.tidy_log(bulk=False)
    assert megabytes(store) < 1


@pytest.mark.slow
def test_clients_that_write_all_the_time_do_not_let_it_grow(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By copying alone there is always something that came since, and so it never begins at its start again."""
    monkeypatch.setattr(write_ahead_log, "AGAIN_MB", 1)
    monkeypatch.setattr(write_ahead_log, "CUT_PART", 100)  # it is not cut off here
    monkeypatch.setattr(write_ahead_log, "CUT_MB", 10_000)
    stop, written, most_written = threading.Event(), 0, 100

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            put(store, f"client {threading.get_ident()}", 80_000, synced=True)
            written += 1
            while written > most_written and not stop.is_set():  # who keeps it short had no turn for long
                time.sleep(0.001)
        store.close()

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    most, until = 0.0, time.monotonic() + 120
    while written * 80_000 < 38 * MEGABYTE and time.monotonic() < until:
        time.sleep(0.05)
        store.tidy_log(bulk=False)
        most, most_written = max(most, megabytes(store)), written + 100
    stop.set()
    for thread in threads:
        thread.join()
    assert written * 80_000 >= 38 * MEGABYTE
    assert most < 38 / 2


@pytest.mark.slow
def test_a_job_waits_for_who_reads_when_the_log_is_over_its_limit(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(write_ahead_log, "MAKE_ROOM_SECONDS", 0.3)
    read, stop = threading.Event(), threading.Event()

    def reader() -> None:
        with store.read() as connection:
            connection.execute("SELECT count(*) FROM meta").fetchone()
            read.set()
            stop.wait(60)
        store.close()

    thread = threading.Thread(target=reader)
    thread.start()
    assert read.wait(10)
    began = time.monotonic()
    with caplog.at_level(logging.WARNING):
        most = fill(store, LOG_MB + 5)
    # It gets on, slowly, and tells why; a client does not wait for that.
    assert LOG_MB < most < LOG_MB + 10
    assert time.monotonic() - began > 0.3
    assert "somebody reads for long" in caplog.text
    monkeypatch.setattr(write_ahead_log, "MAKE_ROOM_SECONDS", 30.0)
    began = time.monotonic()
    put(store, "a client's")
    assert time.monotonic() - began < 10
    stop.set()
    thread.join()
    assert fill(store, 2 * LOG_MB) < LOG_MB


@pytest.mark.slow
def test_emptying_holds_up_no_writer_for_as_long_as_somebody_reads(store: FileStore) -> None:
    put(store, "before")
    read, stop, done = threading.Event(), threading.Event(), []

    def reader() -> None:
        with store.read() as connection:
            connection.execute("SELECT count(*) FROM meta").fetchone()
            read.set()
            stop.wait(60)
        store.close()

    def empty() -> None:
        done.append(store.empty_log())
        store.close()

    first = threading.Thread(target=reader)
    first.start()
    assert read.wait(10)
    put(store, "since")
    second = threading.Thread(target=empty)
    second.start()
    began = time.monotonic()
    for number in range(5):
        put(store, f"during {number}", 1000)
    assert time.monotonic() - began < 4, "who is held up waits five seconds, or for as long as somebody reads"
    second.join()
    assert done == [False]
    stop.set()
    first.join()
    assert store.empty_log()
    assert megabytes(store) == 0


def test_the_log_may_be_long_only_while_such_work_goes_on(install: Install) -> None:
    with SampleServer(small(40)) as server:
        store = install(bron=server).store

    def bulk() -> bool:
        with store.read() as connection:
            return runs.any_bulk(connection)

    assert not bulk()
    for name in (runs.lease_of("backfill", "bron"), runs.lease_of("rebuild", None)):
        grip = leases.take(store, name, 60)
        assert grip and bulk()
        leases.let_go(store, grip)
        assert not bulk()
