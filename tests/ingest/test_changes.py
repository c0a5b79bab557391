"""Rollen that change: the store comes to what it would be if they had been so from the start.

What a change does not touch is not made again, so each way in which one rol can touch another's documents counts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from builders.legacy_objects import BSN, KVK, RSIN, klantcontact, medewerker, organisatie, persoon, zaak
from builders.probe.invariants import broken
from builders.probe.tamper import Tamper
from builders.register import Register
from hypothesis import given, settings
from hypothesis import strategies as st

import jobs.rebuild.rebuild
from jobs.rebuild.rebuild import Rebuild

Raw = dict[str, Any]
AROUND = [zaak(1), zaak(2), zaak(3), klantcontact(1, 1), klantcontact(2, 2)]


@contextmanager
def register() -> Iterator[Register]:
    with tempfile.TemporaryDirectory() as folder:
        made = Register(Path(folder) / "store.sqlite")
        yield made
        assert broken(made.store) == {}
        made.store.close()


def comes_to(pages: Sequence[Sequence[Raw]], last: Sequence[Raw]) -> None:
    """Pages of rollen that are taken come to what `last` comes to at once."""
    with register() as stepwise, register() as at_once:
        stepwise.take(*AROUND)
        for page in pages:
            stepwise.take(*page)
        assert broken(stepwise.store) == {}
        at_once.take(*AROUND, *last)
        assert stepwise.digest() == at_once.digest()


def namens(number: int) -> Raw:
    return {"representee": {"identifierType": "bsn", "identifier": BSN[number]}}


def initiator(number: int, person: int, **rest: Any) -> Raw:
    return persoon(number, BSN[person], generiek="initiator", **rest)


def balie(number: int, who: str, **rest: Any) -> Raw:
    return medewerker(number, who, generiek="klantcontacter", **rest)


# A rol that comes to be about somebody of whom another rol says the same: nothing of that party moves.
JOINED: dict[str, tuple[list[Raw], list[Raw], list[Raw]]] = {
    "another person, the old one stays": (
        [initiator(2, 1, zaak=2), initiator(3, 0, zaak=2)],
        [initiator(1, 0)],
        [initiator(1, 1)],
    ),
    "another person, the old one goes": (
        [initiator(2, 1, zaak=2)],
        [initiator(1, 0)],
        [initiator(1, 1)],
    ),
    "another medewerker": ([balie(2, "mw-2", zaak=2)], [balie(1, "mw-1")], [balie(1, "mw-2")]),
    "another representee": (
        [persoon(2, BSN[3], zaak=2, authenticatieContext=namens(2))],
        [persoon(1, BSN[0], authenticatieContext=namens(1))],
        [persoon(1, BSN[0], authenticatieContext=namens(2))],
    ),
    "two at once, who say the same from now on": (
        [],
        [initiator(1, 0), initiator(2, 1, zaak=2)],
        [initiator(number, 1, zaak=number, contact={"emailadres": "a@b.example"}) for number in (1, 2)],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", JOINED)
def test_a_rol_that_is_about_another_from_now_on_takes_its_zaak_along(case: str) -> None:
    """M29-M31: who was spoken with is who the rol is about now. Not to be told apart is to show another's contacts."""
    others, before, after = JOINED[case]
    comes_to([others, before, after], [*others, *after])


