"""Everything to an empty register, once."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
from builders.old_home import OldHome
from builders.other_register import LOST, SLOW, OtherRegister

from gateway.operator.export import switch
from gateway.store.base.kinds import KINDS
from gateway.store.export import documents, pairs
from gateway.store.export.pairs import EXPORTED, PHASE
from gateway.store.operation.sources import set_meta
from jobs.common.work import Busy

pytestmark = pytest.mark.slow


@pytest.mark.rule("E1")
def test_everything_goes_and_a_second_run_sends_nothing(home: OldHome, register: OtherRegister) -> None:
    home.fill(12)
    outcome = home.export(register.settings())
    assert (outcome.stopped, outcome.waiting, outcome.counts.get("parked", 0)) == ("", 0, 0)
    with home.store.read() as connection:
        ours = sorted(documents.count(connection, kind) for kind in KINDS)
    assert sorted(register.counts().values()) == ours
    report = home.verify(register.settings())
    assert report["clean"], report["details"]
    register.traps.asked.clear()
    again = home.export(register.settings())
    assert again.counts.get("sent", 0) == 0
    assert {method for method, _ in register.traps.asked} <= {"GET"}


@pytest.mark.rule("E8")
def test_nothing_goes_once_clients_write_there(home: OldHome, register: OtherRegister) -> None:
    home.client.make("actoren", {"naam": "Robot", "soortActor": "geautomatiseerde_actor"})
    set_meta(home.store, PHASE, EXPORTED)
    with pytest.raises(Busy, match="het register is de baas"):
        home.export(register.settings())
    assert register.traps.asked == []


@pytest.mark.rule("E8")
def test_a_run_ends_when_clients_go_there_meanwhile(home: OldHome, register: OtherRegister) -> None:
    """Between two lots, and before a change is sent."""
    actor = home.client.make("actoren", {"naam": "Robot", "soortActor": "geautomatiseerde_actor"})
    home.client.make("partijen", {"soortPartij": "persoon", "indicatieActief": True})

    def leaves(method: str, path: str, number: int) -> None:
        if method == leaves_at:
            set_meta(home.store, PHASE, EXPORTED)

    register.traps.trap, leaves_at = leaves, "POST"
    assert "exported" in home.export(register.settings()).stopped
    assert [path for method, path in register.traps.asked if method == "POST"] == ["actoren"]
    set_meta(home.store, PHASE, "")
    home.client.send("PATCH", f"actoren/{actor['uuid']}", {"naam": "Automaat"})
    assert "exported" in home.export(register.settings()).stopped
    assert register.traps.count("PATCH") == 0
    assert (register.traps.count("POST"), register.all("actoren")[0]["naam"]) == (2, "Robot")


@pytest.mark.slow
@pytest.mark.rule("E3")
@pytest.mark.rule("E8")
def test_answers_that_are_on_their_way_when_all_leave_with_force_are_kept(
    home: OldHome, register: OtherRegister
) -> None:
    """Slow ones, and one that is lost: whoever comes by a uuid of before must be led to what is there."""
    for place in range(90):  # more than two lots
        home.client.make("categorieen", {"naam": f"Nummer {place}"})
    target, left = register.settings(read_timeout=1), threading.Event()
    register.traps.slow_seconds = 0.4

    def leaves(method: str, path: str, number: int) -> str | None:
        if method == "POST" and number == 30 and not left.is_set():
            left.set()
            switch.leave(home.store, target, "operator", "test", force=True)
        return None if method != "POST" else LOST if number == 31 else SLOW if number > 28 else None

    register.traps.trap = leaves
    assert "exported" in home.export(target).stopped
    there = register.all("categorieen")
    with home.store.read() as connection:
        assert pairs.in_state(connection, pairs.SENDING) == []
        known = pairs.of_theirs(connection, [UUID(one["uuid"]).bytes for one in there])
    assert 30 < len(there) < 90 and len(known) == len(there)


@pytest.mark.slow
@pytest.mark.rule("E6")
def test_a_sample_as_large_as_all_compares_all_and_its_seed_makes_the_same_choice(
    home: OldHome, register: OtherRegister
) -> None:
    home.fill(8)
    home.export(register.settings())
    total = sum(register.counts().values())
    report = home.verify(register.settings(), sample=total)
    assert {kind: row["compared"] for kind, row in report["kinds"].items()} == {
        kind: row["theirs"] for kind, row in report["kinds"].items()
    }
    few = [home.verify(register.settings(), sample=10, seed=seed)["kinds"] for seed in (1, 1, 2)]
    assert [sum(row["compared"] for row in each.values()) for each in few] == [10] * 3
    assert few[0] == few[1]


@pytest.mark.rule("E8")
def test_what_a_job_wrote_while_clients_were_there_goes_after_we_are_back(
    home: OldHome, register: OtherRegister
) -> None:
    """A sync that ran when the phase was switched writes what it had under way."""
    categorie = home.client.make("categorieen", {"naam": "Eerst"})
    target = register.settings()
    home.export(target)
    switch.leave(home.store, target, "operator", "test", force=True)
    set_meta(home.store, PHASE, "")  # a job's transactions do not look at the phase
    home.client.send("PATCH", f"categorieen/{categorie['uuid']}", {"naam": "Daarna"})
    set_meta(home.store, PHASE, EXPORTED)
    switch.come_back(home.store, "operator")
    home.export(target)
    assert [one["naam"] for one in register.all("categorieen")] == ["Daarna"]
