"""Whom statements are about whose partij or actor a client deleted. Call inside `Store.write()`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

import orjson

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.session import Session

Hidden = tuple[bytes, str]  # its uuid, and its others as JSON


def hide(connection: Session, documents: Iterable[int]) -> None:
    """Keep whom statements are about, of these partijen and actoren (rows) that are about to be deleted."""
    connection.execute(
        "INSERT OR REPLACE INTO hidden SELECT s.id, d.uuid, (SELECT json_group_array(hex(uuid)) FROM"
        " (SELECT uuid FROM alias WHERE document = d.id ORDER BY uuid))"
        f" FROM statement s JOIN document d ON d.id = s.document WHERE s.document {IN_IDS}",
        (id_list(documents),),
    )


def hidden_of(connection: Session, statements: Iterable[int]) -> dict[int, Hidden]:
    """Whom these statements (rows) are about, as far as a client deleted that partij or actor."""
    return {
        row: (uuid, others)
        for row, uuid, others in connection.execute(
            f"SELECT statement, uuid, others FROM hidden WHERE statement {IN_IDS}", (id_list(statements),)
        )
    }


def put_hidden(connection: Session, before: Mapping[int, Hidden], wanted: Mapping[int, Hidden]) -> None:
    """Write whom statements (rows) are about; `before` is as `hidden_of` gave it."""
    connection.executemany(
        "DELETE FROM hidden WHERE statement = ?", [(row,) for row in before if row not in wanted]
    )
    connection.executemany(
        "INSERT OR REPLACE INTO hidden VALUES (?, ?, ?)",
        [(row, *who) for row, who in sorted(wanted.items()) if before.get(row) != who],
    )


def others_as_text(uuids: Iterable[UUID]) -> str:
    """The other uuids of a partij or actor as `hidden` has them."""
    return orjson.dumps([uuid.bytes.hex().upper() for uuid in sorted(uuids)]).decode()


def others_of_hidden(connection: Session, uuids: Iterable[bytes]) -> dict[bytes, set[bytes]]:
    """The other uuids of those among these partijen and actoren that a client deleted."""
    found: dict[bytes, set[bytes]] = {}
    for marks, some in in_parts(uuids):
        for uuid, others in connection.execute(
            f"SELECT DISTINCT uuid, others FROM hidden WHERE uuid IN ({marks})", some
        ):
            found.setdefault(uuid, set()).update(map(bytes.fromhex, orjson.loads(others)))
    return found
