"""What every write does, whatever the resource: over HTTP, in the store, and with documents from the legacy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from builders.editor import BSN, EMAIL, KLANTCONTACT, KVK, NOBODY, ORGANISATIE, PERSOON, Editor, codes, ref
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.recordings import RecordedRegister, recorded, split
from builders.served_store import Client, answering
from builders.set_clock import SetClock

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.installation import Installation
from gateway.klantinteracties.model.freshness import Outcome, ShownDocument
from gateway.klantinteracties.model.resources import BY_KIND, RESOURCES, Resource
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer
from gateway.store.base.store import Store
from gateway.store.documents.writing import put_documents
from gateway.store.edits import editing, standard_addresses
from gateway.store.edits.overlay import overlay
from mappings.model.documents import Document
from mappings.values.nummers import kvk_nummer

PARTIJ = "b8c1138c-5821-4b05-a26d-7e732ddc213f"
KLANTCONTACT_UUID = "d35a0331-3b59-47ff-91bc-390aeabbef75"


# HTTP


@pytest.mark.slow
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
def test_reading_is_not_writing(client: Client, resource: Resource) -> None:
    """A token of scope read is told 403, before the object is looked for or the body is read."""
    editor = Editor(client)
    with editor.nothing_written():
        for method, path in (
            ("POST", f"/{resource.path}"),
            ("PUT", f"/{resource.path}/{NOBODY}"),
            ("PATCH", f"/{resource.path}/{NOBODY}"),
            ("DELETE", f"/{resource.path}/{NOBODY}"),
        ):
            got = editor.send(method, path, b"{")
            assert (got.status, got.json["code"]) == (403, "permission_denied")


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
def test_what_is_not_there_is_404_before_the_body_is_looked_at(editor: Editor, resource: Resource) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        for uuid in (NOBODY, "geen-uuid"):
            assert editor.send(method, f"/{resource.path}/{uuid}", b"{").status == 404


def test_what_is_made_stands_at_its_location(editor: Editor) -> None:
    got = editor.send("POST", "/categorieen", {"naam": "Ondernemer"})
    assert got.status == 201
    assert got.headers["Location"] == got.json["url"]
    assert got.headers["Location"].startswith(editor.client.base)
    assert editor.again("categorieen", got.json) == got.json


def test_the_location_is_under_the_public_address(serve: Callable[..., Client]) -> None:
    editor = Editor(serve(public_url="https://klant.example.nl/", scope="write"))
    got = editor.send("POST", "/categorieen", {"naam": "x"})
    assert got.headers["Location"].startswith("https://klant.example.nl/klantinteracties/api/v1/categorieen/")


def test_an_answer_that_it_is_gone_is_empty(editor: Editor) -> None:
    made = editor.make("categorieen", {"naam": "x"})
    got = editor.send("DELETE", f"/categorieen/{made['uuid']}")
    assert (got.status, got.raw, got.headers["Content-Length"]) == (204, b"", "0")
    assert "Content-Type" not in got.headers
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Allow"] == "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
    assert editor.send("DELETE", f"/categorieen/{made['uuid']}").status == 404


@pytest.mark.parametrize(("content_type", "status"), [
    ("application/json", 201),
    ("Application/JSON ; charset=utf-8", 201),
    ("application/merge-patch+json", 415),
    ("text/json", 415),
    ("", 415),
])  # fmt: skip
def test_a_body_is_json_and_says_so(editor: Editor, content_type: str, status: int) -> None:
    got = editor.send("POST", "/categorieen", b'{"naam": "x"}', **{"Content-Type": content_type})
    assert got.status == status
    if status == 415:
        assert got.json["detail"] == f'Ongeldige media type "{content_type}" in aanvraag.'


def test_no_body_is_an_empty_object_whatever_it_says_it_is(editor: Editor) -> None:
    assert editor.send("POST", "/actoren", b"", **{"Content-Type": "text/plain"}).status == 400
    assert editor.send("POST", "/categorieen", b"").json["naam"] == ""


@pytest.mark.slow
@pytest.mark.parametrize("body", [
    b"{", b'{"naam": NaN}', b'{"naam": Infinity}', b"{'naam': 1}", b'{"naam": "\xff"}', b"\xef\xbb\xbf{}",
    b'{"naam": ' + b"9" * 5000 + b"}", b"[" * 100_000, b'{"naam": "x"} {}', b"\x00",
])  # fmt: skip
def test_what_is_no_json_is_a_parse_error_that_repeats_nothing(editor: Editor, body: bytes) -> None:
    with editor.nothing_written():
        got = editor.send("POST", "/categorieen", body)
    assert (got.status, got.json["code"]) == (400, "parse_error")
    assert got.json["detail"].startswith("JSON parse error - ")
    assert "naam" not in got.json["detail"]


@pytest.mark.parametrize("body", ["[]", '"x"', "1", "null", "true", '[{"naam": "x"}]'])
def test_json_that_is_no_object_is_refused(editor: Editor, body: str) -> None:
    for path in ("/categorieen", "/partijen", "/maak-klantcontact"):
        assert editor.send("POST", path, body.encode()).status == 400


@pytest.mark.slow
@pytest.mark.parametrize("text", ["\x00", "a\x00", "\ud800", "\udfffx"])
def test_a_text_that_cannot_be_kept_is_refused(editor: Editor, text: str) -> None:
    """Null characters, and halves of a surrogate pair, which JSON can spell and UTF-8 can't."""
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("categorieen", {"naam": text}),
        ("klantcontacten", {**KLANTCONTACT, "metadata": {"sleutel": text}}),
        ("klantcontacten", {**KLANTCONTACT, "metadata": {text: "x"}}),
        ("partijen", {**PERSOON, "bezoekadres": {"stad": text}}),
    ]
    with editor.nothing_written():
        for path, body in bodies:
            assert editor.send("POST", f"/{path}", body).status == 400


