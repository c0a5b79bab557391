"""What clients have referring to a partij or actor follows its keys (M6): to the survivor of a join, and back from it
when the set splits. One wrong number must not give a citizen's address to another for ever.

Where such a reference is now is noted in `local`, under the uuid that the client named. Call inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from gateway.store.base.kinds import KIND, LEGACY_ORIGIN, LOCAL_ORIGIN
from gateway.store.base.session import Session
from gateway.store.documents import rows as document_rows
from gateway.store.edits import editing, local_rows
from gateway.store.edits.editing import MOVED, TOMBSTONE, local_parts
from mappings.model.documents import Document


def go_along(connection: Session, source: int, relation: int, before: int, after: int) -> None:
    """Have a client's document (row) refer to the document (row) that the one before became part of."""
    uuids = editing.uuids(connection, (source, before, after))
    reference = {"source": str(uuids[source]), "relation": relation, "to": str(uuids[after])}
    local_rows.put(connection, uuids[before].bytes, f"{MOVED}{relation} {uuids[source]}", reference)
    document_rows.relink(connection, (source, relation, before), after)


def follow(connection: Session, documents: Sequence[Document]) -> None:
    """Give the partijen and actoren among these what clients had referring to one of their uuids and what is elsewhere.

    Before they are written: which address is the standard one depends on it. What a client changed since stays.
    """
    owners = [document for document in documents if document.kind in ("partij", "actor")]
    (clients_made,) = connection.one(
        f"SELECT EXISTS (SELECT 1 FROM document INDEXED BY document_local WHERE origin = {LOCAL_ORIGIN})"
    )
    local = local_parts(
        connection,
        {uuid.bytes for document in owners for uuid in (document.uuid, *document.other_uuids)},
    )
    for document in owners:
        known_as = [uuid.bytes for uuid in (document.uuid, *document.other_uuids)]
        if TOMBSTONE in local.get(known_as[0], {}):
            continue
        for uuid in known_as:
            for part, told in local.get(uuid, {}).items():
                if part.startswith(MOVED) and told["to"] != str(document.uuid):
                    _bring_back(connection, document, uuid, part, told)
        for uuid in known_as[1:] if clients_made else ():
            references = connection.all(
                "SELECT l.source, l.relation, l.target FROM document d JOIN link l ON l.target = d.id"
                " JOIN document s ON s.id = l.source WHERE d.uuid = ? AND s.origin = ?",
                (uuid, LOCAL_ORIGIN),
            )
            for source, relation, before in references:
                go_along(connection, source, relation, before, _row_of(connection, document))


def _bring_back(
    connection: Session, document: Document, named: bytes, part: str, told: dict[str, Any]
) -> None:
    found = connection.one(
        "SELECT l.source, l.relation, l.target FROM document s JOIN link l ON l.source = s.id AND l.relation = ?2"
        " WHERE s.uuid = ?1 AND l.target = coalesce((SELECT id FROM document WHERE uuid = ?3),"
        " (SELECT document FROM alias WHERE uuid = ?3))",
        (UUID(told["source"]).bytes, told["relation"], UUID(told["to"]).bytes),
    )
    if found is not None:
        source, relation, before = found
        document_rows.relink(connection, (source, relation, before), _row_of(connection, document))
    if found is None or named == document.uuid.bytes:
        local_rows.drop(connection, [(named, part)])
    else:
        reference = orjson.dumps(told | {"to": str(document.uuid)}).decode()
        local_rows.correct(connection, named, part, reference)


def _row_of(connection: Session, document: Document) -> int:
    """The row of a document, made when it is not there yet: it is written after this."""
    held = connection.one("SELECT id FROM document WHERE uuid = ?", (document.uuid.bytes,))
    if held is not None:
        return int(held[0])
    kind, uuid = KIND[document.kind], document.uuid.bytes
    return document_rows.insert_one(
        connection, kind, uuid, LEGACY_ORIGIN, "{}", document.created, document.moment
    )
