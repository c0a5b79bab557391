"""What clients send, field by field: cleaned, or refused in the recorded words."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from builders.paths import DATA
from hypothesis import given
from hypothesis import strategies as st

from mappings.klantinteracties import Invalid, InvalidField, defaults, load, schema_of
from mappings.klantinteracties.schemas import SCHEMAS
from mappings.klantinteracties.text_forms import camel_case, metadata_key

FOLDER = DATA / "klantinteracties"
SOMEONE = "6c8f4dd2-3f9a-4c47-9a0a-5fbf0e5a9b11"
KLANTCONTACT = {"kanaal": "k", "onderwerp": "o", "taal": "nld", "vertrouwelijk": False}
BETROKKENE = {"hadKlantcontact": {"uuid": SOMEONE}, "rol": "klant", "initiator": True}
PARTIJ = {"soortPartij": "persoon", "indicatieActief": True}
ADRES = {"adres": "x@example.nl", "soortDigitaalAdres": "email"}
KINDS = {
    "actoren": "actor",
    "betrokkenen": "betrokkene",
    "categorieen": "categorie",
    "digitaleadressen": "digitaleadres",
    "internetaken": "internetaak",
    "klantcontacten": "klantcontact",
    "maak-klantcontact": "maak-klantcontact",
    "partijen": "partij",
    "rekeningnummers": "rekeningnummer",
}
# Recorded refusals that the fields alone decide.
REFUSED_BY_FIELDS = (117, 118, 120, 121, 122, 123, 124, 125, 126, 128, 129, 134, 141, 148, 152, 182, 191)


def recording(number: int) -> dict[str, Any]:
    return json.loads(next(FOLDER.glob(f"{number:03}-*.json")).read_text(encoding="utf-8"))


def kind_of(recorded: dict[str, Any]) -> str:
    return KINDS[recorded["path"].split("/api/v1/")[1].split("/")[0]]


def refusal(kind: str, data: Any, *, partial: bool = False) -> list[InvalidField]:
    with pytest.raises(Invalid) as refused:
        load(kind, data, partial=partial)
    return list(refused.value.params)


def names(kind: str, data: Any, *, partial: bool = False) -> list[tuple[str, str]]:
    return [(param.name, param.code) for param in refusal(kind, data, partial=partial)]


@pytest.mark.parametrize("number", REFUSED_BY_FIELDS)
def test_what_was_refused_is_refused_in_the_same_words_and_order(number: int) -> None:
    recorded = recording(number)
    expected = [InvalidField(**param) for param in recorded["response"]["invalidParams"]]
    assert refusal(kind_of(recorded), recorded["request"]) == expected


@pytest.mark.parametrize("number", (4, 5, 8, 9, 13, 14, 15, 16, 18, 22, 23, 24, 25, 26))
def test_what_was_accepted_becomes_what_was_answered(number: int) -> None:
    recorded = recording(number)
    kind = kind_of(recorded)
    made = defaults(kind) | load(kind, recorded["request"], partial=False)
    answer = recorded["response"]
    different = []
    for name, value in made.items():
        by_clock = value is None and name in ("plaatsgevondenOp", "toegewezenOp")
        if not by_clock and name != "partijIdentificatoren" and plain(value) != plain(answer[name]):
            different.append(name)
    assert different == []


def plain(value: Any) -> Any:
    """A value without what only answers have: addresses, and the uuid of a contactpersoon."""
    if isinstance(value, dict):
        dropped = {"url", "uuid"} if "contactnaam" in value else {"url"}
        return {key: plain(inner) for key, inner in value.items() if key not in dropped}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return str(value) if isinstance(value, UUID) else value


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_kind_has_its_schema(kind: str) -> None:
    assert isinstance(schema_of(kind), SCHEMAS[kind])


class TestText:
    def test_is_trimmed_and_a_number_becomes_text(self) -> None:
        assert load("klantcontact", {"kanaal": "  balie ", "onderwerp": 12.5}, partial=True) == {
            "kanaal": "balie",
            "onderwerp": "12.5",
        }

    @pytest.mark.parametrize("value", (True, ["a"], {"a": "b"}))
    def test_is_not_a_boolean_list_or_object(self, value: Any) -> None:
        assert refusal("categorie", {"naam": value}) == [("naam", "invalid", "Not a valid string.")]

    def test_that_is_required_may_not_be_blank_and_optional_text_may(self) -> None:
        assert refusal("klantcontact", KLANTCONTACT | {"kanaal": "  "}) == [
            ("kanaal", "blank", "Dit veld mag niet leeg zijn.")
        ]
        assert load("klantcontact", {"inhoud": "  "}, partial=True) == {"inhoud": ""}

    def test_may_not_be_null_unless_the_contract_says_so(self) -> None:
        assert names("klantcontact", {"inhoud": None}, partial=True) == [("inhoud", "null")]
        assert load("klantcontact", {"referentienummer": None}, partial=True) == {"referentienummer": None}

    def test_with_half_a_surrogate_pair_is_refused_because_no_answer_could_carry_it(self) -> None:
        assert names("categorie", {"naam": "\ud800"}) == [("naam", "surrogate_characters_not_allowed")]

    def test_of_a_megabyte_is_refused_by_its_length_alone(self) -> None:
        assert names("rekeningnummer", {"iban": "N" * 1_000_000}) == [("iban", "max_length")]

    def test_several_faults_of_one_field_are_all_named(self) -> None:
        assert names("rekeningnummer", {"iban": "NL91 ABNA " * 5}) == [
            ("iban", "invalid"),
            ("iban", "max_length"),
        ]


class TestFlag:
    @pytest.mark.parametrize(
        ("spelled", "meant"),
        ((True, True), (1, True), ("true", True), ("1", True), (False, False), (0, False), ("False", False)),
    )
    def test_understands_the_recorded_spellings(self, spelled: Any, meant: bool) -> None:
        assert load("klantcontact", {"vertrouwelijk": spelled}, partial=True) == {"vertrouwelijk": meant}

    @pytest.mark.parametrize("spelled", ("ja", "yes", "on", 2, "", [True], 0.5))
    def test_understands_no_other(self, spelled: Any) -> None:
        assert refusal("klantcontact", {"vertrouwelijk": spelled}, partial=True) == [
            ("vertrouwelijk", "invalid", "Must be a valid boolean.")
        ]


class TestMoment:
    @pytest.mark.parametrize(
        ("spelled", "served"),
        (
            ("2025-11-03T14:15:22+01:00", "2025-11-03T13:15:22Z"),
            ("2025-11-03T14:15:22.5Z", "2025-11-03T14:15:22.500000Z"),
            ("2025-11-03 14:15", "2025-11-03T14:15:00Z"),
            ("2025-11-03", "2025-11-03T00:00:00Z"),
        ),
    )
    def test_is_served_in_utc(self, spelled: str, served: str) -> None:
        assert load("klantcontact", {"plaatsgevondenOp": spelled}, partial=True) == {
            "plaatsgevondenOp": served
        }

    @pytest.mark.parametrize("spelled", ("", "gisteren", 5, "0001-01-01T00:00:00+14:00", None))
    def test_that_is_none_is_refused(self, spelled: Any) -> None:
        code = "null" if spelled is None else "invalid"
        assert names("klantcontact", {"plaatsgevondenOp": spelled}, partial=True) == [
            ("plaatsgevondenOp", code)
        ]


def test_a_date_is_a_day_without_a_time() -> None:
    assert load("categorie-relatie", {"beginDatum": "2025-01-15", "eindDatum": None}, partial=False) == {
        "beginDatum": "2025-01-15",
        "eindDatum": None,
    }
    assert refusal("categorie-relatie", {"beginDatum": "2025-01-15T00:00:00"}) == [
        (
            "beginDatum",
            "invalid",
            "Date heeft het verkeerde formaat, gebruik 1 van deze formaten: YYYY-MM-DD.",
        )
    ]


def test_a_nummer_that_is_blank_is_none_because_it_must_be_unique() -> None:
    assert load("klantcontact", {"nummer": ""}, partial=True) == {"nummer": None}
    assert load("klantcontact", {"nummer": 12}, partial=True) == {"nummer": "12"}


@pytest.mark.parametrize(
    ("huisnummer", "code"), ((0, "min_value"), (100000, "max_value"), ("een", "invalid"))
)
def test_a_huisnummer_lies_between_1_and_99999(huisnummer: Any, code: str) -> None:
    assert names("partij", PARTIJ | {"bezoekadres": {"huisnummer": huisnummer}}) == [
        ("bezoekadres.huisnummer", code)
    ]
    assert (
        load("partij", {"bezoekadres": {"huisnummer": "12"}}, partial=True)["bezoekadres"]["huisnummer"] == 12
    )


@pytest.mark.parametrize("land", ("nl", "Nl", "XX", "NLD", "n1"))
def test_a_land_is_a_code_of_iso_3166_in_capitals(land: str) -> None:
    """The list of countries is looked up without regard to case; a filter is not."""
    assert ("bezoekadres.land", "invalid") in names("partij", PARTIJ | {"bezoekadres": {"land": land}})
    loaded = load("betrokkene", {"correspondentieadres": {"land": "NL"}}, partial=True)
    assert loaded["correspondentieadres"]["land"] == "NL"


@pytest.mark.parametrize("address", ("zaaktype", "//example.nl/x", "javascript:alert(1)", "http://"))
def test_an_address_is_absolute(address: str) -> None:
    assert refusal("klantcontact", {"hoofdOnderwerpType": address}, partial=True) == [
        ("hoofdOnderwerpType", "invalid", "Voer een geldige URL in.")
    ]


def test_a_referentie_is_a_slug() -> None:
    assert names("digitaleadres", ADRES | {"referentie": "portaal voorkeur"}) == [("referentie", "invalid")]
    assert load("digitaleadres", {"referentie": "portaal-voorkeur_1"}, partial=True)


class TestMetadata:
    def test_keys_come_back_in_camel_case_and_numbers_as_text(self) -> None:
        given = {"some_key": "x", "otherKey": 5}
        assert load("klantcontact", {"metadata": given}, partial=True) == {
            "metadata": {"someKey": "x", "otherKey": "5"}
        }

    def test_a_value_of_more_than_255_characters_is_named_by_its_key(self) -> None:
        assert names("klantcontact", {"metadata": {"a_b": "x" * 256}}, partial=True) == [
            ("metadata.aB", "max_length")
        ]

    def test_is_an_object(self) -> None:
        assert names("klantcontact", {"metadata": ["x"]}, partial=True) == [("metadata", "not_a_dict")]

    @pytest.mark.slow
    @given(st.text(max_size=20))
    def test_a_key_that_came_back_once_stays_as_it_is(self, key: str) -> None:
        assert metadata_key(metadata_key(key)) == metadata_key(key)
        assert camel_case(camel_case(key)) == camel_case(key)


class TestReferences:
    def test_the_uuid_is_all_that_counts(self) -> None:
        given = {"wasPartij": {"uuid": SOMEONE.upper(), "url": "http://elsewhere.example/partijen/1"}}
        assert load("betrokkene", given, partial=True) == {"wasPartij": {"uuid": UUID(SOMEONE)}}

    def test_without_uuid_or_with_null_for_it(self) -> None:
        assert names("betrokkene", BETROKKENE | {"hadKlantcontact": {}}) == [
            ("hadKlantcontact.uuid", "required")
        ]
        assert names("betrokkene", BETROKKENE | {"wasPartij": {"uuid": None}}) == [("wasPartij.uuid", "null")]

    def test_in_a_list_are_named_by_their_place(self) -> None:
        given = PARTIJ | {"digitaleAdressen": [{"uuid": SOMEONE}, {"uuid": "x"}, "y"]}
        assert names("partij", given) == [
            ("digitaleAdressen.1.uuid", "invalid"),
            ("digitaleAdressen.2.nonFieldErrors", "invalid"),
        ]

    def test_a_list_is_a_list_and_null_is_the_empty_one(self) -> None:
        assert refusal("partij", PARTIJ | {"rekeningnummers": "x"}) == [
            (
                "rekeningnummers.nonFieldErrors",
                "not_a_list",
                'Verwacht een lijst met items, maar kreeg type "str".',
            )
        ]
        assert load("partij", {"rekeningnummers": None}, partial=True) == {"rekeningnummers": []}

    def test_identificatoren_inside_a_partij_keep_their_uuid_and_have_only_what_was_given(self) -> None:
        group = {
            "codeObjecttype": "natuurlijk_persoon",
            "codeSoortObjectId": "bsn",
            "objectId": "296648875",
            "codeRegister": "brp",
        }
        given = {"partijIdentificatoren": [{"uuid": SOMEONE, "partijIdentificator": group}]}
        assert load("partij", given, partial=True) == {
            "partijIdentificatoren": [{"uuid": UUID(SOMEONE), "partijIdentificator": group}]
        }
        group["objectId"], group["codeRegister"] = "", "x"
        assert names("partij", given, partial=True) == [
            ("partijIdentificatoren.0.partijIdentificator.codeRegister", "invalid_choice")
        ]


class TestGroups:
    def test_are_complete_whatever_part_was_given(self) -> None:
        loaded = load("betrokkene", {"contactnaam": {"achternaam": "Bakker"}}, partial=True)
        assert loaded == {
            "contactnaam": {
                "voorletters": "",
                "voornaam": "",
                "voorvoegselAchternaam": "",
                "achternaam": "Bakker",
            },
            "volledigeNaam": "Bakker",
        }

    def test_null_is_the_empty_group(self) -> None:
        assert load("actor", {"actoridentificator": None}, partial=True) == {
            "actoridentificator": {
                "objectId": "",
                "codeObjecttype": "",
                "codeRegister": "",
                "codeSoortObjectId": "",
            }
        }

    def test_two_empty_groups_are_not_the_same_object(self) -> None:
        made = defaults("partij")
        made["bezoekadres"]["stad"] = "Elders"
        assert made["correspondentieadres"]["stad"] == defaults("partij")["bezoekadres"]["stad"] == ""

    def test_follow_the_soort_of_the_partij(self) -> None:
        organisatie = PARTIJ | {
            "soortPartij": "organisatie",
            "partijIdentificatie": {"naam": "X", "uuid": "?"},
        }
        assert load("partij", organisatie, partial=False)["partijIdentificatie"] == {"naam": "X"}
        contactpersoon = PARTIJ | {
            "soortPartij": "contactpersoon",
            "partijIdentificatie": {"werkteVoorPartij": {"uuid": SOMEONE}, "contactnaam": None},
        }
        loaded = load("partij", contactpersoon, partial=False)["partijIdentificatie"]
        assert loaded["werkteVoorPartij"] == {"uuid": UUID(SOMEONE)}
        assert set(loaded["contactnaam"].values()) == {""}
        assert loaded["volledigeNaam"] == ""

    def test_are_left_alone_by_a_patch_that_does_not_say_the_soort(self) -> None:
        given = {"partijIdentificatie": {"naam": "Nieuwe naam"}, "interneNotitie": "x"}
        stored = {"soortPartij": "organisatie", "partijIdentificatie": {"naam": "Naam"}}
        assert load("partij", given, partial=True, stored=stored) == {"interneNotitie": "x"}

    def test_of_something_stored_have_only_what_was_given(self) -> None:
        given = {"soortActor": "medewerker", "actorIdentificatie": {"functie": "x"}}
        stored = {"soortActor": "medewerker", "actorIdentificatie": {"functie": "y"}}
        assert load("actor", given, partial=True, stored=stored) == given

    def test_a_medewerker_has_a_functie_and_a_telephone_number(self) -> None:
        actor = {"naam": "K", "soortActor": "medewerker", "actorIdentificatie": {"emailadres": "geen"}}
        assert names("actor", actor) == [
            ("actorIdentificatie.functie", "required"),
            ("actorIdentificatie.emailadres", "invalid"),
            ("actorIdentificatie.telefoonnummer", "required"),
        ]


class TestNames:
    def test_snake_case_is_understood_at_every_depth(self) -> None:
        given = {
            "soort_partij": "persoon",
            "indicatie_actief": True,
            "partij_identificatie": {"contactnaam": {"voorvoegsel_achternaam": "de"}},
        }
        loaded = load("partij", given, partial=False)
        assert loaded["partijIdentificatie"]["volledigeNaam"] == "de"

    def test_unknown_and_read_only_fields_are_left_out(self) -> None:
        given = {
            "naam": "Test",
            "bestaatNiet": 1,
            "uuid": "x",
            "url": "y",
        }
        assert load("categorie", given, partial=False) == {"naam": "Test"}
        assert load("betrokkene", {"volledigeNaam": "X", "digitaleAdressen": "?"}, partial=True) == {}


@pytest.mark.parametrize(
    ("body", "code", "said"),
    (
        ([], "invalid", "kreeg een list."),
        ("x", "invalid", "kreeg een str."),
        (None, "null", "niet leeg zijn."),
    ),
)
def test_a_body_is_an_object(body: Any, code: str, said: str) -> None:
    (param,) = refusal("partij", body)
    assert (param.name, param.code) == ("nonFieldErrors", code)
    assert param.reason.endswith(said)


def test_a_put_wants_what_is_required_and_a_patch_does_not() -> None:
    assert names("vertegenwoordiging", {}) == [
        ("vertegenwoordigendePartij", "required"),
        ("vertegenwoordigdePartij", "required"),
    ]
    assert load("vertegenwoordiging", {}, partial=True) == {}


def test_a_refusal_says_nothing_of_the_values() -> None:
    with pytest.raises(Invalid) as refused:
        load("rekeningnummer", {"iban": "geheim"}, partial=False)
    assert "geheim" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_maak_klantcontact_has_what_was_given_of_each_part() -> None:
    given = {
        "klantcontact": KLANTCONTACT,
        "betrokkene": {"rol": "klant", "initiator": True},
    }
    assert load("maak-klantcontact", given, partial=False) == given
    nothing = {"klantcontact": None, "betrokkene": None, "onderwerpobject": None}
    assert names("maak-klantcontact", nothing) == [(name, "null") for name in nothing]
