"""Countries by their Dutch name or the code of the Landentabel (M15)."""

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.values.landen import LANDENTABEL, NAMEN, landcode


@pytest.mark.rule("M15")
@pytest.mark.parametrize(
    ("naam", "code"),
    [
        pytest.param("België", "BE", id="common name"),
        pytest.param("Bondsrepubliek Duitsland", "DE", id="official name"),
        pytest.param("Verenigde Staten van Amerika", "US", id="official name in full"),
        pytest.param("BELGIE", "BE", id="capitals without accents"),
        pytest.param("  zuid afrika ", "ZA", id="without hyphen"),
        pytest.param("Democratische Republiek Congo", "CD", id="a name that the lists invert"),
        pytest.param("Congo", "CG", id="a name that begins another's"),
        pytest.param("Groot-Brittannië", "GB", id="a name that no library knows"),
        pytest.param("Grootbrittannie", "GB", id="the same without hyphen and accent"),
        pytest.param("Schotland", "GB", id="part of a country"),
        pytest.param("Russische Federatie", "RU", id="the official name, which the Dutch list shortens"),
        pytest.param("Türkiye", "TR", id="its new name"),
        pytest.param("TURKIYE", "TR", id="its new name without accents"),
        pytest.param("Birma", "MM", id="an earlier name"),
        pytest.param("U.S.A.", "US", id="an abbreviation"),
        pytest.param("Tsjechische Republiek", "CZ", id="another official name"),
        pytest.param("Deutschland", "DE", id="its own name"),
        pytest.param("United Kingdom", "GB", id="its English name"),
        pytest.param("Bosnië-Herzegovina", "BA", id="as the Landentabel spells it"),
    ],
)
def test_a_country_is_known_by_its_dutch_name(naam, code):
    assert landcode(naam, "") == code


@pytest.mark.rule("M15")
@pytest.mark.parametrize(
    ("landentabel", "code"), [("5010", "BE"), ("5022", "MA"), ("6014", "US"), ("6029", "DE"), ("6043", "TR")]
)
def test_a_country_without_a_known_name_is_known_by_its_code(landentabel, code):
    assert landcode("", landentabel) == code
    assert landcode("Grootbrittannië en zo", landentabel) == code


@pytest.mark.rule("M15")
@pytest.mark.parametrize(
    ("code", "land"), [("DE", "DE"), ("be", "BE"), (" GB ", "GB"), ("XX", None), ("EU", None)]
)
def test_an_iso_code_is_known_as_a_code(code, land):
    assert landcode("", code) == landcode("Atlantis", code) == land


@pytest.mark.rule("M15")
def test_each_name_that_the_project_keeps_is_that_country():
    assert {name: landcode(name, "") for name in NAMEN} == dict(NAMEN)


@pytest.mark.rule("M15")
def test_the_name_goes_before_the_code():
    assert landcode("Duitsland", "5010") == "DE"


@pytest.mark.rule("M15")
@pytest.mark.parametrize(
    ("naam", "code"), [("", ""), ("Atlantis", "9999"), ("Kosovo", ""), ("", "0000"), ("Europese Unie", "")]
)
def test_what_iso_3166_does_not_have_is_unknown(naam, code):
    assert landcode(naam, code) is None


@pytest.mark.rule("M15")
def test_each_code_of_the_table_is_a_country_of_iso_3166_and_stands_for_one_country():
    assert all(pycountry.countries.get(alpha_2=code) for code in LANDENTABEL.values())
    assert len(set(LANDENTABEL.values())) == len(LANDENTABEL)


@pytest.mark.rule("M15")
@given(st.text(), st.text())
def test_any_text_gives_a_code_of_iso_3166_or_nothing(naam, code):
    land = landcode(naam, code)
    assert land is None or pycountry.countries.get(alpha_2=land)
