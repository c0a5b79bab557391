"""What real clients do, from beginning to end: find or make a klant, register contacts, hand over a question."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from builders.editor import BSN, KVK, ORGANISATIE, PERSOON, VESTIGING, Editor, codes, ref

ZAAK = "6c8f4dd2-3f9a-4c47-9a0a-5fbf0e5a9b11"


def found(editor: Editor, path: str, **query: str) -> list[Any]:
    results: list[Any] = editor.get(f"/{path}?{urlencode(query)}")["results"]
    return results


class Contactcentrum:
    """A contact centre's way with klanten: one partij for each number, and never two."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor

    def find(self, soort: str, number: str, soort_partij: str) -> Any | None:
        """The one partij with this number; several would be a fault."""
        results = found(
            self.editor,
            "partijen",
            soortPartij=soort_partij,
            partijIdentificator__codeSoortObjectId=soort,
            partijIdentificator__objectId=number,
            expand="digitaleAdressen",
        )
        assert len(results) <= 1
        return results[0] if results else None

    def persoon(self, bsn: str) -> Any:
        """Find the persoon with this BSN, or make one: the partij first, the number after."""
        partij = self.find("bsn", bsn, "persoon")
        if partij is None:
            partij = self.editor.make("partijen", PERSOON)
            self._number("bsn", bsn, identificeerdePartij=ref(partij))
        return partij

    def organisatie(self, kvk: str) -> Any:
        """Find the organisatie with this KVK number, or make one."""
        partij = self.find("kvk_nummer", kvk, "organisatie")
        if partij is None:
            partij = self.editor.make("partijen", ORGANISATIE)
            self._number("kvk_nummer", kvk, identificeerdePartij=ref(partij))
        return partij

    def vestiging(self, vestigingsnummer: str, kvk: str) -> Any:
        """Find the vestiging, or make it under the KVK number, which may be nobody's."""
        partij = self.find("vestigingsnummer", vestigingsnummer, "organisatie")
        if partij is None:
            partij = self.editor.make("partijen", ORGANISATIE)
            parents = found(
                self.editor,
                "partij-identificatoren",
                partijIdentificatorCodeSoortObjectId="kvk_nummer",
                partijIdentificatorObjectId=kvk,
            )
            parent = parents[0] if parents else self._number("kvk_nummer", kvk)
            under = {"subIdentificatorVan": ref(parent), "identificeerdePartij": ref(partij)}
            self._number("vestigingsnummer", vestigingsnummer, **under)
        return partij

    def _number(self, soort: str, number: str, **rest: Any) -> Any:
        body = {"partijIdentificator": codes(soort, number), "anderePartijIdentificator": "", **rest}
        return self.editor.make("partij-identificatoren", body)


@pytest.fixture
def contactcentrum(editor: Editor) -> Contactcentrum:
    return Contactcentrum(editor)


def test_a_klant_is_made_once_for_a_bsn(contactcentrum: Contactcentrum, editor: Editor) -> None:
    first, second = contactcentrum.persoon(BSN), contactcentrum.persoon(BSN)
    assert first["uuid"] == second["uuid"]
    number = editor.again("partij-identificatoren", second["partijIdentificatoren"][0])
    assert number["partijIdentificator"]["objectId"] == BSN
    assert editor.count("/partijen") == editor.count("/partij-identificatoren") == 1


def test_a_klant_is_made_once_for_a_kvk_nummer(contactcentrum: Contactcentrum, editor: Editor) -> None:
    assert contactcentrum.organisatie(KVK)["uuid"] == contactcentrum.organisatie(KVK)["uuid"]
    assert editor.count("/partijen") == 1


@pytest.mark.parametrize("organisatie_first", [True, False])
def test_a_vestiging_hangs_under_the_one_kvk_nummer(
    contactcentrum: Contactcentrum, editor: Editor, organisatie_first: bool
) -> None:
    """Whether that number is an organisatie's or nobody's yet, and for each next vestiging too."""
    if organisatie_first:
        contactcentrum.organisatie(KVK)
    een = contactcentrum.vestiging(VESTIGING, KVK)
    twee = contactcentrum.vestiging("000037178602", KVK)
    assert contactcentrum.vestiging(VESTIGING, KVK)["uuid"] == een["uuid"] != twee["uuid"]
    numbers = editor.again("partijen", een)["partijIdentificatoren"]
    parent = editor.again("partij-identificatoren", numbers[0]["subIdentificatorVan"])
    assert parent["partijIdentificator"]["objectId"] == KVK
    under = found(
        editor,
        "partijen",
        partijIdentificator__codeSoortObjectId="vestigingsnummer",
        subIdentificatorVan__codeSoortObjectId="kvk_nummer",
        subIdentificatorVan__objectId=KVK,
    )
    assert {one["uuid"] for one in under} == {een["uuid"], twee["uuid"]}
    assert editor.count("/partij-identificatoren") == 3


def test_a_form_registers_a_contact_and_the_addresses_that_were_given(
    contactcentrum: Contactcentrum, editor: Editor
) -> None:
    """An e-form: known addresses by BSN, the contact at once, then addresses for this contact and for later."""
    partij = contactcentrum.persoon(BSN)
    of_partij = {
        f"verstrektDoorPartij__partijIdentificator__{name}": text for name, text in codes("bsn", BSN).items()
    }
    assert found(editor, "digitaleadressen", **of_partij) == []
    made = editor.make(
        "maak-klantcontact",
        {
            "klantcontact": {
                "kanaal": "Webformulier",
                "onderwerp": "Verhuizing",
                "taal": "nld",
                "vertrouwelijk": False,
                "plaatsgevondenOp": "2025-10-01T11:30:00+02:00",
            },
            "betrokkene": {"rol": "klant", "initiator": True, "wasPartij": ref(partij)},
            "onderwerpobject": {
                "onderwerpobjectidentificator": {
                    "codeObjecttype": "form-submission",
                    "codeSoortObjectId": "public_registration_reference",
                    "codeRegister": "Open Formulieren",
                    "objectId": "OF-12345",
                }
            },
        },
    )
    for adres in ("eerst@example.nl", "later@example.nl"):
        editor.make(
            "digitaleadressen",
            {
                "adres": adres,
                "soortDigitaalAdres": "email",
                "isStandaardAdres": True,
                "verstrektDoorPartij": ref(partij),
                "verstrektDoorBetrokkene": ref(made["betrokkene"]),
            },
        )
    known = found(editor, "digitaleadressen", **of_partij, soortDigitaalAdres="email")
    assert [(one["adres"], one["isStandaardAdres"]) for one in known] == [
        ("later@example.nl", True),
        ("eerst@example.nl", False),
    ]
    contact = editor.get(
        f"/klantcontacten/{made['klantcontact']['uuid']}"
        "?expand=hadBetrokkenen,hadBetrokkenen.digitaleAdressen,gingOverOnderwerpobjecten"
    )
    betrokkene = contact["_expand"]["hadBetrokkenen"][0]
    assert len(betrokkene["_expand"]["digitaleAdressen"]) == 2
    assert contact["plaatsgevondenOp"] == "2025-10-01T09:30:00Z"
    mine = found(editor, "klantcontacten", hadBetrokkene__wasPartij__uuid=partij["uuid"])
    assert [ref(one) for one in mine] == [ref(made["klantcontact"])]


def a_contactverzoek(contactcentrum: Contactcentrum, editor: Editor) -> tuple[Any, Any]:
    """A question that the contact centre hands to a medewerker. Out: the internetaak and the medewerker."""
    medewerker = {
        "codeObjecttype": "mdw",
        "codeRegister": "msei",
        "codeSoortObjectId": "email",
        "objectId": "k.medewerker@example.nl",
    }
    asked = {f"actoridentificator{name[0].upper()}{name[1:]}": text for name, text in medewerker.items()}
    assert found(editor, "actoren", soortActor="medewerker", **asked) == []
    actor = editor.make(
        "actoren",
        {
            "naam": "K. Medewerker",
            "soortActor": "medewerker",
            "indicatieActief": True,
            "actoridentificator": medewerker,
            "actorIdentificatie": {
                "functie": "behandelaar",
                "emailadres": "k.medewerker@example.nl",
                "telefoonnummer": "+31201234567",
            },
        },
    )
    assert [ref(one) for one in found(editor, "actoren", **asked)] == [ref(actor)]
    contact = editor.make(
        "klantcontacten",
        {
            "kanaal": "telefoon",
            "onderwerp": "Status vergunning",
            "inhoud": "Wil graag teruggebeld worden.",
            "indicatieContactGelukt": False,
            "taal": "nld",
            "vertrouwelijk": False,
        },
    )
    betrokkene = editor.make(
        "betrokkenen",
        {
            "hadKlantcontact": ref(contact),
            "wasPartij": ref(contactcentrum.persoon(BSN)),
            "rol": "klant",
            "initiator": True,
            "contactnaam": {"voornaam": "Jan", "voorvoegselAchternaam": "van der", "achternaam": "Jansen"},
        },
    )
    editor.make(
        "digitaleadressen",
        {
            "verstrektDoorBetrokkene": ref(betrokkene),
            "verstrektDoorPartij": None,
            "adres": "0612345678",
            "soortDigitaalAdres": "telefoonnummer",
            "omschrijving": "mobiel",
        },
    )
    editor.make(
        "onderwerpobjecten",
        {
            "klantcontact": ref(contact),
            "onderwerpobjectidentificator": {
                "codeObjecttype": "zgw-Zaak",
                "codeSoortObjectId": "uuid",
                "codeRegister": "openzaak",
                "objectId": ZAAK,
            },
        },
    )
    editor.make("actorklantcontacten", {"actor": ref(actor), "klantcontact": ref(contact)})
    taak = editor.make(
        "internetaken",
        {
            "nummer": "",
            "gevraagdeHandeling": "Contact opnemen met betrokkene",
            "aanleidinggevendKlantcontact": ref(contact),
            "toegewezenAanActoren": [ref(actor)],
            "toelichting": "Graag voor vrijdag",
            "status": "te_verwerken",
        },
    )
    return taak, actor