def test_a_body_that_is_too_large_is_413(editor: Editor) -> None:
    body = json.dumps({"naam": "x" * (1024 * 1024)}).encode()
    got = editor.send("POST", "/categorieen", body)
    assert (got.status, got.json["code"]) == (413, "request_entity_too_large")
    assert got.headers["API-version"] == "0.9.0"


def test_who_may_not_enter_is_told_so_before_a_body_is_read(editor: Editor) -> None:
    body = json.dumps({"naam": "x" * (1024 * 1024)}).encode()
    got = editor.client.send("POST", "/categorieen", {"Content-Type": "text/plain"}, body[:100])
    assert got.status == 401


@pytest.mark.parametrize("spelling", [str.upper, lambda uuid: uuid.replace("-", "")])
def test_a_uuid_in_a_path_may_be_spelled_otherwise(editor: Editor, spelling: Callable[[str], str]) -> None:
    made = editor.make("categorieen", {"naam": "x"})
    got = editor.send("PATCH", f"/categorieen/{spelling(made['uuid'])}", {"naam": "y"})
    assert (got.status, got.json["uuid"], got.json["naam"]) == (200, made["uuid"], "y")


def test_maak_klantcontact_takes_only_post(editor: Editor) -> None:
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        got = editor.send(method, "/maak-klantcontact", b"{}" if method[0] == "P" else None)
        assert (got.status, got.headers["Allow"]) == (405, "POST, OPTIONS")
    assert editor.send("OPTIONS", "/maak-klantcontact").status == 200


# Making and changing


def full_partij(editor: Editor) -> Any:
    """A partij with everything that a client can give it."""
    adres, rekening = (
        editor.make("digitaleadressen", EMAIL),
        editor.make("rekeningnummers", {"iban": "NL91ABNA0417164300", "bic": "ABNANL2A"}),
    )
    return editor.make(
        "partijen",
        {
            **recorded_request(4),
            "digitaleAdressen": [ref(adres)],
            "voorkeursDigitaalAdres": ref(adres),
            "rekeningnummers": [ref(rekening)],
            "voorkeursRekeningnummer": ref(rekening),
        },
    )


def recorded_request(number: int) -> dict[str, Any]:
    shown = recorded(number).response
    keep = ("nummer", "interneNotitie", "soortPartij", "indicatieGeheimhouding", "voorkeurstaal")
    more = ("indicatieActief", "bezoekadres", "correspondentieadres", "partijIdentificatie")
    numbers = [{"partijIdentificator": one["partijIdentificator"]} for one in shown["partijIdentificatoren"]]
    return {name: shown[name] for name in (*keep, *more)} | {"partijIdentificatoren": numbers}


