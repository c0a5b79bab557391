"""What clients of the Klantinteracties API send and get: the judge of what comes in, and its description.

`load` judges fields, `check` judges whether they fit together; what needs other objects (do they exist, are they
unique) is judged by the gateway, with the same InvalidField. Nothing here looks at a clock or a store.

A number in brackets is that of a recorded exchange: `tests/data/klantinteracties/<number>-*.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from marshmallow import Schema, ValidationError

from mappings.klantinteracties import faults
from mappings.klantinteracties.checks import CHECKS, NEEDS_KVK_NUMMER
from mappings.klantinteracties.faults import Invalid, InvalidField
from mappings.klantinteracties.nested_fields import Variants
from mappings.klantinteracties.schemas import SCHEMAS
from mappings.klantinteracties.text_forms import camel_case

__all__ = [
    "NEEDS_KVK_NUMMER",
    "Invalid",
    "InvalidField",
    "check",
    "defaults",
    "empty_group",
    "load",
    "schema_of",
]

_SCHEMAS: Final = {kind: schema() for kind, schema in SCHEMAS.items()}


def load(kind: str, data: Any, *, partial: bool, stored: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Judge one body of a POST or PUT (`partial` False) or a PATCH (`partial` True).

    In: the kind, or "maak-klantcontact"; the body as parsed JSON; for a PUT or PATCH the body of the stored
    document. Out: the fields that were given, by their names in the API, cleaned: references as {"uuid": UUID} or
    None, lists of them as lists, groups complete, volledigeNaam beside contactnaam. Of a partijIdentificatie or
    actorIdentificatie of a stored document only what was given, and nothing in a PATCH that does not say the soort.
    Raises Invalid, with every field that is wrong in the order of the fields [117-152, 185, 189].
    """
    schema = _SCHEMAS[kind]
    if isinstance(data, Mapping):
        data = _without_silent_groups(schema, data, partial=partial, stored=stored)
    try:
        found = cast(dict[str, Any], schema.load(data, partial=partial))
    except ValidationError as error:
        wrong = tuple(faults.params(error.messages))
        valid = cast(dict[str, Any], error.valid_data or {})
        sound = {name: value for name, value in valid.items() if name not in error.messages}
    else:
        sound, wrong = found, tuple(_begun_groups(schema, found, stored or {}))
        if stored is None and not partial and not wrong:
            for name, field in _variants(schema):
                if name in found:
                    found[name] = field.empty_of(found[field.switch]) | found[name]
    # Outside the except block: marshmallow's error holds the whole body, which must not travel along.
    sound.pop("uuid", None)
    if wrong:
        raise Invalid(wrong, sound)
    return sound


def _variants(schema: Schema) -> list[tuple[str, Variants]]:
    return [(name, field) for name, field in schema.fields.items() if isinstance(field, Variants)]


def _without_silent_groups(
    schema: Schema, data: Mapping[str, Any], *, partial: bool, stored: Mapping[str, Any] | None
) -> dict[str, Any]:
    """A body without the groups in it that change nothing: read by a soort that a PATCH doesn't say, or null where
    there is nothing."""
    spelled = {camel_case(key): value for key, value in data.items()}
    silent = set()
    for name, field in _variants(schema):
        if name not in spelled:
            continue
        if stored is None:
            nothing_there = field.null_when_new
        else:
            nothing_there = stored.get(name) is None and stored.get(field.switch) == spelled.get(field.switch)
        if (partial and field.switch not in spelled) or (spelled[name] is None and nothing_there):
            silent.add(name)
    return {key: value for key, value in data.items() if camel_case(key) not in silent}


def _begun_groups(
    schema: Schema, found: Mapping[str, Any], stored: Mapping[str, Any]
) -> Iterator[InvalidField]:
    """What is missing in a group that begins, in a PATCH too: there is nothing yet that could stay."""
    for name, field in _variants(schema):
        soort, group = found.get(field.switch), found.get(name)
        if group and soort is not None and (stored.get(name) is None or stored.get(field.switch) != soort):
            for inner in field.required_of(soort):
                if inner not in group:
                    yield InvalidField(f"{name}.{inner}", *faults.REQUIRED)


def empty_group(kind: str, name: str, soort: str) -> dict[str, Any]:
    """A partijIdentificatie or actorIdentificatie of this soort with nothing filled in."""
    return cast(Variants, _SCHEMAS[kind].fields[name]).empty_of(soort)


def defaults(kind: str) -> dict[str, Any]:
    """What a new document has in the fields that a client left out, references aside [009, 015, 025].

    None where the server's clock decides: plaatsgevondenOp, toegewezenOp, beginDatum.
    """
    return {name: value for name, value in _SCHEMAS[kind].empty().items() if name not in ("uuid", "url")}


def check(
    kind: str,
    merged: Mapping[str, Any],
    given: Mapping[str, Any],
    *,
    creating: bool,
    whole: bool | None = None,
) -> list[InvalidField]:
    """What doesn't fit together in an object, as far as that needs no other object.

    In: the object as it would become, with references as `load` gives them; what the client gave of it, as
    `load` gave it; whether it is new, and whether all that is required must be given (a POST or PUT; when not said,
    only of a new one). For "maak-klantcontact" both as that body. Out: the errors, [] when there
    are none.
    """
    judge = CHECKS.get(kind)
    return (
        list(judge(merged, given, creating=creating, whole=creating if whole is None else whole))
        if judge
        else []
    )


def schema_of(kind: str) -> Schema:
    """The schema of a kind, for its description in the OpenAPI document."""
    return _SCHEMAS[kind]
