"""Writes documents with their links and other uuids. Call inside `Store.write()`."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from gateway.store.base.bound_lists import IN_IDS, in_parts
from gateway.store.base.kinds import KIND, LEGACY_ORIGIN, ORDERED, RELATION
from gateway.store.base.session import Session
from gateway.store.indexes import profiles, spans
from mappings.model.documents import Document

# So many documents that come or move are counted together.
TOGETHER = 10
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
    next_id = connection.one("SELECT coalesce(max(id), 0) + 1 FROM document")[0]
    for _, uuid, _ in named:
        if uuid not in ids:
            ids[uuid] = next_id
            next_id += 1
    new: list[tuple[int, int, str, int | None, int, int, int, bytes]] = []
    came: dict[int, tuple[str, dict[str, Any]]] = {}
    changed: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = []
    places: list[spans.Place] = []  # where they are
    left: list[spans.Place] = []  # where those that move were
    for document, uuid, owner in named:
        body, row = orjson.dumps(document.body).decode(), known.get(uuid)
        owner_id = ids[uuid] if owner is None else ids.get(owner)
        values = (document.created, document.moment, body, owner_id, origin)
        kind = KIND[document.kind]
        if row is None:
            new.append((*values, ids[uuid], kind, uuid))
            came[ids[uuid]] = document.kind, document.body
        elif row[1:] != values:
            changed.append((row, values))
        else:
            continue
        if row is None or row[1:3] != values[:2]:
            places.append((kind, document.moment, document.created, uuid))
            if row is not None:
                left.append((kind, row[2], row[1], uuid))
    counted = (
        spans.together(connection, places, left) if len(places) >= TOGETHER else contextlib.nullcontext()
    )
    old = [row[0] for row in known.values()]
    with profiles.together(connection):
        with counted:
            connection.many(
                "INSERT INTO document (created, moment, body, owner, origin, id, kind, uuid)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                new,
            )
            _update(connection, changed)
        linked = _put_links(connection, [(document, ids[uuid]) for document, uuid, _ in named], ids, old)
        profiles.arrived(connection, came, origin, *linked)
    _put_aliases(connection, [(document, ids[uuid]) for document, uuid, _ in named], old)
    return ids


def _update(connection: Session, changed: Sequence[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> None:
    """Write changed documents: pairs of a row (id and values) as it was and the values as they are.

    Only the columns that differ are named: of what is named the places in indexes are written again too.
    """
    by_columns: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for (row, *before), values in changed:
        differ = [
            (column, now) for column, was, now in zip(COLUMNS, before, values, strict=True) if was != now
        ]
        by_columns[tuple(column for column, _ in differ)].append((*(now for _, now in differ), row))
    for columns, rows in by_columns.items():
        named = ", ".join(f"{column} = ?" for column in columns)
        connection.many(f"UPDATE document SET {named} WHERE id = ?", rows)


def remove_documents(connection: Session, ids: Iterable[int]) -> None:
    """Remove documents with the links from and to them."""
    rows = [(row,) for row in ids]
    connection.many("DELETE FROM link WHERE source = ?", rows)
    connection.many("DELETE FROM link WHERE target = ?", rows)
    connection.many("DELETE FROM document WHERE id = ?", rows)


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
    rows = ids | _rows(connection, {uuid for *_, uuid in links if uuid not in ids})
    wanted: set[tuple[int, int, int]] = set()
    for document, source, name, target, uuid in links:
        found = rows.get(uuid)
        if found is None:
            raise DanglingLink(f"{document.kind} {document.uuid}: {name} {target} is not there")
        wanted.add((source, RELATION[f"{document.kind}.{name}"], found))
    held = set(
        connection.all(
            f"SELECT source, relation, target FROM link WHERE source {IN_IDS}",
            (old,),
        )
    )
    connection.many(
        "DELETE FROM link WHERE source = ? AND relation = ? AND target = ?", sorted(held - wanted)
    )
    connection.many("INSERT INTO link (source, relation, target) VALUES (?, ?, ?)", sorted(wanted - held))
    for document, source in documents:
        for name, targets in document.links.items():
            if f"{document.kind}.{name}" in ORDERED:
                order = [rows[target.bytes] for target in targets]
                keep_order(connection, source, RELATION[f"{document.kind}.{name}"], order)
    return wanted - held, held - wanted


def keep_order(connection: Session, source: int, relation: int, targets: Sequence[int]) -> None:
    """Note in which order a document (row) refers to these by a relation; of a double its first place."""
    places = enumerate(dict.fromkeys(targets))
    connection.many(
        "UPDATE link SET place = ? WHERE source = ? AND relation = ? AND target = ?",
        [(place, source, relation, target) for place, target in places],
    )


def _rows(connection: Session, uuids: Iterable[bytes]) -> dict[bytes, int]:
    """The rows of the documents among these uuids."""
    found: dict[bytes, int] = {}
    for uuid in uuids:
        found.update(connection.all("SELECT uuid, id FROM document WHERE uuid = ?", (uuid,)))
    return found


def _put_aliases(connection: Session, documents: list[tuple[Document, int]], old: list[int]) -> None:
    """Write the other uuids of documents (each with its row); `old` as for links."""
    wanted = {(other.bytes, row) for document, row in documents for other in document.other_uuids}
    held = set(connection.all(f"SELECT uuid, document FROM alias WHERE document {IN_IDS}", (old,)))
    connection.many("DELETE FROM alias WHERE uuid = ? AND document = ?", held - wanted)
    connection.many(
        "INSERT INTO alias (uuid, document) VALUES (?, ?)"
        " ON CONFLICT (uuid) DO UPDATE SET document = excluded.document",
        sorted(wanted - held),
    )
