"""Who may look at the status page without a token: links that work once, and the sessions that they begin.

Of both the store has a digest only. What expired is forgotten when a next one is made.
"""

from __future__ import annotations

from gateway.base.clock import now
from gateway.store.base.session import Session
from gateway.store.file.database import Store


def give_link(store: Store, digest: bytes, expires: int) -> None:
    """Keep a link that works once, until `expires` (microseconds UTC)."""
    with store.write() as connection:
        connection.run("DELETE FROM pass WHERE expires <= ?", (now(),))
        _put(connection, digest, True, expires)


def use_link(store: Store, digest: bytes, session: bytes, expires: int) -> bool:
    """Exchange a link for a session. Out: was there such a link, and not used or expired?"""
    with store.write() as connection:
        used = connection.one(
            "DELETE FROM pass WHERE digest = ? AND link = 1 RETURNING expires > ?", (digest, now())
        )
        if used is None or not used[0]:
            return False
        _put(connection, session, False, expires)
        return True


def in_session(store: Store, digest: bytes) -> bool:
    """Is there a session of that digest?"""
    found = store.connection().one(
        "SELECT 1 FROM pass WHERE digest = ? AND link = 0 AND expires > ?", (digest, now())
    )
    return found is not None


def _put(connection: Session, digest: bytes, link: bool, expires: int) -> None:
    connection.run("INSERT INTO pass (digest, link, expires) VALUES (?, ?, ?)", (digest, link, expires))
