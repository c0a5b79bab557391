"""Logging in at a provider (OpenID Connect), over real HTTP: Authlib's server side, right and wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from builders.browser import Browser, form_token
from builders.login_provider import CLIENT_SECRET, SUB, LoginProvider, ProviderUser
from builders.probe.probe import Probe
from builders.served_store import Client, Got
from builders.set_clock import SetClock

from gateway.config.login import LoginSettings
from gateway.login import accounts
from gateway.login.cookies import form_token as token_of
from gateway.store.base.store import Store
from gateway.store.login import attempts
from gateway.store.operation import events

pytestmark = pytest.mark.slow

Serve = Callable[..., Client]
NOT_TAKEN, AWAY, NO_ROLE = "is niet gelukt", "antwoordt nu niet", "geen rol"


@pytest.fixture
def provider() -> Iterator[LoginProvider]:
    with LoginProvider() as running:
        yield running


@pytest.fixture
def browser(provider: LoginProvider, serve: Serve) -> Browser:
    """One at a gateway that knows the provider."""
    return Browser(serve(login=provider.settings()).base)


def there_and_back(browser: Browser, leads_to: str = "/") -> Got:
    """Go to the provider, and come back with what it gives: the answer to that."""
    return browser.get(way_back(browser, leads_to))


def way_back(browser: Browser, leads_to: str = "/") -> str:
    """Go to the provider. Out: the address to which it sends the browser back."""
    sent = browser.get(f"/inloggen/aanbieder?{urlencode({'next': leads_to})}")
    assert sent.status == 303, sent.raw.decode()
    given = browser.get(sent.headers["Location"])
    assert given.status == 302, given.raw.decode()
    return given.headers["Location"]


def inside(browser: Browser) -> bool:
    return "Documenten" in browser.get("/").raw.decode()


def last_event(store: Store) -> tuple[str, str]:
    with store.read() as connection:
        event = events.events(connection, logins=True)[0]
    return event.what, event.who


def test_who_the_provider_knows_is_let_in_with_the_roles_of_the_claim(
    browser: Browser, provider: LoginProvider, store: Store
) -> None:
    page = browser.get("/inloggen").raw.decode()
    assert "Inloggen bij de gemeente" in page
    assert 'type="password"' not in page  # nobody has an account of here
    got = there_and_back(browser, "/?deel=2")
    assert (got.status, got.headers["Location"]) == (303, f"{browser.base}/?deel=2")
    assert set(browser.jar) == {"klantbrug"}
    assert inside(browser)
    assert Probe(store).values("pass", "roles") == ["bedienen,kijken"]
    assert last_event(store) == ("ingelogd met aanbieder", "d.jansen")


def test_it_is_asked_as_it_should_be(browser: Browser) -> None:
    location = browser.get("/inloggen/aanbieder").headers["Location"]
    asked = dict(parse_qsl(urlsplit(location).query))
    assert asked.pop("code_challenge_method") == "S256"
    secrets = [asked.pop(name) for name in ("state", "nonce", "code_challenge")]
    assert all(len(each) == 43 for each in secrets)
    assert len(set(secrets)) == 3
    assert asked == {
        "response_type": "code",
        "client_id": "klantbrug",
        "redirect_uri": f"{browser.base}/inloggen/terug",
        "scope": "openid profile",
    }
    again = dict(parse_qsl(urlsplit(browser.get("/inloggen/aanbieder").headers["Location"]).query))
    assert not set(secrets) & set(again.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("claim", "claims", "roles"),
    [
        ("roles", {"roles": "kb-kijker"}, "kijken"),
        ("roles", {"roles": ["kb-persoon"]}, "kijken,personen inzien"),
        ("realm_access.roles", {"realm_access": {"roles": ["kb-kijker"]}}, "kijken"),
        ("http://schemas.example.nl/role", {"http://schemas.example.nl/role": ["kb-kijker"]}, "kijken"),
        ("roles", {"roles": ["KB-KIJKER"]}, None),
        ("roles", {"roles": [["kb-kijker"]]}, None),
        ("roles", {"roles": {"kb-kijker": 1}}, None),
        ("roles", {}, None),
    ],
)
def test_roles_are_where_the_provider_has_them(
    provider: LoginProvider, serve: Serve, store: Store, claim: str, claims: dict[str, Any], roles: str | None
) -> None:
    provider.person = ProviderUser(claims)
    settings = provider.settings(claim=claim, personen_inzien=("kb-persoon",))
    browser = Browser(serve(login=settings).base)
    got = there_and_back(browser)
    if roles is None:
        assert got.status == 403
        assert NO_ROLE in got.raw.decode()
        assert not inside(browser)
        return
    assert got.status == 303
    assert Probe(store).values("pass", "roles") == [roles]
    assert last_event(store)[1] == SUB  # a name was not told


def test_claims_may_come_apart_but_of_the_same_person(
    browser: Browser, provider: LoginProvider, store: Store
) -> None:
    provider.person = ProviderUser({}, {"roles": ["kb-kijker"], "preferred_username": "d.jansen"})
    assert there_and_back(browser).status == 303
    assert last_event(store)[1] == "d.jansen"
    provider.person = ProviderUser({}, {"roles": ["kb-kijker"], "sub": "een ander"})
    other = Browser(browser.base)
    assert there_and_back(other).status == 400
    assert not inside(other)


NOW = int(time.time())


@pytest.mark.slow
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"nonce": "een andere"}, id="nonce of another question"),
        pytest.param({"nonce": None}, id="no nonce"),
        pytest.param({"exp": NOW - 61}, id="expired"),
        pytest.param({"exp": None}, id="without end"),
        pytest.param({"iat": NOW + 3600}, id="of later"),
        pytest.param({"aud": "een andere"}, id="for another application"),
        pytest.param({"aud": ["klantbrug", "een andere"]}, id="for several, by nobody"),
        pytest.param({"aud": ["klantbrug", "een andere"], "azp": "een andere"}, id="for several, by another"),
        pytest.param({"iss": "https://login.example.nl"}, id="of another issuer"),
        pytest.param({"sub": None}, id="of nobody"),
        pytest.param({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, id="of another access token"),
    ],
)
def test_a_token_that_is_not_for_this_question_lets_nobody_in(
    browser: Browser, provider: LoginProvider, store: Store, spoil: dict[str, Any]
) -> None:
    provider.spoil = spoil
    got = there_and_back(browser)
    assert got.status == 400
    assert NOT_TAKEN in got.raw.decode()
    assert not inside(browser)
    assert Probe(store).count("pass") == 0
    provider.spoil = {}
    assert there_and_back(browser).status == 303  # and the next try is not spoiled by it


def test_a_signature_of_a_stranger_lets_nobody_in(browser: Browser, provider: LoginProvider) -> None:
    provider.stranger = True
    assert there_and_back(browser).status == 400
    assert not inside(browser)


def test_a_new_key_is_asked_for_once_a_minute(
    browser: Browser, provider: LoginProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock(monkeypatch, skips=True)
    assert there_and_back(browser).status == 303
    provider.turn_key()
    clock.passes(30)
    assert there_and_back(Browser(browser.base)).status == 400
    assert provider.asked.count("/gemeente/keys") == 1
    clock.passes(30)
    assert there_and_back(Browser(browser.base)).status == 303
    assert provider.asked.count("/gemeente/keys") == 2
    assert provider.asked.count("/gemeente/.well-known/openid-configuration") == 1
    clock.passes(3600)
    assert there_and_back(Browser(browser.base)).status == 303
    assert provider.asked.count("/gemeente/.well-known/openid-configuration") == 2


# Who comes back


def test_an_answer_works_once(browser: Browser, store: Store) -> None:
    back = way_back(browser)
    kept = dict(browser.jar)
    assert browser.get(back).status == 303
    again = Browser(browser.base, {urlsplit(browser.base).netloc: kept})
    assert again.get(back).status == 400
    assert not inside(again)
    assert browser.get(back).status == 303  # the same browser, twice: it is in
    assert Probe(store).count("pass") == 1


def test_an_answer_is_of_the_browser_that_asked(browser: Browser, provider: LoginProvider) -> None:
    victim = Browser(browser.base)
    victim.get("/inloggen")
    assert victim.get(way_back(browser)).status == 400  # of who wants the victim to be in as him
    assert not inside(victim)
    assert Browser(browser.base).get(way_back(browser)).status == 400


def test_what_comes_back_fits_or_is_nothing(
    browser: Browser, provider: LoginProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock(monkeypatch, skips=True)

    def back(**changed: str | None) -> int:
        address = urlsplit(way_back(browser))
        given: dict[str, str | None] = dict(parse_qsl(address.query))
        told = {name: value for name, value in (given | changed).items() if value is not None}
        return browser.get(f"{address.path}?{urlencode(told)}").status

    assert back(state=None) == 400
    assert back(state="x") == 400
    assert back(code=None) == 400
    assert back(code="een andere") == 400
    assert back(error="access_denied") == 400
    assert back(iss="https://login.example.nl") == 400
    late = way_back(browser)
    clock.passes(600)
    assert browser.get(late).status == 400
    assert not inside(browser)
    assert back(iss=provider.issuer) == 303


def test_a_code_of_another_question_is_not_taken(browser: Browser) -> None:
    """PKCE: who got hold of a code can do nothing with it in a login of his own."""
    stolen = parse_qs(urlsplit(way_back(browser)).query)["code"][0]
    thief = Browser(browser.base)
    own = parse_qs(urlsplit(way_back(thief)).query)
    query = urlencode({"state": own["state"][0], "code": stolen})
    assert thief.get(f"/inloggen/terug?{query}").status == 400
    assert not inside(thief)


@pytest.mark.parametrize("asked", ["https://kwaad.example/", "//kwaad.example", "/\\kwaad.example", "@kwaad"])
def test_next_leads_to_ourselves(browser: Browser, asked: str) -> None:
    assert there_and_back(browser, asked).headers["Location"] == f"{browser.base}/"


def test_a_session_that_was_there_before_is_not_the_one_after(browser: Browser) -> None:
    browser.jar["klantbrug"] = "geplant"
    assert there_and_back(browser).status == 303
    assert browser.jar["klantbrug"] != "geplant"
    assert not inside(Browser(browser.base, {urlsplit(browser.base).netloc: {"klantbrug": "geplant"}}))


def test_who_begins_again_and_again_fills_nothing(
    browser: Browser, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "MOST_ATTEMPTS", 5)
    for _ in range(8):
        browser.get("/inloggen/aanbieder")
    assert Probe(store).count("login_attempt") == 5
    assert there_and_back(browser).status == 303


# Away, or not to be trusted


def test_when_the_provider_is_away_the_page_says_so_and_a_local_account_works(
    serve: Serve, store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock(monkeypatch, skips=True)

    def asked() -> int:
        return sum("provider of logins does not answer" in record.getMessage() for record in caplog.records)

    accounts.create(store, "annie", "een lang wachtwoord", ["kijken"], "test")
    with LoginProvider() as gone:
        settings = gone.settings()
        browser = Browser(serve(login=settings).base)
    got = browser.get("/inloggen/aanbieder?next=%2Fx")
    assert got.status == 502
    page = got.raw.decode()
    assert AWAY in page
    assert 'type="password"' in page
    assert 'name="next" value="/x"' in page
    for _ in range(5):  # it is not asked each time
        assert browser.get("/inloggen/aanbieder").status == 502
    assert asked() == 1
    clock.passes(10)
    assert browser.get("/inloggen/aanbieder").status == 502
    assert asked() == 2
    assert browser.log_in("annie", "een lang wachtwoord").status == 303
    assert inside(browser)


def test_an_answer_that_comes_while_the_provider_goes_away(browser: Browser, provider: LoginProvider) -> None:
    back = way_back(browser)
    provider.__exit__()
    got = browser.get(back)
    assert got.status == 502
    assert AWAY in got.raw.decode()


@pytest.mark.parametrize(
    "says",
    [
        pytest.param({"issuer": "https://login.example.nl"}, id="issuer"),
        pytest.param({"token_endpoint": "http://192.0.2.1/token"}, id="token endpoint elsewhere"),
        pytest.param({"jwks_uri": "http://127.0.0.1.example.nl/keys"}, id="keys elsewhere"),
        pytest.param({"jwks_uri": "file:///etc/passwd"}, id="keys in a file"),
        pytest.param({"authorization_endpoint": "https://kwaad.example/"}, id="page elsewhere"),
        pytest.param({"authorization_endpoint": None}, id="no page"),
        pytest.param({"x": "x" * 1_000_001}, id="large"),
    ],
)
def test_a_provider_that_points_elsewhere_is_not_followed(
    browser: Browser, provider: LoginProvider, says: dict[str, Any]
) -> None:
    provider.discovery = says
    assert browser.get("/inloggen/aanbieder").status == 502
    assert provider.asked == ["/gemeente/.well-known/openid-configuration"]


def test_another_host_is_called_when_the_operator_named_it(provider: LoginProvider, serve: Serve) -> None:
    port = urlsplit(provider.issuer).port
    provider.discovery = {"jwks_uri": f"http://localhost:{port}/gemeente/keys"}
    assert Browser(serve(login=provider.settings()).base).get("/inloggen/aanbieder").status == 502
    named = Browser(serve(login=provider.settings(hosts=(f"localhost:{port}",))).base)
    assert there_and_back(named).status == 303


def test_a_wrong_secret_of_ours_lets_nobody_in(provider: LoginProvider, serve: Serve) -> None:
    browser = Browser(serve(login=provider.settings(client_secret="verkeerd")).base)
    assert there_and_back(browser).status == 400
    provider.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert there_and_back(Browser(serve(login=provider.settings()).base)).status == 303


# Logging out


def test_who_logs_out_is_out_at_the_provider_too(browser: Browser, provider: LoginProvider) -> None:
    there_and_back(browser)
    policy = browser.get("/inloggen/terug").headers.get("Content-Security-Policy", "")
    kept = dict(browser.jar)
    out = browser.post("/uitloggen", {"csrf_token": token_of(browser.jar["klantbrug"])})
    assert out.status == 303
    where = urlsplit(out.headers["Location"])
    assert where.path == "/gemeente/logout"
    assert parse_qs(where.query) == {
        "client_id": ["klantbrug"],
        "post_logout_redirect_uri": [f"{browser.base}/uitgelogd"],
    }
    page = browser.follow(out)
    assert "U bent uitgelogd" in page.raw.decode()
    issuer = urlsplit(provider.issuer)
    assert f"form-action 'self' {issuer.scheme}://{issuer.netloc};" in page.headers["Content-Security-Policy"]
    assert policy == ""
    assert not inside(Browser(browser.base, {urlsplit(browser.base).netloc: kept}))


@pytest.mark.parametrize("how", ["away", "no place"])
def test_who_can_not_log_out_there_logs_out_here(
    provider: LoginProvider, serve: Serve, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock(monkeypatch, skips=True)
    if how == "no place":
        provider.discovery = {"end_session_endpoint": "https://kwaad.example/"}
    browser = Browser(serve(login=provider.settings(idle_minutes=24 * 60)).base)
    there_and_back(browser)
    if how == "away":
        provider.__exit__()
        clock.passes(3600 * 2)
    out = browser.post("/uitloggen", {"csrf_token": token_of(browser.jar["klantbrug"])})
    assert out.headers["Location"] == f"{browser.base}/uitgelogd"
    assert not inside(browser)


# What nobody may see


def test_nothing_secret_or_of_a_person_is_logged(
    browser: Browser, provider: LoginProvider, caplog: pytest.LogCaptureFixture, store: Store
) -> None:
    caplog.set_level("DEBUG")
    provider.spoil = {"nonce": "een andere"}
    back = way_back(browser)
    browser.get(back)
    provider.spoil = {}
    there_and_back(browser)
    given = parse_qs(urlsplit(back).query)
    ours = "\n".join(
        record.getMessage()
        for record in caplog.records
        if not record.name.startswith(("authlib", "werkzeug"))
    )
    assert "login at the provider refused" in ours
    for secret in (CLIENT_SECRET, given["code"][0], given["state"][0], "d.jansen", browser.jar["klantbrug"]):
        assert secret not in ours
    assert CLIENT_SECRET not in repr(provider.settings())
    for file in store.path.parent.iterdir():
        content = file.read_bytes()
        assert CLIENT_SECRET.encode() not in content
        assert given["state"][0].encode() not in content


def test_without_a_provider_there_is_no_such_path(serve: Serve) -> None:
    browser = Browser(serve(login=LoginSettings()).base)
    assert browser.get("/inloggen/aanbieder").status == 404
    assert "form-action 'self';" in browser.get("/inloggen").headers["Content-Security-Policy"]
    assert form_token(browser.get("/inloggen"))
