"""The one way out over HTTP: the session of every call to a source, its catalogi, or a Notificaties API."""

from __future__ import annotations

import email.utils
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import requests
from requests.auth import AuthBase

from gateway.base.clock import seconds
from gateway.base.timed_http import TimedAdapter

# Longer than anybody waits; more digits than these are not counted.
MOST_DIGITS = 9


class Bearer(AuthBase):
    """The token of a call. An auth object, because a header alone gives way to what requests finds elsewhere."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """As requests calls it."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def outgoing_session(
    ca_bundle: Path | None,
    cert: str | tuple[str, str] | None = None,
    *,
    hosts: int = 1,
    connections: int = 1,
) -> requests.Session:
    """A session for calls to so many configured hosts, with so many connections to each; every call heeds `ends_at`.

    In: who is trusted (None: whom the system trusts), and our own certificate, with its key when that is a file apart.
    """
    session = requests.Session()
    # Neither .netrc (another password) nor proxies: calls go to the configured hosts only.
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.headers.update({"Accept": "application/json", "User-Agent": "klantbrug"})
    session.verify = str(ca_bundle) if ca_bundle else True
    session.cert = cert
    for scheme in ("http://", "https://"):
        session.mount(scheme, TimedAdapter(hosts, connections, max_retries=0))
    return session


def seconds_to_rest(retry_after: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date; None when there is no telling."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:MOST_DIGITS])
    moment = moment_of(text)
    return None if moment is None else max(0.0, moment - seconds())


def moment_of(date: str) -> float | None:
    """The seconds since 1970 of a date in a header; None when it is none, as with a year that no clock has."""
    try:
        return email.utils.parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
