"""The queue of objects that notifications are about: one for each object, however many notifications came.

Functions that change something go inside `Store.write()`. Moments are microseconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gateway.store.base.kinds import RAW_KIND, RAW_KINDS
from gateway.store.base.session import Session
from gateway.store.operation import following

# Of one source: it is down for long, or in a bulk change. Beyond this, reading everything costs less than asking each.
MOST_WAITING = 20_000
# The furthest that a next try lies ahead; one that lies further was planned before the clock was set back.
LONGEST_WAIT = 3600 * 1_000_000
NO_ROOM = "er wachten te veel wijzigingen om ze een voor een na te gaan"


@dataclass(frozen=True, slots=True)
class Hint:
    """Something happened to an object; `zaak` is the uuid of its zaak, when the message named it.

    A zaak that names itself is owed (see `requeue`): it must be read with all of it.
    `told` counts the messages: when more came in the meantime, the hint isn't done yet.
    """

    id: int
    kind: str
    uuid: bytes
    zaak: bytes | None
    told: int
    attempts: int


def put(connection: Session, source: int, kind: str, uuid: bytes, zaak: bytes | None, moment: int) -> bool:
    """Keep a hint. Out: was there room for it? A hint that waits already always has."""
    kept = connection.run(
        "UPDATE inbox SET told = told + 1, zaak = coalesce(?, zaak) WHERE source = ? AND kind = ? AND uuid = ?",
        (zaak, source, RAW_KIND[kind], uuid),
    )
    if kept:
        return True
    (waiting,) = connection.one("SELECT count(*) FROM inbox WHERE source = ?", (source,))
    if waiting >= MOST_WAITING:
        return False
    connection.run(
        "INSERT INTO inbox (source, kind, uuid, zaak, received, next_try) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        (source, RAW_KIND[kind], uuid, zaak, moment),
    )
    return True


def due(connection: Session, source: int, moment: int, most: int) -> list[Hint]:
    """Up to `most` hints of a source that may be looked into now: what failed least first, then the oldest."""
    rows = connection.all(
        "SELECT id, kind, uuid, zaak, told, attempts FROM inbox WHERE source = ?"
        " AND (next_try <= ? OR next_try > ?) ORDER BY attempts, next_try, id LIMIT ?",
        (source, moment, moment + LONGEST_WAIT, most),
    )
    return [Hint(row[0], RAW_KINDS[row[1] - 1], *row[2:]) for row in rows]


def done(connection: Session, hint: Hint) -> None:
    """The object was looked into; a message that came since then keeps its hint."""
    connection.run("DELETE FROM inbox WHERE id = ? AND told = ?", (hint.id, hint.told))


def postpone(connection: Session, hint: Hint, next_try: int, cause: str) -> None:
    """A try failed; the next is at `next_try`."""
    connection.run(
        "UPDATE inbox SET attempts = attempts + 1, next_try = ?, cause = ? WHERE id = ?",
        (next_try, cause, hint.id),
    )


def hold_up(connection: Session, source: int, next_try: int) -> None:
    """The source as a whole doesn't answer: nothing of it is tried before `next_try`."""
    connection.run(
        "UPDATE inbox SET next_try = ? WHERE source = ? AND next_try < ?", (next_try, source, next_try)
    )


def forget(connection: Session, source: int) -> int:
    """Forget all hints of a source that isn't asked any more; out: how many."""
    return connection.run("DELETE FROM inbox WHERE source = ?", (source,))


def count(connection: Session, what: str) -> None:
    """Count a message that became no hint: `foreign` (no source has that address) or `dropped` (no room)."""
    connection.run(
        "INSERT INTO inbox_count (what, count) VALUES (?, 1)"
        " ON CONFLICT (what) DO UPDATE SET count = inbox_count.count + 1",
        (what,),
    )


def counts(connection: Session) -> dict[str, int]:
    """How many hints wait, how many of them failed at least once, and the counts since the store was made."""
    waiting, failing = connection.one("SELECT count(*), count(nullif(attempts, 0)) FROM inbox")
    found = dict(connection.all("SELECT what, count FROM inbox_count"))
    return {"waiting": waiting, "failing": failing} | {
        what: found.get(what, 0) for what in ("foreign", "dropped")
    }


def requeue(connection: Session, source: int, kind: str, uuid: bytes, moment: int) -> None:
    """Have a zaak or contactmoment read again with all that hangs on it, for what was held of that just went (M34).

    Who takes the change reads it at once; this outlives that it fails, or dies first.
    """
    if not put(connection, source, kind, uuid, uuid if kind == "zaak" else None, moment):
        following.ask_hurry(connection, source, moment, NO_ROOM)
    connection.many(
        "DELETE FROM fetched WHERE source = ? AND key = ?",
        [(source, f"{what} {UUID(bytes=uuid)}") for what in (kind, *(["rollen"] if kind == "zaak" else []))],
    )


def requeue_done(connection: Session, source: int, kind: str, uuid: bytes) -> None:
    """What was owed is read; a message that came beside it keeps its hint."""
    connection.run(
        "DELETE FROM inbox WHERE source = ? AND kind = ? AND uuid = ? AND told = 1 AND zaak IS NOT DISTINCT FROM ?",
        (source, RAW_KIND[kind], uuid, uuid if kind == "zaak" else None),
    )