def test_a_put_wants_what_is_required_and_leaves_the_rest_as_it_was(editor: Editor) -> None:
    partij = full_partij(editor)
    path = f"/partijen/{partij['uuid']}"
    assert editor.refused("PUT", path, {"soortPartij": "persoon"}) == [("indicatieActief", "required")]
    after = editor.put("partijen", partij, {"soortPartij": "persoon", "indicatieActief": False})
    assert after == {**partij, "indicatieActief": False}
    assert editor.again("partijen", partij) == after


def test_a_put_of_what_get_showed_changes_nothing(editor: Editor) -> None:
    partij = full_partij(editor)
    assert editor.put("partijen", partij, partij) == partij
    assert editor.put("partijen", partij, editor.again("partijen", partij)) == partij


def test_a_patch_changes_what_is_given_only(editor: Editor) -> None:
    partij = full_partij(editor)
    assert editor.patch("partijen", partij, {}) == partij
    after = editor.patch("partijen", partij, {"interne_notitie": "snake", "onbekend": 1, "uuid": NOBODY})
    assert after == {**partij, "interneNotitie": "snake"}


def test_what_fails_at_the_end_leaves_nothing_behind(editor: Editor) -> None:
    """The last identificator is a double: neither the partij nor the first one is made, no address is taken over."""
    editor.make("partij-identificatoren", {"partijIdentificator": codes("bsn", BSN)})
    adres = editor.make("digitaleadressen", EMAIL)
    body = {
        **PERSOON,
        "digitaleAdressen": [ref(adres)],
        "partijIdentificatoren": [
            {"partijIdentificator": codes("kvk_nummer", KVK)},
            {"partijIdentificator": codes("bsn", BSN)},
        ],
    }
    partij = full_organisatie(editor)
    with editor.nothing_written():
        assert editor.refused("POST", "/partijen", body) == [("__all__", "invalid")]
        assert editor.refused("PATCH", f"/partijen/{partij['uuid']}", body) == [("__all__", "invalid")]


def full_organisatie(editor: Editor) -> Any:
    number = {"partijIdentificator": codes("kvk_nummer", "87654321")}
    return editor.make("partijen", {**ORGANISATIE, "partijIdentificatoren": [number]})


def test_lists_show_what_was_written_last_first(editor: Editor) -> None:
    made = [editor.make("categorieen", {"naam": str(number)})["uuid"] for number in range(5)]
    assert [one["uuid"] for one in editor.get("/categorieen")["results"]] == made[::-1]
    body = {"partijIdentificatoren": [{"partijIdentificator": codes(*one)} for one in SOORTEN]}
    partij = editor.make("partijen", {**PERSOON, **body})
    shown = [one["partijIdentificator"]["codeSoortObjectId"] for one in partij["partijIdentificatoren"]]
    assert shown == [soort for soort, _ in SOORTEN]


SOORTEN = (("bsn", BSN), ("kvk_nummer", KVK), ("rsin", "123456782"))


def test_a_klantcontact_moves_in_lists_when_its_moment_does(editor: Editor) -> None:
    old = editor.make("klantcontacten", {**KLANTCONTACT, "plaatsgevondenOp": "1970-01-01"})
    new = editor.make("klantcontacten", {**KLANTCONTACT, "plaatsgevondenOp": "2020-02-02 02:02+02:00"})
    assert old["plaatsgevondenOp"] == "1970-01-01T00:00:00Z"
    assert new["plaatsgevondenOp"] == "2020-02-02T00:02:00Z"

    def order() -> list[str]:
        return [one["uuid"] for one in editor.get("/klantcontacten")["results"]]

    assert order() == [new["uuid"], old["uuid"]]
    editor.patch("klantcontacten", old, {"plaatsgevondenOp": "2021-01-01T00:00:00.000001Z"})
    assert order() == [old["uuid"], new["uuid"]]
    found = editor.get("/klantcontacten?plaatsgevondenOp=2021-01-01T00:00:00.000001Z")
    assert [one["uuid"] for one in found["results"]] == [old["uuid"]]


