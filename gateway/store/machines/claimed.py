"""Which turns of jobs were taken, where any number of processes runs the jobs. Writes go inside `Store.write()`.

A turn is to run at a moment, which all processes reckon the same by the clock of the store. Who takes the lease of the
turn claims that moment with it. Nobody claims it again, unless who claimed it died: then its lease is free while the
turn is not done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gateway.store.base.session import Session

# Gives the moment at which a turn was last to run. In: the moment of now. Both microseconds UTC.
Due = Callable[[int], int]
# A claim that lies further ahead was made while the clock of the store was wrong.
MOST_AHEAD = 600 * 1_000_000


class TurnClaim(NamedTuple):
    """The last moment of a turn that was claimed, and whether it is done with."""

    due: int
    done: bool


def moment_of_store(connection: Session) -> int:
    """What time it is for all machines, microseconds UTC."""
    found: int = connection.one("SELECT this_moment()")[0]
    return found


def last_of(connection: Session, turn: str) -> TurnClaim | None:
    """The last claim of a turn, None when there was none."""
    row = connection.one("SELECT due, done FROM claimed WHERE name = ?", (turn,))
    return TurnClaim(row[0], bool(row[1])) if row else None


def claim(connection: Session, turn: str, due: Due, *, done: bool) -> int | None:
    """TurnClaim the last moment of a turn whose lease is ours. Out: that moment; None when there is none to claim.

    In: is it done with at once, so that nobody takes it over when we die?
    """
    moment = moment_of_store(connection)
    wanted = due(moment)
    if _is_over(last_of(connection, turn), wanted, moment):
        return None
    _write(connection, turn, wanted, done=done)
    return wanted


def is_left(connection: Session, turn: str, due: Due, after: int) -> bool:
    """Is the last moment of a turn that is at least so many microseconds ago not done with?"""
    moment = moment_of_store(connection)
    return not _is_over(last_of(connection, turn), due(moment - after), moment)


def finish(connection: Session, turn: str, due: int) -> None:
    """The turn of that moment ended, or had nothing to do."""
    last = last_of(connection, turn)
    if last is None or last.due <= due:
        _write(connection, turn, due, done=True)


def _is_over(last: TurnClaim | None, wanted: int, moment: int) -> bool:
    if last is None or last.due > moment + MOST_AHEAD:
        return False
    return last.due > wanted or (last.due == wanted and last.done)


def _write(connection: Session, turn: str, due: int, *, done: bool) -> None:
    connection.run(
        "INSERT INTO claimed (name, due, done) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE"
        " SET due = excluded.due, done = excluded.done",
        (turn, due, int(done)),
    )
