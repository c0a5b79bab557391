"""The OpenID Connect provider of a municipality, such as Entra ID, Keycloak or ADFS: what it says of itself, and calls.

It is called at the host of its issuer, and at those that the operator named beside it; never anywhere else, whatever
its own documents say.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson
import requests
import urllib3
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from gateway.base import clock
from gateway.base.logs import get_logger, silence_http_libraries
from gateway.base.outgoing import outgoing_session
from gateway.base.timed_http import ends_at
from gateway.config.login import LoginSettings

silence_http_libraries()
log = get_logger(__name__)

Json = dict[str, Any]
# What it says of itself changes seldom. A key that is not known is asked for sooner, but not each time one is shown.
KNOWN_SECONDS, NEW_KEY_SECONDS = 3600.0, 60.0
# While it is away nobody waits for it again and again; and few wait at a time.
REST_SECONDS, TURN_SECONDS = 10.0, 2.0
LARGEST_ANSWER, MOST_KEYS = 1_000_000, 100
CHUNK = 64 * 1024
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
OPTIONAL = ("userinfo_endpoint", "end_session_endpoint")


class ProviderAway(Exception):
    """The provider gives no usable answer; `cause` is a word for the log."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class About(NamedTuple):
    """What a provider says of itself: where it answers, how it signs, how we show who we are."""

    endpoints: dict[str, str]
    algorithms: tuple[str, ...]
    by_post: bool  # it takes our secret in the body only
    names_itself: bool  # each answer that it sends by the browser has its issuer


class Calls:
    """A session of `requests` as far as Authlib asks for one: only hosts of the provider, in time, nothing large."""

    def __init__(self, settings: LoginSettings) -> None:
        issuer = urlsplit(settings.issuer)
        self._scheme = issuer.scheme
        self._hosts = {issuer.netloc.lower(), *(host.lower() for host in settings.hosts)}
        self._timeout = (settings.connect_timeout, settings.read_timeout)
        self._session = outgoing_session(settings.ca_bundle, hosts=len(self._hosts), connections=2)

    def allows(self, url: object) -> bool:
        """Is it an address that may be called?"""
        if not isinstance(url, str):
            return False
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return parts.scheme == self._scheme and parts.netloc.lower() in self._hosts

    def get(self, url: str, **more: Any) -> Json:
        """The JSON object at an address. Raises ProviderAway."""
        with told():
            response = self.request("GET", url, **more)
            if response.status_code != requests.codes.ok:
                raise ProviderAway(f"status {response.status_code}")
            found = orjson.loads(response.content)
        if not isinstance(found, dict):
            raise ProviderAway("no object")
        return found

    def post(self, url: str, **more: Any) -> requests.Response:
        """As Authlib calls it."""
        return self.request("POST", url, **more)

    def request(self, method: str, url: str, **more: Any) -> requests.Response:
        """A call; a redirect is not followed. Raises ProviderAway, and what requests raises."""
        if not self.allows(url):
            raise ProviderAway("another host")
        with ends_at(clock.monotonic() + sum(self._timeout), self._timeout[1]):
            response = self._session.request(
                method, url, timeout=self._timeout, allow_redirects=False, stream=True, **more
            )
            with contextlib.closing(response):
                content = bytearray()
                for part in response.iter_content(CHUNK):
                    content += part
                    if len(content) > LARGEST_ANSWER:
                        raise ProviderAway("too large")
        response._content = bytes(content)  # where requests looks for what was read
        return response


class Provider:
    """What the provider says of itself, kept for a while. For any number of threads."""

    def __init__(self, settings: LoginSettings) -> None:
        self.settings = settings
        self.calls = Calls(settings)
        self._turn = threading.Lock()
        self._about: tuple[float, About] | None = None
        self._keys: tuple[float, list[Key]] | None = None
        self._rests_until = 0.0

    def about(self) -> About:
        """What it says of itself. Raises ProviderAway."""
        held = self._about
        if held is None or held[0] + KNOWN_SECONDS <= clock.monotonic():
            with self._asking():
                held = self._about
                if held is None or held[0] + KNOWN_SECONDS <= clock.monotonic():
                    url = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
                    held = self._about = (clock.monotonic(), self._judged(self.calls.get(url)))
        return held[1]

    def keys(self, kid: str | None) -> list[Key]:
        """The keys that may have signed what names this one. Raises ProviderAway."""
        url = self.about().endpoints["jwks_uri"]
        held = self._keys
        if self._must_ask(held, kid):
            with self._asking():
                held = self._keys
                if self._must_ask(held, kid):
                    held = self._keys = (clock.monotonic(), _keys_in(self.calls.get(url)))
        found = held[1] if held else []
        return [key for key in found if kid is None or key.kid == kid]

    def _must_ask(self, held: tuple[float, list[Key]] | None, kid: str | None) -> bool:
        if held is None:
            return True
        age = clock.monotonic() - held[0]
        known = kid is None or any(key.kid == kid for key in held[1])
        return age >= (KNOWN_SECONDS if known else NEW_KEY_SECONDS)

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """One thread asks; the others wait a little for it, and none asks again at once what got no answer."""
        if not self._turn.acquire(timeout=TURN_SECONDS):
            raise ProviderAway("somebody asks already")
        try:
            if clock.monotonic() < self._rests_until:
                raise ProviderAway("it was away a moment ago")
            try:
                yield
            except ProviderAway as error:
                self._rests_until = clock.monotonic() + REST_SECONDS
                log.warning("the provider of logins does not answer", cause=error.cause)
                raise
        finally:
            self._turn.release()

    def _judged(self, said: Json) -> About:
        if said.get("issuer") != self.settings.issuer:
            raise ProviderAway("another issuer")
        if not all(self.calls.allows(said.get(name)) for name in NEEDED):
            raise ProviderAway("an endpoint is missing or at another host")
        endpoints = {name: said[name] for name in (*NEEDED, *OPTIONAL) if self.calls.allows(said.get(name))}
        signs = said.get("id_token_signing_alg_values_supported")
        usable = [name for name in ALGORITHMS if not isinstance(signs, list) or name in signs]
        methods = said.get("token_endpoint_auth_methods_supported")
        by_post = isinstance(methods, list) and "client_secret_basic" not in methods
        names = said.get("authorization_response_iss_parameter_supported") is True
        return About(endpoints, tuple(usable), by_post, names)


# Signed with a key of theirs; a shared secret or no signature at all is no proof.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")


def _keys_in(said: Json) -> list[Key]:
    """The public keys in a set; those that can't be used are passed over. Raises ProviderAway."""
    raws = said.get("keys")
    if not isinstance(raws, list) or len(raws) > MOST_KEYS:
        raise ProviderAway("no keys")
    found: list[Key] = []
    for raw in raws:
        if not isinstance(raw, dict) or raw.get("kty") not in ("RSA", "EC") or raw.get("use", "sig") != "sig":
            continue
        with contextlib.suppress(JoseError, ValueError, TypeError, KeyError):
            found += KeySet.import_key_set({"keys": [raw]}).keys
    return found


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Make one error of all that goes wrong with a call, without its text: that may repeat what was sent."""
    try:
        yield
    except requests.exceptions.SSLError:
        raise ProviderAway("untrusted") from None
    except requests.Timeout:
        raise ProviderAway("too slow") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
        raise ProviderAway("unreachable") from None
    except orjson.JSONDecodeError:
        raise ProviderAway("no JSON") from None
