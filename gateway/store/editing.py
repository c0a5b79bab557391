"""What clients write: local documents, and local values and tombstones over documents from the legacy (M19).

A document from the legacy is made again at every ingest. What a client changed of it is kept apart, in `local`, by
the uuid of the document and the part that changed, and laid over it each time; a deleted one leaves a tombstone.
Call inside `Store.write()`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from gateway.store.database import now
from gateway.store.kinds import (
    KIND,
    KINDS,
    LEGACY_ORIGIN,
    LOCAL_ORIGIN,
    ON_DELETE,
    RELATION,
    RELATIONS,
    OnDelete,
)
from gateway.store.legacy import IN_IDS, id_list
from gateway.store.reading import Row
from gateway.store.writing import remove_documents
from mappings.documents import Document

# Fields that M18 takes from one rol together become local together.
# No group may have the name of a field: `adres` is one of a digitaleadres.
GROUPS: Mapping[str, tuple[str, ...]] = {"postadressen": ("bezoekadres", "correspondentieadres")}
GROUP_OF = {field: group for group, fields in GROUPS.items() for field in fields}
LINK = "link "
TOMBSTONE = ""
# What of a document is emptied when the one that it refers to is deleted: without the organisatie a contactpersoon
# is nobody's.
EMPTIED_WITH: Mapping[str, str] = {"partij.werkteVoorPartij": "partijIdentificatie"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Held:
    """A document as it is held: `links` by field name, as rows of documents."""

    id: int
    kind: str
    uuid: UUID
    origin: int
    created: int
    moment: int
    body: dict[str, Any]
    links: dict[str, list[int]]


def get(connection: sqlite3.Connection, row: int) -> Held:
    """A document with its links. Raises KeyError when it isn't there."""
    found = connection.execute(
        "SELECT kind, uuid, origin, created, moment, body FROM document WHERE id = ?", (row,)
    ).fetchone()
    if found is None:
        raise KeyError(row)
    links: dict[str, list[int]] = {}
    for relation, target in connection.execute(
        "SELECT l.relation, l.target FROM link l JOIN document d ON d.id = l.target"
        " WHERE l.source = ? ORDER BY d.created, d.uuid",
        (row,),
    ):
        links.setdefault(RELATIONS[relation - 1].split(".", 1)[1], []).append(target)
    kind, uuid, origin, created, moment, body = found
    return Held(row, KINDS[kind - 1], UUID(bytes=uuid), origin, created, moment, orjson.loads(body), links)


def create(
    connection: sqlite3.Connection,
    kind: str,
    uuid: UUID,
    body: Mapping[str, Any],
    links: Mapping[str, Sequence[int]],
    moment: int | None = None,
) -> int:
    """A new local document; out: its row. `moment` is what lists sort on first, when it isn't now."""
    newest = connection.execute(
        "SELECT created FROM document WHERE origin = 1 AND id = (SELECT max(id) FROM document)"
    ).fetchone()
    created = max(now(), newest[0] + 1 if newest else 0)  # two in one request keep their order
    cursor = connection.execute(
        "INSERT INTO document (kind, uuid, origin, created, moment, body) VALUES (?, ?, ?, ?, ?, ?)",
        (
            KIND[kind],
            uuid.bytes,
            LOCAL_ORIGIN,
            created,
            created if moment is None else moment,
            orjson.dumps(body).decode(),
        ),
    )
    row = cursor.lastrowid or 0
    connection.execute("UPDATE document SET owner = id WHERE id = ?", (row,))
    _set_links(connection, row, kind, {}, links)
    return row


