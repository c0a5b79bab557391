"""A source is asked no more by several machines together than it bears: places, rates, rest, pause, circuit breaker."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.stores import DATABASE, ON_POSTGRES, schema_of
from builders.until import until
from builders.watched_source import AskingProcess, Watched, askers

from gateway.store.machines.paces import fair

MOST = 4


@pytest.mark.parametrize(
    ("total", "wants", "given"),
    [
        (4, {"a": 9}, {"a": 4}),
        (4, {"a": 9, "b": 9}, {"a": 2, "b": 2}),
        (4, {"a": 9, "b": 1}, {"a": 3, "b": 1}),
        (5, {"a": 9, "b": 1, "c": 2}, {"a": 2, "b": 1, "c": 2}),
        (9, {"a": 2, "b": 1}, {"a": 2, "b": 1}),
        (4, {}, {}),
    ],
)
def test_places_are_divided_by_what_each_wants(
    total: int, wants: dict[str, int], given: dict[str, int]
) -> None:
    assert fair(total, wants, 0) == given


def test_more_machines_than_places_have_them_in_turns() -> None:
    wants = dict.fromkeys("abc", 5)
    assert [fair(1, wants, turn) for turn in range(3)] == [
        {"a": 1, "b": 0, "c": 0},
        {"a": 0, "b": 1, "c": 0},
        {"a": 0, "b": 0, "c": 1},
    ]


@contextlib.contextmanager
def machines(folder: Path, number: int) -> Iterator[list[tuple[AskingProcess, Path]]]:
    """Processes of which each has its own folder, as on a machine of its own, and all one database."""
    schema = schema_of(folder / "store")
    with askers(number) as found:
        made = []
        for each, process in enumerate(found):
            own = folder / f"machine{each}"
            own.mkdir()
            process.shares(DATABASE, schema)
            made.append((process, own / "klantbrug.db"))
        yield made


def most_in_a_second(times: list[float]) -> int:
    ordered = sorted(times)
    return max(sum(1 for other in ordered if at <= other < at + 1.0) for at in ordered)


on_postgres = pytest.mark.skipif(not ON_POSTGRES, reason="KLANTBRUG_TEST_DATABASE names no database")


@on_postgres
@pytest.mark.slow
@pytest.mark.parametrize("live", [False, True], ids=["jobs", "clients"])
def test_all_machines_together_use_no_more_connections_than_there_are(tmp_path: Path, live: bool) -> None:
    with Watched() as server, machines(tmp_path, 3) as made:
        server.seconds = 0.05
        for process, path in made:
            process.ask(server, path, 6, live=live, threads=4, max_connections=MOST)
        told = [process.told() for process, _ in made]
        assert server.most <= MOST
        assert server.most >= MOST - 1
        assert all(len(each["took"]) > 5 for each in told)
        assert sum(len(each["took"]) for each in told) > 6 / 0.05 * (MOST - 1) * 0.4


@on_postgres
@pytest.mark.slow
def test_a_machine_that_is_stopped_gives_its_part_back(tmp_path: Path) -> None:
    with Watched() as server, machines(tmp_path, 2) as made:
        (first, its_path), (second, path) = made
        first.ask(server, its_path, 2, threads=4, max_connections=2)
        assert first.told()["took"]
        first.leave()
        began = time.monotonic()
        second.ask(server, path, 0, max_connections=2)
        assert second.told()["took"]
        assert time.monotonic() - began < 5.0  # not when its part is over, which takes over ten


@on_postgres
@pytest.mark.slow
def test_one_connection_is_had_in_turns(tmp_path: Path) -> None:
    with Watched() as server, machines(tmp_path, 2) as made:
        server.seconds = 0.05
        for process, path in made:
            process.ask(server, path, 12, max_connections=1)
        told = [process.told() for process, _ in made]
        assert server.most == 1
        assert all(len(each["took"]) > 5 for each in told)


@on_postgres
@pytest.mark.slow
def test_all_machines_together_keep_to_the_rate(tmp_path: Path) -> None:
    with Watched() as server, machines(tmp_path, 3) as made:
        for process, path in made:
            process.ask(server, path, 8, threads=2, max_connections=MOST, requests_per_second=20)
        for process, _ in made:
            process.told()
        # What was saved up goes at once: a second's worth, as on one machine.
        assert len(server.times) <= 20 * 8 + 20
        assert len(server.times) > 20 * 8 * 0.4
        assert most_in_a_second(server.times) <= 2 * 20


@on_postgres
@pytest.mark.slow
def test_who_rests_and_what_is_broken_all_machines_know(tmp_path: Path) -> None:
    with Watched() as server, machines(tmp_path, 2) as made:
        (one, at_one), (two, at_two) = made
        two.ask(server, at_two, 0)
        assert len(two.told()["took"]) == 1
        server.answer = lambda: (503, {"Retry-After": "60"})
        one.ask(server, at_one, 0, live=True)
        assert one.told()["errors"]
        time.sleep(1.2)
        asked = len(server.times)
        two.ask(server, at_two, 2, live=True)
        assert not two.told()["took"]
        assert len(server.times) <= asked + 1


@on_postgres
@pytest.mark.slow
def test_a_pause_on_one_machine_holds_for_all(tmp_path: Path) -> None:
    with Watched() as server, machines(tmp_path, 2) as made:
        (one, at_one), (two, at_two) = made
        one.pause(server, at_one)
        two.ask(server, at_two, 3, tells=True)
        until(lambda: two.told() == {"waits": "gepauzeerd"}, 10)  # first it waits for its part
        assert server.times == []


@on_postgres
@pytest.mark.slow
def test_without_the_database_nothing_more_is_asked(tmp_path: Path) -> None:
    """What was settled holds for a while; others may have our part after that."""
    with Watched() as server, machines(tmp_path, 1) as made:
        process, path = made[0]
        process.ask(server, path, 25, max_connections=MOST)
        until(lambda: server.times)
        process.lose_the_database()
        time.sleep(13)
        asked = len(server.times)
        assert asked > 10
        time.sleep(3)
        assert len(server.times) == asked
        process.kill()
