"""What a Zaken API sends, in all its versions and with all its faults (M3, M34)."""

import gzip
import json
from datetime import UTC, datetime

import pytest
from builders.paths import DATA
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from mappings.incoming.zaken import _ROLLEN, load_klantcontact, load_rol, load_zaak
from mappings.model.findings import Untranslatable

BASE = "http://zaken.example/zaken/api/v1/"
ZAAK = "2e954df3-161e-4f15-b13f-50a86ad97a56"
OWN = "0fcd935e-072e-42d6-ad1d-2990b47cea32"
SLICE = DATA / "slice.jsonl.gz"


def rol(soort="natuurlijk_persoon", identificatie=None, **fields):
    return {
        "url": f"{BASE}rollen/{OWN}",
        "uuid": OWN,
        "zaak": f"{BASE}zaken/{ZAAK}",
        "betrokkene": "",
        "betrokkeneType": soort,
        "omschrijvingGeneriek": "initiator",
        "roltoelichting": "",
        "registratiedatum": "2025-10-11T13:55:58.262472Z",
        "indicatieMachtiging": "",
        "betrokkeneIdentificatie": identificatie,
    } | fields


def klantcontact(**fields):
    return {
        "url": f"{BASE}klantcontacten/{OWN}",
        "uuid": OWN,
        "zaak": f"{BASE}zaken/{ZAAK}",
        "identificatie": "KnhPdpjNYGgM",
        "datumtijd": "2025-07-01T10:00:00Z",
        "kanaal": "telefoon",
        "onderwerp": "",
        "toelichting": "",
    } | fields


def zaak(**fields):
    return {
        "url": f"{BASE}zaken/{ZAAK}",
        "uuid": ZAAK,
        "identificatie": "ZAAK-2020-1",
        "zaaktype": "http://zaken.example/catalogi/api/v1/zaaktypen/79b3d138-ac6a-4c53-92a1-d70c62335ecd",
        "vertrouwelijkheidaanduiding": "openbaar",
        "registratiedatum": "2020-02-01",
    } | fields


