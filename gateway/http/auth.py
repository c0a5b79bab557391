"""Tokens: who asks, and what that one may do.

A token is a random secret that is shown once; the store has its SHA-256 digest. (A slow hash adds nothing to
256 random bits, and every request would pay for it.)
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection
from typing import Any

from gateway.base import clock, correlation
from gateway.http import problems, scopes
from gateway.http.rate_limit import Rates
from gateway.http.wrong_tokens import WrongTokens
from gateway.store.base.store import Store
from gateway.store.operation import tokens
from gateway.store.operation.tokens import StoredToken

Environ = dict[str, Any]
KEYWORD = "token"
REMEMBERED_SECONDS = 5.0


class TokenError(Exception):
    """The token can't be made; the text says why."""


def create_token(
    store: Store, name: str, scope: str, expires: int | None = None, resources: Collection[str] = ()
) -> str:
    """Make a token, in use until `expires` (microseconds UTC).

    In: one scope or several with spaces between them; the resources that scopes may name. Out: its secret, kept
    nowhere. Raises TokenError.
    """
    try:
        opened = scopes.as_text(scope, resources)
    except scopes.ScopeError as error:
        raise TokenError(str(error)) from None
    if not name.strip():
        raise TokenError("een token heeft een naam nodig, die zegt wie het gebruikt")
    secret = _new_secret()
    try:
        tokens.insert(store, name.strip(), digest(secret), opened, expires)
    except tokens.NameTaken:
        again = f"kies een andere naam, of vervang het met klantbrug token rotate {name.strip()}"
        raise TokenError(f"er is al een token met de naam {name.strip()!r}; {again}") from None
    return secret


def rotate_token(store: Store, name: str, overlap: int = 0, expires: int | None = None) -> str:
    """Make a new token in the place of another, which is taken for `overlap` more seconds.

    Out: the secret of the new one. Raises TokenError.
    """
    secret = _new_secret()
    try:
        tokens.replace(store, name.strip(), digest(secret), overlap * 1_000_000, expires)
    except tokens.Unknown:
        raise TokenError(f"er is geen token in gebruik met de naam {name.strip()!r}") from None
    return secret


def _new_secret() -> str:
    return f"kb_{secrets.token_urlsafe(32)}"


def digest(secret: str) -> bytes:
    """The digest under which the store has a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def secret_of(header: str | None) -> str:
    """The secret in an Authorization header. Raises a 401 Problem, worded as the real server does."""
    parts = (header or "").split()
    if not parts or parts[0].lower() != KEYWORD:
        raise problems.not_authenticated(parts[0] if parts else "")
    if len(parts) == 1:
        raise problems.authentication_failed("Ongeldige token header. Geen logingegevens opgegeven")
    if len(parts) > 2:
        raise problems.authentication_failed("Ongeldige token header. Token-tekst mag geen spaties bevatten.")
    return parts[1]


def identify(store: Store, header: str | None) -> StoredToken:
    """The token that an Authorization header names, its use noted. Raises a 401 Problem."""
    found = tokens.find(store, digest(secret_of(header)))
    if found is None:
        raise problems.authentication_failed("Ongeldige token.")
    tokens.touch(store, found)
    return found


def must_open(token: StoredToken, scope: str, resource: str = "") -> None:
    """Raises a 403 Problem when a token doesn't open `scope`, with `resource` on that one only."""
    if not scopes.opens(token.scope, scope, resource):
        needed = f"{scope}:{resource}" if resource and ":" in token.scope else scope
        raise problems.permission_denied(needed, token.scope)


class Gatekeeper:
    """Identifies requests, and remembers known digests for a few seconds.

    So a busy client costs one question to the store every few seconds, and a revoked token stops working
    within as many. Unknown tokens are not remembered: nobody can fill the memory with guesses.
    """

    def __init__(
        self,
        store: Store,
        remembered_seconds: float = REMEMBERED_SECONDS,
        rates: Rates | None = None,
        guesses: WrongTokens | None = None,
        client_of: Callable[[Environ], str] = lambda environ: str(environ.get("REMOTE_ADDR", "")),
    ) -> None:
        """In: `rates` counts the requests of tokens, `guesses` the wrong ones over several processes.

        Without `guesses` wrong tokens are counted here.

        `client_of` gives the address of who asks, of the environ of a request.
        """
        self._store = store
        self._rates = rates or Rates(0)
        self._seconds = remembered_seconds
        self._guesses = guesses or WrongTokens()
        self._client_of = client_of
        self._known: dict[bytes, tuple[StoredToken, float]] = {}

    def admit(
        self, header: str | None, scope: str, environ: Environ | None = None, resource: str = ""
    ) -> StoredToken:
        """The token of a request that needs `scope`, with `resource` on that one only.

        A right token is found before anything is counted, so wrong ones never hold it up. Raises a 401, 403 or 429
        Problem.
        """
        key = digest(secret_of(header))
        moment = clock.monotonic()
        held = self._known.get(key)
        if held is None or held[1] < moment:
            self._known.pop(key, None)
            try:
                held = (identify(self._store, header), moment + self._seconds)
            except problems.Problem:
                if wait := self._guesses.note(self._client_of(environ or {})):
                    raise problems.too_many_requests(wait) from None
                raise
            self._known[key] = held
        if operation := correlation.current():
            operation.who = held[0].name
        self._rates.take(held[0], moment)
        must_open(held[0], scope, resource)
        return held[0]
