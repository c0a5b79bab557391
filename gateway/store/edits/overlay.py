"""Documents from the legacy as clients made them: their values, references and deletions laid over what is made again
at every ingest (M19). Call inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gateway.store.base.kinds import ON_DELETE, OnDelete
from gateway.store.base.session import Session
from gateway.store.edits.editing import (
    EMPTIED_WITH,
    MOVED,
    TOMBSTONE,
    exists,
    local_parts,
    microseconds,
    now_named,
)
from gateway.store.edits.local_rows import LINK
from mappings.model.documents import Document

# What other documents are made with, and known by keys.
OWNERS = ("partij", "actor")


def overlay(
    connection: Session, documents: list[tuple[Document, bytes | None]]
) -> list[tuple[Document, bytes | None]]:
    """Lay over documents from the legacy what clients made of them: values, references, deletions."""
    if connection.one("SELECT 1 FROM local LIMIT 1") is None:
        return documents
    named = {uuid.bytes for document, _ in documents for uuid in (document.uuid, *document.other_uuids)}
    local = _moved_along(documents, local_parts(connection, named))
    kept = [pair for pair in documents if TOMBSTONE not in local.get(pair[0].uuid.bytes, {})]
    names = {uuid: document.uuid for document, _ in documents for uuid in document.other_uuids}
    names |= {document.uuid: document.uuid for document, _ in kept}
    for document, _ in kept:
        _lay_over(connection, document, local.get(document.uuid.bytes, {}), names)
    return _reachable(connection, kept, local)


def kept_away(
    connection: Session,
    made: Sequence[tuple[Document, bytes | None]],
    kept: Sequence[tuple[Document, bytes | None]],
) -> list[UUID]:
    """The klantcontacten that `overlay` kept an actor away from because a client deleted that actor (M31), once for
    each; not where the client deleted it with the actor."""
    left = {document.uuid for document, _ in kept}
    away = {
        document.uuid.bytes: document.links["klantcontact"][0]
        for document, _ in made
        if document.kind == "actorklantcontact" and document.uuid not in left
    }
    local = local_parts(connection, set(away)) if away else {}
    return [
        contact
        for uuid, contact in sorted(away.items())
        if contact in left and TOMBSTONE not in local.get(uuid, {})
    ]


def _lay_over(
    connection: Session, document: Document, parts: Mapping[str, Any], names: Mapping[UUID, UUID]
) -> None:
    """Give a document the values and references that clients wrote; `names` are the uuids that are being made.

    A reference to what the legacy no longer has counts no more; one to what a client deleted does.
    """
    for part, value in parts.items():
        if part.startswith(LINK):
            wanted = [names.get(UUID(text)) or now_named(connection, UUID(text)) for text in value]
            targets = [target for target in wanted if target is not None]
            if targets or not value:
                document.links[part.removeprefix(LINK)] = targets
        elif part != TOMBSTONE and not part.startswith(MOVED):
            document.body = {**document.body, **value}
            if document.kind == "klantcontact" and part == "plaatsgevondenOp":
                document.moment = microseconds(value[part])


def _moved_along(
    documents: list[tuple[Document, bytes | None]], local: dict[bytes, dict[str, Any]]
) -> dict[bytes, dict[str, Any]]:
    """With what clients wrote under another uuid of a document under its own (M6), which goes before.

    A party or actor is not deleted by that: a client may have deleted the double that it turned out to be.
    """
    for document, _ in documents:
        for other in document.other_uuids:
            for part, value in local.get(other.bytes, {}).items():
                if part.startswith(MOVED):
                    continue
                if part == TOMBSTONE and (document.kind in OWNERS or value["root"] != str(other)):
                    continue
                local.setdefault(document.uuid.bytes, {}).setdefault(part, value)
    return local


def _reachable(
    connection: Session,
    documents: list[tuple[Document, bytes | None]],
    local: Mapping[bytes, Mapping[str, Any]],
) -> list[tuple[Document, bytes | None]]:
    """Without the references to documents that a client's deletion keeps from being made, and what needs those."""
    while True:
        there = {document.uuid.bytes for document, _ in documents}
        kept = []
        for document, owner in documents:
            left = {
                name: [target for target in targets if target.bytes in there or exists(connection, target)]
                for name, targets in document.links.items()
            }
            lost = [name for name, targets in document.links.items() if len(left[name]) < len(targets)]
            if any(ON_DELETE[f"{document.kind}.{name}"] is OnDelete.CASCADE for name in lost):
                continue
            for name in lost:
                document.links[name] = left[name]
                emptied = EMPTIED_WITH.get(f"{document.kind}.{name}")
                if emptied and emptied not in local.get(document.uuid.bytes, {}):
                    document.body = {**document.body, emptied: None}
            kept.append((document, owner))
        if len(kept) == len(documents):
            return kept
        documents = kept