def micros(*moment):
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.fixture(scope="module")
def slice_objects():
    with gzip.open(SLICE, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.slow
def test_every_object_of_the_slice_loads(slice_objects):
    loaders = {"rol": load_rol, "zaak": load_zaak, "klantcontact": load_klantcontact}
    loaded = [(kind, raw, loaders[kind](raw)) for kind, raw in slice_objects if kind in loaders]
    assert len(loaded) == 3485 + 1174 + 755
    assert all(ours["uuid"] == raw["uuid"] for _, raw, ours in loaded)
    assert all(raw["zaak"].endswith(ours["zaak_uuid"]) for kind, raw, ours in loaded if kind != "zaak")


def test_a_rol_of_version_1_0_has_the_fields_of_later_versions_as_blanks():
    loaded = load_rol(rol("vestiging", {"vestigingsNummer": "000012345678", "handelsnaam": None}))
    assert loaded["contactpersoonRol"] == {"emailadres": "", "functie": "", "telefoonnummer": "", "naam": ""}
    assert loaded["afwijkendeNaamBetrokkene"] == ""
    assert (loaded["beginGeldigheid"], loaded["eindeGeldigheid"]) == ("", "")
    assert loaded["authenticatieContext"] is None
    assert loaded["betrokkeneIdentificatie"] == {
        "vestigingsNummer": "000012345678",
        "handelsnaam": [],
        "kvkNummer": "",
        "verblijfsadres": None,
        "subVerblijfBuitenland": None,
    }


def test_a_rol_with_only_a_url_has_no_identificatie():
    assert load_rol(rol(betrokkene="https://klanten.example/1"))["betrokkeneIdentificatie"] is None


def test_text_loses_outer_blanks_and_control_characters_but_no_words():
    name = "  Jan\x00\u0007 Piet\r\nHein\ud800 "
    loaded = load_rol(rol(identificatie={"voornamen": name}, roltoelichting=" regel 1\r\n\tregel\x00 2\r "))
    assert loaded["betrokkeneIdentificatie"]["voornamen"] == "Jan Piet Hein"
    assert loaded["roltoelichting"] == "regel 1\n\tregel 2"


def test_blank_handelsnamen_are_left_out():
    loaded = load_rol(rol("vestiging", {"handelsnaam": ["", " ", None, " Bakkerij "]}))
    assert loaded["betrokkeneIdentificatie"]["handelsnaam"] == ["Bakkerij"]


def test_numbers_that_come_as_json_integers_become_text():
    person = load_rol(
        rol(
            identificatie={
                "inpBsn": 12345678,
                "inpA_nummer": 1234567890,
                "verblijfsadres": {"aoaHuisnummer": 12, "aoaPostcode": "1234AB"},
            }
        )
    )["betrokkeneIdentificatie"]
    assert (person["inpBsn"], person["inpA_nummer"]) == ("12345678", "1234567890")
    assert person["verblijfsadres"]["aoaHuisnummer"] == "12"
    company = load_rol(rol("niet_natuurlijk_persoon", {"innNnpId": 123456782, "kvkNummer": 12345678}))
    assert company["betrokkeneIdentificatie"]["innNnpId"] == "123456782"
    assert company["betrokkeneIdentificatie"]["kvkNummer"] == "12345678"


def test_the_uuid_is_the_end_of_the_url_when_it_is_not_given_apart():
    raw = klantcontact(url=f"{BASE}klantcontacten/{OWN.upper()}/")
    del raw["uuid"]
    assert load_klantcontact(raw)["uuid"] == OWN
    assert load_klantcontact(raw)["zaak_uuid"] == ZAAK


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-07-01T10:00:00Z", micros(2025, 7, 1, 10)),
        ("2025-07-01T10:00:00.000250Z", micros(2025, 7, 1, 10) + 250),
        ("2025-07-01T12:00:00+02:00", micros(2025, 7, 1, 10)),
        pytest.param("2025-07-01T12:00:00", micros(2025, 7, 1, 10), id="Dutch summer time"),
        pytest.param("2025-01-01 11:00", micros(2025, 1, 1, 10), id="Dutch winter time"),
        pytest.param("2025-07-01", micros(2025, 7, 1), id="a date is midnight UTC"),
        pytest.param("1969-12-31T23:59:59Z", -1_000_000, id="before the epoch"),
    ],
)
def test_moments_are_microseconds_since_the_epoch(text, moment):
    assert load_klantcontact(klantcontact(datumtijd=text))["datumtijd"] == moment
    assert load_zaak(zaak(registratiedatum=text))["registratiedatum"] == moment


@pytest.mark.rule("M3")
@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        "gisteren",
        "2025-02-30",
        "2025-07-01T25:00:00Z",
        "2025-W01-1",
        "20250701",
        "0001-02-01",
        1,
        [],
    ],
)
def test_a_moment_that_is_none_sends_the_object_to_quarantine(text):
    with pytest.raises(Untranslatable, match=r"^datumtijd "):
        load_klantcontact(klantcontact(datumtijd=text))


