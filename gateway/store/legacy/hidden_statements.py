"""Whom statements are about whose partij or actor a client deleted. Call inside `Store.write()`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

import orjson

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.session import Session

Hidden = tuple[bytes, str]  # its uuid, and its others as JSON
_PUT = (
    "INSERT INTO hidden (statement, uuid, others) VALUES (?, ?, ?)"
    " ON CONFLICT (statement) DO UPDATE SET uuid = excluded.uuid, others = excluded.others"
)


def hide(connection: Session, documents: Iterable[int]) -> None:
    """Keep whom statements are about, of these partijen and actoren (rows) that are about to be deleted."""
    ids = id_list(documents)
    others: dict[int, list[UUID]] = {}
    for row, uuid in connection.all(f"SELECT document, uuid FROM alias WHERE document {IN_IDS}", (ids,)):
        others.setdefault(row, []).append(UUID(bytes=uuid))
    texts = {row: others_as_text(others.get(row, ())) for row in ids}
    said = connection.all(
        "SELECT s.id, d.uuid, d.id FROM statement s JOIN document d ON d.id = s.document"
        f" WHERE s.document {IN_IDS}",
        (ids,),
    )
    connection.many(_PUT, [(statement, uuid, texts[row]) for statement, uuid, row in said])


def hidden_of(connection: Session, statements: Iterable[int]) -> dict[int, Hidden]:
    """Whom these statements (rows) are about, as far as a client deleted that partij or actor."""
    return {
        row: (uuid, others)
        for row, uuid, others in connection.all(
            f"SELECT statement, uuid, others FROM hidden WHERE statement {IN_IDS}", (id_list(statements),)
        )
    }


def put_hidden(connection: Session, before: Mapping[int, Hidden], wanted: Mapping[int, Hidden]) -> None:
    """Write whom statements (rows) are about; `before` is as `hidden_of` gave it."""
    connection.many("DELETE FROM hidden WHERE statement = ?", [(row,) for row in before if row not in wanted])
    connection.many(
        _PUT,
        [(row, *who) for row, who in sorted(wanted.items()) if before.get(row) != who],
    )


def others_as_text(uuids: Iterable[UUID]) -> str:
    """The other uuids of a partij or actor as `hidden` has them."""
    return orjson.dumps([uuid.bytes.hex().upper() for uuid in sorted(uuids)]).decode()


def others_of_hidden(connection: Session, uuids: Iterable[bytes]) -> dict[bytes, set[bytes]]:
    """The other uuids of those among these partijen and actoren that a client deleted."""
    found: dict[bytes, set[bytes]] = {}
    for marks, some in in_parts(uuids):
        for uuid, others in connection.all(
            f"SELECT DISTINCT uuid, others FROM hidden WHERE uuid IN ({marks})", some
        ):
            found.setdefault(uuid, set()).update(map(bytes.fromhex, orjson.loads(others)))
    return found
