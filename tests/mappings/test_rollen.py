"""What one Rol says of its betrokkene (M1-M3, M8, M10, M12-M14, M17, M21, M23, M27, M30)."""

import json

import orjson
import pytest
from builders.legacy_objects import (
    BSN,
    BSN_WITH_ZERO,
    KVK,
    NO_BSN,
    RSIN,
    SETTINGS,
    SOURCE,
    VESTIGING,
    claim,
    medewerker,
    organisatie,
    persoon,
    rol,
    rol_uuid,
    rules,
    said,
    vestiging,
    zaak,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.model.claims import Claim
from mappings.model.findings import Untranslatable
from mappings.model.settings import OMSCHRIJVINGEN_GENERIEK, Settings
from mappings.translate import translate
from mappings.values.uuids import uuid_in

HOUSE = {
    "aoaIdentificatie": "0363010012345678",
    "wplWoonplaatsNaam": "Voorbeeldstad",
    "gorOpenbareRuimteNaam": "Kerkstraat",
    "aoaPostcode": "1234ab",
    "aoaHuisnummer": 7,
    "aoaHuisletter": "A",
}
CONTACT = {"emailadres": "Anna@Voorbeeld.example", "telefoonnummer": "+31 (0)20-555 01 23"}


def with_address(number=1):
    return rol(number, {"inpBsn": BSN[0], "geslachtsnaam": "Voorbeeld", "verblijfsadres": HOUSE})


# M1-M3


@pytest.mark.rule("M1")
def test_the_same_rol_gives_the_same_byte_for_byte():
    raw = organisatie(1, rsin=RSIN[0], kvk="123", contact=CONTACT, afwijkendeNaamBetrokkene="Anders")
    first, again = said(raw), said(json.loads(json.dumps(raw)))
    for one, other in zip(first.claims, again.claims, strict=True):
        assert orjson.dumps(one.body()) == orjson.dumps(other.body())
    assert (first.facts, first.findings) == (again.facts, again.findings)


@pytest.mark.rule("M1")
def test_a_claim_survives_its_stay_in_the_store():
    for raw in (with_address(), organisatie(1, rsin=RSIN[0], contact=CONTACT), medewerker(1)):
        made = claim(raw)
        body = orjson.loads(orjson.dumps(made.body()))
        assert Claim.from_body(body, made.rol, made.moment, made.moment).body() == made.body()


@pytest.mark.rule("M3")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"betrokkeneType": "samenwerkingsverband"}, "betrokkeneType"),
        ({"registratiedatum": "gisteren"}, "registratiedatum"),
        ({"zaak": ""}, "zaak"),
        ({"betrokkeneIdentificatie": "Geheimnaam"}, "betrokkeneIdentificatie"),
        ({"betrokkeneIdentificatie": {"geslachtsnaam": ["Geheimnaam"]}}, "geslachtsnaam"),
    ],
)
def test_a_rol_that_cannot_be_read_says_which_field_is_wrong_and_not_what_it_holds(change, reason):
    with pytest.raises(Untranslatable) as caught:
        said(persoon(1, BSN[0]) | change)
    assert reason in caught.value.reason
    assert "Geheimnaam" not in caught.value.reason
    assert BSN[0] not in caught.value.reason


def test_the_uuid_is_found_in_a_uuid_or_at_the_end_of_a_url():
    uuid = rol_uuid(1)
    assert {
        uuid_in(str(uuid)),
        uuid_in(f"https://zaken.example/rollen/{uuid}"),
        uuid_in(f" https://x.example/rollen/{uuid}/ "),
    } == {uuid}
    assert [uuid_in(text) for text in ("", "https://x.example/", None, 12)] == [None] * 4


# M8, M17: numbers


@pytest.mark.rule("M17")
def test_a_person_has_its_bsn_as_identificator_and_other_numbers_beside_it():
    made = claim(rol(1, {"inpBsn": BSN[0], "inpA_nummer": "9000000011", "anpIdentificatie": "ANP-7"}))
    assert made.identificatoren == [("bsn", BSN[0])]
    assert made.andere == [("a-nummer", "9000000011"), ("anp", "ANP-7")]


