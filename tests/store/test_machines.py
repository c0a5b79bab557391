"""Leases on a store that several machines share: by the clock of the database, and of who says that it lives."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from builders.stores import DATABASE, ON_POSTGRES, schema_of
from builders.until import until
from builders.watched_source import ELSEWHERE, namespaces_are_allowed

from gateway.base import clock
from gateway.base.process_identity import this_process
from gateway.store.machines import claimed
from gateway.store.operation import leases

pytestmark = pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")

NAME = "backfill bron"
SECOND = 1_000_000
# Takes the lease, says whether it got it, and stays until its input ends.
TAKES = """
import sys
from pathlib import Path
from gateway.store.operation import leases
from gateway.store.postgres.address import DatabaseAddress
from gateway.store.postgres.database import PostgresStore

store = PostgresStore(DatabaseAddress(sys.argv[1], sys.argv[2]), Path("x"))
print(leases.take(store, sys.argv[3], 600) is not None, flush=True)
sys.stdin.read()
"""


def another(path: Path) -> Any:
    from gateway.store.postgres.address import DatabaseAddress
    from gateway.store.postgres.database import PostgresStore

    return PostgresStore(DatabaseAddress(DATABASE, schema_of(path)), path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(path: Path) -> Iterator[Any]:
    made = another(path)
    yield made
    made.close()


@contextmanager
def taker(path: Path, *before: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that took the lease, killed at the end of the block."""
    command = [*before, sys.executable, "-c", TAKES, DATABASE, schema_of(path), NAME]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "True\n"
            yield process
        finally:
            process.kill()


def state(store: Any) -> str:
    with store.read() as session:
        return leases.grip_of(session, NAME)


def written_by(store: Any, holder: str, alive: int | None) -> None:
    """The lease as another process wrote it, that says that it lives for so many more seconds."""
    assert leases.take(store, NAME, 600) is not None
    with store.write() as session:
        session.run("UPDATE lease SET holder = ? WHERE name = ?", (holder, NAME))
        if alive is not None:
            name = holder.partition(" ")[2]
            session.run("INSERT INTO process VALUES (?, this_moment() + ?)", (name, alive * SECOND))


def test_a_lease_lasts_by_the_clock_of_the_database(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = clock.time_ns() + 3600 * 1_000_000_000
    monkeypatch.setattr(clock, "time_ns", lambda: ahead)
    written_by(store, "4000000-1", None)
    assert state(store) == leases.HELD
    with store.read() as session:
        left = session.one("SELECT expires - this_moment() FROM lease WHERE name = ?", (NAME,))[0]
    assert 590 * SECOND < left <= 600 * SECOND


@pytest.mark.parametrize(
    "elsewhere",
    [
        # Two machines may have one name, as in a compose file: its run is another one then.
        this_process()._replace(boot=this_process().boot ^ 1),
        this_process()._replace(host="een-ander", boot=this_process().boot ^ 1),
        this_process()._replace(pid=4_000_000, namespace=this_process().namespace ^ 1),
    ],
    ids=["a machine of our name", "another machine", "another container"],
)
def test_who_is_elsewhere_lives_for_as_long_as_it_says_so(store: Any, elsewhere: Any) -> None:
    written_by(store, f"{elsewhere.pid}-1 {elsewhere}", 5)
    assert state(store) == leases.HELD
    assert leases.take(store, NAME, 600) is None
    with store.write() as session:
        session.run("UPDATE process SET alive = this_moment() WHERE name = ?", (str(elsewhere),))
    assert state(store) == leases.FREE
    assert leases.take(store, NAME, 600) is not None


def test_a_process_that_we_see_is_asked_whether_it_lives(store: Any) -> None:
    gone = this_process()._replace(pid=4_000_000)
    written_by(store, f"{gone.pid}-1 {gone}", 600)
    assert state(store) == leases.FREE


@pytest.mark.slow
@pytest.mark.skipif(not namespaces_are_allowed(), reason="needs pid namespaces")
def test_the_death_of_a_holder_elsewhere_is_noticed_within_half_a_minute(store: Any, path: Path) -> None:
    with taker(path, *ELSEWHERE) as process:
        time.sleep(12)  # longer than from one beat to the next
        assert state(store) == leases.HELD
        process.kill()
        killed = time.monotonic()
        until(lambda: state(store) == leases.FREE, 35)
        assert time.monotonic() - killed <= 31
    assert leases.take(store, NAME, 600) is not None


def test_a_moment_of_a_job_is_claimed_once(store: Any, path: Path) -> None:
    other = another(path)
    day = 86_400 * SECOND

    def due(moment: int) -> int:
        return moment // day * day

    with store.write() as session:
        assert claimed.claim(session, "test", due, done=False) is not None
    with other.write() as session:
        # Whoever claimed it died: who has the lease now takes it over.
        moment = claimed.claim(session, "test", due, done=False)
        assert moment is not None
        claimed.finish(session, "test", moment)
    with store.write() as session:
        assert claimed.claim(session, "test", due, done=False) is None
        assert not claimed.is_left(session, "test", due, 0)
        assert claimed.claim(session, "test", lambda moment: due(moment) + SECOND, done=True) is not None
        assert claimed.claim(session, "test", due, done=True) is None
    other.close()


def test_a_claim_of_a_clock_that_was_wrong_holds_up_nothing(store: Any) -> None:
    with store.write() as session:
        assert claimed.claim(session, "test", lambda moment: moment + 10**15, done=True) is not None
        assert claimed.claim(session, "test", lambda moment: moment, done=True) is not None
