"""A partij or actor that a client made and that the legacy turns out to know by the same number, or a
vertegenwoordiging of the same pair: one document (M19, M31). Of a vestigingsnummer the KVK number counts too, where
both sides know one (M6, M17).

Which of them these are is found here; what becomes of them stands in adopted.py. Call inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from gateway.store.base.bound_lists import IN_IDS, id_list
from gateway.store.base.kinds import LOCAL_ORIGIN, RELATION
from gateway.store.base.searched_fields import FIELD_NUMBER, kept_value
from gateway.store.base.session import Session
from gateway.store.documents.lookup import referring
from gateway.store.edits import editing, written_back
from gateway.store.edits.adopted import all_names, any_adopted, clients_have, note
from mappings.model.documents import Document
from mappings.rules.merge import KEY

ADOPTABLE = ("partij", "partij-identificator", "actor")
CODES = ("codeRegister", "codeObjecttype", "codeSoortObjectId", "objectId")
ACTOR_NUMBER = FIELD_NUMBER["actor", "actoridentificator.objectId"]
OWN_NUMBER = FIELD_NUMBER["partij-identificator", "partijIdentificator.objectId"]


@dataclass(slots=True)
class _Own:
    """An identificator that a client wrote, the partij that it names, and the number that it is under ("": none)."""

    row: int
    codes: dict[str, str]
    partij: int | None
    partij_origin: int | None
    parent: str


def adopt(connection: Session, parties: Sequence[list[Document]]) -> None:
    """Give what clients made already the uuid that it has there, in all of these documents.

    In: the documents of each party or actor as the legacy says them, itself first. They are changed in place.
    """
    actors = [documents[0] for documents in parties if documents[0].kind == "actor"]
    numbers = {
        document.body["partijIdentificator"]["objectId"]
        for documents in parties
        for document in documents
        if document.kind == "partij-identificator"
    }
    sent = written_back.klanten(connection)
    if not numbers and not actors and not sent:
        return
    own = _own_identificatoren(connection, numbers) if numbers else []
    names = all_names(connection)
    if actors and clients_have(connection, "actor"):
        _adopt_actors(connection, actors, names)
    if not own and not names and not sent:
        return
    parents = _parents(connection, parties)
    for documents in parties:
        if documents[0].kind == "partij":
            _adopt_sent(connection, documents[0], sent, names)
            left = _forget_other_pair(connection, documents, parents, names)
            _adopt_party(connection, documents, own, names, parents, left)
    for documents in parties:
        for document in documents:
            _rename(document, names)


def keys_of_own(connection: Session, row: int, sealed: Callable[[str], str]) -> set[int]:
    """The keys (rows) under which the legacy may know what a client wrote: an actor, a partij or its identificator.

    `sealed` tells how a key is held of one that a client deleted.
    """
    kind = editing.get(connection, row).kind
    identificatoren = [row] if kind == "partij-identificator" else []
    if kind == "partij":
        identificatoren = referring(connection, "partij-identificator.identificeerdePartij", row)
    keys = []
    for each in identificatoren:
        codes = editing.get(connection, each).body["partijIdentificator"]
        keys.append(f"{KEY.get(codes['codeSoortObjectId'], '')}{codes['objectId']}")
    statements: list[int] = []
    if kind == "actor":
        body = editing.get(connection, row).body
        same = _actors_with(connection, body)
        number = body["actoridentificator"]["objectId"] if same else ""
        sources = connection.all("SELECT name FROM source") if number else []
        keys += [f"actor:{body['soortActor']}|{source}|{number}" for (source,) in sources]
        found = connection.all(f"SELECT id FROM statement WHERE document {IN_IDS}", (id_list(same),))
        statements = [row for (row,) in found]
    keys += [sealed(key) for key in keys]
    rows = connection.all(
        "SELECT id FROM identity WHERE key IN (SELECT value FROM json_each(?))"
        f" UNION SELECT identity FROM claim_key WHERE statement {IN_IDS}",
        (keys, id_list(statements)),
    )
    return {row for (row,) in rows}


def clients_have_pairs(connection: Session) -> bool:
    """May clients have made a vertegenwoordiging that the legacy gives too?"""
    return clients_have(connection, "vertegenwoordiging") or any_adopted(connection)


def adopt_pair(connection: Session, derived: Sequence[UUID], pair: tuple[UUID, UUID]) -> UUID | None:
    """The uuid that clients know the vertegenwoordiging of a pair by, when one of them made it.

    In: the uuids that are derived for it, its own first, and the uuids of who is represented and by whom.
    """
    for uuid in derived:
        known = connection.one("SELECT own FROM adopted WHERE uuid = ?", (uuid.bytes,))
        if known is not None:
            return UUID(bytes=known[0])
    represented, representative = (_rows_of_partij(connection, uuid) for uuid in pair)
    found = connection.one(
        "SELECT d.id, d.uuid, d.origin FROM link a JOIN link b ON b.source = a.source"
        " JOIN document d ON d.id = a.source"
        f" WHERE a.relation = {RELATION['vertegenwoordiging.vertegenwoordigdePartij']} AND a.target {IN_IDS}"
        f" AND b.relation = {RELATION['vertegenwoordiging.vertegenwoordigendePartij']} AND b.target {IN_IDS}"
        " AND (d.origin = ? OR d.uuid IN (SELECT own FROM adopted)) ORDER BY d.origin, d.uuid LIMIT 1",
        (id_list(represented), id_list(representative), LOCAL_ORIGIN),
    )
    if found is None:
        return None
    row, uuid, origin = found
    if origin == LOCAL_ORIGIN:
        note(
            connection, Document("vertegenwoordiging", derived[0], {}, 0, 0), editing.get(connection, row), {}
        )
    else:  # its parties are known by other keys now
        connection.run("UPDATE adopted SET uuid = ? WHERE own = ?", (derived[0].bytes, uuid))
    return UUID(bytes=uuid)


def _parents(connection: Session, parties: Sequence[list[Document]]) -> dict[UUID, str]:
    """The KVK number that each vestigingsnummer among these is under, by uuid of its identificator."""
    identificatoren = [
        document for documents in parties for document in documents if document.kind == "partij-identificator"
    ]
    numbers = {each.uuid: each.body["partijIdentificator"]["objectId"] for each in identificatoren}
    found = {}
    for each in identificatoren:
        for parent in each.links.get("subIdentificatorVan", ()):
            found[each.uuid] = numbers.get(parent) or _number_of(connection, parent)
    return found


def _number_of(connection: Session, uuid: UUID) -> str:
    row = connection.one(
        "SELECT body ->> '$.partijIdentificator.objectId' FROM document WHERE uuid = ?1"
        " OR id = (SELECT document FROM alias WHERE uuid = ?1)",
        (uuid.bytes,),
    )
    return row[0] if row else ""


def _parent_of(connection: Session, own: UUID) -> str:
    """The number that an identificator stands under, "" for none."""
    row = connection.one(
        "SELECT p.body ->> '$.partijIdentificator.objectId' FROM document d JOIN link l ON l.source = d.id"
        f" AND l.relation = {RELATION['partij-identificator.subIdentificatorVan']}"
        " JOIN document p ON p.id = l.target WHERE d.uuid = ?",
        (own.bytes,),
    )
    return row[0] if row else ""


def _forget_other_pair(
    connection: Session,
    documents: list[Document],
    parents: Mapping[UUID, str],
    names: dict[UUID, UUID],
) -> set[UUID]:
    """Leave to the client what it made under another KVK number than the legacy now knows of that vestigingsnummer.

    Out: the derived uuids of that: they may be another client's only after this one has its own back.
    """
    left: set[UUID] = set()
    for document in documents[1:]:
        parent, own, partij = parents.get(document.uuid), _name(document, names), _name(documents[0], names)
        if not parent or (own is None and partij is None):
            continue
        # Keys that came apart may have left a client's partij here, and its number at another pair.
        if own is None or partij is None or _parent_of(connection, own) not in ("", parent):
            for each in (documents[0], document):
                left |= {uuid for uuid in (each.uuid, *each.other_uuids) if names.pop(uuid, None)}
    return left


def _adopt_party(
    connection: Session,
    documents: list[Document],
    own: Sequence[_Own],
    names: dict[UUID, UUID],
    parents: Mapping[UUID, str],
    left: set[UUID],
) -> None:
    partij = documents[0]
    for document in documents[1:]:
        if (
            document.kind != "partij-identificator"
            or _name(document, names)
            or {partij.uuid, document.uuid} & left
        ):
            continue
        codes, parent = _codes(document.body["partijIdentificator"]), parents.get(document.uuid, "")
        # Of several pairs that clients wrote of a number that the legacy knows no KVK number of, the newest.
        found = next(
            (
                one
                for one in own
                if _codes(one.codes) == codes and (one.parent == parent or not (one.parent and parent))
            ),
            None,
        )
        if found is None or found.partij_origin not in (None, LOCAL_ORIGIN):
            continue
        if found.partij is not None:
            held = editing.get(connection, found.partij)
            if held.body["soortPartij"] != partij.body["soortPartij"]:
                continue
            if _name(partij, names) not in (None, held.uuid):
                continue  # of two that clients made, the first stays theirs alone
            if _name(partij, names) is None:
                note(connection, partij, held, names)
        note(connection, document, editing.get(connection, found.row), names)


def _adopt_sent(
    connection: Session, partij: Document, sent: Mapping[bytes, bytes], names: dict[UUID, UUID]
) -> None:
    """The partij of a klant that write-back made of a client's partij is that one (W3)."""
    if not sent or _name(partij, names) is not None:
        return
    for klant in sorted(partij.sources):
        uuid = sent.get(klant.bytes)
        row = connection.one("SELECT id FROM document WHERE uuid = ? AND origin = ?", (uuid, LOCAL_ORIGIN))
        if row is not None:
            held = editing.get(connection, row[0])
            if held.body["soortPartij"] == partij.body["soortPartij"]:
                note(connection, partij, held, names)
                return


