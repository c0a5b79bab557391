"""Who is this? Identity keys, the sets that they form, and derived uuids (M5-M9)."""

import hashlib
import hmac
import random
from uuid import UUID

import pytest
from builders.legacy_objects import (
    BSN,
    BSN_WITH_ZERO,
    KVK,
    NO_BSN,
    RSIN,
    SECRET,
    UUIDS,
    VESTIGING,
    claim,
    medewerker,
    organisatie,
    persoon,
    rol,
    rol_uuid,
    said,
    vestiging,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.identity.identity import Ouder, Uuids, conflicting, key_sets, key_uuid, place, prefix

URL = "https://personen.example/1"


def keys_of(raw):
    return claim(raw).keys


def sets(*claims, soort="persoon"):
    """The sets of these claims as (members, keys)."""
    return sorted((each.members, each.keys) for each in key_sets(claims, [soort] * len(claims)))


# M5: the keys of one rol


@pytest.mark.rule("M5")
def test_a_person_is_known_by_bsn_then_a_nummer_then_anp_then_url():
    identificatie = {"inpBsn": BSN[0], "inpA_nummer": "9000000011", "anpIdentificatie": "ANP-7"}
    assert keys_of(rol(1, identificatie, url=URL)) == [
        f"brp:bsn:{BSN[0]}",
        "brp:anr:9000000011",
        "anp:bron:ANP-7",
        f"url:{URL}",
    ]


@pytest.mark.rule("M5")
def test_a_bsn_of_eight_digits_is_the_same_person_as_with_its_leading_zero():
    assert keys_of(persoon(1, BSN_WITH_ZERO[1:])) == keys_of(persoon(2, BSN_WITH_ZERO))
    assert keys_of(persoon(3, int(BSN_WITH_ZERO))) == [f"brp:bsn:{BSN_WITH_ZERO}"]


@pytest.mark.rule("M5")
def test_an_organisation_is_known_by_rsin_then_kvk_then_ann_then_url():
    raw = organisatie(1, rsin=RSIN[0], kvk=KVK[0], ann="ANN-9", url=URL)
    assert keys_of(raw) == [f"hr:rsin:{RSIN[0]}", f"hr:kvk:{KVK[0]}", "ann:bron:ANN-9", f"url:{URL}"]


@pytest.mark.rule("M5")
def test_eight_digits_in_inn_nnp_id_are_a_kvk_number():
    assert keys_of(organisatie(1, rsin=KVK[0])) == [f"hr:kvk:{KVK[0]}"]


@pytest.mark.rule("M5")
def test_an_organisation_with_a_vestigingsnummer_is_a_vestiging_with_one_key_and_a_parent():
    own, parent = said(organisatie(1, rsin=RSIN[0], kvk=KVK[0], vestiging=VESTIGING[0], url=URL)).claims
    assert (own.soort, own.keys) == ("vestiging", [f"hr:vestiging:{VESTIGING[0]}"])
    assert (parent.soort, parent.keys) == ("organisatie", [f"hr:rsin:{RSIN[0]}", f"hr:kvk:{KVK[0]}"])


@pytest.mark.rule("M5")
def test_a_vestiging_is_known_by_its_number_then_url_and_its_parent_by_the_kvk_number():
    own, parent = said(vestiging(1, VESTIGING[0], KVK[0], url=URL)).claims
    assert own.keys == [f"hr:vestiging:{VESTIGING[0]}", f"url:{URL}"]
    assert parent.keys == [f"hr:kvk:{KVK[0]}"]


@pytest.mark.rule("M5")
def test_a_url_alone_is_a_key_and_a_rol_with_nothing_is_its_own():
    assert keys_of(rol(1, None, url=URL)) == [f"url:{URL}"]
    for soort in ("natuurlijk_persoon", "niet_natuurlijk_persoon", "vestiging"):
        assert keys_of(rol(1, None, soort)) == [f"rol:{rol_uuid(1)}"]


@pytest.mark.rule("M5")
def test_keys_sort_highest_first():
    ordered = ["brp:bsn:9", "brp:anr:1", "anp:bron:x", "url:a", "rol:a"]
    mixed = ["url:a", "brp:anr:1", "rol:a", "anp:bron:x", "brp:bsn:9"]
    assert sorted(mixed, key=place) == ordered
    assert sorted(["ann:b:x", "hr:kvk:2", "hr:kvk:1", "hr:rsin:9"], key=place) == [
        "hr:rsin:9",
        "hr:kvk:1",
        "hr:kvk:2",
        "ann:b:x",
    ]


def test_the_part_of_a_key_that_tells_its_kind_is_found_whatever_its_value():
    assert prefix("url:brp:bsn:1") == "url:"
    assert prefix("hr:kvk:12345678") == "hr:kvk:"
    assert prefix("actor-url:medewerker|bron|https://x.example") == "actor-url:"


@pytest.mark.rule("M7")
def test_two_people_of_one_name_without_numbers_are_two_people():
    first, second = persoon(1, naam="de Dubbele"), persoon(2, naam="de Dubbele")
    assert sets(keys_of(first), keys_of(second)) == [
        ((0,), (f"rol:{rol_uuid(1)}",)),
        ((1,), (f"rol:{rol_uuid(2)}",)),
    ]


@pytest.mark.rule("M8")
@pytest.mark.parametrize(
    "raw",
    [
        persoon(1, NO_BSN),
        persoon(1, "000000000"),
        persoon(1, "1234567"),
        persoon(1, anr="123"),
        organisatie(1, rsin=NO_BSN),
        organisatie(1, kvk="9000001"),
        organisatie(1, kvk="00000000"),
        vestiging(1, "00009000010"),
    ],
    ids=[
        "check digit",
        "zeros",
        "seven digits",
        "a-nummer",
        "rsin",
        "short kvk",
        "zero kvk",
        "short vestiging",
    ],
)
def test_a_number_that_is_not_valid_is_no_key(raw):
    assert keys_of(raw) == [f"rol:{rol_uuid(1)}"]


@pytest.mark.rule("M27")
def test_an_actor_is_known_by_identificatie_then_url_else_by_its_rol():
    assert keys_of(medewerker(1, "mw-1", url=URL)) == [
        "actor:medewerker|bron|mw-1",
        f"actor-url:medewerker|bron|{URL}",
    ]
    assert keys_of(rol(1, None, "organisatorische_eenheid")) == [
        f"actor-rol:organisatorische_eenheid|bron|{rol_uuid(1)}"
    ]


# M6: which claims are one party


@pytest.mark.rule("M6")
def test_a_rol_with_only_the_url_joins_the_person_with_bsn_and_url():
    both, url_only = ["brp:bsn:1", f"url:{URL}"], [f"url:{URL}"]
    assert sets(both, url_only) == [((0, 1), ("brp:bsn:1", f"url:{URL}"))]


@pytest.mark.rule("M6")
def test_claims_join_through_a_chain_of_shared_keys():
    assert sets(["anp:b:1"], ["url:a"], ["anp:b:2", "url:a"], ["anp:b:1", "anp:b:2"]) == [
        ((0, 1, 2, 3), ("anp:b:1", "anp:b:2", "url:a"))
    ]


@pytest.mark.rule("M6")
@pytest.mark.parametrize(
    "shared", ["brp:anr:7", "url:a"], ids=["one A-nummer on two BSNs", "one URL on two BSNs"]
)
def test_two_bsns_are_never_one_person(shared):
    found = key_sets([["brp:bsn:1", shared], ["brp:bsn:2", shared], [shared]], ["persoon"] * 3)
    assert sorted((each.members, each.keys, each.conflict) for each in found) == [
        ((0,), ("brp:bsn:1",), "nummers"),
        ((1,), ("brp:bsn:2",), "nummers"),
        ((2,), (shared,), "nummers"),
    ]


@pytest.mark.rule("M6")
@pytest.mark.parametrize("single", ["brp:bsn:", "brp:anr:", "hr:rsin:", "hr:kvk:", "hr:vestiging:", "actor:"])
def test_a_party_never_has_two_numbers_of_one_kind(single):
    assert conflicting([f"{single}1", f"{single}2", "url:a"], [])
    assert not conflicting([f"{single}1", "url:a"], [])


@pytest.mark.rule("M6")
@pytest.mark.parametrize("plural", ["anp:bron:", "ann:bron:", "url:"])
def test_a_party_may_have_two_anp_ann_or_url_keys(plural):
    assert not conflicting([f"{plural}1", f"{plural}2"], [])


@pytest.mark.rule("M6")
def test_two_kvk_numbers_on_one_rsin_are_two_loose_numbers_of_one_organisation_each():
    found = key_sets([["hr:rsin:1", "hr:kvk:1"], ["hr:rsin:1", "hr:kvk:2"]], ["organisatie"] * 2)
    assert [(each.members, each.keys, each.loose) for each in found] == [
        ((0, 1), ("hr:rsin:1",), ("hr:kvk:1", "hr:kvk:2"))
    ]


@pytest.mark.rule("M5")
def test_a_url_never_makes_one_party_of_a_person_and_an_organisation():
    found = key_sets([["brp:bsn:1", "url:a"], ["hr:rsin:1", "url:a"]], ["persoon", "organisatie"])
    assert sorted(each.keys for each in found) == [("brp:bsn:1",), ("hr:rsin:1",)]


@pytest.mark.rule("M5")
def test_a_vestiging_known_by_url_only_is_not_its_parent_even_when_the_parent_has_that_url():
    claims = [["url:a"], ["hr:kvk:1"], ["hr:kvk:1", "url:a"]]
    found = key_sets(claims, ["vestiging", "organisatie", "organisatie"])
    assert sorted((each.members, each.keys) for each in found) == [
        ((0,), ("url:a",)),
        ((1, 2), ("hr:kvk:1",)),
    ]


@pytest.mark.rule("M6")
def test_an_organisation_known_by_url_only_may_be_the_vestiging_with_that_url():
    found = key_sets([["hr:vestiging:1", "url:a"], ["url:a"]], ["vestiging", "organisatie"])
    assert [each.members for each in found] == [(0, 1)]


KEY_POOL = [
    *("brp:bsn:1", "brp:bsn:2", "brp:anr:1", "brp:anr:2", "anp:b:1", "anp:b:2"),
    *("hr:rsin:1", "hr:kvk:1", "hr:kvk:2", "url:1", "url:2", "rol:1"),
]
CLAIMS = st.lists(
    st.lists(st.sampled_from(KEY_POOL), min_size=1, max_size=3, unique=True).map(
        lambda keys: sorted(keys, key=place)
    ),
    max_size=9,
)


def soort_of(keys):
    return "organisatie" if keys[0].startswith("hr:") else "persoon"


def as_said(claims, found):
    """Key sets with members as what they said, so that two orders can be held side by side."""
    return sorted(
        (sorted(claims[member] for member in each.members), each.keys, each.conflict, each.loose)
        for each in found
    )


@pytest.mark.rule("M6")
@given(CLAIMS, st.randoms(use_true_random=False))
def test_key_sets_do_not_depend_on_the_order_of_the_claims(claims, dice: random.Random):
    shuffled = dice.sample(claims, len(claims))
    assert as_said(claims, key_sets(claims, list(map(soort_of, claims)))) == as_said(
        shuffled, key_sets(shuffled, list(map(soort_of, shuffled)))
    )


@pytest.mark.rule("M6")
@given(CLAIMS)
def test_key_sets_hold_every_claim_once_and_every_key_at_most_once_and_never_a_conflict(claims):
    found = key_sets(claims, list(map(soort_of, claims)))
    assert sorted(member for each in found for member in each.members) == list(range(len(claims)))
    named = [key for each in found for key in (*each.keys, *each.loose)]
    assert sorted(named) == sorted({key for keys in claims for key in keys})
    for each in found:
        assert not conflicting(each.keys, [])
        assert list(each.keys) == sorted(each.keys, key=place)


VESTIGINGEN = st.lists(
    st.tuples(
        st.sampled_from(["hr:vestiging:1", "hr:vestiging:2"]),
        st.sampled_from([[], [], ["url:1"], ["url:2"]]),
        st.sampled_from(["", "", "7", "8", "9"]),
        st.integers(0, 3),
    ),
    max_size=8,
)


def pairs_of(found_in):
    """The sets of these vestigingen, with members as what they said."""
    claims = [[key, *more] for key, more, _, _ in found_in]
    ouders = {
        number: Ouder(kvk, moment, bytes([moment, len(more)]), moment)
        for number, (_, more, kvk, moment) in enumerate(found_in)
        if kvk
    }
    found = key_sets(claims, ["vestiging"] * len(claims), ouders)
    assert sorted(member for each in found for member in each.members) == list(range(len(claims)))
    return sorted(
        (sorted(found_in[member] for member in each.members), each.keys, each.conflict) for each in found
    )


@pytest.mark.rule("M6")
@given(VESTIGINGEN, st.randoms(use_true_random=False))
def test_vestigingen_are_told_apart_by_their_kvk_number_in_whatever_order(claims, dice: random.Random):
    found = pairs_of(claims)
    assert found == pairs_of(dice.sample(claims, len(claims)))
    keys = [key for _, each, _ in found for key in each]
    assert len(keys) == len(set(keys))
    assert {key for key, *_ in claims} <= set(keys)  # who knew the number alone still finds it
    for members, each, conflict in found:
        for number in {key for key, *_ in members}:
            kvks = {kvk for key, _, kvk, _ in claims if key == number} - {""}
            own = {kvk for key, _, kvk, _ in members if key == number} - {""}
            assert len(own) <= 1
            if len(kvks) > 1:
                assert each[0].startswith(f"{number}:")
                assert conflict


# M9: uuids


def expected(message: str, secret: str = SECRET) -> UUID:
    """A version 8 uuid of the keyed digest of a message, made in another way than the mapping does."""
    value = int.from_bytes(hmac.digest(secret.encode(), message.encode(), hashlib.sha256)[:16], "big")
    value &= ~(0xF << 76) & ~(0x3 << 62)
    return UUID(int=value | 0x8 << 76 | 0x2 << 62)


@pytest.mark.rule("M9")
def test_a_derived_uuid_is_a_version_8_uuid_of_the_natural_key():
    derived = UUIDS.derive("partij", "brp:bsn:123456782")
    assert derived == expected("partij|brp:bsn:123456782")
    assert (derived.version, derived.variant) == (8, "specified in RFC 4122")


@pytest.mark.rule("M9")
def test_another_secret_gives_other_uuids():
    assert Uuids("another").derive("partij", "rol:1") == expected("partij|rol:1", "another")
    assert Uuids("another").derive("partij", "rol:1") != UUIDS.derive("partij", "rol:1")


@pytest.mark.rule("M9")
@pytest.mark.parametrize("length", [32, 63, 64, 65, 200])
def test_a_secret_may_be_longer_than_a_block_of_the_digest(length: int):
    secret = "é" + "s" * (length - 2)
    assert len(secret.encode()) == length
    assert Uuids(secret).derive("partij", "rol:1") == expected("partij|rol:1", secret)


@pytest.mark.rule("M9")
def test_an_actor_is_named_by_soort_source_and_identificatie():
    assert key_uuid(UUIDS, "actor:medewerker|bron|mw-1") == expected("actor|medewerker|bron|mw-1")
    assert key_uuid(UUIDS, "hr:kvk:12345678") == expected("partij|hr:kvk:12345678")


@pytest.mark.rule("M9")
def test_an_identificatie_that_looks_like_a_url_is_not_the_actor_with_that_url():
    by_name = key_uuid(UUIDS, f"actor:medewerker|bron|{URL}")
    assert by_name != key_uuid(UUIDS, f"actor-url:medewerker|bron|{URL}")


@pytest.mark.rule("M9")
@settings(max_examples=50)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_the_same_natural_key_always_gives_the_same_uuid(parts):
    assert UUIDS.derive(*parts) == Uuids(SECRET).derive(*parts) == expected("|".join(parts))
