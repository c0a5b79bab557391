"""The values of documents that clients search by: a row of `field_value` for each, kept by who writes the documents.

A table, and not an index on an expression: each database has it alike, and on SQLite documents are written a third
faster (docs/decisions/0033-a-table-of-values.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from gateway.store.base.kinds import KIND
from gateway.store.base.searched_fields import FIELD_NUMBER, FILLED, kept_value
from gateway.store.base.session import Session

# The number of the field, the value, the row of the document.
FieldValue = tuple[int, str, int]
BEFORE_ALL: FieldValue = (0, "", 0)
FILLED_AT_ONCE = 5000


class _RowPlace(NamedTuple):
    """Where a value stands in a body: a key, and one inside that or ""."""

    number: int
    key: str
    inner: str
    filled: bool


def _places() -> dict[int, list[_RowPlace]]:
    found: dict[int, list[_RowPlace]] = defaultdict(list)
    for (kind, field), number in FIELD_NUMBER.items():
        key, _, inner = field.partition(".")
        found[KIND[kind]].append(_RowPlace(number, key, inner, (kind, field) in FILLED))
    return dict(found)


_PLACES = _places()


def values_of(kind: int, row: int, body: Mapping[str, Any]) -> list[FieldValue]:
    """The values of a document of a kind (a number)."""
    found = []
    for number, key, inner, filled in _PLACES.get(kind, ()):
        value = body.get(key)
        if inner and value is not None:
            value = value.get(inner)
        if isinstance(value, str) and (value or not filled):
            found.append((number, kept_value(value), row))
    return found


def come(connection: Session, values: Iterable[FieldValue]) -> None:
    """Documents have these values from now on."""
    connection.many(
        "INSERT INTO field_value (field, value, document) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", values
    )


def go(connection: Session, values: Iterable[FieldValue]) -> None:
    """Documents have these values no more."""
    connection.many("DELETE FROM field_value WHERE field = ? AND value = ? AND document = ?", values)


def make_some(connection: Session, place: list[int]) -> list[int] | None:
    """Make values anew from some of the documents that are there. Inside a transaction.

    In: the last row that was seen to, [] to begin. Out: the same, None when there are no more.
    """
    if not place:
        connection.run("DELETE FROM field_value")
    after = fill(connection, place[0] if place else 0, FILLED_AT_ONCE)
    return None if after is None else [after]


def fill(connection: Session, after: int, most: int) -> int | None:
    """Write the values of the documents after a row that were lost, at most so many documents.

    Out: the last row that was seen to, None when there are no more.
    """
    rows = connection.all(
        "SELECT id, kind, body FROM document WHERE id > ? ORDER BY id LIMIT ?", (after, most)
    )
    come(connection, [each for row, kind, body in rows for each in values_of(kind, row, orjson.loads(body))])
    return rows[-1][0] if rows else None


def wrong(connection: Session, after: FieldValue, most: int) -> tuple[list[FieldValue], FieldValue | None]:
    """Which of the values after one, at most so many, their document has not.

    Out: those, and the last one that was looked at; None when there are no more.
    """
    rows = connection.all(
        "SELECT v.field, v.value, v.document, d.kind, d.body FROM field_value v"
        " LEFT JOIN document d ON d.id = v.document WHERE (v.field, v.value, v.document) > (?, ?, ?)"
        " ORDER BY v.field, v.value, v.document LIMIT ?",
        (*after, most),
    )
    found = [
        (field, value, row)
        for field, value, row, kind, body in rows
        if body is None or (field, value, row) not in values_of(kind, row, orjson.loads(body))
    ]
    return found, (rows[-1][0], rows[-1][1], rows[-1][2]) if rows else None
