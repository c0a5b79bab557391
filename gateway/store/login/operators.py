"""The local accounts of operators: a name, roles and what argon2 made of a password, never the password."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from gateway.base.clock import now
from gateway.store.base.errors import UniqueViolated
from gateway.store.base.session import Row, Session
from gateway.store.base.store import Store


class OperatorRow(NamedTuple):
    """A local account; moments are microseconds UTC, None for never. Without a password it gets in by a link only."""

    id: int
    name: str
    password: str | None
    roles: frozenset[str]
    created: int
    last_login: int | None
    disabled: int | None


class OperatorThere(Exception):
    """There is an account of this name."""


def insert(store: Store, name: str, password: str | None, roles: Collection[str]) -> None:
    """Make an account. Raises OperatorThere."""
    try:
        with store.write() as connection:
            connection.run(
                "INSERT INTO operator (name, password, roles, created) VALUES (?, ?, ?, ?)",
                (name, password, as_text(roles), now()),
            )
    except UniqueViolated:
        raise OperatorThere(name) from None


def find(connection: Session, name: str) -> OperatorRow | None:
    """The account of a name, also one that is disabled."""
    row = connection.one(f"{_ALL} WHERE name = ?", (name,))
    return None if row is None else _made(row)


def listing(connection: Session) -> list[OperatorRow]:
    """All accounts, by name."""
    return [_made(row) for row in connection.all(f"{_ALL} ORDER BY name")]


def set_password(connection: Session, operator: int, password: str) -> None:
    """Give an account another password."""
    connection.run("UPDATE operator SET password = ? WHERE id = ?", (password, operator))


def set_roles(connection: Session, operator: int, roles: Collection[str]) -> None:
    """Give an account other roles; sessions that it has follow at once."""
    connection.run("UPDATE operator SET roles = ? WHERE id = ?", (as_text(roles), operator))


def disable(connection: Session, operator: int, disabled: bool) -> None:
    """Let an account in no more, or again."""
    connection.run("UPDATE operator SET disabled = ? WHERE id = ?", (now() if disabled else None, operator))


def note_login(connection: Session, operator: int) -> None:
    """Note that somebody logged in with an account."""
    connection.run("UPDATE operator SET last_login = ? WHERE id = ?", (now(), operator))


def as_text(roles: Collection[str]) -> str:
    """Roles as the store writes them."""
    return ",".join(sorted(roles))


def roles_in(text: str) -> frozenset[str]:
    """Roles as the store wrote them."""
    return frozenset(filter(None, text.split(",")))


_ALL = "SELECT id, name, password, roles, created, last_login, disabled FROM operator"


def _made(row: Row) -> OperatorRow:
    found = OperatorRow._make(row)
    return found._replace(roles=roles_in(row[3]))
