"""The deliverer killed between sending and the answer: each thing is at the source once, and known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from builders.deliverer import DONE, LATE, kill_once, trapped
from builders.writeback_world import WritingBack, made_at, partij_of_a_klant, zaak_of

MOMENTS = ("contactmoment", "klantcontactmoment", "zaakcontactmoment", "objectcontactmoment")


def killed(world: WritingBack, kills: int, seed: int) -> tuple[int, list[str]]:
    """Kill the deliverer so often, or until nothing is left; then let it finish. Out: how often, and in what."""
    count = 0
    with trapped(world, seed) as trap:
        while count < kills and kill_once(world, trap):
            count += 1
        modes = list(trap.modes)
    for _ in range(3):
        world.hurry()
        world.deliver()
    assert world.queue() == []
    return count, modes


def klantcontacten(world: WritingBack, number: int, kills: int, seed: int) -> int:
    before = world.data.objects("klantcontact")
    contacts = [
        world.contact(zaak_of(world, place % 5), onderwerp=f"Vraag {place}") for place in range(number)
    ]
    count, modes = killed(world, kills, seed)
    assert {DONE, LATE} & {*modes}
    made = made_at(world.data, "klantcontact", before)
    assert sorted(each["onderwerp"] for each in made) == sorted(each["onderwerp"] for each in contacts)
    bound = [uuid for each in contacts for uuid in world.bound(each["uuid"]).values()]
    assert sorted(bound) == sorted(each["uuid"] for each in made)
    world.nothing_changes()
    return count


def moments_and_klanten(world: WritingBack, number: int, kills: int, seed: int) -> int:
    before = {kind: world.data.objects(kind) for kind in (*MOMENTS, "klant")}
    partij, klant = partij_of_a_klant(world)
    contacts = []
    for place in range(number):
        contact = world.contact(zaak_of(world, place % 5), onderwerp=f"Vraag {place}")
        world.with_person(contact, partij)
        contacts.append(contact)
    people = []
    for place in range(number // 2):
        naam = {
            "voorletters": "",
            "voornaam": f"Mens {place}",
            "voorvoegselAchternaam": "",
            "achternaam": "X",
        }
        body = {
            "soortPartij": "persoon",
            "indicatieActief": True,
            "partijIdentificatie": {"contactnaam": naam},
        }
        people.append(world.ask("POST", "partijen", body))
    path = f"digitaleadressen?verstrektDoorPartij__uuid={partij}"
    adres = next(each for each in world.ask("GET", path)["results"] if each["soortDigitaalAdres"] == "email")
    world.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "na.de.kill@example.nl"})
    world.hurry()
    count, _ = killed(world, kills, seed)
    made = {kind: made_at(world.data, kind, objects) for kind, objects in before.items()}
    assert {kind: len(objects) for kind, objects in made.items()} == {
        **dict.fromkeys(MOMENTS, number),
        "klant": len(people),
    }
    assert len({each["tekst"] for each in made["contactmoment"]}) == number
    assert len({each["voornaam"] for each in made["klant"]}) == len(people)
    for contact in contacts:
        assert {kind for kind, _ in world.bound(contact["uuid"])} == set(MOMENTS[:3])
    for person in people:
        assert {kind for kind, _ in world.bound(person["uuid"])} == {"klant"}
    assert world.data.get("klant", klant.rpartition("/")[2])["emailadres"] == "na.de.kill@example.nl"
    world.nothing_changes()
    return count


@pytest.fixture(params=[1])
def seed(request: pytest.FixtureRequest) -> Iterator[int]:
    yield request.param


@pytest.mark.rule("W2")
def test_some_kills_over_klantcontacten(zaken: WritingBack, seed: int) -> None:
    assert klantcontacten(zaken, 4, 4, seed) == 4


@pytest.mark.rule("W2")
def test_some_kills_over_contactmomenten_and_klanten(earlier: WritingBack, seed: int) -> None:
    assert moments_and_klanten(earlier, 2, 6, seed) == 6


@pytest.mark.soak
@pytest.mark.rule("W2")
def test_thirty_kills_over_klantcontacten(zaken: WritingBack, seed: int) -> None:
    assert klantcontacten(zaken, 24, 30, seed) == 30


@pytest.mark.soak
@pytest.mark.rule("W2")
def test_seventy_kills_over_contactmomenten_and_klanten(earlier: WritingBack, seed: int) -> None:
    assert moments_and_klanten(earlier, 18, 70, seed) == 70
