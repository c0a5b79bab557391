"""Postal addresses (M14, M15, M16)."""

import re

import pycountry
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.model.findings import Severity
from mappings.values.adressen import LEEG, adressen

ADRES = "betrokkeneIdentificatie.verblijfsadres."
BUITENLAND = "betrokkeneIdentificatie.subVerblijfBuitenland."


def verblijf(**fields):
    return {
        "aoaIdentificatie": "",
        "wplWoonplaatsNaam": "",
        "gorOpenbareRuimteNaam": "",
        "aoaPostcode": "",
        "aoaHuisnummer": "",
        "aoaHuisletter": "",
        "aoaHuisnummertoevoeging": "",
        "inpLocatiebeschrijving": "",
    } | fields


def dorpsstraat(**fields):
    return verblijf(
        gorOpenbareRuimteNaam="Dorpsstraat", aoaHuisnummer="757", wplWoonplaatsNaam="DEN HAAG"
    ) | dict(fields)


def buitenland(*regels, naam="", code=""):
    group = {"lndLandcode": code, "lndLandnaam": naam}
    return group | {f"subAdresBuitenland_{number}": (*regels, "", "", "")[number - 1] for number in (1, 2, 3)}


def regels(adres):
    return [adres["adresregel1"], adres["adresregel2"], adres["adresregel3"]]


@pytest.mark.rule("M14")
def test_a_verblijfsadres_becomes_the_bezoekadres():
    found = []
    result = adressen(
        verblijf(
            aoaIdentificatie="2182838278225436",
            wplWoonplaatsNaam="DEN HAAG",
            gorOpenbareRuimteNaam="Dorpsstraat",
            aoaPostcode="1626pi",
            aoaHuisnummer="757",
            aoaHuisletter="Z",
            aoaHuisnummertoevoeging="bis",
            inpLocatiebeschrijving="Woonboot, ligplaats 3",
        ),
        None,
        "",
        found,
    )
    assert result == {
        "bezoekadres": {
            "nummeraanduidingId": "2182838278225436",
            "straatnaam": "Dorpsstraat",
            "huisnummer": 757,
            "huisnummertoevoeging": "Z bis",
            "postcode": "1626 PI",
            "stad": "DEN HAAG",
            "adresregel1": "Woonboot, ligplaats 3",
            "adresregel2": "",
            "adresregel3": "",
            "land": "NL",
        },
        "correspondentieadres": LEEG,
    }
    assert found == []


@pytest.mark.rule("M14")
@pytest.mark.parametrize("blank", [None, verblijf()])
def test_nothing_gives_no_address(blank):
    assert adressen(blank, None, "", []) is None
    assert adressen(blank, buitenland(), " ", []) is None


@pytest.mark.rule("M14")
def test_a_postcode_that_the_api_would_refuse_goes_to_a_free_adresregel():
    found = []
    adres = adressen(dorpsstraat(aoaPostcode="12345"), None, "", found)["bezoekadres"]
    assert (adres["postcode"], adres["adresregel1"]) == ("", "12345")
    assert [(f.rule, f.field, f.severity) for f in found] == [
        ("M14", ADRES + "aoaPostcode", Severity.ADJUSTED)
    ]
    assert "12345" not in found[0].action


@pytest.mark.rule("M14")
@pytest.mark.parametrize("number", ["0", "100000", "-5", "12a"])
def test_a_huisnummer_that_the_api_would_refuse_goes_to_a_free_adresregel(number):
    found = []
    adres = adressen(
        dorpsstraat(aoaHuisnummer=number, inpLocatiebeschrijving="Bij de brug"), None, "", found
    )["bezoekadres"]
    assert (adres["huisnummer"], regels(adres)) == (None, ["Bij de brug", number, ""])
    assert [f.field for f in found] == [ADRES + "aoaHuisnummer"]


