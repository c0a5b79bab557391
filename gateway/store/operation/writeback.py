"""What clients wrote and sources are still to be told (W1): that a value changed, not to what it did.

One row a value, however often it was written. Functions that change something go inside `Store.write()`. Moments are
microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from gateway.store.base.row_ids import next_ids
from gateway.store.base.session import Session
from mappings.model.findings import Finding
from mappings.writeback import told

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
    """How much waits of one kind for one source, of that how much failed before; the oldest since then, and how much
    is parked."""

    source: str
    kind: str
    waiting: int
    failing: int
    oldest: int | None
    parked: int


class WriteBackOutcome(StrEnum):
    """What can come of telling a source something; each is counted."""

    SENT = "sent"
    REFUSED = "refused"
    CHANGED = "changed"  # at the source, meanwhile (W9)
    UNANSWERED = "unanswered"
    DROPPED = "dropped"


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
        "INSERT INTO writeback (id, source, kind, document, part, message, created, next_try)"
        " VALUES (:id, :source, :kind, :document, :part, :message, :moment, :moment)"
        " ON CONFLICT (source, kind, document, part) DO UPDATE SET told = writeback.told + 1, parked = NULL,"
        " message = excluded.message, fields = '', next_try = CASE WHEN writeback.parked IS NOT NULL"
        " OR (writeback.attempts = 0 AND excluded.next_try < writeback.next_try)"
        " THEN excluded.next_try ELSE writeback.next_try END",
        {
            "id": next_ids(connection, "writeback", 1)[0],
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


class UnderWay(NamedTuple):
    """A change of an object of a source that was sent: until when it may still arrive, and the digest of what it
    says."""

    until: int
    says: str


def under_way(change: QueuedChange, target: str) -> UnderWay | None:
    """What was sent to this object for a change, when nobody knows what came of it."""
    found = change.message.get("under_way", {}).get(target)
    return UnderWay(*found) if found else None


def begin_call(connection: Session, change: QueuedChange, target: str, call: UnderWay) -> None:
    """Note what is about to be sent to an object; it is forgotten with the change, or when that goes anew."""
    row = connection.one(
        "SELECT message FROM writeback WHERE id = ? AND document = ?", (change.id, change.document)
    )
    if row is not None:
        message = orjson.loads(row[0])
        message["under_way"] = {**message.get("under_way", {}), target: [*call]}
        connection.run(
            "UPDATE writeback SET message = ? WHERE id = ?", (orjson.dumps(message).decode(), change.id)
        )


def done(connection: Session, change: QueuedChange, message: Mapping[str, Any], moment: int) -> None:
    """The source was told; a write that came since then is still to be, with `message`, and with its deletion."""
    _count(connection, change, WriteBackOutcome.SENT)
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


def postpone(
    connection: Session,
    change: QueuedChange,
    next_try: int,
    cause: str,
    *,
    holds_up: bool,
    unanswered: bool = False,
) -> None:
    """A try failed: the next is at `next_try`. `holds_up`: by the source as a whole, so the others wait too.
    `unanswered`: nobody knows whether the source did it."""
    if unanswered:
        _count(connection, change, WriteBackOutcome.UNANSWERED)
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
    if cause != told.CHANGED:  # it was refused, which is an answer
        message.pop("under_way", None)
    _count(
        connection, change, WriteBackOutcome.CHANGED if cause == told.CHANGED else WriteBackOutcome.REFUSED
    )
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
    row = connection.one(f"{_ROWS} WHERE w.id = ?", (number,))
    if row is not None:
        _count(connection, _change(row), WriteBackOutcome.DROPPED)
        connection.run("DELETE FROM writeback WHERE id = ?", (number,))
    return row is not None


def listing(connection: Session, source: str = "", *, parked: bool = False) -> list[QueuedChange]:
    """All changes that wait, of one source or all, those that are parked only when asked so."""
    rows = connection.all(
        f"{_ROWS} WHERE (:source = '' OR s.name = :source) AND (:parked = 0 OR w.parked IS NOT NULL) ORDER BY w.id",
        {"source": source, "parked": int(parked)},
    )
    return [_change(row) for row in rows]


def part(connection: Session, *, parked: bool, after: int, limit: int) -> list[QueuedChange]:
    """The next changes that are parked, or that are not: up to `limit`, after this number."""
    is_parked = "IS NOT NULL" if parked else "IS NULL"
    rows = connection.all(
        f"{_ROWS} WHERE w.parked {is_parked} AND w.id > ? ORDER BY w.id LIMIT ?", (after, limit)
    )
    return [_change(row) for row in rows]


def of_number(connection: Session, number: int) -> QueuedChange | None:
    """The change of this number; None when none waits."""
    row = connection.one(f"{_ROWS} WHERE w.id = ?", (number,))
    return _change(row) if row else None


def of_document(connection: Session, document: bytes) -> list[QueuedChange]:
    """What waits of one document."""
    rows = connection.all(f"{_ROWS} WHERE w.document = ? ORDER BY w.id", (document,))
    return [_change(row) for row in rows]


def waiting(connection: Session) -> list[QueueLength]:
    """How much waits, by source and kind."""
    rows = connection.all(
        "SELECT s.name, w.kind, count(*) - count(w.parked),"
        " coalesce(sum(CASE WHEN w.parked IS NULL AND w.attempts > 0 THEN 1 END), 0),"
        " min(CASE WHEN w.parked IS NULL THEN w.created END),"
        " count(w.parked) FROM writeback w JOIN source s ON s.id = w.source GROUP BY s.name, w.kind"
        " ORDER BY s.name, w.kind"
    )
    return [QueueLength(*row) for row in rows]


def totals(connection: Session) -> list[tuple[str, str, WriteBackOutcome, int]]:
    """How often what came of it since ever: source, kind, outcome and how often."""
    rows = connection.all(
        "SELECT s.name, t.kind, t.outcome, t.count FROM writeback_total t JOIN source s ON s.id = t.source"
        " ORDER BY s.name, t.kind, t.outcome"
    )
    return [(source, kind, WriteBackOutcome(outcome), count) for source, kind, outcome, count in rows]


def findings(connection: Session) -> list[tuple[str, str, int]]:
    """How many findings there are: source, rule and how many."""
    return connection.all(
        "SELECT s.name, f.rule, count(*) FROM writeback_finding f JOIN source s ON s.id = f.source"
        " GROUP BY s.name, f.rule ORDER BY s.name, f.rule"
    )


def tell(connection: Session, source: int, document: bytes, findings: Iterable[Finding]) -> None:
    """Keep findings on what a client wrote, each once."""
    connection.many(
        "INSERT INTO writeback_finding (source, rule, field, severity, action, document) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        [(source, each.rule, each.field, str(each.severity), each.action, document) for each in findings],
    )


def _count(connection: Session, change: QueuedChange, outcome: WriteBackOutcome) -> None:
    connection.run(
        "INSERT INTO writeback_total (source, kind, outcome, count)"
        " SELECT id, ?, ?, 1 FROM source WHERE name = ?"
        " ON CONFLICT (source, kind, outcome) DO UPDATE SET count = writeback_total.count + 1",
        (change.kind, outcome.value, change.source),
    )


def _with_deletion(message: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """A message, of a deletion too when another of the same value is."""
    return {**message, **({"deleted": True} if other.get("deleted") else {})}


def _change(row: Any) -> QueuedChange:
    number, source, kind, document, part, message, *rest = row
    return QueuedChange(number, source, kind, document, part, orjson.loads(message), *rest)
