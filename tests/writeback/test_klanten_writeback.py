"""Contact details and partijen that clients wrote, in the klanten of a Klanten API."""

from __future__ import annotations

from typing import Any

import pytest
from builders.earlier_source import last
from builders.writeback_world import WritingBack, made_at, partij_of_a_klant, zaak_of

from gateway.legacy.client import changes
from gateway.operator import writeback as operator
from gateway.sample.server import Traps

BSN = "999990019"


def address_of(world: WritingBack, partij: str, soort: str = "email") -> dict[str, Any]:
    """The standard address of a soort of a partij."""
    path = f"digitaleadressen?verstrektDoorPartij__uuid={partij}"
    found = world.ask("GET", path)["results"]
    return next(each for each in found if each["soortDigitaalAdres"] == soort and each["isStandaardAdres"])


def klant_at(world: WritingBack, url: str) -> dict[str, Any]:
    """A klant as the source has it."""
    return world.data.get("klant", last(url))


@pytest.mark.slow
@pytest.mark.rule("W6")
@pytest.mark.parametrize("trap", ["", "lost_answer_rate", "late_error_rate", "write_error_rate"])
def test_a_changed_address_becomes_that_of_the_klant(earlier: WritingBack, trap: str) -> None:
    partij, klant = partij_of_a_klant(earlier)
    adres = address_of(earlier, partij)
    count = earlier.ask("GET", "digitaleadressen")["count"]
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "nieuw@example.nl"})
    if trap:
        earlier.server.traps = Traps(**{trap: 1})
        earlier.deliver()
        earlier.server.traps = Traps()
        earlier.hurry()
        earlier.run("sweep")
    assert earlier.deliver()["sent"] == 1
    assert klant_at(earlier, klant)["emailadres"] == "nieuw@example.nl"
    assert earlier.queue() == []
    shown = earlier.ask("GET", f"digitaleadressen/{adres['uuid']}")
    assert (shown["adres"], shown["isStandaardAdres"]) == ("nieuw@example.nl", True)
    assert earlier.ask("GET", "digitaleadressen")["count"] == count
    earlier.nothing_changes()


@pytest.mark.slow
@pytest.mark.rule("W6")
def test_a_new_standard_address_is_told_and_another_is_not(earlier: WritingBack) -> None:
    partij, klant = partij_of_a_klant(earlier)
    before = klant_at(earlier, klant)["telefoonnummer"]
    new = {
        "soortDigitaalAdres": "telefoonnummer",
        "verstrektDoorPartij": {"uuid": partij},
        "omschrijving": "",
    }
    new |= {"verstrektDoorBetrokkene": None}
    earlier.ask("POST", "digitaleadressen", new | {"adres": "0612345678", "isStandaardAdres": False})
    earlier.deliver()
    assert klant_at(earlier, klant)["telefoonnummer"] == before
    earlier.ask("POST", "digitaleadressen", new | {"adres": "0687654321", "isStandaardAdres": True})
    earlier.deliver()
    assert klant_at(earlier, klant)["telefoonnummer"] == "0687654321"
    earlier.nothing_changes()


@pytest.mark.rule("W6")
def test_a_deleted_address_is_emptied(earlier: WritingBack) -> None:
    partij, klant = partij_of_a_klant(earlier)
    found = earlier.ask("GET", f"digitaleadressen?verstrektDoorPartij__uuid={partij}")["results"]
    for adres in found:
        if adres["soortDigitaalAdres"] == "email":
            earlier.ask("DELETE", f"digitaleadressen/{adres['uuid']}")
    earlier.deliver()
    assert klant_at(earlier, klant)["emailadres"] == ""
    earlier.nothing_changes()


