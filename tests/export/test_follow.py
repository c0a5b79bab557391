"""Every change to the register, until the switch."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from builders.editor import codes, ref
from builders.following import backfilled
from builders.old_home import OldHome
from builders.other_register import DECLINED, FAILED_AFTER, LATER, OtherRegister
from builders.probe.tamper import Tamper
from builders.sample_data import person, small
from builders.slow_source import a_bsn

from gateway.config.target import Target
from gateway.installation import Installation
from gateway.operator.export import following
from gateway.sample.server import SampleServer
from gateway.store.export import documents, pairs
from jobs.export.follow import anything_due
from jobs.registry import BY_NAME, run_job

pytestmark = pytest.mark.slow

WHO = "tester"


def installation_of(home: OldHome, target: Target) -> Installation:
    return Installation(replace(home.config, target=target), home.store, None, {})  # type: ignore[arg-type]


def follow(home: OldHome, target: Target) -> dict[str, int]:
    """One turn of the job."""
    return run_job(installation_of(home, target), BY_NAME["export"])


@pytest.fixture
def followed(home: OldHome, register: OtherRegister) -> tuple[OldHome, Target, OtherRegister]:
    """A home that was exported and is followed from then on."""
    home.fill(6)
    target = register.settings(read_timeout=1)
    home.export(target)
    following.follow(home.store, target, WHO, on=True)
    return home, target, register


def equal(home: OldHome, target: Target) -> bool:
    with home.store.read() as connection:
        assert documents.count_due(connection) == 0
    report = home.verify(target)
    return bool(report["clean"]) and not any(report["under_way"].values())


@pytest.mark.rule("E7")
def test_what_clients_change_make_and_delete_goes_there(
    followed: tuple[OldHome, Target, OtherRegister],
) -> None:
    home, target, register = followed
    send, make = home.client.send, home.client.make
    assert not anything_due(installation_of(home, target))
    partijen = send("GET", "partijen")["results"]
    first, second, gone = partijen[0], partijen[1], partijen[2]
    send("PATCH", f"partijen/{first['uuid']}", {"interneNotitie": "gewijzigd"})
    adres = make(
        "digitaleadressen",
        {"adres": "nieuw@example.nl", "soortDigitaalAdres": "email", "verstrektDoorPartij": ref(second)},
    )
    send("PATCH", f"partijen/{second['uuid']}", {"voorkeursDigitaalAdres": ref(adres)})
    send("DELETE", f"partijen/{gone['uuid']}")
    contact = send("GET", "klantcontacten")["results"][0]
    send("PATCH", f"klantcontacten/{contact['uuid']}", {"onderwerp": "Anders"})
    send("DELETE", f"klantcontacten/{send('GET', 'klantcontacten')['results'][1]['uuid']}")
    assert anything_due(installation_of(home, target))
    follow(home, target)
    assert equal(home, target)
    assert "nieuw@example.nl" in {one["adres"] for one in register.all("digitaleadressen")}
    assert "Anders" in {one["onderwerp"] for one in register.all("klantcontacten")}
    preferred = {str(one["voorkeursDigitaalAdres"]) for one in register.all("partijen")}
    assert len(preferred) > 1


@pytest.mark.slow
@pytest.mark.rule("E7")
def test_a_number_that_moves_makes_room_first(followed: tuple[OldHome, Target, OtherRegister]) -> None:
    """The register takes each number once: the old one goes before the new one comes."""
    home, target, _ = followed
    one = home.client.make("partijen", {"soortPartij": "persoon", "indicatieActief": True})
    number = {"identificeerdePartij": ref(one), "partijIdentificator": codes("bsn", a_bsn(900))}
    made = home.client.make("partij-identificatoren", number)
    follow(home, target)
    home.client.send("DELETE", f"partij-identificatoren/{made['uuid']}")
    other = home.client.make("partijen", {"soortPartij": "persoon", "indicatieActief": True})
    home.client.make("partij-identificatoren", {**number, "identificeerdePartij": ref(other)})
    follow(home, target)
    assert equal(home, target)


@pytest.mark.slow
@pytest.mark.rule("E7")
def test_what_the_register_does_not_take_now_goes_later_in_order(
    followed: tuple[OldHome, Target, OtherRegister], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, target, register = followed
    monkeypatch.setattr("gateway.target.client.PATIENCE", 0.5)
    partij = home.client.send("GET", "partijen")["results"][0]
    register.traps.trap = lambda method, path, number: LATER if method in ("PATCH", "POST") else None
    home.client.send("PATCH", f"partijen/{partij['uuid']}", {"interneNotitie": "een"})
    assert follow(home, target)["failed"] == 1
    home.client.send("PATCH", f"partijen/{partij['uuid']}", {"interneNotitie": "twee"})
    home.client.make("categorieen", {"naam": "Nog een"})
    register.traps.trap = lambda method, path, number: FAILED_AFTER if number == 1 else None
    follow(home, target)
    register.traps.trap = lambda method, path, number: None
    follow(home, target)
    assert equal(home, target)
    assert "twee" in {one["interneNotitie"] for one in register.all("partijen")}
    assert [one["naam"] for one in register.all("categorieen")].count("Nog een") == 1


def now_due(home: OldHome) -> None:
    """As if the time to wait had passed."""
    Tamper(home.store).hurry_export()


@pytest.mark.slow
@pytest.mark.rule("E7")
def test_a_preference_waits_for_its_address(followed: tuple[OldHome, Target, OtherRegister]) -> None:
    """The first one is there already: a run would not send the preference either."""
    home, target, register = followed
    send = home.client.send
    partij = send("GET", "partijen")["results"][0]
    path = f"partijen/{partij['uuid']}"
    made = {"adres": "een@example.nl", "soortDigitaalAdres": "email", "verstrektDoorPartij": ref(partij)}
    send("PATCH", path, {"voorkeursDigitaalAdres": ref(home.client.make("digitaleadressen", made))})
    follow(home, target)
    register.traps.trap = lambda method, path, number: DECLINED if method == "POST" else None
    adres = home.client.make("digitaleadressen", {**made, "adres": "twee@example.nl"})
    send("PATCH", path, {"voorkeursDigitaalAdres": ref(adres)})
    follow(home, target)
    register.traps.trap = lambda method, path, number: None
    send("PATCH", f"digitaleadressen/{adres['uuid']}", {"omschrijving": "verbeterd"})
    now_due(home)
    follow(home, target)
    shown = {one["uuid"]: one["adres"] for one in register.all("digitaleadressen")}
    preferred = [one["voorkeursDigitaalAdres"] for one in register.all("partijen")]
    assert "twee@example.nl" in {shown[one["uuid"]] for one in preferred if one}
    assert equal(home, target)


@pytest.mark.slow
@pytest.mark.rule("E7")
def test_a_partij_goes_after_what_hung_on_it(followed: tuple[OldHome, Target, OtherRegister]) -> None:
    """The register deletes with a partij the address that it refuses to move for now."""
    home, target, register = followed
    one, other = (
        home.client.make("partijen", {"soortPartij": "persoon", "indicatieActief": True}) for _ in range(2)
    )
    made = {"adres": "blijft@example.nl", "soortDigitaalAdres": "email", "verstrektDoorPartij": ref(one)}
    adres = home.client.make("digitaleadressen", made)
    follow(home, target)
    path = f"digitaleadressen/{adres['uuid']}"
    home.client.send("PATCH", path, {"verstrektDoorPartij": ref(other), "isStandaardAdres": False})
    home.client.send("DELETE", f"partijen/{one['uuid']}")
    register.traps.trap = lambda method, path, number: DECLINED if method == "PATCH" else None
    partijen = len(register.all("partijen"))
    register.traps.asked.clear()
    follow(home, target)
    assert len(register.all("partijen")) == partijen, "it waits"
    register.traps.trap = lambda method, path, number: None
    now_due(home)
    follow(home, target)
    assert register.traps.count("POST") == 0, "the address was moved, not made again"
    assert equal(home, target)


@pytest.mark.slow
@pytest.mark.rule("E7")
def test_what_somebody_else_deleted_is_made_again_when_it_changes(
    followed: tuple[OldHome, Target, OtherRegister],
) -> None:
    home, target, register = followed
    (adres, *_) = home.client.send("GET", "digitaleadressen?adres=iemand2@example.nl")["results"]
    (there, *_) = register.send("GET", "digitaleadressen?adres=iemand2@example.nl")["results"]
    register.send("DELETE", f"digitaleadressen/{there['uuid']}")
    home.client.send("PATCH", f"digitaleadressen/{adres['uuid']}", {"omschrijving": "anders"})
    follow(home, target)
    now_due(home)
    follow(home, target)
    (again,) = register.send("GET", "digitaleadressen?adres=iemand2@example.nl")["results"]
    assert again["omschrijving"] == "anders"
    with home.store.read() as connection:
        assert documents.count_due(connection) == 0


@pytest.mark.slow
@pytest.mark.rule("E7")
def test_what_got_no_answer_before_the_register_went_away_is_settled_by_the_next_turn(
    home: OldHome, register: OtherRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = register.settings(read_timeout=1)
    home.export(target)
    following.follow(home.store, target, WHO, on=True)
    monkeypatch.setattr("gateway.target.client.PATIENCE", 0.1)
    made = home.client.make("actoren", {"naam": "Robot", "soortActor": "geautomatiseerde_actor"})
    register.traps.trap = lambda method, path, number: (
        FAILED_AFTER if method == "POST" else LATER if register.traps.count("POST") else None
    )
    assert follow(home, target)["failed"] == 1
    register.traps.trap = lambda method, path, number: None
    home.client.send("PATCH", f"actoren/{made['uuid']}", {"naam": "Automaat"})
    assert follow(home, target)["found"] == 1
    assert equal(home, target)
    assert [one["naam"] for one in register.all("actoren")] == ["Automaat"]


@pytest.mark.slow
@pytest.mark.rule("E7")
def test_what_was_there_before_us_is_not_deleted(home: OldHome, register: OtherRegister) -> None:
    theirs = register.send(
        "POST",
        "partijen",
        {
            "soortPartij": "persoon",
            "indicatieActief": True,
            "partijIdentificatoren": [{"partijIdentificator": codes("bsn", a_bsn(4))}],
        },
    )
    home.fill(5)
    target = register.settings()
    home.export(target)
    following.follow(home.store, target, WHO, on=True)
    query = f"partijen?partijIdentificator__objectId={a_bsn(4)}&partijIdentificator__codeSoortObjectId=bsn"
    (ours,) = home.client.send("GET", query)["results"]
    home.client.send("DELETE", f"partijen/{ours['uuid']}")
    follow(home, target)
    assert register.send("GET", f"partijen/{theirs['uuid']}")


@pytest.mark.rule("E7")
def test_it_follows_after_a_whole_run_only_and_stops_when_asked(
    home: OldHome, register: OtherRegister
) -> None:
    target = register.settings()
    with pytest.raises(following.NotPossibleYet, match="export run"):
        following.follow(home.store, target, WHO, on=True)
    home.export(target)
    following.follow(home.store, target, WHO, on=True)
    following.follow(home.store, target, WHO, on=False)
    home.client.make("categorieen", {"naam": "Stil"})
    assert follow(home, target) == {}
    assert register.all("categorieen") == []
    home.export(target)
    assert len(register.all("categorieen")) == 1, "a run brings what was noted meanwhile"


@pytest.mark.slow
@pytest.mark.rule("E7")
def test_what_comes_from_a_source_goes_too(
    install: Callable[..., Installation], register: OtherRegister, tmp_path: Any
) -> None:
    """Parties that join and split move what hangs on them, at the register as here."""
    data = small(80)
    target = register.settings()
    with SampleServer(data) as server:
        installation = backfilled(install(bron=server))
        home = OldHome(tmp_path / "home", installation.store, installation.config)
        home.export(target)
        following.follow(home.store, target, WHO, on=True)
        made = person(data, a_bsn(77), 1)
        person(data, a_bsn(77), 2, registratiedatum="2026-11-21T10:00:00Z")
        backfilled(installation)
        assert follow(home, target)["sent"] > 0
        assert equal(home, target)
        data.remove("rol", made["uuid"])
        backfilled(installation)
        follow(home, target)
        assert equal(home, target)


@pytest.mark.slow
@pytest.mark.rule("E7")
@pytest.mark.parametrize("seed", range(3))
def test_a_random_history_ends_the_same_on_both_sides(
    home: OldHome, register: OtherRegister, seed: int
) -> None:
    chance = random.Random(seed)
    home.fill(6, seed)
    target = register.settings(read_timeout=1)
    home.export(target)
    following.follow(home.store, target, WHO, on=True)
    for turn in range(5):
        for _ in range(6):
            path = chance.choice(
                ["partijen", "digitaleadressen", "klantcontacten", "rekeningnummers", "actoren"]
            )
            found = home.client.send("GET", f"{path}?pageSize=500")["results"]
            deed = chance.random()
            if deed < 0.3 and found:
                home.client.try_to("DELETE", f"{path}/{chance.choice(found)['uuid']}")
            elif deed < 0.6 and path == "partijen" and found:
                chosen = chance.choice(found)
                home.client.send(
                    "PATCH", f"partijen/{chosen['uuid']}", {"interneNotitie": str(chance.random())}
                )
            elif deed < 0.8 and path == "digitaleadressen" and found:
                chosen = chance.choice(found)
                partijen = home.client.send("GET", "partijen?pageSize=500")["results"]
                mover = {
                    "verstrektDoorPartij": ref(chance.choice(partijen)),
                    "referentie": "",
                    "isStandaardAdres": False,
                }
                home.client.try_to("PATCH", f"digitaleadressen/{chosen['uuid']}", mover)
            else:
                home.fill(
                    1, first=1000 + seed * 100 + turn * 10 + chance.randrange(9) + 7 * chance.randrange(1000)
                )
        lost = chance.random() < 0.5
        register.traps.trap = lambda method, path, number, lost=lost: (  # type: ignore[misc]
            FAILED_AFTER if lost and method == "POST" and number % 5 == 0 else None
        )
        follow(home, target)
    register.traps.trap = lambda method, path, number: None
    home.export(target)
    with home.store.read() as connection:
        assert pairs.causes(connection) == []
    assert equal(home, target)
