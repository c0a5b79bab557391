"""Tokens as the store keeps them: a name, a scope and the digest of the secret, never the secret."""

from __future__ import annotations

from typing import NamedTuple

from gateway.base.clock import now
from gateway.store.base.errors import PASSING, UniqueViolated
from gateway.store.base.session import Session
from gateway.store.base.store import Store

BETWEEN_TOUCHES = 60_000_000  # microseconds; last use is kept to the minute


class StoredToken(NamedTuple):
    """A token that is in use."""

    id: int
    name: str
    scope: str
    last_used: int | None


class NameTaken(Exception):
    """There is a token of this name in use."""


class Unknown(Exception):
    """There is no token of this name in use."""


def insert(store: Store, name: str, digest: bytes, scope: str, expires: int | None = None) -> None:
    """Keep a new token, in use until `expires` (microseconds UTC; None is for ever). Raises NameTaken."""
    try:
        with store.write() as connection:
            _insert(connection, name, digest, scope, expires)
    except UniqueViolated:
        raise NameTaken(name) from None


def replace(store: Store, name: str, digest: bytes, overlap: int, expires: int | None = None) -> str:
    """Put a new token in the place of the one of this name, which is taken for `overlap` more microseconds.

    Out: its scope. Raises Unknown.
    """
    with store.write() as connection:
        moment = now()
        row = connection.one(
            "UPDATE token SET revoked = ? WHERE name = ? AND revoked IS NULL AND (expires IS NULL OR expires > ?)"
            " RETURNING scope",
            (moment + overlap, name, moment),
        )
        if row is None:
            raise Unknown(name)
        _insert(connection, name, digest, row[0], expires)
    return str(row[0])


def _insert(connection: Session, name: str, digest: bytes, scope: str, expires: int | None) -> None:
    moment = now()
    # The name of one that expired is free again.
    connection.run(
        "UPDATE token SET revoked = expires WHERE name = ? AND revoked IS NULL AND expires <= ?",
        (name, moment),
    )
    connection.run(
        "INSERT INTO token (name, digest, scope, created, expires) VALUES (?, ?, ?, ?, ?)",
        (name, digest, scope, moment, expires),
    )


def find(store: Store, digest: bytes) -> StoredToken | None:
    """The token with this digest, unless it is unknown, revoked or expired."""
    row = store.connection().one(
        "SELECT id, name, scope, last_used FROM token WHERE digest = ?1"
        " AND (revoked IS NULL OR revoked > ?2) AND (expires IS NULL OR expires > ?2)",
        (digest, now()),
    )
    return None if row is None else StoredToken._make(row)


def touch(store: Store, token: StoredToken) -> None:
    """Note that a token was used, at most once a minute, and not at all while the store can't be written."""
    moment = now()
    if token.last_used is not None and moment - token.last_used < BETWEEN_TOUCHES:
        return
    try:
        with store.write(synced=False, wait=0) as connection:
            connection.run("UPDATE token SET last_used = ? WHERE id = ?", (moment, token.id))
    except PASSING:  # who may read, may read while the disk is full
        return


class TokenRow(NamedTuple):
    """A token as `klantbrug token list` shows it; moments are microseconds UTC, None for never."""

    name: str
    scope: str
    created: int
    last_used: int | None
    expires: int | None
    revoked: int | None


def listing(store: Store) -> list[TokenRow]:
    """All tokens by name and age, revoked ones too."""
    rows = store.connection().all(
        "SELECT name, scope, created, last_used, expires, revoked FROM token ORDER BY name, id"
    )
    return [TokenRow._make(row) for row in rows]


def revoke(store: Store, name: str) -> bool:
    """Take a token out of use, also one that was replaced and is still taken. Out: was there one of this name?"""
    with store.write() as connection:
        moment = now()
        done = connection.run(
            "UPDATE token SET revoked = ?1 WHERE name = ?2 AND (revoked IS NULL OR revoked > ?1)",
            (moment, name),
        )
    return done > 0