def add_address(world: WritingBack, partij: str, adres: str, *, standard: bool) -> str:
    """An e-mail address that a client gave a partij: its uuid."""
    links = {"verstrektDoorPartij": {"uuid": partij}, "verstrektDoorBetrokkene": None, "omschrijving": ""}
    body = {"adres": adres, "soortDigitaalAdres": "email", "isStandaardAdres": standard}
    return str(world.ask("POST", "digitaleadressen", links | body)["uuid"])


@pytest.mark.slow
@pytest.mark.rule("W6")
@pytest.mark.parametrize("told_between", [True, False])
def test_deleting_another_address_leaves_that_of_the_klant(earlier: WritingBack, told_between: bool) -> None:
    partij, klant = partij_of_a_klant(earlier)
    before = klant_at(earlier, klant)["emailadres"]
    uuid = add_address(earlier, partij, "tweede@example.nl", standard=False)
    if told_between:
        earlier.deliver()
    earlier.ask("DELETE", f"digitaleadressen/{uuid}")
    earlier.deliver()
    assert before and klant_at(earlier, klant)["emailadres"] == before
    assert earlier.queue() == []
    earlier.nothing_changes()


@pytest.mark.slow
@pytest.mark.rule("W6")
@pytest.mark.parametrize("under_way", [False, True])
def test_an_address_that_is_changed_and_then_deleted_is_emptied(
    earlier: WritingBack, monkeypatch: pytest.MonkeyPatch, under_way: bool
) -> None:
    """The deletion comes while the change waits, or while it is being sent."""
    partij, klant = partij_of_a_klant(earlier)
    uuid = address_of(earlier, partij)["uuid"]
    earlier.ask("PATCH", f"digitaleadressen/{uuid}", {"adres": "nieuw@example.nl"})
    if under_way:
        replace = changes.replace

        def meanwhile(*given: Any, **more: Any) -> None:
            monkeypatch.setattr(changes, "replace", replace)
            replace(*given, **more)
            earlier.ask("DELETE", f"digitaleadressen/{uuid}")

        monkeypatch.setattr(changes, "replace", meanwhile)
    else:
        earlier.ask("DELETE", f"digitaleadressen/{uuid}")
    earlier.deliver()
    assert klant_at(earlier, klant)["emailadres"] == ""
    assert earlier.queue() == []
    earlier.nothing_changes()


@pytest.mark.rule("W9")
def test_an_address_that_was_changed_at_the_source_stays_as_it_is_there(earlier: WritingBack) -> None:
    partij, klant = partij_of_a_klant(earlier)
    adres = address_of(earlier, partij)
    there = klant_at(earlier, klant) | {"emailadres": "balie@example.nl"}
    earlier.data.replace("klant", last(klant), there)
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "nieuw@example.nl"})
    assert earlier.deliver()["parked"] == 1
    (parked,) = earlier.queue()
    assert (parked.cause, parked.fields) == ("gewijzigd bij de bron", "klant.emailadres")
    assert klant_at(earlier, klant)["emailadres"] == "balie@example.nl"
    assert earlier.ask("GET", f"digitaleadressen/{adres['uuid']}")["adres"] == "nieuw@example.nl"


def new_partij(world: WritingBack, *, number: str = "") -> str:
    """A person that a client made, with an e-mail address; with a BSN when it is given."""
    body: dict[str, Any] = {"soortPartij": "persoon", "indicatieActief": True}
    naam = {
        "voorletters": "A.",
        "voornaam": "Anna",
        "voorvoegselAchternaam": "van",
        "achternaam": "Voorbeeld",
    }
    body["partijIdentificatie"] = {"contactnaam": naam}
    if number:
        codes = {"codeRegister": "brp", "codeObjecttype": "natuurlijk_persoon", "codeSoortObjectId": "bsn"}
        body["partijIdentificatoren"] = [{"partijIdentificator": codes | {"objectId": number}}]
    partij = world.ask("POST", "partijen", body)["uuid"]
    adres = {"adres": "anna@example.nl", "soortDigitaalAdres": "email", "isStandaardAdres": True}
    links = {"verstrektDoorPartij": {"uuid": partij}, "verstrektDoorBetrokkene": None, "omschrijving": ""}
    world.ask("POST", "digitaleadressen", adres | links)
    return str(partij)


