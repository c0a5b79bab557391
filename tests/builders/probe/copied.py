"""Documents put into a store without anybody writing them: as a copy of another store, and under another uuid."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from gateway.store.file.database import Store


def copy_documents(source: Path, store: Store) -> None:
    """Give an empty store the documents of another one, under the same uuids."""
    store.operator().conn.execute("ATTACH ? AS old", (str(source),))
    with store.write() as connection:
        connection.run(
            "INSERT INTO document (id, kind, uuid, owner, origin, created, moment, body)"
            " SELECT id, kind, uuid, owner, origin, created, moment, body FROM old.document"
        )
        connection.run(
            "INSERT INTO link (source, relation, target, place) SELECT source, relation, target, place FROM old.link"
        )


def add_uuid(store: Store, uuid: str, other: str) -> None:
    """Let a document be known by another uuid as well (M6)."""
    with store.write() as connection:
        (row,) = connection.one("SELECT id FROM document WHERE uuid = ?", (UUID(uuid).bytes,))
        connection.run("INSERT INTO alias (uuid, document) VALUES (?, ?)", (UUID(other).bytes, row))
