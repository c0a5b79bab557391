"""Who is on the way to log in: at the provider of logins, or with wrong passwords. Neither grows without end."""

from __future__ import annotations

from typing import NamedTuple

from gateway.base.clock import now
from gateway.store.base.session import Session
from gateway.store.base.store import Store

# More than people who log in within ten minutes: when a program begins so many, the eldest can't be finished.
MOST_ATTEMPTS = 1000


class Attempt(NamedTuple):
    """What is remembered of a browser that was sent to the provider: what must come back, and where it wanted to go."""

    nonce: str
    verifier: str
    leads_to: str


def remember(store: Store, state: bytes, browser: bytes, attempt: Attempt, expires: int) -> None:
    """Keep an attempt by the digests of its state and of what the browser has, until `expires`."""
    with store.write(synced=False) as connection:
        connection.run("DELETE FROM login_attempt WHERE expires <= ?", (now(),))
        connection.run(
            "DELETE FROM login_attempt WHERE state IN"
            " (SELECT state FROM login_attempt ORDER BY expires DESC, state LIMIT ? OFFSET ?)",
            (MOST_ATTEMPTS, MOST_ATTEMPTS - 1),
        )
        connection.run(
            "INSERT INTO login_attempt (state, browser, nonce, verifier, leads_to, expires) VALUES (?, ?, ?, ?, ?, ?)",
            (state, browser, *attempt, expires),
        )


def take(store: Store, state: bytes, browser: bytes) -> Attempt | None:
    """The attempt of that state and that browser, which is then used up; None when there is no such one."""
    with store.write(synced=False) as connection:
        row = connection.one(
            "DELETE FROM login_attempt WHERE state = ? AND browser = ?"
            " RETURNING nonce, verifier, leads_to, expires",
            (state, browser),
        )
    return None if row is None or row[3] <= now() else Attempt(*row[:3])


def failures(connection: Session, who: bytes, window: int) -> tuple[int, int]:
    """How many wrong passwords `who` gave in a window of so many microseconds, and when that ends."""
    row = connection.one("SELECT since, failures FROM login_failure WHERE who = ?", (who,))
    if row is None or row[0] + window <= now():
        return 0, 0
    return row[1], row[0] + window


def note_failure(connection: Session, who: bytes, window: int) -> None:
    """Count a wrong password. Counts whose window is over are forgotten."""
    moment = now()
    connection.run("DELETE FROM login_failure WHERE since <= ?", (moment - window,))
    connection.run(
        "INSERT INTO login_failure (who, since, failures) VALUES (?, ?, 1)"
        " ON CONFLICT (who) DO UPDATE SET failures = login_failure.failures + 1",
        (who, moment),
    )


def forget_failures(connection: Session, who: bytes) -> None:
    """The right password was given."""
    connection.run("DELETE FROM login_failure WHERE who = ?", (who,))
