"""Nothing twice, whatever becomes of answers and of the process."""

from __future__ import annotations

import random
import threading

import pytest
from builders.killing import kills_itself
from builders.old_home import OldHome, leave_and_die
from builders.other_register import (
    BUSY,
    DECLINED,
    FAILED,
    FAILED_AFTER,
    FORBIDDEN,
    LATER,
    LOST,
    SLOW,
    OtherRegister,
)
from builders.until import until

from gateway.base.clock import now
from gateway.store.base.kinds import KINDS
from gateway.store.export import documents, pairs
from jobs.export.parcels import parcel_of


def same_counts(home: OldHome, register: OtherRegister) -> bool:
    with home.store.read() as connection:
        ours = sorted(documents.count(connection, kind) for kind in KINDS)
    return sorted(register.counts().values()) == ours


@pytest.mark.slow
@pytest.mark.rule("E3")
@pytest.mark.parametrize("trap", [LOST, FAILED, FAILED_AFTER, LATER])
def test_what_got_no_answer_is_looked_for_before_it_is_sent_again(
    home: OldHome, register: OtherRegister, trap: str
) -> None:
    home.fill(5)
    register.traps.trap = lambda method, path, number: trap if method == "POST" and number % 9 == 1 else None
    outcome = home.export(register.settings(read_timeout=1))
    assert outcome.stopped == "" and outcome.counts.get("parked", 0) == 0
    assert outcome.counts["unanswered"] >= 4
    assert same_counts(home, register)
    register.traps.trap = lambda method, path, number: None
    report = home.verify(register.settings())
    assert report["clean"], report["details"]


@pytest.mark.slow
@pytest.mark.rule("E3")
def test_a_register_that_is_slower_than_we_wait_does_not_get_it_twice(
    home: OldHome, register: OtherRegister
) -> None:
    home.fill(4)
    register.traps.slow_seconds = 1.6
    register.traps.trap = lambda method, path, number: SLOW if method == "POST" and number % 7 == 1 else None
    outcome = home.export(register.settings(read_timeout=1))
    assert outcome.counts["unanswered"] >= 3
    assert outcome.counts.get("again", 0) == 0, "it was there, or came"
    assert same_counts(home, register)


@pytest.mark.slow
@pytest.mark.rule("E3")
def test_what_a_killed_process_sent_last_is_waited_for(home: OldHome, register: OtherRegister) -> None:
    """Its lot was noted long ago, and the register is still busy with it."""
    home.client.make("partijen", {"soortPartij": "persoon", "indicatieActief": True})
    settings = register.settings(read_timeout=1)
    with home.store.write() as connection:
        (leaving,) = documents.unsent(connection, "partij", documents.BEFORE_ALL, 2)
        parcel = parcel_of(leaving)
        pairs.begin(connection, settings.url, 0)
        pairs.intend(connection, [parcel.intent()], pairs.next_turn(connection), now() - 60_000_000)
    register.traps.slow_seconds = 0.5
    register.traps.trap = lambda method, path, number: SLOW if (method, number) == ("POST", 1) else None
    last = threading.Thread(target=register.send, args=("POST", "partijen", parcel.sent))
    last.start()
    until(lambda: register.traps.count("POST"))
    outcome = home.export(settings)
    last.join()
    assert (outcome.counts["found"], outcome.counts.get("again", 0)) == (1, 0)
    assert same_counts(home, register)


@pytest.mark.slow
@pytest.mark.rule("E3")
def test_killed_after_it_was_sent_without_the_nummer_that_another_has(
    home: OldHome, register: OtherRegister
) -> None:
    partij = {"soortPartij": "persoon", "indicatieActief": True, "nummer": "1"}
    register.send("POST", "partijen", partij)
    home.client.make("partijen", {**partij, "interneNotitie": "een ander"})
    settings = register.settings(read_timeout=1)
    assert kills_itself(leave_and_die, home.config.store.path, settings, 1)
    assert len(register.all("partijen")) == 2
    assert home.export(settings).counts["found"] == 1
    assert len(register.all("partijen")) == 2


@pytest.mark.slow
@pytest.mark.rule("E1")
def test_who_asks_for_rest_gets_it(home: OldHome, register: OtherRegister) -> None:
    home.fill(4)
    register.traps.trap = lambda method, path, number: BUSY if method == "POST" and number == 5 else None
    outcome = home.export(register.settings())
    assert (outcome.stopped, outcome.counts.get("unanswered", 0)) == ("", 0)
    assert same_counts(home, register)


@pytest.mark.slow
@pytest.mark.rule("E1")
def test_rights_that_are_taken_away_halfway_stop_it_and_it_goes_on_later(
    home: OldHome, register: OtherRegister
) -> None:
    home.fill(8)
    register.traps.trap = lambda method, path, number: FORBIDDEN if method == "POST" and number > 20 else None
    outcome = home.export(register.settings(read_timeout=1))
    assert "403" in outcome.stopped
    register.traps.trap = lambda method, path, number: None
    assert home.export(register.settings(read_timeout=1)).stopped == ""
    assert same_counts(home, register)


@pytest.mark.slow
@pytest.mark.rule("E5")
def test_what_is_refused_is_parked_with_code_and_fields_and_what_hangs_on_it_waits(
    home: OldHome, register: OtherRegister, caplog: pytest.LogCaptureFixture
) -> None:
    home.fill(6)
    refused = iter([True])
    register.traps.trap = lambda method, path, number: (
        DECLINED if (method, path) == ("POST", "partijen") and next(refused, False) else None
    )
    outcome = home.export(register.settings())
    assert outcome.stopped == "" and outcome.counts["parked"] == 1
    assert outcome.waiting > 0
    with home.store.read() as connection:
        (parked,) = pairs.in_state(connection, pairs.PARKED)
    assert (parked.kind, parked.cause) == ("partij", "invalid: interneNotitie max_length")
    assert "Voorbeeld" not in caplog.text
    report = home.verify(register.settings())
    assert report["clean"], report["details"]
    assert report["parked"][0]["count"] == 1 and sum(report["waiting"].values()) == outcome.waiting
    register.traps.asked.clear()
    home.export(register.settings())
    assert register.traps.count("POST") == 0, "a second run sends nothing"
    again = home.export(register.settings(), parked=True)
    assert (again.waiting, again.counts.get("parked", 0)) == (0, 0)
    assert same_counts(home, register)


def kill_often(home: OldHome, register: OtherRegister, times: int, most: int) -> None:
    chance = random.Random(times)
    settings = register.settings(read_timeout=1)
    killed = 0
    while killed < times:
        if not kills_itself(leave_and_die, home.config.store.path, settings, chance.randrange(most)):
            break
        killed += 1
    assert home.export(settings).stopped == ""
    assert killed == times
    assert same_counts(home, register)
    report = home.verify(settings)
    assert report["clean"], report["details"]
    assert not sum(report["others"].values())


@pytest.mark.slow
@pytest.mark.rule("E3")
def test_killed_between_sending_and_the_answer(home: OldHome, register: OtherRegister) -> None:
    home.fill(5)
    kill_often(home, register, 3, 12)


@pytest.mark.soak
@pytest.mark.rule("E3")
def test_killed_a_hundred_times_between_sending_and_the_answer(
    home: OldHome, register: OtherRegister
) -> None:
    home.fill(120)
    kill_often(home, register, 100, 10)
