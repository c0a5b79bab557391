"""Logging in through a real provider (npm oidc-provider), in a real browser, by its own pages."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from builders.chromium import chromium, needs_chromium
from builders.real_provider import CLIENT_SECRET, RealProvider, needs_provider
from builders.served_store import answering, settings
from builders.stores import make_store

from gateway.app import create_app
from gateway.config.login import LoginSettings
from gateway.login.check import check_login
from gateway.operator.check_report import Level
from gateway.store.base.store import Store
from gateway.store.operation import events

pytestmark = pytest.mark.slow


@dataclass
class Municipality:
    """A gateway, the provider that it knows, and browsers of its people."""

    browser: Any
    provider: RealProvider
    base: str
    store: Store
    addresses: list[str] = field(default_factory=list)

    def person(self) -> Any:
        """Somebody at a screen who is nowhere logged in."""
        context = self.browser.new_context()
        # The provider's pages want a font of Google's; tests go nowhere.
        context.route(
            lambda url: urlsplit(url).hostname != "127.0.0.1",
            lambda route: route.abort(),
        )
        page = context.new_page()
        page.on("request", lambda request: self.addresses.append(request.url))
        return page

    def log_in(self, page: Any, name: str) -> None:
        """By the button, the provider's form and its question whether we may know."""
        page.goto(f"{self.base}/inloggen")
        page.click("text=Inloggen bij de gemeente")
        page.fill("[name=login]", name)
        page.fill("[name=password]", "wachtwoord van daar")
        page.click("[type=submit]")
        page.click("text=Continue")
        page.wait_for_url(f"{self.base}/**")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    needs_chromium()
    needs_provider()
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module", params=[False, True], ids=["userinfo", "id token"])
def town(
    request: pytest.FixtureRequest, browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Municipality]:
    """Claims stand in userinfo, as the standard wants it, or in the ID token, as Entra ID and ADFS do."""
    with socket.create_server(("127.0.0.1", 0)) as place:  # its address is known before either begins
        base = f"http://127.0.0.1:{place.getsockname()[1]}"
        store = make_store(tmp_path_factory.mktemp("town") / "store.sqlite")
        with RealProvider(base, in_id_token=request.param) as provider:
            app = create_app(settings(store.path, login=provider.settings()), store=store)
            with answering(app, place):
                yield Municipality(browser, provider, base, store)
        store.close()


def text(page: Any) -> str:
    return " ".join(page.inner_text("body").split())


def test_an_operator_logs_in_steers_and_logs_out_at_the_provider(town: Municipality) -> None:
    page = town.person()
    page.goto(f"{town.base}/beheer/tokens")
    assert page.url.startswith(f"{town.base}/inloggen?next=")
    page.click("text=Inloggen bij de gemeente")
    assert page.url.startswith(town.provider.issuer)
    page.fill("[name=login]", "anna")
    page.fill("[name=password]", "x")
    page.click("[type=submit]")
    page.click("text=Continue")
    page.wait_for_url(f"{town.base}/beheer/tokens")  # where it was meant to go
    assert "a.bakker" in text(page)
    page.fill("#naam", f"token-{time.time_ns()}")
    page.click("text=Token maken")
    assert page.inner_text(".kb-secret").startswith("kb_")
    page.goto(f"{town.base}/beheer/zoeken")
    assert page.inner_text("h1") == "Zoeken"
    with town.store.read() as connection:
        logged = events.events(connection, logins=True)
    assert {("ingelogd met aanbieder", "a.bakker")} <= {(each.what, each.who) for each in logged}
    # Out here, and out there: whoever comes next must show again who it is.
    page.click("text=Uitloggen")
    assert page.url.startswith(f"{town.provider.issuer}/session/end")
    page.click("[value=yes]")
    page.wait_for_url(f"{town.base}/uitgelogd")
    page.goto(f"{town.base}/beheer/tokens")
    page.click("text=Inloggen bij de gemeente")
    assert page.locator("[name=login]").count() == 1
    for address in town.addresses:
        assert CLIENT_SECRET not in address
        assert "a.bakker" not in address
        assert "id_token" not in address


def test_an_onlooker_looks_and_no_more(town: Municipality) -> None:
    page = town.person()
    town.log_in(page, "kees")
    assert "k.visser" in text(page)
    page.goto(f"{town.base}/beheer/tokens")
    assert page.locator("main button").count() == 0
    page.goto(f"{town.base}/beheer/zoeken")
    assert "personen inzien" in page.inner_text("h1")
    # While the provider still knows who it is, a new session takes no form.
    page.context.clear_cookies(name="klantbrug")
    page.goto(f"{town.base}/inloggen")
    page.click("text=Inloggen bij de gemeente")
    page.wait_for_url(f"{town.base}/")
    assert "k.visser" in text(page)


def test_who_has_no_role_there_is_told_so(town: Municipality) -> None:
    page = town.person()
    town.log_in(page, "bezoeker")
    assert "geen rol" in text(page)
    page.goto(f"{town.base}/beheer/tokens")
    assert page.url.startswith(f"{town.base}/inloggen?next=")


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"aud": "een andere"}, id="for another application"),
        pytest.param({"nonce": "een andere"}, id="of another question"),
        pytest.param({"nonce": None}, id="of no question"),
        pytest.param({"exp": int(time.time()) - 61}, id="expired"),
        pytest.param({"iss": "https://login.example.nl"}, id="of another issuer"),
    ],
)
def test_a_wrong_token_of_the_right_provider_lets_nobody_in(
    town: Municipality, claims: dict[str, Any]
) -> None:
    page = town.person()
    town.provider.spoil(**claims)
    try:
        town.log_in(page, "anna")
        assert "is niet gelukt" in text(page)
        page.goto(f"{town.base}/beheer/tokens")
        assert page.url.startswith(f"{town.base}/inloggen?next=")
    finally:
        town.provider.spoil()


def test_the_check_says_whether_it_answers(browser: Any) -> None:
    with RealProvider("http://127.0.0.1:1") as provider:
        known = provider.settings()
        assert [line.level for line in check_login(known)] == [Level.OK]
        assert "antwoordt" in check_login(known)[0].text
        other = provider.settings(issuer=f"{provider.issuer}/elders")
        assert [line.level for line in check_login(other)] == [Level.PROBLEM]
    gone = check_login(known)
    assert [line.level for line in gone] == [Level.PROBLEM]
    assert CLIENT_SECRET not in gone[0].text
    assert check_login(LoginSettings()) == []