@pytest.mark.parametrize("how", ["rebuild", "mistrusted"])
def test_a_claim_that_was_lost_brings_its_betrokkene_back(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though another rol says the same, so that its partij never left."""
    monkeypatch.setattr(jobs.rebuild.rebuild, "PIECE", 1)
    rol = initiator(1, 0)
    with register() as made:
        made.take(*AROUND)  # so that a rebuild comes to the contacts first
        made.take(rol, initiator(2, 0, zaak=2))
        good = made.digest()
        tamper = Tamper(made.store)
        tamper.lose_claims(rol["uuid"])
        for contact in (klantcontact(1, 1, onderwerp="anders"), klantcontact(1, 1)):
            made.take(contact)
        assert made.digest() != good
        if how == "rebuild":
            Rebuild(made.store, made.ingest).run()
        else:
            tamper.forget_digest(rol["uuid"])
            made.take(rol)
        assert made.digest() == good


def test_of_a_pair_that_was_not_touched_nothing_changes() -> None:
    """A zaak that gives a pair too is read; what else it gives is given by zaken that are not (M25, M42)."""

    def pair(zaak: int, giver: tuple[int, int], *takers: tuple[int, int], on: int) -> list[Raw]:
        rest = {"zaak": zaak, "on": on}
        return [
            persoon(giver[0], BSN[giver[1]], indicatieMachtiging="machtiginggever", **rest),
            *(persoon(rol, BSN[who], indicatieMachtiging="gemachtigde", **rest) for rol, who in takers),
        ]

    held = [
        *pair(1, (1, 0), (2, 1), on=9),
        *pair(2, (3, 0), (4, 1), (5, 2), on=9),
        *pair(3, (6, 0), (7, 2), on=3),
    ]
    new = persoon(2, BSN[1], indicatieMachtiging="gemachtigde", on=8)
    comes_to([held, [new]], [held[0], new, *held[2:]])


# Anything that changes, one property at a time

PROPERTIES: dict[str, tuple[Any, ...]] = {
    "who": (0, 1, 2),
    "zaak": (1, 2),
    "generiek": ("initiator", "klantcontacter", "belanghebbende"),
    "kant": ("", "machtiginggever", "gemachtigde"),
    "namens": (None, 0, 1, 2),
    "mail": ("", "a@b.example"),
    "einde": ("", "2020-01-01"),
    "url": ("", "https://brp.example/1"),
    "there": (True, True, True, False),
}
CHANGES = st.sampled_from(sorted(PROPERTIES)).flatmap(
    lambda name: st.tuples(st.integers(1, 6), st.just(name), st.sampled_from(PROPERTIES[name]))
)


def as_rol(number: int, it: dict[str, Any]) -> Raw:
    """Rol `number` with these properties: by its number of a person, an organisatie or a medewerker."""
    rest: dict[str, Any] = {
        "zaak": it["zaak"],
        "generiek": it["generiek"],
        "url": it["url"],
        "on": 3,
        "contact": {"emailadres": it["mail"]} if it["mail"] else None,
    }
    if number % 3 == 0:
        return medewerker(number, f"mw-{it['who']}", **rest)
    rest |= {"indicatieMachtiging": it["kant"], "eindeGeldigheid": it["einde"] or None}
    if it["namens"] is not None:
        rest["authenticatieContext"] = namens(it["namens"])
    if number == 5:
        numbers = [{"rsin": RSIN[0]}, {"kvk": KVK[0]}, {"rsin": RSIN[0], "kvk": KVK[0]}]
        return organisatie(number, **numbers[it["who"]], **rest)
    return persoon(number, BSN[it["who"]], **rest)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(CHANGES, min_size=1, max_size=4), min_size=1, max_size=8))
def test_rollen_that_change_one_by_one_come_to_the_same_as_the_last_of_each(
    steps: list[list[tuple[int, str, Any]]],
) -> None:
    """In pages of a few, removed and added again, with few people: many say the same."""
    last = {
        number: {name: values[0] for name, values in PROPERTIES.items()}
        | {"who": number % 3, "zaak": number % 2 + 1}
        for number in range(1, 7)
    }
    with register() as stepwise, register() as at_once:
        stepwise.take(*AROUND, *(as_rol(number, it) for number, it in last.items()))
        for step in steps:
            for number, name, value in step:
                last[number][name] = value
            page = {number: as_rol(number, last[number]) for number, *_ in step}
            stepwise.remove(*(rol for number, rol in page.items() if not last[number]["there"]))
            stepwise.take(*(rol for number, rol in page.items() if last[number]["there"]))
        at_once.take(*AROUND, *(as_rol(number, it) for number, it in last.items() if it["there"]))
        assert stepwise.digest() == at_once.digest()
