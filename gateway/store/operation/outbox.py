"""Messages on their way out: inserted with the write that they are about, deleted when delivered, kept when given up.

Functions that take a connection and change something go inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.base.clock import now
from gateway.store.base.session import Session

# The furthest that a next try lies ahead; one that lies further was planned before the clock was set back.
LONGEST_WAIT = 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message that may be sent now; `attempts` is how often that was tried, `created` microseconds UTC."""

    id: int
    message: dict[str, Any]
    attempts: int
    created: int


def add(connection: Session, message: Mapping[str, Any]) -> None:
    """Keep a message (`gateway.notificaties.message.message`) for delivery, in the transaction of the write that it
    tells of.

    Messages about one object leave in the order in which they were added.
    """
    moment = now()
    # The address may be written with one host or another; the object is in its last part.
    subject = str(message["hoofdObject"]).rstrip("/").rpartition("/")[2].lower()
    connection.run(
        "INSERT INTO outbox (subject, message, created, next_try) VALUES (?, ?, ?, ?)",
        (subject, orjson.dumps(dict(message)).decode(), moment, moment),
    )


def due(connection: Session, moment: int, most: int) -> list[DueMessage]:
    """Up to `most` messages that may be sent now, the longest waiting first, one for each object.

    While a message waits whose last try failed by the service as a whole, it is the only one: it finds out
    whether the service is back.
    """
    held_up = connection.one(
        "SELECT id, message, attempts, created, next_try FROM outbox WHERE held_up = 1 ORDER BY id LIMIT 1"
    )
    if held_up:
        return [_waiting(held_up[:4])] if not moment < held_up[4] <= moment + LONGEST_WAIT else []
    rows = connection.all(
        "SELECT id, message, attempts, created FROM outbox o"
        " WHERE failed IS NULL AND (next_try <= :now OR next_try > :now + :longest)"
        " AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.subject = o.subject AND e.failed IS NULL AND e.id < o.id)"
        " ORDER BY next_try, id LIMIT :most",
        {"now": moment, "longest": LONGEST_WAIT, "most": most},
    )
    return [_waiting(row) for row in rows]


def delivered(connection: Session, number: int) -> None:
    """The message arrived: forget it."""
    connection.run("DELETE FROM outbox WHERE id = ?", (number,))


def postpone(connection: Session, number: int, next_try: int, cause: str, *, holds_up: bool) -> None:
    """A try failed: the next is at `next_try`. `holds_up`: by the service as a whole, so the others wait too."""
    connection.run(
        "UPDATE outbox SET attempts = attempts + 1, next_try = ?, cause = ?, held_up = ? WHERE id = ?",
        (next_try, cause, int(holds_up), number),
    )


def give_up(connection: Session, number: int, moment: int, cause: str) -> None:
    """The message won't be tried again; it is kept, with the cause."""
    connection.run(
        "UPDATE outbox SET attempts = attempts + 1, failed = ?, cause = ?, held_up = 0 WHERE id = ?",
        (moment, cause, number),
    )


def give_up_older(connection: Session, created_before: int, moment: int, cause: str) -> int:
    """Give up every message that was written before a moment; out: how many."""
    return connection.run(
        "UPDATE outbox SET failed = ?, cause = ?, held_up = 0 WHERE failed IS NULL AND created < ?",
        (moment, cause, created_before),
    )


def retry(connection: Session, moment: int) -> int:
    """Let every message that was given up go again, as if it were written now; out: how many."""
    return connection.run(
        "UPDATE outbox SET failed = NULL, cause = NULL, attempts = 0, created = ?1, next_try = ?1"
        " WHERE failed IS NOT NULL",
        (moment,),
    )


def try_all(connection: Session, moment: int) -> None:
    """The service is back: what waits for a next try may go now."""
    connection.run("UPDATE outbox SET next_try = ? WHERE failed IS NULL AND next_try > ?", (moment, moment))


def counts(connection: Session) -> dict[str, int]:
    """How many messages wait, and how many were given up."""
    waiting, failed = connection.one("SELECT count(*) - count(failed), count(failed) FROM outbox")
    return {"waiting": waiting, "failed": failed}


def _waiting(row: Any) -> DueMessage:
    number, message, attempts, created = row
    return DueMessage(number, orjson.loads(message), attempts, created)