def update(
    connection: sqlite3.Connection,
    held: Held,
    body: Mapping[str, Any],
    links: Mapping[str, Sequence[int]],
    moment: int | None = None,
) -> None:
    """Make a document what a client says; of one from the legacy, only what differs becomes local."""
    if held.origin == LEGACY_ORIGIN:
        parts = {_part(field) for field in {*body, *held.body} if body.get(field) != held.body.get(field)}
        for part in sorted(parts):
            fields = GROUPS.get(part, (part,))
            _note(connection, held.uuid, part, {field: body.get(field) for field in fields})
        for field in {*links, *held.links}:
            targets = list(links.get(field, ()))
            if sorted(targets) != sorted(held.links.get(field, [])):
                _note(connection, held.uuid, LINK + field, _spelled(connection, targets))
    _write(connection, held, body, links, held.moment if moment is None else moment)


def amend(
    connection: sqlite3.Connection, held: Held, body: Mapping[str, Any], links: Mapping[str, Sequence[int]]
) -> None:
    """Make a document what follows from a write to another one.

    For one from the legacy `overlay` finds the same again each time, so nothing becomes local by it; but what a
    client had said before of the same field is put right.
    """
    if held.origin == LEGACY_ORIGIN:
        noted = _local(connection, {held.uuid.bytes}).get(held.uuid.bytes, {})
        for part in noted:
            if part.startswith(LINK):
                targets = links.get(part.removeprefix(LINK), ())
                _note(connection, held.uuid, part, _spelled(connection, targets))
            elif part != TOMBSTONE:
                fields = GROUPS.get(part, (part,))
                _note(connection, held.uuid, part, {field: body.get(field) for field in fields})
    _write(connection, held, body, links, held.moment)


def become_local(
    connection: sqlite3.Connection,
    held: Held,
    legacy: Mapping[str, Any],
    filled: Iterable[str],
    links: Mapping[str, Sequence[int]],
) -> None:
    """Count what a client filled in on a document of its own as edits, now that the legacy knows that document too.

    In: the document as the client made it, its body as the legacy says it, the fields that say something, and the
    references that only the client gave.
    """
    for part in sorted({_part(field) for field in filled if held.body[field] != legacy.get(field)}):
        fields = GROUPS.get(part, (part,))
        _note(connection, held.uuid, part, {field: held.body.get(field) for field in fields})
    for field, targets in links.items():
        _note(connection, held.uuid, LINK + field, _spelled(connection, targets))


def row(connection: sqlite3.Connection, number: int) -> Row:
    """A document as the read side has it. Raises KeyError when it isn't there."""
    found: Row | None = connection.execute(
        "SELECT id, uuid, body FROM document WHERE id = ?", (number,)
    ).fetchone()
    if found is None:
        raise KeyError(number)
    return found


def uuids(connection: sqlite3.Connection, rows: Iterable[int]) -> dict[int, UUID]:
    """The uuids of documents, by row."""
    found = connection.execute(f"SELECT id, uuid FROM document WHERE id {IN_IDS}", (id_list(rows),))
    return {row: UUID(bytes=uuid) for row, uuid in found}


