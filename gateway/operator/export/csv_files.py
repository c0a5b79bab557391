"""`klantbrug export csv`: a file per resource, with a description of each column (E10)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from gateway.klantinteracties.model import declarations as declared
from gateway.klantinteracties.model.declarations import Resource
from gateway.klantinteracties.model.resources import RESOURCES
from gateway.operator.export.directory import create, prepare
from gateway.store.base.store import Store
from gateway.store.export import documents
from gateway.store.export.documents import BEFORE_ALL, Leaving
from mappings.klantinteracties import schema_of
from mappings.klantinteracties.nested_fields import Group, Variants

READ_AT_ONCE = 1000
DICTIONARY = "datawoordenboek.csv"
HEADINGS = ("bestand", "kolom", "soort", "verwijst_naar", "betekenis")
TRUTH = {True: "true", False: "false", None: ""}


class Column:
    """One column: its name, where its value stands, and what it means."""

    def __init__(self, name: str, place: tuple[str, ...], sort: str, about: str = "", to: str = "") -> None:
        self.name, self.place, self.sort, self.about, self.to = name, place, sort, about, to

    def value(self, body: dict[str, Any]) -> str:
        """What stands in it."""
        found: Any = body
        for name in self.place:
            found = found.get(name) if isinstance(found, dict) else None
        if found is None or isinstance(found, bool):
            return TRUTH[found]
        return (
            orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()
            if isinstance(found, dict)
            else str(found)
        )


def write(store: Store, directory: Path, told: Callable[[str, int, int], None]) -> dict[str, int]:
    """Write the files; out: how many rows each has. Raises NoSuchPlace, OSError."""
    prepare(directory)
    counts = {}
    with store.read() as connection:
        for resource in RESOURCES:
            total, done, after = documents.count(connection, resource.kind), 0, BEFORE_ALL
            named = columns(resource)
            with create(directory / f"{resource.path}.csv") as file:
                file.write(_lines([[column.name for column in named]]))
                while True:
                    found = documents.every(connection, resource.kind, after, READ_AT_ONCE)
                    file.write(_lines(_row(named, leaving) for leaving in found))
                    done += len(found)
                    told(resource.path, done, total)
                    if len(found) < READ_AT_ONCE:
                        break
                    after = found[-1].place
            counts[resource.path] = done
    with create(directory / DICTIONARY) as file:
        file.write(_lines(_dictionary()))
    return counts


def _dictionary() -> Iterator[list[str]]:
    yield list(HEADINGS)
    for resource in RESOURCES:
        for column in columns(resource):
            yield [f"{resource.path}.csv", column.name, column.sort, column.to, column.about]


def columns(resource: Resource) -> list[Column]:
    """The columns of a resource: its uuid, its values, and the uuids that it refers to."""
    found = [Column("uuid", ("uuid",), "uuid", "Unieke identificatie.")]
    fields = schema_of(resource.kind).fields
    for item in resource.fields:
        about = str(fields[item.name].metadata.get("description", ""))
        match item:
            case declared.BodyValue(name=name) | declared.Inside(name=name):
                found += _values(name, fields[name], about)
            case declared.DocumentReference() | declared.References(first=False):
                several = isinstance(item, declared.References)
                sort = "uuids, gescheiden door een spatie" if several else "uuid"
                found.append(
                    Column(f"{item.name}_uuid", (f"@{item.relation}",), sort, about, f"{item.to}.uuid")
                )
        if isinstance(item, declared.Inside):
            inner = item.reference
            place = (f"@{inner.relation}",)
            found.append(Column(f"{item.name}_{inner.name}_uuid", place, "uuid", "", f"{inner.to}.uuid"))
    return found


def _values(name: str, field: Any, about: str, above: tuple[str, ...] = ()) -> Iterator[Column]:
    """The columns of a value: of a group one for each that is in it."""
    prefix = "_".join((*above, name))
    if isinstance(field, Variants):
        seen = dict[str, Any]()
        for schema in field._inner.values():
            seen |= {
                inner: each for inner, each in schema.fields.items() if "Reference" not in type(each).__name__
            }
        for inner, each in seen.items():
            yield from _values(inner, each, str(each.metadata.get("description", "")), (*above, name))
    elif isinstance(field, Group):
        for inner, each in field.inner.fields.items():
            yield from _values(inner, each, str(each.metadata.get("description", "")), (*above, name))
    else:
        yield Column(prefix, (*above, name), _sort(field), about)


def _sort(field: Any) -> str:
    names = {
        "FlagField": "true of false",
        "NumberField": "getal",
        "Date": "datum",
        "Moment": "moment in UTC",
        "TextsField": "JSON",
        "Identity": "uuid",
    }
    return names.get(type(field).__name__, "tekst")


def _row(named: list[Column], leaving: Leaving) -> list[str]:
    body = orjson.loads(leaving.body)
    body["uuid"] = str(UUID(bytes=leaving.uuid))
    for name, linked in leaving.links.items():
        body[f"@{leaving.kind}.{name}"] = " ".join(str(UUID(bytes=one.own)) for one in linked)
    return [column.value(body) for column in named]


def _lines(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
