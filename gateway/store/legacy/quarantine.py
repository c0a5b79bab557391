"""What could not be read (M3): put in quarantine, looked at, dismissed, taken out again.

Call inside `Store.read()` or `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from gateway.store.base.kinds import RAW_KINDS
from gateway.store.base.session import Session


class Quarantined(NamedTuple):
    """An object in quarantine; `dismissed` is when an operator let it be, None while it is to be looked at. Of one that
    is `emptied` the content is not kept any more."""

    row: int
    source: str
    kind: str
    uuid: UUID
    reason: str
    since: int
    dismissed: int | None
    emptied: bool


def put(connection: Session, row: int, reason: str, now: int) -> None:
    """Put a legacy object in quarantine (M3)."""
    connection.run(
        "INSERT INTO quarantine (raw, reason, since) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (raw) DO UPDATE SET reason = ?2",
        (row, reason, now),
    )


def release(connection: Session, rows: Iterable[int]) -> None:
    """Take legacy objects out of quarantine."""
    connection.many("DELETE FROM quarantine WHERE raw = ?", [(row,) for row in rows])


def listing(connection: Session, uuid: UUID | None = None) -> list[Quarantined]:
    """What is in quarantine, longest there first; or only the objects with this uuid."""
    rows = connection.all(
        "SELECT q.raw, s.name, r.kind, r.uuid, q.reason, q.since, q.dismissed, r.body IS NULL FROM quarantine q"
        " JOIN raw r ON r.id = q.raw JOIN source s ON s.id = r.source WHERE r.uuid = ?1 OR ?1 IS NULL"
        " ORDER BY q.since, s.name, r.kind, r.uuid",
        (uuid.bytes if uuid else None,),
    )
    return [
        Quarantined(
            row, source, RAW_KINDS[kind - 1], UUID(bytes=name), reason, since, dismissed, bool(emptied)
        )
        for row, source, kind, name, reason, since, dismissed, emptied in rows
    ]


def dismiss(connection: Session, rows: Iterable[int], moment: int) -> None:
    """Note that these need not be looked at any more, until the source gives them changed."""
    connection.many(
        "UPDATE quarantine SET dismissed = coalesce(dismissed, ?) WHERE raw = ?",
        [(moment, row) for row in rows],
    )


def unknown(connection: Session) -> list[tuple[str, str, UUID]]:
    """What is kept whole in quarantine and of which not all keys are known: source, kind and uuid."""
    rows = connection.all(
        "SELECT s.name, r.kind, r.uuid FROM quarantine q JOIN raw r ON r.id = q.raw JOIN source s ON s.id = r.source"
        " WHERE q.keyless = 1 AND r.body IS NOT NULL ORDER BY r.id"
    )
    return [(source, RAW_KINDS[kind - 1], UUID(bytes=uuid)) for source, kind, uuid in rows]


def counts(connection: Session) -> dict[str, int]:
    """How many are to be looked at, and how many were dismissed."""
    total, let_be = connection.one("SELECT count(*), count(dismissed) FROM quarantine")
    return {"open": total - let_be, "dismissed": let_be}
