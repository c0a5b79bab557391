"""Contacts that clients wrote, as contactmomenten with what ties them."""

from __future__ import annotations

from typing import Any

import pytest
from builders.earlier_source import last
from builders.writeback_world import WritingBack, made_at, partij_of_a_klant, zaak_of

from gateway.base.clock import now
from gateway.legacy.client import changes
from gateway.sample.server import Traps
from mappings.writeback import contacts

pytestmark = pytest.mark.slow


def whole_contact(world: WritingBack, zaak: str) -> tuple[dict, str]:
    """A contact with a person, a medewerker and a zaak; and the klant that the person is."""
    contact = world.contact()
    partij, klant = partij_of_a_klant(world)
    world.with_person(contact, partij)
    world.with_actor(contact)
    world.about(contact, zaak)
    return contact, klant


@pytest.mark.rule("W5")
def test_a_contact_becomes_a_contactmoment_with_its_klant_and_its_zaak(earlier: WritingBack) -> None:
    zaak = zaak_of(earlier)
    before = {
        kind: earlier.data.objects(kind)
        for kind in ("contactmoment", "klantcontactmoment", "zaakcontactmoment")
    }
    before["objectcontactmoment"] = earlier.data.objects("objectcontactmoment")
    contact, klant = whole_contact(earlier, zaak)
    assert earlier.deliver() == {"sent": 1, "postponed": 0, "parked": 0}
    (moment,) = made_at(earlier.data, "contactmoment", before["contactmoment"])
    assert moment["tekst"] == f"{contact['onderwerp']}\n\n{contact['inhoud']}"
    assert (moment["initiatiefnemer"], moment["voorkeurstaal"]) == ("klant", "nld")
    assert moment["medewerkerIdentificatie"]["identificatie"] == "m.devries@x.example"
    assert moment["registratiedatum"].startswith("2025-06-01T10:00:00.")
    (person,) = made_at(earlier.data, "klantcontactmoment", before["klantcontactmoment"])
    assert (person["klant"], person["rol"]) == (klant, "belanghebbende")
    (about,) = made_at(earlier.data, "zaakcontactmoment", before["zaakcontactmoment"])
    assert (last(about["zaak"]), about["contactmoment"]) == (zaak, moment["url"])
    # The Zaken API made this one; nobody else did.
    assert len(made_at(earlier.data, "objectcontactmoment", before["objectcontactmoment"])) == 1
    earlier.nothing_changes()


@pytest.mark.rule("W5")
def test_a_source_without_zaakcontactmomenten_gets_an_objectcontactmoment(earlier: WritingBack) -> None:
    earlier.server.become("1.1", False)
    try:
        before = earlier.data.objects("objectcontactmoment")
        zaak = zaak_of(earlier)
        earlier.contact(zaak)
        earlier.installation.fetchers["bron"].client.speaks("contactmomenten")
        earlier.deliver()
        earlier.hurry()
        earlier.deliver()
        (about,) = made_at(earlier.data, "objectcontactmoment", before)
        assert (last(about["object"]), about["objectType"]) == (zaak, "zaak")
    finally:
        earlier.server.become("1.5.1")


@pytest.mark.slow
@pytest.mark.rule("W5")
def test_changes_and_a_deletion_follow(earlier: WritingBack) -> None:
    before = {kind: earlier.data.objects(kind) for kind in ("contactmoment", "klantcontactmoment")}
    ties = {kind: earlier.data.objects(kind) for kind in ("zaakcontactmoment", "objectcontactmoment")}
    contact, _ = whole_contact(earlier, zaak_of(earlier))
    earlier.deliver()
    earlier.ask("PATCH", f"klantcontacten/{contact['uuid']}", {"inhoud": "Het duurt acht weken."})
    earlier.deliver()
    (moment,) = made_at(earlier.data, "contactmoment", before["contactmoment"])
    assert moment["tekst"].endswith("Het duurt acht weken.")
    earlier.nothing_changes()
    earlier.ask("DELETE", f"klantcontacten/{contact['uuid']}")
    earlier.deliver()
    for kind, objects in (before | ties).items():
        assert made_at(earlier.data, kind, objects) == [], kind
    assert earlier.bound(contact["uuid"]) == {}
    earlier.nothing_changes()


