"""What the store need not remember any longer. Each call is a short piece of work, inside `Store.write()`."""

from __future__ import annotations

from gateway.store.base.session import Session
from gateway.store.legacy.claims import asked_by_key
from gateway.store.operation.events import SWITCHED
from gateway.store.operation.runs import ENDED


def forget_fetched(connection: Session, before: int, most: int) -> int:
    """Forget up to `most` questions that were asked before a moment; out: how many."""
    return connection.run(
        "DELETE FROM fetched WHERE (source, key) IN (SELECT source, key FROM fetched WHERE at < ? LIMIT ?)",
        (before, most),
    )


def forget_turns(connection: Session, before: int, most: int) -> int:
    """Forget up to `most` turns to ask about a key that expired before a moment: who asked was killed; out: how many.

    Their names hold the key. Leases of jobs stay: their numbers must go on.
    """
    return connection.run(
        "DELETE FROM lease WHERE name IN"
        " (SELECT name FROM lease WHERE replace(name, ?, '') <> name AND expires < ? LIMIT ?)",
        (f" {asked_by_key('')}", before, most),
    )


def forget_given_up(connection: Session, before: int, most: int) -> int:
    """Forget up to `most` notifications that were given up before a moment; out: how many."""
    return connection.run(
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE failed < ? LIMIT ?)", (before, most)
    )


def forget_runs(connection: Session, before: int, most: int) -> int:
    """Forget up to `most` runs that finished before a moment, but of each job and source never the last."""
    return connection.run(
        "DELETE FROM run WHERE id IN (SELECT r.id FROM run r WHERE r.status IN (?, ?) AND r.finished < ?"
        " AND EXISTS (SELECT 1 FROM run l WHERE l.job = r.job AND l.source IS NOT DISTINCT FROM r.source"
        " AND l.id > r.id) LIMIT ?)",
        (*ENDED, before, most),
    )


def forget_events(connection: Session, before: int, most: int) -> int:
    """Forget up to `most` events of before a moment; out: how many.

    Of what was done to a source, and of each switch of phase, the last stays: how things came to be as they are.
    """
    return connection.run(
        "DELETE FROM event WHERE id IN (SELECT e.id FROM event e WHERE e.moment < ?"
        " AND (e.source IS NULL AND e.what NOT LIKE ? OR EXISTS (SELECT 1 FROM event l WHERE l.what = e.what"
        " AND l.source IS NOT DISTINCT FROM e.source AND l.id > e.id)) LIMIT ?)",
        (before, f"{SWITCHED}%", most),
    )
