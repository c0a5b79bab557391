"""A klant of the Klanten API becomes a party, the same one as that of rollen with its numbers or its URL (M41)."""

from uuid import UUID

import pytest
from builders.earlier_objects import earlier_url, klant
from builders.legacy_objects import (
    BSN,
    BSN_WITH_ZERO,
    KVK,
    NO_BSN,
    RSIN,
    SETTINGS,
    SOURCE,
    UUIDS,
    VESTIGING,
    documents,
    numbers,
    organisatie,
    persoon,
    rol,
    rules,
    said,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mappings.incoming.earlier_standards import load_klant
from mappings.model.findings import Untranslatable
from mappings.model.settings import Settings
from mappings.rules.klanten import translate_klant, verdeel_nummers
from mappings.rules.merge import merge, sets_of
from mappings.values.landen import land_van_code

pytestmark = pytest.mark.rule("M41")


def translated(raw, choices=SETTINGS):
    return translate_klant(load_klant(raw), SOURCE, choices)


def parties(klanten, rollen=(), choices=SETTINGS):
    """The parties of these klanten and rollen together."""
    claims = [claim for raw in klanten for claim in translated(raw, choices).claims]
    claims += [claim for raw in rollen for claim in said(raw, choices).claims]
    sets = sets_of(claims)
    return [merge([claims[member] for member in keys.members], keys, UUIDS, choices) for keys in sets]


def only(klanten, rollen=(), choices=SETTINGS):
    (party,) = parties(klanten, rollen, choices)
    return party


def body(party):
    return party.documents[0].body


@pytest.mark.parametrize("bsn", [BSN[0], BSN_WITH_ZERO, BSN_WITH_ZERO[1:]])
@pytest.mark.rule("M5")
def test_a_klant_and_a_rol_with_one_bsn_are_one_party(bsn):
    party = only([klant(1, {"inpBsn": bsn})], [persoon(1, bsn.zfill(9))])
    assert numbers(party) == {"bsn": bsn.zfill(9)}
    assert body(party)["soortPartij"] == "persoon"


@pytest.mark.rule("M6")
def test_a_rol_that_names_the_klant_by_its_url_joins_it():
    url = earlier_url("klant", 1)
    assert numbers(only([klant(1, {"inpBsn": BSN[0]})], [persoon(1, url=url)])) == {"bsn": BSN[0]}
    assert numbers(only([klant(1, achternaam="Vries")], [persoon(1, BSN[0], url=url)])) == {"bsn": BSN[0]}


@pytest.mark.rule("M6")
def test_a_rol_that_names_its_subject_by_url_joins_it_too():
    subject = "https://personen.example/api/v1/personen/1"
    assert len(parties([klant(1, achternaam="Vries", subject=subject)], [persoon(1, url=subject)])) == 1
    assert len(parties([klant(1, achternaam="Vries")], [persoon(1, url=subject)])) == 2


@pytest.mark.rule("M17")
def test_organisations_and_vestigingen_keep_their_numbers():
    rsin = klant(1, {"innNnpId": RSIN[0], "statutaireNaam": "Voorbeeld B.V."}, "niet_natuurlijk_persoon")
    kvk = klant(2, {"innNnpId": KVK[0]}, "niet_natuurlijk_persoon", bedrijfsnaam="Winkel")
    vestiging = klant(3, {"vestigingsNummer": VESTIGING[0], "handelsnaam": ["Filiaal"]}, "vestiging")
    assert numbers(only([rsin])) == {"rsin": RSIN[0]}
    assert numbers(only([kvk])) == {"kvk_nummer": KVK[0]}
    assert body(only([kvk]))["partijIdentificatie"] == {"naam": "Winkel"}
    assert numbers(only([vestiging])) == {"vestigingsnummer": VESTIGING[0]}
    assert body(only([vestiging]))["partijIdentificatie"] == {"naam": "Filiaal"}
    assert len(parties([rsin], [organisatie(1, rsin=RSIN[0])])) == 1


@pytest.mark.rule("M8")
def test_an_invalid_bsn_is_told_under_its_own_name():
    made = translated(klant(1, {"inpBsn": NO_BSN}))
    assert made.claims[0].keys == [f"url:{earlier_url('klant', 1)}"]
    assert [(found.rule, found.field) for found in made.findings] == [("M8", "subjectIdentificatie.inpBsn")]


def test_the_klant_is_called_what_it_calls_itself():
    subject = {"geslachtsnaam": "Jansen", "voorletters": "A.B.", "voorvoegselGeslachtsnaam": "van"}
    own = {"voornaam": "Anna", "voorvoegselAchternaam": "de", "achternaam": "Boer"}
    made = translated(klant(1, subject, **own))
    naam = {"voorletters": "", "voornaam": "Anna", "voorvoegselAchternaam": "de", "achternaam": "Boer"}
    assert made.claims[0].naam == naam
    assert made.facts["contactnaam"] == naam
    assert rules(made.findings) == [
        ("M41", "geslachtsnaam", "dropped"),
        ("M41", "voorletters", "dropped"),
        ("M41", "voorvoegselGeslachtsnaam", "dropped"),
    ]
    without = translated(klant(1, subject))
    assert without.claims[0].naam["achternaam"] == "Jansen"
    assert without.findings == []


@pytest.mark.rule("M12")
def test_a_name_that_is_too_long_is_told_of_the_field_that_it_came_from():
    own = translated(klant(1, {"geslachtsnaam": "woord " * 50}, achternaam="woord " * 50))
    assert [(found.rule, found.field) for found in own.findings] == [("M12", "achternaam")]
    subject = translated(klant(1, {"geslachtsnaam": "woord " * 50}))
    assert [found.field for found in subject.findings] == ["subjectIdentificatie.geslachtsnaam"]


@pytest.mark.rule("M18")
def test_a_dated_rol_is_newer_than_a_klant_and_the_klant_fills_what_it_leaves_blank():
    party = only(
        [klant(1, {"inpBsn": BSN[0]}, achternaam="Oud", emailadres="oud@voorbeeld.example")],
        [persoon(1, BSN[0], naam="Nieuw")],
    )
    assert body(party)["partijIdentificatie"]["contactnaam"]["achternaam"] == "Nieuw"
    assert [each.body["adres"] for each in documents(party, "digitaleadres")] == ["oud@voorbeeld.example"]


@pytest.mark.rule("M12")
def test_the_name_of_a_klant_goes_before_the_afwijkende_naam_of_a_rol():
    raw = klant(1, {"inpBsn": BSN[0]}, achternaam="Boer")
    made = only([raw], [rol(1, None, url=earlier_url("klant", 1), on=2, afwijkendeNaamBetrokkene="Buro X")])
    assert body(made)["partijIdentificatie"]["volledigeNaam"] == "Boer"
    assert [(found.rule, found.field) for _, found in made.findings] == [("M12", "afwijkendeNaamBetrokkene")]


@pytest.mark.rule("M21")
def test_email_and_telephone_of_a_klant():
    made = translated(klant(1, emailadres="a@voorbeeld.example", telefoonnummer="06-12 34 56 78"))
    assert [entry[:2] for entry in made.claims[0].digitaal] == [
        ("email", "a@voorbeeld.example"),
        ("telefoonnummer", "0612345678"),
    ]
    wrong = translated(klant(1, emailadres="geen adres", telefoonnummer="toestel 5"))
    assert [found.field for found in wrong.findings] == ["emailadres", "telefoonnummer"]


STRAAT = {"straatnaam": "Dorpsstraat", "huisnummer": 12, "huisletter": "a", "postcode": "1234ab"}
ADRES = {**STRAAT, "huisnummertoevoeging": "", "woonplaatsnaam": "Voorbeeldstad", "landcode": ""}
BRP = {"gorOpenbareRuimteNaam": "Kerkweg", "aoaHuisnummer": 1, "wplWoonplaatsNaam": "Elders"}


@pytest.mark.rule("M14")
def test_its_own_address_is_the_bezoekadres_also_where_brp_addresses_are_off():
    adres = (
        translated(klant(1, {"inpBsn": BSN[0]}, adres=ADRES), Settings("geheim", adressen="geen"))
        .claims[0]
        .adres
    )
    assert adres["bezoekadres"]["straatnaam"] == "Dorpsstraat"
    assert (adres["bezoekadres"]["huisnummer"], adres["bezoekadres"]["postcode"]) == (12, "1234 AB")
    assert (adres["bezoekadres"]["huisnummertoevoeging"], adres["bezoekadres"]["land"]) == ("a", "NL")


@pytest.mark.rule("M14")
def test_beside_a_verblijfsadres_its_own_address_is_the_correspondentieadres():
    adres = translated(klant(1, {"verblijfsadres": BRP}, adres=ADRES)).claims[0].adres
    assert adres["bezoekadres"]["straatnaam"] == "Kerkweg"
    assert adres["correspondentieadres"]["straatnaam"] == "Dorpsstraat"
    same = {"straatnaam": "Kerkweg", "huisnummer": 1, "woonplaatsnaam": "Elders"}
    again = translated(klant(1, {"verblijfsadres": BRP}, adres=same)).claims[0].adres
    assert again["correspondentieadres"]["straatnaam"] == ""


@pytest.mark.rule("M13")
@pytest.mark.parametrize(
    ("soort", "subject"),
    [("niet_natuurlijk_persoon", {"statutaireNaam": "Holding"}), ("vestiging", {"handelsnaam": ["Holding"]})],
)
def test_an_organisation_is_called_what_it_calls_itself_too(soort, subject):
    made = translated(klant(1, subject, soort, bedrijfsnaam="Winkel"))
    assert made.claims[0].naam == "Winkel"
    assert ("M41", f"subjectIdentificatie.{next(iter(subject))}") in {
        (found.rule, found.field) for found in made.findings
    }
    assert translated(klant(1, subject, soort)).claims[0].naam == "Holding"
    long = translated(klant(1, {}, soort, bedrijfsnaam="woord " * 50))
    assert ("M13", "bedrijfsnaam") in {(found.rule, found.field) for found in long.findings}


@pytest.mark.rule("M15")
def test_three_addresses_are_one_too_many():
    ver = {"lndLandcode": "6029", "lndLandnaam": "Duitsland", "subAdresBuitenland1": "Hauptstrasse 1"}
    made = translated(klant(1, {"verblijfsadres": BRP, "subVerblijfBuitenland": ver}, adres=ADRES))
    assert made.claims[0].adres["correspondentieadres"]["adresregel1"] == "Hauptstrasse 1"
    assert rules(made.findings) == [("M41", "adres", "dropped")]


@pytest.mark.rule("M15")
@pytest.mark.parametrize(
    ("code", "land", "found"),
    [("6029", "DE", 0), ("DE", "DE", 0), ("6030", "NL", 0), ("9999", "", 1), ("XX", "", 1)],
)
def test_the_country_of_its_own_address(code, land, found):
    made = translated(klant(1, adres={**ADRES, "landcode": code}))
    assert made.claims[0].adres["bezoekadres"]["land"] == land
    assert [(each.rule, each.field) for each in made.findings] == [("M15", "adres.landcode")] * found


@pytest.mark.rule("M14")
def test_a_postcode_that_the_api_refuses_is_told_under_its_own_name():
    made = translated(klant(1, adres={**ADRES, "postcode": "D-12345"}))
    assert made.claims[0].adres["bezoekadres"]["adresregel1"] == "D-12345"
    assert [(each.rule, each.field) for each in made.findings] == [("M14", "adres.postcode")]


@pytest.mark.parametrize(
    ("fields", "soort"),
    [({"achternaam": "Vries"}, "persoon"), ({"bedrijfsnaam": "Winkel"}, "organisatie"), ({}, "persoon")],
)
def test_without_a_subject_the_name_tells_what_it_is(fields, soort):
    made = only([klant(1, None, None, **fields)])
    assert (body(made)["soortPartij"], made.findings) == (soort, [])


NOBODY_SAID = {"voornaam": "An", "achternaam": "Boer", "emailadres": "an@x.example", "functie": "chef"}


@pytest.mark.rule("M6")
@pytest.mark.parametrize("numbers_", [{}, {"innNnpId": RSIN[0]}])
@pytest.mark.parametrize("soort", ["niet_natuurlijk_persoon", "vestiging"])
def test_a_klant_that_does_not_say_what_it_is_follows_the_organisation_of_a_rol(soort, numbers_):
    made = only(
        [klant(1, None, None, **NOBODY_SAID)], [rol(1, numbers_, soort, url=earlier_url("klant", 1), on=2)]
    )
    partij, contactpersoon = documents(made, "partij")
    assert partij.body["soortPartij"] == "organisatie"
    assert contactpersoon.body["partijIdentificatie"]["volledigeNaam"] == "An Boer"
    assert contactpersoon.body["interneNotitie"] == "functie: chef"
    assert made.findings == []


@pytest.mark.rule("M6")
@pytest.mark.parametrize("bsn", ["", BSN[0]])
def test_a_klant_that_does_not_say_what_it_is_follows_the_person_of_a_rol(bsn):
    raw = klant(1, None, None, bedrijfsnaam="Winkel", **NOBODY_SAID)
    made = only([raw], [rol(1, {"inpBsn": bsn}, url=earlier_url("klant", 1), on=2)])
    (partij,) = documents(made, "partij")
    assert partij.body["partijIdentificatie"]["volledigeNaam"] == "An Boer"
    assert [(found.rule, found.field, str(found.severity)) for _, found in made.findings] == [
        ("M41", "bedrijfsnaam", "dropped")
    ]


def test_of_klanten_that_do_not_say_what_they_are_one_with_a_bedrijfsnaam_decides():
    raws = [
        klant(1, None, None, subject="https://x.example/1", achternaam="Boer"),
        klant(2, None, None, subject="https://x.example/1", bedrijfsnaam="Winkel"),
    ]
    for order in (raws, raws[::-1]):
        partij, contactpersoon = documents(only(order), "partij")
        assert partij.body["partijIdentificatie"]["naam"] == "Winkel"
        assert contactpersoon.body["partijIdentificatie"]["volledigeNaam"] == "Boer"


@pytest.mark.rule("M6")
@pytest.mark.rule("M2")
def test_names_that_a_conflict_of_soort_leaves_out_are_told_of_the_fields_of_the_klant():
    contact = {"bedrijfsnaam": "Winkel", "voornaam": "An"}
    made = only(
        [klant(1, None, "niet_natuurlijk_persoon", **contact)],
        [rol(1, {"geslachtsnaam": "Dijk"}, url=earlier_url("klant", 1), on=2)],
    )
    assert body(made)["partijIdentificatie"]["volledigeNaam"] == "Dijk"
    lost = {(found.rule, found.field) for _, found in made.findings if str(found.severity) == "dropped"}
    assert lost == {("M13", "bedrijfsnaam"), ("M22", "voornaam")}
    made = only(
        [klant(1, {"voorletters": "A.", "geslachtsnaam": "Boer"})],
        [rol(1, {"statutaireNaam": "Dijk"}, "niet_natuurlijk_persoon", url=earlier_url("klant", 1), on=2)],
    )
    lost = {(found.rule, found.field) for _, found in made.findings if str(found.severity) == "dropped"}
    assert lost == {("M12", f"subjectIdentificatie.{name}") for name in ("voorletters", "geslachtsnaam")}


@pytest.mark.rule("M17")
def test_a_number_without_a_place_is_told_of_the_field_of_the_klant():
    made = only([klant(1, {"inpBsn": NO_BSN}, achternaam="Boer")])
    assert [(found.rule, found.field) for _, found in made.findings] == [
        ("M17", "subjectIdentificatie.inpBsn")
    ]


def test_a_subject_of_unknown_type_is_not_read():
    made = translated(klant(1, {"inpBsn": BSN[0]}, None, achternaam="Vries"))
    assert made.claims[0].keys == [f"url:{earlier_url('klant', 1)}"]
    assert rules(made.findings) == [("M41", "subjectIdentificatie", "dropped")]
    with pytest.raises(Untranslatable):
        load_klant(klant(1, {}, "medewerker"))


@pytest.mark.rule("M30")
def test_of_an_organisation_the_person_is_who_was_spoken_to():
    made = translated(
        klant(1, {"innNnpId": RSIN[0]}, "niet_natuurlijk_persoon", bedrijfsnaam="Winkel", achternaam="Vries")
    )
    assert made.facts["organisatienaam"] == "Winkel"
    assert made.facts["contactnaam"]["achternaam"] == "Vries"


@pytest.mark.rule("M10")
def test_every_klant_makes_a_party_whichever_rollen_do():
    assert translated(klant(1), Settings("geheim", partij_rollen=("initiator",))).claims


@pytest.mark.rule("M36")
def test_fields_without_a_place_are_named():
    subject = {"geboortedatum": "1980-01-01", "geslachtsaanduiding": "v"}
    made = translated(klant(1, subject, websiteUrl="https://voorbeeld.example/"))
    assert made.zonder_plaats == [
        "bronorganisatie",
        "websiteUrl",
        "subjectIdentificatie.geboortedatum",
        "subjectIdentificatie.geslachtsaanduiding",
    ]


@pytest.mark.parametrize(
    ("klantnummer", "nummer"), [("00001234", "00001234"), ("1", "1"), ("", ""), ("K-12", ""), ("1" * 11, "")]
)
def test_only_a_numeric_klantnummer_can_be_the_number_of_a_party(klantnummer, nummer):
    made = translated(klant(1, klantnummer=klantnummer))
    assert made.claims[0].nummer == nummer
    refused = [("M41", "klantnummer", "dropped")] if klantnummer and not nummer else []
    assert rules(made.findings) == refused


NUMBERS = st.sampled_from(["1", "2", "3", "4"])
WISHES = st.dictionaries(st.uuids(), st.lists(st.tuples(st.uuids(), NUMBERS), max_size=3), max_size=5)


@given(WISHES, st.sets(NUMBERS), st.randoms())
@pytest.mark.rule("M41")
def test_a_number_goes_to_a_party_that_wants_it_when_it_is_free(wishes, taken, chance):
    given_ = verdeel_nummers(wishes, taken)
    numbers = [nummer for _, nummer in given_.values()]
    assert len(set(numbers)) == len(numbers)
    assert not taken & set(numbers)
    for partij, klanten in wishes.items():
        assert partij not in given_ or given_[partij] in klanten
        # One that has none wanted only what others have.
        assert partij in given_ or {nummer for _, nummer in klanten} <= taken | set(numbers)
    shuffled = list(wishes.items())
    chance.shuffle(shuffled)
    assert verdeel_nummers(dict(shuffled), taken) == given_


def test_the_lowest_uuid_chooses_first():
    low, high = UUID(int=1), UUID(int=2)
    wishes = {high: [(UUID(int=9), "7"), (UUID(int=8), "5")], low: [(UUID(int=7), "5")]}
    assert verdeel_nummers(wishes, []) == {low: (UUID(int=7), "5"), high: (UUID(int=9), "7")}
    assert verdeel_nummers(wishes, ["7"]) == {low: (UUID(int=7), "5")}


@pytest.mark.rule("M22")
def test_who_answers_for_an_organisation_is_its_contactpersoon():
    raw = klant(
        1,
        {"innNnpId": RSIN[0]},
        "niet_natuurlijk_persoon",
        bedrijfsnaam="Winkel",
        voornaam="Anna",
        achternaam="Boer",
        emailadres="anna@voorbeeld.example",
        functie="inkoper",
    )
    organisatie_, contactpersoon = documents(only([raw]), "partij")
    assert contactpersoon.body["soortPartij"] == "contactpersoon"
    assert contactpersoon.links["werkteVoorPartij"] == [organisatie_.uuid]
    assert contactpersoon.body["interneNotitie"] == "functie: inkoper"
    assert "Anna Boer" in str(contactpersoon.body["partijIdentificatie"])


TEXT = st.text(max_size=30) | st.sampled_from(
    ["", " ", "éè 🏳️‍🌈 \u200f", "x" * 300, BSN[0], NO_BSN, KVK[0], RSIN[0]]
)
SUBJECTS = {
    "natuurlijk_persoon": (
        *("inpBsn", "inpANummer", "anpIdentificatie", "geslachtsnaam", "voorvoegselGeslachtsnaam"),
        *("voornamen", "voorletters", "geboortedatum"),
    ),
    "niet_natuurlijk_persoon": (
        "innNnpId",
        "annIdentificatie",
        "statutaireNaam",
        "bezoekadres",
        "innRechtsvorm",
    ),
    "vestiging": ("vestigingsNummer",),
}
OWN = (
    *("klantnummer", "bedrijfsnaam", "functie", "voornaam", "voorvoegselAchternaam", "achternaam"),
    *("emailadres", "telefoonnummer", "websiteUrl"),
)
ADRESVELDEN = (
    *(
        "straatnaam",
        "huisnummer",
        "huisletter",
        "huisnummertoevoeging",
        "postcode",
        "woonplaatsnaam",
        "landcode",
    ),
)
UGLY = st.one_of(
    st.tuples(
        st.just(soort),
        st.fixed_dictionaries({}, optional=dict.fromkeys(names, TEXT)),
        st.fixed_dictionaries(dict.fromkeys(OWN, TEXT)),
        st.none() | st.fixed_dictionaries(dict.fromkeys(ADRESVELDEN, TEXT)),
    )
    for soort, names in SUBJECTS.items()
)


def plain(value):
    """All text in a value without what any rule may change of it: case, and what stands between words."""
    if isinstance(value, dict):
        return "".join(map(plain, value.values()))
    if isinstance(value, (list, tuple)):
        return "".join(map(plain, value))
    return "".join(character for character in str(value).casefold() if character.isalnum())


@settings(max_examples=100, deadline=None)
@given(UGLY)
@example(
    (
        "niet_natuurlijk_persoon",
        {"statutaireNaam": "x" * 201},
        dict.fromkeys(OWN, "") | {"bedrijfsnaam": "x" * 201},
        None,
    )
)
@example(("natuurlijk_persoon", {}, dict.fromkeys(OWN, ""), {**ADRES, "landcode": "5001"}))
@pytest.mark.rule("M1")
@pytest.mark.rule("M2")
def test_any_klant_translates_the_same_each_time_and_loses_nothing_unsaid(ugly):
    soort, subject, fields, adres = ugly
    raw = klant(1, subject, soort, adres=adres, **fields)
    made = translated(raw)
    assert made == translated(raw)
    assert f"url:{earlier_url('klant', 1)}" in made.claims[0].keys
    kept = plain([claim.body() for claim in made.claims] + [made.facts])
    named = {found.field for found in made.findings} | set(made.zonder_plaats)
    assert not any(name.startswith(("betrokkene", "contactpersoonRol")) for name in named)
    given_ = load_klant(raw)
    values = {name: given_[name] for name in OWN}
    values |= {
        f"subjectIdentificatie.{name}": value for name, value in given_["subjectIdentificatie"].items()
    }
    values |= {f"adres.{name}": given_["adres"][name] for name in ADRESVELDEN}
    values["adres.landcode"] = land_van_code(values["adres.landcode"] or "") or values["adres.landcode"]
    # One name in two fields is told once.
    told = {value for name, value in values.items() if name in named and isinstance(value, str)}
    for name, value in values.items():
        if value and not isinstance(value, (dict, list)) and value not in told:
            assert plain(value) in kept or name in named or name.partition(".")[0] in named, name
