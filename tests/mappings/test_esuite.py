"""Fields beside the standard in a contactmoment (M40): read leniently, each with a place or a finding."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from builders.earlier_objects import contactmoment
from builders.legacy_objects import SECRET, SETTINGS, SOURCE
from hypothesis import given
from hypothesis import strategies as st

from mappings.identity.identity import Uuids
from mappings.model.documents import Document
from mappings.model.findings import Finding
from mappings.model.settings import Settings
from mappings.rules.contactmomenten import (
    Gesprekspartner,
    Omgeving,
    translate_contactmoment,
)
from mappings.translate import translate

pytestmark = pytest.mark.rule("M40")
UUIDS = Uuids(SECRET)
VERZOEKEN = Settings("zaakvertrouwelijk", contactverzoek_typen=("Contactverzoek",))
KLANT = Gesprekspartner(UUID(int=7), UUID(int=8), {}, belanghebbende=True)
FIELDS = (
    *("antwoord", "onderwerp", "toelichting", "type", "status", "medewerker", "behandelaar", "afdeling"),
    *("groep", "contactgegevens"),
)


def made(
    omgeving: Omgeving | None = None, settings: Settings = SETTINGS, **fields: Any
) -> tuple[list[Document], list[Finding]]:
    """The documents and all findings of a contactmoment with these fields."""
    read = translate("contactmoment", contactmoment(**fields), SOURCE, settings)
    contact = translate_contactmoment(read.facts, omgeving or Omgeving(), SOURCE, UUIDS, settings)
    return contact.documents, read.findings + contact.findings


def of_kind(documents: list[Document], kind: str) -> list[Document]:
    return [document for document in documents if document.kind == kind]


def test_the_answer_is_the_reactie_and_too_long_a_one_is_cut_with_a_finding() -> None:
    documents, found = made(antwoord="Op werkdagen.")
    assert documents[0].body["reactie"] == "Op werkdagen."
    assert not [each for each in found if each.field == "antwoord"]
    documents, found = made(antwoord="woord " * 200)
    assert len(documents[0].body["reactie"]) <= 1000
    assert [each.action for each in found if each.field == "antwoord"] == ["ingekort tot 1000 tekens"]


def test_its_own_onderwerp_goes_before_the_beginning_of_the_tekst() -> None:
    assert made(onderwerp="Kapvergunning", tekst="Mag dat?")[0][0].body["onderwerp"] == "Kapvergunning"
    assert made(onderwerp="", tekst="Mag dat?")[0][0].body["onderwerp"] == "Mag dat?"


@pytest.mark.parametrize(
    ("medewerker", "keys", "naam"),
    [
        ("jansen01", [f"actor:medewerker|{SOURCE}|jansen01"], "jansen01"),
        (
            {"identificatie": "jansen01", "achternaam": "Jansen"},
            [f"actor:medewerker|{SOURCE}|jansen01"],
            "Jansen",
        ),
        ({"identificatie": 12, "naam": "P. Jansen"}, [f"actor:medewerker|{SOURCE}|12"], "P. Jansen"),
        ("https://mw.example/7", [f"actor-url:medewerker|{SOURCE}|https://mw.example/7"], "onbekend"),
    ],
)
def test_a_medewerker_is_an_identificatie_an_object_or_the_url_of_the_standard(
    medewerker: Any, keys: list[str], naam: str
) -> None:
    (claim,) = translate("contactmoment", contactmoment(medewerker=medewerker), SOURCE, SETTINGS).claims
    assert (claim.facet, claim.soort, claim.keys, claim.naam) == ("zelf", "medewerker", keys, naam)


def test_the_identificatie_of_the_standard_goes_before_the_field_beside_it() -> None:
    fields = {"medewerkerIdentificatie": {"identificatie": "een"}, "medewerker": {"identificatie": "twee"}}
    (claim,) = translate("contactmoment", contactmoment(**fields), SOURCE, SETTINGS).claims
    assert claim.keys == [f"actor:medewerker|{SOURCE}|een"]


def test_a_groep_is_another_actor_than_an_afdeling_with_its_identificatie() -> None:
    fields = {
        "behandelaar": "bakker02",
        "afdeling": "bomen",
        "groep": {"identificatie": "bomen", "naam": "Bomen"},
    }
    claims = translate("contactmoment", contactmoment(**fields), SOURCE, SETTINGS).claims
    assert {claim.facet: claim.keys[0] for claim in claims} == {
        "behandelaar": f"actor:medewerker|{SOURCE}|bakker02",
        "afdeling": f"actor:organisatorische_eenheid|{SOURCE}|bomen",
        "groep": f"actor:groep|{SOURCE}|bomen",
    }


def test_two_who_are_named_without_identificatie_are_two_actors() -> None:
    fields = {"medewerker": {"naam": "Jansen"}, "behandelaar": {"naam": "Bakker"}}
    claims = translate("contactmoment", contactmoment(**fields), SOURCE, SETTINGS).claims
    assert len({claim.keys[0] for claim in claims}) == 2


def test_a_contactverzoek_is_an_internetaak_of_its_behandelaar_afdeling_and_groep_in_that_order() -> None:
    actoren = {"groep": UUID(int=3), "behandelaar": UUID(int=9), "afdeling": UUID(int=1)}
    fields = {"type": "contactverzoek", "status": "Nieuw", "toelichting": "Na vier uur."}
    documents, found = made(Omgeving(behandelaars=actoren), VERZOEKEN, **fields)
    (taak,) = of_kind(documents, "internetaak")
    contact = UUID(contactmoment()["url"].rpartition("/")[2])
    assert taak.uuid == UUIDS.derive("internetaak", str(contact))
    assert taak.links == {
        "aanleidinggevendKlantcontact": [contact],
        "toegewezenAanActoren": [UUID(int=9), UUID(int=1), UUID(int=3)],
    }
    assert taak.body["gevraagdeHandeling"] == "contactverzoek"
    assert taak.body["toelichting"] == "Na vier uur."
    assert taak.body["status"] == "te_verwerken"
    assert taak.body["toegewezenOp"] == documents[0].body["plaatsgevondenOp"]
    assert not [each for each in found if each.field in FIELDS]


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        ("Afgehandeld", "verwerkt"),
        ("afgehandeld", "verwerkt"),
        ("Nieuw", "te_verwerken"),
        ("", "te_verwerken"),
    ],
)
def test_the_status_that_config_calls_done_is_verwerkt(status: str, becomes: str) -> None:
    (taak,) = of_kind(made(None, VERZOEKEN, type="Contactverzoek", status=status)[0], "internetaak")
    assert taak.body["status"] == becomes


def test_another_type_gives_no_internetaak_and_is_counted() -> None:
    fields = {"type": "Vraag", "status": "Nieuw", "toelichting": "x", "behandelaar": "bakker02"}
    read = translate("contactmoment", contactmoment(**fields), SOURCE, VERZOEKEN)
    assert of_kind(made(None, VERZOEKEN, **fields)[0], "internetaak") == []
    from mappings.incoming import unplaced_fields

    assert {"type", "status", "toelichting"} <= set(unplaced_fields.velden(read.facts["zonder_plaats"]))
    assert [(each.rule, each.field) for each in read.findings] == [("M40", "behandelaar")]


def test_contactgegevens_are_addresses_of_the_betrokkene() -> None:
    gegevens = {
        "emailadres": "a@voorbeeld.example",
        "telefoonnummer": "06-12345678",
        "telefoonnummerAlternatief": "030 1234567",
    }
    documents, _ = made(Omgeving([KLANT]), contactgegevens=gegevens)
    (betrokkene,) = of_kind(documents, "betrokkene")
    adressen = of_kind(documents, "digitaleadres")
    assert {(each.body["soortDigitaalAdres"], each.body["adres"]) for each in adressen} == {
        ("email", "a@voorbeeld.example"),
        ("telefoonnummer", "0612345678"),
        ("telefoonnummer", "0301234567"),
    }
    assert all(each.links == {"verstrektDoorBetrokkene": [betrokkene.uuid]} for each in adressen)
    assert not any(each.body["isStandaardAdres"] for each in adressen)


def test_who_is_no_klant_can_still_be_called_back() -> None:
    documents, found = made(contactgegevens={"telefoonnummer": "0612345678"})
    (betrokkene,) = of_kind(documents, "betrokkene")
    assert betrokkene.links.keys() == {"hadKlantcontact"}
    assert len(of_kind(documents, "digitaleadres")) == 1
    assert [each.action for each in found if each.field == "klant"] == [
        "geen klant: een klantcontact met alleen contactgegevens"
    ]


def test_contactgegevens_go_with_a_klant_that_a_client_deleted() -> None:
    gone = Gesprekspartner(UUID(int=7), None, {}, belanghebbende=True, verwijderd=True)
    documents, _ = made(Omgeving([gone]), contactgegevens={"telefoonnummer": "0612345678"})
    assert {document.kind for document in documents} == {"klantcontact"}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_another_type_is_a_finding_and_no_quarantine(name: str) -> None:
    read = translate("contactmoment", contactmoment(**{name: [{"x": 1}]}), SOURCE, VERZOEKEN)
    assert [(each.rule, each.field, str(each.severity)) for each in read.findings] == [
        ("M40", name, "dropped")
    ]


def test_a_field_that_nobody_knows_is_counted() -> None:
    from mappings.incoming import unplaced_fields

    mask = translate("contactmoment", contactmoment(wachttijd=90), SOURCE, SETTINGS).facts["zonder_plaats"]
    assert "overige velden" in unplaced_fields.velden(mask)
    plain = translate("contactmoment", contactmoment(), SOURCE, SETTINGS).facts
    assert "overige velden" not in unplaced_fields.velden(plain.get("zonder_plaats", 0))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_whatever_stands_there_nothing_breaks_and_the_rest_stays(fields: dict[str, Any]) -> None:
    documents, _ = made(Omgeving([KLANT]), VERZOEKEN, tekst="Vraagt iets.", **fields)
    plain, _ = made(Omgeving([KLANT]), VERZOEKEN, tekst="Vraagt iets.")
    changed = {"onderwerp", "reactie"}
    for name, value in plain[0].body.items():
        if name not in changed:
            assert documents[0].body[name] == value
    assert [each.uuid for each in of_kind(documents, "betrokkene")] == [plain[1].uuid]
