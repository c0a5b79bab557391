"""The profile of a document: the traits that it has itself, and those that it takes of what it looks at.

The number of a profile is made from its traits, so it means the same in every process, also after a rollback.
"""

from __future__ import annotations

import hashlib

import orjson

from gateway.store.base.kinds import KIND
from gateway.store.base.session import Session
from gateway.store.indexes.traits import HOPS, PLAN, Values, as_trait, own_traits

KEPT = 20_000
# What is known of profiles, by their number; and by what made them.
_traits: dict[int, frozenset[str]] = {}
_made: dict[tuple[str, Values, frozenset[tuple[int, int]], int | None], tuple[int, str]] = {}


def made_of(
    connection: Session,
    kind: str,
    own: Values,
    around: frozenset[tuple[int, int]],
    before: int | None = None,
) -> tuple[int, str]:
    """The profile of a document: its number, and how it is written.

    In: its own traits, and the profiles that it looks at, each with the relation; or the profile before, of which the
    traits of others stay.
    """
    made = _made.get((kind, own, around, before))
    if made is None:
        traits = own_traits(PLAN[kind], own)
        if before is not None:
            traits |= {trait for trait in traits_of(connection, before) if not trait.startswith(":")}
        for relation, profile in around:
            traits |= _taken(connection, PLAN[kind].near[HOPS[relation]], profile)
        made = _profile(kind, traits)
        if len(_made) >= KEPT:
            _made.clear()
        _made[kind, own, around, before] = made
    return made


def _taken(connection: Session, names: dict[str, str], profile: int) -> set[str]:
    """What one that looks takes of the profile of a document there."""
    found = {as_trait(names[""], 1)} if "" in names else set()
    for trait in traits_of(connection, profile):
        name, _, value = trait.partition("=")
        if name in names:
            found.add(f"{names[name]}={value}")
    return found


def _profile(kind: str, traits: set[str]) -> tuple[int, str]:
    """The number of the profile with these traits, and how it is written."""
    text = orjson.dumps(sorted(traits)).decode()
    digest = hashlib.blake2b(f"{KIND[kind]} {text}".encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "big") >> 1
    _remember(number, frozenset(traits))
    return number, text


def _remember(number: int, traits: frozenset[str]) -> None:
    if len(_traits) >= KEPT:
        _traits.clear()
    _traits[number] = traits


def traits_of(connection: Session, profile: int) -> frozenset[str]:
    """The traits of a profile."""
    known = _traits.get(profile)
    if known is None:
        (text,) = connection.one("SELECT traits FROM profile WHERE id = ?", (profile,))
        known = frozenset(orjson.loads(text))
        _remember(profile, known)
    return known