@pytest.mark.rule("M14")
def test_refused_values_share_a_line_and_a_long_locatiebeschrijving_leaves_it_to_them():
    found = []
    group = dorpsstraat(
        aoaHuisnummer="0", aoaPostcode="0000 AA", inpLocatiebeschrijving=" ".join(["achterom"] * 60)
    )
    adres = adressen(group, None, "", found)["bezoekadres"]
    assert adres["adresregel3"] == "0, 0000 AA"
    assert {(f.field, f.severity) for f in found} == {
        (ADRES + "aoaHuisnummer", Severity.ADJUSTED),
        (ADRES + "aoaPostcode", Severity.ADJUSTED),
        (ADRES + "inpLocatiebeschrijving", Severity.DROPPED),
    }


@pytest.mark.rule("M14")
def test_a_locatiebeschrijving_over_eighty_characters_wraps_at_words_without_a_finding():
    found = []
    text = " ".join(["achterom"] * 20)
    adres = adressen(dorpsstraat(inpLocatiebeschrijving=text), None, "", found)["bezoekadres"]
    assert " ".join(regels(adres)).strip() == text
    assert found == []


@pytest.mark.rule("M14")
def test_an_identificatie_that_is_no_nummeraanduiding_is_dropped_with_a_finding():
    found = []
    adres = adressen(dorpsstraat(aoaIdentificatie="123"), None, "", found)["bezoekadres"]
    assert adres["nummeraanduidingId"] == ""
    assert [(f.field, f.severity) for f in found] == [(ADRES + "aoaIdentificatie", Severity.DROPPED)]


@pytest.mark.rule("M15")
def test_an_address_abroad_alone_is_the_bezoekadres():
    found = []
    result = adressen(
        None,
        buitenland("Rue Haute 1", "1000 Bruxelles", naam="België", code="5010"),
        "",
        found,
    )
    assert regels(result["bezoekadres"]) == ["Rue Haute 1", "1000 Bruxelles", ""]
    assert result["bezoekadres"]["land"] == "BE"
    assert result["correspondentieadres"] == LEEG
    assert found == []


@pytest.mark.rule("M15")
@pytest.mark.parametrize(("group", "tekst"), [(dorpsstraat(), ""), (None, "Kerkplein 1, Utrecht")])
def test_an_address_abroad_beside_one_at_home_is_the_correspondentieadres(group, tekst):
    result = adressen(group, buitenland("Rue Haute 1", naam="België"), tekst, [])
    assert result["correspondentieadres"] == LEEG | {"adresregel1": "Rue Haute 1", "land": "BE"}
    assert result["bezoekadres"]["land"] == ("NL" if group else "")


@pytest.mark.rule("M15")
def test_the_name_of_an_unknown_country_goes_to_adresregel3_with_a_finding():
    found = []
    group = buitenland("Hoofdstraat 1", naam="Atlantis", code="9999")
    adres = adressen(None, group, "", found)["bezoekadres"]
    assert (regels(adres), adres["land"]) == (["Hoofdstraat 1", "", "Atlantis"], "")
    assert [(f.rule, f.field, f.severity) for f in found] == [
        ("M15", BUITENLAND + "lndLandnaam", Severity.ADJUSTED),
        ("M15", BUITENLAND + "lndLandcode", Severity.DROPPED),
    ]


@pytest.mark.rule("M15")
def test_the_name_of_an_unknown_country_without_a_free_line_is_dropped_with_a_finding():
    found = []
    adres = adressen(None, buitenland("a", "b", "c", naam="Atlantis"), "", found)["bezoekadres"]
    assert regels(adres) == ["a", "b", "c"]
    assert [(f.field, f.severity) for f in found] == [(BUITENLAND + "lndLandnaam", Severity.DROPPED)]


@pytest.mark.rule("M15")
def test_a_landcode_that_contradicts_the_landnaam_is_a_finding():
    found = []
    adres = adressen(None, buitenland(naam="Duitsland", code="5010"), "", found)["bezoekadres"]
    assert adres["land"] == "DE"
    assert [f.field for f in found] == [BUITENLAND + "lndLandcode"]


@pytest.mark.rule("M16")
def test_a_one_string_bezoekadres_wraps_at_words_over_three_lines():
    found = []
    tekst = " ".join(["Bedrijvencentrum"] * 12)
    adres = adressen(None, None, tekst, found)["bezoekadres"]
    assert " ".join(regels(adres)) == tekst
    assert all(len(regel) <= 80 for regel in regels(adres))
    assert found == []


