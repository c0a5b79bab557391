"""What users of the register changed meanwhile is not overwritten by a change of something else here."""

from __future__ import annotations

from typing import Any

import pytest
from builders.editor import codes, ref
from builders.old_home import OldHome
from builders.other_register import OtherRegister
from builders.slow_source import a_bsn

from gateway.store.export import pairs

PERSOON: dict[str, Any] = {
    "soortPartij": "persoon",
    "indicatieActief": True,
    "partijIdentificatie": {"contactnaam": {"voornaam": "Jan", "achternaam": "Voorbeeld"}},
}
NOTE, LANGUAGE = "interneNotitie", "voorkeurstaal"


@pytest.fixture
def one(home: OldHome, register: OtherRegister) -> tuple[str, str]:
    """A partij that was exported: the paths by which it is asked here and there."""
    made = home.client.make("partijen", PERSOON)
    home.export(register.settings())
    (there,) = register.all("partijen")
    return f"partijen/{made['uuid']}", f"partijen/{there['uuid']}"


def sent_fields(register: OtherRegister, home: OldHome, **target: Any) -> list[set[str]]:
    """The fields of each PATCH that a run of the export sends."""
    bodies = list[set[str]]()
    register.traps.read = lambda method, body: bodies.append(set(body)) if method == "PATCH" else None
    assert home.export(register.settings(**target)).stopped == ""
    register.traps.read = lambda method, body: None
    return bodies


def overwritten(home: OldHome) -> list[tuple[str, str, int]]:
    with home.store.read() as connection:
        return pairs.overwritten_fields(connection)


@pytest.mark.rule("E7")
def test_only_what_changed_here_is_sent(home: OldHome, register: OtherRegister, one: tuple[str, str]) -> None:
    ours, theirs = one
    register.send("PATCH", theirs, {NOTE: "van daar", "bezoekadres": {"straatnaam": "Laan", "huisnummer": 7}})
    home.client.send("PATCH", ours, {LANGUAGE: "fry"})
    assert sent_fields(register, home) == [{LANGUAGE}]
    shown = register.send("GET", theirs)
    assert (shown[NOTE], shown[LANGUAGE], shown["bezoekadres"]["straatnaam"]) == ("van daar", "fry", "Laan")
    assert overwritten(home) == []
    report = home.verify(register.settings())
    assert not report["clean"], "it is not the same, and somebody must know"
    assert report["changed_there"] == {f"partij {NOTE}": 1, "partij bezoekadres": 1}
    home.client.send("PATCH", ours, {LANGUAGE: "nld"})
    assert sent_fields(register, home) == [{LANGUAGE}], "the next change does not take it back either"
    home.client.send("PATCH", ours, {LANGUAGE: "fry"})
    assert sent_fields(register, home) == [{LANGUAGE}], "back to a value of before is a change as well"
    assert register.send("GET", theirs)[LANGUAGE] == "fry"


