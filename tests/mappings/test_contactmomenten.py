"""A contactmoment becomes a klantcontact, with who spoke and what it was about (M32, M34, M40)."""

import random
from dataclasses import replace
from uuid import UUID

import pytest
from builders.earlier_objects import (
    CONTACTMOMENTEN,
    contactmoment,
    earlier_url,
    earlier_uuid,
    klant,
    klantcontactmoment,
    objectcontactmoment,
)
from builders.legacy_objects import SETTINGS, SOURCE, UUIDS, medewerker, rules, said, uuid_of
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings import klantinteracties
from mappings.identity.identity import key_uuid
from mappings.identity.urls import wijst_naar
from mappings.incoming.earlier_standards import (
    load_contactmoment,
    load_klant,
    load_klantcontactmoment,
    load_objectcontactmoment,
    load_zaakcontactmoment,
)
from mappings.model.findings import Untranslatable
from mappings.model.settings import VERTROUWELIJKHEIDAANDUIDINGEN, Kanaal, Settings
from mappings.rules.contactmoment_facts import onbekend_contactmoment, read_contactmoment
from mappings.rules.contactmomenten import (
    Gesprekspartner,
    Omgeving,
    Onderwerpzaak,
    mag_mee,
    translate_contactmoment,
)
from mappings.rules.klantcontacten import zaak_onderwerp
from mappings.rules.klanten import translate_klant

pytestmark = pytest.mark.rule("M40")

CONTACT = UUID(earlier_uuid("contactmoment", 1))
NOBODY = Omgeving()
MEDEWERKER = {
    "identificatie": "mw-1",
    "achternaam": "Balie",
    "voorletters": "B.",
    "voorvoegselAchternaam": "",
}


def read(raw, choices=SETTINGS):
    return read_contactmoment(load_contactmoment(raw), SOURCE, choices)


def translated(raw=None, omgeving=NOBODY, choices=SETTINGS):
    return translate_contactmoment(
        read(raw or contactmoment(), choices).facts, omgeving, SOURCE, UUIDS, choices
    )


def partner(number=1, rol="belanghebbende", *, known=True, **fields):
    """A klant that took part, with the party that it is on its own."""
    made = translate_klant(load_klant(klant(number, **fields)), SOURCE, SETTINGS)
    party = key_uuid(UUIDS, made.claims[0].keys[0]) if known else None
    facts = made.facts if known else {}
    return Gesprekspartner(UUID(earlier_uuid("klant", number)), party, facts, rol == "belanghebbende")


def about(number=1, aanduiding="openbaar"):
    return Onderwerpzaak(UUID(uuid_of("zaak", number)), aanduiding, frozenset({UUID(int=number)}))


def of_kind(made, kind):
    return [each for each in made.documents if each.kind == kind]


@pytest.mark.rule("M9")
def test_a_contactmoment_keeps_its_uuid():
    contact = translated().documents[0]
    assert (contact.kind, contact.uuid) == ("klantcontact", CONTACT)
    assert contact.body["plaatsgevondenOp"] == "2024-01-03T12:00:00Z"
    assert contact.body["kanaal"] == "telefoon"
    assert contact.body["metadata"] == {"bron": SOURCE}
    assert contact.body["indicatieContactGelukt"] is None
    assert contact.body["vertrouwelijk"] is False


@pytest.mark.rule("M2")
def test_onderwerp_is_the_beginning_of_the_text_and_inhoud_all_that_fits():
    short = translated(contactmoment(tekst="Een\nvraag")).documents[0].body
    assert (short["onderwerp"], short["inhoud"]) == ("Een vraag", "Een\nvraag")
    assert translated(contactmoment(tekst="")).documents[0].body["onderwerp"] == "(geen onderwerp)"
    made = translated(contactmoment(tekst="woord " * 170), Omgeving([partner()]))
    assert made.documents[0].body["onderwerp"] == ("woord " * 33).strip()
    assert len(made.documents[0].body["inhoud"]) == 995
    assert rules(made.findings) == [("M40", "tekst", "adjusted")]


