"""How a source is spared, step by step: the window, the circuit breaker, how many calls at a time, the rates."""

from __future__ import annotations

import dataclasses
import os
import random
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.base import clock
from gateway.base.clock import DUTCH_TIME
from gateway.base.process_identity import NotShared, this_process
from gateway.base.time_windows import Window
from gateway.config.model import Source
from gateway.legacy import errors
from gateway.legacy.background import background
from gateway.legacy.pacing import circuit_breaker, concurrency, server_gates, turns
from gateway.legacy.pacing.ended_calls import EndedCall
from gateway.legacy.pacing.gate import Gate
from gateway.legacy.pacing.shared_state import CALLS, SIZE, Call, Pace, PaceFile, State
from gateway.legacy.pacing.turns import Limits

PAGES = "GET /rollen?page=*"
SOURCE = Source("bron", "http://127.0.0.1:1/", "me", "s" * 40, klanten_url="http://127.0.0.2:1/")


def dutch(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=DUTCH_TIME)


# --- the window


@pytest.mark.parametrize(
    ("window", "moment", "opens"),
    [
        ("", "2026-03-02 12:00", None),
        ("22:00-06:00", "2026-03-02 21:59", "2026-03-02 22:00"),
        ("22:00-06:00", "2026-03-02 22:00", None),
        ("22:00-06:00", "2026-03-03 05:59", None),
        ("22:00-06:00", "2026-03-03 06:00", "2026-03-03 22:00"),
        ("09:00-17:00", "2026-03-02 18:00", "2026-03-03 09:00"),
        ("za-zo", "2026-03-06 23:59", "2026-03-07 00:00"),  # a Friday
        ("za-zo", "2026-03-08 23:59", None),
        ("za-zo", "2026-03-09 00:00", "2026-03-14 00:00"),
        ("vr 22:00-06:00", "2026-03-07 05:00", None),  # Saturday morning is of Friday evening
        ("vr 22:00-06:00", "2026-03-07 22:30", "2026-03-13 22:00"),
        ("ma-vr 22:00-06:00, za-zo", "2026-03-07 12:00", None),
        ("ma-vr 22:00-06:00, za-zo", "2026-03-09 05:00", "2026-03-09 22:00"),
        ("zo-di 00:00-00:00", "2026-03-03 23:59", None),  # over the end of the week, whole days
        ("zo-di 00:00-00:00", "2026-03-04 00:00", "2026-03-08 00:00"),
        # On 29 March 2026 the clock goes from 02:00 to 03:00, on 25 October from 03:00 to 02:00.
        ("22:00-06:00", "2026-03-29 05:59", None),
        ("22:00-06:00", "2026-03-29 06:00", "2026-03-29 22:00"),
        ("zo 02:15-02:45", "2026-03-28 12:00", "2026-03-29 03:15"),
        ("zo 02:30-03:30", "2026-03-28 12:00", "2026-04-05 02:30"),
        ("22:00-06:00", "2026-10-25 05:59", None),
        ("22:00-06:00", "2026-10-25 06:00", "2026-10-25 22:00"),
    ],
)
def test_a_window_is_open_by_the_clock_on_the_wall(window, moment, opens):
    found = Window(window).opens(dutch(moment))
    assert found == (None if opens is None else dutch(opens).astimezone(UTC))


@pytest.mark.parametrize(
    "text",
    ["25:00-06:00", "22:00", "ma-xx", ",", "za-zo,", "ma 22:00-06:00 za", "ma22:00-06:00", "22:00-06:00x"],
)
def test_what_is_no_window_is_refused(text):
    with pytest.raises(ValueError, match="no window"):
        Window(text)


@given(
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1)),
    st.sampled_from(["22:00-06:00", "ma-vr 22:00-06:00, za-zo", "zo 02:30-03:30", "00:30-00:30"]),
)
def test_a_window_is_open_when_it_says_that_it_opens(moment, text):
    window, moment = Window(text), moment.replace(tzinfo=UTC)
    opens = window.opens(moment)
    if opens is not None:
        assert moment < opens <= moment + timedelta(days=14)
        assert window.opens(opens) is None
        assert window.opens(opens - timedelta(seconds=1)) is not None