def microseconds(text: str) -> int:
    """A time as the API writes it, as the store has it. Raises ValueError."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def remove(connection: sqlite3.Connection, rows: Iterable[int], root: UUID) -> None:
    """Remove documents that a client deleted with `root`; those from the legacy leave a tombstone."""
    ids = sorted(set(rows))
    for uuid, kind, owner in connection.execute(
        "SELECT d.uuid, d.kind, o.uuid FROM document d LEFT JOIN document o ON o.id = d.owner"
        f" WHERE d.origin = 0 AND d.id {IN_IDS}",
        (id_list(ids),),
    ).fetchall():
        about = {
            "kind": KINDS[kind - 1],
            "root": str(root),
            "owner": str(UUID(bytes=owner)) if owner else None,
        }
        _note(connection, UUID(bytes=uuid), TOMBSTONE, about)
    connection.executemany("UPDATE document SET owner = NULL WHERE owner = ?", [(row,) for row in ids])
    remove_documents(connection, ids)


def take_up(connection: sqlite3.Connection, root: UUID) -> list[dict[str, Any]]:
    """Lift the tombstones that were laid with `root`; out: what each says of its document."""
    lifted = []
    for uuid, value in connection.execute(
        "SELECT uuid, value FROM local WHERE part = ? AND value ->> '$.root' = ?", (TOMBSTONE, str(root))
    ).fetchall():
        connection.execute("DELETE FROM local WHERE uuid = ? AND part = ?", (uuid, TOMBSTONE))
        lifted.append(orjson.loads(value) | {"uuid": str(UUID(bytes=uuid))})
    return lifted


def overlay(
    connection: sqlite3.Connection, documents: list[tuple[Document, bytes | None]]
) -> list[tuple[Document, bytes | None]]:
    """Lay over documents from the legacy what clients made of them: values, references, deletions."""
    if connection.execute("SELECT 1 FROM local LIMIT 1").fetchone() is None:
        return _standard_by_client(connection, documents)
    named = {document.uuid.bytes for document, _ in documents}
    named |= {
        target.bytes for document, _ in documents for group in document.links.values() for target in group
    }
    local = _local(connection, named)
    kept = [pair for pair in documents if not _deleted(pair[0], local)]
    left = {document.uuid.bytes for document, _ in kept}
    kept = [pair for pair in kept if pair[1] is None or pair[1] in left]
    for document, _ in kept:
        for name, targets in list(document.links.items()):
            document.links[name] = [
                target for target in targets if TOMBSTONE not in local.get(target.bytes, {})
            ]
            emptied = EMPTIED_WITH.get(f"{document.kind}.{name}")
            if emptied and len(document.links[name]) < len(targets):
                document.body = {**document.body, emptied: None}
        for part, value in local.get(document.uuid.bytes, {}).items():
            if part.startswith(LINK):
                targets = [UUID(text) for text in value]
                document.links[part.removeprefix(LINK)] = [
                    target for target in targets if target.bytes in left or _exists(connection, target)
                ]
            else:
                document.body = {**document.body, **value}
        if document.kind == "klantcontact" and "plaatsgevondenOp" in local.get(document.uuid.bytes, {}):
            document.moment = microseconds(document.body["plaatsgevondenOp"])
    return _standard_by_client(connection, _reachable(connection, kept))


def _reachable(
    connection: sqlite3.Connection, documents: list[tuple[Document, bytes | None]]
) -> list[tuple[Document, bytes | None]]:
    """Without the references to documents that a client's deletion keeps from being made, and what needs those."""
    while True:
        there = {document.uuid.bytes for document, _ in documents}
        kept = []
        for document, owner in documents:
            lost = {
                name
                for name, targets in document.links.items()
                for target in targets
                if target.bytes not in there and not _exists(connection, target)
            }
            if any(ON_DELETE[f"{document.kind}.{name}"] is OnDelete.CASCADE for name in lost):
                continue
            for name in lost:
                document.links[name] = [
                    target
                    for target in document.links[name]
                    if target.bytes in there or _exists(connection, target)
                ]
            kept.append((document, owner))
        if len(kept) == len(documents):
            return kept
        documents = kept


def _deleted(document: Document, local: Mapping[bytes, Mapping[str, Any]]) -> bool:
    """Did a client delete it, or something that takes it along?"""
    if TOMBSTONE in local.get(document.uuid.bytes, {}):
        return True
    return any(
        TOMBSTONE in local.get(target.bytes, {})
        for name, targets in document.links.items()
        if ON_DELETE[f"{document.kind}.{name}"] is OnDelete.CASCADE
        for target in targets
    )


