"""What the store holds around one uuid, for `explain`. Call inside `Store.read()`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.compression import unpack
from gateway.store.base.kinds import KINDS, LOCAL_ORIGIN, RAW_KIND, RAW_KINDS, RELATIONS
from gateway.store.base.session import Session
from gateway.store.edits.editing import MOVED, TOMBSTONE
from mappings.model.claims import Claim
from mappings.model.findings import Finding, Severity


@dataclass(slots=True)
class HeldDocument:
    """A document; `asked_by_other`: it was found by another uuid of it (M6)."""

    row: int
    kind: str
    uuid: UUID
    local: bool
    created: int
    body: dict[str, Any]
    owner: int | None
    owner_kind: str
    asked_by_other: bool


@dataclass(slots=True)
class HeldRaw:
    """A legacy object; `body` is as the source gave it, None when it was left out (M34)."""

    row: int
    source: str
    source_row: int
    kind: str
    uuid: UUID
    zaak: UUID | None
    state: int
    visible: bool
    first_seen: int
    last_seen: int
    body: dict[str, Any] | None


@dataclass(slots=True)
class SharedClaim:
    """What rollen say alike of a party or actor: the claim of the newest of them, and how many they are."""

    statement: int
    claim: Claim
    raw: int
    rollen: int


class Linked(NamedTuple):
    """A link of a document: the relation, the other document, and whether that one refers to this."""

    relation: str
    kind: str
    uuid: UUID
    incoming: bool


class WrittenPart(NamedTuple):
    """What a client made of a part of a document from the legacy (M19)."""

    part: str
    value: Any
    moment: int


_DOCUMENT = (
    "SELECT d.id, d.kind, d.uuid, d.origin, d.created, d.body, d.owner, o.kind, d.uuid != ?1"
    " FROM document d LEFT JOIN document o ON o.id = d.owner"
)
_RAW = (
    "SELECT r.id, s.name, r.source, r.kind, r.uuid, r.zaak, r.state, r.visible, r.first_seen, r.last_seen, r.body"
    " FROM raw r JOIN source s ON s.id = r.source"
)
# A table of sources is small: looking the object up in each keeps to the index.
_EVERY_SOURCE = (
    "r.source IN (SELECT id FROM source) AND r.kind IN (SELECT value FROM json_each(?2)) AND r.uuid = ?1"
)


def document(connection: Session, uuid: UUID) -> HeldDocument | None:
    """The document with this uuid, or the one that it resolves to (M6)."""
    found = connection.one(
        f"{_DOCUMENT} WHERE d.id = coalesce((SELECT id FROM document WHERE uuid = ?1),"
        " (SELECT document FROM alias WHERE uuid = ?1))",
        (uuid.bytes,),
    )
    if found is None:
        return None
    row, kind, own, origin, created, body, owner, owner_kind, other = found
    return HeldDocument(
        row,
        KINDS[kind - 1],
        UUID(bytes=own),
        origin == LOCAL_ORIGIN,
        created,
        orjson.loads(body),
        owner,
        KINDS[owner_kind - 1] if owner_kind else "",
        bool(other),
    )


def raws(connection: Session, uuid: UUID) -> list[HeldRaw]:
    """The legacy objects with this uuid: of any kind, in any source."""
    rows = connection.all(
        f"{_RAW} WHERE {_EVERY_SOURCE} ORDER BY s.name, r.kind", (uuid.bytes, id_list(RAW_KIND.values()))
    )
    return [_raw(row) for row in rows]


def raw(connection: Session, row: int) -> HeldRaw:
    """A legacy object by its row. Raises KeyError."""
    found = connection.one(f"{_RAW} WHERE r.id = ?", (row,))
    if found is None:
        raise KeyError(row)
    return _raw(found)


def zaak(connection: Session, source: int, uuid: UUID) -> HeldRaw | None:
    """A zaak of a source."""
    found = connection.one(
        f"{_RAW} WHERE r.source = ? AND r.kind = ? AND r.uuid = ?", (source, RAW_KIND["zaak"], uuid.bytes)
    )
    return _raw(found) if found else None


def other_uuids(connection: Session, document: int) -> list[UUID]:
    """The other uuids of a document (M6)."""
    rows = connection.all("SELECT uuid FROM alias WHERE document = ? ORDER BY uuid", (document,))
    return [UUID(bytes=row[0]) for row in rows]


def said(connection: Session, held: HeldDocument) -> list[SharedClaim]:
    """What is said of a party or actor, or of what belongs to it: newest first (M18)."""
    table, column = ("statement s", "s.document")
    if held.owner != held.row:
        table, column = ("made_of_statement m JOIN statement s ON s.id = m.statement", "m.document")
    rows = connection.all(
        "SELECT s.id, s.body, newest.raw, newest.moment, newest.rol,"
        " (SELECT min(moment) FROM claim WHERE statement = s.id),"
        " (SELECT count(*) FROM claim WHERE statement = s.id)"
        f" FROM {table} JOIN claim newest ON newest.id = (SELECT c.id FROM claim c"
        f" WHERE c.statement = s.id ORDER BY c.moment DESC, c.rol DESC LIMIT 1) WHERE {column} = ?",
        (held.row,),
    )
    found = [
        SharedClaim(row, Claim.from_body(orjson.loads(body), UUID(bytes=rol), moment, oldest), raw, count)
        for row, body, raw, moment, rol, oldest, count in rows
    ]
    return sorted(
        found, key=lambda each: (each.claim.moment, each.claim.rol.bytes, each.claim.facet), reverse=True
    )


def owner_of(connection: Session, held: HeldDocument) -> HeldDocument:
    """The party, actor or klantcontact that a document was made with; a document without one is its own."""
    if held.owner is None or held.owner == held.row:
        return held
    (uuid,) = connection.one("SELECT uuid FROM document WHERE id = ?", (held.owner,))
    return document(connection, UUID(bytes=uuid)) or held


def sources_of(connection: Session, document: int, limit: int) -> tuple[int, list[int]]:
    """The legacy objects that a document was made from: how many, and the rows of some."""
    (count,) = connection.one("SELECT count(DISTINCT raw) FROM provenance WHERE document = ?", (document,))
    rows = connection.all(
        "SELECT DISTINCT p.raw FROM provenance p WHERE p.document = ? ORDER BY p.raw DESC LIMIT ?",
        (document, limit),
    )
    return count, [row[0] for row in rows]


def made_of(connection: Session, raw: int) -> list[tuple[str, UUID]]:
    """The documents that a legacy object had a part in: kind and uuid."""
    rows = connection.all(
        "SELECT d.kind, d.uuid FROM document d WHERE d.id IN (SELECT document FROM made_of_raw WHERE raw = ?1"
        " UNION SELECT m.document FROM claim c JOIN made_of_statement m ON m.statement = c.statement WHERE c.raw = ?1"
        " UNION SELECT s.document FROM claim c JOIN statement s ON s.id = c.statement WHERE c.raw = ?1)"
        " ORDER BY d.kind, d.uuid",
        (raw,),
    )
    return [(KINDS[kind - 1], UUID(bytes=uuid)) for kind, uuid in rows]


def findings(connection: Session, rows: list[int]) -> list[tuple[int, Finding]]:
    """What was found in these legacy objects, also in merging what they say: by row."""
    found = connection.all(
        f"SELECT raw, rule, field, severity, action FROM raw_finding WHERE raw {IN_IDS}"
        " UNION SELECT c.raw, f.rule, f.field, f.severity, f.action FROM claim c"
        f" JOIN statement_finding f ON f.statement = c.statement WHERE c.raw {IN_IDS} ORDER BY 1, 2, 3",
        (id_list(rows), id_list(rows)),
    )
    return [
        (row, Finding(rule, field, Severity(severity), action))
        for row, rule, field, severity, action in found
    ]


def links(connection: Session, document: int, limit: int) -> tuple[int, list[Linked]]:
    """The links from and to a document: how many, and the first of them."""
    (count,) = connection.one(
        "SELECT (SELECT count(*) FROM link WHERE source = ?1) + (SELECT count(*) FROM link WHERE target = ?1)",
        (document,),
    )
    rows = connection.all(
        "SELECT l.relation, d.kind, d.uuid, 0 FROM link l JOIN document d ON d.id = l.target WHERE l.source = ?1"
        " UNION ALL SELECT l.relation, d.kind, d.uuid, 1 FROM link l JOIN document d ON d.id = l.source"
        " WHERE l.target = ?1 LIMIT ?2",
        (document, limit),
    )
    return count, [
        Linked(RELATIONS[relation - 1], KINDS[kind - 1], UUID(bytes=uuid), bool(incoming))
        for relation, kind, uuid, incoming in rows
    ]


def written(connection: Session, uuid: UUID) -> list[WrittenPart]:
    """What clients made of the parts of a document, tombstone included (M19); what they wrote under another uuid of
    it counts as far as there is nothing under its own (M6)."""
    rows = connection.all(
        "SELECT part, value, written FROM (SELECT part, value, written, row_number() OVER (PARTITION BY part"
        " ORDER BY CASE WHEN uuid = ?1 THEN 0 ELSE 1 END, uuid) AS place FROM local"
        " WHERE uuid = ?1 OR (part <> ?2 AND uuid IN (SELECT a.uuid FROM document d"
        " JOIN alias a ON a.document = d.id WHERE d.uuid = ?1))) l WHERE place = 1 ORDER BY part",
        (uuid.bytes, TOMBSTONE),
    )
    return [
        WrittenPart(part, orjson.loads(value) if value else None, moment)
        for part, value, moment in rows
        if not part.startswith(MOVED)
    ]


def deleted(connection: Session, raw: int, uuids: Iterable[UUID]) -> bool:
    """Did a client delete one of these documents, or the partij or actor that a legacy object (row) speaks of?

    What is said of one that a client deleted is part of no document.
    """
    for marks, some in in_parts([uuid.bytes for uuid in uuids]):
        query = f"SELECT 1 FROM local WHERE part = ? AND uuid IN ({marks}) LIMIT 1"
        if connection.one(query, (TOMBSTONE, *some)):
            return True
    query = (
        "SELECT 1 FROM claim c JOIN statement s ON s.id = c.statement WHERE c.raw = ? AND s.document IS NULL"
    )
    return connection.one(query, (raw,)) is not None


def contents(connection: Session, source: int, zaak: UUID) -> list[tuple[str, int, int]]:
    """What is held of a zaak: kind, state, how many."""
    rows = connection.all(
        "SELECT kind, state, count(*) FROM raw WHERE source = ? AND zaak = ? AND kind != ? GROUP BY kind, state",
        (source, zaak.bytes, RAW_KIND["zaak"]),
    )
    return [(RAW_KINDS[kind - 1], state, count) for kind, state, count in rows]


def _raw(row: tuple[Any, ...]) -> HeldRaw:
    number, source, source_row, kind, uuid, zaak, state, visible, first, last, body = row
    return HeldRaw(
        number,
        source,
        source_row,
        RAW_KINDS[kind - 1],
        UUID(bytes=uuid),
        UUID(bytes=zaak) if zaak else None,
        state,
        bool(visible),
        first,
        last,
        orjson.loads(unpack(body)) if body else None,
    )
