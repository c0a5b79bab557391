"""What stood in files for the register's own loader (E9): so it is known what went or changed here since.

Each time that files are made is added: nobody knows which of them were loaded. Functions that change something go
inside `Store.write()`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from gateway.store.base.bound_lists import in_parts
from gateway.store.base.session import Session


def note(connection: Session, documents: Iterable[tuple[bytes, bytes]]) -> None:
    """These documents (uuid, and the marks of their fields) stand in files."""
    connection.many(
        "INSERT INTO export_filed (uuid, marks) VALUES (?, ?) ON CONFLICT (uuid, marks) DO NOTHING",
        list(documents),
    )


def any_there(connection: Session) -> bool:
    """Were files ever made?"""
    return bool(connection.one("SELECT 1 FROM export_filed LIMIT 1"))


def marks_of(connection: Session, uuids: Iterable[bytes]) -> dict[bytes, bytes]:
    """Which of these stood in files, and the marks of their fields: of each time, one after another."""
    found: dict[bytes, bytes] = defaultdict(bytes)
    for marks, part in in_parts(uuids):
        for uuid, each in connection.all(
            f"SELECT uuid, marks FROM export_filed WHERE uuid IN ({marks}) ORDER BY uuid, marks", part
        ):
            found[uuid] += each
    return dict(found)
