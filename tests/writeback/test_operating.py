"""What an operator sees of write-back and does about it: the command, the API, check, findings, explain, phases."""

from __future__ import annotations

import getpass
import json
import re
import threading
import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from builders.configs import read_config
from builders.earlier_source import last
from builders.store_digest import dump_digest
from builders.writeback_world import WriteBackWorld, WritingBack, made_at, partij_of_a_klant, zaak_of
from click.testing import CliRunner, Result

from gateway.app import create_app
from gateway.cli.main import cli
from gateway.http.auth import create_token
from gateway.installation import open_installation
from gateway.legacy.background import background
from gateway.legacy.client import changes
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.errors import ServerError
from gateway.legacy.pacing import server_gates
from gateway.legacy.pacing.gate import Gate
from gateway.login.links import new_link
from gateway.operator import writeback as operator
from gateway.operator.phase import NotAllowed, switch
from gateway.sample.access import Application
from gateway.sample.server import DEFAULT_APPLICATION, Traps
from gateway.store.operation import events
from jobs.deliver import writeback as deliver

pytestmark = pytest.mark.slow


def command(world: WritingBack, *arguments: str, code: int = 0) -> Result:
    path = world.store.path.parent / "config.toml"
    done = CliRunner().invoke(cli, ["--config", str(path), *arguments])
    assert done.exit_code == code, done.output
    return done


def parked(world: WritingBack) -> dict[str, Any]:
    """A contact that the source refused."""
    contact = world.contact(zaak_of(world))
    world.server.traps = Traps(forbid_after=0)
    world.deliver()
    world.server.traps = Traps()
    return contact


def last_event(zaken: WritingBack) -> tuple[str, str]:
    with zaken.store.read() as connection:
        event = events.events(connection)[0]
    return event.what, event.who


@pytest.mark.rule("W10")
def test_list_says_what_to_do_and_send_sends_again(zaken: WritingBack) -> None:
    before = zaken.data.objects("klantcontact")
    parked(zaken)
    shown = command(zaken, "writeback", "list", code=1).output
    assert "permission_denied" in shown and "autorisatie" in shown
    (change,) = zaken.queue()
    assert "datumtijd, identificatie" in command(zaken, "writeback", "show", str(change.id)).output
    command(zaken, "writeback", "send", str(change.id))
    assert last_event(zaken) == (f"terugschrijven {change.id} opnieuw gestuurd", getpass.getuser())
    zaken.deliver()
    assert len(made_at(zaken.data, "klantcontact", before)) == 1
    assert "Er wacht niets" in command(zaken, "writeback", "list").output


@pytest.mark.rule("W10")
def test_what_is_dropped_is_not_sent(zaken: WritingBack) -> None:
    before = zaken.data.objects("klantcontact")
    parked(zaken)
    (change,) = zaken.queue()
    command(zaken, "writeback", "drop", str(change.id))
    assert last_event(zaken) == (f"terugschrijven {change.id} vervallen", getpass.getuser())
    command(zaken, "writeback", "drop", str(change.id), code=1)
    zaken.hurry()
    zaken.deliver()
    assert made_at(zaken.data, "klantcontact", before) == []


@pytest.mark.rule("W13")
def test_numbers_stand_in_status_and_on_the_page(zaken: WritingBack) -> None:
    parked(zaken)
    zaken.contact(zaak_of(zaken))
    status = json.loads(command(zaken, "status", "--json").stdout)
    numbers = status["sources"]["bron"]["writeback"]["kinds"]["klantcontacten"]
    assert (numbers["waiting"], numbers["parked"]) == (1, 1)
    assert numbers["oldest"] and numbers["age"] < 60
    app = create_app(zaken.installation.config, store=zaken.store, hydrator=zaken.installation.hydrator())
    browser = app.test_client()
    link = new_link(zaken.store, zaken.installation.config.gateway, "kijker", ["kijken"], "test")
    assert browser.get(urlsplit(link).path).status_code == 303
    page = browser.get("/beheer/terugschrijven").get_data(as_text=True)
    (row,) = re.findall(
        r'<tr><th scope="row">bron</th><td data-label="Wat">klantcontacten</td>(.*?)</tr>', page
    )
    waiting, _, wait_for_you, _ = re.findall(r"<td[^>]*>([^<]*)</td>", row)
    assert (waiting, wait_for_you) == ("1", "1")
    assert "1 wachten" in command(zaken, "writeback", "status").output