@pytest.mark.rule("E7")
def test_what_changed_on_both_sides_gets_ours_and_is_told(
    home: OldHome, register: OtherRegister, one: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    ours, theirs = one
    register.send("PATCH", theirs, {NOTE: "van daar", LANGUAGE: "fry"})
    home.client.send("PATCH", ours, {NOTE: "van hier"})
    assert sent_fields(register, home) == [{NOTE}]
    shown = register.send("GET", theirs)
    assert (shown[NOTE], shown[LANGUAGE]) == ("van hier", "fry")
    assert overwritten(home) == [("partij", NOTE, 1)]
    assert "changed on both sides" in caplog.text and "van daar" not in caplog.text
    report = home.verify(register.settings())
    assert report["overwritten"] == [{"kind": "partij", "fields": [NOTE], "count": 1}]
    home.client.send("PATCH", ours, {NOTE: "nog eens"})
    sent_fields(register, home)
    assert register.send("GET", theirs)[NOTE] == "nog eens"


@pytest.mark.rule("E7")
def test_the_same_change_on_both_sides_is_none(
    home: OldHome, register: OtherRegister, one: tuple[str, str]
) -> None:
    ours, theirs = one
    for send, path in ((register.send, theirs), (home.client.send, ours)):
        send("PATCH", path, {NOTE: "gelijk"})
    assert sent_fields(register, home) == []
    assert overwritten(home) == [] and home.verify(register.settings())["clean"]


@pytest.mark.slow
@pytest.mark.rule("E7")
def test_a_group_and_a_reference_are_fields_too(
    home: OldHome, register: OtherRegister, one: tuple[str, str]
) -> None:
    """A name goes with its soort; a preference that users chose there stays until it changes here."""
    ours, theirs = one
    mails = [
        home.client.make(
            "digitaleadressen",
            {
                "adres": f"{name}@example.nl",
                "soortDigitaalAdres": "email",
                "verstrektDoorPartij": ref(home.client.send("GET", ours)),
            },
        )
        for name in ("een", "twee")
    ]
    home.client.send("PATCH", ours, {"voorkeursDigitaalAdres": ref(mails[0])})
    home.export(register.settings())
    there = {shown["adres"]: shown for shown in register.all("digitaleadressen")}
    register.send(
        "PATCH", theirs, {NOTE: "van daar", "voorkeursDigitaalAdres": ref(there["twee@example.nl"])}
    )
    name = {"contactnaam": {"voornaam": "Jan", "achternaam": "Anders"}}
    home.client.send("PATCH", ours, {"soortPartij": "persoon", "partijIdentificatie": name})
    assert sent_fields(register, home) == [{"soortPartij", "partijIdentificatie"}]
    shown = register.send("GET", theirs)
    assert shown["partijIdentificatie"]["contactnaam"]["achternaam"] == "Anders"
    assert shown["voorkeursDigitaalAdres"]["uuid"] == there["twee@example.nl"]["uuid"]
    home.client.send("PATCH", ours, {"voorkeursDigitaalAdres": None})
    home.export(register.settings())
    shown = register.send("GET", theirs)
    assert (shown["voorkeursDigitaalAdres"], shown[NOTE]) == (None, "van daar")
    assert overwritten(home) == [("partij", "voorkeursDigitaalAdres", 1)]


@pytest.mark.slow
@pytest.mark.rule("E4")
@pytest.mark.parametrize(("on_existing", "note"), [("keep", "van daar"), ("update", "van hier")])
def test_whoever_was_there_before_us_keeps_or_gets_what_on_existing_says(
    home: OldHome, register: OtherRegister, on_existing: str, note: str
) -> None:
    number = {"partijIdentificatoren": [{"partijIdentificator": codes("bsn", a_bsn(1))}]}
    there = register.send("POST", "partijen", {**PERSOON, **number})
    made = home.client.make("partijen", {**PERSOON, **number})
    assert home.export(register.settings(on_existing=on_existing)).counts["taken"] == 1
    path = f"partijen/{there['uuid']}"
    register.send("PATCH", path, {NOTE: "van daar"})
    home.client.send("PATCH", f"partijen/{made['uuid']}", {NOTE: "van hier", LANGUAGE: "fry"})
    sent_fields(register, home, on_existing=on_existing)
    shown = register.send("GET", path)
    assert (shown[NOTE], shown[LANGUAGE]) == (note, "fry")
    report = home.verify(register.settings(on_existing=on_existing))
    assert report["clean"], report["details"]
    told = report["kept"] if on_existing == "keep" else {"partij " + overwritten(home)[0][1]: 1}
    assert told == {f"partij {NOTE}": 1}


@pytest.mark.rule("E7")
def test_a_number_of_a_contact_that_another_has_there_does_not_hold_up_the_rest(
    home: OldHome, register: OtherRegister
) -> None:
    contact = {"kanaal": "telefoon", "onderwerp": "Vraag", "taal": "nld", "vertrouwelijk": False}
    register.send(
        "POST", "klantcontacten", {**contact, "nummer": "12", "plaatsgevondenOp": "2025-01-01T00:00:00Z"}
    )
    made = home.client.make("klantcontacten", {**contact, "plaatsgevondenOp": "2026-01-01T00:00:00Z"})
    home.export(register.settings())
    home.client.send("PATCH", f"klantcontacten/{made['uuid']}", {"nummer": "12", "onderwerp": "Anders"})
    sent_fields(register, home)
    assert "Anders" in {shown["onderwerp"] for shown in register.all("klantcontacten")}
