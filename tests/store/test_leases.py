"""Who holds a lease, and does it live? Also when it is in another container, or when its number is used again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from builders.stores import DATABASE, ON_POSTGRES, make_store, schema_of
from builders.watched_source import ELSEWHERE, namespaces_are_allowed

from gateway.base.process_identity import Process, this_process
from gateway.store.base.store import Store
from gateway.store.operation import leases

NAME = "backfill bron"
# Takes the lease, says whether it got it, and stays until its input ends.
TAKES = """
import sys
from pathlib import Path
from gateway.config.store import StoreSettings
from gateway.store.chosen import open_store
from gateway.store.operation import leases

store = open_store(StoreSettings(Path(sys.argv[1]), "", url=sys.argv[3], schema=sys.argv[4]))
print(leases.take(store, sys.argv[2], 60) is not None, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "klantbrug.db")


def where(path: Path) -> tuple[str, str]:
    """The database and the schema of a store."""
    return (DATABASE, schema_of(path)) if ON_POSTGRES else ("", "")


@contextmanager
def taker(store: Store, *before: str) -> Iterator[bool]:
    """Another process that tries to take the lease, for the block; gives whether it did. It is killed at the end."""
    command = [*before, sys.executable, "-c", TAKES, str(store.path), NAME, *where(store.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline() == "True\n"
        finally:
            process.kill()


def state(store: Store) -> str:
    with store.read() as connection:
        return leases.grip_of(connection, NAME)


def shown_as_held(store: Store) -> bool:
    with store.read() as connection:
        return leases.holder_of(connection, NAME) is not None


def written_by(store: Store, holder: str) -> None:
    """The lease as another process wrote it a moment ago."""
    assert leases.take(store, NAME, 60) is not None
    with store.write() as connection:
        connection.execute("UPDATE lease SET holder = ? WHERE name = ?", (holder, NAME))


def expire(store: Store) -> None:
    with store.write() as connection:
        connection.execute("UPDATE lease SET expires = 0 WHERE name = ?", (NAME,))


def by(process: Process) -> str:
    """The name of a thread of that process."""
    return f"{process.pid}-1 {process}"


@pytest.mark.slow
def test_of_a_process_that_lives_the_lease_is_its_own_and_of_one_that_was_killed_it_is_free(
    store: Store,
) -> None:
    with taker(store) as took:
        assert took
        assert leases.take(store, NAME, 60) is None
        assert (shown_as_held(store), state(store)) == (True, leases.HELD)
    assert (shown_as_held(store), state(store)) == (False, leases.FREE)
    assert leases.take(store, NAME, 60) is not None


@pytest.mark.slow
def test_a_new_process_with_the_number_of_a_killed_one_does_not_keep_its_lease(store: Store) -> None:
    """As a container that is started again: its process has number 1 or 7 each time."""
    with taker(store) as took:
        assert took
        with store.read() as connection:
            (holder,) = connection.execute("SELECT holder FROM lease WHERE name = ?", (NAME,)).fetchone()
    killed = Process.read(holder.partition(" ")[2])
    assert killed is not None
    with store.write() as connection:
        ours = by(killed._replace(pid=os.getpid()))  # its number is ours by now
        connection.execute("UPDATE lease SET holder = ? WHERE name = ?", (ours, NAME))
    assert (shown_as_held(store), state(store)) == (False, leases.FREE)
    assert leases.take(store, NAME, 60) is not None


@pytest.mark.of_the_file  # in a database another run of a machine of our name may be another machine
def test_a_process_of_before_the_machine_started_anew_is_no_more(store: Store) -> None:
    written_by(store, by(this_process()._replace(boot=this_process().boot ^ 1)))
    assert (shown_as_held(store), state(store)) == (False, leases.FREE)
    assert leases.take(store, NAME, 60) is not None


@pytest.mark.parametrize(
    "holder",
    [
        by(Process(4_000_000, 7, this_process().namespace ^ 1, this_process().boot, this_process().host)),
        by(this_process()._replace(host="een ander-", boot=this_process().boot ^ 1)),
        "4000000-1",
        f"{os.getpid()}-1",
    ],
    ids=["another namespace", "another machine", "an earlier version", "an earlier version, a number in use"],
)
def test_of_a_process_that_we_can_not_see_only_the_time_counts(store: Store, holder: str) -> None:
    written_by(store, holder)
    assert (shown_as_held(store), state(store)) == (True, leases.HELD)
    assert leases.take(store, NAME, 60) is None
    expire(store)
    assert (shown_as_held(store), state(store)) == (False, leases.FREE)
    with store.read() as connection:
        assert leases.stuck(connection, "backfill") == []
    assert leases.take(store, NAME, 60) is not None


@pytest.mark.slow
def test_one_that_lives_and_gives_no_sign_is_told_of(store: Store) -> None:
    with taker(store) as took:
        assert took
        expire(store)
        assert state(store) == leases.STUCK
        with store.read() as connection:
            assert leases.stuck(connection, "backfill") == [NAME]


@pytest.mark.slow
@pytest.mark.skipif(not namespaces_are_allowed(), reason="needs pid namespaces")
def test_containers_of_one_store_leave_each_other_their_leases(store: Store) -> None:
    grip = leases.take(store, NAME, 60)
    assert grip is not None
    with taker(store, *ELSEWHERE) as took:
        assert not took
    leases.let_go(store, grip)
    with taker(store, *ELSEWHERE) as took:
        assert took
        assert leases.take(store, NAME, 60) is None