@pytest.mark.rule("M5")
def test_a_bsn_that_got_its_leading_zero_back_is_a_finding():
    made = said(persoon(1, BSN_WITH_ZERO[1:]))
    assert made.claims[0].identificatoren == [("bsn", BSN_WITH_ZERO)]
    assert rules(made.findings) == [("M5", "inpBsn", "adjusted")]


@pytest.mark.rule("M8")
@pytest.mark.parametrize(
    ("raw", "kept", "field"),
    [
        (persoon(1, NO_BSN), ("ongeldig bsn", NO_BSN), "inpBsn"),
        (organisatie(1, rsin=NO_BSN), ("ongeldig rsin", NO_BSN), "innNnpId"),
        (organisatie(1, kvk="123"), ("ongeldig kvk-nummer", "123"), "kvkNummer"),
        (organisatie(1, vestiging="123"), ("ongeldig vestigingsnummer", "123"), "vestigingsNummer"),
        (vestiging(1, "123"), ("ongeldig vestigingsnummer", "123"), "vestigingsNummer"),
    ],
)
def test_a_number_that_is_not_valid_is_kept_beside_the_valid_ones_with_a_finding(raw, kept, field):
    made = said(raw)
    assert made.claims[0].andere == [kept]
    assert made.claims[0].identificatoren == []
    assert rules(made.findings) == [("M8", field, "adjusted")]


@pytest.mark.rule("M17")
def test_an_organisation_has_rsin_and_kvk_number_wherever_they_stood():
    assert claim(organisatie(1, rsin=RSIN[0], kvk=KVK[0])).identificatoren == [
        ("rsin", RSIN[0]),
        ("kvk_nummer", KVK[0]),
    ]
    assert claim(organisatie(1, rsin=KVK[0])).identificatoren == [("kvk_nummer", KVK[0])]


@pytest.mark.rule("M17")
def test_the_numbers_beside_a_vestigingsnummer_are_those_of_the_parent():
    own, parent = said(organisatie(1, "Hoofd B.V.", rsin=RSIN[0], kvk=KVK[0], vestiging=VESTIGING[0])).claims
    assert (own.identificatoren, own.ouder) == ([("vestigingsnummer", VESTIGING[0])], KVK[0])
    assert parent.identificatoren == [("rsin", RSIN[0]), ("kvk_nummer", KVK[0])]
    assert (own.naam, parent.naam) == ("Hoofd B.V.", "Hoofd B.V.")


@pytest.mark.rule("M17")
def test_a_vestiging_names_its_parent_by_number_only():
    own, parent = said(vestiging(1, VESTIGING[0], KVK[0], "Filiaal Noord")).claims
    assert (own.naam, parent.naam) == ("Filiaal Noord", None)
    assert (parent.adres, parent.digitaal) == (None, [])


@pytest.mark.rule("M17")
def test_a_vestiging_without_a_kvk_number_names_no_parent_which_its_party_may_have_from_another_rol():
    made = said(vestiging(1, VESTIGING[0]))
    assert ([each.ouder for each in made.claims], made.findings) == ([""], [])


# M10, M12-M14


@pytest.mark.rule("M10")
@pytest.mark.parametrize("generiek", OMSCHRIJVINGEN_GENERIEK)
def test_a_rol_of_every_omschrijving_makes_a_party(generiek):
    assert len(said(persoon(1, BSN[0], generiek=generiek)).claims) == 1


@pytest.mark.rule("M10")
def test_the_configuration_may_choose_which_rollen_make_a_party_but_not_which_make_an_actor():
    only = Settings("openbaar", partij_rollen=("initiator",))
    assert len(said(persoon(1, BSN[0], generiek="initiator"), only).claims) == 1
    left_out = said(persoon(1, BSN[0], generiek="adviseur"), only)
    assert (left_out.claims, left_out.facts) == ([], {})
    assert len(said(medewerker(1, generiek="behandelaar"), only).claims) == 1