def test_an_answer_to_a_write_is_that_of_get(editor: Editor) -> None:
    """With the objects that refer to it, and without `_expand`."""
    contact = editor.make("klantcontacten", KLANTCONTACT)
    editor.make("betrokkenen", {"hadKlantcontact": ref(contact), "rol": "klant", "initiator": True})
    after = editor.patch("klantcontacten", contact, {"onderwerp": "Rijbewijs"})
    assert after == editor.again("klantcontacten", contact)
    assert len(after["hadBetrokkenen"]) == 1
    assert "_expand" not in after


# Deleting


def test_a_partij_takes_along_what_is_its_own(editor: Editor) -> None:
    partij, other = full_partij(editor), editor.make("partijen", PERSOON)
    contact = editor.make("klantcontacten", KLANTCONTACT)
    betrokkene = editor.make(
        "betrokkenen",
        {"hadKlantcontact": ref(contact), "wasPartij": ref(partij), "rol": "klant", "initiator": True},
    )
    adres = editor.make("digitaleadressen", {**EMAIL, "verstrektDoorBetrokkene": ref(betrokkene)})
    categorie = editor.make("categorieen", {"naam": "x"})
    editor.make("categorie-relaties", {"partij": ref(partij), "categorie": ref(categorie)})
    pair = {"vertegenwoordigendePartij": ref(other), "vertegenwoordigdePartij": ref(partij)}
    editor.make("vertegenwoordigingen", pair)
    editor.delete("partijen", partij)
    counts = {path: shown["count"] for path, shown in editor.everything().items() if shown["count"]}
    assert counts == {"partijen": 1, "klantcontacten": 1, "categorieen": 1, "digitaleadressen": 1}
    assert editor.again("digitaleadressen", adres)["verstrektDoorBetrokkene"] is None
    assert editor.again("klantcontacten", contact)["hadBetrokkenen"] == []


def test_a_klantcontact_takes_along_what_was_said_and_asked_at_it(editor: Editor) -> None:
    contact, later = (editor.make("klantcontacten", KLANTCONTACT) for _ in range(2))
    actor = editor.make("actoren", {"naam": "Klaas", "soortActor": "medewerker"})
    editor.make("betrokkenen", {"hadKlantcontact": ref(contact), "rol": "klant", "initiator": True})
    editor.make("onderwerpobjecten", {"klantcontact": ref(contact)})
    editor.make("onderwerpobjecten", {"klantcontact": ref(later), "wasKlantcontact": ref(contact)})
    editor.make("bijlagen", {"wasBijlageVanKlantcontact": ref(contact)})
    editor.make("actorklantcontacten", {"actor": ref(actor), "klantcontact": ref(contact)})
    taak = {"gevraagdeHandeling": "x", "status": "te_verwerken", "toegewezenAanActor": ref(actor)}
    editor.make("internetaken", {**taak, "aanleidinggevendKlantcontact": ref(contact)})
    editor.delete("klantcontacten", contact)
    counts = {path: shown["count"] for path, shown in editor.everything().items() if shown["count"]}
    assert counts == {"klantcontacten": 1, "actoren": 1}


def onderwerp(editor: Editor, contact: dict[str, Any], **rest: Any) -> Any:
    return editor.make("onderwerpobjecten", {"klantcontact": ref(contact), **rest})


def test_an_onderwerpobject_goes_alone_unless_asked(editor: Editor) -> None:
    """It destroys, so nothing but `true` asks for it."""
    contact = editor.make("klantcontacten", KLANTCONTACT)
    others = ("1", "True", "TRUE", "yes", "ja", "true,", "true&cascade=false")
    for query in (
        "",
        "?cascade=false",
        "?cascade=0",
        "?cascade=",
        *(f"?cascade={other}" for other in others),
    ):
        made = onderwerp(editor, contact)
        assert editor.send("DELETE", f"/onderwerpobjecten/{made['uuid']}{query}").status == 204
    assert editor.count("/klantcontacten") == 1


