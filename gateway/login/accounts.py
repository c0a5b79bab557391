"""Local accounts: making and changing them, which the log of events tells, and letting in who has the password."""

from __future__ import annotations

from collections.abc import Collection

from gateway.login import passwords
from gateway.login.roles import ROLES, complete
from gateway.login.throttle import Throttle
from gateway.store.base.store import Store
from gateway.store.login import operators, sessions
from gateway.store.login.operators import OperatorRow
from gateway.store.login.sessions import Entrant
from gateway.store.operation import events

LONGEST_NAME = 100
BY_PASSWORD = "wachtwoord"  # noqa: S105 (a word)


class AccountError(Exception):
    """It can't be done; the text says why, in Dutch."""


class TooOften(Exception):
    """Too many wrong passwords were given; `seconds` until the next may be."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def create(store: Store, name: str, password: str | None, roles: Collection[str], who: str) -> None:
    """Make an account; without a password it gets in by a link only. Raises AccountError."""
    name = judged_name(name)
    try:
        operators.insert(store, name, _hashed(password), judged_roles(roles))
    except operators.OperatorThere:
        raise AccountError(f"er is al een beheerder {name}") from None
    with store.write() as connection:
        events.note(connection, None, f"beheerder {name} gemaakt: {', '.join(sorted(roles))}", who)


def change_password(store: Store, name: str, password: str, who: str) -> int:
    """Give an account another password, and log it out everywhere. Out: how many sessions ended.

    Raises AccountError.
    """
    kept = _hashed(password)
    with store.write() as connection:
        operators.set_password(connection, _found(operators.find(connection, name), name).id, str(kept))
        events.note(connection, None, f"wachtwoord van beheerder {name} vervangen", who)
        return sessions.end_all(connection, name)


def change_roles(store: Store, name: str, roles: Collection[str], who: str) -> None:
    """Give an account other roles, at once. Raises AccountError."""
    wanted = judged_roles(roles)
    with store.write() as connection:
        operators.set_roles(connection, _found(operators.find(connection, name), name).id, wanted)
        events.note(connection, None, f"beheerder {name} mag nu: {', '.join(sorted(wanted))}", who)


def disable(store: Store, name: str, who: str, *, again: bool = False) -> int:
    """Let an account in no more, and log it out everywhere; or `again`. Out: how many sessions ended.

    Raises AccountError.
    """
    with store.write() as connection:
        operators.disable(connection, _found(operators.find(connection, name), name).id, not again)
        events.note(connection, None, f"beheerder {name} {'weer toegelaten' if again else 'geweigerd'}", who)
        return 0 if again else sessions.end_all(connection, name)


def log_out(store: Store, name: str, who: str) -> int:
    """End all sessions of a name, of a local account or of the provider. Out: how many there were."""
    with store.write() as connection:
        ended = sessions.end_all(connection, name)
        if ended:
            events.note(connection, None, f"beheerder {name} overal uitgelogd", who)
    return ended


def let_in(store: Store, throttle: Throttle, name: str, password: str, address: str) -> Entrant | None:
    """Who has this name and password; None for a wrong one, whatever is wrong. Raises TooOften.

    A name that there is not, or not any more, takes as long as one that there is.
    """
    if wait := throttle.take(name, address):
        raise TooOften(wait)
    with store.read() as connection:
        account = operators.find(connection, name)
    usable = account is not None and account.disabled is None
    right = passwords.is_right(account.password if account is not None and usable else None, password)
    if account is None or not right:
        return None
    throttle.right(name)
    if account.password and passwords.is_outdated(account.password):
        kept = passwords.hashed(password)
        with store.write() as connection:
            operators.set_password(connection, account.id, kept)
    return Entrant(account.name, account.roles, BY_PASSWORD, account.id)


def judged_name(name: str) -> str:
    """A name as it is kept. Raises AccountError."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise AccountError("een beheerder heeft een naam van 1 tot 100 tekens nodig, die zegt wie het is")
    return name


def judged_roles(roles: Collection[str]) -> frozenset[str]:
    """Roles with what they imply. Raises AccountError."""
    wrong = sorted(set(roles) - set(ROLES))
    if wrong or not roles:
        raise AccountError(f"kies een of meer rollen uit {', '.join(ROLES)}")
    return complete(roles)


def _hashed(password: str | None) -> str | None:
    try:
        return None if password is None else passwords.hashed(password)
    except passwords.WeakPassword as error:
        raise AccountError(str(error)) from None


def _found(account: OperatorRow | None, name: str) -> OperatorRow:
    if account is None:
        raise AccountError(f"er is geen beheerder {name}")
    return account
