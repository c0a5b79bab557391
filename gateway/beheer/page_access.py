"""Who may see the status page: a token with the scope monitor, or a browser that came by a link that works once.

`klantbrug status --link` prints such a link. It becomes a cookie that scripts can't read, other websites can't send
along, and that works for an hour. The page changes nothing, so that is all that it takes.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, redirect, render_template, request
from werkzeug import Response as BaseResponse

from gateway.base.clock import now
from gateway.http.auth import Gatekeeper, digest
from gateway.http.problems import Problem
from gateway.http.public_address import PublicAddresses
from gateway.http.responses import PAGE_HEADERS
from gateway.http.scopes import MONITOR
from gateway.store.file.database import Store
from gateway.store.operation import page_sessions

if TYPE_CHECKING:
    from gateway.config.model import Gateway

PATH = "/toegang/"
COOKIE = "klantbrug_status"
LINK_SECONDS, SESSION_SECONDS = 15 * 60, 60 * 60
NEEDS_ACCESS = "Deze pagina is alleen voor beheerders."
USED_UP = "Deze link is al gebruikt of verlopen."


def new_link(store: Store, gateway: Gateway) -> str:
    """A link to the status page that works once, within a quarter of an hour."""
    secret = secrets.token_urlsafe(32)
    page_sessions.give_link(store, digest(secret), now() + LINK_SECONDS * 1_000_000)
    return f"{gateway.public_url or _nearby(gateway.bind)}{PATH}{secret}"


def _nearby(bind: str) -> str:
    """The address by which this machine reaches what listens there."""
    host, _, port = bind.rpartition(":")
    here = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "::": "[::1]"}  # noqa: S104 (looked up, not listened to)
    return f"http://{here.get(host, host)}:{port}"


class PageAccess:
    """Judges who asks for the status page."""

    def __init__(self, store: Store, gatekeeper: Gatekeeper, addresses: PublicAddresses) -> None:
        self._store = store
        self._gatekeeper = gatekeeper
        self._addresses = addresses

    def register(self, app: Flask) -> None:
        """Add the path of the links to an application."""
        app.add_url_rule(f"{PATH}<secret>", "status_access", self._enter)

    def refusal(self) -> Response | None:
        """What is answered when this request may not see the page; None when it may."""
        header = request.environ.get("HTTP_AUTHORIZATION")
        if header:
            try:
                self._gatekeeper.admit(header, MONITOR)
            except Problem as problem:
                return _closed(problem.detail, problem.status, problem.headers)
            return None
        if self._in_session():
            return None
        return _closed(NEEDS_ACCESS, 401, [("WWW-Authenticate", "Token")])

    def _in_session(self) -> bool:
        session = request.cookies.get(COOKIE)
        return bool(session) and page_sessions.in_session(self._store, digest(session or ""))

    def _enter(self, secret: str) -> BaseResponse:
        """Exchange a link for a cookie. HEAD uses nothing up: programs look at links before people do."""
        session = secrets.token_urlsafe(32)
        until = now() + SESSION_SECONDS * 1_000_000
        if request.method != "GET":
            return _closed(NEEDS_ACCESS, 401, [])
        base = self._addresses.base(request.environ)
        answer = redirect(f"{base}/", 303)
        answer.headers.extend(
            (name, value) for name, value in PAGE_HEADERS if name not in ("Content-Type", "Vary")
        )
        if not page_sessions.use_link(self._store, digest(secret), digest(session), until):
            # A browser that asks twice, as many do, has its cookie already.
            return answer if self._in_session() else _closed(USED_UP, 401, [])
        answer.set_cookie(
            COOKIE,
            session,
            max_age=SESSION_SECONDS,
            path=f"{self._addresses.path(request.environ)}/",
            secure=base.startswith("https://"),
            httponly=True,
            samesite="Lax",  # Strict would not be sent when the link was followed from a message
        )
        return answer


def _closed(why: str, status: int, headers: Any) -> Response:
    page = render_template("closed.html", why=why, minutes=SESSION_SECONDS // 60)
    return Response(page, status, [*PAGE_HEADERS, *headers])