def _adopt_actors(connection: Session, actors: Sequence[Document], names: dict[UUID, UUID]) -> None:
    """The oldest actor that a client made with the identificator that one of the legacy has, as clients see that."""
    local = editing.local_parts(
        connection, {uuid.bytes for actor in actors for uuid in (actor.uuid, *actor.other_uuids)}
    )
    for actor in actors:
        if _name(actor, names):
            continue
        edits = [local.get(uuid.bytes, {}) for uuid in (actor.uuid, *actor.other_uuids)]
        body = dict(actor.body)
        for each in reversed(edits):
            body |= each.get("actoridentificator", {})
        for row in _actors_with(connection, body):
            held = editing.get(connection, row)
            if held.origin == LOCAL_ORIGIN:
                note(connection, actor, held, names)
                break


def _actors_with(connection: Session, body: Mapping[str, Any]) -> list[int]:
    """The actors (rows) of this soort with this identificator, the oldest first."""
    codes = body["actoridentificator"]
    if not codes or not codes["objectId"]:
        return []
    tests = " AND ".join(f"d.body ->> '$.actoridentificator.{name}' = ?" for name in CODES)
    rows = connection.all(
        "SELECT d.id FROM field_value v CROSS JOIN document d ON d.id = v.document"
        f" WHERE v.field = {ACTOR_NUMBER} AND v.value = ? AND {tests}"
        " AND d.body ->> '$.soortActor' = ? ORDER BY d.created, d.uuid",
        (kept_value(codes["objectId"]), *(codes[name] for name in CODES), body["soortActor"]),
    )
    return [row[0] for row in rows]


