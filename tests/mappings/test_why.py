"""The table of where each field comes from, held true: alter a legacy field, and exactly the fields named change."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from builders.earlier_objects import contactmoment, klant, klantcontactmoment, objectcontactmoment
from builders.legacy_objects import (
    BSN,
    KVK,
    RSIN,
    SETTINGS,
    SOURCE,
    UUIDS,
    VESTIGING,
    klantcontact,
    rol,
    zaak,
)
from builders.paths import DATA
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.explain import advice, origins, why
from mappings.model.findings import Untranslatable
from mappings.translate import translate

# What an object is and to what it belongs, not what it says; and the derived uuid of a contactpersoon.
NOT_SAID = {
    "url",
    "uuid",
    "registratiedatum",
    "betrokkeneType",
    "omschrijvingGeneriek",
    "betrokkene",
    "roltype",
    # Of the earlier standards.
    "klant",
    "contactmoment",
    "vorigContactmoment",
    "subjectType",
}
DERIVED = "partijIdentificatie.uuid"
Seen = set[tuple[str, str, str]]


def filled(group: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, value in group.items():
        if isinstance(value, Mapping):
            yield from filled(value, f"{path}.{name}")
        elif value and (name not in NOT_SAID or f"{path}.{name}" == "contactmoment.registratiedatum"):
            yield f"{path}.{name}"


def named(kind: str, field: str) -> set[str]:
    return {legacy for _, legacy in origins.TABLE.get(kind, {}).get(field, ())}


def whether(kind: str, field: str, legacy: str) -> bool:
    """Does a legacy field decide between values that others give? Whether an address is the standard one, and whether
    naam or functie is its omschrijving, follows from the names of its party (M21, M23, M24)."""
    own_name = not legacy.startswith(("rol.contactpersoonRol.", "klant."))
    return kind == "digitaleadres" and (field == "isStandaardAdres" or (field == "omschrijving" and own_name))


def check(objects: why.Objects, make: Any) -> Seen:
    """Alter each filled legacy field; every filled field that changes must be named. Out: what was seen to change."""
    seen: Seen = set()
    base = make(objects)
    for kind, raw in objects.items():
        for legacy in filled(raw, kind):
            for other in list(why.altered(objects, legacy))[1:]:
                try:
                    changed = make(other)
                except Untranslatable:
                    continue
                for slot, fields in base.items():
                    for field, value in fields.items():
                        if (
                            why.says(value)
                            and slot in changed
                            and changed[slot].get(field) != value
                            and field != DERIVED
                            and not whether(slot[0], field, legacy)
                        ):
                            assert legacy in named(slot[0], field), (slot[0], field, legacy)
                            seen.add((slot[0], field, legacy))
    return seen


def check_rol(raw: dict[str, Any]) -> Seen:
    return check_saying("rol", raw)


def check_saying(kind: str, raw: dict[str, Any]) -> Seen:
    seen: Seen = set()
    for claim in translate(kind, raw, SOURCE, SETTINGS).claims:
        seen |= check({kind: raw}, why.party_maker(claim.facet, SOURCE, UUIDS, SETTINGS))
    return seen


NAAM = {"voorletters": "J.", "voornamen": "Jan", "voorvoegselGeslachtsnaam": "van", "geslachtsnaam": "Dam"}
ADRES = {
    "aoaIdentificatie": "0363200000000001",
    "wplWoonplaatsNaam": "Utrecht",
    "gorOpenbareRuimteNaam": "Kerkstraat",
    "aoaPostcode": "1234 AB",
    "aoaHuisnummer": "12",
    "aoaHuisletter": "A",
    "aoaHuisnummertoevoeging": "bis",
    "inpLocatiebeschrijving": "Achter de kerk",
}
BUITENLAND = {
    "lndLandcode": "5010",
    "lndLandnaam": "België",
    **{f"subAdresBuitenland_{number}": f"Rue {number}" for number in (1, 2, 3)},
}
CONTACT = {"emailadres": "a@b.nl", "telefoonnummer": "0612345678", "naam": "Piet", "functie": "Inkoper"}
ONLY_FUNCTIE = CONTACT | {"naam": ""}
ODD = {
    "aoaPostcode": "ONBEKEND",
    "aoaHuisnummer": "geen",
    "aoaHuisletter": "AB" * 9,
    "aoaHuisnummertoevoeging": "CD" * 9,
}
REPRESENTEE = {"authenticatieContext": {"representee": {"identifierType": "bsn", "identifier": BSN[1]}}}
MEDEWERKER = {"identificatie": "mw1", "achternaam": "Dam", "voorletters": "J", "voorvoegselAchternaam": "van"}
NNP = "niet_natuurlijk_persoon"
EXAMPLES = [
    rol(
        1,
        {
            "inpBsn": BSN[0],
            "inpA_nummer": "1234567890",
            "anpIdentificatie": "a1",
            **NAAM,
            "verblijfsadres": ADRES,
        },
    ),
    rol(1, NAAM | {"voorvoegselGeslachtsnaam": "van den langen"}, contact=CONTACT, **REPRESENTEE),
    rol(
        1,
        {"inpBsn": BSN[0], "subVerblijfBuitenland": BUITENLAND},
        contact=ONLY_FUNCTIE,
        afwijkendeNaamBetrokkene="Jo",
    ),
    rol(
        1,
        {
            "inpBsn": "1",
            "verblijfsadres": ADRES,
            "subVerblijfBuitenland": BUITENLAND | {"lndLandcode": "5010"},
        },
    ),
    rol(1, {"verblijfsadres": ODD}),
    rol(
        1,
        {
            "subVerblijfBuitenland": BUITENLAND
            | {"subAdresBuitenland_3": "", "lndLandnaam": "Verweg", "lndLandcode": ""}
        },
    ),
    rol(1, {"subVerblijfBuitenland": {"lndLandcode": "5022"}}),
    rol(1, {"subVerblijfBuitenland": {"lndLandcode": "5022"}, "verblijfsadres": ADRES}),
    rol(1, {"subVerblijfBuitenland": {"lndLandnaam": "Verweg"}, "verblijfsadres": ADRES}),
    rol(
        1,
        {"innNnpId": RSIN[0], "kvkNummer": KVK[0], "annIdentificatie": "n1", "statutaireNaam": "Bakker"},
        NNP,
        contact=CONTACT,
    ),
    rol(
        1,
        {"innNnpId": "12", "kvkNummer": KVK[0], "vestigingsNummer": "3", "bezoekadres": "Dorpsplein 3 " * 15},
        NNP,
    ),
    rol(1, {"kvkNummer": "12", "innNnpId": RSIN[0]}, NNP, afwijkendeNaamBetrokkene="Jo"),
    rol(
        1,
        {"vestigingsNummer": VESTIGING[0], "kvkNummer": KVK[0], "handelsnaam": ["Filiaal", "Winkel"]},
        "vestiging",
    ),
    rol(1, MEDEWERKER, "medewerker", contact=CONTACT),
    rol(1, {"identificatie": "mw1"}, "medewerker"),
    rol(1, {}, "medewerker", afwijkendeNaamBetrokkene="Jo"),
    rol(1, {"identificatie": "oe1", "naam": "Burgerzaken"}, "organisatorische_eenheid", contact=CONTACT),
]
OWN_ADRES = {
    "straatnaam": "Kerkstraat",
    "huisnummer": "12",
    "huisletter": "A",
    "huisnummertoevoeging": "bis",
    "postcode": "1234 AB",
    "woonplaatsnaam": "Utrecht",
    "landcode": "6030",
}
ODD_ADRES = OWN_ADRES | {
    "postcode": "ONBEKEND",
    "huisnummer": "geen",
    "huisletter": "AB" * 9,
    "huisnummertoevoeging": "CD" * 9,
}
OWN_NAAM = {"voornaam": "Jan", "voorvoegselAchternaam": "van", "achternaam": "Dam"}
OWN_CONTACT = {name: value for name, value in CONTACT.items() if name != "naam"}
KLANTEN = [
    klant(
        1,
        {"inpBsn": BSN[0], "inpA_nummer": "1234567890", "anpIdentificatie": "a1"},
        klantnummer="7",
        adres=OWN_ADRES,
        **OWN_NAAM,
        **OWN_CONTACT,
    ),
    klant(1, {"inpBsn": BSN[0], "verblijfsadres": ADRES}, adres=OWN_ADRES | {"straatnaam": "Dorpsstraat"}),
    klant(1, {"verblijfsadres": ADRES}, adres=OWN_ADRES | {"straatnaam": "Laan", "landcode": "DE"}),
    klant(1, {"verblijfsadres": ADRES}, adres=ODD_ADRES),
    klant(1, None, None, adres=ODD_ADRES, **OWN_NAAM),
    klant(1, None, None, adres=OWN_ADRES | {"landcode": "BE"}, **OWN_NAAM),
    klant(1, None, achternaam="Dam", voorvoegselAchternaam="van den langen"),
    klant(1, {"innNnpId": RSIN[0]}, NNP, **OWN_NAAM, **OWN_CONTACT),
    klant(1, {"innNnpId": RSIN[0]}, NNP, **OWN_CONTACT),
    klant(1, {"innNnpId": RSIN[0]}, NNP, bedrijfsnaam="Bakker"),
    klant(1, {"vestigingsNummer": VESTIGING[0]}, "vestiging", bedrijfsnaam="Filiaal", **OWN_NAAM),
    klant(1, None, None, bedrijfsnaam="Bakker"),
    *(
        klant(1, raw["betrokkeneIdentificatie"], raw["betrokkeneType"])
        for raw in EXAMPLES
        if raw["betrokkeneType"] in ("natuurlijk_persoon", NNP, "vestiging")
    ),
]
WIE = ("medewerker", "behandelaar", "afdeling", "groep")
WIE_MET_NAMEN = dict.fromkeys(WIE, MEDEWERKER)
VERZOEKEN = replace(SETTINGS, contactverzoek_typen=("Contactverzoek", "Xontactverzoek"))
MOMENTEN = [
    contactmoment(1, medewerkerIdentificatie=MEDEWERKER, voorkeurstaal="eng"),
    contactmoment(1, medewerkerIdentificatie={"identificatie": "mw1"}, initiatiefnemer="gemeente"),
    contactmoment(1, initiatiefnemer="", tekst="Een lange vraag. " * 20),
    contactmoment(
        1,
        antwoord="Op werkdagen.",
        onderwerp="Openingstijden",
        type="Contactverzoek",
        status="afgehandeld",
        toelichting="Na vier uur.",
        medewerker="jansen01",
        behandelaar="bakker02",
        afdeling="bomen",
        groep="bomen",
        contactgegevens={"emailadres": "a@voorbeeld.example", "telefoonnummer": "0612345678"},
    ),
    contactmoment(1, contactgegevens={"telefoonnummerAlternatief": "0612345678"}, **WIE_MET_NAMEN),
    contactmoment(1, **{who: {"naam": f"De {who}", "identificatie": "x1"} for who in WIE}),
    contactmoment(1, **{who: {"identificatie": "x1"} for who in WIE}),
]
VAN_ZAAK = {
    "url": "https://zaken.example/zaken/api/v1/zaakcontactmomenten/e0000000-0000-4000-8000-000000000001",
    "uuid": "e0000000-0000-4000-8000-000000000001",
    "zaak": zaak(1)["url"],
    "contactmoment": contactmoment(1)["url"],
}
# Which line a text stands on depends on the others: each of these must be seen on some line.
LINES = ("adresregel1", "adresregel2", "adresregel3")


def on_some_line(seen: Seen) -> Seen:
    return {
        (kind, field.rpartition(".")[0] + ".regels" if field.endswith(LINES) else field, legacy)
        for kind, field, legacy in seen
    }


@pytest.mark.slow
@pytest.mark.rule("M4")
def test_the_table_names_every_change_and_each_of_its_lines_happens() -> None:
    seen: Seen = set()
    for raw in EXAMPLES:
        seen |= check_rol(raw)
    for taker in EXAMPLES:
        raw = taker | {"omschrijvingGeneriek": "klantcontacter", "indicatieMachtiging": "gemachtigde"}
        for contact in (klantcontact(1), klantcontact(1, kanaal="", onderwerp="")):
            seen |= check(
                {"klantcontact": contact, "zaak": zaak(1), "rol": raw},
                why.contact_maker(SOURCE, UUIDS, SETTINGS),
            )
    for kind, raws in (("klant", KLANTEN), ("contactmoment", MOMENTEN)):
        for raw in raws:
            seen |= check_saying(kind, raw)
    make = why.moment_maker(SOURCE, UUIDS, VERZOEKEN)
    for moment in MOMENTEN:
        for of in KLANTEN:
            objects = {
                "contactmoment": moment,
                "klant": of,
                "klantcontactmoment": klantcontactmoment(1, 1, 1),
            }
            for about in (
                {"objectcontactmoment": objectcontactmoment(1, 1, 1)},
                {"zaakcontactmoment": VAN_ZAAK},
            ):
                seen |= check({**objects, "zaak": zaak(1), **about}, make)
    listed = {
        (kind, field, legacy)
        for kind, rows in origins.TABLE.items()
        for field, pairs in rows.items()
        for _, legacy in pairs
    }
    # Numbers that are no key of their own: another value of the same form is seen in the text beside the key.
    missing = on_some_line(listed) - on_some_line(seen)
    assert {row for row in missing if row[1] != "anderePartijIdentificator"} == set()
    assert len([row for row in missing if row[1] == "anderePartijIdentificator"]) <= 2


@pytest.mark.slow
@pytest.mark.rule("M4")
def test_the_table_holds_on_the_slice() -> None:
    with gzip.open(DATA / "slice.jsonl.gz", "rb") as file:
        rollen = [raw for kind, raw in map(orjson.loads, file) if kind == "rol"]
    with (DATA / "ugly.jsonl").open("rb") as file:
        rollen = rollen[::40] + [raw for kind, raw in map(orjson.loads, file) if kind == "rol"]
    checked = 0
    for raw in rollen:
        try:
            check_rol(raw)
        except Untranslatable:
            continue
        checked += 1
    assert checked > 100


TEXT = st.text(st.sampled_from("aBc -.1é漢"), max_size=12)


@st.composite
def generated(draw: Any) -> dict[str, Any]:
    """A rol of which each text is replaced, or left out, at random."""
    raw: dict[str, Any] = orjson.loads(orjson.dumps(draw(st.sampled_from(EXAMPLES))))

    def change(group: dict[str, Any]) -> None:
        for name, value in group.items():
            if isinstance(value, dict):
                change(value)
            elif isinstance(value, str) and name not in NOT_SAID | {"zaak", "identifierType"}:
                group[name] = draw(st.sampled_from([value, value, "", draw(TEXT)]))

    change(raw)
    return raw


@pytest.mark.rule("M4")
@settings(max_examples=60, deadline=None)
@given(generated())
def test_the_table_holds_on_generated_rollen(raw: dict[str, Any]) -> None:
    check_rol(raw)


def test_what_gave_a_field_is_what_was_used_and_not_what_could_have_been() -> None:
    """A different afwijkendeNaam beside a full name gave nothing, and is not told as a source."""
    raw = rol(1, {"inpBsn": BSN[0], **NAAM}, afwijkendeNaamBetrokkene="Iemand Anders")
    found = why.given(("partij", ""), {"rol": raw}, why.party_maker("zelf", SOURCE, UUIDS, SETTINGS))
    achternaam = found["partijIdentificatie.contactnaam.achternaam"]
    assert [each.field for each in achternaam] == ["rol.betrokkeneIdentificatie.geslachtsnaam"]
    assert "bezoekadres.straatnaam" not in found


def test_every_rule_that_finds_something_has_advice() -> None:
    sources = "".join(path.read_text() for path in Path(why.__file__).parents[1].rglob("*.py"))
    rules = {part.split('"')[1] for part in sources.split("Finding(")[1:] if part.lstrip().startswith('"')}
    rules = {rule for rule in rules if rule.startswith("M")}  # those of write-back have advice of their own
    assert {"M5", "M12", "M30"} <= rules
    assert rules <= advice.RULES.keys()
    assert all(about and text.endswith(".") for about, text in advice.RULES.values())
