"""A klantcontact with its zaak and the rollen of that zaak (M28-M31, M34, M42)."""

import random
from uuid import UUID

import pytest
from builders.legacy_objects import (
    BSN,
    KVK,
    RSIN,
    SETTINGS,
    SOURCE,
    UUIDS,
    klantcontact,
    medewerker,
    organisatie,
    party,
    persoon,
    rol,
    rol_uuid,
    rules,
    said,
    uuid_of,
    zaak,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.model.settings import VERTROUWELIJKHEIDAANDUIDINGEN, Kanaal, Settings, ZaakCodes
from mappings.rules.klantcontacten import Deelnemer, moment_text, too_confidential, translate_klantcontact
from mappings.translate import translate

CONTACT = UUID(uuid_of("klantcontact", 1))
ZAAK = uuid_of("zaak", 1)


def deelnemer(raw, *others):
    """A rol with the party or actor that it is on its own."""
    uuid = party([raw]).documents[0].uuid
    return Deelnemer(UUID(raw["uuid"]), uuid, said(raw).facts, frozenset(others))


def translated(*rollen, contact=None, of=None, settings=SETTINGS):
    """The documents of a klantcontact: its own of kind klantcontact, and lists of the others."""
    facts = translate("klantcontact", contact or klantcontact(1), SOURCE, settings).facts
    zaak_facts = translate("zaak", of or zaak(1), SOURCE, settings).facts
    deelnemers = [each if isinstance(each, Deelnemer) else deelnemer(each) for each in rollen]
    return translate_klantcontact(facts, zaak_facts, deelnemers, SOURCE, UUIDS, settings)


def own(made):
    return made.documents[0].body


def of_kind(made, kind):
    return [each for each in made.documents if each.kind == kind]


# M28


@pytest.mark.rule("M28")
def test_a_klantcontact_keeps_its_uuid_and_its_words():
    made = translated()
    assert (made.documents[0].kind, made.documents[0].uuid) == ("klantcontact", CONTACT)
    assert own(made) == {
        "nummer": None,
        "referentienummer": None,
        "kanaal": "Telefoon",
        "onderwerp": "Vraag",
        "inhoud": "Hoe lang duurt het nog?",
        "reactie": "",
        "indicatieContactGelukt": None,
        "hoofdOnderwerpType": "https://catalogi.example/zaaktypen/1",
        "verdereActieOndernomen": False,
        "taal": "nld",
        "vertrouwelijk": False,
        "plaatsgevondenOp": "2024-01-02T12:00:00Z",
        "metadata": {"bron": "bron", "identificatie": "KC1", "zaak": "ZAAK-1"},
    }


@pytest.mark.rule("M28")
def test_what_is_blank_gets_a_word_where_the_standard_wants_one():
    made = translated(contact=klantcontact(1, kanaal="", onderwerp=None, toelichting=""))
    assert (own(made)["kanaal"], own(made)["onderwerp"], own(made)["inhoud"]) == (
        "onbekend",
        "(geen onderwerp)",
        "",
    )


@pytest.mark.rule("M28")
def test_the_channel_goes_through_the_table_of_the_configuration():
    chosen = Settings("openbaar", kanalen={"Telefoon": Kanaal("telefoon", initiator=False)})
    assert own(translated(settings=chosen))["kanaal"] == "telefoon"
    other = translated(contact=klantcontact(1, kanaal="Balie"), settings=chosen)
    assert own(other)["kanaal"] == "Balie"


@pytest.mark.rule("M28")
@pytest.mark.parametrize("aanduiding", VERTROUWELIJKHEIDAANDUIDINGEN)
def test_a_contact_is_vertrouwelijk_from_that_aanduiding_upwards(aanduiding):
    secret = aanduiding in ("vertrouwelijk", "confidentieel", "geheim", "zeer_geheim")
    assert own(translated(of=zaak(1, aanduiding)))["vertrouwelijk"] is secret


@pytest.mark.rule("M28")
@pytest.mark.parametrize(
    ("field", "legacy", "limit"),
    [("kanaal", "kanaal", 50), ("onderwerp", "onderwerp", 200), ("inhoud", "toelichting", 1000)],
)
def test_what_is_too_long_is_cut_at_a_word_with_a_finding(field, legacy, limit):
    made = translated(contact=klantcontact(1, **{legacy: "lang " * 300}))
    assert limit - 5 <= len(own(made)[field]) <= limit
    assert own(made)[field].endswith("lang")
    assert ("M28", legacy, "adjusted") in rules(made.findings)


@pytest.mark.rule("M28")
def test_a_zaaktype_that_is_too_long_is_left_out_with_a_finding():
    made = translated(of=zaak(1, zaaktype="https://x.example/" + "a" * 200))
    assert own(made)["hoofdOnderwerpType"] == ""
    assert ("M28", "zaaktype", "dropped") in rules(made.findings)


@pytest.mark.rule("M28")
def test_an_identificatie_that_is_too_long_is_cut_with_a_finding():
    made = translated(contact=klantcontact(1, identificatie="x" * 300), of=zaak(1, identificatie="y" * 300))
    assert {len(own(made)["metadata"][name]) for name in ("identificatie", "zaak")} == {255}
    assert [found for found in rules(made.findings) if found[1] == "identificatie"] == [
        ("M28", "identificatie", "adjusted")
    ] * 2


@pytest.mark.rule("M28")
def test_a_moment_is_written_in_utc_with_decimals_only_where_it_has_them():
    assert moment_text(0) == "1970-01-01T00:00:00Z"
    assert moment_text(1_704_067_200_000_001) == "2024-01-01T00:00:00.000001Z"


# M29


@pytest.mark.rule("M29")
def test_a_contact_is_about_its_zaak():
    (made,) = of_kind(translated(), "onderwerpobject")
    assert made.uuid == UUIDS.derive("onderwerpobject", str(CONTACT), ZAAK)
    assert made.body == {
        "onderwerpobjectidentificator": {
            "objectId": ZAAK,
            "codeObjecttype": "zgw-Zaak",
            "codeRegister": "openzaak",
            "codeSoortObjectId": "uuid",
        }
    }
    assert made.links == {"klantcontact": [CONTACT]}


@pytest.mark.rule("M29")
def test_the_codes_of_a_zaak_are_a_choice():
    chosen = Settings(
        "openbaar", zaak_codes=(ZaakCodes("zaak", "zrc", "id"), ZaakCodes("zgw-Zaak", "openzaak"))
    )
    (made,) = of_kind(translated(settings=chosen), "onderwerpobject")
    assert list(made.body["onderwerpobjectidentificator"].values()) == [ZAAK, "zaak", "zrc", "id"]


# M30


@pytest.mark.rule("M30")
def test_the_initiator_of_the_zaak_is_a_betrokkene_of_its_contacts():
    initiator = persoon(1, BSN[0], naam="Dijk", generiek="initiator")
    (made,) = of_kind(translated(initiator, persoon(2, BSN[1], generiek="belanghebbende")), "betrokkene")
    assert made.uuid == UUIDS.derive("betrokkene", str(CONTACT), str(rol_uuid(1)))
    assert made.links == {"wasPartij": [party([initiator]).documents[0].uuid], "hadKlantcontact": [CONTACT]}
    assert made.body["contactnaam"]["achternaam"] == made.body["volledigeNaam"] == "Dijk"
    assert (made.body["rol"], made.body["initiator"], made.body["organisatienaam"]) == ("klant", True, "")
    assert made.sources == {CONTACT, rol_uuid(1)}


@pytest.mark.rule("M30")
def test_which_rollen_are_betrokkenen_is_a_choice():
    chosen = Settings("openbaar", klantcontact_betrokkenen=("initiator", "belanghebbende"))
    rollen = [persoon(1, BSN[0], generiek="initiator"), persoon(2, BSN[1]), persoon(3, generiek="adviseur")]
    assert len(of_kind(translated(*rollen, settings=chosen), "betrokkene")) == 2


@pytest.mark.rule("M30")
def test_a_gemachtigde_is_a_vertegenwoordiger():
    raw = persoon(1, BSN[0], generiek="initiator", indicatieMachtiging="gemachtigde")
    assert of_kind(translated(raw), "betrokkene")[0].body["rol"] == "vertegenwoordiger"


@pytest.mark.rule("M30")
def test_an_organisation_is_a_betrokkene_by_its_contactpersoon_and_its_own_name():
    raw = organisatie(1, "Voorbeeld B.V.", rsin=RSIN[0], generiek="initiator", contact={"naam": "A. Contact"})
    body = of_kind(translated(raw), "betrokkene")[0].body
    assert (body["volledigeNaam"], body["organisatienaam"]) == ("A. Contact", "Voorbeeld B.V.")


@pytest.mark.rule("M30")
def test_who_began_the_contact_follows_from_the_channel_and_is_one_finding_for_the_source():
    chosen = Settings("openbaar", kanalen={"Telefoon": Kanaal("telefoon", initiator=False)})
    made = translated(persoon(1, BSN[0], generiek="initiator"), settings=chosen)
    assert of_kind(made, "betrokkene")[0].body["initiator"] is False
    assert rules(made.source_findings) == [("M30", "klantcontact", "info")]
    assert made.findings == []


@pytest.mark.rule("M30")
def test_a_contact_of_a_zaak_without_rollen_has_no_betrokkene_and_a_finding():
    made = translated()
    assert [each.kind for each in made.documents] == ["klantcontact", "onderwerpobject"]
    assert rules(made.findings) == [("M30", "rollen", "info")]
    assert made.source_findings == []


# M31


@pytest.mark.rule("M31")
def test_a_klantcontacter_of_the_staff_is_an_actor_once():
    first, second = (
        medewerker(1, generiek="klantcontacter", on=5),
        medewerker(2, generiek="klantcontacter", on=1),
    )
    (made,) = of_kind(translated(first, second), "actorklantcontact")
    actor = party([first]).documents[0].uuid
    assert made.uuid == UUIDS.derive("actorklantcontact", str(CONTACT), str(actor))
    assert made.links == {"actor": [actor], "klantcontact": [CONTACT]}
    assert made.sources == {CONTACT, rol_uuid(1), rol_uuid(2)}


@pytest.mark.rule("M31")
def test_a_behandelaar_is_no_actor_of_the_contact():
    assert of_kind(translated(medewerker(1, generiek="behandelaar")), "actorklantcontact") == []


@pytest.mark.rule("M31")
def test_a_klantcontacter_that_is_a_party_is_a_betrokkene_whatever_was_chosen():
    chosen = Settings("openbaar", klantcontact_betrokkenen=())
    made = translated(
        persoon(1, BSN[0], generiek="klantcontacter"),
        persoon(2, BSN[1], generiek="initiator"),
        settings=chosen,
    )
    (betrokkene,) = of_kind(made, "betrokkene")
    assert rol_uuid(1) in betrokkene.sources
    assert of_kind(made, "actorklantcontact") == []


@pytest.mark.rule("M6")
def test_a_link_to_an_actor_made_under_its_other_key_still_resolves():
    other = UUID(int=1)
    made = translated(deelnemer(medewerker(1, generiek="klantcontacter"), other))
    (link,) = of_kind(made, "actorklantcontact")
    assert link.other_uuids == (UUIDS.derive("actorklantcontact", str(CONTACT), str(other)),)


# M34, M42, M1


@pytest.mark.rule("M34")
def test_only_zaken_above_the_maximum_are_too_confidential():
    order = VERTROUWELIJKHEIDAANDUIDINGEN
    assert [each for each in order if too_confidential(each, "intern")] == list(order[3:])
    assert not any(too_confidential(each, "zeer_geheim") for each in order)


@pytest.mark.rule("M42")
def test_a_contact_sorts_on_when_it_was_and_a_betrokkene_on_its_oldest_object():
    old, new = persoon(1, BSN[0], generiek="initiator", on=1), persoon(2, BSN[1], generiek="initiator", on=9)
    made = translated(old, new)
    (contact,) = of_kind(made, "klantcontact")
    assert contact.moment == contact.created == of_kind(made, "onderwerpobject")[0].created
    created = {min(each.sources - {CONTACT}): each.created for each in of_kind(made, "betrokkene")}
    assert created[rol_uuid(1)] < contact.moment
    assert created[rol_uuid(2)] == contact.moment


GENERIEK = st.sampled_from(["initiator", "klantcontacter", "behandelaar"])
MAKERS = st.sampled_from(
    [
        lambda number, **rest: persoon(number, BSN[0], **rest),
        lambda number, **rest: organisatie(number, kvk=KVK[0], **rest),
        lambda number, **rest: medewerker(number, "mw-1", **rest),
        lambda number, **rest: medewerker(number, "mw-2", **rest),
        lambda number, **rest: rol(number, None, "organisatorische_eenheid", **rest),
    ]
)


@pytest.mark.slow
@pytest.mark.rule("M1")
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(MAKERS, GENERIEK, st.integers(1, 5)), max_size=6), st.randoms(use_true_random=False)
)
def test_the_order_of_the_rollen_never_matters(parts, dice: random.Random):
    rollen = [
        make(number, generiek=generiek, on=on) for number, (make, generiek, on) in enumerate(parts, start=1)
    ]
    made, again = translated(*rollen), translated(*dice.sample(rollen, len(rollen)))
    assert made == again
    uuids = [each.uuid for each in made.documents]
    assert len(set(uuids)) == len(uuids)
