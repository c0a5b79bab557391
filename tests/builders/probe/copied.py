"""Documents put into a store without anybody writing them: as a copy of another store, and under another uuid."""
# ruff: noqa: S608  (names of tables, columns and schemas only)

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from builders.stores import ON_POSTGRES, schema_of

from gateway.store.base.store import Store
from gateway.store.indexes import field_values, profiles, spans

COPIED = {
    "document": "id, kind, uuid, owner, origin, created, moment, body",
    "link": "source, relation, target, place",
}


def copy_documents(source: Path, store: Store) -> None:
    """Give an empty store the documents of another one, under the same uuids."""
    old = schema_of(source) if ON_POSTGRES else "old"
    if not ON_POSTGRES:
        store.connection().run("ATTACH ? AS old", (str(source),))
    with store.write() as connection:
        for table, columns in COPIED.items():
            connection.run(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {old}.{table}")
        for make_some in (field_values.make_some, profiles.make_some):
            place: list[int] | None = []
            while place is not None:
                place = make_some(connection, place)
        spans.count_again(connection)


def add_uuid(store: Store, uuid: str, other: str) -> None:
    """Let a document be known by another uuid as well (M6)."""
    with store.write() as connection:
        (row,) = connection.one("SELECT id FROM document WHERE uuid = ?", (UUID(uuid).bytes,))
        connection.run("INSERT INTO alias (uuid, document) VALUES (?, ?)", (UUID(other).bytes, row))
