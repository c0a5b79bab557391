"""What was destroyed at its source: nothing is kept of it but its uuid and the moment (M35).

Call inside `Store.write()`, questions inside `Store.read()`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import orjson

from gateway.base.clock import now
from gateway.store.base.kinds import KIND
from gateway.store.base.session import Session


class Erased(NamedTuple):
    """What an erased object was (rol, partij, ...), and when it went (microseconds UTC)."""

    what: str
    at: int


def note_erased(connection: Session, what: str, uuids: Iterable[bytes]) -> None:
    """Note legacy objects of one kind that the source no longer has."""
    moment = now()
    connection.executemany(
        "INSERT OR REPLACE INTO erased (uuid, what, at) VALUES (?, ?, ?)",
        [(uuid, what, moment) for uuid in uuids],
    )


def note_documents(connection: Session, documents: Collection[tuple[str, bytes]]) -> None:
    """Note documents (kind and uuid) that went with them, as far as no other document answers for their uuid now."""
    moment = now()
    connection.executemany(
        "DELETE FROM nummer WHERE kind = ?1 AND uuid = ?2 AND NOT EXISTS (SELECT 1 FROM document WHERE uuid = ?2)",
        [(KIND[kind], uuid) for kind, uuid in documents],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO erased (uuid, what, at) SELECT ?1, ?2, ?3"
        " WHERE NOT EXISTS (SELECT 1 FROM document WHERE uuid = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM alias WHERE uuid = ?1)",
        [(uuid, kind, moment) for kind, uuid in documents],
    )


def erased(connection: Session, uuid: bytes) -> Erased | None:
    """What a uuid stood for and when that was erased; None when it was not.

    Ask it of what is not held: an object that came back keeps its line here.
    """
    row = connection.execute("SELECT what, at FROM erased WHERE uuid = ?", (uuid,)).fetchone()
    return Erased(*row) if row else None


def kinds_and_uuids(connection: Session, rows: Iterable[int]) -> list[tuple[int, bytes]]:
    """The kind (number) and uuid of documents, by their rows."""
    return connection.execute(
        "SELECT kind, uuid FROM document WHERE id IN (SELECT value FROM json_each(?))",
        (orjson.dumps(sorted(rows)).decode(),),
    ).fetchall()
