"""What GET showed can be given back: whole or in part, it changes nothing; and what a write leaves out stays."""

from __future__ import annotations

from typing import Any

import pytest
from builders.editor import KLANTCONTACT, ORGANISATIE, PERSOON, Editor, codes, ref
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.klantinteracties.model.resources import RESOURCES

PATHS = [resource.path for resource in RESOURCES]
# What says how to read a group, by that group.
SWITCHES = {"partijIdentificatie": "soortPartij", "actorIdentificatie": "soortActor"}
CONTACTNAAM = {"voorletters": "J", "voornaam": "Jan", "voorvoegselAchternaam": "de", "achternaam": "Wit"}
ADRES = {"straatnaam": "Kade", "huisnummer": 1, "postcode": "1234 AB", "stad": "Utrecht", "land": "NL"}


def fill(editor: Editor) -> None:
    """Of every resource something that is full, and something with the least that it can have."""
    make = editor.make
    organisatie, persoon, kaal = (
        make("partijen", ORGANISATIE),
        make("partijen", PERSOON),
        make("partijen", PERSOON),
    )
    wie = {"contactnaam": CONTACTNAAM, "werkteVoorPartij": ref(organisatie)}
    contactpersoon = {"soortPartij": "contactpersoon", "indicatieActief": False, "partijIdentificatie": wie}
    make("partijen", contactpersoon)
    make("partijen", {"soortPartij": "contactpersoon", "indicatieActief": True})
    email = {"adres": "a@example.nl", "soortDigitaalAdres": "email", "referentie": "portaal"}
    adressen = [
        make("digitaleadressen", {**email, "verstrektDoorPartij": ref(persoon), "isStandaardAdres": True}),
        make("digitaleadressen", {**email, "verstrektDoorPartij": ref(persoon), "referentie": ""}),
        make("digitaleadressen", {**email, "verstrektDoorPartij": None, "verificatieDatum": "2025-01-02"}),
    ]
    rekening = make(
        "rekeningnummers", {"iban": "NL91ABNA0417164300", "bic": "ABNANL2A", "partij": ref(persoon)}
    )
    make("rekeningnummers", {"iban": "NL91ABNA0417164300"})
    editor.patch("partijen", persoon, {
        "nummer": "7", "interneNotitie": "n", "indicatieGeheimhouding": True, "voorkeurstaal": "nld",
        "bezoekadres": ADRES, "correspondentieadres": {"adresregel1": "Rue 1", "land": "FR"},
        "soortPartij": "persoon", "partijIdentificatie": {"contactnaam": CONTACTNAAM},
        "voorkeursDigitaalAdres": ref(adressen[0]), "voorkeursRekeningnummer": ref(rekening),
        "partijIdentificatoren": [{"partijIdentificator": codes("bsn", "296648875")}],
    })  # fmt: skip
    kvk = make("partij-identificatoren", {
        "partijIdentificator": codes("kvk_nummer", "12345678"), "identificeerdePartij": ref(organisatie),
    })  # fmt: skip
    make("partij-identificatoren", {
        "partijIdentificator": codes("vestigingsnummer", "000037178601"), "subIdentificatorVan": ref(kvk),
        "identificeerdePartij": ref(organisatie), "anderePartijIdentificator": "x",
    })  # fmt: skip
    make("partij-identificatoren", {"partijIdentificator": codes("kvk_nummer", "87654321")})
    full = {"inhoud": "i", "reactie": "r", "metadata": {"Betreft": "x", "someKey": "y"}, "nummer": "3"}
    contact = make("klantcontacten", {**KLANTCONTACT, **full, "plaatsgevondenOp": "2024-02-29T10:00:00.5Z"})
    later = make(
        "klantcontacten", {**KLANTCONTACT, "indicatieContactGelukt": False, "referentienummer": "r1"}
    )
    betrokkene = make("betrokkenen", {
        "hadKlantcontact": ref(contact), "wasPartij": ref(persoon), "rol": "klant", "initiator": True,
        "contactnaam": CONTACTNAAM, "bezoekadres": ADRES, "organisatienaam": "o",
    })  # fmt: skip
    make("betrokkenen", {"hadKlantcontact": ref(later), "rol": "vertegenwoordiger", "initiator": False})
    make(
        "digitaleadressen", {**email, "verstrektDoorPartij": None, "verstrektDoorBetrokkene": ref(betrokkene)}
    )
    zaak = {
        "objectId": "1",
        "codeObjecttype": "zaak",
        "codeRegister": "open-zaak",
        "codeSoortObjectId": "uuid",
    }
    make("onderwerpobjecten", {
        "klantcontact": ref(contact), "wasKlantcontact": ref(later), "onderwerpobjectidentificator": zaak,
    })  # fmt: skip
    make("onderwerpobjecten", {})
    make("bijlagen", {"wasBijlageVanKlantcontact": ref(contact), "bijlageidentificator": zaak})
    make("bijlagen", {})
    medewerker = {"functie": "f", "emailadres": "m@example.nl", "telefoonnummer": "0201234567"}
    actoren = [
        make("actoren", {"naam": "a", "soortActor": "medewerker", "actorIdentificatie": medewerker}),
        make("actoren", {
            "naam": "b", "soortActor": "organisatorische_eenheid", "indicatieActief": False,
            "actoridentificator": zaak, "actorIdentificatie": {"omschrijving": "o", "faxnummer": "1"},
        }),
        make("actoren", {"naam": "c", "soortActor": "geautomatiseerde_actor"}),
    ]  # fmt: skip
    make("actorklantcontacten", {"actor": ref(actoren[0]), "klantcontact": ref(contact)})
    taak = {"gevraagdeHandeling": "g", "aanleidinggevendKlantcontact": ref(contact)}
    several = {"toegewezenAanActoren": [ref(actoren[1]), ref(actoren[0])]}
    make("internetaken", {**taak, **several, "status": "verwerkt", "toelichting": "t", "nummer": "5"})
    make("internetaken", {**taak, "status": "te_verwerken", "toegewezenAanActor": ref(actoren[0])})
    make("internetaken", {**taak, "status": "te_verwerken", "toegewezenAanActor": ref(actoren[2])})
    editor.delete("actoren", actoren[2])  # so that a taak is nobody's
    make("actoren", {"naam": "d", "soortActor": "geautomatiseerde_actor"})
    categorie = make("categorieen", {"naam": "c"})
    make("categorieen", {})
    make(
        "categorie-relaties", {"partij": ref(persoon), "categorie": ref(categorie), "eindDatum": "2030-01-01"}
    )
    make("categorie-relaties", {})
    for one, other in ((persoon, kaal), (kaal, organisatie)):
        make(
            "vertegenwoordigingen",
            {"vertegenwoordigendePartij": ref(one), "vertegenwoordigdePartij": ref(other)},
        )


