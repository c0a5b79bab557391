"""What was measured of a real register, field by field: each case a request, and what it answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from builders.editor import (
    BSN,
    KLANTCONTACT,
    KVK,
    NOBODY,
    ORGANISATIE,
    OTHER_BSN,
    PERSOON,
    RSIN,
    VESTIGING,
    Editor,
    identificator,
    ref,
)

pytestmark = pytest.mark.slow

EMAIL = {"adres": "a@example.nl", "soortDigitaalAdres": "email", "verstrektDoorPartij": None}
PHONE = {"soortDigitaalAdres": "telefoonnummer", "verstrektDoorPartij": None}
ACTOR = {"naam": "a", "soortActor": "medewerker"}
SHORT = "Het opgegeven telefoonnummer is ongeldig."
SERVICE = (
    "Het opgegeven telefoonnummer is ongeldig, telefoonnummers beginnend met 0800, 0900, 1400 of 140xx zijn niet "
    "toegestaan."
)
EMPTY = "Dit veld mag niet leeg zijn."
NO_CODES = {"codeObjecttype": "x", "codeSoortObjectId": "x", "codeRegister": "x", "objectId": ""}


def choice(name: str) -> tuple[str, str, str]:
    return (f"partijIdentificator.{name}", "invalid_choice", '"x" is een ongeldige keuze.')


@pytest.fixture
def made(editor: Editor) -> dict[str, Any]:
    """What the requests refer to, by name."""
    partij, leeg = editor.make("partijen", ORGANISATIE), editor.make("partijen", PERSOON)
    kvk = editor.make(
        "partij-identificatoren", identificator("kvk_nummer", KVK, identificeerdePartij=ref(partij))
    )
    under = {"subIdentificatorVan": ref(kvk)}
    return {
        "partij": partij,
        "leeg": leeg,
        "kvk": kvk,
        "rsin": editor.make("partij-identificatoren", identificator("rsin", RSIN)),
        "vestiging": editor.make(
            "partij-identificatoren", identificator("vestigingsnummer", VESTIGING, **under)
        ),
        "adres": editor.make("digitaleadressen", EMAIL),
        "rekening": editor.make("rekeningnummers", {"iban": "NL91ABNA0417164300"}),
        "contact": editor.make("klantcontacten", KLANTCONTACT),
        "actor": editor.make("actoren", ACTOR),
        "bsn": editor.make(
            "partij-identificatoren", identificator("bsn", BSN, identificeerdePartij=ref(leeg))
        ),
    }


def filled(value: Any, made: dict[str, Any]) -> Any:
    """A body in which "<name>" stands for the uuid of what was made under that name."""
    if isinstance(value, dict):
        return {key: filled(inner, made) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, made) for inner in value]
    if isinstance(value, str) and value.startswith("<") and value.endswith(">"):
        return made[value[1:-1]]["uuid"]
    return value


TAAK = {
    "gevraagdeHandeling": "g",
    "aanleidinggevendKlantcontact": {"uuid": "<contact>"},
    "status": "te_verwerken",
}
ADRES = {"uuid": "<adres>"}
REKENING = {"uuid": "<rekening>"}
TWO_FAULTS = {**TAAK, "afgehandeldOp": "2025-01-01"}
NOT_HANDLED = "De Internetaak kan geen afgehandeld op datum bevatten als de status niet op 'verwerkt' staat."
NO_ADDRESSES = "voorkeursDigitaalAdres mag niet meegegeven worden als digitaleAdressen leeg is."
NO_ACCOUNTS = "voorkeursRekeningnummer mag niet meegegeven worden als rekeningnummers leeg is."
NO_PARENT = (
    "Voor een PartijIdentificator met codeSoortObjectId = `vestigingsnummer` is het verplicht om een "
    "`sub_identifier_van` met codeSoortObjectId = `kvk_nummer` te kiezen."
)
WRONG_PARENT = "Het is alleen mogelijk om een subIdentificatorVan "
OTHER_SOORT = "Het is niet mogelijk om de codeSoortObjectId "
ONE_OF_EACH = "`CodeSoortObjectId` moet uniek zijn voor de Partij."

# Method, path, body, and all that is wrong with it: name, code, the text or its beginning.
REFUSED: list[tuple[str, str, Any, list[tuple[str, str, str]]]] = [
    ("POST", "actoren", {**ACTOR, "actorIdentificatie": None}, [("actorIdentificatie", "null", EMPTY)]),
    ("POST", "digitaleadressen", {"adres": "a@example.nl", "soortDigitaalAdres": "email"},
     [("verstrektDoorPartij", "required", "Dit veld is vereist.")]),
    ("PUT", "digitaleadressen/<adres>", {"adres": "a@example.nl", "soortDigitaalAdres": "email"},
     [("verstrektDoorPartij", "required", "Dit veld is vereist.")]),
    ("POST", "digitaleadressen", {**EMAIL, "isStandaardAdres": True}, [("isStandaardAdres", "invalid", "")]),
    ("PATCH", "digitaleadressen/<adres>", {"isStandaardAdres": True}, [("isStandaardAdres", "invalid", "")]),
    *(("POST", "digitaleadressen", {**PHONE, "adres": adres}, [("adres", "invalid", text)]) for adres, text in (
        ("0612", SHORT), ("061234567", SHORT), ("612345678", SHORT), ("+31612", SHORT), ("00316", SHORT),
        ("0800", SERVICE), ("08001234", SERVICE), ("0900123456", SERVICE), ("1400", SERVICE), ("14010", SERVICE),
        ("06-12345678", SERVICE), ("06123456789", SERVICE), ("bel mij", SERVICE))),
    ("POST", "actoren", {**ACTOR, "actorIdentificatie": {"functie": "f", "telefoonnummer": "0612"}},
     [("actorIdentificatie.telefoonnummer", "invalid", SHORT)]),
    ("POST", "maak-klantcontact", {"klantcontact": KLANTCONTACT, "betrokkene": None}, [("betrokkene", "null", EMPTY)]),
    ("POST", "maak-klantcontact", {"klantcontact": KLANTCONTACT, "onderwerpobject": None},
     [("onderwerpobject", "null", EMPTY)]),
    ("POST", "partijen", {**PERSOON, "bezoekadres": {"huisnummer": "1" * 1001}},
     [("bezoekadres.huisnummer", "max_string_length", "Tekstwaarde is te lang.")]),
    ("POST", "partij-identificatoren", {"partijIdentificator": NO_CODES},
     [choice("codeObjecttype"), choice("codeSoortObjectId"), choice("codeRegister")]),
    ("POST", "partij-identificatoren", identificator("bsn", ""),
     [("partijIdentificatorObjectId", "invalid", "Deze waarde is ongeldig, reden: ")]),
    ("POST", "internetaken", TWO_FAULTS,
     [("nonFieldErrors", "invalid", ""), ("afgehandeldOp", "invalid", NOT_HANDLED)]),
    ("POST", "internetaken", {
        **TWO_FAULTS, "toegewezenAanActor": {"uuid": "<actor>"}, "toegewezenAanActoren": [{"uuid": "<actor>"}],
    }, [("nonFieldErrors", "invalid", ""), ("afgehandeldOp", "invalid", NOT_HANDLED)]),
    ("POST", "partijen", {**ORGANISATIE, "partijIdentificatoren": [
        identificator("rsin", "123456782"), identificator("vestigingsnummer", "000037178602")]},
     [("partijIdentificatoren.1.subIdentificatorVan", "invalid", NO_PARENT)]),
    ("POST", "partijen", {**ORGANISATIE, "partijIdentificatoren": [
        identificator("vestigingsnummer", "000037178602", subIdentificatorVan={"uuid": "<rsin>"})]},
     [("partijIdentificatoren.0.subIdentificatorVan", "invalid", WRONG_PARENT)]),
    ("POST", "partij-identificatoren", identificator("vestigingsnummer", "000037178602"),
     [("subIdentificatorVan", "invalid", NO_PARENT)]),
    ("POST", "partij-identificatoren",
     identificator("vestigingsnummer", "000037178602", subIdentificatorVan={"uuid": "<vestiging>"}),
     [("subIdentificatorVan", "invalid", WRONG_PARENT)]),
    ("PATCH", "partij-identificatoren/<kvk>", identificator("rsin", "123456782"),
     [("partijIdentificatorCodeSoortObjectId", "invalid", OTHER_SOORT)]),
    ("POST", "partij-identificatoren", identificator("bsn", OTHER_BSN, identificeerdePartij={"uuid": "<leeg>"}),
     [("__all__", "invalid", ONE_OF_EACH)]),
    ("POST", "partijen", {**PERSOON, "voorkeursDigitaalAdres": ADRES}, [
        ("voorkeursDigitaalAdres", "invalid", NO_ADDRESSES)]),
    ("POST", "partijen", {**PERSOON, "digitaleAdressen": None, "voorkeursDigitaalAdres": ADRES}, [
        ("voorkeursDigitaalAdres", "invalid", NO_ADDRESSES)]),
    ("POST", "partijen", {**PERSOON, "digitaleAdressen": [], "voorkeursDigitaalAdres": ADRES}, [
        ("voorkeursDigitaalAdres", "invalid", "Het voorkeurs adres moet een gelinkte digitaal adres zijn.")]),
    ("PATCH", "partijen/<leeg>", {"voorkeursDigitaalAdres": ADRES}, [
        ("voorkeursDigitaalAdres", "invalid", NO_ADDRESSES)]),
    ("POST", "partijen", {**PERSOON, "voorkeursRekeningnummer": REKENING}, [
        ("voorkeursRekeningnummer", "invalid", NO_ACCOUNTS)]),
    ("POST", "partijen", {**PERSOON, "rekeningnummers": None, "voorkeursRekeningnummer": REKENING}, [
        ("voorkeursRekeningnummer", "invalid", NO_ACCOUNTS)]),
    ("POST", "klantcontacten", {**KLANTCONTACT, "indicatieContactGelukt": "ja"},
     [("indicatieContactGelukt", "invalid", "Must be a valid boolean.")]),
    ("POST", "klantcontacten", {**KLANTCONTACT, "vertrouwelijk": ""},
     [("vertrouwelijk", "invalid", "Must be a valid boolean.")]),
    *(("GET", f"{path}={value}", None, [(path.partition("?")[2], "invalid", text)]) for path, values, text in (
        ("digitaleadressen?verificatieDatum", ("gisteren", "31-13-2025", "20251231", "2025-02-30", "2025-01-01T00:00"),
         "Voer een geldige datum in."),
        ("digitaleadressen?verificatieDatum__lte", ("32/12/2025",), "Voer een geldige datum in."),
        ("categorie-relaties?beginDatum", ("x",), "Voer een geldige datum in."),
        ("klantcontacten?plaatsgevondenOp", ("gisteren", "31-13-2025"), "Voer een geldige datum/tijd in."),
        ("internetaken?toegewezenOp", ("x",), "Voer een geldige datum/tijd in."),
    ) for value in values),
    ("GET", f"partijen/{NOBODY}?expand=betrokkenen&expand=x", None,
     [("expand", "invalid_choice", "Selecteer een geldige keuze. x is geen beschikbare keuze.")]),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path", "body", "expected"), REFUSED)
def test_what_is_refused_is_refused_with_the_same_names_codes_and_texts(
    editor: Editor,
    made: dict[str, Any],
    method: str,
    path: str,
    body: Any,
    expected: list[tuple[str, str, str]],
) -> None:
    target = "/".join(filled(part, made) for part in path.split("/"))
    with editor.nothing_written():
        got = editor.send(method, f"/{target}", filled(body, made) if body is not None else None)
    assert got.status == 400
    found = [(param["name"], param["code"]) for param in got.json["invalidParams"]]
    assert found == [(name, code) for name, code, _ in expected]
    for param, (_, _, text) in zip(got.json["invalidParams"], expected, strict=True):
        assert param["reason"] == text or (text[-1:] in ("", " ") and param["reason"].startswith(text))


# Path, what is sent, a field of the answer and its value.
TAKEN: list[tuple[str, dict[str, Any], str, Any]] = [
    ("klantcontacten", {**KLANTCONTACT, "metadata": {"Betreft": "x", "some_key": "y", "_a": "z", "aB": "w"}},
     "metadata", {"Betreft": "x", "someKey": "y", "A": "z", "aB": "w"}),
    ("klantcontacten", {**KLANTCONTACT, "indicatieContactGelukt": ""}, "indicatieContactGelukt", None),
    ("partijen", {**PERSOON, "indicatieGeheimhouding": ""}, "indicatieGeheimhouding", None),
    ("digitaleadressen", EMAIL, "verstrektDoorPartij", None),
    ("digitaleadressen", {**PHONE, "adres": "0612345678"}, "adres", "0612345678"),
    ("partijen", {**PERSOON, "partijIdentificatie": None}, "partijIdentificatie", None),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "name", "value"), TAKEN)
def test_what_is_taken_becomes_the_same(
    editor: Editor, path: str, body: dict[str, Any], name: str, value: Any
) -> None:
    made = editor.make(path, body)
    assert made[name] == value
    assert editor.again(path, made) == made
    if value is not None:
        assert editor.put(path, made, made) == made


def test_a_categorie_relatie_begins_today_when_nothing_else_is_said(editor: Editor) -> None:
    today = {datetime.now(UTC).date().isoformat()}
    made = [editor.make("categorie-relaties", body) for body in ({}, {"beginDatum": None})]
    earlier = editor.make("categorie-relaties", {"beginDatum": "2020-01-01"})
    made.append(editor.patch("categorie-relaties", earlier, {"beginDatum": None}))
    today.add(datetime.now(UTC).date().isoformat())
    assert {one["beginDatum"] for one in made} <= today


def test_a_taak_without_actoren_shows_nobody(editor: Editor, made: dict[str, Any]) -> None:
    """With a uuid that is null; and what was shown may come back."""
    taak = editor.make("internetaken", filled({**TAAK, "toegewezenAanActor": {"uuid": "<actor>"}}, made))
    editor.delete("actoren", made["actor"])
    shown = editor.again("internetaken", taak)
    assert (shown["toegewezenAanActor"], shown["toegewezenAanActoren"]) == ({"uuid": None}, [])
    contact = editor.get(f"/klantcontacten/{made['contact']['uuid']}?expand=leiddeTotInterneTaken")
    assert contact["_expand"]["leiddeTotInterneTaken"] == [shown]
    assert editor.put("internetaken", taak, shown) == shown
    refused = editor.refused(
        "POST", "/internetaken", filled({**TAAK, "toegewezenAanActor": {"uuid": None}}, made)
    )
    assert refused == [("nonFieldErrors", "invalid")]


@pytest.mark.parametrize("expand", [
    "expand=hadBetrokkenen&expand=gingOverOnderwerpobjecten",
    "expand=gingOverOnderwerpobjecten&expand=&expand=hadBetrokkenen",
    "expand=hadBetrokkenen,gingOverOnderwerpobjecten&expand=hadBetrokkenen",
    "expand=hadBetrokkenen%2CgingOverOnderwerpobjecten",
])  # fmt: skip
def test_repeated_expand_is_united(editor: Editor, made: dict[str, Any], expand: str) -> None:
    both = {"hadBetrokkenen", "gingOverOnderwerpobjecten"}
    assert editor.get(f"/klantcontacten/{made['contact']['uuid']}?{expand}")["_expand"].keys() == both
    assert editor.get(f"/klantcontacten?{expand}")["results"][0]["_expand"].keys() == both


@pytest.mark.parametrize(("query", "count"), [
    ("digitaleadressen?verificatieDatum=31-12-2025", 1),
    ("digitaleadressen?verificatieDatum=31/12/2025", 1),
    ("digitaleadressen?verificatieDatum__gt=30-12-2025", 1),
    ("digitaleadressen?verificatieDatum__gt=31%2F12%2F2025", 0),
    ("klantcontacten?plaatsgevondenOp=31-12-2025", 1),
    ("klantcontacten?plaatsgevondenOp=31/12/2025", 1),
    ("klantcontacten?plaatsgevondenOp=31-12-2025%2000:00", 1),
    ("klantcontacten?plaatsgevondenOp=31-12-2025%2000:00:01", 0),
])  # fmt: skip
def test_dates_are_read_as_they_are_written_here(editor: Editor, query: str, count: int) -> None:
    editor.make("digitaleadressen", {**EMAIL, "verificatieDatum": "2025-12-31"})
    editor.make("klantcontacten", {**KLANTCONTACT, "plaatsgevondenOp": "2025-12-31"})
    assert editor.count(f"/{query}") == count


@pytest.mark.parametrize(("value", "found"), [
    ("a", "a"), ("a,b", "ab"), ("b,%20a,", "ab"), ("c", ""), ("c,b", "b"), (",", ""), ("a%22,b", "b"), ("", "abx"),
])  # fmt: skip
def test_categories_of_partijen_are_a_comma_list(editor: Editor, value: str, found: str) -> None:
    for naam in "ab":
        partij = editor.make("partijen", {**PERSOON, "interneNotitie": naam})
        categorie = editor.make("categorieen", {"naam": naam})
        editor.make("categorie-relaties", {"partij": ref(partij), "categorie": ref(categorie)})
    editor.make("partijen", {**PERSOON, "interneNotitie": "x"})
    results = editor.get(f"/partijen?categorierelatie__categorie__naam={value}")["results"]
    assert "".join(sorted(one["interneNotitie"] for one in results)) == found


@pytest.mark.parametrize(("query", "count"), [
    ("bezoekadresAdresregel1=Rue+1", 1), ("bezoekadresAdresregel2=x", 0), ("correspondentieadresAdresregel3=x", 0),
    ("vertegenwoordigdePartij__url=http://klantbrug/partijen/" + NOBODY, 0),
])  # fmt: skip
def test_where_that_server_is_at_fault_this_one_does_better(editor: Editor, query: str, count: int) -> None:
    """Lines of an address are a filter, and a host needs no dot."""
    editor.make("partijen", {**PERSOON, "bezoekadres": {"adresregel1": "Rue 1", "land": "FR"}})
    assert editor.count(f"/partijen?{query}") == count


def test_the_openapi_document_in_json_says_no_charset(editor: Editor) -> None:
    got = editor.client.get("/openapi.json")
    assert (got.status, got.headers["Content-Type"]) == (200, "application/vnd.oai.openapi+json")
    assert (
        editor.client.get("/openapi.yaml").headers["Content-Type"]
        == "application/vnd.oai.openapi; charset=utf-8"
    )