def test_cascade_takes_the_klantcontact_and_the_addresses_given_at_it(editor: Editor) -> None:
    contact, partij = editor.make("klantcontacten", KLANTCONTACT), editor.make("partijen", PERSOON)
    betrokkene = editor.make(
        "betrokkenen", {"hadKlantcontact": ref(contact), "rol": "klant", "initiator": True}
    )
    given = {**EMAIL, "verstrektDoorBetrokkene": ref(betrokkene)}
    loose = editor.make("digitaleadressen", given)
    of_partij = editor.make("digitaleadressen", {**given, "verstrektDoorPartij": ref(partij)})
    made = onderwerp(editor, contact)
    got = editor.send("DELETE", f"/onderwerpobjecten/{made['uuid']}?cascade=true")
    assert (got.status, got.json) == (200, {"behouden": []})
    assert editor.gone("klantcontacten", contact)
    assert editor.gone("betrokkenen", betrokkene)
    assert editor.gone("digitaleadressen", loose)
    assert editor.again("digitaleadressen", of_partij)["verstrektDoorBetrokkene"] is None


def test_cascade_keeps_a_klantcontact_that_another_onderwerpobject_needs(editor: Editor) -> None:
    contact, earlier = (editor.make("klantcontacten", KLANTCONTACT) for _ in range(2))
    first = onderwerp(editor, contact, wasKlantcontact=ref(earlier))
    second = onderwerp(editor, contact)
    got = editor.send("DELETE", f"/onderwerpobjecten/{first['uuid']}?cascade=true")
    assert (got.status, got.json) == (200, {"behouden": [contact["url"]]})
    assert editor.gone("klantcontacten", earlier)
    got = editor.send("DELETE", f"/onderwerpobjecten/{second['uuid']}?cascade=true")
    assert got.json == {"behouden": []}
    assert editor.count("/klantcontacten") == 0


# maak-klantcontact


def test_maak_klantcontact_makes_three_or_none(editor: Editor) -> None:
    body = {
        "klantcontact": KLANTCONTACT,
        "betrokkene": {"rol": "klant", "initiator": True, "wasPartij": {"uuid": NOBODY}},
        "onderwerpobject": {"wasKlantcontact": {"uuid": NOBODY}},
    }
    with editor.nothing_written():
        assert editor.refused("POST", "/maak-klantcontact", body) == [
            ("betrokkene.wasPartij.uuid", "invalid"),
            ("onderwerpobject.wasKlantcontact.uuid", "invalid"),
        ]
        wrong = {**KLANTCONTACT, "indicatieContactGelukt": True, "verdereActieOndernomen": True}
        assert editor.refused("POST", "/maak-klantcontact", {"klantcontact": wrong}) == [
            ("klantcontact.nonFieldErrors", "no-further-action-when-contact-succesful")
        ]
    contact = editor.make("klantcontacten", {**KLANTCONTACT, "nummer": "1"})
    double = {"klantcontact": {**KLANTCONTACT, "nummer": "1"}}
    assert editor.refused("POST", "/maak-klantcontact", double) == [("klantcontact.nummer", "unique")]
    body["betrokkene"] = {"rol": "klant", "initiator": True}
    body["onderwerpobject"] = {"wasKlantcontact": ref(contact)}
    made = editor.make("maak-klantcontact", body)
    for path, name in (
        ("klantcontacten", "klantcontact"),
        ("betrokkenen", "betrokkene"),
        ("onderwerpobjecten", "onderwerpobject"),
    ):
        assert editor.again(path, made[name]) == made[name]
    assert made["onderwerpobject"]["wasKlantcontact"]["uuid"] == contact["uuid"]
    assert made["betrokkene"]["hadKlantcontact"]["uuid"] == made["klantcontact"]["uuid"]


# Documents from the legacy (M19)


def as_after_ingest(store: Store, documents: Sequence[Document]) -> None:
    """What ingest does with documents that it makes again: what clients made of them is laid over them."""
    with store.write() as connection:
        made = standard_addresses.as_held(
            connection, overlay(connection, [(document, None) for document in documents])
        )
        ids = put_documents(connection, made)
        given = {
            document.uuid: (
                document.body["soortDigitaalAdres"],
                document.links["verstrektDoorPartij"][0],
                (document.moment, document.uuid, 0),
            )
            for document in documents
            if document.kind == "digitaleadres"
        }
        standard_addresses.put_candidates(connection, ids, given)
        standard_addresses.settle(
            connection, standard_addresses.partijen_of(connection, ids.values()), prefer=False
        )


