"""What a backfill is made of: pages in any order counted as in the list's, the crew that asks, the parts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from builders.probe.probe import Probe
from hypothesis import given
from hypothesis import strategies as st

from bench import pages
from gateway.base import clock
from gateway.installation import Installation
from gateway.legacy.background import Background, current
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from jobs.backfill.rate_meter import Meter
from jobs.common import lists
from jobs.common.crew import SOURCE, Crew, Question
from jobs.common.walk import AHEAD, Count, ListSizes, PageCounts, Walk, counts_of

PAGES = st.lists(
    st.builds(PageCounts, st.integers(0, 3), st.integers(0, 3), st.booleans(), st.integers(0, 10**6)),
    max_size=12,
)


def item(number: int) -> dict[str, str]:
    return {"uuid": str(UUID(int=number))}


def test_a_page_tells_what_stands_before_and_after_the_first_known_object() -> None:
    objects = [item(number) for number in range(6)]
    new = {UUID(int=number).bytes for number in (0, 1, 3, 5)}
    page = counts_of(objects, new)
    assert (page.new_before, page.new_after, page.has_known) == (2, 2, True)
    assert counts_of(objects, new).mark == page.mark != counts_of(objects[:5], new).mark
    assert counts_of([], set()).mark is None


@pytest.mark.parametrize(
    ("forward", "pages", "surprises"),
    [
        # From the front: what is new before anything known was added, behind it it was missed.
        (True, [PageCounts(2, 0, False, 1), PageCounts(1, 0, True, 2), PageCounts(3, 0, True, 3)], 3),
        (True, [PageCounts(0, 0, True, 1), PageCounts(2, 0, False, 2)], 2),
        # From the back: what waits becomes missed when something known turns up before it.
        (False, [PageCounts(2, 0, False, 3), PageCounts(0, 1, True, 2), PageCounts(4, 0, False, 1)], 3),
        (False, [PageCounts(1, 0, True, 2), PageCounts(1, 0, False, 1)], 0),
    ],
)
def test_missed_objects_are_told_from_added_ones(
    forward: bool, pages: list[PageCounts], surprises: int
) -> None:
    count = Count(forward)
    for page in pages:
        count.add(page)
    assert count.surprises == surprises


@given(PAGES, st.booleans(), st.integers(1, 9), st.randoms(use_true_random=False))
def test_the_order_in_which_pages_come_does_not_matter(
    pages: list[PageCounts], forward: bool, window: int, chance: object
) -> None:
    """So many under way at a time, any of them first: the same count, each page once, and the walk ends."""
    in_turn = Count(forward)
    for page in pages if forward else reversed(pages):
        in_turn.add(page)
    walk = Walk(1 if forward else len(pages), Count(forward))
    out: list[int] = []
    taken: list[int] = []
    while True:
        while len(out) < window and (number := walk.next()) is not None:
            out.append(number)
        if not out:
            break
        number = out.pop(chance.randrange(len(out)))  # type: ignore[attr-defined]
        there = 1 <= number <= len(pages)
        taken += [number] if there else []
        walk.page_taken(number, pages[number - 1] if there else PageCounts())
    assert sorted(taken) == list(range(1, len(pages) + 1))
    assert walk.count == in_turn
    if forward:
        assert walk.deepest == len(pages)


def test_a_slow_page_does_not_hold_up_the_others_until_they_are_far_ahead() -> None:
    walk = Walk(1, Count(True))
    slow = walk.next()
    others = 0
    while (number := walk.next()) is not None:
        walk.page_taken(number, PageCounts(0, 0, True, number))
        others += 1
    assert others == AHEAD - 1
    assert walk.turn == slow == 1
    walk.page_taken(1, PageCounts(0, 0, True, 1))
    assert walk.turn == AHEAD + 1
    assert walk.next() is not None


def test_an_empty_page_in_the_middle_does_not_end_a_walk() -> None:
    """Things went away between two questions: page 2 was empty when it was asked, page 3 was not."""
    walk = Walk(1, Count(True))
    numbers = [walk.next() for _ in range(3)]
    for number in numbers:
        walk.page_taken(number or 0, PageCounts() if number == 2 else PageCounts(0, 0, True, number))
    assert walk.next() == 4


def test_the_same_page_over_and_over_is_noticed() -> None:
    walk = Walk(1, Count(True))
    for _ in range(3):
        walk.page_taken(walk.next() or 0, PageCounts(0, 0, True, 7))
    assert walk.same == 3


# The crew


def take(crew: Crew) -> None:
    got = crew.answer(5)
    assert got is not None
    got[0].take(got[1])


def test_so_many_ask_at_a_time_and_no_more() -> None:
    crew, took = Crew(3), list[object]()
    here, most = threading.Semaphore(0), list[int]()
    lock, now_in = threading.Lock(), [0]

    def ask() -> None:
        with lock:
            now_in[0] += 1
            most.append(now_in[0])
        here.acquire(timeout=0.05)
        with lock:
            now_in[0] -= 1

    for _ in range(6):
        crew.ask(Question(ask, took.append))
    assert not crew.has_capacity
    for _ in range(6):
        take(crew)
    assert max(most) == 3
    crew.connections = 1
    most.clear()
    for _ in range(2):
        crew.ask(Question(ask, took.append))
    for _ in range(2):
        take(crew)
    assert max(most) == 1
    assert len(took) == 8
    crew.close()


def test_what_goes_wrong_in_a_thread_goes_wrong_for_the_writer() -> None:
    crew = Crew(1)

    def fail() -> None:
        raise LookupError

    crew.ask(Question(fail, print))
    with pytest.raises(LookupError):
        crew.answer(5)
    assert crew.outstanding == 0
    crew.close()


def test_its_calls_are_background_calls_that_stop_when_it_goes_home() -> None:
    crew, found = Crew(1), list[object]()
    crew.ask(Question(current, found.append))
    take(crew)
    job = found[0]
    assert isinstance(job, Background)
    assert job.stop is not None
    assert not job.stop.is_set()
    crew.close()
    assert job.stop.is_set()
    assert current() is None


def test_a_crew_whose_calls_all_take_long_waits_for_the_source() -> None:
    crew, gate = Crew(2), threading.Event()
    for _ in range(3):
        crew.ask(Question(gate.wait, print))
    until = time.monotonic() + 5
    while crew.limited_by() != SOURCE:
        assert time.monotonic() < until
    gate.set()
    crew.close()


def test_time_spent_waiting_does_not_count_in_the_average(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [0.0]
    monkeypatch.setattr(clock, "monotonic", lambda: moment[0])
    meter = Meter()
    moment[0] = 10
    meter.add(1000)
    assert (meter.now, meter.average) == (100, 100)
    meter.waits(True)
    moment[0] = 1000
    assert meter.average == 100
    meter.waits(False)
    moment[0] = 1010
    meter.add(3000)
    assert meter.average == 200
    moment[0] = 1021
    meter.add(0)
    meter.add(110)
    assert meter.now == pytest.approx(10)


# The parts of a list


@pytest.mark.slow
def test_a_long_list_of_zaken_is_divided_and_nothing_is_left_out(
    slice_data: Dataset, install: Callable[..., Installation]
) -> None:
    with SampleServer(slice_data) as server:
        client = install(bron=server).fetchers["bron"].client
        assert lists.parts_of(client, "zaak") == [{}]  # a short one is not
        parts = lists.parts_of(client, "zaak", part=200)
        assert lists.parts_of(client, "rol", part=200) == [{}]
        assert len(parts) > 5
        seen: list[str] = []
        for filters in parts:
            found = client.all("zaak", filters)
            assert len(found) <= 200
            seen += [zaak["uuid"] for zaak in found]
        assert sorted(seen) == sorted(zaak["uuid"] for zaak in slice_data.objects("zaak"))


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.0.2", "1.2.0"])
def test_a_version_without_that_filter_is_walked_whole(
    slice_data: Dataset, install: Callable[..., Installation], version: str
) -> None:
    with SampleServer(slice_data, version=version, open_zaak=False) as server:
        client = install(bron=server).fetchers["bron"].client
        assert lists.parts_of(client, "zaak", part=200) == [{}]


def test_zaken_outside_of_all_parts_make_a_list_be_walked_whole(
    slice_data: Dataset, install: Callable[..., Installation]
) -> None:
    """A zaak without registratiedatum: no date filter shows it."""
    zaak = slice_data.objects("zaak")[5]
    slice_data.replace("zaak", zaak["uuid"], zaak | {"registratiedatum": None})
    with SampleServer(slice_data) as server:
        client = install(bron=server).fetchers["bron"].client
        assert lists.parts_of(client, "zaak", part=200) == [{}]


@pytest.mark.slow
def test_parts_are_walked_one_after_the_other(
    slice_data: Dataset, install: Callable[..., Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.backfill import backfill

    monkeypatch.setattr(backfill, "parts_of", partial(lists.parts_of, part=300))
    with SampleServer(slice_data) as server:
        installation = install(bron=server)
        assert backfill.Backfill(installation.fetchers["bron"]).run()
        assert Probe(installation.store).count("raw", kind="zaak") == 1174
        asked = {call.path for call in server.calls}
    assert any("registratiedatum__gt&registratiedatum__lt" in path for path in asked)


def test_the_bare_source_of_the_measurement_answers_as_a_zaken_api(tmp_path: Path) -> None:
    pages.render(tmp_path, rollen=1)
    numbers = {
        name: len(list(tmp_path.glob(f"{name}-*.json"))) for name in ("zaken", "rollen", "klantcontacten")
    }
    assert numbers == {"zaken": 3, "rollen": 7, "klantcontacten": 2}

    def get(rest: str) -> tuple[str, dict[str, Any]]:
        status, body = pages.answer(tmp_path, f"GET /zaken/api/v1/{rest} HTTP/1.1\r\n\r\n".encode())
        return status, json.loads(body)

    assert sum(len(get(f"rollen?pageSize=500&page={number}")[1]["results"]) for number in range(1, 8)) == 3485
    assert (
        get("rollen?betrokkeneIdentificatie__nietNatuurlijkPersoon__kvkNummer=0&pageSize=1")[1]["results"]
        == []
    )
    assert get("rollen?pageSize=500&page=8")[0] == get(f"rollen/{UUID(int=1)}")[0] == "404 Not Found"


@pytest.mark.parametrize(
    ("told", "shrank"),
    [
        ([(1, 500), (2, 500), (3, 501)], False),
        ([(1, 500), (3, 501), (2, 500)], False),
        ([(1, 500), (2, 475)], True),
        ([(2, 475), (1, 500)], True),
        ([(1, 500), (3, 480), (2, 500)], True),
        ([], False),
    ],
)
def test_a_list_that_got_shorter_is_seen_in_whatever_order_its_pages_come(
    told: list[tuple[int, int]], shrank: bool
) -> None:
    sizes = ListSizes()
    found = [sizes.shrank(asked, size) for asked, size in told]
    assert any(found) is shrank


def test_what_waits_can_be_begun_with_before_its_turn() -> None:
    crew, begun = Crew(1), list[str]()

    def ahead(found: object) -> Iterator[None]:
        for piece in "ab":
            begun.append(f"{found}{piece}")
            yield

    def fail() -> None:
        raise LookupError

    crew.ask(Question(lambda: "1", print, ahead))
    crew.ask(Question(lambda: "2", print))  # of which nothing can be done before
    crew.ask(Question(fail, print, ahead))
    crew.ask(Question(lambda: "4", print, ahead))
    all_came, end = threading.Event(), threading.Event()
    crew.ask(Question(lambda: all_came.set() or end.wait(10), print))
    assert all_came.wait(10)
    pieces = crew.ahead()
    for _ in range(3):
        next(pieces)
    assert begun == ["1a", "1b", "4a"]
    got = crew.answer(5)
    assert got is not None
    assert got[1] == "1"  # it is there as before
    end.set()
    crew.close()