@pytest.mark.parametrize(("given_", "taal", "found"), [("eng", "eng", 0), ("", "nld", 0), ("EN", "nld", 1)])
def test_the_language(given_, taal, found):
    made = translated(contactmoment(voorkeurstaal=given_), Omgeving([partner()]))
    assert made.documents[0].body["taal"] == taal
    assert len(made.findings) == found


@pytest.mark.rule("M28")
def test_channels_get_their_configured_name():
    choices = Settings("geheim", kanalen={"telefoon": Kanaal("Telefoon", False)})
    assert translated(choices=choices).documents[0].body["kanaal"] == "Telefoon"
    assert translated(contactmoment(kanaal="")).documents[0].body["kanaal"] == "onbekend"


@pytest.mark.parametrize(
    ("initiatiefnemer", "initiator"), [("klant", True), ("gemeente", False), ("", False), ("onbekend", False)]
)
def test_who_began(initiatiefnemer, initiator):
    choices = Settings("geheim", kanalen={"telefoon": Kanaal("telefoon", False)})
    made = translated(contactmoment(initiatiefnemer=initiatiefnemer), Omgeving([partner()]), choices)
    assert of_kind(made, "betrokkene")[0].body["initiator"] is initiator
    assert len(made.findings) == (initiatiefnemer == "onbekend")


@pytest.mark.rule("M30")
def test_a_klant_becomes_a_betrokkene_that_was_its_party():
    made = translated(omgeving=Omgeving([partner(1, achternaam="Vries", voornaam="Anna")]))
    (betrokkene,) = of_kind(made, "betrokkene")
    assert betrokkene.body["rol"] == "klant"
    assert betrokkene.body["volledigeNaam"] == "Anna Vries"
    url = earlier_url("klant", 1)
    assert betrokkene.links == {
        "wasPartij": [key_uuid(UUIDS, f"url:{url}")],
        "hadKlantcontact": [CONTACT],
    }
    assert made.findings == []


def test_who_only_spoke_is_a_vertegenwoordiger():
    made = translated(omgeving=Omgeving([partner(2, "gesprekspartner"), partner(1)]))
    assert [each.body["rol"] for each in of_kind(made, "betrokkene")] == ["klant", "vertegenwoordiger"]


def test_a_klant_that_is_not_to_be_had_is_a_betrokkene_without_a_party():
    made = translated(omgeving=Omgeving([partner(1, known=False)]))
    (betrokkene,) = of_kind(made, "betrokkene")
    assert "wasPartij" not in betrokkene.links
    assert rules(made.findings) == [("M40", "klant", "dropped")]


def test_a_contactmoment_without_a_klant_says_so():
    assert rules(translated().findings) == [("M40", "klant", "info")]


@pytest.mark.rule("M29")
def test_a_zaak_is_its_subject():
    made = translated(omgeving=Omgeving([partner()], [about(2), about(1)]))
    subjects = [each.body["onderwerpobjectidentificator"] for each in of_kind(made, "onderwerpobject")]
    assert [each["objectId"] for each in subjects] == [uuid_of("zaak", 1), uuid_of("zaak", 2)]
    assert subjects[0] | {"objectId": ""} == {
        "objectId": "",
        "codeObjecttype": "zgw-Zaak",
        "codeRegister": "openzaak",
        "codeSoortObjectId": "uuid",
    }
    assert of_kind(made, "onderwerpobject")[0].sources == {CONTACT, UUID(int=1)}


@pytest.mark.rule("M28")
def test_it_is_vertrouwelijk_by_the_most_confidential_of_its_zaken():
    for aanduiding in VERTROUWELIJKHEIDAANDUIDINGEN:
        made = translated(omgeving=Omgeving([], [about(1), about(2, aanduiding)]))
        secret = VERTROUWELIJKHEIDAANDUIDINGEN.index(aanduiding) >= 4
        assert made.documents[0].body["vertrouwelijk"] is secret


@pytest.mark.rule("M34")
def test_one_zaak_that_is_too_confidential_leaves_a_contactmoment_out():
    assert mag_mee([], "openbaar")
    assert mag_mee(["openbaar", "intern"], "intern")
    assert not mag_mee(["openbaar", "geheim"], "intern")


