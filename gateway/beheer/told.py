"""The words in which each path of the operator's API says what it is: for its OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
NUMBER: Json = {"type": "number"}
YES_NO: Json = {"type": "boolean"}
MOMENT: Json = {"type": "string", "format": "date-time"}
UUID_TEXT: Json = {"type": "string", "format": "uuid"}
ANYTHING: Json = {"type": "object", "additionalProperties": True}


@dataclass(frozen=True, slots=True)
class Told:
    """What a path does, asks and answers.

    `parts` are the variable parts of the path, `query` and `body` what a request may have, `answer` is the schema of
    what comes back; `problems` the refusals that it has beside those of every path.
    """

    tag: str
    summary: str
    answer: Json
    description: str = ""
    parts: Json = field(default_factory=dict)
    query: Json = field(default_factory=dict)
    body: Json | None = None
    needs_body: bool = True
    problems: tuple[str, ...] = ()


def thing(about: str = "", /, *, may_lack: tuple[str, ...] = (), **properties: Json) -> Json:
    """The schema of an object with these and no other properties, all there but those that may lack."""
    made: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    if required := [name for name in properties if name not in may_lack]:
        made["required"] = required
    return _about(made, about)


def named(inner: Json, about: str = "") -> Json:
    """The schema of an object whose names are free, as those of sources are."""
    return _about({"type": "object", "additionalProperties": inner}, about)


def several(inner: Json, about: str = "") -> Json:
    """The schema of a list."""
    return _about({"type": "array", "items": inner}, about)


def said(schema: Json, about: str) -> Json:
    """A schema with a word about it."""
    return _about(schema, about)


def or_null(schema: Json, about: str = "") -> Json:
    """A schema of what may also be null."""
    return _about({**schema, "nullable": True}, about)


def one_of(*values: str) -> Json:
    """The schema of a text that is one of these."""
    return {"type": "string", "enum": list(values)}


def _about(schema: Json, about: str) -> Json:
    return schema | ({"description": about} if about else {})