@pytest.mark.slow
@pytest.mark.rule("W6")
@pytest.mark.parametrize("number", [BSN, ""])
@pytest.mark.parametrize("trap", ["", "lost_answer_rate"])
def test_a_new_partij_becomes_one_klant(earlier: WritingBack, number: str, trap: str) -> None:
    before, count = earlier.data.objects("klant"), earlier.ask("GET", "partijen")["count"]
    partij = new_partij(earlier, number=number)
    earlier.hurry()
    if trap:
        earlier.server.traps = Traps(**{trap: 1})
        earlier.deliver()
        earlier.server.traps = Traps()
        earlier.hurry()
        earlier.run("sweep")
    earlier.deliver()
    (klant,) = made_at(earlier.data, "klant", before)
    assert (klant["achternaam"], klant["emailadres"]) == ("Voorbeeld", "anna@example.nl")
    assert (klant["subjectIdentificatie"] or {}).get("inpBsn", "") == number
    assert earlier.ask("GET", "partijen")["count"] == count + 1
    shown = earlier.ask("GET", f"partijen/{partij}")
    assert shown["partijIdentificatie"]["contactnaam"]["voornaam"] == "Anna"
    assert len(shown["digitaleAdressen"]) == 1
    earlier.nothing_changes()


@pytest.mark.slow
@pytest.mark.rule("W5")
def test_a_contact_with_a_new_partij_gets_its_klant_when_that_is_made(earlier: WritingBack) -> None:
    before = earlier.data.objects("klantcontactmoment")
    partij = new_partij(earlier)
    contact = earlier.contact(zaak_of(earlier))
    earlier.with_person(contact, partij)
    earlier.deliver()
    assert made_at(earlier.data, "klantcontactmoment", before) == []
    earlier.hurry()
    earlier.deliver()
    assert len(made_at(earlier.data, "klantcontactmoment", before)) == 1
    earlier.nothing_changes()


@pytest.mark.rule("W8")
def test_names_and_tasks_stay_and_are_told(earlier: WritingBack) -> None:
    partij, _ = partij_of_a_klant(earlier)
    earlier.ask("PATCH", f"partijen/{partij}", {"voorkeurstaal": "nld"})
    contact = earlier.contact(zaak_of(earlier))
    task = {"gevraagdeHandeling": "Bel terug", "aanleidinggevendKlantcontact": {"uuid": contact["uuid"]}}
    earlier.ask("POST", "internetaken", task | {"toegewezenAanActoren": [], "status": "te_verwerken"}, 201)
    told = {(rule, field) for rule, field, action in earlier.findings() if action == "blijft in Klantbrug"}
    assert told == {("W8", "partij"), ("W8", "internetaak")}


@pytest.mark.rule("W2")
def test_a_value_waits_while_an_older_one_may_still_arrive(earlier: WritingBack) -> None:
    """Else what was slow would be there last."""
    partij, klant = partij_of_a_klant(earlier)
    adres = address_of(earlier, partij)
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "een@example.nl"})
    earlier.server.traps = Traps(write_error_rate=1)
    assert earlier.deliver()["postponed"] == 1
    earlier.server.traps = Traps()
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "twee@example.nl"})
    earlier.server.reset_calls()
    earlier.let_go()
    assert earlier.deliver() == {"sent": 0, "postponed": 1, "parked": 0}
    assert {call.method for call in earlier.server.calls} == {"GET"}
    assert [change.cause for change in earlier.queue()] == ["unanswered"]
    there = klant_at(earlier, klant) | {"emailadres": "een@example.nl"}
    earlier.data.replace("klant", last(klant), there)  # it arrived
    earlier.hurry()
    assert earlier.deliver()["sent"] == 1  # it is ours, and so no change at the source
    assert klant_at(earlier, klant)["emailadres"] == "twee@example.nl"
    earlier.nothing_changes()


