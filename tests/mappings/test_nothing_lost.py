"""Whatever a rol holds: it is translated, it fits the served API, and nothing of it is lost in silence (M1-M3, M36)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest
from builders.earlier_objects import earlier_uuid, klant
from builders.legacy_objects import (
    BSN,
    BSN_WITH_ZERO,
    KVK,
    NO_BSN,
    RSIN,
    SETTINGS,
    UUIDS,
    VESTIGING,
    day,
    rol,
    rol_uuid,
    uuid_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.incoming import unplaced_fields
from mappings.klantinteracties import load
from mappings.model.documents import Document
from mappings.model.settings import Settings
from mappings.rules.merge import merge, sets_of
from mappings.translate import translate

BLANK = st.sampled_from([None, "", " "])
ODD = st.text(min_size=1, max_size=30) | st.sampled_from(
    ["é" * 300, "e\u0301" * 150, "👩\u200d👩\u200d👧" * 80, "\u202eאבג", "x" * 700, "woord " * 200, "a\tb\nc"]
)


def marked(name: str) -> st.SearchStrategy[str | None]:
    """Text that begins and ends in words that are found nowhere else, so that a lost end shows."""
    return BLANK | ODD.map(lambda text: f"begin{name} {text} eind{name}") | st.just(f"begin{name}")


def numbers(*valid: str) -> st.SearchStrategy[str | None]:
    return BLANK | st.sampled_from([*valid, "123", "onbekend", "9" * 40])


def group(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def texts(*names: str) -> dict[str, st.SearchStrategy[Any]]:
    return {name: marked(name) for name in names}


UNKNOWN = BLANK | st.just("nieuws")
ADRES = {
    "verblijfsadres": st.none()
    | group(
        nieuwVeld=UNKNOWN,
        aoaIdentificatie=numbers("0363010000000001"),
        aoaPostcode=numbers("1234AB", "1234 ab"),
        aoaHuisnummer=BLANK | st.integers(0, 200_000) | numbers("12"),
        aoaHuisletter=BLANK | st.sampled_from(["A", "ZZ"]) | marked("aoaHuisletter"),
        **texts(
            "wplWoonplaatsNaam", "gorOpenbareRuimteNaam", "aoaHuisnummertoevoeging", "inpLocatiebeschrijving"
        ),
    ),
    "subVerblijfBuitenland": st.none()
    | group(
        nieuwVeld=UNKNOWN,
        lndLandcode=numbers("6029", "5022"),
        lndLandnaam=BLANK
        | st.sampled_from(["Duitsland", "Verenigde Staten van Amerika"])
        | marked("lndLandnaam"),
        **texts("subAdresBuitenland_1", "subAdresBuitenland_2", "subAdresBuitenland_3"),
    ),
}
KINDS = {
    "natuurlijk_persoon": group(
        inpBsn=numbers(BSN[0], BSN_WITH_ZERO[1:], NO_BSN),
        inpA_nummer=numbers("9000000011"),
        voorletters=BLANK | st.sampled_from(["J.", "A.B.C.D.E.F.G.H."]),
        **texts("anpIdentificatie", "geslachtsnaam", "voorvoegselGeslachtsnaam", "voornamen"),
        **texts("geslachtsaanduiding", "geboortedatum"),
        **ADRES,
    ),
    "niet_natuurlijk_persoon": group(
        innNnpId=numbers(RSIN[0], KVK[0], NO_BSN),
        kvkNummer=numbers(KVK[0], KVK[1]),
        vestigingsNummer=numbers(VESTIGING[0]),
        **texts("annIdentificatie", "statutaireNaam", "innRechtsvorm", "bezoekadres"),
        **ADRES,
    ),
    "vestiging": group(
        vestigingsNummer=numbers(VESTIGING[0]),
        kvkNummer=numbers(KVK[0]),
        handelsnaam=st.lists(marked("handelsnaam").filter(lambda text: text is not None), max_size=3),
        **ADRES,
    ),
    "organisatorische_eenheid": group(**texts("identificatie", "naam", "isGehuisvestIn")),
    "medewerker": group(**texts("identificatie", "achternaam", "voorletters", "voorvoegselAchternaam")),
}
CONTACT = group(
    emailadres=BLANK | st.sampled_from(["A.B@x.example", "geen", "a@x.example" + "x" * 300]),
    nieuwVeld=UNKNOWN,
    telefoonnummer=BLANK | st.sampled_from(["020-1234567", "+31 (0)20 1234567", "0800 1234", "bel maar"]),
    **texts("functie", "naam"),
)
CONTEXT = st.none() | group(
    source=st.just("digid"),
    levelOfAssurance=marked("loa"),
    actingSubject=marked("actingSubject"),
    mandate=st.just({"services": [{"id": "1"}]}),
    representee=st.none()
    | st.fixed_dictionaries(
        {
            "identifierType": st.sampled_from(["bsn", "kvkNummer", "anders"]),
            "identifier": numbers(BSN[1], KVK[2]).filter(bool),
        },
        optional={"nieuwVeld": UNKNOWN},
    ),
    nieuwVeld=UNKNOWN,
)


@st.composite
def rollen(draw: Any) -> dict[str, Any]:
    soort = draw(st.sampled_from(sorted(KINDS)))
    rest = group(
        betrokkene=BLANK | st.just("https://personen.example/1"),
        indicatieMachtiging=BLANK | st.sampled_from(["gemachtigde", "machtiginggever", "iets anders"]),
        contactpersoonRol=st.none() | CONTACT,
        eindeGeldigheid=BLANK | st.sampled_from(["2024-01-31", "ooit"]),
        beginGeldigheid=BLANK | st.just("2024-01-01"),
        statussen=st.sampled_from([[], ["https://zaken.example/statussen/1"]]),
        authenticatieContext=CONTEXT,
        nieuwVeld=UNKNOWN,
        **texts(
            "afwijkendeNaamBetrokkene", "roltype", "omschrijving", "omschrijvingGeneriek", "roltoelichting"
        ),
    )
    return draw(rest) | {
        "url": f"https://zaken.example/rollen/{rol_uuid(1)}",
        "uuid": str(rol_uuid(1)),
        "zaak": f"https://zaken.example/zaken/{uuid_of('zaak', 1)}",
        "betrokkeneType": soort,
        "registratiedatum": day(1),
        "betrokkeneIdentificatie": draw(st.none() | KINDS[soort]),
    }


def made_of(raw: Mapping[str, Any], chosen: Settings) -> tuple[list[Document], list[Any], int]:
    """Documents, findings and the fields without a place."""
    said = translate("rol", raw, "bron", chosen)
    found = list(said.findings)
    documents = []
    for keys in sets_of(said.claims):
        merged = merge([said.claims[member] for member in keys.members], keys, UUIDS, chosen)
        documents += merged.documents
        found += [finding for _, finding in merged.findings]
    return documents, found, said.facts.get("zonder_plaats", 0)


def filled(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a rol that hold something."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from filled(inner, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from filled(inner, path)
    elif value is not None and str(value).strip():
        yield path, str(value)


def compact(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


ELSEWHERE = ("url", "uuid", "zaak", "betrokkeneType", "registratiedatum")
# What becomes something else: a land its code, a phone number its digits, a machtiging who represents whom.
LANDEN = {"Duitsland": "DE", "Verenigde Staten van Amerika": "US", "6029": "DE", "5022": "MA"}


def stands(path: str, value: str, documents: str, raw: Mapping[str, Any]) -> bool:
    name = path.rpartition(".")[2]
    if name == "indicatieMachtiging":
        return value in ("gemachtigde", "machtiginggever")
    if name in ("lndLandcode", "lndLandnaam") and value in LANDEN:
        return f'"land":"{LANDEN[value]}"' in documents
    if name == "telefoonnummer":
        value = value.replace("(0)", "")
    if name == "aoaHuisnummer":
        value = value.lstrip("0")
    words = [word for word in value.split() if word.startswith(("begin", "eind"))] or [value]
    text = compact(documents)
    return all(compact(word) in text for word in words)


@pytest.mark.slow
@pytest.mark.rule("M2")
@pytest.mark.rule("M36")
@settings(max_examples=300, deadline=None)
@given(
    rollen(), st.sampled_from(["alle", "organisaties", "geen"]), st.sampled_from(["beide", "contactpersoon"])
)
def test_every_filled_field_stands_in_a_document_or_is_named_by_a_finding(raw, adressen, contact):
    chosen = Settings("openbaar", adressen=adressen, contactpersoon_adressen=contact)
    documents, found, mask = made_of(raw, chosen)
    assert made_of(raw, chosen) == (documents, found, mask), "the same every time"
    told = {finding.field for finding in found} | set(unplaced_fields.velden(mask))
    text = orjson.dumps([document.body for document in documents]).decode()
    for path, value in filled(raw):
        parts = path.split(".")
        named = any(".".join(parts[:number]) in told for number in range(1, len(parts) + 1))
        others = ".".join([*parts[:-1], "overige velden"]) in told
        if parts[-1] in ("identifierType", "identifier"):
            named = any(
                field.startswith("authenticatieContext.representee")
                for field in told - {"authenticatieContext.representee.overige velden"}
            )
        if path in ELSEWHERE or named or others or parts[-1] == "identifierType":
            continue
        assert stands(path, value, text, raw), path


@pytest.mark.rule("M36")
@pytest.mark.parametrize(
    "path",
    [
        "",
        "contactpersoonRol.",
        "authenticatieContext.",
        "authenticatieContext.representee.",
        "betrokkeneIdentificatie.",
        "betrokkeneIdentificatie.verblijfsadres.",
        "betrokkeneIdentificatie.subVerblijfBuitenland.",
    ],
)
@pytest.mark.parametrize(
    ("value", "told"), [("nieuws", True), (["nieuws"], True), ("  ", False), ([], False)]
)
def test_a_field_that_the_standard_does_not_know_is_told_at_every_depth(path, value, told):
    raw = rol(1, {"verblijfsadres": {}, "subVerblijfBuitenland": {}}, generiek="", contact={}) | {
        "authenticatieContext": {"representee": {"identifierType": "bsn", "identifier": BSN[1]}}
    }
    group_ = raw
    for name in path.split(".")[:-1]:
        group_ = group_[name]
    group_["nieuwVeld"] = value
    assert unplaced_fields.velden(unplaced_fields.van_rol(raw)) == ([f"{path}overige velden"] if told else [])


@pytest.mark.rule("M36")
@pytest.mark.rule("M41")
@pytest.mark.parametrize(
    "path",
    [
        "",
        "adres.",
        "subjectIdentificatie.",
        "subjectIdentificatie.verblijfsadres.",
        "subjectIdentificatie.subVerblijfBuitenland.",
    ],
)
def test_so_is_a_field_that_the_standard_of_klanten_does_not_know(path):
    groups = {"verblijfsadres": {}, "subVerblijfBuitenland": {"subAdresBuitenland1": "Allee 1"}}
    raw = klant(1, {"inpANummer": "9000000011", **groups}, adres={"straatnaam": "Kade"}, bronorganisatie="")
    for name in ("", "nieuws"):
        group_ = raw
        for part in path.split(".")[:-1]:
            group_ = group_[part]
        group_["nieuwVeld"] = name
        mask = translate("klant", raw, "bron", SETTINGS).facts.get("zonder_plaats", 0)
        assert unplaced_fields.velden(mask) == ([f"{path}overige velden"] if name else [])


@pytest.mark.rule("M36")
def test_known_fields_of_a_klant_of_every_soort_are_no_other_fields():
    for soort, subject in (
        ("niet_natuurlijk_persoon", {"innNnpId": RSIN[0], "innRechtsvorm": "bv", "statutaireNaam": "A"}),
        ("vestiging", {"vestigingsNummer": VESTIGING[0], "handelsnaam": ["A"], "kvkNummer": KVK[0]}),
        ("natuurlijk_persoon", {"inpBsn": BSN[0], "geboortedatum": "1980-01-01", "geslachtsaanduiding": "v"}),
        (None, {"iets": "wat dan ook"}),
    ):
        raw = klant(1, subject, soort, subject="https://x.example/1", uuid=earlier_uuid("klant", 1))
        mask = translate("klant", raw, "bron", SETTINGS).facts.get("zonder_plaats", 0)
        assert not any("overige" in veld for veld in unplaced_fields.velden(mask))


REFERENCE = {"uuid": str(rol_uuid(9))}


def as_put(document: Document) -> dict[str, Any]:
    """The document as a client that got it puts it back."""
    links: dict[str, Any] = dict.fromkeys(document.links, REFERENCE)
    body = {**document.body, **links}
    if document.kind == "partij":
        body.pop("werkteVoorPartij", None)
        body |= {"digitaleAdressen": [], "voorkeursDigitaalAdres": None}
        body |= {"rekeningnummers": [], "voorkeursRekeningnummer": None}
        if document.links:
            body["partijIdentificatie"] = {**body["partijIdentificatie"], "werkteVoorPartij": REFERENCE}
    if document.kind == "digitaleadres":
        body["verstrektDoorBetrokkene"] = None
    if document.kind == "partij-identificator":
        body.setdefault("identificeerdePartij", None)
        # M17: a vestigingsnummer without a KVK number keeps no parent; writes stay strict about that.
        body.setdefault("subIdentificatorVan", None)
    return body


@pytest.mark.slow
@pytest.mark.rule("M2")
@pytest.mark.rule("M3")
@settings(max_examples=300, deadline=None)
@given(rollen())
def test_every_document_is_one_that_the_served_api_takes_back(raw):
    documents, _, _ = made_of(raw, SETTINGS)
    for document in documents:
        load(document.kind, as_put(document), partial=False, stored=document.body)
