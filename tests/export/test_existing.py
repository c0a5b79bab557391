"""A register that is in use already: no double, and each difference told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from builders.editor import codes, ref
from builders.old_home import OldHome
from builders.other_register import OtherRegister
from builders.slow_source import a_bsn

from gateway.base.clock import now
from gateway.store.export import documents, pairs
from jobs.export.parcels import parcel_of

pytestmark = pytest.mark.slow


def known_person(register: OtherRegister, place: int, **more: Any) -> dict[str, Any]:
    partij = register.send(
        "POST",
        "partijen",
        {
            "soortPartij": "persoon",
            "indicatieActief": True,
            "partijIdentificatie": {"contactnaam": {"voornaam": "Johannes", "achternaam": f"Anders{place}"}},
            "partijIdentificatoren": [{"partijIdentificator": codes("bsn", a_bsn(place))}],
            **more,
        },
    )
    email = {
        "adres": f"iemand{place}@example.nl",
        "soortDigitaalAdres": "email",
        "verstrektDoorPartij": ref(partij),
    }
    register.send("POST", "digitaleadressen", email)
    return dict(partij)


@pytest.fixture
def in_use(home: OldHome, register: OtherRegister) -> tuple[OldHome, OtherRegister]:
    """Half of the people are at the register, and an actor; others of whom we know nothing as well."""
    home.fill(18)
    persons = [place for place in range(18) if place % 3 and place % 5 not in (1, 2)]
    for place in persons[: len(persons) // 2]:
        known_person(register, place)
    known_person(register, 4_000)
    actor = {"codeObjecttype": "afd", "codeRegister": "obj", "codeSoortObjectId": "idf", "objectId": "kcc0"}
    register.send(
        "POST",
        "actoren",
        {"naam": "Contactcentrum", "soortActor": "organisatorische_eenheid", "actoridentificator": actor},
    )
    # As KISS does: a number that is nobody's, to stand above a vestiging.
    register.send("POST", "partij-identificatoren", {"partijIdentificator": codes("kvk_nummer", "10000001")})
    return home, register


def no_doubles(register: OtherRegister) -> None:
    numbers = [
        (number["partijIdentificator"]["objectId"], str(number["subIdentificatorVan"]))
        for number in register.all("partij-identificatoren")
    ]
    assert len(numbers) == len(set(numbers))
    emails = [adres["adres"] for adres in register.all("digitaleadressen") if "@" in adres["adres"]]
    assert len(emails) == len(set(emails))
    named = [actor["actoridentificator"]["objectId"] for actor in register.all("actoren")]
    assert named.count("kcc0") == 1


@pytest.mark.rule("E4")
def test_who_is_there_already_is_taken_as_the_same_and_keeps_his_values(
    in_use: tuple[OldHome, OtherRegister],
) -> None:
    home, register = in_use
    names = {partij["uuid"]: partij["partijIdentificatie"] for partij in register.all("partijen")}
    outcome = home.export(register.settings(on_existing="keep"))
    assert (outcome.stopped, outcome.counts.get("parked", 0), outcome.waiting) == ("", 0, 0)
    assert outcome.counts["taken"] >= 5
    no_doubles(register)
    after = {partij["uuid"]: partij["partijIdentificatie"] for partij in register.all("partijen")}
    assert all(after[uuid] == name for uuid, name in names.items()), "their values stay"
    with home.store.read() as connection:
        told = pairs.kept_fields(connection)
    assert any(kind == "partij" and "partijIdentificatie" in fields for kind, fields, _ in told)
    assert any(kind == "actor" and "naam" in fields for kind, fields, _ in told)
    report = home.verify(register.settings())
    assert report["clean"], report["details"]
    assert report["kept"]["partij partijIdentificatie"] >= 3
    assert report["others"]["partij"] == 1, "one of whom we know nothing is not ours to judge"


@pytest.mark.rule("E4")
def test_or_gets_ours(in_use: tuple[OldHome, OtherRegister]) -> None:
    home, register = in_use
    home.export(register.settings(on_existing="update"))
    no_doubles(register)
    with home.store.read() as connection:
        assert pairs.kept_fields(connection) == []
    report = home.verify(register.settings(on_existing="update"))
    assert report["clean"] and not report["kept"], [one["fields"] for one in report["details"]]


@pytest.mark.rule("E4")
def test_a_number_that_is_nobodys_becomes_that_of_the_partij(in_use: tuple[OldHome, OtherRegister]) -> None:
    home, register = in_use
    home.export(register.settings())
    (number,) = register.send("GET", "partij-identificatoren?partijIdentificatorObjectId=10000001")["results"]
    assert number["identificeerdePartij"], "whoever looks for it finds the partij"


@pytest.mark.rule("E4")
def test_a_nummer_that_another_has_is_left_to_the_register(home: OldHome, register: OtherRegister) -> None:
    register.send("POST", "partijen", {"soortPartij": "persoon", "indicatieActief": True, "nummer": "1"})
    home.fill(3)
    outcome = home.export(register.settings())
    assert outcome.counts.get("parked", 0) == 0
    report = home.verify(register.settings())
    assert report["clean"], report["details"]


def a_vestiging(make: Callable[[str, Any], Any], kvk: str, *, owned: bool = True, **partij: Any) -> Any:
    """A vestiging that has no number but that under a KVK number, which is nobody's; out: it and that number."""
    above = make("partij-identificatoren", {"partijIdentificator": codes("kvk_nummer", kvk)})
    made = (
        make("partijen", {"soortPartij": "organisatie", "indicatieActief": True, **partij}) if owned else None
    )
    number = {
        "identificeerdePartij": ref(made) if made else None,
        "partijIdentificator": codes("vestigingsnummer", "000012345678"),
        "subIdentificatorVan": ref(above),
    }
    return made, make("partij-identificatoren", number)


