"""What was destroyed at its source, or erased here by an operator: nothing of it but its uuid and the moment (M35).

Call inside `Store.write()`, questions inside `Store.read()`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from gateway.base.clock import now
from gateway.store.base.bound_lists import IN_IDS, id_list
from gateway.store.base.kinds import KIND, KINDS, LEGACY_ORIGIN
from gateway.store.base.session import Session

_OR_AGAIN = "ON CONFLICT (uuid) DO UPDATE SET what = excluded.what, at = excluded.at, here = 0"


class Erased(NamedTuple):
    """What an erased object was (rol, partij, ...), when it went (microseconds UTC), and whether an operator did that
    here, whatever its source has."""

    what: str
    at: int
    here: bool


def note_erased(connection: Session, what: str, uuids: Iterable[bytes]) -> None:
    """Note legacy objects of one kind that the source no longer has."""
    moment = now()
    connection.many(
        f"INSERT INTO erased (uuid, what, at) VALUES (?, ?, ?) {_OR_AGAIN}",
        [(uuid, what, moment) for uuid in uuids],
    )


def note_documents(connection: Session, documents: Collection[tuple[str, bytes]]) -> None:
    """Note documents (kind and uuid) that went with them, as far as no other document answers for their uuid now."""
    moment = now()
    connection.many(
        "DELETE FROM nummer WHERE kind = ?1 AND uuid = ?2 AND NOT EXISTS (SELECT 1 FROM document WHERE uuid = ?2)",
        [(KIND[kind], uuid) for kind, uuid in documents],
    )
    connection.many(
        "INSERT INTO erased (uuid, what, at) SELECT ?1, ?2, ?3"
        " WHERE NOT EXISTS (SELECT 1 FROM document WHERE uuid = ?1)"
        f" AND NOT EXISTS (SELECT 1 FROM alias WHERE uuid = ?1) {_OR_AGAIN}",
        [(uuid, kind, moment) for kind, uuid in documents],
    )


def erased(connection: Session, uuid: bytes) -> Erased | None:
    """What a uuid stood for and when that was erased; None when it was not.

    Ask it of what is not held: an object that came back keeps its line here.
    """
    row = connection.one("SELECT what, at, here FROM erased WHERE uuid = ?", (uuid,))
    return Erased(row[0], row[1], bool(row[2])) if row else None


def kinds_and_uuids(connection: Session, rows: Iterable[int]) -> list[tuple[int, bytes]]:
    """The kind (number) and uuid of documents, by their rows."""
    return connection.all(
        f"SELECT kind, uuid FROM document WHERE id {IN_IDS}",
        (id_list(sorted(rows)),),
    )


def of_the_legacy(connection: Session, rows: Iterable[int]) -> list[tuple[str, bytes]]:
    """The kind and uuid of those among these documents (rows) that came from the legacy, for `note_documents`."""
    found = connection.all(
        f"SELECT kind, uuid FROM document WHERE origin = {LEGACY_ORIGIN} AND id {IN_IDS}",
        (id_list(sorted(rows)),),
    )
    return [(KINDS[kind - 1], uuid) for kind, uuid in found]