@pytest.mark.rule("M16")
def test_what_does_not_fit_of_a_one_string_bezoekadres_is_a_finding():
    found = []
    adressen(None, None, "Bedrijvencentrum " * 58, found)
    assert [(f.rule, f.field, f.severity) for f in found] == [
        ("M16", "betrokkeneIdentificatie.bezoekadres", Severity.DROPPED)
    ]


@pytest.mark.rule("M16")
@pytest.mark.parametrize(
    "tekst", ["Dorpsstraat 757, 3420 HP Den Haag", "dorpsstraat 757Z-bis, 3420hp DEN HAAG", "Den Haag"]
)
def test_a_one_string_bezoekadres_that_says_the_same_as_the_verblijfsadres_is_not_repeated(tekst):
    found = []
    group = dorpsstraat(aoaPostcode="3420HP", aoaHuisletter="Z", aoaHuisnummertoevoeging="bis")
    assert regels(adressen(group, None, tekst, found)["bezoekadres"]) == ["", "", ""]
    assert found == []


@pytest.mark.rule("M16")
def test_a_different_one_string_bezoekadres_goes_below_the_locatiebeschrijving():
    group = dorpsstraat(inpLocatiebeschrijving="Woonboot")
    adres = adressen(group, None, "Kade 9, Utrecht", [])["bezoekadres"]
    assert regels(adres) == ["Woonboot", "Kade 9, Utrecht", ""]
    assert regels(adressen(dorpsstraat(), None, "Kade 9, Utrecht", [])["bezoekadres"])[0] == ""


ANY = st.one_of(st.text(max_size=40), st.text("aB é-", min_size=60, max_size=300))
TOKEN = re.compile(r"[^\W_]+")


def tokens(text):
    return set(TOKEN.findall(text.casefold()))


@pytest.mark.slow
@pytest.mark.rule("M14")
@pytest.mark.rule("M15")
@pytest.mark.rule("M16")
@settings(deadline=None, max_examples=300)
@given(
    st.none() | st.fixed_dictionaries(dict.fromkeys(verblijf(), ANY)),
    st.none() | st.fixed_dictionaries(dict.fromkeys(buitenland(), ANY)),
    ANY,
)
def test_any_address_fits_and_loses_nothing_without_a_finding(group, abroad, tekst):
    found, again = [], []
    result = adressen(group, abroad, tekst, found)
    assert adressen(group, abroad, tekst, again) == result and again == found

    for adres in (result or {}).values():
        assert adres.keys() == LEEG.keys()
        assert all(len(regel) <= 80 for regel in regels(adres))
        assert len(adres["straatnaam"]) <= 255 and len(adres["stad"]) <= 255
        assert adres["huisnummer"] is None or 1 <= adres["huisnummer"] <= 99999
        assert len(adres["huisnummertoevoeging"]) <= 20
        assert re.fullmatch(r"([1-9][0-9]{3} [A-Z]{2})?", adres["postcode"])
        assert re.fullmatch(r"([0-9]{16})?", adres["nummeraanduidingId"])
        assert not adres["land"] or pycountry.countries.get(alpha_2=adres["land"])

    said = " ".join(str(value) for adres in (result or {}).values() for value in adres.values())
    said_tokens = tokens(said) | tokens(said.replace(" ", ""))
    named = {f.field for f in found}
    for prefix, fields in ((ADRES, group or {}), (BUITENLAND, abroad or {})):
        for field, text in fields.items():
            if field in ("lndLandcode", "lndLandnaam") and result and said_country(result):
                continue
            if field == "aoaHuisnummer" and text.strip().isdigit():
                text = text.strip().lstrip("0")
            assert prefix + field in named or tokens(text) <= said_tokens, f"a word of {field} is gone"
    assert "betrokkeneIdentificatie.bezoekadres" in named or tokens(tekst) <= said_tokens


def said_country(result):
    """Say whether the address abroad got its land, so that name and code are not lost."""
    return result["correspondentieadres"]["land"] or result["bezoekadres"]["land"] not in ("", "NL")