def test_only_jobs_wait_for_the_window(tmp_path, monkeypatch):
    now = [dutch("2026-03-02 21:59:59.8")]
    source = Source("bron", "http://127.0.0.1:1/", "me", "s" * 40, window="22:00-06:00")
    monkeypatch.setattr(clock, "time_ns", lambda: int(now[0].timestamp() * 1_000_000) * 1000)
    gate = Gate(source, tmp_path / "x.pace")
    gate.leave(gate.enter(PAGES, None), None)
    waits = gate.waits()
    assert waits is not None
    assert (waits.reason, waits.until) == ("buiten het venster", dutch("2026-03-02 22:00").astimezone(UTC))
    with background(patience=0.1), pytest.raises(errors.WaitTooLong):
        gate.enter(PAGES, None)
    with background(window=False):
        gate.leave(gate.enter(PAGES, None), None)
    told = []

    def at_ten(why) -> None:
        told.append(why and why.reason)
        now[0] += timedelta(seconds=1)

    with background(waiting=at_ten):
        gate.leave(gate.enter(PAGES, None), None)
    assert told == ["buiten het venster", None]


# --- the circuit breaker


def call(number: int = 1) -> Call:
    return Call(pid=1, number=number)


def fail(pace: Pace, times: int, now: float) -> None:
    for _ in range(times):
        circuit_breaker.failed(pace, call(), now)


def test_the_breaker_opens_after_failures_in_a_row_and_one_call_tries():
    pace = Pace()
    fail(pace, 4, 100.0)
    circuit_breaker.answered(pace, 100.0)
    fail(pace, 4, 100.0)
    assert circuit_breaker.wait(pace, 100.0) == 0
    fail(pace, 1, 100.0)
    assert circuit_breaker.wait(pace, 100.0) == circuit_breaker.FIRST_SECONDS
    assert circuit_breaker.wait(pace, 105.0) == 0
    circuit_breaker.start(pace, call(7), 105.0)
    assert circuit_breaker.wait(pace, 105.0) > 0, "the others wait for the trial"
    assert circuit_breaker.state_of(pace, 105.0) == circuit_breaker.TRYING
    circuit_breaker.failed(pace, call(3), 105.0)
    assert circuit_breaker.state_of(pace, 105.0) == circuit_breaker.TRYING, (
        "a call of before says nothing new"
    )
    circuit_breaker.failed(pace, call(7), 106.0)
    assert circuit_breaker.wait(pace, 106.0) == 2 * circuit_breaker.FIRST_SECONDS
    circuit_breaker.start(pace, call(8), 120.0)
    circuit_breaker.answered(pace, 121.0)
    assert circuit_breaker.wait(pace, 121.0) == 0
    fail(pace, 4, 121.0)
    assert circuit_breaker.state_of(pace, 121.0) == circuit_breaker.CLOSED


def test_the_breaker_opens_when_most_calls_fail_though_some_do_not():
    pace = Pace()
    for number in range(30):
        circuit_breaker.failed(pace, call(), 1.0) if number % 5 else circuit_breaker.answered(pace, 1.0)
        if circuit_breaker.wait(pace, 1.0):
            break
    assert 19 <= number < 25


def test_failures_of_long_ago_are_forgotten():
    pace = Pace()
    fail(pace, 4, 100.0)
    fail(pace, 4, 100.0 + circuit_breaker.FORGET_SECONDS + 1)
    assert circuit_breaker.wait(pace, 200.0) == 0


def test_a_trial_without_an_outcome_lets_the_next_try():
    pace = Pace()
    fail(pace, 5, 100.0)
    circuit_breaker.start(pace, call(7), 105.0)
    circuit_breaker.ended(pace, call(7), 106.0)
    assert circuit_breaker.wait(pace, 106.0) == 0
    circuit_breaker.start(pace, call(8), 106.0)
    assert circuit_breaker.wait(pace, 106.0 + circuit_breaker.TRIAL_SECONDS) == 0, (
        "nor does one that never ends hold it for ever"
    )