def _name(document: Document, names: Mapping[UUID, UUID]) -> UUID | None:
    """The client's uuid of a document, None when no client made it."""
    return next((names[uuid] for uuid in (document.uuid, *document.other_uuids) if uuid in names), None)


def _rename(document: Document, names: Mapping[UUID, UUID]) -> None:
    if document.kind in ADOPTABLE and (own := _name(document, names)) is not None:
        others = {document.uuid, *document.other_uuids} - {own}
        document.uuid, document.other_uuids = own, tuple(sorted(others))
    for field, targets in document.links.items():
        document.links[field] = [names.get(target, target) for target in targets]


def _codes(codes: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(codes[name] for name in CODES)


def _own_identificatoren(connection: Session, numbers: Iterable[str]) -> list[_Own]:
    """The identificatoren of clients with one of these numbers, the newest first."""
    found = connection.all(
        "SELECT d.id, d.body ->> '$.partijIdentificator', p.id, p.origin,"
        " coalesce(k.body ->> '$.partijIdentificator.objectId', '') FROM json_each(CAST(?1 AS text)) n"
        f" CROSS JOIN field_value v ON v.field = {OWN_NUMBER} AND v.value = n.value"
        " CROSS JOIN document d ON d.id = v.document AND d.origin = 1"
        f" LEFT JOIN link l ON l.source = d.id AND l.relation = {RELATION['partij-identificator.identificeerdePartij']}"
        " LEFT JOIN document p ON p.id = l.target"
        f" LEFT JOIN link s ON s.source = d.id AND s.relation = {RELATION['partij-identificator.subIdentificatorVan']}"
        " LEFT JOIN document k ON k.id = s.target ORDER BY d.created DESC, d.uuid DESC",
        (sorted(map(kept_value, numbers)),),
    )
    return [
        _Own(row, orjson.loads(codes), partij, origin, parent) for row, codes, partij, origin, parent in found
    ]


def _rows_of_partij(connection: Session, uuid: UUID) -> list[int]:
    """The row of a partij, and of those that are about to become it (M6): what refers to them follows later."""
    rows = connection.all(
        "SELECT id FROM document WHERE uuid = ?1 UNION SELECT o.id FROM document d"
        " JOIN alias a ON a.document = d.id JOIN document o ON o.uuid = a.uuid WHERE d.uuid = ?1",
        (uuid.bytes,),
    )
    return [row[0] for row in rows]
