"""What a rehearsal shows is what is sent then: the same calls with the same fields, and nothing is kept of it."""

from __future__ import annotations

from typing import Any

import pytest
from builders.earlier_source import last
from builders.store_digest import dump_digest
from builders.writeback_world import WritingBack, partij_of_a_klant, zaak_of
from click.testing import CliRunner

from gateway.cli.main import cli
from gateway.legacy.client import changes
from gateway.sample.server import Traps
from gateway.store.operation.writeback import QueuedChange
from gateway.writeback.rehearsal import NOT_YET, Rehearsed, rehearse

pytestmark = pytest.mark.slow

Call = tuple[str, str, dict[str, Any]]


def rehearsed(world: WritingBack, change: QueuedChange) -> Rehearsed:
    """What would be sent, seen to leave everything as it is."""
    before = (dump_digest(world.store), world.queue(), world.findings())
    world.server.reset_calls()
    found = rehearse(world.installation.fetchers["bron"], world.installation.config, change)
    assert {call.method for call in world.server.calls} <= {"GET"}
    assert (dump_digest(world.store), world.queue(), world.findings()) == before
    return found


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """What goes to sources in the test, as it goes."""
    calls: list[Call] = []
    create, replace, delete = changes.create, changes.replace, changes.delete

    def creating(client: Any, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        calls.append(("POST", kind, body))
        return create(client, kind, body)

    def replacing(client: Any, kind: str, uuid: str, body: dict[str, Any], *, partial: bool) -> Any:
        calls.append(("PATCH" if partial else "PUT", kind, body))
        return replace(client, kind, uuid, body, partial=partial)

    def deleting(client: Any, kind: str, uuid: str) -> None:
        calls.append(("DELETE", kind, {}))
        delete(client, kind, uuid)

    for name, call in (("create", creating), ("replace", replacing), ("delete", deleting)):
        monkeypatch.setattr(changes, name, call)
    return calls


def as_it_is(world: WritingBack, sent: list[Call]) -> list[str]:
    """Rehearse what waits, then deliver it: each shows the same. Out: the calls, as method and kind."""
    (change,) = world.queue()
    shown = rehearsed(world, change)
    assert shown.why == ""
    sent.clear()
    world.hurry()
    world.deliver()
    assert [(call.method, call.kind) for call in shown.calls] == [(method, kind) for method, kind, _ in sent]
    for call, (_, _, body) in zip(shown.calls, sent, strict=True):
        assert call.body.keys() == body.keys()
        for name, value in call.body.items():
            assert value == body[name] or str(NOT_YET) in str(value), name
    return [f"{method} {kind}" for method, kind, _ in sent]


@pytest.mark.rule("W1")
def test_what_a_rehearsal_of_contacts_shows_is_what_is_sent(earlier: WritingBack, sent: list[Call]) -> None:
    contact = earlier.contact()
    partij, _ = partij_of_a_klant(earlier)
    earlier.with_person(contact, partij)
    earlier.with_actor(contact)
    subject = earlier.about(contact, zaak_of(earlier))
    assert as_it_is(earlier, sent) == [
        "POST contactmoment",
        "POST klantcontactmoment",
        "POST zaakcontactmoment",
    ]
    earlier.ask("PATCH", f"klantcontacten/{contact['uuid']}", {"inhoud": "Anders."})
    assert as_it_is(earlier, sent) == ["PATCH contactmoment"]
    earlier.ask("DELETE", f"onderwerpobjecten/{subject['uuid']}")
    assert as_it_is(earlier, sent) == ["DELETE zaakcontactmoment"]
    earlier.ask("DELETE", f"klantcontacten/{contact['uuid']}")
    assert as_it_is(earlier, sent) == ["DELETE klantcontactmoment", "DELETE contactmoment"]


@pytest.mark.rule("W1")
def test_what_a_rehearsal_of_addresses_and_klanten_shows_is_what_is_sent(
    earlier: WritingBack, sent: list[Call]
) -> None:
    partij, _ = partij_of_a_klant(earlier)
    found = earlier.ask("GET", f"digitaleadressen?verstrektDoorPartij__uuid={partij}")["results"]
    adres = next(each for each in found if each["soortDigitaalAdres"] == "email")
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "nieuw@example.nl"})
    assert as_it_is(earlier, sent) == ["PATCH klant"]
    earlier.ask("DELETE", f"digitaleadressen/{adres['uuid']}")
    assert as_it_is(earlier, sent) == ["PATCH klant"]
    naam = {"voorletters": "", "voornaam": "Anna", "voorvoegselAchternaam": "", "achternaam": "X"}
    body = {"soortPartij": "persoon", "indicatieActief": True, "partijIdentificatie": {"contactnaam": naam}}
    earlier.ask("POST", "partijen", body)
    assert as_it_is(earlier, sent) == ["POST klant"]


@pytest.mark.rule("W1")
def test_what_would_not_be_sent_is_not_shown(earlier: WritingBack, sent: list[Call]) -> None:
    """An address that is not the standard one came and went: the klant keeps what it has."""
    partij, _ = partij_of_a_klant(earlier)
    links = {"verstrektDoorPartij": {"uuid": partij}, "verstrektDoorBetrokkene": None, "omschrijving": ""}
    body = {"adres": "tweede@example.nl", "soortDigitaalAdres": "email", "isStandaardAdres": False}
    second = earlier.ask("POST", "digitaleadressen", body | links)
    earlier.ask("DELETE", f"digitaleadressen/{second['uuid']}")
    (change,) = earlier.queue()
    path = str(earlier.store.path.parent / "config.toml")
    shown = CliRunner().invoke(cli, ["--config", path, "writeback", "show", str(change.id)])
    assert shown.exit_code == 0
    assert "PATCH" not in shown.output
    assert "Gaat nu niet: de bron hoeft hier niets van te horen." in shown.output
    assert as_it_is(earlier, sent) == []


@pytest.mark.slow
@pytest.mark.rule("W9")
def test_a_rehearsal_tells_what_would_wait_for_an_operator(earlier: WritingBack) -> None:
    partij, klant = partij_of_a_klant(earlier)
    found = earlier.ask("GET", f"digitaleadressen?verstrektDoorPartij__uuid={partij}")["results"]
    adres = next(each for each in found if each["soortDigitaalAdres"] == "email")
    earlier.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "nieuw@example.nl"})
    there = earlier.data.get("klant", last(klant))
    earlier.data.replace("klant", last(klant), there | {"emailadres": "balie@example.nl"})
    (change,) = earlier.queue()
    assert rehearsed(earlier, change) == Rehearsed([], "zou op u wachten: gewijzigd bij de bron")
    earlier.server.traps = Traps(down=True)
    assert "bron" in rehearsed(earlier, change).why.casefold()


@pytest.mark.rule("W7")
def test_what_a_rehearsal_of_rollen_shows_is_what_is_sent(with_rollen: WritingBack, sent: list[Call]) -> None:
    path = "digitaleadressen?verstrektDoorPartij__partijIdentificator__objectId=999990019"
    (adres,) = with_rollen.ask("GET", path)["results"]
    with_rollen.ask("PATCH", f"digitaleadressen/{adres['uuid']}", {"adres": "nieuw@example.nl"})
    assert as_it_is(with_rollen, sent) == ["PUT rol"]
    assert "betrokkeneType" in sent[0][2]