@given(
    st.lists(st.tuples(st.sampled_from(["ok", "fail", "end", "start"]), st.integers(1, 3), st.floats(0, 90)))
)
def test_the_breaker_never_holds_for_ever(steps):
    pace, now = Pace(), 1000.0
    for what, number, seconds in steps:
        now += seconds
        one = call(number)
        if what == "start" and not circuit_breaker.wait(pace, now):
            circuit_breaker.start(pace, one, now)
        elif what == "ok":
            circuit_breaker.answered(pace, now)
        elif what == "fail":
            circuit_breaker.failed(pace, one, now)
        elif what == "end":
            circuit_breaker.ended(pace, one, now)
    assert circuit_breaker.wait(pace, now + circuit_breaker.TRIAL_SECONDS) == 0


# --- how many at a time


class Walk:
    """Pages that take so many seconds, one after the other."""

    def __init__(self, connections: int = 4) -> None:
        self.pace = Pace()
        self.connections = connections
        self.now = 1000.0

    def pages(self, number: int, seconds: float, page: int = 1) -> None:
        for _ in range(number):
            self.now += seconds
            concurrency.answered(self.pace, PAGES, page, seconds, self.connections, self.now)

    @property
    def allowed(self) -> int:
        return concurrency.allowed(self.pace, self.connections)


def test_a_source_that_becomes_slow_gets_fewer_calls_and_slowly_more_when_it_is_well():
    walk = Walk()
    walk.pages(20, 0.5)
    assert walk.allowed == 4
    walk.pages(8, 2.0)
    assert walk.pace.slow
    assert walk.allowed == 2
    walk.pages(40, 2.0)
    assert walk.allowed == 1
    walk.pages(12, 0.5)
    assert walk.allowed <= 2
    walk.pages(60, 0.5)
    assert walk.allowed == 4
    assert not walk.pace.slow


def test_a_source_that_stays_slow_is_not_taken_for_a_well_one():
    walk = Walk()
    walk.pages(20, 0.5)
    walk.pages(1800, 2.0)  # an hour
    assert walk.allowed == 1
    assert walk.pace.slow


def test_one_slow_page_changes_nothing():
    walk = Walk()
    for _ in range(20):
        walk.pages(6, 0.5)
        walk.pages(1, 30.0)
    assert walk.allowed == 4


def test_a_short_last_page_does_not_make_the_others_slow():
    walk = Walk()
    for _ in range(10):
        walk.pages(8, 0.7)
        walk.pages(1, 0.01)
    assert walk.allowed == 4


def test_pages_deep_in_a_list_may_take_longer():
    """Offset 1,000,000 takes four times as long as the front; that is not the source being unwell."""
    walk = Walk()
    for page in range(1, 2001):
        walk.pages(1, 0.7 + page * 0.0011, page)
    assert walk.allowed == 4
    walk.pages(30, 9.0, 2001)
    assert walk.allowed == 1


def test_quick_calls_are_not_slow_for_some_milliseconds_more():
    walk = Walk()
    walk.pages(20, 0.01)
    walk.pages(50, 0.08)
    assert walk.allowed == 4


def test_trouble_halves_at_most_once_a_second_and_never_below_one():
    walk = Walk(8)
    for _ in range(5):
        concurrency.record_failure(walk.pace, 8, walk.now)
    assert walk.allowed == 4
    for _ in range(10):
        walk.now += 1.5
        concurrency.record_failure(walk.pace, 8, walk.now)
    assert walk.allowed == 1


@given(st.lists(st.tuples(st.booleans(), st.floats(0.001, 60)), max_size=80), st.integers(1, 8))
def test_at_least_one_and_never_more_than_there_are(steps, connections):
    walk = Walk(connections)
    for good, seconds in steps:
        if good:
            walk.pages(1, seconds)
        else:
            walk.now += seconds
            concurrency.record_failure(walk.pace, connections, walk.now)
        assert 1 <= walk.allowed <= connections


