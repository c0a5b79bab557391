"""E-mail addresses and telephone numbers (M21) and what is said about them (M23)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.model.findings import Severity
from mappings.values.digitaleadressen import (
    GivenAddress,
    digitale_adressen,
    geldig_emailadres,
    omschrijving,
    telefoonnummer,
)


def plain(text):
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf")


def contact(emailadres="", telefoonnummer=""):
    return {"emailadres": emailadres, "functie": "", "telefoonnummer": telefoonnummer, "naam": ""}


@pytest.mark.rule("M21")
def test_an_email_address_keeps_its_spelling_and_is_compared_without_case():
    found = []
    assert digitale_adressen(contact("Info69@Example.NL"), "Pieter Bakker", found) == [
        GivenAddress("email", "Info69@Example.NL", "info69@example.nl", "Pieter Bakker")
    ]
    assert found == []


@pytest.mark.rule("M21")
@pytest.mark.parametrize(
    "text",
    [
        "j.jansen@example.nl",
        "o'brien+zaak_1@sub.example.org",
        '"Jan\\ Jansen"@example.nl',
        "jan@localhost",
        "jan@[127.0.0.1]",
        "jan@[::1]",
        "jan@exämple.nl",
        "jan@example.x1",
    ],
)
def test_a_valid_email_address(text):
    assert geldig_emailadres(text)


@pytest.mark.rule("M21")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "geen-email",
        "@example.nl",
        "jan@",
        "jan..jansen@example.nl",
        ".jan@example.nl",
        "jan@example",
        "jan@example.c",
        "jan@-example.nl",
        "jan@example.nl-",
        "jan@" + "a" * 64 + ".nl",
        "jan @example.nl",
        "jan@example.nl\n",
        "jan@[300.1.1.1]",
        '"jan jansen"@example.nl',
        "noëlle@example.com",
    ],
)
def test_an_email_address_that_the_served_api_refuses(text):
    assert not geldig_emailadres(text)


@pytest.mark.rule("M21")
@pytest.mark.parametrize("email", ["geen-email", "a" * 70 + "@example.nl"])
def test_an_email_address_that_is_not_valid_or_too_long_is_dropped_with_a_finding(email):
    found = []
    assert digitale_adressen(contact(email), "", found) == []
    assert [(f.rule, f.field, f.severity) for f in found] == [
        ("M21", "contactpersoonRol.emailadres", Severity.DROPPED)
    ]
    assert email not in found[0].action


@pytest.mark.rule("M21")
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0612345678", "0612345678"),
        ("06-12 34 56 78", "0612345678"),
        ("020–123.4567", "0201234567"),
        ("(020) 123 4567", "0201234567"),
        ("+31 (0)6 12345678", "+31612345678"),
        ("0031 (0) 6 12345678", "0031612345678"),
        ("(+31)(0)6 12345678", "+31612345678"),
        ("+32\u00a0470\u00a012\u00a034\u00a056", "+32470123456"),
        ("\u200b06\u200d12345678\ufeff", "0612345678"),
        ("tel:+31-6-12345678", "+31612345678"),
        ("TEL: 0612345678", "0612345678"),
        ("+39 (0)6 6982 1234", "+390669821234"),
        ("0039(0)669821234", "00390669821234"),
    ],
)
def test_a_telephone_number_is_cleaned(text, number):
    assert telefoonnummer(text) == number


@pytest.mark.rule("M21")
@pytest.mark.parametrize(
    "text",
    [
        "0800-1234567",
        "0900 1234567",
        "14 030",
        "1400",
        "06-1234567",
        "06-123456789",
        "bellen na 17 uur",
        "0612345678 (werk)",
        "(0)612345678x",
        "٠٦١٢٣٤٥٦٧٨",
        "+31",
        "",
    ],
)
def test_no_telephone_number_that_the_served_api_takes(text):
    assert telefoonnummer(text) is None


@pytest.mark.rule("M21")
@pytest.mark.parametrize(
    "text",
    [
        "0612345678/0687654321",
        "06-12345678 of 06-87654321",
        "0612345678; 0687654321",
        "0612345678,0687654321",
        "0612345678 EN tel:0687654321",
        "0612345678 / 0687654321 / 06 12 34 56 78",
    ],
)
def test_two_numbers_in_one_field_are_two_addresses(text):
    found = []
    made = digitale_adressen(contact(telefoonnummer=text), "", found)
    assert made == [
        GivenAddress("telefoonnummer", number, number, "") for number in ("0612345678", "0687654321")
    ]
    assert found == []


@pytest.mark.rule("M21")
@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0612345678 of na vijven", ["0612345678"]),
        ("0800-1234 / 0612345678", ["0612345678"]),
        ("020/1234567", []),
        ("14 020 of 0900-1234", []),
    ],
)
def test_what_stands_beside_a_number_is_kept_as_given_with_a_finding(text, numbers):
    found = []
    made = digitale_adressen(contact(telefoonnummer=text), "", found)
    assert [adres.adres for adres in made if adres.soort == "telefoonnummer"] == numbers
    assert [adres.adres for adres in made if adres.soort == "overig"] == [text]
    assert [f.severity for f in found] == [Severity.ADJUSTED]


@pytest.mark.rule("M21")
def test_addresses_of_soort_overig_can_be_left_out_with_a_finding():
    found = []
    for text, numbers in (("0800-1234", []), ("0612345678 of 0800-1234", ["0612345678"])):
        made = digitale_adressen(contact(telefoonnummer=text), "", found, overige=False)
        assert [adres.adres for adres in made] == numbers
    assert [f.severity for f in found] == [Severity.DROPPED] * 2


@pytest.mark.rule("M21")
@pytest.mark.parametrize(
    ("text", "emails"),
    [
        ("jan\u200b@example.nl", ["jan@example.nl"]),
        ("\ufeffjan@exam\u00adple.nl ", ["jan@example.nl"]),
        ("mailto:jan@example.nl", ["jan@example.nl"]),
        ("jan@example.nl; Els@example.nl", ["jan@example.nl", "Els@example.nl"]),
        ("jan@example.nl of JAN@example.nl", ["jan@example.nl"]),
        ("a/b@example.nl", ["a/b@example.nl"]),
    ],
)
def test_email_addresses_are_read_without_what_nobody_sees(text, emails):
    found = []
    made = digitale_adressen(contact(text), "", found)
    assert [(adres.adres, adres.sleutel) for adres in made] == [(each, each.casefold()) for each in emails]
    assert found == []


@pytest.mark.rule("M21")
def test_another_number_is_kept_as_given_under_soort_overig_with_a_finding():
    found = []
    assert digitale_adressen(contact(telefoonnummer=" 14 030 "), "", found) == [
        GivenAddress("overig", "14 030", "14030", "")
    ]
    assert [(f.field, f.severity) for f in found] == [("contactpersoonRol.telefoonnummer", Severity.ADJUSTED)]


@pytest.mark.rule("M21")
@pytest.mark.parametrize(
    ("given_", "sleutel"),
    [
        ("0800-1234", "08001234"),
        ("(0800) 12.34", "08001234"),
        ("08001234", "08001234"),
        ("Bel maar", "Belmaar"),
        ("-", "-"),
    ],
)
def test_separators_make_no_other_number_of_soort_overig(given_, sleutel):
    (adres,) = digitale_adressen(contact(telefoonnummer=given_), "", [])
    assert (adres.soort, adres.adres, adres.sleutel) == ("overig", given_, sleutel)


@pytest.mark.rule("M21")
def test_another_number_of_over_eighty_characters_is_dropped_with_a_finding():
    found = []
    assert digitale_adressen(contact(telefoonnummer="bel " * 21), "", found) == []
    assert [f.severity for f in found] == [Severity.DROPPED]


@pytest.mark.rule("M23")
def test_the_name_of_another_person_becomes_the_omschrijving():
    assert omschrijving("Anton Ünal", "Noëlle de Groot", []) == "Anton Ünal"


@pytest.mark.rule("M23")
@pytest.mark.parametrize("naam", ["", "  ", "Noëlle de Groot", "noëlle  DE groot"])
def test_the_partys_own_name_is_no_omschrijving(naam):
    assert omschrijving(naam, "Noëlle de Groot", []) == ""


@pytest.mark.rule("M23")
def test_an_omschrijving_over_forty_characters_is_cut_at_a_word_with_a_finding():
    found = []
    assert omschrijving("Administratie en salarissen van het filiaal", "", found) == (
        "Administratie en salarissen van het"
    )
    assert [(f.rule, f.field) for f in found] == [("M23", "contactpersoonRol.naam")]


@pytest.mark.rule("M21")
@given(
    st.one_of(st.text(max_size=100), st.emails()),
    st.one_of(st.text(max_size=100), st.text("0123456789 +-.()", max_size=20)),
)
def test_any_contact_gives_addresses_that_fit_and_loses_nothing_without_a_finding(email, telefoon):
    found, again = [], []
    adressen = digitale_adressen(contact(email, telefoon), "", found)
    assert digitale_adressen(contact(email, telefoon), "", again) == adressen and again == found
    assert all(1 <= len(adres.adres) <= 80 for adres in adressen)

    named = {f.field for f in found}
    by_soort = {adres.soort: adres for adres in adressen}
    if email.strip():
        made = [adres.adres for adres in adressen if adres.soort == "email"]
        assert "contactpersoonRol.emailadres" in named or (
            made and all(each in plain(email) for each in made)
        )
    if telefoon.strip():
        kept_as_number = "telefoonnummer" in by_soort
        assert kept_as_number or "contactpersoonRol.telefoonnummer" in named
    if "telefoonnummer" in by_soort:
        number = by_soort["telefoonnummer"].adres
        assert telefoonnummer(number) == number, "a cleaned number stays as it is"


@pytest.mark.rule("M23")
@given(st.text(), st.text())
def test_any_omschrijving_fits(naam, eigen_naam):
    found = []
    text = omschrijving(naam, eigen_naam, found)
    assert len(text) <= 40
    own = " ".join(eigen_naam.split()).casefold()
    assert found or text == " ".join(naam.split()) or " ".join(naam.split()).casefold() == own
