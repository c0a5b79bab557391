"""What clients of the Klantinteracties API send and get: the judge of what comes in, and its description.

`load` judges fields, `check` judges whether they fit together; what needs other objects (do they exist, are they
unique) is judged by the gateway, with the same InvalidParam. Nothing here looks at a clock or a store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from marshmallow import Schema, ValidationError

from mappings.klantinteracties import faults
from mappings.klantinteracties.checks import CHECKS, NEEDS_KVK_NUMMER
from mappings.klantinteracties.faults import Invalid, InvalidParam
from mappings.klantinteracties.fields import Variants, camel_case
from mappings.klantinteracties.schemas import SCHEMAS

__all__ = ["NEEDS_KVK_NUMMER", "Invalid", "InvalidParam", "check", "defaults", "load", "schema_of"]

_SCHEMAS: Final = {kind: schema() for kind, schema in SCHEMAS.items()}


def load(kind: str, data: Any, *, partial: bool, stored: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Judge one body of a POST or PUT (`partial` False) or a PATCH (`partial` True).

    In: the kind, or "maak-klantcontact"; the body as parsed JSON; for a PATCH the body of the stored document,
    whose soort says how to read a partijIdentificatie or actorIdentificatie that comes without it. Out: the
    fields that were given, by their names in the API, cleaned: references as {"uuid": UUID} or None, lists of
    them as lists, groups complete, volledigeNaam beside contactnaam. Raises Invalid, with every field that is
    wrong in the order of the fields (recorded exchanges 117-152, 185, 189).
    """
    schema = _SCHEMAS[kind]
    switch = _missing_switch(kind, data) if partial else None
    if switch and stored and switch in stored:
        data = {**data, switch: stored[switch]}
    elif switch:
        raise Invalid((InvalidParam(switch, *faults.REQUIRED),))
    try:
        found = cast(dict[str, Any], schema.load(data, partial=partial))
    except ValidationError as error:
        wrong = tuple(faults.params(error.messages))
        valid = cast(dict[str, Any], error.valid_data or {})
        sound = {name: value for name, value in valid.items() if name not in error.messages}
    else:
        return {name: value for name, value in found.items() if name not in ("uuid", switch)}
    # Outside the except block: marshmallow's error holds the whole body, which must not travel along.
    raise Invalid(wrong, {name: value for name, value in sound.items() if name not in ("uuid", switch)})


def _missing_switch(kind: str, data: Any) -> str | None:
    """The field that says how to read a group that is given, when that field isn't given itself."""
    if not isinstance(data, Mapping):
        return None
    names = {camel_case(key) for key, value in data.items() if value is not None}
    for name, field in _SCHEMAS[kind].fields.items():
        if isinstance(field, Variants) and name in names and field.switch not in names:
            return field.switch
    return None


def defaults(kind: str) -> dict[str, Any]:
    """What a new document has in the fields that a client left out, references aside (recorded 009, 015, 025).

    None where the server's clock decides: plaatsgevondenOp, toegewezenOp, beginDatum.
    """
    return {name: value for name, value in _SCHEMAS[kind].empty().items() if name not in ("uuid", "url")}


def check(
    kind: str, merged: Mapping[str, Any], given: Mapping[str, Any], *, creating: bool
) -> list[InvalidParam]:
    """What doesn't fit together in an object, as far as that needs no other object.

    In: the object as it would become, with references as `load` gives them; what the client gave of it, as
    `load` gave it; whether it is new. For "maak-klantcontact" both as that body. Out: the errors, [] when there
    are none.
    """
    judge = CHECKS.get(kind)
    return list(judge(merged, given, creating=creating)) if judge else []


def schema_of(kind: str) -> Schema:
    """The schema of a kind, for its description in the OpenAPI document."""
    return _SCHEMAS[kind]
