"""Long questions to the store go on in turn, and each ends when its time is up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from builders.stores import make_store

from gateway.store.base.errors import TooLong
from gateway.store.base.store import Store
from gateway.store.file.time_limit import TURN_SECONDS

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
SOME = ENDLESS.replace("SELECT x + 1 FROM n", "SELECT x + 1 FROM n WHERE x < {}")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "store.sqlite")


def together(works: list[Callable[[], None]]) -> None:
    """Do these at the same time, each in a thread of its own."""
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.of_the_file
@pytest.mark.slow
def test_they_go_on_in_turn_and_each_ends_in_time(store: Store) -> None:
    store.question_seconds = 2.0
    began = threading.Barrier(4)
    went: list[tuple[int, float]] = []
    ended: list[float] = []

    def ask() -> None:
        me = threading.get_ident()
        store.connection().create_function("goes", 0, lambda: went.append((me, time.monotonic())) or 1)
        began.wait(60)
        start = time.monotonic()
        with pytest.raises(TooLong), store.read() as connection:
            connection.execute(ENDLESS.replace("FROM n)", "FROM n WHERE goes())", 1)).fetchone()
        ended.append(time.monotonic() - start)

    together([ask] * 4)
    assert len(ended) == 4
    # They begin together, until they prove to be long.
    later = [me for me, moment in went if moment > went[0][1] + 0.5]
    turns = sum(one != other for one, other in pairwise(later))
    assert len(set(later)) == 4
    assert turns <= max(ended) / TURN_SECONDS


@pytest.mark.slow
def test_all_are_answered_in_the_end(store: Store) -> None:
    store.question_seconds = 60.0
    counted: list[int] = []

    def ask() -> None:
        with store.read() as connection:
            counted.append(connection.execute(SOME.format(1_000_000)).fetchone()[0])

    together([ask] * 3)
    assert counted == [1_000_000] * 3


def test_one_that_ends_by_a_fault_gives_its_turn_away(store: Store) -> None:
    store.question_seconds = 60.0
    counted: list[int] = []

    def fail() -> None:
        with pytest.raises(RuntimeError), store.read() as connection:
            connection.execute(SOME.format(300_000)).fetchone()
            raise RuntimeError

    def ask() -> None:
        with store.read() as connection:
            counted.append(connection.execute(SOME.format(300_000)).fetchone()[0])

    together([fail, ask])
    together([ask])
    assert counted == [300_000] * 2


@pytest.mark.of_the_file
def test_a_quick_one_waits_for_no_turn(store: Store) -> None:
    store.question_seconds = 20.0
    going, done = threading.Event(), threading.Event()

    def ask_long() -> None:
        with pytest.raises(RuntimeError), store.read() as connection:
            connection.create_function("done", 0, lambda: going.set() or int(done.is_set()))
            connection.execute(ENDLESS.replace("FROM n)", "FROM n WHERE NOT done())", 1)).fetchone()
            raise RuntimeError

    def ask_quick() -> None:
        assert going.wait(20)
        try:
            with store.read() as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
        finally:
            done.set()

    together([ask_long, ask_quick])
    assert done.is_set()