@pytest.mark.slow
@pytest.mark.rule("W13")
def test_what_came_of_it_is_counted_since_ever(earlier: WritingBack) -> None:
    def counted(kind: str) -> dict[str, int]:
        numbers = operator.numbers(earlier.store)["bron"].kinds[kind]
        names = ("waiting", "failing", "parked", "sent", "refused", "changed", "unanswered", "dropped")
        return {name: count for name in names if (count := getattr(numbers, name))}

    parked(earlier)
    assert counted("contactmomenten") == {"parked": 1, "refused": 1}
    (change,) = earlier.queue()
    command(earlier, "writeback", "drop", str(change.id))
    earlier.contact(zaak_of(earlier))
    earlier.server.traps = Traps(lost_answer_rate=1)
    earlier.deliver()
    earlier.server.traps = Traps()
    assert counted("contactmomenten") == {
        "waiting": 1,
        "failing": 1,
        "refused": 1,
        "dropped": 1,
        "unanswered": 1,
    }
    earlier.server.traps = Traps(down=True)  # a question that gets no answer changed nothing
    earlier.hurry()
    earlier.deliver()
    earlier.server.traps = Traps()
    earlier.hurry()
    earlier.deliver()
    assert counted("contactmomenten") == {"sent": 1, "refused": 1, "dropped": 1, "unanswered": 1}
    partij, klant = partij_of_a_klant(earlier)
    found = earlier.ask("GET", f"digitaleadressen?verstrektDoorPartij__uuid={partij}")["results"]
    adres = next(each for each in found if each["soortDigitaalAdres"] == "email")
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "nieuw@example.nl"})
    there = earlier.data.get("klant", last(klant)) | {"emailadres": "balie@example.nl"}
    earlier.data.replace("klant", last(klant), there)
    earlier.deliver()
    assert counted("contactgegevens") == {"parked": 1, "changed": 1}
    assert operator.numbers(earlier.store)["bron"].findings == {"W9": 1, "W10": 1}
    shown = command(earlier, "writeback", "status").output
    assert "1 klaar, 1 geweigerd, 0 bij de bron gewijzigd, 1 keer geen antwoord, 1 vervallen" in shown
    assert "W9 1" in shown


@pytest.mark.rule("W13")
def test_explain_tells_what_was_sent(zaken: WritingBack) -> None:
    contact = zaken.contact(zaak_of(zaken))
    assert "Wacht op terugschrijven naar bron bron" in command(zaken, "explain", contact["uuid"]).output
    zaken.deliver()
    (uuid,) = zaken.bound(contact["uuid"]).values()
    shown = command(zaken, "explain", contact["uuid"]).output
    assert "Teruggeschreven naar bron bron op" in shown
    assert f"klantcontact {uuid}" in shown


@pytest.mark.rule("W8")
def test_findings_count_what_stays_by_rule(zaken: WritingBack) -> None:
    for _ in range(2):
        task = {"aanleidinggevendKlantcontact": {"uuid": zaken.contact()["uuid"]}, "status": "te_verwerken"}
        zaken.ask("POST", "internetaken", task | {"gevraagdeHandeling": "Bel", "toegewezenAanActoren": []})
    found = command(zaken, "findings", "--json", "--rule", "W8").stdout.splitlines()
    groups = [json.loads(line) for line in found]
    assert [(each["field"], each["count"]) for each in groups] == [("internetaak", 2)]


