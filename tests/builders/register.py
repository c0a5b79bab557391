"""A store with its ingest, and the legacy objects of the slice and the ugly set."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from builders.legacy_objects import (
    SECRET,
    SETTINGS,
)
from builders.paths import DATA
from builders.store_digest import dump_digest
from builders.stores import make_store

from gateway.ingest.ingest import Ingest, Result
from gateway.store.inspect.dump import dump_lines
from gateway.store.legacy.provenance import document_of

KINDS = ("zaak", "rol", "klantcontact")

SOURCE = "bron"

Objects = list[tuple[str, dict[str, Any]]]


def read_slice() -> Objects:
    with gzip.open(DATA / "slice.jsonl.gz", "rb") as file:
        return [(kind, raw) for kind, raw in map(orjson.loads, file) if kind in KINDS]


def read_ugly() -> Objects:
    lines = (DATA / "ugly.jsonl").read_bytes().splitlines()
    return [(kind, raw) for kind, raw in map(orjson.loads, lines) if kind in KINDS]


def a_third(objects: Objects) -> Objects:
    """Every third zaak with all that belongs to it."""
    zaken = [raw["url"] for kind, raw in objects if kind == "zaak"][::3]
    kept = set(zaken)
    return [(kind, raw) for kind, raw in objects if raw["url" if kind == "zaak" else "zaak"] in kept]


class Register:
    """A store with its ingest, in a file of its own."""

    def __init__(self, path: Path) -> None:
        self.store = make_store(path)
        self.ingest = Ingest(self.store, SETTINGS, SECRET)

    def take(self, *raws: dict[str, Any], source: str = SOURCE) -> Result:
        """Take objects one kind at a time, zaken first."""
        return self.take_all([(kind_of(raw), raw) for raw in raws], source)

    def take_all(self, objects: Objects, source: str = SOURCE) -> Result:
        result = Result()
        for kind in KINDS:
            result.add(
                self.ingest.take(source, kind, [raw for each, raw in objects if each == kind], asked=0)
            )
        return result

    def remove(self, *raws: dict[str, Any], source: str = SOURCE) -> None:
        for raw in raws:
            self.ingest.remove(source, kind_of(raw), [UUID(raw["uuid"])])

    def digest(self) -> str:
        return dump_digest(self.store)

    def lines(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in dump_lines(self.store)]

    def of(self, t: str, kind: str = "") -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["t"] == t and (not kind or line.get("kind") == kind)]

    def findings(self) -> list[dict[str, Any]]:
        """The findings, without those that are only counted (M36)."""
        return [line for line in self.of("finding") if line["rule"] != "M36"]

    def states(self) -> dict[str, int]:
        return {line["uuid"]: line["state"] for line in self.of("raw")}

    def resolve(self, uuid: UUID) -> UUID | None:
        """The uuid of the owner of the document with this uuid or this other uuid."""
        with self.store.read() as connection:
            found = document_of(connection, uuid.bytes)
        return UUID(bytes=found[1]) if found else None

    def names(self) -> list[str]:
        """The names of all parties."""
        who = [line["body"]["partijIdentificatie"] for line in self.of("document", "partij")]
        return sorted(each["volledigeNaam"] if "contactnaam" in each else each["naam"] for each in who)


def kind_of(raw: dict[str, Any]) -> str:
    return "rol" if "betrokkeneType" in raw else "klantcontact" if "datumtijd" in raw else "zaak"
