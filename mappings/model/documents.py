"""A Klantinteracties object on its way to the store: pure data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class Document:
    """One object of the Klantinteracties API.

    `kind` is the singular name of the resource ("partij"); `body` its fields as the API gives them, without
    uuid, url and references; `links` the references, by field name; `created` and `moment` are microseconds
    UTC (M42: lists sort on moment, then created, then uuid); `sources` the uuids of the legacy objects that it
    was made from (M4).
    """

    kind: str
    uuid: UUID
    body: dict[str, Any]
    created: int
    moment: int
    links: dict[str, list[UUID]] = field(default_factory=dict)
    sources: frozenset[UUID] = frozenset()
    other_uuids: tuple[UUID, ...] = ()