def test_a_contactverzoek_reaches_its_handler_and_is_handled(
    contactcentrum: Contactcentrum, editor: Editor
) -> None:
    taak, actor = a_contactverzoek(contactcentrum, editor)
    mine = {"toegewezenAanActor__uuid": actor["uuid"], "status": "te_verwerken"}
    assert [ref(one) for one in found(editor, "internetaken", **mine)] == [ref(taak)]
    contact = editor.get(
        f"/klantcontacten/{taak['aanleidinggevendKlantcontact']['uuid']}"
        "?expand=leiddeTotInterneTaken,gingOverOnderwerpobjecten,hadBetrokkenen"
    )
    assert contact["_expand"]["leiddeTotInterneTaken"] == [taak]
    assert contact["_expand"]["hadBetrokkenen"][0]["volledigeNaam"] == "Jan van der Jansen"
    assert contact["hadBetrokkenActoren"][0]["naam"] == "K. Medewerker"
    editor.patch("internetaken", taak, {"status": "verwerkt"})
    assert found(editor, "internetaken", **mine) == []
    assert len(found(editor, "internetaken", **{**mine, "status": "verwerkt"})) == 1


def test_who_calls_back_is_found_by_telephone_number(contactcentrum: Contactcentrum, editor: Editor) -> None:
    """Three levels of expand: from the number to the question that is still open."""
    taak, _ = a_contactverzoek(contactcentrum, editor)
    up = "verstrektDoorBetrokkene"
    adressen = found(
        editor,
        "digitaleadressen",
        adres="0612345678",
        expand=f"{up},{up}.hadKlantcontact,{up}.hadKlantcontact.leiddeTotInterneTaken",
    )
    betrokkene = adressen[0]["_expand"][up]
    contact = betrokkene["_expand"]["hadKlantcontact"]
    assert contact["_expand"]["leiddeTotInterneTaken"] == [taak]
    of_partij = found(editor, "betrokkenen", wasPartij__url=betrokkene["wasPartij"]["url"], pageSize="100")
    assert [ref(one) for one in of_partij] == [ref(betrokkene)]
    of_zaak = found(editor, "klantcontacten", onderwerpobject__onderwerpobjectidentificatorObjectId=ZAAK)
    assert [ref(one) for one in of_zaak] == [ref(contact)]


def test_a_klant_may_be_reached_elsewhere_from_now_on(contactcentrum: Contactcentrum, editor: Editor) -> None:
    """A portal: two addresses, one preferred; the old one is deleted, the preference goes with it."""
    partij = contactcentrum.persoon(BSN)
    oud, nieuw = (
        editor.make(
            "digitaleadressen",
            {
                "adres": adres,
                "soortDigitaalAdres": "email",
                "referentie": referentie,
                "verstrektDoorPartij": ref(partij),
                "verificatieDatum": "2025-11-02",
            },
        )
        for adres, referentie in (("oud@example.nl", ""), ("nieuw@example.nl", "portaalvoorkeur"))
    )
    editor.patch("partijen", partij, {"voorkeursDigitaalAdres": ref(oud)})
    editor.delete("digitaleadressen", oud)
    assert editor.again("partijen", partij)["voorkeursDigitaalAdres"] is None
    editor.patch("partijen", partij, {"voorkeursDigitaalAdres": ref(nieuw)})
    editor.patch("digitaleadressen", nieuw, {"isStandaardAdres": True})
    verified = found(
        editor, "digitaleadressen", verstrektDoorPartij__uuid=partij["uuid"], isGeverifieerd="true"
    )
    assert [(one["adres"], one["isStandaardAdres"]) for one in verified] == [("nieuw@example.nl", True)]
