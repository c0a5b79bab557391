"""Who is logged in, and links that let somebody in once. Of both the store has a digest only.

So all processes, and all gateways on one store, know them. What expired is forgotten when a next one is made.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.base.clock import now
from gateway.store.base.errors import PASSING
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.login.operators import as_text, roles_in

BETWEEN_TOUCHES = 60_000_000  # microseconds; when a session was last used is kept to the minute


class Entrant(NamedTuple):
    """Who is let in: under which name, with which roles, how, and the local account when there is one."""

    name: str
    roles: frozenset[str]
    via: str
    operator: int | None = None


class SessionRow(NamedTuple):
    """A session of somebody who is logged in; `seen` in microseconds UTC."""

    entrant: Entrant
    seen: int


def give_link(store: Store, digest: bytes, entrant: Entrant, expires: int) -> None:
    """Keep a link that works once, until `expires` (microseconds UTC)."""
    with store.write() as connection:
        _put(connection, digest, True, entrant, expires)


def use_link(connection: Session, digest: bytes) -> Entrant | None:
    """Use a link up. Out: whom it lets in; None when there is no such link, or not any more."""
    row = connection.one(
        "DELETE FROM pass WHERE digest = ? AND link = 1 RETURNING name, roles, via, operator, expires",
        (digest,),
    )
    if row is None or row[4] <= now():
        return None
    name, roles, via, operator, _ = row
    if operator is not None:
        account = connection.one("SELECT roles, disabled FROM operator WHERE id = ?", (operator,))
        if account is None or account[1] is not None:
            return None
        roles = account[0]
    return Entrant(name, roles_in(roles), via, operator)


def begin(connection: Session, digest: bytes, entrant: Entrant, expires: int) -> None:
    """Keep a session, until `expires` (microseconds UTC) at the latest."""
    _put(connection, digest, False, entrant, expires)


def find(store: Store, digest: bytes, idle: int) -> SessionRow | None:
    """The session of that digest, when it has not ended and was used in the last `idle` microseconds.

    One of a local account has the roles that the account has now, and is none when that is disabled.
    """
    moment = now()
    row = store.connection().one(
        "SELECT p.name, p.roles, p.via, p.operator, p.seen, o.roles, o.disabled FROM pass p"
        " LEFT JOIN operator o ON o.id = p.operator"
        " WHERE p.digest = ? AND p.link = 0 AND p.expires > ? AND p.seen > ?",
        (digest, moment, moment - idle),
    )
    if row is None:
        return None
    name, roles, via, operator, seen, roles_now, disabled = row
    if operator is not None:
        if disabled is not None or roles_now is None:
            return None
        roles = roles_now
    return SessionRow(Entrant(name, roles_in(roles), via, operator), seen)


def touch(store: Store, digest: bytes, seen: int) -> None:
    """Note that a session is used, at most once a minute, and not at all while the store can't be written."""
    moment = now()
    if moment - seen < BETWEEN_TOUCHES:
        return
    try:
        with store.write(synced=False, wait=0) as connection:
            connection.run("UPDATE pass SET seen = ? WHERE digest = ? AND link = 0", (moment, digest))
    except PASSING:  # who is in may look while the disk is full
        return


def end(connection: Session, digest: bytes) -> bool:
    """End a session. Out: was there one?"""
    return connection.run("DELETE FROM pass WHERE digest = ? AND link = 0", (digest,)) > 0


def end_all(connection: Session, name: str) -> int:
    """End all sessions of a name, and links for it. Out: how many sessions of it there were."""
    connection.run("DELETE FROM pass WHERE name = ? AND link = 1", (name,))
    return connection.run("DELETE FROM pass WHERE name = ? AND link = 0", (name,))


def count_by_name(connection: Session, idle: int) -> dict[str, int]:
    """How many sessions each name has."""
    moment = now()
    return dict(
        connection.all(
            "SELECT name, count(*) FROM pass WHERE link = 0 AND expires > ? AND seen > ? GROUP BY name ORDER BY name",
            (moment, moment - idle),
        )
    )


def _put(connection: Session, digest: bytes, link: bool, entrant: Entrant, expires: int) -> None:
    moment = now()
    connection.run("DELETE FROM pass WHERE expires <= ?", (moment,))
    connection.run(
        "INSERT INTO pass (digest, link, expires, name, roles, via, operator, seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            digest,
            int(link),
            expires,
            entrant.name,
            as_text(entrant.roles),
            entrant.via,
            entrant.operator,
            moment,
        ),
    )
