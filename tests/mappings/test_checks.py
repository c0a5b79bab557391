"""Whether the fields of an object fit together, without looking at any other object."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from mappings.klantinteracties import InvalidField, check, defaults

TAAK = {"gevraagdeHandeling": "x", "status": "te_verwerken"}
ONE, TWO = ({"uuid": UUID(int=number)} for number in (1, 2))


def judged(kind: str, given: dict[str, Any], *, creating: bool = True) -> list[InvalidField]:
    return check(kind, defaults(kind) | given, given, creating=creating)


def names(kind: str, given: dict[str, Any], *, creating: bool = True) -> list[str]:
    return [param.name for param in judged(kind, given, creating=creating)]


def identificator(register: str, objecttype: str, soort: str, number: str, **more: Any) -> dict[str, Any]:
    codes = {"codeObjecttype": objecttype, "codeSoortObjectId": soort, "objectId": number}
    return {"partijIdentificator": codes | {"codeRegister": register}, **more}


class TestIdentificatoren:
    @pytest.mark.parametrize(
        "given",
        (
            identificator("brp", "natuurlijk_persoon", "bsn", "296648875"),
            identificator("hr", "niet_natuurlijk_persoon", "rsin", "296648875"),
            identificator("hr", "niet_natuurlijk_persoon", "kvk_nummer", "12345678"),
            identificator("hr", "vestiging", "vestigingsnummer", "000037178601", subIdentificatorVan=ONE),
        ),
    )
    def test_that_are_right(self, given: dict[str, Any]) -> None:
        assert judged("partij-identificator", given) == []

    @pytest.mark.parametrize(
        ("given", "reason"),
        (
            (identificator("brp", "natuurlijk_persoon", "bsn", "123456789"), "Onjuist BSN nummer"),
            (identificator("brp", "natuurlijk_persoon", "bsn", "000000000"), "Onjuist BSN nummer"),
            (identificator("hr", "niet_natuurlijk_persoon", "rsin", "123456789"), "Onjuist RSIN nummer"),
            (identificator("brp", "natuurlijk_persoon", "bsn", "96648875"), "Waarde moet 9 tekens lang zijn"),
            (
                identificator("hr", "niet_natuurlijk_persoon", "kvk_nummer", "1234567"),
                "Waarde moet 8 tekens lang zijn",
            ),
            (
                identificator("hr", "vestiging", "vestigingsnummer", "37178601", subIdentificatorVan=ONE),
                "Waarde moet 12 tekens lang zijn",
            ),
            (
                identificator("hr", "niet_natuurlijk_persoon", "kvk_nummer", "1234567x"),
                "Waarde moet numeriek zijn",
            ),
            (
                identificator("hr", "niet_natuurlijk_persoon", "kvk_nummer", "١٢٣٤٥٦٧٨"),
                "Waarde moet numeriek zijn",
            ),
        ),
    )
    def test_a_number_that_is_none_is_said_under_its_flat_name(
        self, given: dict[str, Any], reason: str
    ) -> None:
        assert judged("partij-identificator", given) == [
            ("partijIdentificatorObjectId", "invalid", f"Deze waarde is ongeldig, reden: {reason}")
        ]

    def test_the_register_says_which_objecttypen_it_has(self) -> None:
        assert judged("partij-identificator", identificator("brp", "vestiging", "bsn", "296648875")) == [
            (
                "partijIdentificatorCodeObjecttype",
                "invalid",
                "voor `codeRegister` brp zijn alleen deze waarden toegestaan: ['natuurlijk_persoon']",
            )
        ]

    def test_the_objecttype_says_which_soorten_it_has(self) -> None:
        given = identificator("hr", "niet_natuurlijk_persoon", "vestigingsnummer", "000037178601")
        (param,) = judged("partij-identificator", given)
        assert param.name == "partijIdentificatorCodeSoortObjectId"
        assert param.reason.endswith("toegestaan: ['rsin', 'kvk_nummer']")

    def test_a_vestigingsnummer_hangs_under_a_kvk_nummer(self) -> None:
        given = identificator("hr", "vestiging", "vestigingsnummer", "000037178601")
        assert names("partij-identificator", given) == ["subIdentificatorVan"]


class TestDigitaleAdressen:
    @pytest.mark.parametrize(
        ("soort", "adres"),
        (
            ("email", "a.b+c@example.nl"),
            ("email", "jan@localhost"),
            ("telefoonnummer", "0612345678"),
            ("telefoonnummer", "+31201234567"),
            ("telefoonnummer", "0031201234567"),
            ("overig", "wat dan ook"),
        ),
    )
    def test_that_are_right(self, soort: str, adres: str) -> None:
        given = {"soortDigitaalAdres": soort, "adres": adres, "verstrektDoorPartij": None}
        assert judged("digitaleadres", given) == []

    @pytest.mark.parametrize(
        ("soort", "adres"),
        (
            ("email", "geen-email"),
            ("email", "0612345678"),
            ("telefoonnummer", "06-12345678"),
            ("telefoonnummer", "0800"),
            ("telefoonnummer", "0900123456"),
            ("telefoonnummer", "14020"),
        ),
    )
    def test_the_soort_says_what_form_the_adres_has(self, soort: str, adres: str) -> None:
        assert names("digitaleadres", {"soortDigitaalAdres": soort, "adres": adres}) == ["adres"]

    def test_an_adres_that_nobody_changes_is_not_judged_again(self) -> None:
        stored = {"soortDigitaalAdres": "telefoonnummer", "adres": "14020"}
        assert check("digitaleadres", stored, {"omschrijving": "x"}, creating=False) == []
        assert check("digitaleadres", stored, {"adres": "14020"}, creating=False) != []

    def test_the_standard_one_is_of_a_partij(self) -> None:
        given = {"soortDigitaalAdres": "overig", "adres": "x", "isStandaardAdres": True}
        assert judged("digitaleadres", given) == [("verstrektDoorPartij", "required", "Dit veld is vereist.")]
        assert judged("digitaleadres", given | {"verstrektDoorPartij": ONE}) == []


class TestInterneTaken:
    def test_a_new_one_names_its_actoren_in_one_way(self) -> None:
        assert judged("internetaak", TAAK | {"toegewezenAanActor": ONE}) == []
        assert judged("internetaak", TAAK | {"toegewezenAanActoren": [ONE, TWO]}) == []
        assert "is required" in judged("internetaak", TAAK)[0].reason
        both = TAAK | {"toegewezenAanActor": ONE, "toegewezenAanActoren": [ONE]}
        assert "niet beiden gebruikt" in judged("internetaak", both)[0].reason

    def test_what_a_get_answered_may_be_put_back(self) -> None:
        answered = TAAK | {"toegewezenAanActor": ONE, "toegewezenAanActoren": [ONE, TWO]}
        assert judged("internetaak", answered, creating=False) == []
        nobody = TAAK | {"toegewezenAanActor": None, "toegewezenAanActoren": []}
        assert judged("internetaak", nobody, creating=False) == []
        contradicting = TAAK | {"toegewezenAanActor": TWO, "toegewezenAanActoren": [ONE, TWO]}
        assert names("internetaak", contradicting, creating=False) == ["nonFieldErrors"]

    def test_only_one_that_was_handled_has_a_time_of_handling(self) -> None:
        given = {"afgehandeldOp": "2025-01-01T00:00:00Z"}
        stored = TAAK | given
        assert [param.name for param in check("internetaak", stored, given, creating=False)] == [
            "afgehandeldOp"
        ]
        assert check("internetaak", stored | {"status": "verwerkt"}, given, creating=False) == []
        # When the status goes back the server takes the time away: nobody gave it.
        assert check("internetaak", stored, {"status": "te_verwerken"}, creating=False) == []


def test_no_further_action_after_a_contact_that_succeeded() -> None:
    given = {"indicatieContactGelukt": True, "verdereActieOndernomen": True}
    assert [(param.name, param.code) for param in judged("klantcontact", given)] == [
        ("nonFieldErrors", "no-further-action-when-contact-succesful")
    ]
    assert judged("klantcontact", given | {"indicatieContactGelukt": None}) == []
    body = {"klantcontact": given}
    assert [param.name for param in check("maak-klantcontact", body, body, creating=True)] == [
        "klantcontact.nonFieldErrors"
    ]


def test_nobody_represents_himself() -> None:
    given = {"vertegenwoordigendePartij": ONE, "vertegenwoordigdePartij": ONE}
    assert names("vertegenwoordiging", given) == ["vertegenwoordigdePartij"]
    assert judged("vertegenwoordiging", given | {"vertegenwoordigdePartij": TWO}) == []


def test_a_kind_without_such_rules_is_always_fine() -> None:
    assert judged("categorie", {"naam": ""}) == []