def _standard_by_client(
    connection: sqlite3.Connection, documents: list[tuple[Document, bytes | None]]
) -> list[tuple[Document, bytes | None]]:
    """An address that a client made the standard one stays it, whatever address is newest (M19 before M21)."""
    said = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM document INDEXED BY document_local WHERE kind = ? AND origin = 1)"
        " OR EXISTS (SELECT 1 FROM local INDEXED BY local_standaard WHERE part = 'isStandaardAdres')",
        (KIND["digitaleadres"],),
    ).fetchone()
    if not said[0]:
        return documents
    for document, _ in documents:
        if document.kind != "digitaleadres" or not document.body["isStandaardAdres"]:
            continue
        for party in document.links.get("verstrektDoorPartij", []):
            rival = connection.execute(
                "SELECT 1 FROM document p JOIN link l ON l.target = p.id AND l.relation = :by"
                " JOIN document a ON a.id = l.source"
                " LEFT JOIN local o ON o.uuid = a.uuid AND o.part = 'isStandaardAdres'"
                " WHERE p.uuid = :party AND a.uuid != :adres AND a.body ->> '$.soortDigitaalAdres' = :soort"
                " AND a.body ->> '$.isStandaardAdres' = 1 AND (a.origin = 1 OR o.uuid IS NOT NULL) LIMIT 1",
                {
                    "by": RELATION["digitaleadres.verstrektDoorPartij"],
                    "party": party.bytes,
                    "adres": document.uuid.bytes,
                    "soort": document.body["soortDigitaalAdres"],
                },
            ).fetchone()
            if rival:
                document.body = {**document.body, "isStandaardAdres": False}
    return documents


def local_values(connection: sqlite3.Connection, uuid: bytes) -> dict[str, Any]:
    """The fields of a document that clients wrote, without references."""
    values: dict[str, Any] = {}
    for part, value in _local(connection, {uuid}).get(uuid, {}).items():
        if part != TOMBSTONE and not part.startswith(LINK):
            values |= value
    return values


def _part(field: str) -> str:
    return GROUP_OF.get(field, field)


def _note(connection: sqlite3.Connection, uuid: UUID, part: str, value: object) -> None:
    connection.execute(
        "INSERT INTO local (uuid, part, value, written) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (uuid, part) DO UPDATE SET value = ?3, written = ?4",
        (uuid.bytes, part, orjson.dumps(value).decode(), now()),
    )


def _local(connection: sqlite3.Connection, uuids: set[bytes]) -> dict[bytes, dict[str, Any]]:
    found: dict[bytes, dict[str, Any]] = {}
    for uuid in uuids:
        for part, value in connection.execute("SELECT part, value FROM local WHERE uuid = ?", (uuid,)):
            found.setdefault(uuid, {})[part] = orjson.loads(value)
    return found


def _spelled(connection: sqlite3.Connection, rows: Iterable[int]) -> list[str]:
    return sorted(str(uuid) for uuid in uuids(connection, rows).values())


def _write(
    connection: sqlite3.Connection,
    held: Held,
    body: Mapping[str, Any],
    links: Mapping[str, Sequence[int]],
    moment: int,
) -> None:
    connection.execute(
        "UPDATE document SET body = ?, moment = ? WHERE id = ?",
        (orjson.dumps(body).decode(), moment, held.id),
    )
    _set_links(connection, held.id, held.kind, held.links, links)


def _exists(connection: sqlite3.Connection, uuid: UUID) -> bool:
    return connection.execute("SELECT 1 FROM document WHERE uuid = ?", (uuid.bytes,)).fetchone() is not None


def _set_links(
    connection: sqlite3.Connection,
    row: int,
    kind: str,
    before: Mapping[str, Sequence[int]],
    after: Mapping[str, Sequence[int]],
) -> None:
    held = {(RELATION[f"{kind}.{field}"], target) for field, targets in before.items() for target in targets}
    wanted = {(RELATION[f"{kind}.{field}"], target) for field, targets in after.items() for target in targets}
    connection.executemany(
        "DELETE FROM link WHERE source = ? AND relation = ? AND target = ?",
        [(row, *link) for link in sorted(held - wanted)],
    )
    connection.executemany(
        "INSERT INTO link (source, relation, target) VALUES (?, ?, ?)",
        [(row, *link) for link in sorted(wanted - held)],
    )
