"""What is held of a person, as it is shown to whoever asked for it (AVG art. 15). Call inside `Store.read()`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.kinds import KINDS, LOCAL_ORIGIN, RELATIONS
from gateway.store.base.session import Session
from gateway.store.edits.editing import TOMBSTONE

# What is written of documents by their uuid, beside what clients said of them: queues, and what went out.
OUTBOX, QUEUED, SENT, REGISTER = "outbox", "writeback", "written_back", "export_pair"


class PersonDocument(NamedTuple):
    """A document, with what it refers to (relation and uuid), and the legacy objects (rows) that it was made of."""

    kind: str
    uuid: UUID
    local: bool
    created: int
    body: dict[str, Any]
    links: list[tuple[str, UUID]]
    raws: list[int]


class WrittenByClients(NamedTuple):
    """What clients said of a part of a document, and when (microseconds UTC); `deleted` when it is that it was."""

    uuid: UUID
    part: str
    value: Any
    written: int
    deleted: bool


class SentAway(NamedTuple):
    """What of a document waits to go out, or went: by which table, to which source, as what."""

    table: str
    document: UUID | None
    source: str
    kind: str
    there: UUID | None
    number: int | None = None


def documents(connection: Session, rows: Collection[int]) -> Iterator[PersonDocument]:
    """These documents (rows), by kind and age."""
    links: dict[int, list[tuple[str, UUID]]] = {}
    for source, relation, uuid in connection.all(
        f"SELECT l.source, l.relation, d.uuid FROM link l JOIN document d ON d.id = l.target WHERE l.source {IN_IDS}"
        " ORDER BY l.relation, d.uuid",
        (id_list(rows),),
    ):
        links.setdefault(source, []).append((RELATIONS[relation - 1], UUID(bytes=uuid)))
    made: dict[int, list[int]] = {}
    for document, raw in connection.all(
        f"SELECT DISTINCT document, raw FROM provenance WHERE document {IN_IDS} ORDER BY document, raw",
        (id_list(rows),),
    ):
        made.setdefault(document, []).append(raw)
    for row, kind, uuid, origin, created, body in connection.all(
        f"SELECT id, kind, uuid, origin, created, body FROM document WHERE id {IN_IDS} ORDER BY kind, created, uuid",
        (id_list(rows),),
    ):
        yield PersonDocument(
            KINDS[kind - 1],
            UUID(bytes=uuid),
            origin == LOCAL_ORIGIN,
            created,
            orjson.loads(body),
            links.get(row, []),
            made.get(row, []),
        )


def written(connection: Session, uuids: Collection[bytes]) -> list[WrittenByClients]:
    """What clients wrote over documents of the legacy (by uuid), and of them deleted."""
    found: list[WrittenByClients] = []
    for marks, some in in_parts(uuids):
        rows = connection.all(
            f"SELECT uuid, part, value, written FROM local WHERE uuid IN ({marks}) ORDER BY uuid, part", some
        )
        found += [
            WrittenByClients(
                UUID(bytes=uuid), part, orjson.loads(value) if value else None, at, part == TOMBSTONE
            )
            for uuid, part, value, at in rows
        ]
    return found


def sent_away(connection: Session, uuids: Collection[bytes]) -> list[SentAway]:
    """What of these documents (uuids) waits to go out, or went, and as what it stands there."""
    found: list[SentAway] = []
    texts = {str(UUID(bytes=uuid)) for uuid in uuids}
    for number, subject, message in connection.all("SELECT id, subject, message FROM outbox ORDER BY id"):
        if subject in texts or any(text in message for text in texts):
            found.append(SentAway(OUTBOX, None, "", "", None, number))
    for number, source, kind, document, message in connection.all(
        "SELECT w.id, s.name, w.kind, w.document, w.message FROM writeback w JOIN source s ON s.id = w.source"
        " ORDER BY w.id"
    ):
        if document in uuids or any(text in message for text in texts):
            found.append(SentAway(QUEUED, UUID(bytes=document), source, kind, None, number))
    for marks, some in in_parts(uuids):
        for number, source, kind, document, there in connection.all(
            "SELECT w.id, s.name, w.kind, w.document, w.uuid FROM written_back w JOIN source s ON s.id = w.source"
            f" WHERE w.document IN ({marks}) ORDER BY w.id",
            some,
        ):
            named = UUID(bytes=there) if there else None
            found.append(SentAway(SENT, UUID(bytes=document), source, kind, named, number))
        for own, number_of_kind, there in connection.all(
            f"SELECT own, kind, theirs FROM export_pair WHERE own IN ({marks}) ORDER BY own", some
        ):
            named = UUID(bytes=there) if there else None
            found.append(SentAway(REGISTER, UUID(bytes=own), "", KINDS[number_of_kind - 1], named))
    return found
