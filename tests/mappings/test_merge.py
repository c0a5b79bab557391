"""One party or actor from all that is said of it (M2, M4, M6, M9, M11, M12, M17, M18, M21, M27, M42)."""

import random
from uuid import UUID

import pytest
from builders.legacy_objects import (
    BSN,
    KVK,
    NO_BSN,
    RSIN,
    UUIDS,
    VESTIGING,
    claim,
    documents,
    medewerker,
    merged,
    numbers,
    organisatie,
    party,
    persoon,
    rol,
    rol_uuid,
    said,
    vestiging,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.identity.identity import KeySet, key_uuid
from mappings.model.claims import Claim
from mappings.model.settings import Settings
from mappings.rules.merge import merge

URL = "https://personen.example/1"
DAY = 86_400_000_000
FIRST = claim(persoon(1)).moment


def body(made):
    return made.documents[0].body


def achternaam(made):
    return body(made)["partijIdentificatie"]["contactnaam"]["achternaam"]


def house(postcode, **more):
    return {"verblijfsadres": {"aoaPostcode": postcode, "aoaHuisnummer": 1, **more}}


def identificator_uuid(soort, value, parent="-"):
    register = {"bsn": "brp|natuurlijk_persoon", "vestigingsnummer": "hr|vestiging"}
    return UUIDS.derive(
        "identificator", register.get(soort, "hr|niet_natuurlijk_persoon"), soort, value, parent
    )


# M11


@pytest.mark.rule("M11")
def test_a_person_is_a_partij_of_soort_persoon_with_the_standard_values():
    made = party([persoon(1, BSN[0], naam="Dijk")])
    assert made.documents[0].kind == "partij"
    assert {name: body(made)[name] for name in body(made) if "adres" not in name} == {
        "nummer": None,
        "interneNotitie": "",
        "soortPartij": "persoon",
        "indicatieGeheimhouding": None,
        "voorkeurstaal": "",
        "indicatieActief": True,
        "partijIdentificatie": {
            "contactnaam": {
                "voorletters": "",
                "voornaam": "",
                "voorvoegselAchternaam": "",
                "achternaam": "Dijk",
            },
            "volledigeNaam": "Dijk",
        },
    }


@pytest.mark.rule("M11")
def test_an_organisation_and_a_vestiging_are_partijen_of_soort_organisatie():
    made = merged(
        [organisatie(1, "Voorbeeld B.V.", rsin=RSIN[0]), vestiging(2, VESTIGING[0], naam="Filiaal")]
    )
    assert {body(each)["soortPartij"] for each in made} == {"organisatie"}
    assert sorted(body(each)["partijIdentificatie"]["naam"] for each in made) == ["Filiaal", "Voorbeeld B.V."]


@pytest.mark.rule("M11")
def test_the_voorkeurstaal_is_a_choice():
    assert body(party([persoon(1)], Settings("openbaar", voorkeurstaal="nld")))["voorkeurstaal"] == "nld"


# M6: who is one party, and which uuids lead to it


@pytest.mark.rule("M6")
def test_the_highest_key_gives_the_uuid_and_the_other_keys_resolve_to_it():
    made = party([persoon(1, BSN[0], url=URL), rol(2, None, url=URL)])
    assert made.documents[0].uuid == key_uuid(UUIDS, f"brp:bsn:{BSN[0]}")
    assert made.documents[0].other_uuids == (key_uuid(UUIDS, f"url:{URL}"),)


@pytest.mark.rule("M6")
def test_an_address_derived_under_another_key_resolves_too():
    contact = {"emailadres": "a@x.example"}
    (alone,) = documents(party([rol(2, None, url=URL, contact=contact)]), "digitaleadres")
    joined = party([persoon(1, BSN[0], url=URL), rol(2, None, url=URL, contact=contact)])
    (address,) = documents(joined, "digitaleadres")
    assert address.uuid != alone.uuid
    assert address.other_uuids == (alone.uuid,)


@pytest.mark.rule("M6")
def test_two_bsns_with_one_a_nummer_stay_two_people_with_a_finding_on_each_rol():
    first, second = merged([persoon(1, BSN[0], anr="9000000022"), persoon(2, BSN[1], anr="9000000022")])
    assert {numbers(first)["bsn"], numbers(second)["bsn"]} == {BSN[0], BSN[1]}
    for made in (first, second):
        ((rol_of_finding, finding),) = made.findings
        assert rol_of_finding in made.documents[0].sources
        assert (finding.rule, finding.action.split(":")[0]) == ("M6", "conflict")
        assert made.documents[0].other_uuids == ()


@pytest.mark.rule("M6")
@pytest.mark.rule("M2")
@pytest.mark.parametrize("on", [1, 3])
def test_a_person_and_an_organisation_with_one_url_only_are_one_partij_and_no_name_is_lost_unsaid(on):
    rollen = [
        rol(1, {"voorletters": "A.", "voornamen": "An", "geslachtsnaam": "Boer"}, url=URL, on=2),
        rol(2, {"statutaireNaam": "Winkel"}, "niet_natuurlijk_persoon", url=URL, on=on),
        rol(3, None, "vestiging", url=URL, on=1, afwijkendeNaamBetrokkene="Filiaal"),
    ]
    made = party(rollen)
    lost = {each[:3] for each in told(made) if each[3] == "dropped"}
    if on == 1:
        assert body(made)["partijIdentificatie"]["volledigeNaam"] == "An Boer"
        assert lost == {
            (rol_uuid(2), "M13", "betrokkeneIdentificatie.statutaireNaam"),
            (rol_uuid(3), "M12", "afwijkendeNaamBetrokkene"),
        }
    else:
        assert body(made)["partijIdentificatie"]["naam"] == "Winkel"
        names = ("voorletters", "voornamen", "geslachtsnaam")
        assert lost == {(rol_uuid(1), "M12", f"betrokkeneIdentificatie.{name}") for name in names} | {
            (rol_uuid(3), "M12", "afwijkendeNaamBetrokkene")
        }
    conflicts = [found for _, found in made.findings if found.rule == "M6"]
    assert len(conflicts) == 3
    assert all("met dezelfde URL" in found.action for found in conflicts)


@pytest.mark.rule("M6")
def test_a_person_and_an_organisation_that_are_kept_apart_are_told_why():
    made = merged([persoon(1, BSN[0], url=URL), organisatie(2, rsin=RSIN[0], url=URL)])
    actions = {found.action for each in made for _, found in each.findings}
    assert len(made) == 2
    assert actions == {
        "conflict: niet samengevoegd, want dan was een partij van twee soorten (persoon, organisatie of vestiging)"
    }


@pytest.mark.rule("M6")
def test_the_rollen_that_are_there_decide_and_not_the_one_that_was():
    bridge = persoon(2, BSN[0], url=URL)
    assert len(merged([persoon(1, BSN[0]), bridge, rol(3, None, url=URL)])) == 1
    apart = merged([persoon(1, BSN[0]), rol(3, None, url=URL)])
    assert {each.documents[0].uuid for each in apart} == {
        key_uuid(UUIDS, f"brp:bsn:{BSN[0]}"),
        key_uuid(UUIDS, f"url:{URL}"),
    }


@pytest.mark.rule("M6")
def test_a_kvk_number_on_two_rsins_exists_once_and_belongs_to_neither():
    made = merged([organisatie(1, rsin=RSIN[0], kvk=KVK[0]), organisatie(2, rsin=RSIN[1], kvk=KVK[0])])
    rows = [each for party in made for each in documents(party, "partij-identificator")]
    (loose,) = [row for row in rows if not row.links.get("identificeerdePartij")]
    assert loose.body["partijIdentificator"]["objectId"] == KVK[0]
    assert len(rows) == 3


# M17: identificatoren


@pytest.mark.rule("M17")
def test_the_identificatoren_of_an_organisation():
    made = party([organisatie(1, rsin=RSIN[0], kvk=KVK[0])])
    rows = {
        row.body["partijIdentificator"]["codeSoortObjectId"]: row
        for row in documents(made, "partij-identificator")
    }
    assert rows["kvk_nummer"].uuid == identificator_uuid("kvk_nummer", KVK[0])
    assert rows["rsin"].body["partijIdentificator"] == {
        "codeObjecttype": "niet_natuurlijk_persoon",
        "codeSoortObjectId": "rsin",
        "objectId": RSIN[0],
        "codeRegister": "hr",
    }
    assert rows["rsin"].links == {"identificeerdePartij": [made.documents[0].uuid]}


@pytest.mark.rule("M17")
def test_a_vestigingsnummer_hangs_under_the_kvk_number_of_its_parent():
    made = merged([vestiging(1, VESTIGING[0], KVK[0])])
    own = next(each for each in made if "vestigingsnummer" in numbers(each))
    parent = next(each for each in made if "kvk_nummer" in numbers(each))
    (row,) = documents(own, "partij-identificator")
    (kvk,) = documents(parent, "partij-identificator")
    assert row.uuid == identificator_uuid("vestigingsnummer", VESTIGING[0], KVK[0])
    assert row.links["subIdentificatorVan"] == [kvk.uuid]
    assert row.other_uuids == (identificator_uuid("vestigingsnummer", VESTIGING[0]),)
    assert kvk.links["identificeerdePartij"] == [parent.documents[0].uuid]


@pytest.mark.rule("M17")
def test_vestigingen_of_one_kvk_number_share_its_one_identificator():
    made = merged([vestiging(1, VESTIGING[0], KVK[0]), vestiging(2, VESTIGING[1], KVK[0])])
    assert len(made) == 3
    assert sum("kvk_nummer" in numbers(each) for each in made) == 1


@pytest.mark.rule("M6")
@pytest.mark.rule("M17")
def test_a_vestigingsnummer_under_two_kvk_numbers_is_two_partijen():
    """Each with its own name; a rol without KVK number goes with the newest, the number alone with the oldest."""
    rollen = [
        vestiging(1, VESTIGING[0], KVK[0], "Een", on=1),
        vestiging(2, VESTIGING[0], KVK[1], "Twee", on=2),
        vestiging(3, VESTIGING[0], "", "Drie", on=3),
    ]
    made = {each.documents[0].body["partijIdentificatie"]["naam"]: each for each in merged(rollen)}
    pairs = [f"hr:vestiging:{VESTIGING[0]}:{kvk}" for kvk in KVK[:2]]
    first, second = (made[naam] for naam in ("Een", "Drie"))
    assert [each.documents[0].uuid for each in (first, second)] == [key_uuid(UUIDS, key) for key in pairs]
    assert first.documents[0].other_uuids == (key_uuid(UUIDS, f"hr:vestiging:{VESTIGING[0]}"),)
    assert second.documents[0].other_uuids == ()
    for each, kvk in ((first, KVK[0]), (second, KVK[1])):
        (row,) = documents(each, "partij-identificator")
        assert row.uuid == identificator_uuid("vestigingsnummer", VESTIGING[0], kvk)
        assert row.links["subIdentificatorVan"] == [identificator_uuid("kvk_nummer", kvk)]
    found = [(uuid, each.rule) for party_ in (first, second) for uuid, each in party_.findings]
    assert sorted(found) == [(rol_uuid(number), "M6") for number in (1, 2, 3)]


@pytest.mark.rule("M6")
def test_with_one_kvk_number_the_pair_leads_to_the_vestiging():
    made = merged([vestiging(1, VESTIGING[0], KVK[0]), vestiging(2, VESTIGING[0])])
    own = next(each for each in made if "vestigingsnummer" in numbers(each))
    assert own.documents[0].uuid == key_uuid(UUIDS, f"hr:vestiging:{VESTIGING[0]}")
    assert own.documents[0].other_uuids == (key_uuid(UUIDS, f"hr:vestiging:{VESTIGING[0]}:{KVK[0]}"),)
    assert own.findings == []


@pytest.mark.rule("M17")
@pytest.mark.parametrize("kvk", [KVK[0], ""])
def test_a_vestiging_is_without_parent_only_when_no_rol_names_one(kvk):
    acts_for = {"representee": {"identifierType": "vestiging", "identifier": VESTIGING[0]}}
    rollen = [
        vestiging(1, VESTIGING[0], kvk),
        vestiging(2, VESTIGING[0], "", on=2),
        persoon(3, BSN[0], authenticatieContext=acts_for),
    ]
    found = {
        (UUID(raw["uuid"]), each.rule, each.field, str(each.severity))
        for raw in rollen
        for each in said(raw).findings
    }
    found |= {each for made in merged(rollen) for each in told(made)}
    alone = {
        (rol_uuid(1), "M17", "betrokkeneIdentificatie.kvkNummer", "adjusted"),
        (rol_uuid(2), "M17", "betrokkeneIdentificatie.kvkNummer", "adjusted"),
        (rol_uuid(3), "M17", "authenticatieContext.representee.identifier", "adjusted"),
    }
    assert found == (set() if kvk else alone)


@pytest.mark.rule("M17")
def test_numbers_without_a_row_of_their_own_stand_beside_the_bsn():
    identificatie = {"inpBsn": BSN[0], "inpA_nummer": "9000000011", "anpIdentificatie": "ANP-7"}
    made = party([rol(1, identificatie)])
    assert numbers(made) == {"bsn": BSN[0]}
    (row,) = documents(made, "partij-identificator")
    assert row.body["anderePartijIdentificator"] == "a-nummer: 9000000011; anp: ANP-7"


@pytest.mark.rule("M17")
def test_they_stand_at_the_first_row_only():
    made = party([organisatie(1, rsin=RSIN[0], kvk=KVK[0], ann="ANN-9")])
    texts = [row.body["anderePartijIdentificator"] for row in documents(made, "partij-identificator")]
    assert texts == ["ann: ANN-9", ""]


@pytest.mark.rule("M17")
def test_a_party_without_a_row_keeps_its_other_numbers_in_the_raw_object_with_a_finding():
    made = party([persoon(1, NO_BSN)])
    assert numbers(made) == {}
    ((found, finding),) = made.findings
    assert (found, finding.rule, str(finding.severity)) == (rol_uuid(1), "M17", "dropped")
    assert NO_BSN not in finding.action + finding.field


@pytest.mark.rule("M17")
def test_more_other_numbers_than_fit_are_a_finding():
    rollen = [
        rol(number, {"inpBsn": BSN[0], "anpIdentificatie": f"{number:017d}"}) for number in range(1, 12)
    ]
    made = party(rollen)
    (row,) = documents(made, "partij-identificator")
    assert 150 < len(row.body["anderePartijIdentificator"]) <= 200
    assert {finding.rule for _, finding in made.findings} == {"M17"}


# M18: which rol says what


@pytest.mark.rule("M18")
def test_the_newest_rol_wins_for_each_group_by_itself():
    made = party(
        [
            rol(1, {"inpBsn": BSN[0], "geslachtsnaam": "Oud"} | house("1111AA"), on=1),
            rol(2, {"inpBsn": BSN[0]} | house("2222BB"), on=2),
            rol(3, {"inpBsn": BSN[0], "geslachtsnaam": "Nieuw"}, on=3),
        ]
    )
    assert achternaam(made) == "Nieuw"
    assert body(made)["bezoekadres"]["postcode"] == "2222 BB"


@pytest.mark.rule("M18")
def test_fields_of_one_group_never_come_from_two_rollen():
    older = rol(1, {"inpBsn": BSN[0], "voornamen": "Anna", "geslachtsnaam": "Oud"} | house("1111AA"), on=1)
    newer = rol(2, {"inpBsn": BSN[0], "geslachtsnaam": "Nieuw"}, on=2)
    newer["betrokkeneIdentificatie"]["verblijfsadres"] = {"wplWoonplaatsNaam": "Elders"}
    made = party([older, newer])
    assert body(made)["partijIdentificatie"]["contactnaam"]["voornaam"] == ""
    assert (body(made)["bezoekadres"]["postcode"], body(made)["bezoekadres"]["stad"]) == ("", "Elders")


@pytest.mark.rule("M18")
def test_of_two_rollen_at_one_moment_the_uuid_decides():
    rollen = [persoon(1, BSN[0], naam="Een"), persoon(2, BSN[0], naam="Twee")]
    assert achternaam(party(rollen)) == achternaam(party(rollen[::-1])) == "Twee"


@pytest.mark.rule("M18")
def test_without_the_newest_rol_the_party_is_as_the_rest_says():
    rollen = [persoon(1, BSN[0], naam="Oud", on=1), persoon(2, BSN[0], naam="Nieuw", on=2)]
    assert achternaam(party(rollen)) == "Nieuw"
    assert achternaam(party(rollen[:1])) == "Oud"


# M12: the afwijkende naam


def told(made):
    """The findings of merging: rol, rule, field, severity."""
    return [(rol, found.rule, found.field, str(found.severity)) for rol, found in made.findings]


@pytest.mark.rule("M12")
@pytest.mark.parametrize("on", [1, 3])
def test_the_afwijkende_naam_of_a_rol_gives_way_to_a_real_name_of_another_with_a_finding(on):
    made = party(
        [
            persoon(1, BSN[0], naam="Jansen", url=URL, on=2),
            rol(2, url=URL, on=on, afwijkendeNaamBetrokkene="X"),
        ]
    )
    assert achternaam(made) == "Jansen"
    assert told(made) == [(rol_uuid(2), "M12", "afwijkendeNaamBetrokkene", "dropped")]


@pytest.mark.rule("M12")
def test_an_afwijkende_naam_that_is_the_real_name_is_no_finding():
    named = rol(1, {"inpBsn": BSN[0], "voornamen": "Anna", "geslachtsnaam": "Dijk"}, url=URL)
    for afwijkend in ("anna  DIJK", "Dijk"):
        made = party([named, rol(2, url=URL, on=2, afwijkendeNaamBetrokkene=afwijkend)])
        assert (achternaam(made), told(made)) == ("Dijk", [])


@pytest.mark.rule("M12")
def test_without_a_real_name_the_newest_afwijkende_naam_is_the_name():
    made = party(
        [
            rol(1, {"inpBsn": BSN[0]}, url=URL, on=1, afwijkendeNaamBetrokkene="Oud"),
            rol(2, url=URL, on=2, afwijkendeNaamBetrokkene="Nieuw"),
        ]
    )
    assert (achternaam(made), told(made)) == ("Nieuw", [])


@pytest.mark.rule("M12")
@pytest.mark.parametrize("soort", ["niet_natuurlijk_persoon", "vestiging"])
def test_the_afwijkende_naam_of_an_organisation_gives_way_too(soort):
    names = {"statutaireNaam": "Bakkerij", "handelsnaam": ["Bakkerij"]}
    made = party(
        [rol(1, names, soort, url=URL), rol(2, None, soort, url=URL, on=2, afwijkendeNaamBetrokkene="X")]
    )
    assert body(made)["partijIdentificatie"]["naam"] == "Bakkerij"
    assert told(made) == [(rol_uuid(2), "M12", "afwijkendeNaamBetrokkene", "dropped")]


@pytest.mark.rule("M12")
@pytest.mark.rule("M27")
@pytest.mark.parametrize(
    ("known", "naam"),
    [({"achternaam": "Balie"}, "Balie"), ({"identificatie": "mw-1"}, "mw-1"), ({}, "X")],
)
def test_the_afwijkende_naam_of_an_actor_gives_way_to_its_name_and_its_identificatie(known, naam):
    made = party(
        [
            rol(1, known, "medewerker", url=URL),
            rol(2, None, "medewerker", url=URL, on=2, afwijkendeNaamBetrokkene="X"),
        ]
    )
    assert body(made)["naam"] == naam
    lost = [(rol_uuid(2), "M12", "afwijkendeNaamBetrokkene", "dropped")]
    assert told(made) == (lost if known else [])


@pytest.mark.rule("M5")
def test_a_parent_has_numbers_only_until_a_rol_gives_its_name():
    (parent,) = [
        each for each in merged([vestiging(1, VESTIGING[0], KVK[0])]) if "kvk_nummer" in numbers(each)
    ]
    assert body(parent)["partijIdentificatie"] == {"naam": ""}
    rollen = [vestiging(1, VESTIGING[0], KVK[0], on=5), organisatie(2, "Hoofd B.V.", kvk=KVK[0], on=1)]
    (parent,) = [each for each in merged(rollen) if "kvk_nummer" in numbers(each)]
    assert body(parent)["partijIdentificatie"] == {"naam": "Hoofd B.V."}


# M21: digital addresses


@pytest.mark.rule("M21")
def test_an_address_in_another_case_is_the_same_address_as_the_newest_spells_it():
    rollen = [
        persoon(1, BSN[0], on=1, contact={"emailadres": "anna@x.example"}),
        persoon(2, BSN[0], on=2, contact={"emailadres": "Anna@X.example"}),
    ]
    (address,) = documents(party(rollen), "digitaleadres")
    assert address.body["adres"] == "Anna@X.example"
    assert address.uuid == UUIDS.derive("adres", f"brp:bsn:{BSN[0]}", "email", "anna@x.example")
    assert address.sources == {rol_uuid(1), rol_uuid(2)}
    assert address.created == FIRST


@pytest.mark.rule("M21")
@pytest.mark.rule("M9")
def test_spellings_of_a_number_of_soort_overig_are_one_adres_that_the_uuid_of_each_leads_to():
    def uuid(spelling, key=f"brp:bsn:{BSN[0]}"):
        return UUIDS.derive("adres", key, "overig", spelling)

    def phoned(number, spelling, **rest):
        return persoon(number, BSN[0], on=number, contact={"telefoonnummer": spelling}, **rest)

    made = party([phoned(1, "0800-1234"), phoned(2, "0800 1234"), phoned(3, "08001234")])
    (adres,) = documents(made, "digitaleadres")
    assert (adres.uuid, adres.body["adres"]) == (uuid("08001234"), "08001234")
    assert set(adres.other_uuids) == {uuid("0800-1234"), uuid("0800 1234")}
    (alone,) = documents(party([phoned(1, "0800-1234", url=URL)]), "digitaleadres")
    assert (alone.uuid, alone.body["adres"]) == (uuid("08001234"), "0800-1234")
    of_url = {uuid(spelling, f"url:{URL}") for spelling in ("08001234", "0800-1234")}
    assert set(alone.other_uuids) == {uuid("0800-1234"), *of_url}
    # What has one spelling is known by one uuid.
    (plain,) = documents(party([phoned(1, "08001234")]), "digitaleadres")
    assert plain.other_uuids == ()


@pytest.mark.rule("M21")
def test_the_newest_of_each_soort_is_the_standard_one():
    made = party(
        [
            persoon(1, BSN[0], on=1, contact={"emailadres": "a@x.example", "telefoonnummer": "0201234567"}),
            persoon(2, BSN[0], on=2, contact={"emailadres": "b@x.example"}),
        ]
    )
    assert {
        each.body["adres"]: each.body["isStandaardAdres"] for each in documents(made, "digitaleadres")
    } == {
        "b@x.example": True,
        "a@x.example": False,
        "0201234567": True,
    }
    for each in documents(made, "digitaleadres"):
        assert each.links == {"verstrektDoorPartij": [made.documents[0].uuid]}


# M27: actors


@pytest.mark.rule("M27")
def test_an_actor_has_what_clients_search_by():
    made = party([medewerker(1, "mw-1", "Balie")])
    assert (made.documents[0].kind, body(made)["naam"], body(made)["soortActor"]) == (
        "actor",
        "Balie",
        "medewerker",
    )
    assert body(made)["actoridentificator"] == {
        "objectId": "mw-1",
        "codeObjecttype": "mdw",
        "codeRegister": "obj",
        "codeSoortObjectId": "idf",
    }
    unit = party([rol(1, {"identificatie": "oe-1", "naam": "Team"}, "organisatorische_eenheid")])
    assert body(unit)["actoridentificator"]["codeObjecttype"] == "afd"


@pytest.mark.rule("M27")
def test_the_newest_name_of_an_actor_wins_but_no_name_is_no_name():
    made = party(
        [medewerker(1, naam="Oud", on=1), medewerker(2, naam="Nieuw", on=2), medewerker(3, naam="", on=3)]
    )
    assert body(made)["naam"] == "Nieuw"


@pytest.mark.rule("M27")
def test_a_medewerker_and_a_unit_with_one_identificatie_are_two_actors():
    unit = rol(2, {"identificatie": "x"}, "organisatorische_eenheid")
    assert len(merged([medewerker(1, "x"), unit])) == 2


@pytest.mark.rule("M6")
def test_an_actor_known_by_url_joins_the_one_with_an_identificatie():
    made = party([medewerker(1, "mw-1", url=URL), rol(2, None, "medewerker", url=URL)])
    assert made.documents[0].uuid == key_uuid(UUIDS, "actor:medewerker|bron|mw-1")
    assert made.documents[0].other_uuids == (key_uuid(UUIDS, f"actor-url:medewerker|bron|{URL}"),)


# M4, M42


@pytest.mark.rule("M42")
def test_a_document_is_as_old_as_the_oldest_rol_that_makes_it():
    made = party([persoon(1, BSN[0], on=3, contact={"emailadres": "a@x.example"}), persoon(2, BSN[0], on=1)])
    assert {each.kind: each.created - FIRST for each in made.documents} == {
        "partij": 0,
        "partij-identificator": 0,
        "digitaleadres": 2 * DAY,
    }


@pytest.mark.rule("M4")
def test_every_document_knows_the_rollen_that_it_came_from():
    made = party([persoon(1, BSN[0], on=3, contact={"emailadres": "a@x.example"}), persoon(2, BSN[0], on=1)])
    both = {rol_uuid(1), rol_uuid(2)}
    assert {each.kind: each.sources for each in made.documents} == {
        "partij": both,
        "partij-identificator": both,
        "digitaleadres": {rol_uuid(1)},
    }


@pytest.mark.rule("M42")
def test_rollen_that_say_the_same_may_be_merged_as_one_claim_with_the_oldest_moment():
    oldest, newest = claim(persoon(1, BSN[0], on=1)), claim(persoon(2, BSN[0], on=9))
    assert oldest.body() == newest.body()
    keys = KeySet((0,), (f"brp:bsn:{BSN[0]}",))
    together = Claim.from_body(newest.body(), newest.rol, newest.moment, oldest.moment)
    (short, full) = (
        merge(claims, keys, UUIDS, Settings("openbaar")) for claims in ([together], [oldest, newest])
    )
    assert [(each.body, each.created) for each in short.documents] == [
        (each.body, each.created) for each in full.documents
    ]


# Any rollen in any order

URLS = st.sampled_from(["", "", "https://x.example/1", "https://x.example/2"])
CONTACTS = st.sampled_from(
    [
        None,
        {"emailadres": "a@x.example"},
        {"emailadres": "A@x.example", "naam": "B"},
        {"telefoonnummer": "0800-1234"},
        {"telefoonnummer": "0800 1234"},
    ]
)
MAKERS = st.one_of(
    st.builds(
        lambda bsn, anr, naam: lambda number, **rest: persoon(number, bsn, naam=naam, anr=anr, **rest),
        st.sampled_from(["", NO_BSN, BSN[0], BSN[1]]),
        st.sampled_from(["", "9000000011", "9000000022"]),
        st.sampled_from(["", "Een", "Twee"]),
    ),
    st.builds(
        lambda rsin, kvk, vest: (
            lambda number, **rest: organisatie(number, rsin=rsin, kvk=kvk, vestiging=vest, **rest)
        ),
        st.sampled_from(["", RSIN[0], RSIN[1], KVK[0]]),
        st.sampled_from(["", KVK[0], KVK[1]]),
        st.sampled_from(["", "", VESTIGING[0]]),
    ),
    st.builds(
        lambda nummer, kvk: lambda number, **rest: vestiging(number, nummer, kvk, **rest),
        st.sampled_from(["", VESTIGING[0], VESTIGING[1]]),
        st.sampled_from(["", KVK[0], KVK[1]]),
    ),
    st.builds(
        lambda name: lambda number, **rest: medewerker(number, name, **rest), st.sampled_from(["", "a", "b"])
    ),
)
AFWIJKEND = st.sampled_from(["", "", "Een", "Anders"])
PARTS = st.lists(st.tuples(MAKERS, URLS, st.integers(1, 3), CONTACTS, AFWIJKEND), max_size=8)


def rollen_of(parts):
    return [
        make(number, url=url, on=on, contact=contact, afwijkendeNaamBetrokkene=afwijkend)
        for number, (make, url, on, contact, afwijkend) in enumerate(parts, start=1)
    ]


def shown(made):
    return [
        (
            each.kind,
            each.uuid,
            each.body,
            each.created,
            each.links,
            sorted(each.sources),
            sorted(each.other_uuids),
        )
        for party in made
        for each in party.documents
    ], sorted((found, finding) for party in made for found, finding in party.findings)


ENOUGH = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.slow
@pytest.mark.rule("M42")
@ENOUGH
@given(PARTS, st.randoms(use_true_random=False))
def test_the_order_of_the_rollen_never_matters(parts, dice: random.Random):
    rollen = rollen_of(parts)
    assert shown(merged(rollen)) == shown(merged(dice.sample(rollen, len(rollen))))


@pytest.mark.slow
@pytest.mark.rule("M17")
@ENOUGH
@given(PARTS)
def test_no_uuid_is_given_twice_and_no_party_has_two_numbers_of_a_kind(parts):
    made = merged(rollen_of(parts))
    uuids = [each.uuid for party in made for each in party.documents]
    assert len(set(uuids)) == len(uuids)
    aliases = [other for party in made for each in party.documents for other in each.other_uuids]
    assert len(set(aliases)) == len(aliases)
    assert not set(aliases) & set(uuids)
    for each in made:
        own = [
            row.body["partijIdentificator"]["codeSoortObjectId"]
            for row in documents(each, "partij-identificator")
            if row.links.get("identificeerdePartij")
        ]
        assert len(set(own)) == len(own)
        targets = {
            target for document in each.documents for found in document.links.values() for target in found
        }
        assert targets <= set(uuids)


@pytest.mark.slow
@pytest.mark.rule("M2")
@ENOUGH
@given(PARTS)
def test_findings_of_merging_hold_no_values(parts):
    for made in merged(rollen_of(parts)):
        assert all(not any(map(str.isdigit, finding.field)) for _, finding in made.findings)
        texts = " ".join(finding.action for _, finding in made.findings)
        for value in (*BSN[:2], NO_BSN, *RSIN[:2], *KVK[:2], *VESTIGING[:2], "x.example"):
            assert value not in texts