@pytest.mark.rule("W5")
def test_a_contact_that_is_deleted_just_before_it_is_sent_does_not_stay(
    earlier: WritingBack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = earlier.data.objects("contactmoment")
    contact = earlier.contact()
    mapped = contacts.contactmoment

    def meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(contacts, "contactmoment", mapped)
        earlier.ask("DELETE", f"klantcontacten/{contact['uuid']}")
        return mapped(*given)

    monkeypatch.setattr(contacts, "contactmoment", meanwhile)
    earlier.hurry()
    assert earlier.deliver()["sent"] == 2
    assert made_at(earlier.data, "contactmoment", before) == []


@pytest.mark.rule("W2")
def test_the_wait_after_a_lost_answer_begins_at_the_loss(
    earlier: WritingBack, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = changes.create

    def late(*given: Any) -> Any:
        earlier.hurry()  # it waited for its turn
        return create(*given)

    monkeypatch.setattr(changes, "create", late)
    earlier.contact()
    earlier.hurry()
    earlier.server.traps = Traps(write_error_rate=1)
    assert earlier.deliver()["postponed"] == 1
    earlier.server.traps = Traps()
    earlier.let_go()
    assert earlier.deliver() == {"sent": 0, "postponed": 1, "parked": 0}
    (change,) = earlier.queue()
    assert change.cause == "unanswered"


@pytest.mark.slow
@pytest.mark.rule("W5")
def test_a_person_and_a_zaak_that_go_lose_their_ties(earlier: WritingBack) -> None:
    before = {kind: earlier.data.objects(kind) for kind in ("klantcontactmoment", "zaakcontactmoment")}
    contact, _ = whole_contact(earlier, zaak_of(earlier))
    earlier.deliver()
    shown = earlier.ask("GET", f"klantcontacten/{contact['uuid']}")
    earlier.ask("DELETE", f"betrokkenen/{shown['hadBetrokkenen'][0]['uuid']}")
    earlier.ask("DELETE", f"onderwerpobjecten/{shown['gingOverOnderwerpobjecten'][0]['uuid']}")
    earlier.hurry()
    earlier.deliver()
    for kind, objects in before.items():
        assert made_at(earlier.data, kind, objects) == [], kind
    earlier.nothing_changes()


@pytest.mark.rule("W5")
def test_a_contact_without_zaak_goes_to_the_source_that_is_named(earlier: WritingBack) -> None:
    before = earlier.data.objects("contactmoment")
    earlier.contact()
    assert earlier.deliver()["sent"] == 0  # it may get a zaak in the next request
    earlier.hurry()
    assert earlier.deliver()["sent"] == 1
    assert len(made_at(earlier.data, "contactmoment", before)) == 1
    earlier.nothing_changes()


@pytest.mark.rule("W5")
def test_a_contact_that_follows_another_names_it(earlier: WritingBack) -> None:
    before = earlier.data.objects("contactmoment")
    first = earlier.contact(zaak_of(earlier))
    second = earlier.contact(zaak_of(earlier), plaatsgevondenOp="2025-06-02T10:00:00Z")
    tie = {"klantcontact": {"uuid": second["uuid"]}, "wasKlantcontact": {"uuid": first["uuid"]}}
    earlier.ask("POST", "onderwerpobjecten", tie | {"onderwerpobjectidentificator": None})
    earlier.deliver()
    newest, oldest = made_at(earlier.data, "contactmoment", before)
    assert (newest["vorigContactmoment"], oldest["vorigContactmoment"]) == (oldest["url"], None)
    earlier.nothing_changes()


@pytest.mark.slow
@pytest.mark.rule("W2")
@pytest.mark.parametrize("trap", ["lost_answer_rate", "late_error_rate", "write_error_rate"])
def test_an_answer_that_got_lost_makes_no_double(earlier: WritingBack, trap: str) -> None:
    kinds = ("contactmoment", "klantcontactmoment", "zaakcontactmoment", "objectcontactmoment")
    before = {kind: earlier.data.objects(kind) for kind in kinds}
    contact, _ = whole_contact(earlier, zaak_of(earlier))
    for _ in range(4):  # each of the three calls once, and not all of them at the first try
        earlier.server.traps = Traps(**{trap: 1})
        earlier.deliver()
        earlier.server.traps = Traps()
        earlier.hurry()
        earlier.run("sync")
    earlier.deliver()
    assert earlier.queue() == []
    for kind, objects in before.items():
        assert len(made_at(earlier.data, kind, objects)) == 1, kind
    assert {kind for kind, _ in earlier.bound(contact["uuid"])} == set(kinds[:3])
    earlier.nothing_changes()


@pytest.mark.rule("W2")
def test_what_may_still_be_under_way_is_not_sent_again(earlier: WritingBack) -> None:
    before = earlier.data.objects("contactmoment")
    earlier.contact(zaak_of(earlier))
    earlier.server.traps = Traps(write_error_rate=1)
    earlier.deliver()
    earlier.server.traps = Traps()
    earlier.server.reset_calls()
    # Only what waits is let go: the first call may still arrive.
    earlier.let_go()
    assert earlier.deliver()["postponed"] == 1
    assert {call.method for call in earlier.server.calls} == {"GET"}
    assert made_at(earlier.data, "contactmoment", before) == []
    earlier.hurry()
    earlier.deliver()
    assert len(made_at(earlier.data, "contactmoment", before)) == 1


@pytest.mark.rule("W9")
def test_what_was_changed_at_the_source_waits_for_an_operator(earlier: WritingBack) -> None:
    before = earlier.data.objects("contactmoment")
    contact = earlier.contact(zaak_of(earlier))
    earlier.deliver()
    (moment,) = made_at(earlier.data, "contactmoment", before)
    earlier.data.replace(
        "contactmoment", last(moment["url"]), moment | {"tekst": "In het oude scherm gewijzigd."}
    )
    earlier.ask("PATCH", f"klantcontacten/{contact['uuid']}", {"inhoud": "Van de client."})
    assert earlier.deliver()["parked"] == 1
    (parked,) = earlier.queue()
    assert (parked.cause, parked.fields) == ("gewijzigd bij de bron", "contactmoment")
    assert earlier.ask("GET", f"klantcontacten/{contact['uuid']}")["inhoud"] == "Van de client."
    assert made_at(earlier.data, "contactmoment", before)[0]["tekst"] == "In het oude scherm gewijzigd."
    assert ("W9", "contactmomenten", "gewijzigd bij de bron") in earlier.findings()


@pytest.mark.rule("W14")
def test_verify_tells_when_the_source_shows_something_else_than_was_sent(earlier: WritingBack) -> None:
    from jobs.verify.verify import Verify

    before = earlier.data.objects("contactmoment")
    earlier.contact(zaak_of(earlier))
    earlier.deliver()
    (moment,) = made_at(earlier.data, "contactmoment", before)
    earlier.data.replace("contactmoment", last(moment["url"]), moment | {"tekst": "Iets anders."})
    report = Verify(earlier.installation.fetchers["bron"]).run()
    assert not report["clean"]
    assert report["kinds"]["contactmoment"]["different"] == 1


@pytest.mark.rule("W9")
def test_a_page_that_was_asked_for_before_a_change_was_told_is_no_change_at_the_source(
    earlier: WritingBack,
) -> None:
    before = earlier.data.objects("contactmoment")
    contact = earlier.contact(zaak_of(earlier))
    earlier.deliver()
    page, asked = made_at(earlier.data, "contactmoment", before), now()
    earlier.ask("PATCH", f"klantcontacten/{contact['uuid']}", {"inhoud": "Daarna."})
    earlier.hurry()
    earlier.deliver()
    earlier.installation.ingest.take("bron", "contactmoment", page, asked=asked)
    assert earlier.queue() == []
    earlier.installation.ingest.take("bron", "contactmoment", page, asked=now())
    assert [change.cause for change in earlier.queue()] == ["gewijzigd bij de bron"]


@pytest.mark.rule("W5")
def test_a_contact_about_a_zaak_that_no_source_has_is_told(earlier: WritingBack) -> None:
    before = earlier.data.objects("contactmoment")
    earlier.contact("6b1f3a52-0000-4000-8000-000000000001")
    earlier.deliver()
    assert earlier.queue() == []
    assert made_at(earlier.data, "contactmoment", before) == []
    assert ("W5", "zaak", "niet terug te schrijven: geen bron kent de zaak") in earlier.findings()


@pytest.mark.rule("W9")
def test_a_change_whose_answer_was_lost_is_no_change_at_the_source(earlier: WritingBack) -> None:
    before = earlier.data.objects("contactmoment")
    contact = earlier.contact(zaak_of(earlier))
    earlier.deliver()
    earlier.ask("PATCH", f"klantcontacten/{contact['uuid']}", {"inhoud": "Een."})
    earlier.server.traps = Traps(late_error_rate=1)
    assert earlier.deliver()["postponed"] == 1
    earlier.server.traps = Traps()
    earlier.ask("PATCH", f"klantcontacten/{contact['uuid']}", {"inhoud": "Twee."})
    earlier.hurry()
    assert earlier.deliver() == {"sent": 1, "postponed": 0, "parked": 0}
    (moment,) = made_at(earlier.data, "contactmoment", before)
    assert moment["tekst"].endswith("Twee.")
    earlier.nothing_changes()
