"""Questions to a store that no function of its own answers."""
# ruff: noqa: S608  (names of tables and columns only)

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import orjson

from gateway.store.base.compression import unpack
from gateway.store.base.kinds import KIND, KINDS, RAW_KIND
from gateway.store.base.store import Store

NUMBERS = {"raw": RAW_KIND, "document": KIND}


def stored(uuid: str | UUID) -> bytes:
    """A uuid as the tables have it."""
    return UUID(str(uuid)).bytes


class StoredRun(NamedTuple):
    """A row of the table of runs."""

    job: str
    status: str
    started: int
    finished: int | None
    heartbeat: int
    message: str
    counters: str


class Probe:
    """Asks, and changes nothing. Kinds are names, uuids are texts."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def _all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.store.connection().all(query, values)

    # Any table

    def rows(self, table: str, *columns: str, order: str = "", **where: Any) -> list[tuple[Any, ...]]:
        """Columns of the rows that have these values; None asks for what is empty."""
        if isinstance(where.get("kind"), str):
            where["kind"] = NUMBERS[table][where["kind"]]
        if isinstance(where.get("uuid"), str | UUID):
            where["uuid"] = stored(where["uuid"])
        query = f"SELECT {', '.join(columns)} FROM {table}"
        if where:
            query += " WHERE " + " AND ".join(f"{name} IS NOT DISTINCT FROM ?" for name in where)
        return self._all(query + (order and f" ORDER BY {order}"), *where.values())

    def values(self, table: str, column: str, order: str = "", **where: Any) -> list[Any]:
        """One column of these rows."""
        return [row[0] for row in self.rows(table, column, order=order, **where)]

    def count(self, table: str, **where: Any) -> int:
        """How many rows have these values."""
        return int(self.values(table, "count(*)", **where)[0])

    def tables_with(self, *sought: str | bytes) -> list[str]:
        """The tables of a database in which one of these stands, as text or as bytes (hexadecimal digits there)."""
        forms: list[str] = []
        for each in sought:
            forms += [each.hex()] if isinstance(each, bytes) else [each, each.encode().hex()]
        connection = self.store.connection()
        found = []
        for table in sorted(connection.dialect.tables(connection)):
            rows = [row for (row,) in self.rows(f"{table} t", "CAST(t AS text)")]
            if any(form in row for row in rows for form in forms):
                found.append(table)
        return found

    # Legacy objects

    def raw_uuids(self, kind: str | None = None) -> list[str]:
        """The legacy objects that are held (of a kind), in the order in which they came."""
        of_kind = {} if kind is None else {"kind": kind}
        return [str(UUID(bytes=uuid)) for uuid in self.values("raw", "uuid", "id", **of_kind)]

    def has_raw(self, uuid: str | UUID) -> bool:
        """Is a legacy object held?"""
        return self.count("raw", uuid=uuid) > 0

    def raw(self, uuid: str | UUID, column: str) -> Any:
        """What one column says of a legacy object that is held."""
        (value,) = self.values("raw", column, uuid=uuid)
        return value

    def content(self, uuid: str | UUID) -> dict[str, Any] | None:
        """What is kept of a legacy object, None when it was emptied."""
        body = self.raw(uuid, "body")
        found: dict[str, Any] | None = orjson.loads(unpack(body)) if body else None
        return found

    def unread_hashes(self, uuid: str | UUID) -> list[bytes]:
        """The hashes of the keys of a legacy object that could not be read."""
        return self.values("unread_key", "hash", raw=self.raw(uuid, "id"))

    def speaking(self, kind: str) -> list[str]:
        """The legacy objects of a kind that say something of a party or actor, in the order in which they came."""
        found = self._all(
            "SELECT uuid FROM raw WHERE kind = ? AND id IN (SELECT raw FROM claim) ORDER BY id",
            RAW_KIND[kind],
        )
        return [str(UUID(bytes=uuid)) for (uuid,) in found]

    def contacts_tied_by(self, kind: str, state: int) -> list[str]:
        """The contactmomenten that legacy objects of a kind, in a state, tie to something."""
        found = self._all(
            "SELECT DISTINCT t.contact FROM tie t JOIN raw r ON r.id = t.raw WHERE r.kind = ? AND r.state = ?"
            " ORDER BY t.contact",
            RAW_KIND[kind],
            state,
        )
        return [str(UUID(bytes=contact)) for (contact,) in found]

    # Documents

    def documents(self) -> dict[str, int]:
        """How many documents there are of each kind; kinds without any are not there."""
        return {
            KINDS[kind - 1]: count
            for kind, count in self._all("SELECT kind, count(*) FROM document GROUP BY kind")
        }

    def document_uuids(self, kind: str) -> list[str]:
        """The documents of a kind."""
        return [str(UUID(bytes=uuid)) for uuid in self.values("document", "uuid", "uuid", kind=kind)]

    def has_document(self, uuid: str | UUID) -> bool:
        """Is there a document with this uuid of its own?"""
        return self.count("document", uuid=uuid) > 0

    def documents_saying(self, text: str) -> int:
        """How many documents hold a text."""
        return sum(text in body for body in self.values("document", "body"))

    def made_of(self, raw: str | UUID, kind: str | None = None) -> list[str]:
        """The documents (of a kind) that come from a legacy object."""
        found = self._all(
            "SELECT d.uuid, d.kind FROM provenance p JOIN document d ON d.id = p.document"
            " JOIN raw r ON r.id = p.raw WHERE r.uuid = ?",
            stored(raw),
        )
        return [str(UUID(bytes=uuid)) for uuid, number in found if kind in (None, KINDS[number - 1])]

    def came_from(self) -> dict[str, set[str]]:
        """Of each document from the legacy the objects that it came from, and those of what it refers to."""
        found: dict[str, set[str]] = {}
        for document, raw in self._all(
            "SELECT d.uuid, r.uuid FROM document d JOIN provenance p ON p.document = d.id"
            " JOIN raw r ON r.id = p.raw UNION SELECT d.uuid, r.uuid FROM document d"
            " JOIN link l ON l.source = d.id JOIN provenance p ON p.document = l.target"
            " JOIN raw r ON r.id = p.raw"
        ):
            found.setdefault(str(UUID(bytes=document)), set()).add(str(UUID(bytes=raw)))
        return found

    def written(self) -> dict[tuple[str, str], Any]:
        """What clients wrote over the legacy: by document and part."""
        rows = self.rows("local", "uuid", "part", "value")
        return {(str(UUID(bytes=uuid)), part): orjson.loads(value) for uuid, part, value in rows}

    # Jobs and messages

    def runs(self, job: str | None = None) -> list[StoredRun]:
        """The runs (of a job), in the order in which they began."""
        of_job = {} if job is None else {"job": job}
        return [StoredRun(*row) for row in self.rows("run", *StoredRun._fields, order="id", **of_job)]

    # The file

    def checkpoint(self) -> None:
        """Copy the write-ahead log into the file, all of it, where the store is a file."""
        if not self.store.connection().dialect.is_a_file:
            return
        (told,) = self._all("PRAGMA wal_checkpoint(TRUNCATE)")
        assert told[0] == 0

    def plan(self, selection: str, values: int) -> list[str]:
        """The steps in which SQLite answers a selection of documents with so many values."""
        query = f"EXPLAIN QUERY PLAN SELECT d.id {selection}"
        return [row[3] for row in self._all(query, *[b""] * values)]
