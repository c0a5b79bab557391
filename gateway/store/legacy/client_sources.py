"""Which objects of which sources stand behind what clients write: for write-back. Inside a transaction."""

from __future__ import annotations

from typing import Any

import orjson

from gateway.store.base.compression import unpack
from gateway.store.base.kinds import RAW_KIND, TRANSLATED
from gateway.store.base.session import Session


def sources_with_zaak(connection: Session, zaak: bytes) -> list[int]:
    """The sources of which this zaak is held."""
    rows = connection.all(
        "SELECT source FROM raw WHERE source IN (SELECT id FROM source) AND kind = ? AND uuid = ? ORDER BY source",
        (RAW_KIND["zaak"], zaak),
    )
    return [row[0] for row in rows]


def klanten_of_partij(connection: Session, source: int, partij: int) -> list[bytes]:
    """The klanten of a source that a partij (row) is."""
    rows = connection.all(
        "SELECT DISTINCT r.uuid FROM statement s JOIN claim c ON c.statement = s.id AND c.facet = 'zelf'"
        " JOIN raw r ON r.id = c.raw WHERE s.document = ? AND r.source = ? AND r.kind = ? AND r.state = ?"
        " ORDER BY r.uuid",
        (partij, source, RAW_KIND["klant"], TRANSLATED),
    )
    return [row[0] for row in rows]


def sources_behind(connection: Session, document: int) -> list[int]:
    """The sources that gave something that a document (row) was made of."""
    rows = connection.all(
        "SELECT DISTINCT r.source FROM provenance p JOIN raw r ON r.id = p.raw WHERE p.document = ?"
        " ORDER BY r.source",
        (document,),
    )
    return [row[0] for row in rows]


def held_object(connection: Session, source: int, kind: str, uuid: bytes) -> dict[str, Any] | None:
    """An object of a source as it came, None when it is not held."""
    row = connection.one(
        "SELECT body FROM raw WHERE source = ? AND kind = ? AND uuid = ? AND body IS NOT NULL",
        (source, RAW_KIND[kind], uuid),
    )
    found: dict[str, Any] | None = orjson.loads(unpack(row[0])) if row else None
    return found


def rollen_behind(connection: Session, source: int, document: int) -> list[tuple[bytes, bytes]]:
    """The rollen of a source that a document (row) of a partij was made of, each with its zaak."""
    rows = connection.all(
        "SELECT DISTINCT r.uuid, r.zaak FROM made_of_statement m JOIN claim c ON c.statement = m.statement"
        " JOIN raw r ON r.id = c.raw WHERE m.document = ? AND r.source = ? AND r.kind = ? AND r.state = ?"
        " AND r.zaak IS NOT NULL ORDER BY r.uuid",
        (document, source, RAW_KIND["rol"], TRANSLATED),
    )
    return [(row[0], row[1]) for row in rows]


def phases(connection: Session) -> dict[str, tuple[int, str]]:
    """Of every source its row and phase, by name."""
    return {name: (row, phase) for row, name, phase in connection.all("SELECT id, name, phase FROM source")}
