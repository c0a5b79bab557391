"""What an operator looks for: partijen by a number, zaken by their zaaknummer. Inside `Store.read()`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from gateway.store.base.bound_lists import in_parts
from gateway.store.base.kinds import KINDS, RAW_KIND, RELATION
from gateway.store.base.session import Session
from gateway.store.documents.lookup import IDENTIFICATOR, OBJECT_ID, with_value

MOST = 20
IDENTIFIES = "partij-identificator.identificeerdePartij"


class FoundDocument(NamedTuple):
    """A document that was found; `by` says by what."""

    kind: str
    uuid: UUID
    by: str


def by_number(connection: Session, number: str) -> list[FoundDocument]:
    """The partijen that have an identificator with this number (BSN, RSIN, KVK, vestigingsnummer, ...), and actoren."""
    found = []
    for row in sorted(with_value(connection, IDENTIFICATOR, OBJECT_ID, number)):
        held = connection.one(
            "SELECT p.kind, p.uuid, i.body ->> '$.partijIdentificator.codeSoortObjectId' FROM document i"
            " JOIN link l ON l.source = i.id AND l.relation = ? JOIN document p ON p.id = l.target WHERE i.id = ?",
            (RELATION[IDENTIFIES], row),
        )
        if held is not None:
            kind, uuid, by = held
            found.append(FoundDocument(KINDS[kind - 1], UUID(bytes=uuid), by or ""))
    for row in sorted(with_value(connection, "actor", "actoridentificator.objectId", number)):
        (uuid,) = connection.one("SELECT uuid FROM document WHERE id = ?", (row,))
        found.append(FoundDocument("actor", UUID(bytes=uuid), "actoridentificator"))
    return list(dict.fromkeys(found))


def zaken_by_number(connection: Session, zaaknummer: str) -> list[UUID]:
    """The zaken with this zaaknummer."""
    rows = connection.all(
        "SELECT uuid FROM raw WHERE +kind = ? AND facts ->> '$.identificatie' = ?"
        " AND facts ->> '$.identificatie' IS NOT NULL ORDER BY id LIMIT ?",
        (RAW_KIND["zaak"], zaaknummer, MOST),
    )
    return [UUID(bytes=uuid) for (uuid,) in rows]


def zaaknummers(connection: Session, source: str, zaken: Iterable[UUID]) -> dict[UUID, str]:
    """The zaaknummers of zaken of a source, where they are held."""
    found: dict[UUID, str] = {}
    for marks, part in in_parts([zaak.bytes for zaak in zaken]):
        rows = connection.all(
            "SELECT r.uuid, r.facts ->> '$.identificatie' FROM raw r JOIN source s ON s.id = r.source"
            f" WHERE s.name = ? AND r.kind = ? AND r.uuid IN ({marks}) AND r.facts IS NOT NULL",
            (source, RAW_KIND["zaak"], *part),
        )
        found |= {UUID(bytes=uuid): number for uuid, number in rows if number}
    return found


def zaken_of(connection: Session, source: str, kind: str, uuids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The zaak of each of these legacy objects; a zaak is its own."""
    if kind not in RAW_KIND:
        return {}
    if kind == "zaak":
        return {uuid: uuid for uuid in uuids}
    found: dict[UUID, UUID] = {}
    for marks, part in in_parts([uuid.bytes for uuid in uuids]):
        rows = connection.all(
            "SELECT r.uuid, r.zaak FROM raw r JOIN source s ON s.id = r.source"
            f" WHERE s.name = ? AND r.kind = ? AND r.uuid IN ({marks}) AND r.zaak IS NOT NULL",
            (source, RAW_KIND[kind], *part),
        )
        found |= {UUID(bytes=uuid): UUID(bytes=zaak) for uuid, zaak in rows}
    return found
