"""The paths of logging in and out: with a password, by a link that works once, or at the provider."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, Response, g, redirect, render_template, request
from werkzeug import Response as BaseResponse

from gateway.base.clock import now
from gateway.base.logs import get_logger
from gateway.http.auth import digest
from gateway.http.public_address import PublicAddresses
from gateway.http.responses import SECURITY
from gateway.login import accounts, guard
from gateway.login.cookies import BROWSER, SESSION, Cookies, form_token, is_form_token, new_secret
from gateway.login.paths import LINKS, LOGGED_OUT, LOGIN, LOGOUT, ON_THE_WAY_SECONDS, STYLE, safe_path
from gateway.login.roles import LoggedIn, complete
from gateway.login.throttle import Throttle
from gateway.store.base.store import Store
from gateway.store.login import operators, sessions
from gateway.store.login.sessions import Entrant
from gateway.store.operation import events

if TYPE_CHECKING:
    from gateway.config.login import LoginSettings
    from gateway.config.model import Config
    from gateway.login.provider_views import AtProvider

MINUTE, HOUR = 60 * 1_000_000, 3600 * 1_000_000
WRONG = "Naam of wachtwoord klopt niet."
TOO_OFTEN = "Te vaak een verkeerd wachtwoord. Probeer het over {} opnieuw."
USED_UP = "Deze link is al gebruikt of verlopen."
NOT_YET = "Deze link werkt alleen in een browser."
_STYLESHEET = Path(__file__).parent / "assets" / "login.css"

log = get_logger(__name__)


class Login:
    """Lets operators in and out, and knows who is in."""

    def __init__(self, store: Store, config: Config, addresses: PublicAddresses) -> None:
        self.store = store
        self._settings = config.login
        self._addresses = addresses
        self._cookies = Cookies(addresses)
        self._throttle = Throttle(store, config.store.uuid_secret)
        self._idle = self._settings.idle_minutes * MINUTE
        self._most = self._settings.session_hours * HOUR
        self._policy = policy_of(self._settings)
        self._provider: AtProvider | None = None
        if self._settings.issuer:
            from gateway.login.provider_views import AtProvider

            self._provider = AtProvider(self, config, self._cookies)

    def register(self, app: Flask) -> None:
        """Add the paths to an application, and let its pages know who is logged in."""
        guard.install(app, self)
        app.add_url_rule(LOGIN, "login", self._form)
        app.add_url_rule(LOGIN, "login_password", self._password, methods=["POST"])
        app.add_url_rule(f"{LINKS}<secret>", "login_link", self._link)
        app.add_url_rule(LOGOUT, "logout", self._leave, methods=["POST"])
        app.add_url_rule(LOGGED_OUT, "logged_out", self._left)
        app.add_url_rule(STYLE, "login_style", _style)
        if self._provider is not None:
            self._provider.register(app)

    # What guard asks

    def look_up(self, *, used: bool) -> LoggedIn | None:
        """Who has the session of this request."""
        secret = self._cookies.read(request, SESSION)
        if not secret:
            return None
        key = digest(secret)
        found = sessions.find(self.store, key, self._idle)
        if found is None:
            return None
        if used:
            sessions.touch(self.store, key, found.seen)
        who = found.entrant
        return LoggedIn(who.name, complete(who.roles), who.via)

    def form_token(self) -> str:
        """Of the session of this request; before there is one, of who is on the way to it."""
        return form_token(self._form_secret())

    def is_form_token(self, given: str) -> bool:
        """Is it what forms of this browser carry?"""
        secret = self._form_secret()
        return bool(secret) and is_form_token(secret, given)

    def base(self) -> str:
        """Where links of this answer begin."""
        return self._addresses.base(request.environ)

    def policy(self) -> str:
        """The Content-Security-Policy of pages."""
        return self._policy

    def _form_secret(self) -> str:
        if guard.current_operator() is not None:
            return self._cookies.read(request, SESSION)
        secret: str = g.get("browser") or self._cookies.read(request, BROWSER)
        return secret

    # With a password

    def _form(self) -> BaseResponse:
        leads_to = safe_path(request.args.get("next", ""))
        if guard.current_operator() is not None:
            return self.see(leads_to)
        return self.shown(leads_to)

    def shown(self, leads_to: str, why: str = "", status: int = 200, name: str = "") -> BaseResponse:
        """The page where one logs in. Its browser gets a cookie, so that only its own form counts."""
        secret = self.browser()
        label = self._settings.label if self._provider is not None else ""
        text = render_template(
            "login.html",
            base=self.base(),
            next=leads_to,
            why=why,
            name=name,
            label=label,
            local=self._has_local(),
        )
        answer = guard.page(text, status)
        self._cookies.give(request, answer, BROWSER, secret, ON_THE_WAY_SECONDS)
        return answer

    def browser(self) -> str:
        """What this browser has, or gets, while it is on the way to log in."""
        g.browser = self._cookies.read(request, BROWSER) or new_secret()
        return str(g.browser)

    def _has_local(self) -> bool:
        """Is the form for a password of any use? Where nobody could have one it is shown all the same."""
        if self._provider is None:
            return True
        with self.store.read() as connection:
            return any(each.password and not each.disabled for each in operators.listing(connection))

    def _password(self) -> BaseResponse:
        leads_to = safe_path(request.form.get("next", ""))
        name, password = (request.form.get(field, "") for field in ("naam", "wachtwoord"))
        if guard.current_operator() is not None:
            return self.see(leads_to)
        if not guard.has_form_token():
            return self.shown(leads_to, guard.NO_FORM, 403)
        try:
            entrant = accounts.let_in(
                self.store, self._throttle, name.strip(), password, self._addresses.client(request.environ)
            )
        except accounts.TooOften as error:
            log.warning("too many wrong passwords", seconds=error.seconds)
            answer = self.shown(leads_to, TOO_OFTEN.format(_span(error.seconds)), 429)
            answer.headers["Retry-After"] = str(error.seconds)
            return answer
        if entrant is None:
            log.info("wrong password")
            return self.shown(leads_to, WRONG, 401, name)
        return self.enter(entrant, leads_to)

    # By a link

    def _link(self, secret: str) -> BaseResponse:
        """Exchange a link for a session. HEAD uses nothing up: programs look at links before people do."""
        if request.method != "GET":
            return guard.refused(NOT_YET, 401)
        with self.store.write() as connection:
            entrant = sessions.use_link(connection, digest(secret))
        if entrant is not None:
            return self.enter(entrant, "/")
        # A browser that asks twice, as many do, has its session already.
        return self.see("/") if guard.current_operator() else guard.refused(USED_UP, 401)

    # In and out

    def enter(self, entrant: Entrant, leads_to: str) -> BaseResponse:
        """Begin a session, under an id that nobody had before, and end the one that this browser had."""
        secret, before = new_secret(), self._cookies.read(request, SESSION)
        with self.store.write() as connection:
            if before:
                sessions.end(connection, digest(before))
            sessions.begin(connection, digest(secret), entrant, now() + self._most)
            if entrant.operator is not None:
                operators.note_login(connection, entrant.operator)
            events.note(connection, None, f"{events.LOGGED_IN} met {entrant.via}", entrant.name)
        answer = self.see(leads_to)
        self._cookies.give(request, answer, SESSION, secret, self._most // 1_000_000)
        self._cookies.take_away(request, answer, BROWSER)
        return answer

    def _leave(self) -> BaseResponse:
        operator = guard.current_operator()
        if operator is None:
            return self.see(LOGGED_OUT)
        if not guard.has_form_token():
            return guard.refused(guard.NO_FORM, 403)
        with self.store.write() as connection:
            sessions.end(connection, digest(self._cookies.read(request, SESSION)))
            events.note(connection, None, events.LOGGED_OUT, operator.name)
        answer = self.see(LOGGED_OUT)
        if self._provider is not None:
            self._provider.log_out(operator, answer)
        self._cookies.take_away(request, answer, SESSION)
        return answer

    def _left(self) -> BaseResponse:
        return guard.page(render_template("logged_out.html", base=self.base()))

    def see(self, path: str) -> BaseResponse:
        """Lead to one of our own pages."""
        answer = redirect(f"{self.base()}{path}", 303)
        answer.headers.extend([*SECURITY, ("Cache-Control", "no-store")])
        return answer


def policy_of(settings: LoginSettings) -> str:
    """The policy of pages: nothing from elsewhere. Who logs out may be led on to the provider."""
    issuer = urlsplit(settings.issuer)
    hosts = (issuer.netloc, *settings.hosts) if settings.issuer else ()
    theirs = "".join(f" {issuer.scheme}://{host}" for host in hosts)
    own = ("script-src", "style-src", "font-src", "connect-src")
    return "; ".join(
        [
            "default-src 'none'",
            *(f"{what} 'self'" for what in own),
            "img-src 'self' data:",
            f"form-action 'self'{theirs}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _span(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return "een minuut" if minutes == 1 else f"{minutes} minuten"


def _style() -> Response:
    headers = [*SECURITY, ("Content-Type", "text/css; charset=utf-8"), ("Cache-Control", "max-age=3600")]
    return Response(_STYLESHEET.read_bytes(), 200, headers)
