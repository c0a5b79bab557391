"""Several processes of one store ask one source: they keep to its limits together."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from builders.until import until
from builders.watched_source import (
    ELSEWHERE,
    FAST,
    GOOD,
    UNKNOWN,
    AskingProcess,
    Watched,
    askers,
    namespaces_are_allowed,
)

from gateway.legacy import errors
from gateway.legacy.background import background
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.pacing import server_gates

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def three() -> Iterator[list[AskingProcess]]:
    with askers(3) as found:
        yield found


@pytest.fixture
def watched() -> Iterator[Watched]:
    with Watched() as found:
        yield found


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "klantbrug.db"


def test_the_rate_of_three_processes_together_is_the_limit(three, watched, store):
    for one in three:
        one.ask(watched, store, 3.0, requests_per_second=60, max_connections=3)
    reasons = {reason for one in three for reason in one.told()["reasons"]}
    # One second's worth may come at once in the beginning; after that it is steady.
    began = watched.times[0] + 1.0
    steady = [moment for moment in watched.times if began <= moment < began + 1.8]
    assert 0.95 * 60 * 1.8 <= len(steady) <= 60 * 1.8 + 2
    assert "snelheid (requests/s)" in reasons


def test_connections_are_counted_over_all_processes(three, watched, store):
    watched.seconds = 0.05
    for one in three:
        one.ask(watched, store, 0.6, max_connections=2)
    answered = sum(len(one.told()["took"]) for one in three)
    assert watched.most == 2
    assert answered >= 0.7 * 2 * 0.6 / 0.05


def test_a_breaker_that_one_process_opened_is_open_for_the_others(three, watched, store):
    watched.answer = lambda: (502, {})
    one, other, _ = three
    one.ask(watched, store, 0.3, live=True)
    assert set(one.told()["errors"]) == {"server_error", "circuit_open"}
    calls = len(watched.times)
    other.ask(watched, store, 0, live=True)
    assert other.told() == {"took": [], "errors": ["circuit_open"], "reasons": []}
    assert len(watched.times) == calls <= 7, "nothing was asked"
    assert server_gates.describe(store, watched.source())["breaker"] == "open"


@pytest.mark.parametrize("status", [429, 503])
def test_all_processes_rest_when_the_source_asks_one_to(three, watched, store, status):
    said: list[float] = []

    def answer() -> tuple[int, dict[str, str]]:
        if not said and len(watched.times) > 20:
            said.append(time.monotonic())
            return status, {"Retry-After": "1"}
        return GOOD

    watched.answer = answer
    watched.seconds = 0.01
    for one in three:
        one.ask(watched, store, 1.8, max_connections=3)
    told = [one.told() for one in three]
    resting = [moment for moment in watched.times if said[0] + 0.1 < moment < said[0] + 0.98]
    assert resting == []
    assert len([moment for moment in watched.times if moment > said[0] + 0.98]) > 5, "and then it went on"
    assert all("bron vraagt rust (Retry-After)" in each["reasons"] for each in told)
    assert all(each["errors"] == [] for each in told)


def test_what_a_killed_process_held_is_free_again(watched, store):
    watched.seconds = 30
    with askers(1) as (one,):
        one.ask(watched, store, 0, max_connections=1)
        until(lambda: watched.times)
        assert server_gates.describe(store, watched.source())["in_flight"] == 1
        one.kill()
        watched.seconds = 0
        client = ZakenClient(watched.source(max_connections=1), retries=FAST, pace=store)
        with background():
            client.get("rol", UNKNOWN, deadline=time.monotonic() + 5)
    assert server_gates.describe(store, watched.source())["in_flight"] == 0


@pytest.mark.skipif(not namespaces_are_allowed(), reason="needs pid namespaces")
def test_containers_of_one_store_leave_each_other_their_places(watched, store):
    watched.seconds = 1.5
    with askers(1, *ELSEWHERE) as (other,):
        other.ask(watched, store, 0, max_connections=1)
        until(lambda: watched.times)
        client = ZakenClient(watched.source(max_connections=1), retries=FAST, pace=store)
        with background():
            client.get("rol", UNKNOWN, deadline=time.monotonic() + 60)
        assert other.told()["errors"] == []
    assert watched.most == 1


@pytest.mark.soak
def test_processes_that_are_killed_at_any_moment_never_hold_up_the_others(watched, store):
    """30 kills: whatever was in its hands is free again within two seconds, and no rate or breaker is stuck."""
    chance = random.Random(5)
    watched.seconds = 0.01
    with askers(1) as (steady,):
        steady.ask(watched, store, 60, max_connections=2, requests_per_second=200)
        for _ in range(30):
            with askers(2) as doomed:
                for one in doomed:
                    one.ask(watched, store, 60, max_connections=2, requests_per_second=200)
                time.sleep(chance.uniform(0, 0.5))
                for one in doomed:
                    one.kill()
            asked = len(watched.times)
            until(lambda asked=asked: len(watched.times) > asked + 10, 2)
            told = server_gates.describe(store, watched.source())
            assert (told["breaker"], told["paused"]) == ("dicht", False)
            assert told["in_flight"] <= 1
        assert steady.told()["errors"] == []


def test_the_trial_of_a_killed_process_is_taken_over(watched, store, monkeypatch):
    monkeypatch.setattr("gateway.legacy.pacing.circuit_breaker.FIRST_SECONDS", 0.1)
    watched.answer = lambda: (502, {})
    client = ZakenClient(watched.source(), retries=FAST, pace=store)
    for cause in (errors.ServerError, errors.CircuitOpen):
        with pytest.raises(cause):
            client.get("rol", UNKNOWN)
    calls = len(watched.times)
    watched.seconds, watched.answer = 30, lambda: GOOD
    with askers(1) as (one,):
        one.ask(watched, store, 0)
        until(lambda: len(watched.times) > calls)
        assert server_gates.describe(store, watched.source())["breaker"] == "proef"
        with pytest.raises(errors.CircuitOpen):
            client.get("rol", UNKNOWN)
        one.kill()
    watched.seconds = 0
    with background():
        client.get("rol", UNKNOWN, deadline=time.monotonic() + 5)
    assert server_gates.describe(store, watched.source())["breaker"] == "dicht"


def test_live_calls_take_about_as_long_as_when_they_are_alone(three, watched, store):
    watched.seconds = 0.05
    one, other, client = three
    client.ask(watched, store, 0.6, live=True)
    alone = median(client.told()["took"])
    for job in (one, other):
        job.ask(watched, store, 1.2)
    time.sleep(0.2)
    client.ask(watched, store, 0.8, live=True)
    took = client.told()["took"]
    done = [job.told() for job in (one, other)]
    assert median(took) < alone * 1.3 + 0.01
    assert watched.most <= 3, "two connections, and one more for a client"
    assert sum(len(each["took"]) for each in done) > 5, "the job goes on meanwhile"
    assert any("live verzoeken gaan voor" in each["reasons"] for each in done)


def test_a_pause_holds_the_jobs_of_every_process_and_no_client(three, watched, store):
    source = watched.source()
    server_gates.pause(store, source)
    job, client, _ = three
    job.ask(watched, store, 0, tells=True)
    client.ask(watched, store, 0, live=True)
    assert len(client.told()["took"]) == 1
    assert job.told() == {"waits": "gepauzeerd"}
    assert server_gates.describe(store, source)["waiting"] == "gepauzeerd"
    assert len(watched.times) == 1
    server_gates.resume(store, source)
    assert job.told()["reasons"] == ["gepauzeerd"]
    assert len(watched.times) == 2


def test_an_operator_changes_the_limits_while_it_runs(three, watched, store):
    source = watched.source(requests_per_second=1)
    watched.seconds = 0.02
    three[0].ask(watched, store, 1.0, requests_per_second=1)
    until(lambda: server_gates.describe(store, source)["waiting"] == "snelheid (requests/s)")
    server_gates.set_overrides(store, source, requests_per_second=0, connections=1)
    told = server_gates.describe(store, source)
    assert told["overrides"] == {"connections": 1, "requests_per_second": 0}
    assert told["connections"] == 1
    assert len(three[0].told()["took"]) > 10
    server_gates.clear_overrides(store, source)
    assert server_gates.describe(store, source)["overrides"] == {}
    assert server_gates.describe(store, source)["requests_per_second"] == 1
