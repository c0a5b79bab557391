"""Tokens as the store keeps them: a name, a scope and the digest of the secret, never the secret."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from gateway.store.database import BUSY_SECONDS, Store, now
from gateway.store.trouble import is_passing

BETWEEN_TOUCHES = 60_000_000  # microseconds; last use is told to the minute


class StoredToken(NamedTuple):
    """A token that is not revoked."""

    id: int
    name: str
    scope: str
    last_used: int | None


class NameTaken(Exception):
    """There is a token of this name already."""


def insert(store: Store, name: str, digest: bytes, scope: str) -> None:
    """Keep a new token. Raises NameTaken."""
    try:
        with store.write() as connection:
            connection.execute(
                "INSERT INTO token (name, digest, scope, created) VALUES (?, ?, ?, ?)",
                (name, digest, scope, now()),
            )
    except sqlite3.IntegrityError:
        raise NameTaken(name) from None


def find(store: Store, digest: bytes) -> StoredToken | None:
    """The token with this digest, unless it is unknown or revoked."""
    question = "SELECT id, name, scope, last_used FROM token WHERE digest = ? AND revoked IS NULL"
    row = store.connection().execute(question, (digest,)).fetchone()
    return None if row is None else StoredToken._make(row)


def touch(store: Store, token: StoredToken) -> None:
    """Note that a token was used, at most once a minute, and not at all while the store can't be written."""
    moment = now()
    if token.last_used is not None and moment - token.last_used < BETWEEN_TOUCHES:
        return
    connection = store.connection()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("UPDATE token SET last_used = ? WHERE id = ?", (moment, token.id))
    except sqlite3.OperationalError as error:
        if not is_passing(error):  # who may read, may read while the disk is full
            raise
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")


class TokenRow(NamedTuple):
    """A token as `klantbrug token list` shows it; moments are microseconds UTC, None for never."""

    name: str
    scope: str
    created: int
    last_used: int | None
    revoked: int | None


def listing(store: Store) -> list[TokenRow]:
    """All tokens by name, revoked ones too."""
    rows = store.connection().execute(
        "SELECT name, scope, created, last_used, revoked FROM token ORDER BY name"
    )
    return [TokenRow._make(row) for row in rows]


def revoke(store: Store, name: str) -> bool:
    """Take a token out of use. Out: was there one of this name in use?"""
    with store.write() as connection:
        done = connection.execute(
            "UPDATE token SET revoked = ? WHERE name = ? AND revoked IS NULL", (now(), name)
        )
    return done.rowcount > 0
