"""Who represents whom, by the rollen of one zaak on one day (M25, M26)."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from uuid import UUID

import pytest
from builders.legacy_objects import (
    BSN,
    BSN_WITH_ZERO,
    KVK,
    NO_BSN,
    RSIN,
    VESTIGING,
    medewerker,
    organisatie,
    persoon,
    rules,
    said,
)
from hypothesis import given
from hypothesis import strategies as st

from mappings.rules.vertegenwoordigingen import GEMACHTIGDE, MACHTIGINGGEVER, Machtiging, in_zaak

DAY = date(2024, 6, 1)


def uuid(number: int) -> UUID:
    return UUID(int=number)


def machtiging(
    number: int, side: str = "", party: int = 0, end: str = "", namens: int | None = None
) -> Machtiging:
    """A rol of that number, of the party of that number (its own unless told)."""
    facts = {"kant": side, "einde": end, "namens": namens is not None}
    return Machtiging(
        uuid(number),
        number,
        facts,
        uuid(100 + (party or number)),
        None if namens is None else uuid(100 + namens),
    )


def pairs(*rollen: Machtiging, day: date = DAY) -> set[tuple[int, int]]:
    """The pairs (represented, representative), as numbers of parties; the same in every order."""
    made = [in_zaak(order, day) for order in permutations(rollen)]
    assert all(each == made[0] for each in made)
    return {
        (represented.int - 100, representative.int - 100) for represented, representative in made[0].pairs
    }


def actions(*rollen: Machtiging) -> list[tuple[int, str, str]]:
    return [(rol.int, each.rule, each.action.split(":")[0]) for rol, each in in_zaak(rollen, DAY).findings]


@pytest.mark.rule("M25")
def test_a_gemachtigde_represents_the_machtiginggever():
    rollen = machtiging(1, MACHTIGINGGEVER), machtiging(2, GEMACHTIGDE)
    assert pairs(*rollen) == {(1, 2)}
    assert in_zaak(rollen, DAY).pairs == {(uuid(101), uuid(102)): {uuid(1), uuid(2)}}
    assert actions(*rollen) == []


@pytest.mark.rule("M25")
def test_one_on_one_side_and_several_on_the_other_is_each_pair():
    assert pairs(machtiging(1, MACHTIGINGGEVER), machtiging(2, GEMACHTIGDE), machtiging(3, GEMACHTIGDE)) == {
        (1, 2),
        (1, 3),
    }
    assert pairs(
        machtiging(1, MACHTIGINGGEVER), machtiging(2, MACHTIGINGGEVER), machtiging(3, GEMACHTIGDE)
    ) == {
        (1, 3),
        (2, 3),
    }


@pytest.mark.rule("M25")
def test_several_on_both_sides_is_ambiguous_and_gives_none():
    rollen = [machtiging(number, MACHTIGINGGEVER if number < 3 else GEMACHTIGDE) for number in range(1, 5)]
    assert pairs(*rollen) == set()
    assert actions(*rollen) == [(number, "M25", "dubbelzinnig") for number in (1, 2, 3, 4)]
    # Two rollen of one party are one.
    rollen[1] = machtiging(2, MACHTIGINGGEVER, party=1)
    assert pairs(*rollen) == {(1, 3), (1, 4)}


@pytest.mark.rule("M25")
def test_one_side_only_is_a_finding_unless_the_rol_names_whom_it_acts_for():
    assert actions(machtiging(1, GEMACHTIGDE)) == [(1, "M25", "geen andere kant op de zaak")]
    assert actions(machtiging(1, MACHTIGINGGEVER)) == [(1, "M25", "geen andere kant op de zaak")]
    assert actions(machtiging(1, GEMACHTIGDE, namens=7)) == []


@pytest.mark.rule("M25")
@pytest.mark.rule("M26")
def test_nobody_represents_himself_and_nobody_twice():
    same = machtiging(1, MACHTIGINGGEVER), machtiging(2, GEMACHTIGDE, party=1)
    assert pairs(*same) == set()
    assert [finding[0] for finding in actions(*same)] == [1, 2]
    assert pairs(machtiging(1, GEMACHTIGDE, namens=1)) == set()
    both = machtiging(1, MACHTIGINGGEVER), machtiging(2, GEMACHTIGDE, namens=1)
    assert pairs(*both) == {(1, 2)}


@pytest.mark.rule("M25")
@pytest.mark.rule("M26")
def test_of_who_would_represent_himself_the_field_is_told_that_says_so():
    def told(*rollen):
        return [(rol.int, each.rule, each.field) for rol, each in in_zaak(rollen, DAY).findings]

    assert told(machtiging(1, "", namens=1)) == [(1, "M26", "authenticatieContext.representee")]
    assert told(machtiging(1, MACHTIGINGGEVER), machtiging(2, GEMACHTIGDE, party=1)) == [
        (1, "M25", "indicatieMachtiging"),
        (2, "M25", "indicatieMachtiging"),
    ]


@pytest.mark.rule("M26")
def test_a_representee_is_represented_by_the_betrokkene_of_its_rol():
    assert pairs(machtiging(1, GEMACHTIGDE, namens=7)) == {(7, 1)}
    assert pairs(machtiging(1, "", namens=7)) == {(7, 1)}


@pytest.mark.rule("M26")
def test_a_rol_counts_until_its_last_day_and_then_no_more():
    rollen = machtiging(1, MACHTIGINGGEVER), machtiging(2, GEMACHTIGDE, end="2024-06-01")
    assert pairs(*rollen) == {(1, 2)}
    assert in_zaak(rollen, DAY).until == DAY
    tomorrow = date(2024, 6, 2)
    assert pairs(*rollen, day=tomorrow) == set()
    assert in_zaak(rollen, tomorrow).until is None
    assert {each.rule for _, each in in_zaak(rollen, tomorrow).findings} == {"M25", "M26"}
    # What was ambiguous may no longer be when one of them ended.
    ended = machtiging(3, MACHTIGINGGEVER, end="2024-05-31"), machtiging(4, GEMACHTIGDE)
    assert pairs(rollen[0], machtiging(2, GEMACHTIGDE), *ended) == {(1, 2), (1, 4)}


@pytest.mark.rule("M19")
def test_a_party_that_a_client_deleted_is_in_no_pair():
    gone = Machtiging(uuid(1), 1, {"kant": MACHTIGINGGEVER, "einde": "", "namens": False}, None)
    assert pairs(gone, machtiging(2, GEMACHTIGDE)) == set()


sides = st.sampled_from(["", GEMACHTIGDE, MACHTIGINGGEVER])
ends = st.sampled_from(["", "2024-05-31", "2024-06-01", "2024-06-02"])


@pytest.mark.rule("M25")
@given(
    st.lists(st.tuples(sides, st.integers(1, 4), ends, st.none() | st.integers(1, 4)), max_size=6),
    st.randoms(),
)
def test_every_rol_that_says_something_is_in_a_pair_or_in_a_finding(given_rollen, random):
    rollen = [
        machtiging(number, side, party, end, namens)
        for number, (side, party, end, namens) in enumerate(given_rollen, start=1)
        if side or namens
    ]
    made = in_zaak(rollen, DAY)
    random.shuffle(rollen)
    assert in_zaak(rollen, DAY) == made
    told = {rol for rol, _ in made.findings}.union(*made.pairs.values())
    assert told == {rol.rol for rol in rollen}
    assert all(represented != representative for represented, representative in made.pairs)


# What one rol says


def on_behalf_of(soort: str, number: str) -> dict[str, object]:
    return {"source": "digid", "representee": {"identifierType": soort, "identifier": number}}


@pytest.mark.rule("M26")
@pytest.mark.parametrize(
    ("soort", "number", "key"),
    [
        ("bsn", BSN[1], f"brp:bsn:{BSN[1]}"),
        ("bsn", BSN_WITH_ZERO[1:], f"brp:bsn:{BSN_WITH_ZERO}"),
        ("rsin", RSIN[1], f"hr:rsin:{RSIN[1]}"),
        ("kvkNummer", KVK[1], f"hr:kvk:{KVK[1]}"),
        ("kvk", KVK[1], f"hr:kvk:{KVK[1]}"),
        ("vestigingsNummer", VESTIGING[1], f"hr:vestiging:{VESTIGING[1]}"),
    ],
)
def test_a_representee_is_a_claim_with_only_its_identificator(soort, number, key):
    own, represented = said(persoon(1, BSN[0], authenticatieContext=on_behalf_of(soort, number))).claims
    assert own.keys == [f"brp:bsn:{BSN[0]}"]
    assert (represented.facet, represented.keys) == ("vertegenwoordigde", [key])
    assert [value for _, value in represented.identificatoren] == [key.rsplit(":", 1)[1]]
    assert (represented.naam, represented.adres, represented.digitaal) == (None, None, [])


@pytest.mark.rule("M26")
@pytest.mark.parametrize(
    ("context", "field"),
    [
        (on_behalf_of("bsn", NO_BSN), "identifier"),
        (on_behalf_of("bsn", ""), "identifier"),
        (on_behalf_of("pseudoID", "1"), "identifierType"),
        ({"representee": "iemand"}, "representee"),
        ({"representee": {"identifier": 12}}, "identifierType"),
    ],
)
def test_a_representee_that_names_nobody_is_a_finding(context, field):
    made = said(persoon(1, BSN[0], authenticatieContext=context))
    assert len(made.claims) == 1 and "machtiging" not in made.facts
    assert rules(made.findings) == [("M26", field, "dropped")]


@pytest.mark.rule("M25")
def test_what_cannot_be_a_machtiging_is_a_finding():
    assert rules(said(persoon(1, indicatieMachtiging="wie weet")).findings) == [
        ("M25", "indicatieMachtiging", "dropped")
    ]
    assert rules(said(medewerker(1, indicatieMachtiging=GEMACHTIGDE)).findings) == [
        ("M25", "indicatieMachtiging", "dropped")
    ]
    raw = organisatie(1, rsin=RSIN[0], indicatieMachtiging=GEMACHTIGDE, eindeGeldigheid="ooit")
    assert rules(said(raw).findings) == [("M26", "eindeGeldigheid", "dropped")]
    assert said(raw).facts["machtiging"] == {"kant": GEMACHTIGDE, "einde": "", "namens": False}