def test_an_earlier_contactmoment_is_a_subject_too():
    raw = contactmoment(vorigContactmoment=earlier_url("contactmoment", 2))
    made = translated(raw, Omgeving([partner()], vorig_bekend=True))
    (subject,) = of_kind(made, "onderwerpobject")
    assert subject.links == {
        "klantcontact": [CONTACT],
        "wasKlantcontact": [UUID(earlier_uuid("contactmoment", 2))],
    }
    assert set(subject.body["onderwerpobjectidentificator"].values()) == {""}
    unknown = translated(raw, Omgeving([partner()]))
    assert of_kind(unknown, "onderwerpobject") == []
    assert rules(unknown.findings) == [("M40", "vorigContactmoment", "dropped")]
    itself = contactmoment(vorigContactmoment=earlier_url("contactmoment", 1))
    assert of_kind(translated(itself, Omgeving(vorig_bekend=True)), "onderwerpobject") == []


@pytest.mark.rule("M27")
def test_its_medewerker_is_the_actor_of_rollen_with_that_identificatie():
    made = read(contactmoment(medewerkerIdentificatie=MEDEWERKER))
    (claim,) = made.claims
    assert claim.keys == said(medewerker(1, "mw-1")).claims[0].keys
    assert claim.naam == "B. Balie"
    assert claim.rol == CONTACT
    by_url = read(contactmoment(medewerker="https://organisatie.example/medewerkers/1"))
    assert by_url.claims[0].keys == [
        f"actor-url:medewerker|{SOURCE}|https://organisatie.example/medewerkers/1"
    ]
    assert read(contactmoment()).claims == []
    assert read(contactmoment(medewerkerIdentificatie=dict.fromkeys(MEDEWERKER, ""))).claims == []


@pytest.mark.rule("M31")
def test_the_actor_is_tied_to_the_klantcontact():
    actor, other = UUIDS.derive("actor", "1"), UUIDS.derive("actor", "2")
    made = translated(omgeving=Omgeving(actor=actor, actor_uuids=frozenset({other})))
    (tie,) = of_kind(made, "actorklantcontact")
    assert tie.links == {"actor": [actor], "klantcontact": [CONTACT]}
    assert tie.other_uuids == (UUIDS.derive("actorklantcontact", str(CONTACT), str(other)),)


@pytest.mark.rule("M36")
def test_fields_without_a_place_are_named():
    raw = contactmoment(
        bronorganisatie="002220647",
        voorkeurskanaal="brief",
        onderwerpLinks=["https://voorbeeld.example/product"],
    )
    assert read(raw).zonder_plaats == ["bronorganisatie", "voorkeurskanaal", "onderwerpLinks"]


def test_addresses_without_a_uuid_are_told_and_skipped():
    made = read(contactmoment(klant="https://klanten.example/x", vorigContactmoment="https://y.example/z/"))
    assert (made.facts["klant"], made.facts["vorig"]) == ("", "")
    assert rules(made.findings) == [("M40", "klant", "dropped"), ("M40", "vorigContactmoment", "dropped")]


def test_the_ties_are_read_by_the_uuids_in_them():
    tie = load_klantcontactmoment(klantcontactmoment(1, 2, 3, "gesprekspartner"))
    assert tie == {
        "uuid": earlier_uuid("klantcontactmoment", 1),
        "contactmoment": earlier_uuid("contactmoment", 2),
        "klant": earlier_uuid("klant", 3),
        "rol": "gesprekspartner",
    }
    about_zaak = load_objectcontactmoment(objectcontactmoment(1, 2, 3))
    assert (about_zaak["contactmoment"], about_zaak["object_uuid"], about_zaak["objectType"]) == (
        earlier_uuid("contactmoment", 2),
        uuid_of("zaak", 3),
        "zaak",
    )
    assert load_objectcontactmoment({**objectcontactmoment(1, 2, 3), "object": "urn:x"})["object_uuid"] == ""


