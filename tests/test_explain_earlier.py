"""Explain, for documents from klanten and contactmomenten: each value with the object and field that gave it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from earlier_objects import earlier_url, earlier_uuid, klant
from legacy_objects import RSIN, SECRET, SETTINGS, rol, uuid_of, zaak
from test_explain import field, group
from test_moments import CONTACT, WHOLE, Register

from gateway.explain import Explainer
from mappings import why


class Explained:
    """What is told of the documents of the example."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.explainer = Explainer(register.store, SETTINGS, SECRET)

    def of(self, uuid: str, what: str = "document") -> dict[str, Any]:
        return next(each for each in self.explainer.explain(UUID(uuid))["found"] if each["what"] == what)


@pytest.fixture
def explained(tmp_path: Path) -> Explained:
    register = Register(tmp_path / "store.db")
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


@pytest.mark.rule("M28")
def test_a_contactmoment_is_vertrouwelijk_by_the_most_confidential_of_its_zaken(tmp_path: Path) -> None:
    settings = replace(SETTINGS, max_vertrouwelijkheidaanduiding="zeer_geheim")
    register = Register(tmp_path / "store.db", settings)
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
    register = Register(tmp_path / "store.db")
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
