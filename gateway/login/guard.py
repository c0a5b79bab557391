"""Who asks for a page, and whether that one may: for every module that shows pages.

A view for operators stands behind `needs`, which also asks a token of each form that changes something. In a view
`current_operator` tells who it is, and `log_event` writes what that one did. Templates have `csrf_token()` and
`current_operator()`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, Protocol
from urllib.parse import quote

from flask import Flask, Response, current_app, g, redirect, render_template, request
from werkzeug import Response as BaseResponse

from gateway.base import correlation
from gateway.http.problems import Problem
from gateway.http.responses import SECURITY
from gateway.login.paths import LOGIN
from gateway.login.roles import ROLES, LoggedIn
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.operation import events

SAFE = ("GET", "HEAD", "OPTIONS")
FIELD, HEADER = "csrf_token", "X-CSRF-Token"
EXTENSION = "klantbrug-login"
NO_FORM = "Dit formulier is verlopen. Laad de pagina opnieuw en probeer het nog eens."
TRY_AGAIN = ("Retry-After", "30")
NOT_LOGGED_IN = "Log eerst in."

P = ParamSpec("P")


class SessionJudge(Protocol):
    """What knows the sessions: `gateway.login.views.Login`."""

    store: Store

    def look_up(self, *, used: bool) -> LoggedIn | None:
        """Who has the session of this request; `used` notes that it is."""

    def form_token(self) -> str:
        """What forms for this browser carry."""

    def is_form_token(self, given: str) -> bool:
        """Is it what forms of this browser carry?"""

    def base(self) -> str:
        """Where links of this answer begin."""

    def policy(self) -> str:
        """The Content-Security-Policy of pages."""


def install(app: Flask, judge: SessionJudge) -> None:
    """Let views and templates of an application use what is here."""
    app.extensions[EXTENSION] = judge
    app.jinja_env.globals |= {"csrf_token": csrf_token, "current_operator": current_operator}


def current_operator() -> LoggedIn | None:
    """Who is logged in and asks now; None for anybody else. Inside a request."""
    return _who(used=True)


def csrf_token() -> str:
    """What a form that changes something must carry, as the field `csrf_token` or the header X-CSRF-Token."""
    return _judge().form_token()


def log_event(
    what: str, why: str = "", *, source: int | None = None, connection: Session | None = None
) -> None:
    """Write in the log of events what the operator who asks now did, and why.

    In: `source` is its number in the store; `connection` the write transaction that does it, else it gets its own.
    """
    operator = current_operator()
    who = operator.name if operator else "niemand"
    if connection is not None:
        events.note(connection, source, what, who, why)
        return
    with _judge().store.write() as own:
        events.note(own, source, what, who, why)


def needs(
    role: str, *, used: bool = True
) -> Callable[[Callable[P, str | BaseResponse]], Callable[P, BaseResponse]]:
    """Let a view answer only operators with this role.

    Who is not logged in is led to the page where one does, and comes back; a form without its token, or an operator
    without the role, gets 403. Without `used` a request does not count as use: for what pages ask by themselves. A view
    may give a page as text; its security headers are set here.
    """
    if role not in ROLES:
        raise ValueError(f"there is no role {role!r}")

    def guarded(view: Callable[P, str | BaseResponse]) -> Callable[P, BaseResponse]:
        @wraps(view)
        def answer(*args: P.args, **kwargs: P.kwargs) -> BaseResponse:
            refused = _refusal(role, used)
            if refused is not None:
                return refused
            made = view(*args, **kwargs)
            return page(made) if isinstance(made, str) else made

        answer.needs_role = role  # type: ignore[attr-defined]  # a test asks each route for it
        return answer

    return guarded


def page(text: str, status: int = 200, headers: Any = ()) -> Response:
    """A page with the headers that all of them have: nothing from elsewhere, no script or style inside it, not kept."""
    return Response(
        text,
        status,
        [
            *SECURITY,
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Security-Policy", _judge().policy()),
            ("Cache-Control", "no-store"),
            *headers,
        ],
    )


def has_form_token() -> bool:
    """Does this request carry the token of the forms of its browser?"""
    return _judge().is_form_token(request.headers.get(HEADER) or request.form.get(FIELD, ""))


def refused(why: str, status: int, headers: Any = ()) -> Response:
    """A page that says why not."""
    return page(render_template("refused.html", why=why, base=_judge().base()), status, headers)


def trouble(problem: Problem) -> Response:
    """A page for what went wrong on our side. Asks the store nothing: that may be what is in trouble."""
    text = render_template("trouble.html", why=problem.detail, base=_judge().base())
    return page(text, problem.status, problem.headers or ([TRY_AGAIN] if problem.status == 503 else []))


def _refusal(role: str, used: bool) -> BaseResponse | None:
    operator = _who(used=used)
    if operator is None:
        return _to_login()
    if request.method not in SAFE and not has_form_token():
        return refused(NO_FORM, 403)
    if role not in operator.roles:
        return refused(f"Hiervoor is de rol {role} nodig, en die heeft {operator.name} niet.", 403)
    return None


def _to_login() -> BaseResponse:
    where = f"{_judge().base()}{LOGIN}"
    if request.method == "GET":
        where += f"?next={quote(request.full_path.rstrip('?'), safe='')}"
    if "HX-Request" in request.headers:  # htmx would put the page of a redirect inside another one
        return refused(NOT_LOGGED_IN, 401, [("HX-Redirect", where)])
    if request.method == "GET" and request.accept_mimetypes.accept_html:
        answer = redirect(where, 303)
        answer.headers["Cache-Control"] = "no-store"
        return answer
    return refused(NOT_LOGGED_IN, 401)


def _who(*, used: bool) -> LoggedIn | None:
    if "operator" not in g:
        g.operator = _judge().look_up(used=used)
    found: LoggedIn | None = g.operator
    if found is not None and (operation := correlation.current()):
        operation.who = f"operator {found.name}"
    return found


def _judge() -> SessionJudge:
    judge: SessionJudge = current_app.extensions[EXTENSION]
    return judge