def test_more_kinds_of_calls_than_there_is_room_for_do_no_harm():
    walk = Walk()
    for number in range(500):
        concurrency.answered(walk.pace, f"GET /{number}", 0, 0.1, 4, float(number))
    walk.pages(20, 0.5)
    walk.pages(8, 3.0)
    assert walk.allowed == 2


# --- rates and places


@given(st.floats(0.5, 200), st.integers(0, 1000))
def test_a_rate_is_kept_and_at_most_one_second_of_it_comes_at_once(per_second, seed):
    pace, limits, chance = Pace(), Limits(9, per_second, 0), random.Random(seed)
    now, taken = 50.0, []
    for _ in range(300):
        now += chance.choice((0, 0.01, 0.3, 3))
        turn = turns.due(pace.next_request, per_second, now)
        if turn <= now:
            turns.take(pace, turn, limits)
            taken.append(now)
    for first in range(0, len(taken), 7):
        for last in range(first, len(taken)):
            assert last - first + 1 <= (taken[last] - taken[first]) * per_second + max(per_second, 1) + 1e-6


def test_live_calls_go_first_and_have_one_connection_more():
    pace, limits = Pace(), Limits(2, 0, 0)
    for number in (1, 2):
        assert turns.background_hold(pace, limits, 1.0) is None
        turns.add(pace, call(number), turns.BACKGROUND)
    assert turns.background_hold(pace, limits, 1.0) == (turns.FULL, None)
    assert turns.live_may_go(pace, 2)
    turns.add(pace, call(3), turns.LIVE)
    assert not turns.live_may_go(pace, 2)
    turns.add(pace, call(4), turns.LIVE_WAITING)
    turns.remove(pace, call(1))
    turns.remove(pace, call(2))
    assert turns.background_hold(pace, limits, 1.0) == (turns.LIVE_FIRST, None)
    assert turns.live_may_go(pace, 2)


def test_more_live_calls_than_there_is_room_for_hold_background_calls_all_the_same():
    pace = Pace()
    for number in range(CALLS):
        assert turns.add(pace, call(number), turns.LIVE_WAITING)
    assert not turns.add(pace, call(999), turns.LIVE_WAITING)
    turns.remove(pace, call(999))
    assert pace.call_count == CALLS
    assert turns.background_hold(pace, Limits(2, 0, 0), 1.0) == (turns.LIVE_FIRST, None)


def test_the_places_of_processes_that_are_no_more_are_taken_back():
    pace, gone, ours = Pace(), subprocess.Popen(["true"]), this_process()
    gone.wait()
    for number, (pid, born) in enumerate([(ours.pid, ours.born), (gone.pid, 7), (ours.pid, 7)], start=1):
        one = Call(pid=pid, born=born, namespace=ours.namespace, number=number)
        turns.add(pace, one, turns.BACKGROUND)
    turns.reclaim(pace, 1e9)
    assert [each.number for each in pace.calls[: pace.call_count]] == [1], (
        "nor is a number that was used again"
    )


def test_a_call_of_another_container_keeps_its_place_for_as_long_as_a_call_may_take():
    """Its process number means nothing here: it may be nobody's, or that of a process of ours."""
    pace, ours = Pace(), this_process()
    for pid, born in ((4_000_000, 7), (ours.pid, ours.born)):
        call = Call(pid=pid, born=born, namespace=ours.namespace + 1, number=1, at=100.0)
        turns.add(pace, call, turns.BACKGROUND)
    turns.reclaim(pace, 100.0 + turns.UNSEEN_SECONDS - 1)
    assert pace.call_count == 2
    turns.remove(pace, Call(pid=ours.pid, born=ours.born, namespace=ours.namespace, number=1))
    assert pace.call_count == 2, "one of ours with the same numbers is another call"
    turns.reclaim(pace, 100.0 + turns.UNSEEN_SECONDS)
    assert pace.call_count == 0


# --- the file


