"""A browser as far as logging in needs one: it keeps cookies, fills in forms and goes where it is led."""

from __future__ import annotations

import html
import http.client
import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

from builders.served_store import Got, settings

from gateway.login.links import new_link
from gateway.login.roles import ROLES
from gateway.store.base.store import Store

TOKEN = re.compile(r'name="csrf_token" value="([^"]*)"')
MOST_STEPS = 10


@dataclass
class Browser:
    """It starts at an address. Cookies are kept by host and port, whatever their flags.

    `given` are the cookies that the last answer set, as it wrote them.
    """

    base: str
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    at: str = ""
    given: list[str] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> Got:
        """Ask for a page; a redirect is not followed."""
        return self.send("GET", path, headers)

    def post(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> Got:
        """Send a form; a redirect is not followed."""
        body = urlencode(fields or {}).encode()
        return self.send("POST", path, {"Content-Type": "application/x-www-form-urlencoded", **headers}, body)

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Got:
        """Any request, with the cookies that are kept."""
        self.at = urljoin(f"{self.base}/", path)
        parts = urlsplit(self.at)
        jar = self.cookies.setdefault(parts.netloc, {})
        sent = {"Accept": "text/html"} | headers
        if jar:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body=body, headers=sent)
            answer = connection.getresponse()
            self.given = answer.headers.get_all("Set-Cookie", [])
            for line in self.given:
                for name, morsel in SimpleCookie(line).items():
                    jar.pop(name, None)
                    if morsel.value and morsel["max-age"] != "0":
                        jar[name] = morsel.value
            return Got(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def follow(self, got: Got) -> Got:
        """Go where an answer leads, to its end."""
        for _ in range(MOST_STEPS):
            if got.status not in (302, 303):
                return got
            got = self.get(urljoin(self.at, got.headers["Location"]))
        raise AssertionError("it is led on and on")

    def log_in(self, name: str, password: str, leads_to: str = "/") -> Got:
        """Fill in the form with a name and a password."""
        token = form_token(self.get(f"/inloggen?{urlencode({'next': leads_to})}"))
        fields = {"naam": name, "wachtwoord": password, "next": leads_to, "csrf_token": token}
        return self.post("/inloggen", fields)

    @property
    def jar(self) -> dict[str, str]:
        """The cookies of where it started."""
        return self.cookies.setdefault(urlsplit(self.base).netloc, {})


def form_token(got: Got) -> str:
    """The token in the first form of a page."""
    found = TOKEN.search(got.raw.decode())
    assert found, got.raw.decode()
    return html.unescape(found[1])


def operator_browser(store: Store, base: str, *roles: str) -> Browser:
    """One that is logged in at a gateway on this store, with all roles unless some are named."""
    browser = Browser(base)
    gateway = settings(store.path).gateway
    got = browser.get(urlsplit(new_link(store, gateway, "beheerder", roles or ROLES, "test")).path)
    assert got.status == 303
    return browser
