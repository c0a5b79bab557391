"""What a client deletes takes more along: what of that goes to the source, and what stays and is told (W5, W6, W8)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from builders.earlier_source import last
from builders.writeback_world import WritingBack, made_at, partij_of_a_klant, zaak_of

from gateway.store.legacy import client_sources

pytestmark = pytest.mark.slow

TIES = ("klantcontactmoment", "zaakcontactmoment", "objectcontactmoment")


def told(world: WritingBack) -> set[tuple[str, str]]:
    """The rule and field of what an operator is told."""
    return {(rule, field) for rule, field, _ in world.findings()}


def writes(world: WritingBack) -> list[tuple[str, str]]:
    """The calls by which the source was changed, or was to be."""
    calls = [call for call in world.server.calls if call.method != "GET"]
    return [(call.method, call.path.split("/api/v1/")[1].split("/")[0]) for call in calls]


@pytest.mark.slow
@pytest.mark.rule("W8")
def test_a_partij_that_is_deleted_stays_a_klant_and_only_contacts_lose_her(earlier: WritingBack) -> None:
    before = {kind: earlier.data.objects(kind) for kind in ("contactmoment", *TIES)}
    partij, klant = partij_of_a_klant(earlier)
    there = earlier.data.get("klant", last(klant))
    assert there["emailadres"]
    contact = earlier.contact(zaak_of(earlier))
    earlier.with_person(contact, partij)
    earlier.deliver()
    assert len(made_at(earlier.data, "klantcontactmoment", before["klantcontactmoment"])) == 1
    earlier.server.reset_calls()
    earlier.ask("DELETE", f"partijen/{partij}")
    earlier.hurry()
    earlier.deliver()
    assert writes(earlier) == [("DELETE", "klantcontactmomenten")]
    assert earlier.data.get("klant", last(klant)) == there
    made = {kind: len(made_at(earlier.data, kind, objects)) for kind, objects in before.items()}
    assert made == {
        "contactmoment": 1,
        "klantcontactmoment": 0,
        "zaakcontactmoment": 1,
        "objectcontactmoment": 1,
    }
    stays = {field for rule, field, action in earlier.findings() if action == "blijft in Klantbrug"}
    assert {"partij", "partij-identificator", "digitaleadres"} <= stays
    earlier.nothing_changes()


@pytest.mark.rule("W8")
def test_a_partij_that_the_source_never_had_is_deleted_without_a_word(earlier: WritingBack) -> None:
    naam = {"voorletters": "", "voornaam": "Anna", "voorvoegselAchternaam": "", "achternaam": "X"}
    body = {"soortPartij": "persoon", "indicatieActief": True, "partijIdentificatie": {"contactnaam": naam}}
    partij = earlier.ask("POST", "partijen", body)["uuid"]
    links = {"verstrektDoorPartij": {"uuid": partij}, "verstrektDoorBetrokkene": None, "omschrijving": ""}
    adres = {"adres": "anna@example.nl", "soortDigitaalAdres": "email", "isStandaardAdres": True}
    earlier.ask("POST", "digitaleadressen", adres | links)
    earlier.ask("DELETE", f"partijen/{partij}")
    earlier.server.reset_calls()
    earlier.hurry()
    earlier.deliver()
    assert writes(earlier) == []
    assert told(earlier) == set()
    earlier.nothing_changes()


@pytest.mark.rule("W5")
def test_a_contact_that_followed_a_deleted_one_does_not_any_more(earlier: WritingBack) -> None:
    before = earlier.data.objects("contactmoment")
    first = earlier.contact(zaak_of(earlier))
    second = earlier.contact(zaak_of(earlier, 1), plaatsgevondenOp="2025-06-02T10:00:00Z")
    tie = {"klantcontact": {"uuid": second["uuid"]}, "wasKlantcontact": {"uuid": first["uuid"]}}
    earlier.ask("POST", "onderwerpobjecten", tie | {"onderwerpobjectidentificator": None})
    earlier.deliver()
    assert any(each["vorigContactmoment"] for each in made_at(earlier.data, "contactmoment", before))
    earlier.ask("DELETE", f"klantcontacten/{first['uuid']}")
    earlier.deliver()
    (moment,) = made_at(earlier.data, "contactmoment", before)
    assert earlier.bound(second["uuid"])["contactmoment", ""] == last(moment["url"])
    assert moment["vorigContactmoment"] is None
    earlier.nothing_changes()


@pytest.mark.rule("W5")
def test_an_actor_that_is_deleted_stays_the_medewerker_there_and_that_is_told(earlier: WritingBack) -> None:
    before = earlier.data.objects("contactmoment")
    contact = earlier.contact(zaak_of(earlier))
    actor = earlier.with_actor(contact)
    earlier.deliver()
    earlier.ask("DELETE", f"actoren/{actor['uuid']}")
    assert [change.document.hex() for change in earlier.queue()] == [contact["uuid"].replace("-", "")]
    earlier.deliver()
    (moment,) = made_at(earlier.data, "contactmoment", before)
    assert moment["medewerkerIdentificatie"]["achternaam"] == "M. de Vries"
    assert ("W5", "medewerkerIdentificatie") in told(earlier)
    earlier.nothing_changes()


@pytest.mark.slow
@pytest.mark.rule("W5")
def test_contacts_that_go_with_their_zaak_go_at_the_source_too(earlier: WritingBack) -> None:
    before = {kind: earlier.data.objects(kind) for kind in ("contactmoment", *TIES)}
    contact = earlier.contact()
    partij, _ = partij_of_a_klant(earlier)
    earlier.with_person(contact, partij)
    subject = earlier.about(contact, zaak_of(earlier))
    earlier.deliver()
    earlier.ask("DELETE", f"onderwerpobjecten/{subject['uuid']}?cascade=true", status=200)
    earlier.deliver()
    for kind, objects in before.items():
        assert made_at(earlier.data, kind, objects) == [], kind
    assert earlier.bound(contact["uuid"]) == {}
    earlier.nothing_changes()


@pytest.mark.rule("W4")
def test_a_contact_of_the_source_that_a_client_deletes_is_told(zaken: WritingBack) -> None:
    found = zaken.ask("GET", "klantcontacten?pageSize=1")["results"][0]
    zaken.ask("DELETE", f"klantcontacten/{found['uuid']}")
    zaken.server.reset_calls()
    zaken.deliver()
    assert writes(zaken) == []
    assert ("W4", "klantcontact", "niet terug te schrijven: het kwam uit de bron zelf") in zaken.findings()


@pytest.mark.slow
@pytest.mark.rule("W6")
@pytest.mark.parametrize("fields", [{"verstrektDoorPartij": None}, {"soortDigitaalAdres": "telefoonnummer"}])
def test_an_address_that_is_no_longer_the_partijs_is_emptied_there(
    earlier: WritingBack, fields: dict[str, Any]
) -> None:
    partij, klant = partij_of_a_klant(earlier)
    found = earlier.ask("GET", f"digitaleadressen?verstrektDoorPartij__uuid={partij}")["results"]
    mails = [each for each in found if each["soortDigitaalAdres"] == "email"]
    assert len(mails) == 1
    more = {"isStandaardAdres": False} if "verstrektDoorPartij" in fields else {"adres": "0612345678"}
    earlier.ask("PATCH", f"digitaleadressen/{mails[0]['uuid']}", fields | more)
    earlier.deliver()
    assert earlier.data.get("klant", last(klant))["emailadres"] == ""
    assert earlier.queue() == []
    earlier.nothing_changes()


@pytest.mark.rule("W8")
def test_what_vanished_at_the_source_is_not_sent_back(earlier: WritingBack) -> None:
    partij, klant = partij_of_a_klant(earlier)
    contact = earlier.contact(zaak_of(earlier))
    earlier.with_person(contact, partij)
    earlier.deliver()
    for each in earlier.data.objects("klantcontactmoment"):
        if each["klant"] == klant:
            earlier.data.remove("klantcontactmoment", last(each["url"]))
    earlier.data.remove("klant", last(klant))
    found = earlier.findings()
    earlier.server.reset_calls()
    earlier.read_all()
    with earlier.store.read() as connection:
        source = earlier.installation.fetchers["bron"].source
        assert client_sources.held_object(connection, source, "klant", UUID(last(klant)).bytes) is None
    assert earlier.queue() == []
    earlier.hurry()
    earlier.deliver()
    assert writes(earlier) == []
    assert earlier.findings() == found
