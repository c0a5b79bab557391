"""Links that let an operator in once: for who may work on the machine of Klantbrug, and for the demo."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from gateway.base.clock import now
from gateway.http.auth import digest
from gateway.login.accounts import AccountError, judged_name, judged_roles
from gateway.login.cookies import new_secret
from gateway.login.paths import LINKS
from gateway.store.base.store import Store
from gateway.store.login import operators, sessions
from gateway.store.login.sessions import Entrant
from gateway.store.operation import events

if TYPE_CHECKING:
    from gateway.config.model import Gateway

LINK_SECONDS = 15 * 60
BY_LINK = "link"


def new_link(store: Store, gateway: Gateway, name: str, roles: Collection[str], who: str) -> str:
    """A link that lets somebody in once, within a quarter of an hour. Raises AccountError.

    In: the name that the log of events will have; the roles, which are those of the account when there is one of that
    name; who makes the link.
    """
    name = judged_name(name)
    with store.read() as connection:
        account = operators.find(connection, name)
    if account is not None and account.disabled is not None:
        raise AccountError(f"beheerder {name} wordt niet toegelaten")
    entrant = (
        Entrant(name, judged_roles(roles), BY_LINK)
        if account is None
        else Entrant(name, account.roles, BY_LINK, account.id)
    )
    secret = new_secret()
    sessions.give_link(store, digest(secret), entrant, now() + LINK_SECONDS * 1_000_000)
    with store.write() as connection:
        events.note(connection, None, f"link om in te loggen gemaakt voor {name}", who)
    return f"{gateway.public_url or _nearby(gateway.bind)}{LINKS}{secret}"


def _nearby(bind: str) -> str:
    """The address by which this machine reaches what listens there."""
    host, _, port = bind.rpartition(":")
    here = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "::": "[::1]"}  # noqa: S104 (looked up, not listened to)
    return f"http://{here.get(host, host)}:{port}"
