"""Identification numbers that may say who a party is, and those that may not (M5, M8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.values.nummers import a_nummer, bsn, kvk_nummer, rsin, vestigingsnummer


@pytest.mark.rule("M5")
def test_a_bsn_of_eight_digits_is_the_same_person_as_with_its_leading_zero():
    assert bsn("10000008") == bsn("010000008") == "010000008"


@pytest.mark.rule("M8")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("123456789", id="wrong check digit"),
        pytest.param("000000000", id="all zeros pass the eleven-test but are nobody"),
        pytest.param("00000000", id="eight zeros"),
        pytest.param("1000008", id="seven digits"),
        pytest.param("0010000008", id="ten digits"),
        pytest.param("01000 0008", id="with a space"),
        pytest.param("٠١٠٠٠٠٠٠٨", id="Arabic digits"),
        pytest.param("010000008\n", id="with a newline"),
        pytest.param("", id="blank"),
    ],
)
def test_no_bsn(text):
    assert bsn(text) is None


@pytest.mark.rule("M5")
def test_an_rsin_has_nine_digits_and_passes_the_eleven_test():
    assert rsin("002220647") == "002220647"
    assert rsin("002220648") is None


@pytest.mark.rule("M5")
def test_eight_digits_are_a_kvk_number_and_never_an_rsin():
    assert rsin("10000004") is None
    assert kvk_nummer("10000004") == "10000004"


@pytest.mark.rule("M8")
@pytest.mark.parametrize("text", ["", "0000000", "00000000", "123456789", "1234567a"])
def test_no_kvk_number(text):
    assert kvk_nummer(text) is None


@pytest.mark.rule("M8")
def test_a_vestigingsnummer_has_twelve_digits_that_are_not_all_zero():
    assert vestigingsnummer("000012345678") == "000012345678"
    assert vestigingsnummer("000000000000") is None
    assert vestigingsnummer("12345678") is None


@pytest.mark.rule("M5")
def test_an_a_nummer_has_ten_digits():
    assert a_nummer("1234567890") == "1234567890"
    assert a_nummer("123456789") is None


@pytest.mark.rule("M8")
@given(st.integers(min_value=1, max_value=99_999_999), st.integers(min_value=0, max_value=9))
def test_of_the_ten_last_digits_of_a_bsn_at_most_one_is_right(front, other):
    valid = [digit for digit in range(10) if bsn(f"{front:08}{digit}")]
    assert len(valid) <= 1
    if valid and other != valid[0]:
        assert bsn(f"{front:08}{other}") is None


@pytest.mark.rule("M8")
@given(st.one_of(st.text(), st.from_regex(r"[0-9]{7,13}", fullmatch=True)))
def test_any_text_gives_canonical_digits_or_nothing(text):
    for number, length in ((bsn, 9), (rsin, 9), (kvk_nummer, 8), (vestigingsnummer, 12), (a_nummer, 10)):
        canonical = number(text)
        assert canonical is None or (len(canonical) == length and number(canonical) == canonical)