def there(register: OtherRegister) -> Callable[[str, Any], Any]:
    return lambda path, body: register.send("POST", path, body)


def vestigingsnummers(register: OtherRegister) -> list[Any]:
    found = register.all("partij-identificatoren")
    return [one for one in found if one["partijIdentificator"]["codeSoortObjectId"] == "vestigingsnummer"]


@pytest.mark.rule("E4")
@pytest.mark.parametrize("kvk", ["11111111", "22222222"])
def test_a_vestiging_is_the_same_one_under_another_kvk_number_too(
    home: OldHome, register: OtherRegister, kvk: str
) -> None:
    known, number = a_vestiging(there(register), kvk)
    made, _ = a_vestiging(home.client.make, "11111111", interneNotitie="van hier")
    email = {"adres": "v@example.nl", "soortDigitaalAdres": "email", "verstrektDoorPartij": ref(made)}
    home.client.make("digitaleadressen", email)
    outcome = home.export(register.settings())
    assert (outcome.stopped, outcome.counts.get("parked", 0), outcome.waiting) == ("", 0, 0)
    assert [one["uuid"] for one in register.all("partijen")] == [known["uuid"]]
    (only,) = vestigingsnummers(register)
    assert (only["uuid"], only["subIdentificatorVan"]["uuid"]) == (
        number["uuid"],
        number["subIdentificatorVan"]["uuid"],
    )
    (adres,) = register.all("digitaleadressen")
    assert adres["verstrektDoorPartij"]["uuid"] == known["uuid"]
    report = home.verify(register.settings())
    assert report["clean"], report["details"]
    assert report["kept"]["partij interneNotitie"] == 1
    assert report["kept"].get("partij-identificator subIdentificatorVan", 0) == (kvk != "11111111")
    assert home.posts_of_a_run(register.settings()) == 0


@pytest.mark.rule("E4")
def test_or_gets_our_kvk_number(home: OldHome, register: OtherRegister) -> None:
    a_vestiging(there(register), "22222222")
    a_vestiging(home.client.make, "11111111")
    home.export(register.settings(on_existing="update"))
    (only,) = vestigingsnummers(register)
    above = register.send("GET", f"partij-identificatoren/{only['subIdentificatorVan']['uuid']}")
    assert above["partijIdentificator"]["objectId"] == "11111111"
    with home.store.read() as connection:
        assert ("partij-identificator", "subIdentificatorVan", 1) in pairs.overwritten_fields(connection)


@pytest.mark.rule("E4")
def test_a_vestigingsnummer_that_is_nobodys_becomes_that_of_the_vestiging(
    home: OldHome, register: OtherRegister
) -> None:
    a_vestiging(there(register), "22222222", owned=False)
    a_vestiging(home.client.make, "11111111")
    home.export(register.settings())
    (only,) = vestigingsnummers(register)
    (partij,) = register.all("partijen")
    assert only["identificeerdePartij"]["uuid"] == partij["uuid"]


@pytest.mark.rule("E4")
def test_a_vestiging_that_two_are_there_is_not_guessed(home: OldHome, register: OtherRegister) -> None:
    for kvk in ("22222222", "33333333"):
        a_vestiging(there(register), kvk)
    a_vestiging(home.client.make, "11111111")
    assert home.export(register.settings()).counts["parked"] == 1
    with home.store.read() as connection:
        assert "two objects" in pairs.in_state(connection, pairs.PARKED)[0].cause
    assert len(register.all("partijen")) == 2


@pytest.mark.rule("E3")
@pytest.mark.rule("E4")
def test_a_vestiging_that_a_killed_process_had_not_looked_for_is_looked_for(
    home: OldHome, register: OtherRegister
) -> None:
    """It was noted as on its way; nothing of it is at the register but that of others."""
    a_vestiging(there(register), "22222222", interneNotitie="van daar")
    a_vestiging(home.client.make, "11111111")
    settings = register.settings(read_timeout=1)
    with home.store.write() as connection:
        pairs.begin(connection, settings.url, 3)
        (leaving,) = documents.unsent(connection, "partij", documents.BEFORE_ALL, 2)
        numbers = documents.numbers_of(connection, [leaving.uuid])[leaving.uuid]
        parcel = parcel_of(leaving, numbers)
        pairs.intend(connection, [parcel.intent()], pairs.next_turn(connection), now())
    assert home.export(settings).counts["taken"] >= 1
    assert len(register.all("partijen")) == len(vestigingsnummers(register)) == 1