@pytest.mark.rule("W2")
def test_a_value_that_is_there_again_waits_too(earlier: WritingBack) -> None:
    partij, klant = partij_of_a_klant(earlier)
    adres = address_of(earlier, partij)
    first = klant_at(earlier, klant)
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "een@example.nl"})
    earlier.server.traps = Traps(write_error_rate=1)
    assert earlier.deliver()["postponed"] == 1
    earlier.server.traps = Traps()
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": adres["adres"]})
    earlier.let_go()
    assert earlier.deliver() == {"sent": 0, "postponed": 1, "parked": 0}
    earlier.data.replace("klant", last(klant), first | {"emailadres": "een@example.nl"})  # it arrived
    earlier.hurry()
    assert earlier.deliver()["sent"] == 1
    assert klant_at(earlier, klant)["emailadres"] == first["emailadres"]
    earlier.nothing_changes()


@pytest.mark.rule("W2")
def test_what_an_operator_sends_waits_for_an_older_value_too(earlier: WritingBack) -> None:
    partij, klant = partij_of_a_klant(earlier)
    adres = address_of(earlier, partij)
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "een@example.nl"})
    earlier.server.traps = Traps(write_error_rate=1)
    assert earlier.deliver()["postponed"] == 1
    earlier.server.traps = Traps()
    there = klant_at(earlier, klant)
    earlier.data.replace("klant", last(klant), there | {"emailadres": "balie@example.nl"})
    earlier.let_go()
    assert earlier.deliver()["parked"] == 1
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "twee@example.nl"})
    earlier.let_go()
    assert earlier.deliver()["parked"] == 1
    (change,) = earlier.queue()
    assert operator.send(earlier.store, [change.id]) == 1
    assert earlier.deliver() == {"sent": 0, "postponed": 1, "parked": 0}
    earlier.data.replace("klant", last(klant), there | {"emailadres": "een@example.nl"})  # it arrived
    earlier.hurry()
    assert earlier.deliver()["sent"] == 1
    assert klant_at(earlier, klant)["emailadres"] == "twee@example.nl"


@pytest.mark.rule("W2")
def test_the_same_value_does_not_wait_for_itself(earlier: WritingBack) -> None:
    partij, klant = partij_of_a_klant(earlier)
    adres = address_of(earlier, partij)
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "een@example.nl"})
    earlier.server.traps = Traps(write_error_rate=1)
    earlier.deliver()
    earlier.server.traps = Traps()
    earlier.let_go()
    assert earlier.deliver()["sent"] == 1
    assert klant_at(earlier, klant)["emailadres"] == "een@example.nl"


@pytest.mark.rule("W8")
def test_who_a_betrokkene_is_by_itself_stays_and_is_told(earlier: WritingBack) -> None:
    contact = earlier.contact(zaak_of(earlier))
    plain = {
        "hadKlantcontact": {"uuid": contact["uuid"]},
        "wasPartij": None,
        "rol": "klant",
        "initiator": True,
    }
    earlier.ask("POST", "betrokkenen", plain)
    assert earlier.findings() == set()
    naam = {"voorletters": "", "voornaam": "Anna", "voorvoegselAchternaam": "", "achternaam": "X"}
    person = earlier.ask("POST", "betrokkenen", plain | {"contactnaam": naam})
    links = {"verstrektDoorPartij": None, "verstrektDoorBetrokkene": {"uuid": person["uuid"]}}
    body = {"adres": "terugbel@example.nl", "soortDigitaalAdres": "email", "omschrijving": ""}
    earlier.ask("POST", "digitaleadressen", body | links)
    assert earlier.findings() == {
        ("W8", "betrokkene", "blijft in Klantbrug"),
        ("W8", "digitaleadres", "blijft in Klantbrug"),
    }