@pytest.fixture
def legacy(register: RecordedRegister, serve: Callable[..., Client]) -> Editor:
    """A writing client of a register in which everything recorded came from a legacy system."""
    return Editor(serve(scope="write"))


def document(kind: str, number: int) -> Document:
    return split(BY_KIND[kind], recorded(number).response, 1_700_000_000_000_000)


@pytest.mark.rule("M19")
def test_only_what_a_client_changes_becomes_local(legacy: Editor, store: Store) -> None:
    partij = legacy.get(f"/partijen/{PARTIJ}")
    legacy.put("partijen", partij, partij)
    legacy.patch("partijen", partij, {"interneNotitie": partij["interneNotitie"]})
    assert Probe(store).written() == {}
    legacy.patch("partijen", partij, {"voorkeurstaal": "eng"})
    assert Probe(store).written() == {(PARTIJ, "voorkeurstaal"): {"voorkeurstaal": "eng"}}


@pytest.mark.rule("M19")
def test_what_a_client_changed_survives_the_next_ingest(legacy: Editor, store: Store) -> None:
    partij = legacy.get(f"/partijen/{PARTIJ}")
    after = legacy.patch(
        "partijen", partij, {"voorkeurstaal": "eng", "voorkeursDigitaalAdres": None, "bezoekadres": None}
    )
    contact = legacy.get(f"/klantcontacten/{KLANTCONTACT_UUID}")
    moved = legacy.patch("klantcontacten", contact, {"plaatsgevondenOp": "2001-01-01"})
    before = legacy.get("/klantcontacten")
    as_after_ingest(store, [document("partij", 48), document("klantcontact", 51)])
    assert legacy.again("partijen", partij) == after
    assert legacy.again("klantcontacten", contact) == moved
    assert legacy.get("/klantcontacten") == before


@pytest.mark.rule("M19")
def test_what_a_client_deleted_does_not_come_back(legacy: Editor, store: Store) -> None:
    partij = legacy.get(f"/partijen/{PARTIJ}")
    legacy.delete("partijen", partij)
    remaining = legacy.everything()
    documents = [document("partij", 48), document("betrokkene", 52)]
    as_after_ingest(store, documents)
    assert legacy.everything() == remaining
    with store.write() as connection:
        lifted = editing.take_up(connection, UUID(PARTIJ))
    assert {(one["kind"], one["uuid"]) for one in lifted} >= {
        ("partij", PARTIJ),
        ("betrokkene", str(documents[1].uuid)),
    }


@pytest.mark.rule("M19")
def test_a_contactpersoon_from_the_legacy_loses_a_deleted_organisatie_each_time(
    legacy: Editor, store: Store
) -> None:
    """Without anything of the contactpersoon becoming local: restoring the organisatie gives all of it back."""
    contactpersoon, organisatie = recorded(50).response, recorded(49).response
    assert contactpersoon["partijIdentificatie"]["werkteVoorPartij"]["uuid"] == organisatie["uuid"]
    for vestiging in organisatie["partijIdentificatoren"][::-1]:
        legacy.delete("partij-identificatoren", vestiging)
    legacy.delete("partijen", organisatie)
    assert legacy.again("partijen", contactpersoon)["partijIdentificatie"] is None
    as_after_ingest(store, [document("partij", 50)])
    assert legacy.again("partijen", contactpersoon)["partijIdentificatie"] is None
    assert not [part for uuid, part in Probe(store).written() if uuid == contactpersoon["uuid"]]
    with store.write() as connection:
        editing.take_up(connection, UUID(organisatie["uuid"]))
    as_after_ingest(store, [document("partij", 49), document("partij", 50)])
    partij = legacy.again("partijen", contactpersoon)
    assert partij["partijIdentificatie"]["werkteVoorPartij"]["uuid"] == organisatie["uuid"]


