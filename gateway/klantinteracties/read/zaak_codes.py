"""One zaak under the codes of several applications (M29): questions by any of them find what the legacy gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.store.base.conditions import Compare, Condition, Hop
from mappings.model.settings import ZaakCodes

KIND = "onderwerpobject"
# The kinds whose lists can be asked by these codes.
ASKED_OF = frozenset({KIND, "klantcontact"})
# The fields of the triple, in its order.
FIELDS = tuple(
    f"onderwerpobjectidentificator.{name}" for name in ("codeObjecttype", "codeRegister", "codeSoortObjectId")
)


def widen(conditions: tuple[Condition, ...], codes: Sequence[ZaakCodes]) -> tuple[Condition, ...]:
    """Conditions on the codes of an onderwerpobject, so that they also meet a derived one under its served codes.

    In: the conditions of a list, and `[mapping] zaak_codes`, of which derived ones are served with the first. Only a
    question that one triple answers as a whole is widened: a mix of two names nothing.
    """
    asked: dict[tuple[Hop, ...], dict[int, str]] = {}
    for where, value in conditions:
        if where.field in FIELDS and where.kind == KIND and isinstance(value, str):
            asked.setdefault(where.path, {})[FIELDS.index(where.field)] = value
    if not asked:
        return conditions
    served, *others = codes
    wide = {
        path: given
        for path, given in asked.items()
        if any(all(triple[place] == value for place, value in given.items()) for triple in others)
    }
    return tuple(_widened(condition, wide.get(condition.where.path, {}), served) for condition in conditions)


def _widened(condition: Condition, given: dict[int, str], served: ZaakCodes) -> Condition:
    where, value = condition
    if where.kind != KIND or where.field not in FIELDS:
        return condition
    place = FIELDS.index(where.field)
    if place not in given or value == served[place]:
        return condition
    return Condition(replace(where, compare=Compare.IS_OR_DERIVED), [given[place], served[place]])
