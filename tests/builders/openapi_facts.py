"""OpenAPI documents as sets of facts, so that what one promises and another doesn't is a difference of sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
KEPT = ("type", "format", "maxLength", "pattern", "readOnly", "nullable")
JSON = "application/json"
COMBINED = ("allOf", "oneOf", "anyOf")
# Of an operation, a place in it, and what stands there.
Fact = tuple[str, str, str]


def facts(document: dict[str, Any]) -> set[Fact]:
    """All that a document promises of its operations: parameters, success statuses, and fields at every depth."""
    found: set[Fact] = set()
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            operation = f"{method} {path}"
            found.add((operation, "", "exists"))
            for given in [*item.get("parameters", ()), *item[method].get("parameters", ())]:
                parameter = resolved(document, given)
                place = f"{parameter['in']} {parameter['name']}"
                found.add((operation, place, "exists"))
                found |= {(operation, *fact) for fact in of_schema(document, parameter["schema"], place)}
            for part, schema in bodies(document, item[method]):
                found.add((operation, part, "exists"))
                found |= {(operation, *fact) for fact in of_schema(document, schema, part)}
    return found


def bodies(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What an operation takes and gives when it succeeds, by name; {} where it gives nothing."""
    request = operation.get("requestBody", {}).get("content", {})
    if JSON in request:
        yield "request", request[JSON]["schema"]
    for status, given in operation["responses"].items():
        if str(status).startswith("2"):
            yield str(status), resolved(document, given).get("content", {}).get(JSON, {}).get("schema", {})


def of_schema(document: dict[str, Any], schema: dict[str, Any], place: str) -> Iterator[tuple[str, str]]:
    """What a schema promises, whatever its names and however it is put together."""
    schema = resolved(document, schema)
    for word in KEPT:
        if schema.get(word):
            yield place, f"{word} {schema[word]}"
    for value in schema.get("enum", ()):
        if value not in ("", None):
            yield place, f"enum {value}"
    for name in schema.get("required", ()):
        yield f"{place}.{name}", "required"
    for name, inner in schema.get("properties", {}).items():
        yield f"{place}.{name}", "exists"
        yield from of_schema(document, inner, f"{place}.{name}")
    if "items" in schema:
        yield from of_schema(document, schema["items"], f"{place}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from of_schema(document, schema["additionalProperties"], f"{place}.*")
    for word in COMBINED:
        for inner in schema.get(word, ()):
            yield from of_schema(document, inner, place)


def resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to, or the thing itself."""
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def json_schema(document: dict[str, Any], node: Any) -> Any:
    """A schema of OpenAPI 3.0 as plain JSON Schema: references followed, nullable said as JSON Schema says it."""
    if isinstance(node, list):
        return [json_schema(document, inner) for inner in node]
    if not isinstance(node, dict):
        return node
    node = resolved(document, node)
    plain = {
        key: json_schema(document, value)
        for key, value in node.items()
        if key not in ("nullable", "discriminator")
    }
    # A field may be called "nullable" too, so only a true one says something of the schema.
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain
