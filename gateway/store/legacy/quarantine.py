"""What could not be read (M3): put in quarantine, looked at, dismissed, taken out again.

Call inside `Store.read()` or `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from gateway.store.base.bound_lists import IN_IDS, id_list
from gateway.store.base.kinds import RAW_KIND, RAW_KINDS
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


class QuarantineAsked(NamedTuple):
    """Which of them: of a source (its name) and of a kind, blank is any; also those that an operator let be?"""

    source: str = ""
    kind: str = ""
    dismissed: bool = False


# After which one a list goes on: since when that is there, and its row.
After = tuple[int, int]
BEGIN: After = (-1, -1)


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
        f"{_SELECT} WHERE r.uuid = ?1 OR ?1 IS NULL ORDER BY q.since, s.name, r.kind, r.uuid",
        (uuid.bytes if uuid else None,),
    )
    return [_quarantined(row) for row in rows]


def part(connection: Session, asked: QuarantineAsked, after: After, limit: int) -> list[Quarantined]:
    """The next of what is asked for, longest there first: up to `limit`, after the one given."""
    rows = connection.all(
        f"{_SELECT} WHERE (q.since, q.raw) > (?, ?) AND {_asked(asked)} ORDER BY q.since, q.raw LIMIT ?",
        (*after, *_values(asked), limit),
    )
    return [_quarantined(row) for row in rows]


def by_reason(connection: Session, asked: QuarantineAsked) -> list[tuple[str, int]]:
    """How many there are of what is asked for, by reason: most first."""
    joined = _JOINED if asked.source or asked.kind else ""
    return connection.all(
        f"SELECT q.reason, count(*) FROM quarantine q {joined} WHERE {_asked(asked)}"
        " GROUP BY q.reason ORDER BY count(*) DESC, q.reason",
        _values(asked),
    )


def of_rows(connection: Session, rows: Iterable[int]) -> list[Quarantined]:
    """Those of these legacy objects (rows) that are in quarantine."""
    found = connection.all(f"{_SELECT} WHERE q.raw {IN_IDS} ORDER BY q.since, q.raw", (id_list(rows),))
    return [_quarantined(row) for row in found]


def emptied(connection: Session, source: str) -> list[Quarantined]:
    """Those of a source (its name) of which the content is not kept any more."""
    rows = connection.all(f"{_SELECT} WHERE s.name = ? AND r.body IS NULL ORDER BY q.since, q.raw", (source,))
    return [_quarantined(row) for row in rows]


# From the few to the many: SQLite would begin with all objects of a source.
_JOINED = "CROSS JOIN raw r ON r.id = q.raw JOIN source s ON s.id = r.source"
_SELECT = (
    "SELECT q.raw, s.name, r.kind, r.uuid, q.reason, q.since, q.dismissed, r.body IS NULL"
    f" FROM quarantine q {_JOINED}"
)


def _asked(asked: QuarantineAsked) -> str:
    parts = [
        *([] if asked.dismissed else ["q.dismissed IS NULL"]),
        *(["s.name = ?"] if asked.source else []),
        *(["r.kind = ?"] if asked.kind else []),
    ]
    return " AND ".join(parts) or "1 = 1"


def _values(asked: QuarantineAsked) -> list[str | int]:
    kind = [RAW_KIND.get(asked.kind, 0)] if asked.kind else []
    return [*([asked.source] if asked.source else []), *kind]


def _quarantined(row: tuple[Any, ...]) -> Quarantined:
    number, source, kind, uuid, reason, since, dismissed, is_empty = row
    return Quarantined(
        number, source, RAW_KINDS[kind - 1], UUID(bytes=uuid), reason, since, dismissed, bool(is_empty)
    )


def dismiss(connection: Session, rows: Iterable[int], moment: int) -> None:
    """Note that these need not be looked at any more, until the source gives them changed."""
    connection.many(
        "UPDATE quarantine SET dismissed = coalesce(dismissed, ?) WHERE raw = ?",
        [(moment, row) for row in rows],
    )


def unknown(connection: Session) -> list[tuple[str, str, UUID]]:
    """What is kept whole in quarantine and of which not all keys are known: source, kind and uuid."""
    rows = connection.all(
        f"SELECT s.name, r.kind, r.uuid FROM quarantine q {_JOINED}"
        " WHERE q.keyless = 1 AND r.body IS NOT NULL ORDER BY r.id"
    )
    return [(source, RAW_KINDS[kind - 1], UUID(bytes=uuid)) for source, kind, uuid in rows]


def counts(connection: Session) -> dict[str, int]:
    """How many are to be looked at, and how many were dismissed."""
    total, let_be = connection.one("SELECT count(*), count(dismissed) FROM quarantine")
    return {"open": total - let_be, "dismissed": let_be}
