"""An e-mail address or telephone number that write-back gave a klant or rol is the client's address, not a second one.

A source that was told shows the value by itself from then on, and what it shows makes an address with a uuid of that
value. That is the one that the client wrote (W3). Call inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.store.base.bound_lists import in_parts
from gateway.store.base.kinds import KIND, LOCAL_ORIGIN
from gateway.store.base.session import Session
from gateway.store.edits import editing
from gateway.store.edits.editing import EditableDocument
from mappings.identity.identity import Uuids
from mappings.model.documents import Document
from mappings.writeback.recognising import value_digest

# What `written_back` calls a value of a klant or a rol: its document is the address, its step ends in the soort.
DETAILS = ("klantgegeven", "rolgegeven")
_BY = "verstrektDoorPartij"


def rename(connection: Session, uuids: Uuids, parties: Sequence[list[Document]]) -> dict[UUID, UUID]:
    """Give addresses in these parties the uuid of the client's address that the source was told; of one that is a
    client's own, leave the source's out. Out: the uuids that went, with those in their place."""
    if not _any(connection):
        return {}
    told: dict[bytes, list[tuple[list[Document], Document]]] = {}
    for documents in parties:
        for document in documents:
            if document.kind == "digitaleadres":
                body = document.body
                digest = value_digest(uuids, body["soortDigitaalAdres"], body["adres"])
                told.setdefault(digest, []).append((documents, document))
    renamed: dict[UUID, UUID] = {}
    for digest, row in _addresses(connection, told):
        held = editing.get(connection, row)
        partijen = set(editing.uuids(connection, held.links.get(_BY, [])).values())
        for documents, document in told[digest]:
            own = {documents[0].uuid, *documents[0].other_uuids}
            if own & partijen and document.uuid != held.uuid and document.uuid not in renamed:
                _become(connection, documents, document, held)
                renamed[document.uuid if document.uuid != held.uuid else document.other_uuids[-1]] = held.uuid
    for documents in parties if renamed else ():
        for document in documents:
            for field, targets in document.links.items():
                document.links[field] = [renamed.get(target, target) for target in targets]
    return renamed


def _become(
    connection: Session, documents: list[Document], document: Document, held: EditableDocument
) -> None:
    if held.origin == LOCAL_ORIGIN and not editing.is_kept(connection, held.uuid):
        documents.remove(document)
        return
    other = next((each for each in documents if each.uuid == held.uuid), None)
    if other is None:  # what the client changed is no longer what the source says: it is this now
        document.other_uuids = (*(each for each in document.other_uuids if each != held.uuid), document.uuid)
        document.uuid = held.uuid
        return
    documents.remove(document)
    other.sources |= document.sources
    other.other_uuids = (*other.other_uuids, document.uuid)


def _any(connection: Session) -> bool:
    row = connection.one(f"SELECT 1 FROM written_back WHERE kind IN ('{DETAILS[0]}', '{DETAILS[1]}') LIMIT 1")
    return row is not None


def _addresses(
    connection: Session, digests: dict[bytes, list[tuple[list[Document], Document]]]
) -> list[tuple[bytes, int]]:
    found: list[tuple[bytes, int]] = []
    for marks, some in in_parts(digests):
        found += connection.all(
            f"SELECT w.sent, d.id FROM written_back w JOIN document d ON d.uuid = w.document AND d.kind = ?"
            f" WHERE w.sent IN ({marks}) AND w.kind IN ('{DETAILS[0]}', '{DETAILS[1]}') ORDER BY w.id",
            (KIND["digitaleadres"], *some),
        )
    return found