@pytest.mark.slow
@pytest.mark.rule("W9")
def test_an_operator_chooses_whose_value_stays(earlier: WritingBack) -> None:
    before = earlier.data.objects("contactmoment")
    contact = earlier.contact(zaak_of(earlier))
    earlier.deliver()
    (moment,) = made_at(earlier.data, "contactmoment", before)
    uuid = last(moment["url"])
    for text, deed, stays in (("Nul.", "send", None), ("Een.", "drop", "Een."), ("Twee.", "send", None)):
        earlier.data.replace("contactmoment", uuid, earlier.data.get("contactmoment", uuid) | {"tekst": text})
        earlier.run("sync")
        earlier.run("sweep")
        (change,) = earlier.queue()
        assert change.cause == "gewijzigd bij de bron"
        command(earlier, "writeback", deed, str(change.id))
        earlier.hurry()
        earlier.deliver()
        shown = earlier.data.get("contactmoment", uuid)["tekst"]
        assert shown == (stays or f"{contact['onderwerp']}\n\n{contact['inhoud']}")
        earlier.nothing_changes()


@pytest.mark.slow
@pytest.mark.rule("W9")
def test_what_an_operator_sends_does_not_go_over_a_later_value(earlier: WritingBack) -> None:
    partij, klant = partij_of_a_klant(earlier)
    found = earlier.ask("GET", f"digitaleadressen?verstrektDoorPartij__uuid={partij}")["results"]
    adres = next(each for each in found if each["soortDigitaalAdres"] == "email")
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "nieuw@example.nl"})
    for there in ("een@example.nl", "twee@example.nl"):
        shown = earlier.data.get("klant", last(klant))
        earlier.data.replace("klant", last(klant), shown | {"emailadres": there})
        assert earlier.deliver()["parked"] == 1
        (change,) = earlier.queue()
        command(earlier, "writeback", "send", str(change.id))
    assert earlier.deliver()["sent"] == 1
    assert earlier.data.get("klant", last(klant))["emailadres"] == "nieuw@example.nl"


@pytest.mark.rule("W13")
def test_the_same_over_http_for_who_may_operate(zaken: WritingBack) -> None:
    parked(zaken)
    app = create_app(zaken.installation.config, store=zaken.store, hydrator=zaken.installation.hydrator())
    client = app.test_client()
    headers = {
        scope: {"Authorization": f"Token {create_token(zaken.store, scope, scope)}"}
        for scope in ("read", "operate")
    }
    address = "/beheer/api/v1/writeback"
    assert client.get(address, headers=headers["read"]).status_code == 403
    (change,) = client.get(address, headers=headers["operate"]).get_json()["changes"]
    assert change["cause"] == "permission_denied"
    one = f"{address}/{change['id']}"
    assert client.get(one, headers=headers["operate"]).get_json()["id"] == change["id"]
    assert client.post(f"{one}/send", headers=headers["operate"]).get_json() == {"sent": 1}
    assert client.post(f"{one}/drop", headers=headers["operate"]).get_json()["id"] == change["id"]
    assert client.get(one, headers=headers["operate"]).status_code == 404
    assert client.post(f"{one}/drop", headers=headers["operate"]).status_code == 404
    with zaken.store.read() as connection:
        noted = [(each.what, each.who) for each in events.events(connection)]
    assert noted[:2] == [
        (f"terugschrijven {change['id']} {what}", "token operate")
        for what in ("vervallen", "opnieuw gestuurd")
    ]


@pytest.mark.rule("W12")
def test_cutover_waits_until_nothing_waits_and_then_nothing_is_sent(zaken: WritingBack) -> None:
    zaken.contact(zaak_of(zaken))
    with pytest.raises(NotAllowed, match="1 wijzigingen van clients moeten nog terug"):
        switch(zaken.store, "bron", "cutover", "test")
    zaken.server.traps = Traps(forbid_after=0)
    zaken.deliver()
    with pytest.raises(NotAllowed, match="wachten op u"):
        switch(zaken.store, "bron", "cutover", "test")
    switch(zaken.store, "bron", "cutover", "test", "het moet", force=True)
    zaken.server.reset_calls()
    zaken.contact(zaak_of(zaken))
    assert len(zaken.queue()) == 1  # only what was parked before
    zaken.hurry()
    zaken.deliver()
    assert zaken.server.calls == []


