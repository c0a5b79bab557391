"""Writes documents with their links and other uuids. Call inside `Store.write()`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import orjson

from gateway.store.kinds import KIND, LEGACY_ORIGIN, RELATION
from mappings.documents import Document


class DanglingLink(Exception):
    """A document refers to one that is not in the store: a fault of ours, the transaction must not commit."""


def put_documents(
    connection: sqlite3.Connection,
    documents: Sequence[tuple[Document, bytes | None]],
    origin: int = LEGACY_ORIGIN,
) -> dict[bytes, int]:
    """Insert or update documents, then their links and other uuids.

    In: pairs of a document and the uuid (16 bytes) of the document that owns it, or None for itself.
    Out: the row id of each, by uuid. An unchanged document is not written. Raises DanglingLink.
    """
    ids: dict[bytes, int] = {}
    known = _known(connection, [document.uuid.bytes for document, _ in documents])
    next_id = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM document").fetchone()[0]
    for document, _ in documents:
        row = known.get(document.uuid.bytes)
        ids[document.uuid.bytes] = row[0] if row else next_id
        next_id += row is None
    new, changed = [], []
    for document, owner in documents:
        uuid, body = document.uuid.bytes, orjson.dumps(document.body).decode()
        row_id, owner_id = ids[uuid], ids[owner or uuid]
        row = known.get(uuid)
        if row is None:
            new.append(
                (
                    row_id,
                    KIND[document.kind],
                    uuid,
                    origin,
                    document.created,
                    document.moment,
                    body,
                    owner_id,
                )
            )
        elif row[1:] != (document.created, document.moment, body, owner_id, origin):
            changed.append((document.created, document.moment, body, owner_id, origin, row_id))
    connection.executemany(
        "INSERT INTO document (id, kind, uuid, origin, created, moment, body, owner)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        new,
    )
    connection.executemany(
        "UPDATE document SET created = ?, moment = ?, body = ?, owner = ?, origin = ? WHERE id = ?", changed
    )
    _put_links(connection, [document for document, _ in documents], ids)
    _put_aliases(connection, [document for document, _ in documents], ids)
    return ids


def remove_documents(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Remove documents with the links from and to them."""
    rows = [(row,) for row in ids]
    connection.executemany("DELETE FROM link WHERE source = ?", rows)
    connection.executemany("DELETE FROM link WHERE target = ?", rows)
    connection.executemany("DELETE FROM document WHERE id = ?", rows)


def _known(
    connection: sqlite3.Connection, uuids: list[bytes]
) -> dict[bytes, tuple[int, int, int, str, int, int]]:
    found = {}
    for start in range(0, len(uuids), 500):
        part = uuids[start : start + 500]
        marks = ",".join("?" * len(part))
        for row in connection.execute(
            f"SELECT uuid, id, created, moment, body, owner, origin FROM document WHERE uuid IN ({marks})",
            part,
        ):
            found[row[0]] = row[1:]
    return found


def _put_links(connection: sqlite3.Connection, documents: list[Document], ids: dict[bytes, int]) -> None:
    wanted: set[tuple[int, int, int]] = set()
    missing = {
        target.bytes
        for document in documents
        for targets in document.links.values()
        for target in targets
        if target.bytes not in ids
    }
    targets_by_uuid = ids | {uuid: row[0] for uuid, row in _known(connection, list(missing)).items()}
    for document in documents:
        source = ids[document.uuid.bytes]
        for name, targets in document.links.items():
            relation = RELATION[f"{document.kind}.{name}"]
            for target in targets:
                found = targets_by_uuid.get(target.bytes)
                if found is None:
                    raise DanglingLink(f"{document.kind} {document.uuid}: {name} {target} is not there")
                wanted.add((source, relation, found))
    rows = orjson.dumps([ids[document.uuid.bytes] for document in documents]).decode()
    held = set(
        connection.execute(
            "SELECT source, relation, target FROM link WHERE source IN (SELECT value FROM json_each(?))",
            (rows,),
        )
    )
    connection.executemany(
        "DELETE FROM link WHERE source = ? AND relation = ? AND target = ?", sorted(held - wanted)
    )
    connection.executemany(
        "INSERT INTO link (source, relation, target) VALUES (?, ?, ?)", sorted(wanted - held)
    )


def _put_aliases(connection: sqlite3.Connection, documents: list[Document], ids: dict[bytes, int]) -> None:
    wanted = {
        (other.bytes, ids[document.uuid.bytes]) for document in documents for other in document.other_uuids
    }
    rows = orjson.dumps([ids[document.uuid.bytes] for document in documents]).decode()
    held = set(
        connection.execute(
            "SELECT uuid, document FROM alias WHERE document IN (SELECT value FROM json_each(?))", (rows,)
        )
    )
    connection.executemany("DELETE FROM alias WHERE uuid = ? AND document = ?", held - wanted)
    connection.executemany(
        "INSERT INTO alias (uuid, document) VALUES (?, ?)"
        " ON CONFLICT (uuid) DO UPDATE SET document = excluded.document",
        sorted(wanted - held),
    )
