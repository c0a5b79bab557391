"""PostgreSQL that stands still, or confirms nothing because its replica is away: who waits for it hears so in time."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from builders.databases import a_connection
from builders.own_postgres import OwnPostgres, is_there
from builders.until import until

from gateway.store.base.errors import StoreAway, StoreBusy, StoreUnsure

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not is_there(), reason="needs PostgreSQL")]
PUT = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2"
GET = "SELECT value FROM meta WHERE name = ?"


@pytest.fixture(scope="module")
def database() -> Iterator[OwnPostgres]:
    with OwnPostgres() as running:
        yield running


@pytest.fixture
def store(database: OwnPostgres, tmp_path: Path) -> Iterator[Any]:
    from gateway.store.postgres.address import DatabaseAddress
    from gateway.store.postgres.database import PostgresStore

    address = DatabaseAddress(f"{database.url()}?connect_timeout=2")
    made = PostgresStore(address, tmp_path / "store.db", busy_seconds=1)
    yield made
    made.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time limits that a test can wait for."""
    from gateway.store.postgres import committing, silence

    monkeypatch.setattr(committing, "COMMIT_SECONDS", 0.2)
    monkeypatch.setattr(committing, "ASK_SECONDS", 0.5)
    monkeypatch.setattr(silence, "LONG_SECONDS", 0.5)
    monkeypatch.setattr(silence, "ANSWERS_SECONDS", 0.5)


def waits(url: str) -> bool:
    """Does COMMIT wait for a replica? Not all processes of a database hear of a setting at once."""
    with a_connection(url) as writer, a_connection(url) as asking, ThreadPoolExecutor(1) as pool:
        ends = pool.submit(writer.execute, "SELECT pg_logical_emit_message(true, '', '')")
        while not ends.done():
            (event,) = asking.execute(
                "SELECT wait_event FROM pg_stat_activity WHERE pid = %s", (writer.info.backend_pid,)
            ).fetchone()
            if event == "SyncRep":
                writer.cancel()
                ends.result()
                return True
            time.sleep(0.005)
    return False


@pytest.fixture
def no_replica(database: OwnPostgres, store: Any) -> Iterator[Callable[[], None]]:
    """What lets COMMIT end again: until then it waits for a replica that is not there."""

    def wait_for(name: str) -> None:
        with a_connection(database.url()) as asking:
            asking.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
            asking.execute("SELECT pg_reload_conf()")
        until(lambda: store.connection().one("SHOW synchronous_standby_names") == (name,))
        until(lambda: waits(database.url()) is bool(name))

    wait_for("nobody")
    yield lambda: wait_for("")
    wait_for("")


@pytest.mark.usefixtures("quick")
def test_who_waits_for_a_replica_that_is_away_is_told_that_nobody_can_tell(
    store: Any, no_replica: Callable[[], None]
) -> None:
    with pytest.raises(StoreUnsure), store.write() as session:
        session.run(PUT, ("word", "x"))
    # Its turn is not for the next: that would be told that it is done, and may be lost too.
    with pytest.raises(StoreBusy), store.write():
        pass
    assert store.connection().one(GET, ("word",)) is None
    no_replica()
    until(lambda: store.connection().one(GET, ("word",)) == ("x",))
    with store.write() as session:
        session.run(PUT, ("word", "y"))


@pytest.mark.usefixtures("quick")
def test_a_job_that_waits_for_a_replica_is_told_that_the_database_is_away(
    store: Any, no_replica: Callable[[], None]
) -> None:
    with store.giving_way(), pytest.raises(StoreAway), store.write(synced=True) as session:
        session.run(PUT, ("word", "of a job"))
    no_replica()
    until(lambda: store.connection().one(GET, ("word",)) == ("of a job",))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("job", [True, False])
def test_a_write_in_a_database_that_stands_still_is_broken_off(
    store: Any, database: OwnPostgres, job: bool
) -> None:
    began = time.monotonic()

    def write() -> None:
        with pytest.raises(StoreAway), store.write() as session:
            session.run(PUT, ("still", "x"))
            database.signal(signal.SIGSTOP)
            session.run(PUT, ("still", "y"))

    try:
        if job:
            with store.giving_way():
                write()
        else:
            write()
        assert time.monotonic() - began < 15  # as long as the database stood still, before
    finally:
        database.signal(signal.SIGCONT)
    store.waiting.seconds = 20
    with store.write() as session:
        assert session.one(GET, ("still",)) is None


@pytest.mark.usefixtures("quick")
def test_a_question_of_a_job_is_broken_off_too(store: Any, database: OwnPostgres) -> None:
    try:
        with pytest.raises(StoreAway), store.read() as session:
            database.signal(signal.SIGSTOP)
            session.one(GET, ("word",))
    finally:
        database.signal(signal.SIGCONT)


@pytest.mark.usefixtures("quick")
def test_what_takes_long_in_a_database_that_answers_goes_on(store: Any) -> None:
    with store.write() as session:
        session.one("SELECT pg_sleep(?)", (2.5,))
        session.run(PUT, ("long", "x"))
    assert store.connection().one(GET, ("long",)) == ("x",)


def test_a_beat_in_a_database_that_stands_still_ends(
    store: Any, database: OwnPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.store.postgres import heartbeat

    monkeypatch.setattr(heartbeat, "MOST_SECONDS", 1)
    beats = heartbeat._Beats(store._connect, threading.Event())
    assert beats.beat()
    database.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert not beats.beat()
        assert time.monotonic() - began < 15
    finally:
        database.signal(signal.SIGCONT)
    until(beats.beat)
    beats._close()
