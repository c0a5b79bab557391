"""Who answers for an organisation, what he or she does, and whose addresses are whose (M21-M24)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders.legacy_objects import (
    KVK,
    RSIN,
    SETTINGS,
    UUIDS,
    VESTIGING,
    documents,
    organisatie,
    party,
    persoon,
    rol_uuid,
    rules,
    said,
    vestiging,
)

from mappings.identity.identity import key_uuid
from mappings.klantinteracties import load
from mappings.rules.merged import Merged

JAN = {"naam": "Jan de Wit", "emailadres": "Jan@x.example", "functie": "boekhouder", "telefoonnummer": ""}


def people(made: Merged):
    return [each for each in documents(made, "partij") if each.body["soortPartij"] == "contactpersoon"]


def addresses(made: Merged):
    return {
        (each.links["verstrektDoorPartij"][0], each.body["adres"]): each.body
        for each in documents(made, "digitaleadres")
    }


@pytest.mark.rule("M22")
@pytest.mark.rule("M24")
def test_a_contactpersoon_of_an_organisation_is_a_party_with_his_functie():
    made = party([organisatie(1, rsin=RSIN[0], contact=JAN)])
    (jan,) = people(made)
    organisation = key_uuid(UUIDS, f"hr:rsin:{RSIN[0]}")
    (own,) = [
        each for each in documents(made, "digitaleadres") if each.links["verstrektDoorPartij"] == [jan.uuid]
    ]
    assert jan.links == {"werkteVoorPartij": [organisation], "voorkeursDigitaalAdres": [own.uuid]}
    assert jan.uuid == UUIDS.derive("contactpersoon", f"hr:rsin:{RSIN[0]}", "jan de wit", "jan@x.example")
    assert jan.body["interneNotitie"] == "functie: boekhouder"
    who = jan.body["partijIdentificatie"]
    assert who["contactnaam"] == {
        "voorletters": "",
        "voornaam": "",
        "voorvoegselAchternaam": "",
        "achternaam": "Jan de Wit",
    }
    assert who["volledigeNaam"] == "Jan de Wit" and who["uuid"]
    assert set(jan.body) == set(made.documents[0].body), "the fields of every partij"
    assert rules(said(organisatie(1, rsin=RSIN[0], contact=JAN)).findings) == []


@pytest.mark.rule("M22")
@pytest.mark.parametrize(
    ("choice", "of_organisation", "of_jan"),
    [("beide", "Jan de Wit", True), ("organisatie", "Jan de Wit", False), ("contactpersoon", None, True)],
)
def test_the_municipality_chooses_who_gets_the_addresses(choice, of_organisation, of_jan):
    rollen = [
        organisatie(1, rsin=RSIN[0], contact=JAN, on=2),
        organisatie(2, rsin=RSIN[0], contact={**JAN, "naam": "", "emailadres": "info@x.example"}),
    ]
    made = party(rollen, replace(SETTINGS, contactpersoon_adressen=choice))
    (jan,) = people(made)
    found = addresses(made)
    organisation = made.documents[0].uuid
    assert ((jan.uuid, "Jan@x.example") in found) is of_jan
    if of_jan:
        own = found[jan.uuid, "Jan@x.example"]
        assert own["omschrijving"] == "" and own["isStandaardAdres"]
    if of_organisation is None:
        assert (organisation, "Jan@x.example") not in found
    else:
        assert found[organisation, "Jan@x.example"]["omschrijving"] == of_organisation
        assert not found[organisation, "Jan@x.example"]["isStandaardAdres"], (
            "it is Jan's, not the organisation's"
        )
    # Without a naam an address is the organisation's, and its functie stands beside it.
    info = found[organisation, "info@x.example"]
    assert (info["omschrijving"], info["isStandaardAdres"]) == ("boekhouder", True)


@pytest.mark.rule("M22")
def test_one_name_and_email_is_one_person_whatever_the_case_and_without_email_each_rol_is_one():
    other = {**JAN, "naam": "JAN DE WIT", "emailadres": "jan@X.example", "functie": ""}
    made = party(
        [organisatie(1, rsin=RSIN[0], contact=JAN), organisatie(2, rsin=RSIN[0], contact=other, on=2)]
    )
    (jan,) = people(made)
    assert jan.sources == {rol_uuid(1), rol_uuid(2)}
    assert jan.body["partijIdentificatie"]["volledigeNaam"] == "JAN DE WIT", "the newest rol's (M18)"
    assert jan.body["interneNotitie"] == "functie: boekhouder", "a blank group is skipped (M18)"

    for email in ("", "n.v.t."):
        rollen = [
            organisatie(number, rsin=RSIN[0], contact={**JAN, "emailadres": email}) for number in (1, 2)
        ]
        alone = people(party(rollen))
        assert {each.uuid for each in alone} == {
            UUIDS.derive("contactpersoon", f"rol:{rol_uuid(number)}") for number in (1, 2)
        }


@pytest.mark.rule("M22")
@pytest.mark.rule("M6")
def test_a_contactpersoon_follows_the_keys_of_the_organisation():
    made = party([organisatie(1, kvk=KVK[0], contact=JAN), organisatie(2, rsin=RSIN[0], kvk=KVK[0])])
    (jan,) = people(made)
    key = ("jan de wit", "jan@x.example")
    assert jan.uuid == UUIDS.derive("contactpersoon", f"hr:rsin:{RSIN[0]}", *key)
    assert jan.other_uuids == (UUIDS.derive("contactpersoon", f"hr:kvk:{KVK[0]}", *key),)
    before = party([organisatie(1, kvk=KVK[0], contact=JAN)])
    for kind in ("partij", "digitaleadres"):
        held = {uuid for each in documents(made, kind) for uuid in (each.uuid, *each.other_uuids)}
        assert {each.uuid for each in documents(before, kind)} <= held, "what a client holds does not break"


@pytest.mark.rule("M22")
def test_a_vestiging_has_contactpersonen_of_its_own():
    made = party([vestiging(1, VESTIGING[0], contact=JAN)])
    (jan,) = people(made)
    assert jan.links["werkteVoorPartij"] == [key_uuid(UUIDS, f"hr:vestiging:{VESTIGING[0]}")]


@pytest.mark.rule("M22")
@pytest.mark.rule("M24")
def test_long_names_and_functies_of_a_contactpersoon_are_cut_with_a_finding():
    raw = organisatie(1, rsin=RSIN[0], contact={**JAN, "naam": "naam " * 50, "functie": "functie " * 200})
    assert rules(said(raw).findings) == [
        ("M22", "naam", "adjusted"),
        ("M24", "functie", "adjusted"),
        ("M30", "naam", "adjusted"),
    ]
    (person,) = people(party([raw]))
    assert len(person.body["partijIdentificatie"]["contactnaam"]["achternaam"]) <= 200
    assert len(person.body["interneNotitie"]) <= 1000
    body = {**person.body, "digitaleAdressen": [], "rekeningnummers": []}
    body |= {"voorkeursDigitaalAdres": None, "voorkeursRekeningnummer": None}
    body["partijIdentificatie"] = {
        **body["partijIdentificatie"],
        "werkteVoorPartij": {"uuid": str(person.uuid)},
    }
    assert load("partij", body, partial=False)["soortPartij"] == "contactpersoon", (
        "as a client may put it back"
    )


@pytest.mark.rule("M23")
@pytest.mark.rule("M24")
@pytest.mark.parametrize(
    ("contact", "omschrijving", "found"),
    [
        ({"naam": "Een ander", "functie": ""}, "Een ander", []),
        ({"naam": "", "functie": "bewindvoerder"}, "bewindvoerder", []),
        ({"naam": "Voorbeeld", "functie": "bewindvoerder"}, "bewindvoerder", []),
        ({"naam": "Een ander", "functie": "zus"}, "Een ander", [("M24", "functie", "dropped")]),
        (
            {"naam": "", "functie": "een heel lange functie van over de veertig"},
            "een heel lange functie van over de",
            [("M24", "functie", "adjusted")],
        ),
    ],
)
def test_a_functie_stands_beside_the_address_of_a_person_when_there_is_room(contact, omschrijving, found):
    raw = persoon(1, contact={"emailadres": "a@x.example", "telefoonnummer": "", **contact})
    assert rules(said(raw).findings) == found
    (adres,) = documents(party([raw]), "digitaleadres")
    assert adres.body["omschrijving"] == omschrijving


@pytest.mark.rule("M2")
@pytest.mark.parametrize("email", ["", "geen adres"])
def test_without_an_address_a_naam_and_functie_of_a_person_are_told(email):
    raw = persoon(
        1, contact={"naam": "Een ander", "functie": "zus", "emailadres": email, "telefoonnummer": ""}
    )
    named = {field for _, field, _ in rules(said(raw).findings)}
    assert named == {"naam", "functie"} | ({"emailadres"} if email else set())


@pytest.mark.rule("M18")
def test_contactpersonen_do_not_depend_on_the_order_of_the_rollen():
    rollen = [
        organisatie(1, rsin=RSIN[0], contact=JAN, on=3),
        organisatie(2, rsin=RSIN[0], contact={**JAN, "telefoonnummer": "0201234567"}, on=2),
        organisatie(3, rsin=RSIN[0], kvk=KVK[0], contact={**JAN, "naam": "Piet"}, on=5),
    ]
    once = party(rollen)
    assert party(rollen[::-1]) == once
    assert len(people(once)) == 2
