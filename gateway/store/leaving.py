"""Documents whose legacy objects are no more, while documents of clients still refer to them (M6, M20).

Call inside `Store.write()`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from uuid import UUID

import orjson

from gateway.store import deleting, editing
from gateway.store.adopting import give_back
from gateway.store.database import now
from gateway.store.editing import MOVED, TOMBSTONE, local_parts, local_values
from gateway.store.kinds import KIND, KINDS, LEGACY_ORIGIN, LOCAL_ORIGIN, ON_DELETE, RELATIONS, OnDelete
from gateway.store.legacy import IN_IDS, id_list
from gateway.store.writing import remove_documents
from mappings.documents import Document
from mappings.vanished import vanished


def remove_gone(connection: sqlite3.Connection, gone: Iterable[int], *, keep: bool = True) -> None:
    """Remove documents that the legacy no longer gives.

    What clients wrote and refers to one of them goes on to the document that now answers for its uuid (M6), for as long
    as it does (`bring_back`). Without
    such a one the document stays for their sake, with nothing but what clients wrote in it; unless it is a partij and
    these need not be kept: then what is nothing without it goes along (M20). What clients made themselves is theirs
    again (M19).
    """
    rows = set(gone)
    if not rows:
        return
    rows -= give_back(connection, rows)
    along: set[int] = set()
    for source, relation, target in _references_of_clients(connection, rows):
        survivor = connection.execute(
            "SELECT a.document FROM document d JOIN alias a ON a.uuid = d.uuid WHERE d.id = ?", (target,)
        ).fetchone()
        if survivor is not None:
            _note_moved(connection, source, relation, target, survivor[0])
            _move(connection, source, relation, target, survivor[0])
        elif ON_DELETE[RELATIONS[relation - 1]] is not OnDelete.LOSE and target in rows:
            if not keep and _is_partij(connection, target):
                along.add(target)
                continue
            rows.discard(target)
            _keep(connection, target)
    for partij in sorted(along):
        try:
            rows |= deleting.along(connection, partij)
        except deleting.Protected:  # a client's vestigingsnummer stands under its KVK number
            rows.discard(partij)
            _keep(connection, partij)
    remove_documents(connection, rows)


def bring_back(connection: sqlite3.Connection, owners: Sequence[Document]) -> None:
    """Give partijen and actoren that have their own uuid again what clients had referring to it (M6).

    Before they are written: which address is the standard one depends on it. What a client changed since stays.
    """
    for document in owners:
        parts = local_parts(connection, {document.uuid.bytes}).get(document.uuid.bytes, {})
        for part, told in parts.items() if TOMBSTONE not in parts else ():
            if not part.startswith(MOVED):
                continue
            found = connection.execute(
                "SELECT l.source, l.target FROM document s JOIN link l ON l.source = s.id AND l.relation = ?2"
                " WHERE s.uuid = ?1 AND l.target = coalesce((SELECT id FROM document WHERE uuid = ?3),"
                " (SELECT document FROM alias WHERE uuid = ?3))",
                (UUID(told["source"]).bytes, told["relation"], UUID(told["to"]).bytes),
            ).fetchone()
            if found is not None:
                _move(connection, found[0], told["relation"], found[1], _row_of(connection, document))
            connection.execute("DELETE FROM local WHERE uuid = ? AND part = ?", (document.uuid.bytes, part))


def _row_of(connection: sqlite3.Connection, document: Document) -> int:
    """The row of a document, made when it is not there yet: it is written after this."""
    held = connection.execute("SELECT id FROM document WHERE uuid = ?", (document.uuid.bytes,)).fetchone()
    if held is not None:
        return int(held[0])
    cursor = connection.execute(
        "INSERT INTO document (kind, uuid, origin, created, moment, body) VALUES (?, ?, ?, ?, ?, '{}')",
        (KIND[document.kind], document.uuid.bytes, LEGACY_ORIGIN, document.created, document.moment),
    )
    return cursor.lastrowid or 0


def _move(connection: sqlite3.Connection, source: int, relation: int, before: int, after: int) -> None:
    connection.execute(
        "DELETE FROM link WHERE source = ? AND relation = ? AND target = ?", (source, relation, before)
    )
    connection.execute("INSERT OR IGNORE INTO link VALUES (?, ?, ?)", (source, relation, after))


def _note_moved(connection: sqlite3.Connection, source: int, relation: int, before: int, after: int) -> None:
    uuids = editing.uuids(connection, (source, before, after))
    told = {"source": str(uuids[source]), "relation": relation, "to": str(uuids[after])}
    connection.execute(
        "INSERT OR REPLACE INTO local (uuid, part, value, written) VALUES (?, ?, ?, ?)",
        (uuids[before].bytes, f"{MOVED}{relation} {uuids[source]}", orjson.dumps(told).decode(), now()),
    )


def _references_of_clients(connection: sqlite3.Connection, rows: set[int]) -> list[tuple[int, int, int]]:
    return connection.execute(
        "SELECT l.source, l.relation, l.target FROM link l JOIN document s ON s.id = l.source"
        f" WHERE l.target {IN_IDS} AND s.origin = ? ORDER BY l.source, l.relation",
        (id_list(rows), LOCAL_ORIGIN),
    ).fetchall()


def _is_partij(connection: sqlite3.Connection, row: int) -> bool:
    (kind,) = connection.execute("SELECT kind FROM document WHERE id = ?", (row,)).fetchone()
    return bool(kind == KIND["partij"])


def _keep(connection: sqlite3.Connection, row: int) -> None:
    kind, uuid, body = connection.execute(
        "SELECT kind, uuid, body FROM document WHERE id = ?", (row,)
    ).fetchone()
    left = vanished(KINDS[kind - 1], orjson.loads(body)) | local_values(connection, uuid)
    connection.execute(
        "UPDATE document SET origin = ?, owner = id, body = ? WHERE id = ?",
        (LOCAL_ORIGIN, orjson.dumps(left).decode(), row),
    )
