"""Contacts that clients wrote, as klantcontacten of a Zaken API."""

from __future__ import annotations

from typing import Any

import pytest
from builders.writeback_world import WritingBack, made_at, zaak_of

from gateway.sample.server import Traps

pytestmark = pytest.mark.slow


@pytest.mark.rule("W4")
def test_a_contact_about_a_zaak_appears_in_the_zaken_api(zaken: WritingBack) -> None:
    zaak, before = zaak_of(zaken), zaken.data.objects("klantcontact")
    contact = zaken.contact(zaak, reactie="Dat duurt acht weken.")
    assert zaken.deliver() == {"sent": 1, "postponed": 0, "parked": 0}
    (made,) = made_at(zaken.data, "klantcontact", before)
    assert made["zaak"].endswith(zaak)
    assert made["datumtijd"] == "2025-06-01T10:00:00Z"
    assert made["onderwerp"] == contact["onderwerp"]
    assert made["toelichting"] == "Wil weten hoe lang het duurt.\n\nDat duurt acht weken."
    assert len(made["identificatie"]) == 12


@pytest.mark.rule("W3")
def test_what_comes_back_makes_no_second_document(zaken: WritingBack) -> None:
    zaak = zaak_of(zaken)
    contact = zaken.contact(zaak)
    zaken.deliver()
    ((_, uuid),) = zaken.bound(contact["uuid"]).items()
    assert zaken.ask("GET", f"klantcontacten/{uuid}")["uuid"] == contact["uuid"]
    count = zaken.ask("GET", "klantcontacten")["count"]
    zaken.nothing_changes()
    assert zaken.ask("GET", "klantcontacten")["count"] == count
    assert zaken.ask("GET", f"klantcontacten/{uuid}")["uuid"] == contact["uuid"]


@pytest.mark.slow
@pytest.mark.rule("W2")
@pytest.mark.parametrize("trap", ["lost_answer_rate", "late_error_rate", "write_error_rate"])
def test_an_answer_that_got_lost_makes_no_double(zaken: WritingBack, trap: str) -> None:
    zaak, before = zaak_of(zaken), zaken.data.objects("klantcontact")
    contact = zaken.contact(zaak)
    zaken.server.traps = Traps(**{trap: 1})
    assert zaken.deliver()["postponed"] == 1
    zaken.server.traps = Traps()
    zaken.hurry()
    assert zaken.deliver()["sent"] == 1
    (made,) = made_at(zaken.data, "klantcontact", before)
    assert zaken.bound(contact["uuid"]) == {("klantcontact", zaak): made["uuid"]}
    zaken.nothing_changes()


@pytest.mark.rule("W3")
def test_a_sync_before_the_answer_was_known_makes_no_second_document(zaken: WritingBack) -> None:
    from jobs.registry import BY_NAME, run_job

    contact = zaken.contact(zaak_of(zaken))
    count = zaken.ask("GET", "klantcontacten")["count"]
    zaken.server.traps = Traps(lost_answer_rate=1)
    zaken.deliver()
    zaken.server.traps = Traps()
    run_job(zaken.installation, BY_NAME["sync"])
    assert zaken.ask("GET", "klantcontacten")["count"] == count
    assert zaken.bound(contact["uuid"])
    zaken.hurry()
    zaken.deliver()
    zaken.nothing_changes()


@pytest.mark.rule("W4")
def test_what_is_too_long_is_cut_at_a_word_and_told(zaken: WritingBack) -> None:
    before = zaken.data.objects("klantcontact")
    zaken.contact(
        zaak_of(zaken), kanaal="een heel lange naam van een kanaal", inhoud="woord " * 160, reactie="ja " * 90
    )
    zaken.deliver()
    (made,) = made_at(zaken.data, "klantcontact", before)
    assert (made["kanaal"], len(made["toelichting"]) <= 1000) == ("een heel lange naam", True)
    assert made["toelichting"].endswith(" ja")
    told = {(rule, field) for rule, field, _ in zaken.findings()}
    assert told == {("W4", "kanaal"), ("W4", "inhoud")}


@pytest.mark.rule("W4")
def test_the_future_becomes_now(zaken: WritingBack) -> None:
    before = zaken.data.objects("klantcontact")
    zaken.contact(zaak_of(zaken), plaatsgevondenOp="2099-01-01T10:00:00Z")
    assert zaken.deliver()["sent"] == 1
    (made,) = made_at(zaken.data, "klantcontact", before)
    assert made["datumtijd"] < "2098"
    assert ("W4", "plaatsgevondenOp") in {(rule, field) for rule, field, _ in zaken.findings()}
    zaken.nothing_changes()


@pytest.mark.rule("W4")
def test_a_later_change_or_deletion_is_told_once(zaken: WritingBack) -> None:
    contact = zaken.contact(zaak_of(zaken))
    zaken.deliver()
    zaken.server.reset_calls()
    for text in ("Een", "Twee"):
        zaken.ask("PATCH", f"klantcontacten/{contact['uuid']}", {"inhoud": text})
        zaken.deliver()
    zaken.ask("DELETE", f"klantcontacten/{contact['uuid']}")
    zaken.deliver()
    assert not [call for call in zaken.server.calls if call.method != "GET"]
    actions = sorted(action for rule, _, action in zaken.findings() if rule == "W4")
    assert actions == [
        "niet terug te schrijven: de bron kan een klantcontact niet verwijderen",
        "niet terug te schrijven: de bron kan een klantcontact niet wijzigen",
    ]
    zaken.nothing_changes()


@pytest.mark.rule("W1")
def test_a_client_is_answered_while_the_source_is_down(zaken: WritingBack) -> None:
    zaken.server.traps.down = True
    zaak = zaak_of(zaken)
    made: dict[str, Any] = zaken.ask(
        "POST",
        "klantcontacten",
        {"kanaal": "balie", "onderwerp": "Paspoort", "taal": "nld", "vertrouwelijk": False},
    )
    zaken.about(made, zaak)
    assert [change.kind for change in zaken.queue()] == ["klantcontacten"]
    assert zaken.deliver() == {"sent": 0, "postponed": 1, "parked": 0}
    zaken.server.traps.down = False
    zaken.hurry()
    assert zaken.deliver()["sent"] == 1
    assert zaken.queue() == []


@pytest.mark.rule("W10")
def test_what_the_source_refuses_waits_for_an_operator(zaken: WritingBack) -> None:
    zaken.contact(zaak_of(zaken))
    zaken.server.traps = Traps(forbid_after=0)
    assert zaken.deliver() == {"sent": 0, "postponed": 0, "parked": 1}
    (parked,) = zaken.queue()
    assert (parked.cause, parked.fields) == ("permission_denied", "")
    assert ("W10", "klantcontacten", "door de bron geweigerd: permission_denied") in zaken.findings()


@pytest.mark.rule("W3")
def test_what_may_still_land_is_not_forgotten_when_the_client_deletes_it(zaken: WritingBack) -> None:
    """Else it would come back as a contact of the source."""
    contact = zaken.contact(zaak_of(zaken))
    zaken.server.traps = Traps(write_error_rate=1)
    assert zaken.deliver()["postponed"] == 1
    zaken.server.traps = Traps()
    zaken.ask("DELETE", f"klantcontacten/{contact['uuid']}")
    zaken.let_go()
    assert zaken.deliver()["postponed"] == 1
    assert [change.cause for change in zaken.queue()] == ["unanswered"]
    zaken.hurry()
    assert zaken.deliver()["sent"] == 1
    assert zaken.queue() == []