@pytest.mark.rule("M19")
def test_a_local_standaardadres_beats_that_of_the_legacy(legacy: Editor, store: Store) -> None:
    phone = next(one for one in legacy.get("/digitaleadressen")["results"] if one["isStandaardAdres"])
    body = {
        "adres": "0201234567",
        "soortDigitaalAdres": "telefoonnummer",
        "isStandaardAdres": True,
        "verstrektDoorPartij": ref(phone["verstrektDoorPartij"]),
    }
    own = legacy.make("digitaleadressen", body)
    assert Probe(store).written() == {}
    as_after_ingest(store, [split(BY_KIND["digitaleadres"], phone, 1_700_000_000_000_000)])
    assert legacy.again("digitaleadressen", phone)["isStandaardAdres"] is False
    legacy.delete("digitaleadressen", own)
    as_after_ingest(store, [split(BY_KIND["digitaleadres"], phone, 1_700_000_000_000_000)])
    assert legacy.again("digitaleadressen", phone)["isStandaardAdres"] is True


@pytest.mark.rule("M6")
def test_a_reference_by_another_uuid_of_a_document_is_a_reference_to_it(legacy: Editor, store: Store) -> None:
    Tamper(store).add_uuid(NOBODY, PARTIJ)
    made = legacy.make("digitaleadressen", {**EMAIL, "verstrektDoorPartij": {"uuid": NOBODY}})
    assert made["verstrektDoorPartij"]["uuid"] == PARTIJ
    got = legacy.send("PATCH", f"/partijen/{NOBODY}", {"interneNotitie": "x"})
    assert (got.status, got.json["uuid"]) == (200, PARTIJ)
    pair = {"vertegenwoordigendePartij": {"uuid": NOBODY}, "vertegenwoordigdePartij": {"uuid": PARTIJ}}
    refused = legacy.refused("POST", "/vertegenwoordigingen", pair)
    assert refused == [("vertegenwoordigdePartij", "invalid")]


# Hydrating before judging


class Script:
    """A hydrator that keeps what it is asked, and checks that it is called outside any transaction."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[tuple[str, object]] = []

    def _say(self, what: str, value: object) -> Outcome:
        assert not self.store.connection().in_transaction
        self.asked.append((what, value))
        return Outcome("complete", "", "fresh")

    def begin(self) -> None:
        """Nothing has a time limit here."""

    def before_list(self, kind: str, filters: Mapping[str, str]) -> Outcome:
        return self._say(kind, dict(filters))

    def before_detail(self, kind: str, uuid: bytes) -> Outcome:
        return self._say(kind, UUID(bytes=uuid))

    def before_write(self, kind: str, loaded: Mapping[str, Any]) -> Outcome:
        return self._say(f"write {kind}", sorted(loaded))

    def after_answer(self, outcome: Outcome, shown: Sequence[ShownDocument]) -> Outcome:
        assert not self.store.connection().in_transaction
        return outcome


def test_the_hydrator_hears_of_a_write_before_it_is_judged(
    register: RecordedRegister, serve: Callable[..., Client]
) -> None:
    """Of what it sets, and of every reference that the store doesn't know; of a wrong body what is right in it."""
    script = Script(register.store)
    editor = Editor(serve(scope="write", hydrator=script))
    editor.refused("POST", "/betrokkenen", {"hadKlantcontact": {"uuid": NOBODY}, "rol": "x"})
    assert script.asked == [("write betrokkene", ["hadKlantcontact"]), ("klantcontact", UUID(NOBODY))]
    script.asked.clear()
    body = {"hadKlantcontact": {"uuid": NOBODY}, "wasPartij": {"uuid": PARTIJ}, "rol": "klant"}
    editor.refused("POST", "/betrokkenen", {**body, "initiator": True})
    assert script.asked == [
        ("write betrokkene", ["hadKlantcontact", "initiator", "rol", "wasPartij"]),
        ("klantcontact", UUID(NOBODY)),
    ]
    script.asked.clear()
    got = editor.send("PATCH", f"/partijen/{PARTIJ}", {"interneNotitie": "x"})
    assert script.asked == [("partij", UUID(PARTIJ)), ("write partij", ["interneNotitie"])]
    assert got.headers["Klantbrug-Freshness"] == "fresh"
    script.asked.clear()
    editor.delete("partijen", {"uuid": PARTIJ})
    assert script.asked == [("partij", UUID(PARTIJ))]