class Given:
    """A register with something of everything, and what it shows."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        fill(editor)
        self.shown = editor.everything()

    def give(self, method: str, path: str, one: dict[str, Any], body: dict[str, Any]) -> None:
        """A write that must be taken, and answered with what was shown before."""
        got = self.editor.send(method, f"/{path}/{one['uuid']}", body)
        assert got.status == 200, (
            path,
            [(param["name"], param["code"]) for param in got.json["invalidParams"]],
        )
        shown = {name: value for name, value in one.items() if name != "_expand"}
        assert got.json == shown, f"{method} {path} with {sorted(body)} changed it"

    def unchanged(self) -> None:
        before, self.shown = self.shown, self.editor.everything()
        assert self.shown == before


@pytest.fixture
def full(editor: Editor) -> Given:
    return Given(editor)


@pytest.mark.slow
def test_a_put_of_a_get_changes_nothing(full: Given) -> None:
    for path in PATHS:
        assert full.shown[path]["count"]
        for one in full.shown[path]["results"]:
            full.give("PUT", path, one, one)
    full.unchanged()


@pytest.mark.slow
def test_a_patch_with_one_field_of_a_get_changes_nothing(full: Given) -> None:
    for path in PATHS:
        for one in full.shown[path]["results"]:
            for name, value in one.items():
                full.give("PATCH", path, one, {name: value})
        full.unchanged()


@pytest.mark.slow
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), path=st.sampled_from(PATHS))
def test_a_patch_with_any_part_of_a_get_changes_nothing(full: Given, data: st.DataObject, path: str) -> None:
    """Some of the fields, and of a group that hangs on a soort some of its fields."""
    one = data.draw(st.sampled_from(full.shown[path]["results"]))
    body = {name: one[name] for name in data.draw(st.sets(st.sampled_from(sorted(one))))}
    for group in SWITCHES:
        if body.get(group):
            body[group] = {
                key: body[group][key] for key in data.draw(st.sets(st.sampled_from(sorted(body[group]))))
            }
    full.give("PATCH", path, one, body)
    full.unchanged()


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), path=st.sampled_from(["partijen", "actoren"]))
def test_a_put_may_leave_out_what_is_not_required_of_a_group(
    full: Given, data: st.DataObject, path: str
) -> None:
    one = data.draw(st.sampled_from(full.shown[path]["results"]))
    name = "partijIdentificatie" if path == "partijen" else "actorIdentificatie"
    group = one[name]
    if group is None:
        return
    required = {"functie"} | ({"telefoonnummer"} if one.get("soortActor") == "medewerker" else set())
    optional = sorted(group.keys() - required)
    left_out = data.draw(st.sets(st.sampled_from(optional))) if optional else set()
    body = {**one, name: {key: value for key, value in group.items() if key not in left_out}}
    full.give("PUT", path, one, body)
    full.unchanged()
