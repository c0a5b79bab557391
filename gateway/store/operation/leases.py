"""Leases: one holder at a time, over all threads, processes and machines of a store.

They last by the clock of the store (`this_moment()`). Of a holder on this machine its number tells whether it lives, of
one elsewhere what it says itself (`Store.shows_life`); in a store in a file nobody says so, and only the time counts.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.base import clock
from gateway.base.process_identity import Process, this_process
from gateway.store.base.errors import StoreLocked
from gateway.store.base.session import Session
from gateway.store.base.store import Store

POLL_SECONDS = 0.02
# Its holder runs the jobs (jobs.scheduler). Where several may, each has one of its own, of which the name begins so.
SCHEDULER = "scheduler"
SECOND = 1_000_000
# The leases of this process whose holder was done but could not write that: they are free. Name, then holder.
_left: dict[str, str] = {}


def holder_name() -> str:
    """A name for this thread of this process, that no other one ever has."""
    return f"{os.getpid()}-{threading.get_ident()} {this_process()}"


def acquire(store: Store, name: str, seconds: float) -> bool:
    """Take the lease when it is free, ours, expired, or held by a process that is no more.

    The fencing number goes up when a lease is taken over from a holder that did not give it back.
    """
    holder = holder_name()
    store.shows_life()
    with store.write(synced=False) as connection:
        row = connection.one("SELECT holder, expires > this_moment() FROM lease WHERE name = ?", (name,))
        left = row is not None and _left.get(name) == row[0]
        if row and row[0] != holder and row[1] and not left and _lives(connection, row[0]) is not False:
            return False
        connection.run(
            "INSERT INTO lease (name, holder, expires, fence) VALUES (?1, ?2, this_moment() + ?3, 1)"
            " ON CONFLICT (name) DO UPDATE SET holder = ?2, expires = excluded.expires, fence = lease.fence + 1",
            (name, holder, int(seconds * SECOND)),
        )
    _left.pop(name, None)
    return True


def _lives(connection: Session, holder: str) -> bool | None:
    """Does the process of a holder live? None when we can't see it, as from one container to another.

    Then the lease is its own until it expires. An earlier version wrote only numbers of process and thread.
    """
    name = holder.partition(" ")[2]
    process = Process.read(name)
    if process is None:
        return None
    one_machine = connection.dialect.is_a_file
    lives = process.lives(one_machine=one_machine)
    if lives is not None or one_machine:
        return lives
    row = connection.one("SELECT alive > this_moment() FROM process WHERE name = ?", (name,))
    return bool(row[0]) if row else None


def alive(pid: int) -> bool:
    """Is there a process with this number?"""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def forget_all(connection: Session) -> None:
    """Let nobody hold anything: for a copy of a store."""
    connection.run("DELETE FROM lease")


def take_away(connection: Session, name: str) -> None:
    """Let a lease be nobody's, whoever has it."""
    connection.run("DELETE FROM lease WHERE name = ?", (name,))


def expire_all(connection: Session) -> None:
    """Let nobody hold anything, while the numbers of leases go on."""
    connection.run("UPDATE lease SET expires = 0")


def renew(connection: Session, name: str, seconds: float) -> None:
    """Make a lease of ours last longer, in the transaction of the work that it guards."""
    connection.run(
        "UPDATE lease SET expires = this_moment() + ? WHERE name = ? AND holder = ?",
        (int(seconds * SECOND), name, holder_name()),
    )


def release(store: Store, name: str) -> None:
    """Give the lease back, when it is still ours."""
    with store.write(synced=False) as connection:
        connection.run("DELETE FROM lease WHERE name = ? AND holder = ?", (name, holder_name()))


@contextlib.contextmanager
def held(
    store: Store, name: str, seconds: float, give_up: float, enough: Callable[[], bool]
) -> Iterator[bool]:
    """Hold a lease for the block; gives False, without holding it, when `enough()` became true while waiting.

    Raises TimeoutError when the lease was not free before `give_up` (clock.monotonic).
    """
    while not acquire(store, name, seconds):
        if enough():
            yield False
            return
        if clock.monotonic() > give_up:
            raise TimeoutError(name)
        clock.sleep(POLL_SECONDS)
    try:
        yield True
    finally:
        try:
            release(store, name)
        except StoreLocked:  # or the database is away
            _left[name] = holder_name()


class Lost(Exception):
    """The lease is another's by now: what was done under it must not be written."""


@dataclass(frozen=True, slots=True)
class Grip:
    """A lease that was taken; any thread may show it, until another holder takes it over."""

    name: str
    holder: str
    fence: int
    seconds: float


def take(store: Store, name: str, seconds: float) -> Grip | None:
    """Take the lease as `acquire` does; None when another holds it."""
    with store.write(synced=False) as connection:
        if not acquire(store, name, seconds):
            return None
        (fence,) = connection.one("SELECT fence FROM lease WHERE name = ?", (name,))
    return Grip(name, holder_name(), fence, seconds)


def keep(connection: Session, grip: Grip) -> None:
    """Make sure that the lease is still held as taken, and make it last as long again; inside `Store.write()`.

    Raises Lost when it isn't. What is written in the same transaction was written by the one holder.
    """
    kept = connection.run(
        "UPDATE lease SET expires = this_moment() + ? WHERE name = ? AND holder = ? AND fence = ?",
        (int(grip.seconds * SECOND), grip.name, grip.holder, grip.fence),
    )
    if not kept:
        raise Lost(grip.name)


def let_go(store: Store, grip: Grip) -> None:
    """Give the lease back, when it is still held as taken; what was done under it is on the disk then."""
    with store.write(synced=True) as connection:
        connection.run(
            "DELETE FROM lease WHERE name = ? AND holder = ? AND fence = ?",
            (grip.name, grip.holder, grip.fence),
        )


def holder_of(connection: Session, name: str) -> int | None:
    """The process that holds a lease now, None when nobody does."""
    row = connection.one("SELECT holder, expires > this_moment() FROM lease WHERE name = ?", (name,))
    if row is None or not row[1] or _lives(connection, row[0]) is False:
        return None
    return int(row[0].split("-", 1)[0])


def jobs_run(connection: Session) -> bool:
    """Is there a process that runs the jobs?"""
    rows = connection.all("SELECT name FROM lease WHERE expires > this_moment()")
    return any(name.startswith(SCHEDULER) and holder_of(connection, name) is not None for (name,) in rows)


FREE, HELD, STUCK = "vrij", "bezig", "hangt"


def grip_of(connection: Session, name: str) -> str:
    """Is a lease free, held, or held by a process that lives and has given no sign for as long as the lease lasts?"""
    row = connection.one("SELECT holder, expires > this_moment() FROM lease WHERE name = ?", (name,))
    lives = _lives(connection, row[0]) if row else False
    if row is None or lives is False:
        return FREE
    if row[1]:
        return HELD
    return STUCK if lives else FREE


def stuck(connection: Session, start: str) -> list[str]:
    """The leases whose name begins with `start` and whose holder lives and gives no sign."""
    rows = connection.all("SELECT name, holder FROM lease WHERE expires <= this_moment() ORDER BY name")
    return [name for name, holder in rows if name.startswith(start) and _lives(connection, holder)]
