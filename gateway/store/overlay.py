"""Documents from the legacy as clients made them: their values, references and deletions laid over what is made again
at every ingest (M19). Call inside `Store.write()`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from gateway.store.editing import EMPTIED_WITH, LINK, MOVED, TOMBSTONE, exists, local_parts, microseconds
from gateway.store.kinds import ON_DELETE, OnDelete
from mappings.documents import Document

# What other documents are made with, and known by keys.
OWNERS = ("partij", "actor")


def overlay(
    connection: sqlite3.Connection, documents: list[tuple[Document, bytes | None]]
) -> list[tuple[Document, bytes | None]]:
    """Lay over documents from the legacy what clients made of them: values, references, deletions."""
    if connection.execute("SELECT 1 FROM local LIMIT 1").fetchone() is None:
        return documents
    named = {uuid.bytes for document, _ in documents for uuid in (document.uuid, *document.other_uuids)}
    named |= {
        target.bytes for document, _ in documents for group in document.links.values() for target in group
    }
    local = _moved_along(documents, local_parts(connection, named))
    renamed = {other: document.uuid for document, _ in documents for other in document.other_uuids}
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
            if part.startswith(MOVED):
                continue
            if part.startswith(LINK):
                targets = [renamed.get(UUID(text), UUID(text)) for text in value]
                document.links[part.removeprefix(LINK)] = [
                    target for target in targets if target.bytes in left or exists(connection, target)
                ]
            else:
                document.body = {**document.body, **value}
        if document.kind == "klantcontact" and "plaatsgevondenOp" in local.get(document.uuid.bytes, {}):
            document.moment = microseconds(document.body["plaatsgevondenOp"])
    return _reachable(connection, kept)


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
                if target.bytes not in there and not exists(connection, target)
            }
            if any(ON_DELETE[f"{document.kind}.{name}"] is OnDelete.CASCADE for name in lost):
                continue
            for name in lost:
                document.links[name] = [
                    target
                    for target in document.links[name]
                    if target.bytes in there or exists(connection, target)
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
