"""What clients wrote and sources are still to be told (W1): that a value changed, not to what it did.

One row a value, however often it was written. Functions that change something go inside `Store.write()`. Moments are
microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from gateway.store.base.session import Session
from mappings.model.findings import Finding

# The furthest that a next try lies ahead; one that lies further was planned before the clock was set back.
LONGEST_WAIT = 3600 * 1_000_000
_COLUMNS = (
    "w.id, s.name, w.kind, w.document, w.part, w.message, w.told, w.attempts, w.created, w.next_try, w.parked,"
    " w.cause, w.fields"
)
_OF_KINDS = "w.kind IN (SELECT value FROM json_each(?))"
_ROWS = f"SELECT {_COLUMNS} FROM writeback w JOIN source s ON s.id = w.source"


@dataclass(frozen=True, slots=True)
class QueuedChange:
    """A value of a client's document (uuid) that a source is to be told; `kind` is that of `write_back`.

    `told` counts the writes: when more came in the meantime, it isn't done yet. `parked` is since when it waits for an
    operator, with a code and the names of fields.
    """

    id: int
    source: str
    kind: str
    document: bytes
    part: str
    message: dict[str, Any]
    told: int
    attempts: int
    created: int
    next_try: int
    parked: int | None
    cause: str | None
    fields: str


class QueueLength(NamedTuple):
    """How much waits of one kind for one source: the oldest since then, and how much is parked."""

    source: str
    kind: str
    waiting: int
    oldest: int | None
    parked: int


def put(
    connection: Session,
    source: int,
    kind: str,
    document: bytes,
    part: str,
    message: Mapping[str, Any],
    moment: int,
) -> None:
    """A client wrote this value, which may be sent from `moment` on.

    What waits already keeps its message, that is of what the source had then, but for a deletion, which counts; and
    its next try, when one failed.
    """
    row = connection.one(
        "SELECT message FROM writeback WHERE source = ? AND kind = ? AND document = ? AND part = ?",
        (source, kind, document, part),
    )
    if row:
        message = _with_deletion(orjson.loads(row[0]), message)
    connection.run(
        "INSERT INTO writeback (source, kind, document, part, message, created, next_try)"
        " VALUES (:source, :kind, :document, :part, :message, :moment, :moment)"
        " ON CONFLICT (source, kind, document, part) DO UPDATE SET told = writeback.told + 1, parked = NULL,"
        " message = excluded.message, fields = '', next_try = CASE WHEN writeback.parked IS NOT NULL"
        " OR (writeback.attempts = 0 AND excluded.next_try < writeback.next_try)"
        " THEN excluded.next_try ELSE writeback.next_try END",
        {
            "source": source,
            "kind": kind,
            "document": document,
            "part": part,
            "message": orjson.dumps(dict(message)).decode(),
            "moment": moment,
        },
    )


def due(connection: Session, source: int, kinds: Iterable[str], moment: int, most: int) -> list[QueuedChange]:
    """Up to `most` changes of these kinds that may be sent now, the longest waiting first.

    While one waits whose last try failed by the source as a whole, it is the only one: it finds out whether the
    source is back.
    """
    held_up = connection.one(
        f"{_ROWS} WHERE w.source = ? AND {_OF_KINDS} AND w.held_up = 1 AND w.parked IS NULL"
        " ORDER BY w.id LIMIT 1",
        (source, [*kinds]),
    )
    if held_up:
        found = _change(held_up)
        return [] if moment < found.next_try <= moment + LONGEST_WAIT else [found]
    rows = connection.all(
        f"{_ROWS} WHERE w.source = ? AND {_OF_KINDS} AND w.parked IS NULL"
        " AND (w.next_try <= ? OR w.next_try > ?) ORDER BY w.next_try, w.id LIMIT ?",
        (source, [*kinds], moment, moment + LONGEST_WAIT, most),
    )
    return [_change(row) for row in rows]


def done(connection: Session, change: QueuedChange, message: Mapping[str, Any], moment: int) -> None:
    """The source was told; a write that came since then is still to be, with `message`, and with its deletion."""
    gone = connection.one(
        "DELETE FROM writeback WHERE id = ? AND told = ? AND document = ? RETURNING id",
        (change.id, change.told, change.document),
    )
    held = connection.one(
        "SELECT message FROM writeback WHERE id = ? AND document = ?", (change.id, change.document)
    )
    if gone is None and held:
        message = _with_deletion(message, orjson.loads(held[0]))
        connection.run(
            "UPDATE writeback SET message = ?, attempts = 0, next_try = ?, held_up = 0, parked = NULL, cause = NULL,"
            " fields = '' WHERE id = ? AND document = ?",
            (orjson.dumps(message).decode(), moment, change.id, change.document),
        )


def postpone(connection: Session, change: QueuedChange, next_try: int, cause: str, *, holds_up: bool) -> None:
    """A try failed: the next is at `next_try`. `holds_up`: by the source as a whole, so the others wait too."""
    connection.run(
        "UPDATE writeback SET attempts = attempts + 1, next_try = ?, cause = ?, held_up = ?"
        " WHERE id = ? AND document = ?",
        (next_try, cause, int(holds_up), change.id, change.document),
    )


def try_all(connection: Session, source: int, moment: int) -> None:
    """The source is back: what waits for a next try may go now."""
    connection.run(
        "UPDATE writeback SET next_try = ?, held_up = 0 WHERE source = ? AND parked IS NULL AND next_try > ?",
        (moment, source, moment),
    )


def park(
    connection: Session, change: QueuedChange, moment: int, cause: str, fields: str = "", shown: str = ""
) -> None:
    """Only an operator can help: a code and the names of fields say with what, `shown` is the digest of what the source
    has. A write that came meanwhile is tried."""
    message = {**change.message, **({"shown": shown} if shown else {})}
    connection.run(
        "UPDATE writeback SET attempts = attempts + 1, parked = ?, cause = ?, fields = ?, held_up = 0,"
        " message = ? WHERE id = ? AND told = ? AND document = ?",
        (moment, cause, fields, orjson.dumps(message).decode(), change.id, change.told, change.document),
    )


def send(connection: Session, ids: Iterable[int], moment: int, *, force: bool) -> int:
    """Let parked changes go again; out: how many. `force`: over what the source had when it was parked."""
    count = 0
    for number in ids:
        row = connection.one("SELECT message FROM writeback WHERE id = ? AND parked IS NOT NULL", (number,))
        if row is None:
            continue
        message = orjson.loads(row[0])
        if force and "shown" in message:
            message["accepted"] = message["shown"]
        connection.run(
            "UPDATE writeback SET parked = NULL, attempts = 0, next_try = ?, cause = NULL, fields = '', message = ?"
            " WHERE id = ?",
            (moment, orjson.dumps(message).decode(), number),
        )
        count += 1
    return count


def drop(connection: Session, number: int) -> bool:
    """Forget a change: the source is not told. Out: was it there?"""
    row = connection.one("DELETE FROM writeback WHERE id = ? RETURNING id", (number,))
    return row is not None


def listing(connection: Session, source: str = "", *, parked: bool = False) -> list[QueuedChange]:
    """All changes that wait, of one source or all, those that are parked only when asked so."""
    rows = connection.all(
        f"{_ROWS} WHERE (:source = '' OR s.name = :source) AND (:parked = 0 OR w.parked IS NOT NULL) ORDER BY w.id",
        {"source": source, "parked": int(parked)},
    )
    return [_change(row) for row in rows]


def of_document(connection: Session, document: bytes) -> list[QueuedChange]:
    """What waits of one document."""
    rows = connection.all(f"{_ROWS} WHERE w.document = ? ORDER BY w.id", (document,))
    return [_change(row) for row in rows]


def waiting(connection: Session) -> list[QueueLength]:
    """How much waits, by source and kind."""
    rows = connection.all(
        "SELECT s.name, w.kind, count(*) - count(w.parked), min(CASE WHEN w.parked IS NULL THEN w.created END),"
        " count(w.parked) FROM writeback w JOIN source s ON s.id = w.source GROUP BY s.name, w.kind"
        " ORDER BY s.name, w.kind"
    )
    return [QueueLength(*row) for row in rows]


def tell(connection: Session, source: int, document: bytes, findings: Iterable[Finding]) -> None:
    """Keep findings on what a client wrote, each once."""
    connection.many(
        "INSERT INTO writeback_finding (source, rule, field, severity, action, document) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        [(source, each.rule, each.field, str(each.severity), each.action, document) for each in findings],
    )


def _with_deletion(message: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """A message, of a deletion too when another of the same value is."""
    return {**message, **({"deleted": True} if other.get("deleted") else {})}


def _change(row: Any) -> QueuedChange:
    number, source, kind, document, part, message, *rest = row
    return QueuedChange(number, source, kind, document, part, orjson.loads(message), *rest)
