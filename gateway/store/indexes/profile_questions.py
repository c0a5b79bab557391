"""Questions about traits, asked by profile: few profiles are looked at in the place of many documents."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.store.base.conditions import Compare, Condition, Subject, Where
from gateway.store.base.kinds import KIND
from gateway.store.base.session import Session
from gateway.store.indexes.profile_making import traits_of
from gateway.store.indexes.traits import TRAITS, as_trait


def name_of(kind: str, where: Where) -> str | None:
    """The name of the trait that a condition on documents of a kind looks at; None when it is none."""
    path = "".join(f"{'<' if hop.back else '>'}{hop.relation}" for hop in where.path)
    if where.compare is Compare.PRESENT:
        name = f"{path}:" if where.subject is Subject.DOCUMENT else f"{path}:?{where.field}"
    elif where.subject is Subject.FIELD and where.compare in (
        Compare.IS,
        Compare.AMONG,
        Compare.IS_OR_DERIVED,
    ):
        name = f"{path}:{where.field}"
    else:
        return None
    return name if name in TRAITS.get(kind, ()) else None


def gather(connection: Session, kind: str, conditions: Sequence[Condition]) -> tuple[Condition, ...] | None:
    """The conditions with one on the profile in the place of all those that are about traits.

    None when no profile has them all: then no document meets the conditions.
    """
    others: list[Condition] = []
    asked: list[tuple[bool, frozenset[str]]] = []
    for condition in conditions:
        name = name_of(kind, condition.where)
        if name is None:
            others.append(condition)
        else:
            asked.append(_sought(name, condition))
    if not asked:
        return tuple(others)
    rows = connection.all("SELECT id FROM profile WHERE kind = ?", (KIND[kind],))
    found = []
    for (profile,) in rows:
        traits = traits_of(connection, profile)
        if all(traits.isdisjoint(any_of) is not wanted for wanted, any_of in asked):
            found.append(profile)
    if not found:
        return None
    which = Condition(Where(kind, (), Subject.PROFILE, compare=Compare.AMONG), found)
    return (which, *others)


def _sought(name: str, condition: Condition) -> tuple[bool, frozenset[str]]:
    """Whether one of these traits must be there, or none of them."""
    compare, value = condition.where.compare, condition.value
    if compare is Compare.PRESENT:
        return bool(value), frozenset((as_trait(name, 1),))
    if not isinstance(value, list):
        return True, frozenset((as_trait(name, value),))
    if compare is Compare.AMONG:
        return True, frozenset(as_trait(name, one) for one in value)
    path, _, field = name.rpartition(":")
    return True, frozenset((as_trait(name, value[0]), as_trait(f"{path}:~{field}", value[1])))
