"""What an operator may do on the pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

LOOK, STEER, PERSONS = "kijken", "bedienen", "personen inzien"
ROLES = (LOOK, STEER, PERSONS)


class LoggedIn(NamedTuple):
    """An operator who is logged in: the name that the log of events has, the roles, and how that one came in."""

    name: str
    roles: frozenset[str]
    via: str


def complete(roles: Iterable[str]) -> frozenset[str]:
    """Roles with what they imply: who may do something, may look."""
    found = frozenset(roles) & frozenset(ROLES)
    return found | {LOOK} if found else found
