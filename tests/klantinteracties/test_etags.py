"""ETags: equal over workers and ways, another one for each version, and two editors who can't overwrite each other."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from builders.both_ways import BothWays
from builders.editor import KLANTCONTACT, ORGANISATIE, PERSOON, Editor, ref
from builders.served_store import API, Client, Got

from gateway.klantinteracties.model.resources import RESOURCES
from gateway.store.base.store import Store

Serve = Callable[..., Client]
STRONG = re.compile(r'"[0-9a-f]{32}"')
MADE: dict[str, dict[str, Any]] = {
    "partijen": PERSOON,
    "klantcontacten": KLANTCONTACT,
    "actoren": {"naam": "Loket", "soortActor": "medewerker"},
    "digitaleadressen": {
        "adres": "iemand@example.nl",
        "soortDigitaalAdres": "email",
        "verstrektDoorPartij": None,
        "verstrektDoorBetrokkene": None,
    },
    "rekeningnummers": {"partij": None, "iban": "NL91ABNA0417164300", "bic": ""},
}


def tag(got: Got) -> str:
    found = got.headers["ETag"]
    assert STRONG.fullmatch(found)
    return found


def put(editor: Editor, path: str, shown: dict[str, Any], **headers: str) -> Got:
    own = {"url", "uuid", "_expand", "betrokkenen", "categorieRelaties", "vertegenwoordigden"}
    body = {name: value for name, value in shown.items() if name not in own}
    return editor.send("PUT", f"/{path}/{shown['uuid']}", body, **headers)


@pytest.mark.slow
@pytest.mark.parametrize("path", MADE)
def test_each_answer_about_a_document_names_the_version_that_get_gives(editor: Editor, path: str) -> None:
    made = editor.send("POST", f"/{path}", MADE[path])
    assert made.status == 201, made.raw
    detail = f"/{path}/{made.json['uuid']}"
    first = editor.client.get(detail)
    assert tag(made) == tag(first)
    head = editor.send("HEAD", detail)
    assert (tag(head), head.raw) == (tag(first), b"")
    for method in ("PUT", "PATCH"):
        changed = put(editor, path, first.json) if method == "PUT" else editor.send(method, detail, {})
        assert changed.status == 200, changed.raw
        assert tag(changed) == tag(editor.client.get(detail))
    assert "ETag" not in editor.client.get(f"/{path}").headers
    assert "ETag" not in editor.send("DELETE", detail).headers


def test_every_resource_of_a_real_register_has_one_for_each_detail(client: Client) -> None:
    seen = set()
    for resource in RESOURCES:
        for shown in client.get(f"/{resource.path}").json["results"]:
            found = tag(client.get(f"/{resource.path}/{shown['uuid']}"))
            assert found not in seen
            seen.add(found)
    assert len(seen) > 30


def test_it_changes_with_whatever_the_answer_shows(editor: Editor) -> None:
    partij = editor.make("partijen", PERSOON)
    detail = f"/partijen/{partij['uuid']}"
    first = editor.client.get(detail)
    assert tag(editor.client.get(detail)) == tag(first)
    expanded = editor.client.get(f"{detail}?expand=digitaleAdressen")
    assert tag(expanded) != tag(first)
    address = editor.make("digitaleadressen", MADE["digitaleadressen"] | {"verstrektDoorPartij": ref(partij)})
    second = editor.client.get(detail)
    assert tag(second) != tag(first)
    editor.patch("digitaleadressen", address, {"omschrijving": "werk"})
    assert tag(editor.client.get(detail)) == tag(second)  # it shows only that there is an address
    assert tag(editor.client.get(f"{detail}?expand=digitaleAdressen")) != tag(expanded)


def test_workers_agree(store: Store, serve: Serve) -> None:
    editor = Editor(serve(public_url="https://klant.example", scope="write"))
    other = serve(public_url="https://klant.example")
    made = editor.send("POST", "/klantcontacten", KLANTCONTACT)
    assert tag(other.get(f"/klantcontacten/{made.json['uuid']}")) == tag(made)


def test_who_has_it_already_is_told_so(editor: Editor) -> None:
    made = editor.send("POST", "/partijen", PERSOON)
    detail, known = f"/partijen/{made.json['uuid']}", tag(made)
    for named in (known, f"W/{known}", f'"x", {known}', "*"):
        for method in ("GET", "HEAD"):
            got = editor.send(method, detail, **{"If-None-Match": named})
            assert (got.status, got.raw, got.headers["ETag"]) == (304, b"", known)
            assert "Content-Type" not in got.headers
            assert got.headers["Klantbrug-Coverage"] == "complete"
    for named in ('"x"', "", known.strip('"')[:-1]):
        assert editor.send("GET", detail, **{"If-None-Match": named}).json == made.json
    editor.patch("partijen", made.json, {"indicatieActief": False})
    assert editor.send("GET", detail, **{"If-None-Match": known}).status == 200


@pytest.mark.slow
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_write_of_another_version_changes_nothing(editor: Editor, method: str) -> None:
    made = editor.send("POST", "/partijen", ORGANISATIE)
    detail, old = f"/partijen/{made.json['uuid']}", tag(made)
    now = editor.patch("partijen", made.json, {"indicatieActief": False})

    def write(**headers: str) -> Got:
        if method == "PUT":
            return put(editor, "partijen", now, **headers)
        return editor.send(
            method, detail, {"indicatieActief": False} if method == "PATCH" else None, **headers
        )

    current = tag(editor.client.get(detail))
    refused: list[dict[str, str]] = [
        {"If-Match": named} for named in (old, f"W/{current}", '"x"', "", current.strip('"') + "0")
    ]
    refused += [{"If-None-Match": named} for named in ("*", current, f"W/{current}")]
    refused.append({"If-Match": current, "If-None-Match": current})
    for headers in refused:
        with editor.nothing_written():
            got = write(**headers)
        assert (got.status, got.json["code"]) == (412, "precondition_failed"), headers
        assert got.json["type"].endswith("/ref/fouten/PreconditionFailed/")
        assert editor.send(method, f"/partijen/{made.json['uuid'][:-1]}x", {}, **headers).status == 404
    # Judged before the body, as what isn't there.
    assert editor.send("PUT", detail, b"{", **{"If-Match": old}).status == 412
    assert editor.send("PUT", detail, b"{", **{"If-Match": current}).status == 400
    assert write(**{"If-Match": f'"x", {current}', "If-None-Match": old}).status in (200, 204)
    assert write(**{"If-Match": "*"}).status == (404 if method == "DELETE" else 200)


def test_of_editors_who_read_the_same_exactly_one_writes(editor: Editor) -> None:
    made = editor.send("POST", "/klantcontacten", KLANTCONTACT)
    detail, answers = f"/klantcontacten/{made.json['uuid']}", []
    gate = threading.Barrier(8)

    def edit(number: int) -> None:
        gate.wait()
        answers.append(
            editor.send("PATCH", detail, {"onderwerp": f"van {number}"}, **{"If-Match": tag(made)}).status
        )

    editors = [threading.Thread(target=edit, args=(number,)) for number in range(8)]
    for each in editors:
        each.start()
    for each in editors:
        each.join()
    assert sorted(answers) == [200] + 7 * [412]


def test_without_the_headers_writes_are_as_they_were(editor: Editor) -> None:
    made = editor.make("partijen", PERSOON)
    assert put(editor, "partijen", made).status == 200
    assert editor.send("DELETE", f"/partijen/{made['uuid']}").status == 204


def test_both_ways_answer_conditions_the_same(register: Any, store: Store) -> None:
    ways = BothWays(store)
    token = {"Authorization": f"Token {ways.token}"}
    shown = ways.app.test_client().get(f"{API}/partijen", headers=token).get_json()["results"][0]
    path = f"{API}/partijen/{shown['uuid']}"
    _, headers, _ = ways.ask("GET", path, token)
    known = dict(headers)["Etag"]
    wanted = {
        ("If-None-Match", known): "304",
        ("If-None-Match", "*"): "304",
        ("If-None-Match", '"x"'): "200",
        ("If-Match", known): "200",
        ("If-Match", '"x"'): "412",
        ("If-Match", f"W/{known}"): "412",
    }
    for (name, value), status in wanted.items():
        for method in ("GET", "HEAD"):
            assert ways.ask(method, path, token | {name: value})[0] == status


def test_a_cascade_is_judged_too(editor: Editor) -> None:
    contact = editor.make("klantcontacten", KLANTCONTACT)
    codes = {"objectId": "1", "codeObjecttype": "zaak", "codeRegister": "r", "codeSoortObjectId": "uuid"}
    made = editor.send(
        "POST",
        "/onderwerpobjecten",
        {"klantcontact": ref(contact), "wasKlantcontact": None, "onderwerpobjectidentificator": codes},
    )
    path = f"/onderwerpobjecten/{made.json['uuid']}?cascade=true"
    with editor.nothing_written():
        assert editor.send("DELETE", path, **{"If-Match": '"x"'}).status == 412
    assert editor.send("DELETE", path, **{"If-Match": tag(made)}).status == 200
    assert editor.gone("klantcontacten", contact)