def checked(world: WritingBack, **access: Any) -> str:
    """What check says to an application with this access; nothing is changed by it."""
    known = world.server.app.extensions["sample"].applications
    application = Application(DEFAULT_APPLICATION.client_id, DEFAULT_APPLICATION.secret, **access)
    kinds = ("rol", "klantcontact", "klant", "contactmoment", "klantcontactmoment", "zaakcontactmoment")
    before = {kind: world.data.objects(kind) for kind in kinds}
    known[application.client_id] = application
    try:
        shown = command(world, "check", code=1 if access else 0).output
    finally:
        known[application.client_id] = DEFAULT_APPLICATION
    assert before == {kind: world.data.objects(kind) for kind in kinds}
    return " ".join(shown.split())


@pytest.mark.rule("W10")
def test_check_tells_beforehand_what_may_not_be_written(earlier: WritingBack) -> None:
    shown = checked(earlier)
    assert "aanmaken" not in shown
    assert "vooraf niet te weten" in shown and "klantbrug writeback list" in shown
    shown = checked(earlier, writes=False)
    for scope in ("klanten.aanmaken", "klanten.bijwerken", "contactmomenten.aanmaken", "zaken.bijwerken"):
        assert scope in shown


@pytest.mark.rule("W10")
@pytest.mark.parametrize(
    ("right", "scope"),
    [
        (
            "PATCH klant",
            "klanten.bijwerken",
        ),
        ("POST klant", "klanten.aanmaken"),
        ("PATCH contactmoment", "contactmomenten.bijwerken"),
        ("DELETE klantcontactmoment", "contactmomenten.verwijderen"),
        ("POST zaakcontactmoment", "zaken.bijwerken"),
    ],
)
def test_check_tells_of_a_right_that_is_missing_for_one_kind(
    earlier: WritingBack, right: str, scope: str
) -> None:
    shown = checked(earlier, refused=(right,))
    assert shown.count("vraag de beheerder om de autorisatie") == 1
    assert scope in shown


@pytest.mark.rule("W10")
def test_check_tells_of_a_rol_that_may_not_be_changed(with_rollen: WritingBack) -> None:
    assert "vraag de beheerder" not in checked(with_rollen)
    assert "Terugschrijven van rol (wijzigen) mag niet" in checked(with_rollen, refused=("PUT rol",))


@pytest.mark.rule("W11")
def test_the_window_does_not_hold_it_and_a_pause_does(
    zaken: WritingBack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "PATIENCE", 0.2)
    client = zaken.installation.fetchers["bron"].client
    for gate in client._gates.all():
        monkeypatch.setattr(gate, "_opens", lambda: 3600.0)
    (source,) = zaken.installation.config.sources
    zaken.contact(zaak_of(zaken))
    server_gates.pause(zaken.store.path, source)
    assert zaken.deliver()["postponed"] == 1
    server_gates.resume(zaken.store.path, source)
    zaken.hurry()
    assert zaken.deliver()["sent"] == 1


@pytest.mark.slow
@pytest.mark.rule("W11")
def test_it_goes_before_other_jobs_that_wait(zaken: WritingBack) -> None:
    """One connection, held by a job: of two that wait for it, write-back is the first."""
    (source,) = zaken.installation.config.sources
    gate = Gate(replace(source, max_connections=1), None)
    order: list[str] = []

    def call(name: str, first: bool) -> None:
        with background(first=first):
            place = gate.enter("GET /zaken", None)
            order.append(name)
            time.sleep(0.1)
            gate.leave(place, None)

    with background():
        held = gate.enter("GET /zaken", None)
    threads = []
    for name, first in (("backfill", False), ("writeback", True)):
        threads.append(threading.Thread(target=call, args=(name, first)))
        threads[-1].start()
        time.sleep(0.2)
    gate.leave(held, None)
    for thread in threads:
        thread.join(10)
    assert order == ["writeback", "backfill"]


