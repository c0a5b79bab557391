"""The paths of logging in at the provider: on the way there, and back; and logging out there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flask import Flask, redirect, request
from werkzeug import Response as BaseResponse

from gateway.base.clock import now
from gateway.base.logs import get_logger
from gateway.http.auth import digest
from gateway.http.responses import SECURITY
from gateway.login import guard
from gateway.login.cookies import BROWSER, Cookies, new_secret
from gateway.login.openid import BY_PROVIDER, AuthorizationRequest, NoRole, NotAccepted, OpenId
from gateway.login.paths import BACK, LOGGED_OUT, ON_THE_WAY_SECONDS, THERE, safe_path
from gateway.login.provider import Provider, ProviderAway
from gateway.login.roles import LoggedIn
from gateway.store.base.store import Store
from gateway.store.login import attempts
from gateway.store.login.attempts import Attempt
from gateway.store.login.sessions import Entrant

if TYPE_CHECKING:
    from gateway.config.model import Config

AWAY = "De inlogdienst van {} antwoordt nu niet. Probeer het over een minuut opnieuw."
NOT_TAKEN = "Inloggen bij {} is niet gelukt of duurde te lang. Begin opnieuw."
NO_ROLE = "U bent bekend bij {}, maar hebt daar geen rol waarmee u hier mag kijken. Vraag uw beheerder."

log = get_logger(__name__)


class Host(Protocol):
    """What it needs of `gateway.login.views.Login`."""

    store: Store

    def base(self) -> str:
        """Where links of this answer begin."""

    def browser(self) -> str:
        """What this browser has, or gets, while it is on the way."""

    def shown(self, leads_to: str, why: str = "", status: int = 200) -> BaseResponse:
        """The page where one logs in."""

    def see(self, path: str) -> BaseResponse:
        """Lead to one of our own pages."""

    def enter(self, entrant: Entrant, leads_to: str) -> BaseResponse:
        """Begin a session."""


class AtProvider:
    """Lets operators log in at the provider of their municipality."""

    def __init__(self, host: Host, config: Config, cookies: Cookies) -> None:
        self._host = host
        self._label = config.login.label
        self._cookies = cookies
        self._open_id = OpenId(Provider(config.login))

    def register(self, app: Flask) -> None:
        """Add the paths."""
        app.add_url_rule(THERE, "login_provider", self._go)
        app.add_url_rule(BACK, "login_back", self._come_back)

    def log_out(self, operator: LoggedIn, answer: BaseResponse) -> None:
        """Lead who came in at the provider there, to log out there too."""
        if operator.via == BY_PROVIDER:
            where = self._open_id.logout_address(f"{self._host.base()}{LOGGED_OUT}")
            if where is not None:
                answer.headers["Location"] = where

    def _go(self) -> BaseResponse:
        leads_to = safe_path(request.args.get("next", ""))
        if guard.current_operator() is not None:
            return self._host.see(leads_to)
        browser = self._host.browser()
        asked = AuthorizationRequest(f"{self._host.base()}{BACK}", new_secret(), new_secret(), new_secret())
        try:
            where = self._open_id.address(asked)
        except ProviderAway:
            return self._host.shown(leads_to, AWAY.format(self._label), 502)
        attempts.remember(
            self._host.store,
            digest(asked.state),
            digest(browser),
            Attempt(asked.nonce, asked.verifier, leads_to),
            now() + ON_THE_WAY_SECONDS * 1_000_000,
        )
        answer = redirect(where, 303)
        answer.headers.extend([*SECURITY, ("Cache-Control", "no-store")])
        self._cookies.give(request, answer, BROWSER, browser, ON_THE_WAY_SECONDS)
        return answer

    def _come_back(self) -> BaseResponse:
        """Only who went, and only once, with the state that was given along."""
        given = request.args.to_dict()
        state = given.get("state", "")
        browser = self._cookies.read(request, BROWSER)
        attempt = (
            attempts.take(self._host.store, digest(state), digest(browser)) if state and browser else None
        )
        if attempt is None:
            if guard.current_operator() is not None:  # a browser that asks twice has its session already
                return self._host.see("/")
            return self._refused("/", NotAccepted("nobody went there with that state"))
        asked = AuthorizationRequest(f"{self._host.base()}{BACK}", state, attempt.nonce, attempt.verifier)
        try:
            entrant = self._open_id.identify(asked, given)
        except ProviderAway:
            return self._host.shown(attempt.leads_to, AWAY.format(self._label), 502)
        except NotAccepted as error:
            return self._refused(attempt.leads_to, error)
        except NoRole:
            log.info("login without a role")
            return self._host.shown(attempt.leads_to, NO_ROLE.format(self._label), 403)
        return self._host.enter(entrant, attempt.leads_to)

    def _refused(self, leads_to: str, error: NotAccepted) -> BaseResponse:
        log.warning("login at the provider refused", cause=error.cause)
        return self._host.shown(leads_to, NOT_TAKEN.format(self._label), 400)