@pytest.mark.rule("M12")
def test_the_parts_of_a_name_keep_their_places():
    identificatie = {
        "voorletters": "A.M.",
        "voornamen": "Anna Maria",
        "voorvoegselGeslachtsnaam": "van",
        "geslachtsnaam": "Dijk",
    }
    assert claim(rol(1, identificatie)).naam == {
        "voorletters": "A.M.",
        "voornaam": "Anna Maria",
        "voorvoegselAchternaam": "van",
        "achternaam": "Dijk",
    }


@pytest.mark.rule("M12")
def test_the_afwijkende_naam_is_the_name_only_when_there_is_no_other():
    assert claim(rol(1, {}, afwijkendeNaamBetrokkene="Roepnaam")).naam["achternaam"] == "Roepnaam"
    named = said(persoon(1, naam="Dijk", afwijkendeNaamBetrokkene="Roepnaam"))
    assert named.claims[0].naam["achternaam"] == "Dijk"
    assert rules(named.findings) == [("M12", "afwijkendeNaamBetrokkene", "dropped")]


@pytest.mark.rule("M18")
@pytest.mark.parametrize("soort", ["natuurlijk_persoon", "niet_natuurlijk_persoon", "vestiging"])
def test_a_blank_group_is_no_group(soort):
    made = claim(rol(1, {"geslachtsnaam": "  ", "statutaireNaam": " ", "handelsnaam": [" "]}, soort))
    assert (made.naam, made.adres, made.digitaal) == (None, None, [])


@pytest.mark.rule("M13")
def test_a_vestiging_is_called_by_its_first_handelsnaam():
    made = said(rol(1, {"handelsnaam": ["", "Eerste", "Tweede"]}, "vestiging"))
    assert made.claims[0].naam == "Eerste"
    assert rules(made.findings) == [("M13", "handelsnaam", "dropped")]


@pytest.mark.rule("M14")
def test_an_address_becomes_the_bezoekadres():
    assert claim(with_address()).adres["bezoekadres"] == {
        "nummeraanduidingId": "0363010012345678",
        "straatnaam": "Kerkstraat",
        "huisnummer": 7,
        "huisnummertoevoeging": "A",
        "postcode": "1234 AB",
        "stad": "Voorbeeldstad",
        "adresregel1": "",
        "adresregel2": "",
        "adresregel3": "",
        "land": "NL",
    }


@pytest.mark.rule("M14")
@pytest.mark.parametrize(
    ("choice", "of_person", "of_organisation"),
    [("alle", True, True), ("organisaties", False, True), ("geen", False, False)],
)
def test_a_municipality_may_turn_addresses_off(choice, of_person, of_organisation):
    chosen = Settings("openbaar", adressen=choice)
    organisation = organisatie(1, rsin=RSIN[0])
    organisation["betrokkeneIdentificatie"]["bezoekadres"] = "Kerkstraat 7, 1234 AB Voorbeeldstad"
    for raw, wanted in ((with_address(), of_person), (organisation, of_organisation)):
        made = said(raw, chosen)
        assert (made.claims[0].adres is not None) is wanted
        lost = (
            ("M14", "verblijfsadres", "dropped")
            if raw is not organisation
            else ("M16", "bezoekadres", "dropped")
        )
        assert rules(made.findings) == ([] if wanted else [lost])


@pytest.mark.rule("M14")
def test_an_address_of_blanks_is_not_missed_when_addresses_are_off():
    raw = rol(1, {"inpBsn": BSN[0], "verblijfsadres": dict.fromkeys(HOUSE, "")})
    assert said(raw, Settings("openbaar", adressen="geen")).findings == []


# M21, M23: digital addresses


@pytest.mark.rule("M21")
def test_e_mail_and_telephone_are_kept_with_the_form_that_tells_whether_two_are_the_same():
    assert claim(persoon(1, BSN[0], contact=CONTACT)).digitaal == [
        ("email", "Anna@Voorbeeld.example", "anna@voorbeeld.example", ""),
        ("telefoonnummer", "+31205550123", "+31205550123", ""),
    ]