@pytest.mark.rule("W1")
def test_a_rehearsal_tells_what_would_be_sent_and_sends_nothing(
    zaken_template: WriteBackWorld,
) -> None:
    world = zaken_template.fresh()
    path = world.store.path.parent / "config.toml"
    path.write_text(path.read_text() + "write_back_dry_run = true\n")
    world = WritingBack(zaken_template.server, open_installation(read_config(path)))
    world.contact(zaak_of(world))
    world.server.reset_calls()
    assert world.deliver() == {"sent": 0, "postponed": 0, "parked": 0}
    (change,) = world.queue()
    shown = command(world, "writeback", "show", str(change.id)).output
    assert "POST klantcontact" in shown and "toelichting" in shown
    assert world.server.calls == []


@pytest.mark.rule("W1")
def test_what_waits_of_a_kind_that_is_switched_off_stays(earlier: WritingBack) -> None:
    partij, _ = partij_of_a_klant(earlier)
    (adres, *_) = earlier.ask("GET", f"digitaleadressen?verstrektDoorPartij__uuid={partij}")["results"]
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"isStandaardAdres": True})
    path = earlier.store.path.parent / "config.toml"
    path.write_text(path.read_text().replace("'contactgegevens', ", ""))
    world = WritingBack(earlier.server, open_installation(read_config(path)))
    assert not deliver.anything_due(world.installation)
    world.contact(zaak_of(world))
    world.server.reset_calls()
    assert world.deliver()["sent"] == 1
    assert [change.kind for change in world.queue()] == ["contactgegevens"]
    assert "PATCH" not in {call.method for call in world.server.calls}


@pytest.mark.rule("W10")
def test_what_is_not_there_to_be_read_waits_alone(zaken: WritingBack) -> None:
    """Of a contact in the future its klantcontact is read before a change is told."""
    contact = zaken.contact(zaak_of(zaken), plaatsgevondenOp="2099-01-01T10:00:00Z")
    zaken.deliver()
    (uuid,) = zaken.bound(contact["uuid"]).values()
    zaken.data.remove("klantcontact", uuid)
    zaken.ask("PATCH", f"klantcontacten/{contact['uuid']}", {"inhoud": "Iets anders."})
    zaken.contact(zaak_of(zaken, 1))
    assert zaken.deliver() == {"sent": 1, "postponed": 0, "parked": 1}
    (change,) = zaken.queue()
    assert change.cause == "not_found"


@pytest.mark.rule("W10")
def test_a_change_that_always_fails_holds_up_no_other(
    zaken: WritingBack, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = changes.create

    def failing(client: ZakenClient, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if body["onderwerp"] == "Kapot":
            raise ServerError("bron", "POST /klantcontacten", status=500)
        return create(client, kind, body)

    monkeypatch.setattr(changes, "create", failing)
    zaken.contact(zaak_of(zaken), onderwerp="Kapot")
    for _ in range(4):
        assert zaken.deliver()["postponed"] == 1
        zaken.hurry()
    zaken.contact(zaak_of(zaken, 1))
    assert zaken.deliver() == {"sent": 1, "postponed": 1, "parked": 0}


@pytest.mark.rule("W3")
def test_a_rebuild_changes_nothing(earlier: WritingBack) -> None:
    partij, _ = partij_of_a_klant(earlier)
    contact = earlier.contact(zaak_of(earlier))
    earlier.with_person(contact, partij)
    path = f"digitaleadressen?verstrektDoorPartij__uuid={partij}"
    adres = next(
        each for each in earlier.ask("GET", path)["results"] if each["soortDigitaalAdres"] == "email"
    )
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "nieuw@example.nl"})
    earlier.deliver()
    before = dump_digest(earlier.store)
    command(earlier, "rebuild")
    assert dump_digest(earlier.store) == before