@contextmanager
def served(installation: Installation) -> Iterator[Editor]:
    """A writing client of an installation with sources."""
    app = create_app(installation.config, store=installation.store, hydrator=installation.hydrator())
    with answering(app) as address:
        yield Editor(Client(address, create_token(installation.store, "test", "write")))


def some_bsn(data: Dataset) -> str:
    return next(
        rol["betrokkeneIdentificatie"]["inpBsn"]
        for rol in data.objects("rol")
        if rol["betrokkeneType"] == "natuurlijk_persoon"
        and len((rol["betrokkeneIdentificatie"] or {}).get("inpBsn") or "") == 9
    )


@pytest.mark.slow
@pytest.mark.parametrize("path", ["partij-identificatoren", "partijen"])
def test_a_bsn_that_only_the_source_knows_is_taken(
    slice_data: Dataset, install: Callable[..., Installation], path: str
) -> None:
    """Without asking first, a client that makes a partij for that BSN would make a double."""
    bsn = some_bsn(slice_data)
    body: dict[str, Any] = {"partijIdentificator": codes("bsn", bsn)}
    if path == "partijen":
        body = {**PERSOON, "partijIdentificatoren": [body]}
    with SampleServer(slice_data) as source, served(install(bron=source)) as editor:
        assert editor.refused("POST", f"/{path}", body) == [("__all__", "invalid")]
        found = editor.get(f"/partijen?partijIdentificator__objectId={bsn}")
        assert found["count"] == 1


def test_a_klantcontact_that_only_the_source_knows_can_be_referred_to(
    slice_data: Dataset, install: Callable[..., Installation]
) -> None:
    zaken = {
        zaak["url"]
        for zaak in slice_data.objects("zaak")
        if zaak["vertrouwelijkheidaanduiding"] in ("openbaar", "beperkt_openbaar", "intern")
    }
    contact = next(one for one in slice_data.objects("klantcontact") if one["zaak"] in zaken)
    bijlage = {"wasBijlageVanKlantcontact": {"uuid": contact["uuid"]}}
    with SampleServer(slice_data) as source, served(install(bron=source)) as editor:
        made = editor.make("bijlagen", bijlage)
        shown = editor.get(f"/klantcontacten/{contact['uuid']}")
        assert [ref(one) for one in shown["omvatteBijlagen"]] == [ref(made)]


@pytest.mark.slow
def test_a_number_is_not_given_out_while_the_source_cannot_be_asked(
    slice_data: Dataset, install: Callable[..., Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock(monkeypatch)
    monkeypatch.setattr("gateway.legacy.pacing.circuit_breaker.FIRST_SECONDS", 0.5)
    body = {"partijIdentificator": codes("bsn", some_bsn(slice_data))}
    with SampleServer(slice_data) as source, served(install(bron=source, deadline=2)) as editor:
        source.traps.down = True
        got = editor.send("POST", "/partij-identificatoren", body)
        assert got.status in (502, 504)
        assert editor.send("POST", "/categorieen", {"naam": "x"}).status == 201
        source.traps.down = False
        assert editor.get("/categorieen")["count"] == 1
        # A source that failed so often is left alone for some seconds: until then nobody is given that number either.
        clock.passes(1)
        got = editor.send("POST", "/partij-identificatoren", body)
        assert [(param["name"], param["code"]) for param in got.json["invalidParams"]] == [
            ("__all__", "invalid")
        ]


@pytest.mark.slow
def test_a_kvk_nummer_is_not_given_out_where_the_source_cannot_be_asked_for_it(
    slice_data: Dataset, install: Callable[..., Installation]
) -> None:
    assert kvk_nummer(KVK)
    body = {"partijIdentificator": codes("kvk_nummer", KVK)}
    source = SampleServer(slice_data, version="1.5.1", open_zaak=False)
    with source, served(install(bron=source)) as editor:
        got = editor.send("POST", "/partij-identificatoren", body)
        assert got.status == 503
        assert got.headers["Klantbrug-Coverage"].startswith("partial")
