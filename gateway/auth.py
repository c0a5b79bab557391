"""Tokens: who asks, and what that one may do.

A token is a random secret that is shown once; the store has its SHA-256 digest. (A slow hash adds nothing to
256 random bits, and every request would pay for it.)
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Any

from gateway import problems
from gateway.guesses import Guesses
from gateway.store import tokens
from gateway.store.database import Store
from gateway.store.tokens import StoredToken

Environ = dict[str, Any]
READ, WRITE, OPERATE = "read", "write", "operate"
# Each scope with those that it implies.
SCOPES: dict[str, frozenset[str]] = {
    READ: frozenset({READ}),
    WRITE: frozenset({READ, WRITE}),
    OPERATE: frozenset({READ, WRITE, OPERATE}),
}
KEYWORD = "token"
REMEMBERED_SECONDS = 5.0


class TokenError(Exception):
    """The token can't be made; the text says why."""


def create_token(store: Store, name: str, scope: str, expires: int | None = None) -> str:
    """Make a token, in use until `expires` (microseconds UTC). Out: its secret, kept nowhere. Raises TokenError."""
    if scope not in SCOPES:
        raise TokenError(f"scope {scope!r} is onbekend; kies uit {', '.join(SCOPES)}")
    if not name.strip():
        raise TokenError("een token heeft een naam nodig, die zegt wie het gebruikt")
    secret = _new_secret()
    try:
        tokens.insert(store, name.strip(), digest(secret), scope, expires)
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


class Gatekeeper:
    """Identifies requests, and remembers known digests for a few seconds.

    So a busy client costs one question to the store every few seconds, and a revoked token stops working
    within as many. Unknown tokens are not remembered: nobody can fill the memory with guesses.
    """

    def __init__(
        self,
        store: Store,
        remembered_seconds: float = REMEMBERED_SECONDS,
        guesses: Guesses | None = None,
        client_of: Callable[[Environ], str] = lambda environ: str(environ.get("REMOTE_ADDR", "")),
    ) -> None:
        """In: `guesses` counts wrong tokens over several processes, without it they are counted here.

        `client_of` gives the address of who asks, of the environ of a request.
        """
        self._store = store
        self._seconds = remembered_seconds
        self._guesses = guesses or Guesses()
        self._client_of = client_of
        self._known: dict[bytes, tuple[StoredToken, float]] = {}

    def admit(self, header: str | None, scope: str, environ: Environ | None = None) -> StoredToken:
        """The token of a request that needs `scope`. Raises a 401, 403 or 429 Problem.

        A right token is found before anything is counted, so wrong ones never hold it up.
        """
        key = digest(secret_of(header))
        moment = time.monotonic()
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
        if scope not in SCOPES[held[0].scope]:
            raise problems.permission_denied(scope, held[0].scope)
        return held[0]
