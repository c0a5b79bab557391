"""Our abonnement at the configured Notificaties API: looked up, made, brought up to date.

An abonnement is ours when its callbackUrl is. Its `auth` can't be read back, so one that is there is always written
again. Source: Notificaties API 1.0, /abonnement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import requests
import urllib3

from gateway.base import clock
from gateway.base.logs import silence_http_libraries
from gateway.base.outgoing import Bearer, outgoing_session
from gateway.base.timed_http import ends_at
from gateway.config.model import Config, Source
from gateway.legacy.client.jwt_tokens import Tokens
from gateway.notificaties.receiver import KANAAL, PATH

silence_http_libraries()

MADE, UPDATED = "gemaakt", "bijgewerkt"
CAUSES = {
    400: "de Notificaties API neemt het abonnement niet aan; kan zij callbackUrl bereiken, en kent zij het kanaal?",
    401: "de Notificaties API weigert; kloppen [notifications] client_id en secret?",
    403: "de Notificaties API weigert; kloppen client_id en secret, en mag deze client abonnementen beheren?",
    404: "op dit adres is geen Notificaties API; klopt [notifications] url?",
}


class AbonnementError(Exception):
    """The abonnement could not be looked up or made; the text says why, for an operator."""


def callback_url(config: Config) -> str:
    """Where the Notificaties API reaches us. Raises AbonnementError for what the configuration lacks."""
    missing = [
        key
        for key, value in (
            ("[notifications] url", config.notifications.url),
            ("[notifications] callback_token", config.notifications.callback_token),
            ("[gateway] public_url", config.gateway.public_url),
        )
        if not value
    ]
    if missing:
        raise AbonnementError(f"Vul eerst in: {', '.join(missing)}.")
    return f"{config.gateway.public_url}{PATH}"


class Abonnementen:
    """The connection to the Notificaties API of a configuration, for one command."""

    def __init__(self, config: Config) -> None:
        """Raises AbonnementError for what the configuration lacks."""
        self.callback_url = callback_url(config)
        settings = config.notifications
        self._address = f"{settings.url}/abonnement"
        self._body = {
            "callbackUrl": self.callback_url,
            "auth": f"Bearer {settings.callback_token}",
            "kanalen": [{"naam": KANAAL, "filters": {}}],
        }
        self._timeout = (settings.connect_timeout, settings.read_timeout)
        self._tokens = Tokens(Source("notificaties", settings.url, settings.client_id, settings.secret))
        self._session = outgoing_session(settings.ca_bundle)

    def own(self) -> list[dict[str, Any]]:
        """The abonnementen with our callbackUrl. Raises AbonnementError."""
        found = self._call("GET", self._address)
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise AbonnementError("Het antwoord is geen lijst van abonnementen; klopt [notifications] url?")
        return [each for each in found if each.get("callbackUrl") == self.callback_url]

    def register(self) -> str:
        """See to it that there is one abonnement on the kanaal zaken. Out: MADE or UPDATED. Raises AbonnementError."""
        held = self.own()
        if not held:
            self._call("POST", self._address, self._body)
            return MADE
        first, *others = (self._own_address(each) for each in held)
        self._call("PUT", first, self._body)
        for address in others:  # each would bring every message once more
            self._call("DELETE", address)
        return UPDATED

    def _own_address(self, abonnement: Mapping[str, Any]) -> str:
        """The address of an abonnement under the configured one, whatever host its own url has."""
        last = str(abonnement.get("url", "")).rstrip("/").rpartition("/")[2]
        if not last:
            raise AbonnementError("Een abonnement heeft geen url; klopt [notifications] url?")
        return f"{self._address}/{last}"

    def _call(self, method: str, address: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            with ends_at(clock.monotonic() + sum(self._timeout), self._timeout[1]):
                response = self._session.request(
                    method,
                    address,
                    data=None if body is None else orjson.dumps(body),
                    headers={"Content-Type": "application/json"},
                    auth=Bearer(self._tokens.current()),
                    timeout=self._timeout,
                    allow_redirects=False,
                )
            status, content = response.status_code, response.content
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise AbonnementError(
                f"De Notificaties API is niet bereikbaar ({type(error).__name__})."
            ) from None
        if not 200 <= status < 300:
            raise AbonnementError(
                f"Status {status}: {CAUSES.get(status, 'de Notificaties API doet dit niet')}."
            )
        try:
            return orjson.loads(content) if content else None
        except orjson.JSONDecodeError:
            raise AbonnementError("Het antwoord is geen JSON; klopt [notifications] url?") from None