@pytest.mark.rule("M3")
@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (rol(identificatie={"geslachtsnaam": 7}), "betrokkeneIdentificatie.geslachtsnaam"),
        (rol(identificatie={"inpBsn": True}), "betrokkeneIdentificatie.inpBsn"),
        (rol(identificatie={"inpBsn": 10**400}), "betrokkeneIdentificatie.inpBsn"),
        (rol(identificatie="Jan"), "betrokkeneIdentificatie"),
        (rol(identificatie={"verblijfsadres": "Kade 9"}), "betrokkeneIdentificatie.verblijfsadres"),
        (
            rol(identificatie={"verblijfsadres": {"aoaHuisnummer": 1.5}}),
            "betrokkeneIdentificatie.verblijfsadres.aoaHuisnummer",
        ),
        (rol("vestiging", {"handelsnaam": "Bakkerij"}), "betrokkeneIdentificatie.handelsnaam"),
        (rol("vestiging", {"handelsnaam": [1]}), "betrokkeneIdentificatie.handelsnaam"),
        (rol(contactpersoonRol=[]), "contactpersoonRol"),
        (rol(contactpersoonRol={"naam": {}}), "contactpersoonRol.naam"),
        (rol(authenticatieContext="digid"), "authenticatieContext"),
        (rol(soort="geautomatiseerd"), "betrokkeneType"),
        (rol(soort=None), "betrokkeneType"),
        (rol(soort=["medewerker"]), "betrokkeneType"),
        (rol(registratiedatum=None), "registratiedatum"),
        (rol(zaak=""), "zaak"),
        (rol(zaak=f"{BASE}zaken/1"), "zaak"),
        (rol(uuid="1"), "uuid"),
        (rol(uuid=None, url=None), "uuid"),
    ],
)
def test_a_wrong_rol_goes_to_quarantine_by_the_name_of_the_field(raw, field):
    with pytest.raises(Untranslatable) as caught:
        load_rol(raw)
    assert caught.value.reason.startswith(field + " ")


@pytest.mark.rule("M3")
def test_the_reason_names_all_wrong_fields_and_no_value():
    raw = rol(
        identificatie={"geslachtsnaam": 7, "voornamen": {"geheim": "Janneke"}}, registratiedatum="Janneke"
    )
    with pytest.raises(Untranslatable) as caught:
        load_rol(raw)
    assert caught.value.reason == (
        "betrokkeneIdentificatie.geslachtsnaam is geen tekst; "
        "betrokkeneIdentificatie.voornamen is geen tekst; "
        "registratiedatum is geen datum of tijdstip"
    )
    assert caught.value.__context__ is None and caught.value.__cause__ is None


@pytest.mark.rule("M34")
@pytest.mark.parametrize("level", ["", None, "onbekend", "OPENBAAR", 1])
def test_a_zaak_whose_vertrouwelijkheidaanduiding_cannot_be_judged_is_never_served(level):
    with pytest.raises(Untranslatable, match=r"^vertrouwelijkheidaanduiding "):
        load_zaak(zaak(vertrouwelijkheidaanduiding=level))


@pytest.mark.rule("M3")
@pytest.mark.parametrize("load", [load_zaak, load_rol, load_klantcontact])
@pytest.mark.parametrize("raw", [None, [], "tekst", 1, {}])
def test_what_is_no_object_at_all_goes_to_quarantine(load, raw):
    with pytest.raises(Untranslatable):
        load(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


ANY_ROL = (
    st.sampled_from(["natuurlijk_persoon", "niet_natuurlijk_persoon", "vestiging", "medewerker"]),
    st.dictionaries(
        st.sampled_from(["inpBsn", "geslachtsnaam", "handelsnaam", "verblijfsadres", "identificatie"]), JSON
    ),
    st.dictionaries(st.sampled_from([*rol(), "contactpersoonRol", "authenticatieContext"]), JSON, max_size=3),
)


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(*ANY_ROL)
def test_reading_fast_is_reading_as_marshmallow_does(soort, identificatie, fields):
    raw, schema = rol(soort, identificatie) | fields, _ROLLEN[soort]
    try:
        expected = schema.load(raw)
    except ValidationError:
        with pytest.raises(ValidationError):
            schema.read(raw)
    else:
        assert schema.read(raw) == expected


@pytest.mark.slow
@pytest.mark.rule("M3")
@settings(deadline=None, max_examples=300)
@given(*ANY_ROL)
def test_any_json_is_loaded_or_refused_and_loading_twice_gives_the_same(soort, identificatie, fields):
    raw = rol(soort, identificatie) | fields
    try:
        loaded = load_rol(raw)
    except Untranslatable as refusal:
        assert refusal.reason
        return
    again = load_rol(raw | loaded | {"registratiedatum": raw["registratiedatum"]})
    assert again == loaded