@pytest.mark.rule("M21")
def test_what_is_no_address_is_a_finding():
    made = said(persoon(1, BSN[0], contact={"emailadres": "geen", "telefoonnummer": "14020"}))
    assert made.claims[0].digitaal == [("overig", "14020", "14020", "")]
    assert rules(made.findings) == [("M21", "emailadres", "dropped"), ("M21", "telefoonnummer", "adjusted")]


@pytest.mark.rule("M23")
def test_the_address_of_a_person_tells_whose_it_is_when_that_is_another():
    contact = CONTACT | {"naam": "Buurvrouw"}
    assert {adres.omschrijving for adres in claim(persoon(1, naam="Dijk", contact=contact)).digitaal} == {
        "Buurvrouw"
    }
    contact = CONTACT | {"naam": "  dijk "}
    assert {adres.omschrijving for adres in claim(persoon(1, naam="Dijk", contact=contact)).digitaal} == {""}


# M27: actors


@pytest.mark.rule("M27")
@pytest.mark.parametrize(
    ("identificatie", "naam"),
    [
        ({"voorletters": "B.", "voorvoegselAchternaam": "van", "achternaam": "Balie"}, "B. van Balie"),
        ({"identificatie": "mw-1"}, "mw-1"),
        ({}, "onbekend"),
    ],
)
def test_a_medewerker_is_called_by_name_else_by_identificatie_else_onbekend(identificatie, naam):
    assert claim(rol(1, identificatie, "medewerker")).naam == naam


@pytest.mark.rule("M27")
def test_a_medewerker_with_functie_and_telephone_has_an_actor_identificatie():
    contact = CONTACT | {"functie": "Balie"}
    assert claim(medewerker(1, contact=contact)).adres == {
        "functie": "Balie",
        "emailadres": "Anna@Voorbeeld.example",
        "telefoonnummer": "+31205550123",
    }


@pytest.mark.rule("M27")
def test_a_medewerker_without_functie_or_telephone_has_none_and_a_finding_for_what_is_lost():
    made = said(medewerker(1, contact={"functie": "Balie", "telefoonnummer": "0800-1234"}))
    assert made.claims[0].adres is None
    assert rules(made.findings) == [("M27", "functie", "dropped"), ("M27", "telefoonnummer", "dropped")]


@pytest.mark.rule("M27")
def test_a_unit_has_the_valid_e_mail_and_telephone():
    made = said(rol(1, {"identificatie": "oe-1"}, "organisatorische_eenheid", contact=CONTACT))
    assert (made.claims[0].adres or {})["emailadres"] == "Anna@Voorbeeld.example"
    made = said(rol(1, {"identificatie": "oe-1"}, "organisatorische_eenheid", contact={"emailadres": "geen"}))
    assert made.claims[0].adres is None
    assert rules(made.findings) == [("M27", "emailadres", "dropped")]


# M30: the part in contacts


@pytest.mark.rule("M30")
def test_a_person_takes_part_under_the_name_of_the_rol_or_its_afwijkende_naam():
    assert said(persoon(1, naam="Dijk")).facts["contactnaam"]["achternaam"] == "Dijk"
    named = said(persoon(1, naam="Dijk", afwijkendeNaamBetrokkene="Roepnaam")).facts["contactnaam"]
    assert list(named.values()) == ["", "", "", "Roepnaam"]


@pytest.mark.rule("M30")
def test_an_organisation_takes_part_with_the_name_of_its_contactpersoon():
    facts = said(organisatie(1, "Voorbeeld B.V.", contact={"naam": "A. Contact"})).facts
    assert (facts["contactnaam"]["achternaam"], facts["organisatienaam"]) == ("A. Contact", "Voorbeeld B.V.")


@pytest.mark.rule("M30")
@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (organisatie(1, contact={"naam": "lang " * 60}), "naam"),
        (persoon(1, afwijkendeNaamBetrokkene="lang " * 60), "afwijkendeNaamBetrokkene"),
    ],
)
def test_a_name_that_is_too_long_for_a_betrokkene_is_cut_with_a_finding(raw, field):
    made = said(raw)
    assert len(made.facts["contactnaam"]["achternaam"]) <= 200
    assert ("M30", field, "adjusted") in rules(made.findings)