def test_the_file_is_for_its_owner_only_and_keeps_what_an_operator_asked(tmp_path, monkeypatch):
    store = tmp_path / "klantbrug.db"
    server_gates.set_overrides(store, SOURCE, connections=5, objects_per_second=12.5)
    server_gates.pause(store, SOURCE)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["klantbrug.db.bron.klanten.pace", "klantbrug.db.bron.pace"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    monkeypatch.setattr(
        "gateway.legacy.pacing.shared_state.boot", lambda: 12345
    )  # the machine was started again
    told = server_gates.describe(store, SOURCE)
    assert told["paused"]
    assert told["overrides"] == {"connections": 5, "objects_per_second": 12.5}
    assert told["others"][0]["overrides"] == told["overrides"]


def test_what_was_known_before_the_machine_started_again_is_forgotten(tmp_path, monkeypatch):
    gate = Gate(SOURCE, tmp_path / "x.pace")
    for _ in range(5):
        error = errors.Unreachable("bron", PAGES)
        gate.leave(gate.enter(PAGES, None), EndedCall(PAGES, 1, 0.1, error))
    assert gate.broken()
    monkeypatch.setattr("gateway.legacy.pacing.shared_state.boot", lambda: 12345)
    assert not Gate(SOURCE, tmp_path / "x.pace").broken()


def test_a_file_of_the_version_before_keeps_what_an_operator_asked(tmp_path):
    gate = Gate(SOURCE, tmp_path / "x.pace")
    gate.pause(True)
    gate.override(connections=5)
    gate.close()
    content = (tmp_path / "x.pace").read_bytes()
    older = 0x4B42_5041_4345_0001.to_bytes(8, "little") + content[8 : State.pace.offset] + b"\xff" * 3000
    (tmp_path / "x.pace").write_bytes(older)
    told = Gate(SOURCE, tmp_path / "x.pace").describe()
    assert (told["paused"], told["connections"], told["in_flight"]) == (True, 5, 0)


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * SIZE, b"\0" * SIZE])
def test_a_damaged_file_begins_anew(tmp_path, content):
    path = tmp_path / "x.pace"
    path.write_bytes(content)
    gate = Gate(SOURCE, path)
    gate.leave(gate.enter(PAGES, None), None)
    assert gate.describe()["breaker"] == "dicht"


def test_without_a_place_for_the_file_no_process_goes_on_by_itself(tmp_path):
    """It would ask beside the others, and an operator's pause would not reach it."""
    path = tmp_path / "no such folder" / "x.pace"
    with pytest.raises(NotShared, match="no such folder"):
        Gate(SOURCE, path).share()


def test_threads_do_not_lose_each_others_changes(tmp_path):
    file = [PaceFile(tmp_path / "x.pace") for _ in range(2)]

    def count(mine: PaceFile) -> None:
        for _ in range(300):
            with mine.locked() as state:
                state.pace.busy += 1

    threads = [threading.Thread(target=count, args=(file[number % 2],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with file[0].locked() as state:
        assert state.pace.busy == 1200


def test_a_forked_process_has_a_lock_and_places_of_its_own(tmp_path):
    gate = Gate(dataclasses.replace(SOURCE, max_connections=1), tmp_path / "x.pace")
    with background():
        held = gate.enter(PAGES, None)
        child = os.fork()
        if not child:
            try:
                gate.enter(PAGES, time.monotonic() + 0.3)
            except errors.DeadlinePassed:
                os._exit(7)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        gate.leave(held, None)
        gate.leave(gate.enter(PAGES, None), None)


def test_a_server_that_is_down_does_not_close_the_other_servers_of_a_source(tmp_path: Path):
    both = server_gates.Gates(SOURCE, tmp_path / "klantbrug.db")
    zaken, klanten = both.of(SOURCE.zaken_url), both.of(SOURCE.klanten_url)
    for _ in range(5):
        klanten.leave(klanten.enter(PAGES, None), EndedCall(PAGES, 1, 0.1, errors.Unreachable("bron", PAGES)))
    with pytest.raises(errors.CircuitOpen):
        klanten.enter(PAGES, None)
    zaken.leave(zaken.enter(PAGES, None), None)
