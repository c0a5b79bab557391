"""The cookies of a browser: its session, and for ten minutes who is on the way to log in.

Scripts can't read them and other websites can't send them along with a change. Behind https their names begin with
`__Host-`, or with `__Secure-` where a proxy puts us under a path: then browsers take them from nowhere else.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from urllib.parse import urlsplit

from flask import Request
from werkzeug import Response

from gateway.http.public_address import PublicAddresses

SESSION, BROWSER = "klantbrug", "klantbrug-login"


def new_secret() -> str:
    """A secret that nobody guesses."""
    return secrets.token_urlsafe(32)


def form_token(secret: str) -> str:
    """What forms carry that are shown to who has this cookie."""
    made = hmac.digest(secret.encode("utf-8", "surrogateescape"), b"klantbrug form", "sha256")
    return urlsafe_b64encode(made).decode().rstrip("=")


def is_form_token(secret: str, given: str) -> bool:
    """Is it the token of the forms of who has this cookie?"""
    return hmac.compare_digest(form_token(secret).encode(), given.encode("utf-8", "surrogateescape"))


class Cookies:
    """Reads and sets them."""

    def __init__(self, addresses: PublicAddresses) -> None:
        self._addresses = addresses

    def read(self, request: Request, name: str) -> str:
        """What a cookie holds; blank when there is none."""
        return request.cookies.get(self._name(request, name), "")

    def give(self, request: Request, response: Response, name: str, secret: str, seconds: int | None) -> None:
        """Set a cookie for so many seconds, None for as long as the browser is open."""
        response.set_cookie(
            self._name(request, name),
            secret,
            max_age=seconds,
            path=self._path(request),
            secure=self._secure(request),
            httponly=True,
            samesite="Lax",  # Strict would not be sent to who comes back from the provider
        )

    def take_away(self, request: Request, response: Response, name: str) -> None:
        """Let the browser forget a cookie."""
        response.delete_cookie(
            self._name(request, name),
            path=self._path(request),
            secure=self._secure(request),
            httponly=True,
            samesite="Lax",
        )

    def _name(self, request: Request, name: str) -> str:
        if not self._secure(request):
            return name
        return f"{'__Host-' if self._path(request) == '/' else '__Secure-'}{name}"

    def _secure(self, request: Request) -> bool:
        return self._addresses.base(request.environ).startswith("https://")

    def _path(self, request: Request) -> str:
        return f"{urlsplit(self._addresses.base(request.environ)).path}/"
