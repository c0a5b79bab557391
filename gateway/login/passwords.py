"""Passwords of local accounts: what they must be like, and what is kept of them (argon2id)."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 1000
# Each takes 64 MB and a core for a moment; who guesses must not take all of either.
AT_ONCE = 2

_hasher = PasswordHasher()
_turns = threading.BoundedSemaphore(AT_ONCE)


class WeakPassword(Exception):
    """The password can't be one; the text says why."""


def hashed(password: str) -> str:
    """What is kept of a password. Raises WeakPassword."""
    if len(password) < SHORTEST:
        raise WeakPassword(f"een wachtwoord heeft minstens {SHORTEST} tekens")
    if len(password) > LONGEST:
        raise WeakPassword(f"een wachtwoord heeft hoogstens {LONGEST} tekens")
    with _turns:
        return _hasher.hash(_spelled(password))


def is_right(kept: str | None, password: str) -> bool:
    """Is it the password of which this was kept? Of nothing that was kept it takes as long to say no."""
    if len(password) > LONGEST:
        return False
    nobody = _of_nobody()
    with _turns:
        try:
            right = _hasher.verify(kept or nobody, _spelled(password))
        except (VerificationError, InvalidHashError):
            return False
    return right and kept is not None


def is_outdated(kept: str) -> bool:
    """Was it kept with lower costs than are usual now?"""
    return _hasher.check_needs_rehash(kept)


def _spelled(password: str) -> str:
    """One spelling: an é is one sign on one keyboard and two on another."""
    return unicodedata.normalize("NFKC", password)


@cache
def _of_nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))
