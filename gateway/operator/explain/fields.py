"""How a field, a document and a legacy object stand in an explanation (M4)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gateway.klantinteracties.model.resources import BASE_PATH, BY_KIND
from gateway.store.inspect.explaining import HeldRaw
from gateway.store.inspect.status import moment_of
from mappings.explain import why

# So much of a kind is shown at most.
MOST = 50
# The group of fields that belong to no other.
REST = "overig"


def shown_fields(
    kind: str, fields: why.Fields, given: dict[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Each field with its value, rule and origin."""
    shown = []
    for field, value in fields.items():
        origins = given.get(field, [])
        rule, because = why.settled(kind, field, value) or ("", "")
        if origins:
            rule, because = origins[0]["rule"], ""
        elif not value and value is not False:
            because = because or "de bron geeft hier niets"
        shown.append({"field": field, "value": value, "rule": rule, "because": because, "from": origins})
    return shown


def given_by(raw: HeldRaw, objects: why.Objects, item: why.Given) -> dict[str, Any]:
    kind, _, path = item.field.partition(".")
    return {
        "kind": kind,
        "uuid": str(raw.uuid),
        "field": path,
        "rule": item.rule,
        "value": why.legacy_value(objects, item.field),
    }


def named(kind: str, uuid: UUID) -> dict[str, str]:
    """A document: its kind, uuid and path."""
    return {"kind": kind, "uuid": str(uuid), "path": f"{BASE_PATH}/{BY_KIND[kind].path}/{uuid}"}


def source_of(raw: HeldRaw, moment: int | None = None) -> dict[str, Any]:
    """A legacy object: its source, kind and uuid, and its registratiedatum when that is given."""
    named = {"source": raw.source, "kind": raw.kind, "uuid": str(raw.uuid)}
    return named | ({"registered": moment_of(moment)} if moment is not None else {})
