"""Names of people, organisations and actors (M12, M13, M27)."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.model.findings import Severity
from mappings.values.namen import actornaam, organisatienaam, persoonsnaam, volledige_naam
from mappings.values.texts import cut_at_word

LONG = st.text(min_size=0, max_size=260)
WORDS = re.compile(r"\S+")


def person(voorletters="", voornamen="", voorvoegsel="", geslachtsnaam=""):
    return {
        "voorletters": voorletters,
        "voornamen": voornamen,
        "voorvoegselGeslachtsnaam": voorvoegsel,
        "geslachtsnaam": geslachtsnaam,
    }


def words(text):
    return {word.casefold() for word in WORDS.findall(text)}


def lost_without_a_finding(fields, said, found):
    """Give the fields with a word that neither stands in the result nor in a field that a finding names."""
    named = {finding.field.removeprefix("betrokkeneIdentificatie.") for finding in found}
    accounted = words(said).union(*(words(text) for field, text in fields if field in named))
    return [field for field, text in fields if not words(text) <= accounted]


@pytest.mark.rule("M12")
def test_a_name_that_fits_is_taken_over_as_it_is():
    found = []
    naam = persoonsnaam(person("N.I.", "Noëlle Iris", "de", "Groot"), "", found)
    assert naam == {
        "voorletters": "N.I.",
        "voornaam": "Noëlle Iris",
        "voorvoegselAchternaam": "de",
        "achternaam": "Groot",
    }
    assert found == []


@pytest.mark.rule("M12")
def test_a_voorvoegsel_over_ten_characters_moves_in_front_of_the_achternaam():
    found = []
    naam = persoonsnaam(person(voorvoegsel="von und zu der", geslachtsnaam="Berg"), "", found)
    assert (naam["voorvoegselAchternaam"], naam["achternaam"]) == ("", "von und zu der Berg")
    assert [(f.rule, f.field, f.severity) for f in found] == [
        ("M12", "betrokkeneIdentificatie.voorvoegselGeslachtsnaam", Severity.ADJUSTED)
    ]


@pytest.mark.rule("M12")
@pytest.mark.parametrize(
    ("given_letters", "kept"),
    [
        ("J.A.M.P.Q.", "J.A.M.P.Q."),
        ("J.A.M.P.Q.R.", "J.A.M.P.Q."),
        ("J. A. M. P. Q.", "J. A. M."),
        ("Th.Chr.Joh.", "Th.Chr."),
        ("JAMPQRSTUVWX", "JAMPQRSTUV"),
    ],
)
def test_voorletters_over_ten_characters_are_cut_after_a_whole_letter(given_letters, kept):
    found = []
    assert persoonsnaam(person(given_letters, geslachtsnaam="Berg"), "", found)["voorletters"] == kept
    assert [f.field for f in found] == (
        [] if kept == given_letters else ["betrokkeneIdentificatie.voorletters"]
    )


@pytest.mark.rule("M12")
def test_a_surname_over_two_hundred_characters_is_cut_at_a_word_with_a_finding():
    found = []
    naam = persoonsnaam(person(geslachtsnaam=" ".join(["Holstein"] * 30)), "", found)
    assert naam["achternaam"] == " ".join(["Holstein"] * 22)
    assert [f.field for f in found] == ["betrokkeneIdentificatie.geslachtsnaam"]


@pytest.mark.rule("M12")
def test_the_afwijkende_naam_is_the_achternaam_of_a_person_without_a_name():
    for identificatie in (person(), None):
        found = []
        naam = persoonsnaam(identificatie, "Mevrouw Pietersen", found)
        assert naam == {
            "voorletters": "",
            "voornaam": "",
            "voorvoegselAchternaam": "",
            "achternaam": "Mevrouw Pietersen",
        }
        assert found == []


@pytest.mark.rule("M12")
def test_an_afwijkende_naam_beside_another_name_is_not_used_and_is_a_finding():
    found = []
    naam = persoonsnaam(person(voornamen="Jan", geslachtsnaam="Smit"), "Janneke Pietersen", found)
    assert naam["achternaam"] == "Smit"
    assert [(f.field, f.severity) for f in found] == [("afwijkendeNaamBetrokkene", Severity.DROPPED)]


@pytest.mark.rule("M12")
@pytest.mark.parametrize("same", ["Jan de Smit", "jan  DE smit", "J. de Smit", "de Smit"])
def test_an_afwijkende_naam_that_says_the_same_is_no_finding(same):
    found = []
    persoonsnaam(person("J.", "Jan", "de", "Smit"), same, found)
    assert found == []


def test_the_volledige_naam_has_single_spaces_and_no_voorletters():
    parts = {"voorletters": "J.", "voornaam": "Jan  Piet", "voorvoegselAchternaam": "", "achternaam": "Smit"}
    assert volledige_naam(parts) == "Jan Piet Smit"


@pytest.mark.rule("M13")
def test_an_organisation_is_called_by_its_statutaire_naam():
    found = []
    assert organisatienaam("Bakkerij BV", [], "", found) == "Bakkerij BV"
    assert found == []


@pytest.mark.rule("M13")
def test_further_handelsnamen_are_a_finding_that_counts_them():
    found = []
    assert organisatienaam("", ["Bakkerij", "Bakkerij Online", "Brood"], "", found) == "Bakkerij"
    assert [(f.rule, f.field, f.severity) for f in found] == [
        ("M13", "betrokkeneIdentificatie.handelsnaam", Severity.DROPPED)
    ]
    assert "2" in found[0].action


@pytest.mark.rule("M13")
def test_a_handelsnaam_equal_to_the_statutaire_naam_is_no_finding():
    found = []
    assert organisatienaam("Bakkerij BV", ["BAKKERIJ bv"], "bakkerij bv", found) == "Bakkerij BV"
    assert found == []


@pytest.mark.rule("M12")
def test_an_organisation_without_a_name_is_called_by_the_afwijkende_naam():
    found = []
    assert organisatienaam("", [], "Winkel op de hoek", found) == "Winkel op de hoek"
    assert found == []


@pytest.mark.rule("M13")
def test_a_statutaire_naam_of_five_hundred_characters_is_cut_at_a_word():
    found = []
    naam = organisatienaam(("Stichting tot Behoud van " * 20).strip(), [], "", found)
    assert len(naam) <= 200 and naam.endswith("van")
    assert [f.field for f in found] == ["betrokkeneIdentificatie.statutaireNaam"]


@pytest.mark.rule("M27")
@pytest.mark.parametrize(
    ("soort", "identificatie", "afwijkend", "naam"),
    [
        (
            "medewerker",
            {"voorletters": "W.", "voorvoegselAchternaam": "van", "achternaam": "Çelik"},
            "",
            "W. van Çelik",
        ),
        (
            "organisatorische_eenheid",
            {"identificatie": "OE-1", "naam": "Sociaal Domein"},
            "",
            "Sociaal Domein",
        ),
        ("medewerker", {"identificatie": "u0267", "achternaam": ""}, "Balie", "u0267"),
        ("medewerker", {"identificatie": "", "achternaam": ""}, "Balie", "Balie"),
        ("organisatorische_eenheid", None, "", "onbekend"),
    ],
)
def test_an_actor_is_called_by_the_best_name_there_is(soort, identificatie, afwijkend, naam):
    assert actornaam(soort, identificatie, afwijkend, []) == naam


def test_cutting_ends_at_a_word_when_there_is_one():
    assert cut_at_word("een twee drie", 8) == "een twee"
    assert cut_at_word("een twee drie", 7) == "een"
    assert cut_at_word("donaudampfschiff", 5) == "donau"
    assert cut_at_word("past", 4) == "past"


def test_cutting_never_leaves_an_accent_behind():
    decomposed = unicodedata.normalize("NFD", "ééééé")
    assert cut_at_word(decomposed, 5) == decomposed[:4]
    assert cut_at_word("a" + "\u0301" * 20, 10) == ""
    assert cut_at_word("👩‍👩‍👧‍👦x", 3) == ""


@given(st.text(), st.integers(min_value=0, max_value=30))
def test_any_cut_is_a_beginning_that_fits(text, limit):
    cut = cut_at_word(text, limit)
    assert len(cut) <= max(limit, 0)
    assert text.startswith(cut)
    rest = text[len(cut) :]
    if cut and rest:
        assert not unicodedata.category(rest[0]).startswith("M")


@pytest.mark.rule("M12")
@settings(deadline=None)
@given(LONG, LONG, LONG, LONG, LONG)
def test_of_any_name_no_word_is_lost_without_a_finding(
    voorletters, voornamen, voorvoegsel, achternaam, afwijkend
):
    found, again = [], []
    identificatie = person(voorletters, voornamen, voorvoegsel, achternaam)
    naam = persoonsnaam(identificatie, afwijkend, found)
    assert persoonsnaam(identificatie, afwijkend, again) == naam and found == again

    limits = {"voorletters": 10, "voornaam": 200, "voorvoegselAchternaam": 10, "achternaam": 200}
    assert naam.keys() == limits.keys()
    assert all(len(naam[part]) <= limit for part, limit in limits.items())

    fields = [*identificatie.items(), ("afwijkendeNaamBetrokkene", afwijkend)]
    assert lost_without_a_finding(fields, " ".join(naam.values()), found) == []


@pytest.mark.rule("M13")
@settings(deadline=None)
@given(LONG, st.lists(LONG, max_size=3), LONG)
def test_of_any_organisation_no_name_is_lost_without_a_finding(statutair, handelsnamen, afwijkend):
    found = []
    naam = organisatienaam(statutair, handelsnamen, afwijkend, found)
    assert len(naam) <= 200
    fields = [("statutaireNaam", statutair), ("afwijkendeNaamBetrokkene", afwijkend)]
    fields += [("handelsnaam", handelsnaam) for handelsnaam in handelsnamen]
    assert lost_without_a_finding(fields, naam, found) == []


@pytest.mark.rule("M27")
@settings(deadline=None)
@given(st.sampled_from(["medewerker", "organisatorische_eenheid"]), LONG, LONG, LONG)
def test_any_actor_has_a_name_that_fits(soort, naam, identificatie, afwijkend):
    parts = {"achternaam": naam, "naam": naam, "identificatie": identificatie}
    assert 1 <= len(actornaam(soort, parts, afwijkend, [])) <= 200
