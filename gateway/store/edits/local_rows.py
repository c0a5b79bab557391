"""The rows of what clients wrote (`local`), and by what their references name (`named`): no other module writes these.

The value of a part that is a reference is a list of uuids; `named` has each of them, to be found by. Call inside
`Store.write()`.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from gateway.base.clock import now
from gateway.store.base.session import Session

LINK = "link "


def put(connection: Session, uuid: bytes, part: str, value: object) -> None:
    """Write a part of what a client says of a document (by uuid), now."""
    text = orjson.dumps(value).decode()
    connection.run(
        "INSERT INTO local (uuid, part, value, written) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (uuid, part) DO UPDATE SET value = ?3, written = ?4",
        (uuid, part, text, now()),
    )
    _name(connection, uuid, part, text)


def put_unless_there(connection: Session, uuid: bytes, part: str, value: object) -> None:
    """Write a part, now, unless it was written before."""
    if connection.one("SELECT 1 FROM local WHERE uuid = ? AND part = ?", (uuid, part)) is None:
        put(connection, uuid, part, value)


def correct(connection: Session, uuid: bytes, part: str, text: str) -> None:
    """Put another value (JSON) in a part: it counts as written when it was."""
    connection.run("UPDATE local SET value = ? WHERE uuid = ? AND part = ?", (text, uuid, part))
    _name(connection, uuid, part, text)


def drop(connection: Session, parts: Iterable[tuple[bytes, str]]) -> None:
    """Forget these parts, each with the uuid of its document."""
    gone = list(parts)
    connection.many("DELETE FROM local WHERE uuid = ? AND part = ?", gone)
    connection.many(
        "DELETE FROM named WHERE uuid = ? AND part = ?", [each for each in gone if each[1].startswith(LINK)]
    )


def drop_all(connection: Session, uuid: bytes) -> None:
    """Forget all that clients wrote of a document."""
    drop(connection, connection.all("SELECT uuid, part FROM local WHERE uuid = ?", (uuid,)))


def _name(connection: Session, uuid: bytes, part: str, text: str) -> None:
    if part.startswith(LINK):
        connection.run("DELETE FROM named WHERE uuid = ? AND part = ?", (uuid, part))
        connection.many(
            "INSERT INTO named (target, uuid, part) VALUES (?, ?, ?)",
            [(target, uuid, part) for target in dict.fromkeys(orjson.loads(text))],
        )
