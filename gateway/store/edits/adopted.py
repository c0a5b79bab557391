"""What clients made and the legacy gives too, from when that turned out (adopting.py) until it gives it no more.

The client's uuid stays and the derived one resolves to it; what the client filled in counts as local edits. When the
legacy no longer gives it, the client has its own document back. Call inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.kinds import KIND, LOCAL_ORIGIN
from gateway.store.base.session import Session
from gateway.store.documents import rows as document_rows
from gateway.store.edits import editing, local_rows, standard_addresses
from mappings.klantinteracties import defaults
from mappings.model.documents import Document


def clients_have(connection: Session, kind: str) -> bool:
    """Are there documents of a kind that only clients made?"""
    (may,) = connection.one(
        "SELECT EXISTS (SELECT 1 FROM document INDEXED BY document_local WHERE origin = 1"
        f" AND kind = {KIND[kind]})"
    )
    return bool(may)


def any_adopted(connection: Session) -> bool:
    """Does the legacy give anything that a client had made?"""
    return connection.one("SELECT 1 FROM adopted LIMIT 1") is not None


def all_names(connection: Session) -> dict[UUID, UUID]:
    """Of every derived uuid whose document a client had made: the client's. There are few."""
    return {
        UUID(bytes=uuid): UUID(bytes=own) for uuid, own in connection.all("SELECT uuid, own FROM adopted")
    }


def derived_uuids(connection: Session, own: Iterable[bytes]) -> dict[bytes, bytes]:
    """The derived uuids of those among these documents that a client had made: it is the same whoever was first."""
    found: dict[bytes, bytes] = {}
    if not any_adopted(connection):
        return found
    for marks, some in in_parts(own):  # of two, the least comes last
        found.update(
            connection.all(f"SELECT own, uuid FROM adopted WHERE own IN ({marks}) ORDER BY uuid DESC", some)
        )
    return found


def note(
    connection: Session,
    document: Document,
    held: editing.EditableDocument,
    names: dict[UUID, UUID],
) -> None:
    """Note that a document of the legacy is what a client made: `held`, as it is now. In `names` it gets its name.

    What the client filled in counts as local edits from now on.
    """
    connection.run(
        "INSERT INTO adopted (uuid, own, body, created, moment) VALUES (?, ?, ?, ?, ?)",
        (
            document.uuid.bytes,
            held.uuid.bytes,
            orjson.dumps(held.body).decode(),
            held.created,
            held.moment,
        ),
    )
    names[document.uuid] = held.uuid
    blank: Mapping[str, Any] = defaults(held.kind)
    filled = {field for field, value in held.body.items() if value != blank.get(field) and _says(value)}
    # What the legacy's partij prefers is only what is left when no client chose (M11).
    links = {
        field: rows
        for field, rows in held.links.items()
        if rows and (field == standard_addresses.PREFERRED or not document.links.get(field))
    }
    editing.become_local(connection, held, document.body, filled, links)


def give_back(connection: Session, rows: Iterable[int]) -> set[int]:
    """Make documents local again that the legacy no longer gives and that clients made; out: which of these."""
    held = connection.all(
        "SELECT d.id, d.uuid, a.body, a.created, a.moment FROM document d JOIN adopted a ON a.own = d.uuid"
        f" WHERE d.id {IN_IDS}",
        (id_list(rows),),
    )
    for row, uuid, body, created, moment in held:
        standard_addresses.forget_preferred(connection, row)
        now_has = orjson.loads(body) | editing.local_values(connection, uuid)
        columns = {
            "origin": LOCAL_ORIGIN,
            "owner": row,
            "body": orjson.dumps(now_has).decode(),
            "created": created,
            "moment": moment,
        }
        document_rows.update(connection, {row: columns})
        connection.run("DELETE FROM adopted WHERE own = ?", (uuid,))
        document_rows.drop_all_aliases(connection, row)
        local_rows.drop_all(connection, uuid)
    return {row for row, *_ in held}


def _says(value: Any) -> bool:
    """Is there anything in a value?"""
    if isinstance(value, dict):
        return any(_says(inner) for name, inner in value.items() if name != "uuid")
    return value not in (None, "", [])
