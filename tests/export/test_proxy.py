"""Phase exported: read-only, or each request handed on with the uuids that clients know."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from builders.editor import Editor, ref
from builders.old_home import OldHome
from builders.other_register import API, OtherRegister
from builders.served_store import Client, answering
from klantinteracties import test_client_flows as flows

from gateway.app import create_app
from gateway.base import clock
from gateway.config.target import Target
from gateway.http.auth import create_token
from gateway.klantinteracties.model.freshness import LocalOnly
from gateway.klantinteracties.model.resources import PATHS
from gateway.operator.export import switch
from gateway.operator.phase import NotAllowed
from gateway.store.export import documents
from gateway.target import proxy

pytestmark = pytest.mark.slow

contactcentrum = flows.contactcentrum
WHO = "tester"


@contextlib.contextmanager
def served(home: OldHome, target: Target) -> Iterator[Editor]:
    """The installation as it serves with this register to leave for."""
    config = replace(home.config, target=target)
    app = create_app(config, store=home.store, hydrator=LocalOnly())
    with answering(app) as address:
        token = create_token(home.store, f"served-{address.rpartition(':')[2]}", "read write")
        yield Editor(Client(address, token))


def leave(home: OldHome, target: Target) -> None:
    """All the way to phase exported."""
    assert home.export(target).stopped == ""
    assert home.verify(target)["clean"]
    switch.leave(home.store, target, WHO)


@pytest.fixture
def editor(home: OldHome, register: OtherRegister) -> Iterator[Editor]:
    """A client of a gateway that hands on everything, from an empty home to an empty register."""
    target = register.settings(proxy=True)
    leave(home, target)
    with served(home, target) as made:
        yield made


# What clients do, from beginning to end, through the gateway.
for name in dir(flows):
    if name.startswith("test_"):
        globals()[name] = pytest.mark.rule("E8")(getattr(flows, name))


def shape(value: Any) -> Any:
    """An answer without what a register sets itself, and its lists in one order."""
    if isinstance(value, dict):
        if "werkteVoorPartij" in value:
            value = {key: each for key, each in value.items() if key != "uuid"}  # the contactpersoon's own
        return {key: shape(each) for key, each in value.items() if key != "toegewezenOp"}
    if isinstance(value, list):
        return sorted((shape(each) for each in value), key=str)
    return value


@pytest.mark.slow
@pytest.mark.rule("E8")
def test_every_answer_is_what_it_was_under_the_uuids_of_before(
    home: OldHome, register: OtherRegister
) -> None:
    home.fill(8)
    target = register.settings(proxy=True)
    with served(home, target) as editor:
        paths = sorted(editor.get(f"{API}/").keys() - {"maak-klantcontact"})
        questions = [f"/{path}?pageSize=500" for path in paths]
        before = {path: editor.get(f"/{path}?pageSize=500")["results"] for path in paths}
        partij, contact = before["partijen"][-1], before["klantcontacten"][0]
        questions += [
            f"{API}/",
            f"/partijen/{partij['uuid']}?expand=digitaleAdressen,betrokkenen.hadKlantcontact,betrokkenen",
            f"/partijen/{partij['uuid'].upper()}",
            f"/betrokkenen?wasPartij__url={partij['url']}&pageSize=100",
            f"/betrokkenen?hadKlantcontact__uuid={contact['uuid']}",
            f"/klantcontacten/{contact['uuid']}?expand=leiddeTotInterneTaken,gingOverOnderwerpobjecten,hadBetrokkenen",
            "/digitaleadressen?adres=0123456789&expand=verstrektDoorBetrokkene.hadKlantcontact,verstrektDoorBetrokkene",
        ]
        answers = {question: editor.get(question) for question in questions}
        leave(home, target)
        register.traps.asked.clear()
        with clock_moved():
            for question, answer in answers.items():
                assert shape(editor.get(question)) == shape(answer), question
        assert register.traps.count("GET") >= len(questions), "they were handed on"
        # A page that leads on.
        first = editor.get("/partijen?pageSize=3")
        assert first["next"].startswith(editor.client.base)
        second = editor.get(first["next"].removeprefix(editor.client.base))
        assert not {one["uuid"] for one in first["results"]} & {one["uuid"] for one in second["results"]}
        assert {one["uuid"] for one in second["results"]} <= {one["uuid"] for one in before["partijen"]}


@contextlib.contextmanager
def clock_moved() -> Iterator[None]:
    """Processes look again at the phase after a moment."""
    kept, proxy.SEEN_SECONDS = proxy.SEEN_SECONDS, 0.0
    try:
        yield
    finally:
        proxy.SEEN_SECONDS = kept


@pytest.mark.slow
@pytest.mark.rule("E8")
def test_what_is_written_through_us_refers_to_what_was_there(home: OldHome, register: OtherRegister) -> None:
    home.fill(4)
    target = register.settings(proxy=True)
    old = home.client.send("GET", "partijen")["results"][0]
    leave(home, target)
    with served(home, target) as editor:
        contact = editor.make(
            "klantcontacten", {"kanaal": "balie", "onderwerp": "Na", "taal": "nld", "vertrouwelijk": False}
        )
        betrokkene = editor.make(
            "betrokkenen",
            {
                "hadKlantcontact": ref(contact),
                "wasPartij": ref(old),
                "rol": "klant",
                "initiator": True,
            },
        )
        assert betrokkene["wasPartij"] == {
            "uuid": old["uuid"],
            "url": f"{editor.client.base}{API}/partijen/{old['uuid']}",
        }
        got = editor.send("POST", "/rekeningnummers", {"partij": ref(old), "iban": "NL91ABNA0417164300"})
        assert got.headers["Location"].startswith(editor.client.base)
        changed = editor.patch("partijen", old, {"interneNotitie": f"zie {old['uuid']}"})
        assert changed["interneNotitie"] == f"zie {old['uuid']}", "a client's text stays as it is"
        assert editor.refused("POST", "/betrokkenen", {"wasPartij": {"uuid": contact["uuid"]}})
        editor.delete("partijen", old)
        assert editor.gone("partijen", old)
    with pytest.raises(NotAllowed, match="Terug kan niet meer"):
        switch.come_back(home.store, WHO)


@pytest.mark.slow
@pytest.mark.rule("E8")
def test_who_writes_while_we_go_back_does_not_write_there(
    home: OldHome, register: OtherRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = register.settings(proxy=True)
    leave(home, target)
    read = proxy.read_json

    def back_meanwhile(asked: Any) -> Any:
        switch.come_back(home.store, WHO)
        return read(asked)

    monkeypatch.setattr(proxy, "read_json", back_meanwhile)
    with served(home, target) as editor:
        register.traps.asked.clear()
        assert editor.send("POST", "/categorieen", {"naam": "Net te laat"}).status == 503
        assert register.traps.asked == []
        assert editor.make("categorieen", {"naam": "Hier"}), "the next one is answered here"
        assert register.traps.asked == []


@pytest.mark.slow
@pytest.mark.rule("E8")
def test_a_token_for_one_resource_opens_no_other_one_there(home: OldHome, register: OtherRegister) -> None:
    home.fill(2)
    target = register.settings(proxy=True)
    leave(home, target)
    with served(home, target) as editor:
        token = create_token(home.store, "only partijen", "read:partijen", resources=PATHS)
        limited = Client(editor.client.base, token)
        assert limited.get("/partijen").status == 200
        assert limited.get("/partijen?expand=digitaleAdressen").status == 403
        assert limited.get("/klantcontacten").status == 403
        assert Client(editor.client.base, "nobody").get("/partijen").status == 401
        asked = len(register.traps.asked)
        limited.send("POST", "/partijen", {"Authorization": f"Token {token}"}, b"{}")
        assert len(register.traps.asked) == asked, "who may not write here, does not write there"


@pytest.mark.slow
@pytest.mark.rule("E8")
@pytest.mark.parametrize("path", ["..", "%2e%2e", "x%3Fy=1", "x%2F..%2F..", "..%2F..%2F..%2Fadmin"])
def test_no_path_leads_elsewhere_there(home: OldHome, register: OtherRegister, path: str) -> None:
    target = register.settings(proxy=True)
    leave(home, target)
    with served(home, target) as editor:
        register.traps.asked.clear()
        assert editor.client.get(f"/partijen/{path}").status == 404
        assert register.traps.asked == []


@pytest.mark.slow
@pytest.mark.rule("E8")
def test_by_default_it_is_only_read_and_says_where_to_write(home: OldHome, register: OtherRegister) -> None:
    home.fill(3)
    target = register.settings()
    with served(home, target) as editor:
        before = editor.everything()
        partij = before["partijen"]["results"][0]
        leave(home, target)
        register.traps.asked.clear()
        for method, path, body in (
            ("POST", "/partijen", {"soortPartij": "persoon", "indicatieActief": True}),
            ("PATCH", f"/partijen/{partij['uuid']}", {}),
            ("DELETE", f"/partijen/{partij['uuid']}", None),
            ("POST", "/maak-klantcontact", {}),
        ):
            got = editor.send(method, path, body)
            assert (got.status, target.url in got.json["detail"]) == (503, True)
            assert "Retry-After" in got.headers
        assert editor.everything() == before
        assert register.traps.asked == []
        for one in switch.compare(home.store, target):
            assert one.here == one.there
        switch.come_back(home.store, WHO)
        editor.make("partijen", {"soortPartij": "persoon", "indicatieActief": True})
        home.export(target)
        assert home.verify(target)["clean"], "what was written since then goes too"


@pytest.mark.slow
@pytest.mark.rule("E8")
@pytest.mark.parametrize("handed_on", [False, True])
@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1/api/v1", "itself"])
def test_after_the_move_another_register_or_none_is_refused(
    home: OldHome, register: OtherRegister, url: str, handed_on: bool
) -> None:
    target = register.settings(proxy=handed_on)
    leave(home, target)
    if url == "itself":  # the same server, as another register
        url = f"{target.url}/x"
    with served(home, replace(target, url=url)) as editor:
        register.traps.asked.clear()
        got = editor.send("POST", "/categorieen", {"naam": "Verdwaald"})
        assert (got.status, "niet het register" in got.json["detail"]) == (503, True)
        assert editor.client.get("/categorieen").status == (503 if handed_on else 200)
        assert register.traps.asked == []
    with home.store.read() as connection:
        assert documents.count(connection, "categorie") == 0


@pytest.mark.slow
@pytest.mark.rule("E8")
def test_the_switch_asks_for_proof_that_is_young_and_an_empty_queue(
    home: OldHome, register: OtherRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.fill(3)
    target = register.settings()

    def refused(part: str) -> None:
        with pytest.raises(NotAllowed, match=part):
            switch.leave(home.store, target, WHO)

    refused("export run")
    home.export(target)
    refused("verify --full")
    home.verify(target, sample=3)
    refused("verify --full")
    home.verify(target)
    home.client.make("categorieen", {"naam": "Later"})
    refused("1 wijzigingen")
    home.export(target)
    later = clock.time_ns() + 25 * 3600 * 10**9
    monkeypatch.setattr(clock, "time_ns", lambda: later)
    refused("het laatste bewijs is van")
    monkeypatch.undo()
    register.send("POST", "categorieen", {"naam": "Van een ander"})
    assert not home.verify(target)["clean"], "the register was empty, so this does not belong there"
    refused("niet schoon")
    with pytest.raises(NotAllowed, match="reden"):
        switch.leave(home.store, target, WHO, force=True)
    assert switch.leave(home.store, target, WHO, "het moet", force=True)
    assert not switch.leave(home.store, target, WHO)


@pytest.mark.slow
@pytest.mark.rule("E8")
def test_a_register_that_is_away_is_told_as_such(home: OldHome, register: OtherRegister) -> None:
    target = register.settings(proxy=True, read_timeout=1)
    leave(home, target)
    with served(home, target) as editor:
        register.traps.slow_seconds = 2.5
        register.traps.trap = lambda method, path, number: "slow"
        assert editor.client.get("/partijen").status == 504
        register.traps.trap = lambda method, path, number: "lost"
        assert editor.client.get("/partijen").status == 502
