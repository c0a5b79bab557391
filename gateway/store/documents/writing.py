"""Writes documents with their links and other uuids. Call inside `Store.write()`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from gateway.store.base.bound_lists import IN_IDS, in_parts
from gateway.store.base.kinds import KIND, LEGACY_ORIGIN, ORDERED, RELATION
from gateway.store.base.row_ids import next_ids
from gateway.store.base.session import Session
from gateway.store.documents import rows
from gateway.store.indexes import profiles
from mappings.model.documents import Document

# The columns of a document that may change.
COLUMNS = ("created", "moment", "body", "owner", "origin")


class DanglingLink(Exception):
    """A document refers to one that is not in the store: a fault of ours, the transaction must not commit."""


def put_documents(
    connection: Session,
    documents: Sequence[tuple[Document, bytes | None]],
    origin: int = LEGACY_ORIGIN,
) -> dict[bytes, int]:
    """Insert or update documents, then their links and other uuids.

    In: pairs of a document and the uuid (16 bytes) of the document that owns it, or None for itself; one that is not
    among these is one that a client deleted, and then nobody owns it.
    Out: the row id of each, by uuid. An unchanged document is not written. Raises DanglingLink.
    """
    named = [(document, document.uuid.bytes, owner) for document, owner in documents]
    known = _known(connection, [uuid for _, uuid, _ in named])
    ids = {uuid: row[0] for uuid, row in known.items()}
    unknown = dict.fromkeys(uuid for _, uuid, _ in named if uuid not in ids)
    ids.update(zip(unknown, next_ids(connection, "document", len(unknown)), strict=True))
    new: list[rows.NewRow] = []
    came: dict[int, tuple[str, dict[str, Any]]] = {}
    changed: dict[int, dict[str, Any]] = {}
    for document, uuid, owner in named:
        body, row = orjson.dumps(document.body).decode(), known.get(uuid)
        owner_id = ids[uuid] if owner is None else ids.get(owner)
        values = (document.created, document.moment, body, owner_id, origin)
        if row is None:
            new.append((*values, ids[uuid], KIND[document.kind], uuid))
            came[ids[uuid]] = document.kind, document.body
        elif row[1:] != values:
            changed[row[0]] = {
                column: now for column, was, now in zip(COLUMNS, row[1:], values, strict=True) if was != now
            }
    old = [row[0] for row in known.values()]
    rows.insert(connection, new, [body for _, body in came.values()], profiled=True)
    rows.update(connection, changed)
    linked = _put_links(connection, [(document, ids[uuid]) for document, uuid, _ in named], ids, old)
    profiles.arrived(connection, came, origin, *linked)
    _put_aliases(connection, [(document, ids[uuid]) for document, uuid, _ in named], old)
    return ids


def _known(connection: Session, uuids: list[bytes]) -> dict[bytes, tuple[int, int, int, str, int, int]]:
    found = {}
    for marks, part in in_parts(uuids):
        for row in connection.all(
            f"SELECT uuid, id, created, moment, body, owner, origin FROM document WHERE uuid IN ({marks})",
            part,
        ):
            found[row[0]] = row[1:]
    return found


def _put_links(
    connection: Session, documents: list[tuple[Document, int]], ids: dict[bytes, int], old: list[int]
) -> tuple[set[profiles.Link], set[profiles.Link]]:
    """Write the links from documents (each with its row), to documents in `ids` and others; out: what came, and went.

    `old` are the rows of those that were there before.
    """
    links = [
        (document, source, name, target, target.bytes)
        for document, source in documents
        for name, targets in document.links.items()
        for target in targets
    ]
    held_as = ids | _rows(connection, {uuid for *_, uuid in links if uuid not in ids})
    wanted: set[tuple[int, int, int]] = set()
    for document, source, name, target, uuid in links:
        found = held_as.get(uuid)
        if found is None:
            raise DanglingLink(f"{document.kind} {document.uuid}: {name} {target} is not there")
        wanted.add((source, RELATION[f"{document.kind}.{name}"], found))
    held = set(
        connection.all(
            f"SELECT source, relation, target FROM link WHERE source {IN_IDS}",
            (old,),
        )
    )
    rows.unlink(connection, sorted(held - wanted), profiled=True)
    rows.link(connection, sorted(wanted - held), profiled=True)
    for document, source in documents:
        for name, targets in document.links.items():
            if f"{document.kind}.{name}" in ORDERED:
                order = [held_as[target.bytes] for target in targets]
                rows.keep_order(connection, source, RELATION[f"{document.kind}.{name}"], order)
    return wanted - held, held - wanted


def _rows(connection: Session, uuids: Iterable[bytes]) -> dict[bytes, int]:
    """The rows of the documents among these uuids."""
    found: dict[bytes, int] = {}
    for marks, some in in_parts(uuids):
        found.update(connection.all(f"SELECT uuid, id FROM document WHERE uuid IN ({marks})", some))
    return found


def _put_aliases(connection: Session, documents: list[tuple[Document, int]], old: list[int]) -> None:
    """Write the other uuids of documents (each with its row); `old` as for links."""
    wanted = {(other.bytes, row) for document, row in documents for other in document.other_uuids}
    held = set(connection.all(f"SELECT uuid, document FROM alias WHERE document {IN_IDS}", (old,)))
    rows.drop_aliases(connection, held - wanted)
    rows.put_aliases(connection, sorted(wanted - held))
