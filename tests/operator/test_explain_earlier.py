"""Explain, for documents from klanten and contactmomenten: each value with the object and field that gave it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from builders.contactmomenten import (
    CONTACT,
    HELD,
    HERE,
    POINTED_AT,
    POINTS_HERE,
    WHOLE,
    EarlierRegister,
    zaakcontactmoment,
)
from builders.earlier_objects import (
    CONTACTMOMENTEN,
    contactmoment,
    earlier_url,
    earlier_uuid,
    klant,
    klantcontactmoment,
    objectcontactmoment,
)
from builders.legacy_objects import BSN, RSIN, SECRET, SETTINGS, rol, uuid_of, zaak
from builders.operator_client import Operator, field, group

from gateway.operator.explain.explainer import Explainer
from gateway.store.base.kinds import LOCAL_ORIGIN
from gateway.store.documents.writing import put_documents
from mappings import klantinteracties
from mappings.explain import why
from mappings.model.documents import Document


class Explained:
    """What is told of the documents of the example."""

    def __init__(self, register: EarlierRegister) -> None:
        self.register = register
        self.explainer = Explainer(register.store, SETTINGS, SECRET)

    def of(self, uuid: str, what: str = "document") -> dict[str, Any]:
        return next(each for each in self.explainer.explain(UUID(uuid))["found"] if each["what"] == what)


@pytest.fixture
def explained(tmp_path: Path) -> Explained:
    register = EarlierRegister(tmp_path / "store.db")
    register.take(*WHOLE)
    return Explained(register)


def origins(item: dict[str, Any], name: str) -> list[tuple[str, str]]:
    """The rule and legacy field of each origin of a field."""
    (told,) = [each for part in item["groups"] for each in part["fields"] if each["field"] == name]
    return [(each["rule"], f"{each['kind']}.{each['field']}") for each in told["from"]]


@pytest.mark.rule("M4")
@pytest.mark.rule("M40")
def test_a_contactmoment_is_told_field_by_field(explained: Explained) -> None:
    item = explained.of(CONTACT)
    assert origins(item, "inhoud") == [("M40", "contactmoment.tekst")]
    assert origins(item, "plaatsgevondenOp") == [("M40", "contactmoment.registratiedatum")]
    assert field(item, "taal")["because"].endswith("[mapping] taal")
    assert {"onderwerpobject.klantcontact", "betrokkene.hadKlantcontact"} <= {
        link["relation"] for link in item["links"] if link["rule"]
    }
    legacy = explained.of(CONTACT, "legacy")
    assert {each["kind"] for each in legacy["documents"]} >= {
        "klantcontact",
        "betrokkene",
        "onderwerpobject",
        "actor",
    }


@pytest.mark.rule("M40")
def test_betrokkene_and_onderwerpobject_are_told_with_what_ties_them(explained: Explained) -> None:
    documents = explained.register.documents("betrokkene")
    links = dict(explained.register.links("betrokkene.hadKlantcontact"))
    uuid = next(
        uuid
        for uuid, body in documents.items()
        if links[uuid] == CONTACT and body["contactnaam"]["achternaam"] == "Jansen"
    )
    item = explained.of(uuid)
    assert origins(item, "contactnaam.achternaam") == [("M41", "klant.achternaam")]
    assert origins(item, "initiator") == [("M40", "contactmoment.initiatiefnemer")]
    assert origins(item, "rol") == [("M40", "klantcontactmoment.rol")]
    subjects = dict(explained.register.links("onderwerpobject.klantcontact"))
    by = {
        origins(explained.of(subject), "onderwerpobjectidentificator.objectId")[0]
        for subject, body in explained.register.documents("onderwerpobject").items()
        if subject in subjects and body["onderwerpobjectidentificator"]["objectId"]
    }
    assert by == {("M40", "objectcontactmoment.object"), ("M32", "zaakcontactmoment.zaak")}


@pytest.mark.rule("M40")
def test_of_a_contactmoment_with_several_klanten_and_zaken_each_is_told(explained: Explained) -> None:
    item = explained.of(CONTACT)
    made_of: dict[str, list[set[str]]] = {}
    for link in item["links"]:
        uuids = {each["uuid"] for each in link.get("made_of", ())} - {CONTACT}
        made_of.setdefault(link["to"]["kind"], []).append(uuids)
    assert sorted(made_of["betrokkene"], key=len) == [
        {earlier_uuid("klant", 2), earlier_uuid("klantcontactmoment", 3)},
        {earlier_uuid("klant", 1), *(earlier_uuid("klantcontactmoment", number) for number in (1, 2))},
    ]
    assert {frozenset(each) for each in made_of["onderwerpobject"] if each} == {
        frozenset({earlier_uuid("objectcontactmoment", number)}) for number in (1, 2)
    }
    # A betrokkene of a klant that took part in both ways: by each of the two ties.
    both = next(link["to"]["uuid"] for link in item["links"] if len(link.get("made_of", ())) == 4)
    told = [each["uuid"] for part in explained.of(both)["groups"] for each in part["given_by"]]
    assert {earlier_uuid("klantcontactmoment", number) for number in (1, 2)} <= set(told)


@pytest.mark.rule("M32")
def test_what_points_at_a_klantcontact_is_told_with_the_zaak_that_it_adds(tmp_path: Path) -> None:
    """Of the Zaken API, or made here by a client."""
    register = EarlierRegister(tmp_path / "store.db")
    uuid = UUID("11111111-0000-4000-8000-000000000001")
    body = klantinteracties.defaults("klantcontact")
    with register.store.write() as connection:
        put_documents(connection, [(Document("klantcontact", uuid, body, 5, 5), None)], LOCAL_ORIGIN)
    tie = zaakcontactmoment(3, 2, POINTS_HERE.replace(HELD, str(uuid)))
    register.take(*POINTED_AT, ("zaakcontactmoment", tie))
    explained = Explained(register)
    told = {
        (contact, field(item := explained.of(subject), "objectId")["value"]): [
            (origin["rule"], origin["uuid"]) for origin in field(item, "objectId")["from"]
        ]
        for subject, contact in register.links("onderwerpobject.klantcontact")
    }
    assert told == {
        (HELD, uuid_of("zaak", 1)): [("M29", HELD)],
        (HELD, uuid_of("zaak", 2)): [("M32", earlier_uuid("zaakcontactmoment", 1))],
        (str(uuid), uuid_of("zaak", 2)): [("M32", tie["uuid"])],
    }
    for subject, _ in register.links("onderwerpobject.klantcontact"):
        assert field(explained.of(subject), "codeRegister")["because"].endswith("[mapping] zaak_codes")
    register.store.close()


@pytest.mark.rule("M28")
def test_a_contactmoment_is_vertrouwelijk_by_the_most_confidential_of_its_zaken(tmp_path: Path) -> None:
    settings = replace(SETTINGS, max_vertrouwelijkheidaanduiding="zeer_geheim")
    register = EarlierRegister(tmp_path / "store.db", settings)
    register.take(*WHOLE)
    told = Explainer(register.store, settings, SECRET).explain(UUID(earlier_uuid("contactmoment", 3)))
    (item,) = (each for each in told["found"] if each["what"] == "document")
    (origin,) = field(item, "vertrouwelijk")["from"]
    assert (field(item, "vertrouwelijk")["value"], origin["uuid"]) == (True, uuid_of("zaak", 3))
    register.store.close()


@pytest.mark.rule("M41")
def test_the_number_of_a_party_is_told_with_its_klant(explained: Explained) -> None:
    uuid = next(
        uuid for uuid, body in explained.register.documents("partij").items() if body["nummer"] == "9"
    )
    item = explained.of(uuid)
    assert origins(item, "nummer") == [("M41", "klant.klantnummer")]
    assert group(item, "klantnummer")["given_by"][0]["uuid"] == earlier_uuid("klant", 3)
    (of_klant,) = explained.explainer.explain(UUID(earlier_uuid("klant", 3)))["found"]
    assert {"naam", "klantnummer"} <= {name for each in of_klant["documents"] for name in each["gives"]}


@pytest.mark.rule("M6")
@pytest.mark.rule("M41")
def test_a_klant_that_does_not_say_what_it_is_is_told_as_what_its_party_is(tmp_path: Path) -> None:
    register = EarlierRegister(tmp_path / "store.db")
    told = Explained(register)
    url = earlier_url("klant", 1)
    own = {"voornaam": "An", "achternaam": "Boer", "functie": "chef", "emailadres": "an@x.example"}
    register.take(
        ("zaak", zaak(1)),
        ("klant", klant(1, None, None, **own)),
        ("rol", rol(1, {"innNnpId": RSIN[0]}, "niet_natuurlijk_persoon", url=url)),
    )
    partijen = {body["soortPartij"]: uuid for uuid, body in register.documents("partij").items()}
    of_klant = [("M41", "klant.voornaam"), ("M41", "klant.achternaam")]
    item = told.of(partijen["contactpersoon"])
    assert origins(item, "partijIdentificatie.volledigeNaam") == of_klant
    assert group(item, "functie")["given_by"][0]["uuid"] == earlier_uuid("klant", 1)
    (adres, _) = register.documents("digitaleadres")
    assert field(told.of(adres), "adres")["from"][0]["kind"] == "klant"
    assert {each["rule"] for each in register.lines("finding")} <= {"M36"}
    register.store.close()


@pytest.mark.rule("M4")
def test_every_document_is_explained_as_it_is_served(explained: Explained) -> None:
    """Also a betrokkene whose klant is not to be had."""
    explained.register.remove("klant", earlier_uuid("klant", 2))
    for line in explained.register.lines("document"):
        item = explained.of(line["uuid"])
        fields = {each["field"]: each["value"] for part in item["groups"] for each in part["fields"]}
        assert fields == why.flat(line["body"])
        for part in item["groups"]:
            for each in part["fields"]:
                assert (
                    each["from"] or each["because"] or not why.says(each["value"]) or each["rule"] == "M18"
                ), (line["kind"], each["field"])


ELSEWHERE = "https://elders.example/contactmomenten/" + CONTACT
SECRET_ZAAK = [("zaak", zaak(3, "geheim")), ("objectcontactmoment", objectcontactmoment(9, 1, 3))]
TIED = {
    "klantcontactmoment": klantcontactmoment(1, 1, 1),
    "objectcontactmoment": objectcontactmoment(1, 1, 1),
    "zaakcontactmoment": zaakcontactmoment(1, 1, earlier_url("contactmoment", 1)),
}


@pytest.mark.rule("M4")
@pytest.mark.parametrize("kind", TIED)
def test_a_tie_of_which_nothing_came_tells_what_it_waits_for(tmp_path: Path, kind: str) -> None:
    """No client deleted anything."""
    register = EarlierRegister(tmp_path / "store.db")
    explained = Explained(register)
    register.take(("zaak", zaak(1)), (kind, TIED[kind]))
    uuid = earlier_uuid(kind, 1)
    story = explained.of(uuid, "legacy")["story"]
    assert "client" not in story
    assert story.startswith("vertaald; wacht op")
    assert CONTACT in story
    register.take(*SECRET_ZAAK, ("contactmoment", contactmoment(1)))
    story = explained.of(uuid, "legacy")["story"]
    assert "client" not in story
    assert f"contactmoment {CONTACT}: weggelaten" in story
    register.remove("objectcontactmoment", earlier_uuid("objectcontactmoment", 9))
    register.take(("contactmoment", contactmoment(1)), (kind, TIED[kind]))
    assert explained.of(uuid, "legacy")["story"] == "vertaald"
    register.store.close()


@pytest.mark.slow
@pytest.mark.rule("M4")
@pytest.mark.parametrize(
    ("kind", "tie"),
    [
        ("objectcontactmoment", TIED["objectcontactmoment"] | {"objectType": "product"}),
        ("zaakcontactmoment", zaakcontactmoment(1, 1, ELSEWHERE)),
    ],
)
def test_a_tie_that_makes_nothing_refers_to_its_finding(
    tmp_path: Path, kind: str, tie: dict[str, Any]
) -> None:
    register = EarlierRegister(tmp_path / "store.db")
    register.take(("zaak", zaak(1)), ("contactmoment", contactmoment(1)), (kind, tie))
    told = Explained(register).of(earlier_uuid(kind, 1), "legacy")
    assert "client" not in told["story"]
    assert told["story"].endswith("zie de bevinding")
    assert [each["rule"] for each in told["findings"]] == ["M32" if kind == "zaakcontactmoment" else "M40"]
    register.store.close()


@pytest.mark.slow
@pytest.mark.rule("M40")
def test_a_klant_of_what_is_no_contactmoment_is_told(tmp_path: Path) -> None:
    """There is a klantcontact of that uuid, but not of this API."""
    register = EarlierRegister(tmp_path / "store.db")
    tie = klantcontactmoment(1, 1, 1) | {"contactmoment": f"{CONTACTMOMENTEN}/contactmomenten/{HELD}"}
    register.take(*POINTED_AT, ("klantcontactmoment", tie))
    story = Explained(register).of(earlier_uuid("klantcontactmoment", 1), "legacy")["story"]
    assert story.startswith("vertaald; wacht op") and HELD in story
    register.store.close()


@pytest.mark.slow
@pytest.mark.rule("M19")
@pytest.mark.parametrize("kind", [*TIED, "contactmoment", "klant"])
def test_what_a_client_deleted_is_told_as_such_at_every_object_it_came_from(
    tmp_path: Path, kind: str
) -> None:
    operator = Operator(tmp_path / "installation")
    deleted = {"contactmoment": "klantcontacten", "klant": "partijen", "klantcontactmoment": "betrokkenen"}
    path = f"/klantinteracties/api/v1/{deleted.get(kind, 'onderwerpobjecten')}"
    operator.installation.ingest.addresses = {"bron": {"bron": f"{CONTACTMOMENTEN}/", "hier": HERE}}
    taken = {
        "zaak": zaak(1),
        "klant": klant(1, {"inpBsn": BSN[0]}),
        "contactmoment": contactmoment(1),
        "klantcontactmoment": TIED["klantcontactmoment"],
    }
    for each, raw in (taken | ({kind: TIED[kind]} if kind in TIED else {})).items():
        operator.installation.ingest.take("bron", each, [raw], asked=0)
    (found,) = operator.api.get(
        path, headers={"Authorization": f"Token {operator.tokens['read']}"}
    ).get_json()["results"]
    assert operator.send("DELETE", f"{path.rpartition('/')[2]}/{found['uuid']}").status_code == 204
    (told,) = [each for each in operator.explain(earlier_uuid(kind, 1)) if each["what"] == "legacy"]
    assert told["story"] == "vertaald; wat ervan kwam is door een client verwijderd (M19)"


@pytest.mark.slow
@pytest.mark.rule("M4")
@pytest.mark.rule("M40")
def test_a_betrokkene_of_a_klant_that_only_the_contactmoment_names_is_told(tmp_path: Path) -> None:
    """And that is not to be had: there is no klantcontactmoment and no klant."""
    register = EarlierRegister(tmp_path / "store.db")
    register.take(("contactmoment", contactmoment(1, klant=earlier_url("klant", 1))))
    ((uuid, _),) = register.documents("betrokkene").items()
    item = Explained(register).of(uuid)
    assert origins(item, "initiator") == [("M40", "contactmoment.initiatiefnemer")]
    assert (field(item, "rol")["rule"], field(item, "rol")["value"]) == ("M30", "klant")
    assert "gesprekspartner" in field(item, "rol")["because"]
    register.store.close()