@pytest.mark.rule("M3")
@pytest.mark.parametrize(
    ("load", "raw"),
    [
        (load_contactmoment, contactmoment(registratiedatum=None)),
        (load_contactmoment, contactmoment(url="https://contacten.example/geen-uuid")),
        (load_klantcontactmoment, {**klantcontactmoment(1, 1, 1), "rol": "vriend"}),
        (load_klantcontactmoment, {**klantcontactmoment(1, 1, 1), "klant": ""}),
        (load_objectcontactmoment, {**objectcontactmoment(1, 1, 1), "contactmoment": None}),
        (
            load_zaakcontactmoment,
            {"url": earlier_url("zaakcontactmoment", 1), "zaak": "", "contactmoment": "x"},
        ),
    ],
)
def test_what_can_not_be_read_goes_to_quarantine(load, raw):
    with pytest.raises(Untranslatable) as refused:
        load(raw)
    assert "example" not in refused.value.reason


@pytest.mark.rule("M32")
def test_where_the_contactmoment_of_a_zaakcontactmoment_is():
    bases = {"bron": f"{CONTACTMOMENTEN}/", "hier": "https://klantbrug.example"}
    uuid = earlier_uuid("contactmoment", 1)
    assert wijst_naar(earlier_url("contactmoment", 1), bases) == ("bron", CONTACT)
    assert wijst_naar(earlier_url("contactmoment", 1).replace("https", "http"), bases)[0] == "bron"
    here = f"https://klantbrug.example/klantinteracties/api/v1/klantcontacten/{uuid}"
    assert wijst_naar(here, bases) == ("hier", CONTACT)
    assert wijst_naar(here, {**bases, "hier": ""}) == ("", None)
    for elsewhere in (
        f"https://elders.example/contactmomenten/{uuid}",
        f"{CONTACTMOMENTEN}-oud/contactmomenten/{uuid}",
        f"{CONTACTMOMENTEN}/contactmomenten/een",
        "http://[",
        "",
    ):
        assert wijst_naar(elsewhere, bases) == ("", None)
    assert onbekend_contactmoment().rule == "M32"


@pytest.mark.rule("M32")
def test_a_klantcontact_of_this_gateway_gets_the_same_subject_as_any():
    zaak = about(1)
    alone = zaak_onderwerp(CONTACT, str(zaak.uuid), 5, UUIDS, SETTINGS, zaak.sources)
    made = translated(omgeving=Omgeving([], [about(1)]))
    assert (alone.uuid, alone.body, alone.links) == (
        made.documents[1].uuid,
        made.documents[1].body,
        made.documents[1].links,
    )
    assert made.documents[1].sources == {CONTACT, *alone.sources}


@pytest.mark.rule("M42")
@given(st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_what_hangs_on_it_does_not_matter(random_: random.Random):
    partners, zaken = [partner(number) for number in range(1, 5)], [about(number) for number in range(1, 4)]
    expected = translated(omgeving=Omgeving(partners, zaken)).documents
    random_.shuffle(partners)
    random_.shuffle(zaken)
    assert translated(omgeving=Omgeving(partners, zaken)).documents == expected


TEXT = st.text(max_size=40) | st.sampled_from(["", "é" * 60, "woord " * 300, "x" * 1200, "NLD", "fry"])
FIELDS = (
    "kanaal",
    "voorkeurskanaal",
    "voorkeurstaal",
    "tekst",
    "initiatiefnemer",
    "klant",
    "vorigContactmoment",
)


@pytest.mark.rule("M1")
@pytest.mark.rule("M2")
@given(st.fixed_dictionaries(dict.fromkeys(FIELDS, TEXT)), st.booleans())
@settings(max_examples=80, deadline=None)
def test_any_contactmoment_becomes_what_our_own_api_would_take(fields, followed):
    raw = contactmoment(**fields)
    omgeving = Omgeving([partner()], [about()], vorig_bekend=followed)
    made = translated(raw, omgeving)
    assert made == translated(raw, replace(omgeving))
    for document in made.documents:
        body = {name: value for name, value in document.body.items() if name != "volledigeNaam"}
        klantinteracties.load(document.kind, body, partial=True)
    loaded = load_contactmoment(raw)
    shown, named = made.documents[0].body, {found.field for found in made.findings}
    assert loaded["tekst"] == shown["inhoud"] or "tekst" in named
    assert loaded["voorkeurstaal"] in ("", shown["taal"]) or "voorkeurstaal" in named
    assert loaded["kanaal"] in ("", shown["kanaal"]) or "kanaal" in named