# Anything that a supplier may send

SECRETS = "Zwanenburg"
TEXTS = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.sampled_from(["", " ", BSN[0], NO_BSN, KVK[0], VESTIGING[0], SECRETS * 30, f"{SECRETS}@x.example"]),
    st.just(f"{SECRETS} ").map(lambda text: text * 60),
)
ANYTHING = st.recursive(
    TEXTS | st.integers(-5, 10**12),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS.map(str), inner, max_size=3),
)
FIELDS = [
    *("inpBsn", "inpA_nummer", "anpIdentificatie", "geslachtsnaam", "voorvoegselGeslachtsnaam", "voornamen"),
    *("voorletters", "innNnpId", "annIdentificatie", "kvkNummer", "vestigingsNummer", "statutaireNaam"),
    *("bezoekadres", "identificatie", "naam", "achternaam", "voorvoegselAchternaam"),
]
IDENTIFICATIES = st.dictionaries(st.sampled_from(FIELDS), TEXTS, max_size=8)
ADDRESSES = st.fixed_dictionaries(
    {},
    optional={
        "verblijfsadres": st.dictionaries(st.sampled_from([*HOUSE, "inpLocatiebeschrijving"]), TEXTS),
        "subVerblijfBuitenland": st.dictionaries(
            st.sampled_from(["lndLandcode", "lndLandnaam", "subAdresBuitenland_1", "subAdresBuitenland_3"]),
            TEXTS,
        ),
        "handelsnaam": st.lists(TEXTS, max_size=3),
    },
)
SOORTEN = [
    *("natuurlijk_persoon", "niet_natuurlijk_persoon", "vestiging"),
    *("medewerker", "organisatorische_eenheid"),
]
CONTACTS = st.dictionaries(st.sampled_from(["emailadres", "telefoonnummer", "functie", "naam"]), TEXTS)
ROLLEN = st.builds(
    lambda identificatie, adres, soort, contact, rest: (
        rol(1, identificatie | adres, soort, contact=contact) | rest
    ),
    IDENTIFICATIES,
    ADDRESSES,
    st.sampled_from(SOORTEN),
    CONTACTS,
    st.dictionaries(
        st.sampled_from(
            ["afwijkendeNaamBetrokkene", "betrokkene", "omschrijvingGeneriek", "indicatieMachtiging"]
        ),
        TEXTS,
    ),
)
KINDS = st.sampled_from(["zaak", "rol", "klantcontact"])
HASTY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.slow
@pytest.mark.rule("M3")
@HASTY
@given(KINDS, st.dictionaries(st.sampled_from([*rol(1), *zaak(), "datumtijd", "kanaal"]), ANYTHING))
def test_whatever_is_sent_is_translated_or_refused_with_a_reason(kind, raw):
    try:
        translate(kind, raw, SOURCE, SETTINGS)
    except Untranslatable as error:
        assert error.reason
        assert SECRETS not in error.reason


@pytest.mark.slow
@pytest.mark.rule("M2")
@HASTY
@given(ROLLEN)
def test_a_rol_of_the_right_form_is_translated_and_its_findings_hold_no_values(raw):
    made = said(raw)
    assert made.claims
    assert orjson.dumps(made.claims[0].body())
    for finding in made.findings:
        text = f"{finding.field} {finding.action}"
        assert SECRETS not in text
        assert BSN[0] not in text
        assert NO_BSN not in text


@pytest.mark.slow
@pytest.mark.rule("M1")
@HASTY
@given(ROLLEN)
def test_translating_twice_gives_the_same_and_leaves_the_object_as_it_was(raw):
    before = json.dumps(raw)

    def outcome():
        try:
            return said(raw)
        except Untranslatable as error:
            return error.reason

    assert outcome() == outcome()
    assert json.dumps(raw) == before
