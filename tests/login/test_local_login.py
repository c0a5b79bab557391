"""Logging in with an account of here, by password or by a link: sessions, forms, guesses."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from builders.browser import Browser, form_token
from builders.commands import command, command_process
from builders.configs import UUID_SECRET
from builders.probe.probe import Probe
from builders.served_store import Client, settings
from builders.set_clock import SetClock
from builders.stores import make_store, store_keys

from gateway.app import create_app
from gateway.config.login import LoginSettings
from gateway.login import accounts, passwords, throttle
from gateway.login.guard import SAFE, csrf_token, current_operator, log_event, needs
from gateway.login.links import new_link
from gateway.login.paths import safe_path
from gateway.login.roles import ROLES
from gateway.store.base.store import Store
from gateway.store.operation import events

pytestmark = pytest.mark.slow

Serve = Callable[..., Client]
PASSWORD = "een lang wachtwoord"
INSIDE, OUTSIDE = "Documenten", "Klantbrug draait"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hash with the lowest costs: what is tried here is not how long it takes."""
    monkeypatch.setattr(
        passwords, "_hasher", passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )
    passwords._of_nobody.cache_clear()


@pytest.fixture
def annie(store: Store) -> str:
    accounts.create(store, "annie", PASSWORD, ["bedienen"], "test")
    return "annie"


def inside(browser: Browser) -> bool:
    page = browser.get("/").raw.decode()
    assert (INSIDE in page) != (OUTSIDE in page)
    return INSIDE in page


def test_without_login_a_page_tells_only_that_it_runs(serve: Serve) -> None:
    got = Browser(serve().base).get("/")
    assert got.status == 200
    page = got.raw.decode()
    assert OUTSIDE in page
    assert re.findall(r'href="[^"]*?(/[^":]*)"', page)[-4:] == [
        "/klantinteracties/api/v1/schema/",
        "/beheer/api/v1/schema/",
        "/ref/fouten/",
        "/inloggen",
    ]
    assert INSIDE not in page
    assert got.headers["Cache-Control"] == "no-store"


def test_the_right_password_lets_in_and_out_again(annie: str, serve: Serve, store: Store) -> None:
    client, other = serve(), serve()
    browser = Browser(client.base)
    got = browser.log_in(annie, PASSWORD)
    assert (got.status, got.headers["Location"]) == (303, f"{client.base}/")
    for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=36000"):
        assert part in browser.given[0]
    assert "Secure" not in "".join(browser.given)
    assert list(browser.jar) == ["klantbrug"]
    for server in (client, other):  # every process on the store knows it
        assert inside(Browser(server.base, {urlsplit(server.base).netloc: dict(browser.jar)}))
    kept = dict(browser.jar)
    assert browser.post("/uitloggen").status == 403
    assert inside(browser)
    token = form_token_of(browser)
    assert browser.post("/uitloggen", {"csrf_token": token}).status == 303
    browser.jar.update(kept)
    assert not inside(browser)
    said = [(event.what, event.who) for event in store_events(store)]
    assert said == [
        ("uitgelogd", annie),
        ("ingelogd met wachtwoord", annie),
        ("beheerder annie gemaakt: bedienen", "test"),
    ]


def store_events(store: Store) -> list[events.Event]:
    with store.read() as connection:
        return events.events(connection, logins=True)


def form_token_of(browser: Browser) -> str:
    """The token of the forms of who is logged in, made of the session as the gateway makes it."""
    from gateway.login.cookies import form_token as made

    return made(next(iter(browser.jar.values())))


def test_whatever_is_wrong_the_answer_is_the_same(annie: str, serve: Serve, store: Store) -> None:
    accounts.create(store, "bert", PASSWORD, ["kijken"], "test")
    accounts.disable(store, "bert", "test")
    accounts.create(store, "carla", None, ["kijken"], "test")
    base = serve().base
    pages = set()
    for name, password in ((annie, "fout"), ("niemand", PASSWORD), ("bert", PASSWORD), ("carla", "")):
        got = Browser(base).log_in(name, password)
        assert got.status == 401
        page = re.sub(r'(name="csrf_token" value=")[^"]*', r"\1", got.raw.decode())
        pages.add(page.replace(f'value="{name}"', 'value=""'))
        assert password not in page or not password
    assert len(pages) == 1
    assert "Naam of wachtwoord klopt niet." in pages.pop()


def test_a_name_that_is_not_there_costs_as_much(
    annie: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []
    real = passwords._hasher.verify

    class Counting:
        def verify(self, kept: str, password: str) -> bool:
            judged.append(kept)
            return bool(real(kept, password))

        hash = staticmethod(passwords._hasher.hash)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    limit = throttle.Throttle(store, "x" * 32)
    for name in (annie, "niemand"):
        assert accounts.let_in(store, limit, name, "fout fout fout", "192.0.2.1") is None
    assert len(judged) == 2
    assert all(kept.startswith("$argon2id$") for kept in judged)


def test_passwords_are_kept_as_argon2_and_never_themselves(annie: str, store: Store, serve: Serve) -> None:
    browser = Browser(serve().base)
    browser.log_in(annie, PASSWORD)
    (kept,) = Probe(store).values("operator", "password")
    assert kept.startswith("$argon2id$")
    for file in store.path.parent.iterdir():
        content = file.read_bytes()
        assert PASSWORD.encode() not in content
        assert browser.jar["klantbrug"].encode() not in content


@pytest.mark.parametrize("password", ["kort", "x" * 11, "x" * 1001])
def test_a_password_has_a_length(store: Store, password: str) -> None:
    with pytest.raises(accounts.AccountError, match="tekens"):
        accounts.create(store, "annie", password, ["kijken"], "test")


@pytest.mark.parametrize("name", ["\0", "annie\0", "\ufffd", "x" * 5000])
def test_a_name_that_nobody_can_have_is_a_wrong_one(annie: str, serve: Serve, name: str) -> None:
    browser = Browser(serve().base)
    assert browser.log_in(name, PASSWORD).status == 401
    assert not inside(browser)


def test_guesses_end_for_an_account_and_for_an_address(
    annie: str, store: Store, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock(monkeypatch, skips=True)
    base = serve(trusted_proxies=["127.0.0.1"]).base

    def status(name: str, password: str, address: str) -> int:
        browser = Browser(base)
        token = form_token(browser.get("/inloggen"))
        fields = {"naam": name, "wachtwoord": password, "csrf_token": token}
        got = browser.post("/inloggen", fields, **{"X-Forwarded-For": address})
        assert (got.status == 429) == ("Retry-After" in got.headers)
        return got.status

    assert [status(annie, "fout", f"192.0.2.{n}") for n in range(11)] == [401] * 10 + [429]
    assert status(annie, PASSWORD, "198.51.100.1") == 429  # the right one too, from wherever
    assert status("niemand", "fout", "198.51.100.1") == 401  # and another account is not closed
    clock.passes(throttle.WINDOW_SECONDS)
    assert [status(f"n{n}", "fout", "2001:db8::1") for n in range(20)] == [401] * 20
    assert status(annie, PASSWORD, "2001:db8::2") == 429  # of the same site
    assert status(annie, PASSWORD, "203.0.113.9") == 303
    clock.passes(throttle.WINDOW_SECONDS)
    assert status(annie, PASSWORD, "2001:db8::2") == 303
    assert Probe(store).count("login_failure") == 1  # what is over is forgotten, but for this address
    assert not any(
        b"annie" in each or b"2001" in each for each in Probe(store).values("login_failure", "who")
    )


def test_the_right_password_begins_the_count_anew(annie: str, store: Store) -> None:
    limit = throttle.Throttle(store, "x" * 32)
    for _ in range(3):
        for n in range(throttle.OF_ACCOUNT - 1):
            assert accounts.let_in(store, limit, annie, "fout", f"192.0.2.{n}") is None
        assert accounts.let_in(store, limit, annie, PASSWORD, "203.0.113.1")


@pytest.mark.parametrize("spoil", ["without", "other browser", "blank"])
def test_a_form_of_another_website_does_not_log_in(annie: str, serve: Serve, spoil: str) -> None:
    base = serve().base
    browser = Browser(base)
    token = {
        "without": None,
        "other browser": form_token(Browser(base).get("/inloggen")),
        "blank": "",
    }[spoil]
    browser.get("/inloggen")
    fields = {"naam": annie, "wachtwoord": PASSWORD} | ({} if token is None else {"csrf_token": token})
    assert browser.post("/inloggen", fields).status == 403
    assert not inside(browser)


def test_who_plants_a_session_has_nothing_of_it(annie: str, store: Store, serve: Serve) -> None:
    browser = Browser(serve().base)
    browser.jar["klantbrug"] = "geplant"
    browser.log_in(annie, PASSWORD)
    first = browser.jar["klantbrug"]
    assert first != "geplant"
    assert inside(browser)
    # Another login of the same browser ends the session that it had.
    browser.get(urlsplit(new_link(store, settings(store.path).gateway, annie, [], "test")).path)
    assert inside(browser)
    assert not inside(Browser(browser.base, {urlsplit(browser.base).netloc: {"klantbrug": first}}))


def test_sessions_end_by_idleness_and_by_age(
    annie: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock(monkeypatch, skips=True)
    browser = Browser(serve(login=LoginSettings(idle_minutes=30, session_hours=2)).base)
    browser.log_in(annie, PASSWORD)
    clock.passes(29 * 60)
    assert inside(browser)
    clock.passes(29 * 60)
    assert inside(browser)  # it was used in between
    clock.passes(31 * 60)
    assert not inside(browser)
    browser.log_in(annie, PASSWORD)
    for _ in range(5):
        clock.passes(20 * 60)
        assert inside(browser)
    clock.passes(20 * 60)
    assert not inside(browser)  # however busy


@pytest.mark.parametrize("how", ["disabled", "password", "logout"])
def test_an_operator_is_out_everywhere_at_once(annie: str, store: Store, serve: Serve, how: str) -> None:
    browsers = [Browser(serve().base), Browser(serve().base)]
    for browser in browsers:
        browser.log_in(annie, PASSWORD)
        assert inside(browser)
    ended = {
        "disabled": lambda: accounts.disable(store, annie, "test"),
        "password": lambda: accounts.change_password(store, annie, "nog een lang wachtwoord", "test"),
        "logout": lambda: accounts.log_out(store, annie, "test"),
    }[how]()
    assert ended == 2
    assert not any(map(inside, browsers))
    status = browsers[0].log_in(annie, PASSWORD).status
    assert status == (303 if how == "logout" else 401)
    if how == "disabled":
        accounts.disable(store, annie, "test", again=True)
        assert browsers[0].log_in(annie, PASSWORD).status == 303


def test_behind_https_the_cookie_is_of_this_host_alone(annie: str, store: Store, serve: Serve) -> None:
    for public, name, path in (
        ("https://klant.example.nl", "__Host-klantbrug", "/"),
        ("https://klant.example.nl/brug", "__Secure-klantbrug", "/brug/"),
    ):
        browser = Browser(serve(public_url=public).base)
        got = browser.log_in(annie, PASSWORD)
        assert got.headers["Location"] == f"{public}/"
        assert set(browser.jar) == {name}
        assert browser.get("/inloggen").status == 303  # it is in
        fresh = got_cookie(browser.base)
        assert "Secure" in fresh
        assert f"Path={path}" in fresh
        assert "Domain" not in fresh


def got_cookie(base: str) -> str:
    browser = Browser(base)
    browser.get("/inloggen")
    (given,) = browser.given
    return given


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/fasen?bron=a", "/fasen?bron=a"),
        ("https://kwaad.example", "/"),
        ("//kwaad.example/x", "/"),
        ("/\\kwaad.example", "/"),
        ("\\\\kwaad.example", "/"),
        ("/x\\..\\y", "/"),
        ("/\nLocation: x", "/"),
        ("/\t/kwaad.example", "/"),
        ("javascript:alert(1)", "/"),
        ("@kwaad.example", "/"),
        ("", "/"),
    ],
)
def test_next_leads_to_ourselves_only(annie: str, serve: Serve, asked: str, leads_to: str) -> None:
    assert safe_path(asked) == leads_to
    client = serve()
    got = Browser(client.base).log_in(annie, PASSWORD, asked)
    assert got.headers["Location"] == f"{client.base}{leads_to}"


# Links


def test_a_link_works_once_and_not_for_programs(store: Store, serve: Serve) -> None:
    client = serve()
    link = urlsplit(new_link(store, settings(store.path).gateway, "piet", ROLES, "root")).path
    browser = Browser(client.base)
    assert browser.send("HEAD", link, {}).status == 401
    got = browser.get(link)
    assert got.status == 303
    assert inside(browser)
    assert browser.get(link).status == 303  # the same browser, twice
    late = Browser(client.base).get(link)
    assert late.status == 401
    assert "al gebruikt of verlopen" in late.raw.decode()
    assert store_events(store)[0][2:4] == ("ingelogd met link", "piet")
    session = browser.jar["klantbrug"]
    assert Browser(client.base).get(f"/inloggen/link/{session}").status == 401
    secret = link.rpartition("/")[2]
    assert not inside(Browser(client.base, {urlsplit(client.base).netloc: {"klantbrug": secret}}))


def test_a_link_expires_and_is_none_for_who_is_not_let_in(
    annie: str, store: Store, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock(monkeypatch, skips=True)
    gateway, base = settings(store.path).gateway, serve().base
    old = urlsplit(new_link(store, gateway, "piet", ROLES, "root")).path
    clock.passes(15 * 60)
    assert Browser(base).get(old).status == 401
    given = urlsplit(new_link(store, gateway, annie, ["kijken"], "root")).path
    accounts.disable(store, annie, "test")
    assert Browser(base).get(given).status == 401
    with pytest.raises(accounts.AccountError, match="niet toegelaten"):
        new_link(store, gateway, annie, ["kijken"], "root")


# What other pages use


def test_a_view_behind_needs(annie: str, store: Store) -> None:
    accounts.create(store, "bert", PASSWORD, ["kijken"], "test")
    app = create_app(settings(store.path), store=store)
    seen = []

    @app.route("/kamer", methods=["GET", "POST"])
    @needs("bedienen")
    def room() -> str:
        operator = current_operator()
        assert operator is not None
        seen.append(operator.name)
        log_event("kamer bezocht", "omdat het kan")
        return csrf_token()

    asker = app.test_client()
    html = {"Accept": "text/html"}
    out = asker.get("/kamer?deel=2", headers=html)
    assert (out.status_code, urlsplit(out.location).path) == (303, "/inloggen")
    assert urlsplit(out.location).query == "next=%2Fkamer%3Fdeel%3D2"
    assert (
        asker.get("/kamer", headers=html | {"HX-Request": "true"})
        .headers["HX-Redirect"]
        .endswith("next=%2Fkamer")
    )
    assert asker.post("/kamer", headers=html).status_code == 401
    assert asker.get("/kamer", headers={"Accept": "application/json"}).status_code == 401
    assert seen == []
    enter(asker, "bert")
    assert asker.get("/kamer", headers=html).status_code == 403
    assert seen == []
    asker = app.test_client()
    enter(asker, annie)
    got = asker.get("/kamer", headers=html)
    assert got.status_code == 200
    policy = got.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    for data, headers, status in (
        ({}, {}, 403),
        ({"csrf_token": "x"}, {}, 403),
        ({"csrf_token": got.text}, {}, 200),
        ({}, {"X-CSRF-Token": got.text}, 200),
    ):
        assert asker.post("/kamer", data=data, headers=headers).status_code == status
    assert seen == [annie] * 3
    event = store_events(store)[0]
    assert (event.what, event.who, event.why) == ("kamer bezocht", annie, "omdat het kan")
    with pytest.raises(ValueError, match="no role"):
        needs("alles")


def enter(asker: object, name: str) -> None:
    page = asker.get("/inloggen").text  # type: ignore[attr-defined]
    token = re.search(r'name="csrf_token" value="([^"]*)"', page)[1]  # type: ignore[index]
    fields = {"naam": name, "wachtwoord": PASSWORD, "csrf_token": token}
    assert asker.post("/inloggen", data=fields).status_code == 303  # type: ignore[attr-defined]


def test_every_change_from_a_browser_stands_behind_the_guard(store: Store) -> None:
    """An API takes a token in a header, which no form of another website sends along."""
    app = create_app(settings(store.path), store=store)
    apis = ("/klantinteracties/", "/beheer/api/", "/notificaties")
    open_to_all = {"login_password", "logout"}  # they judge the token of their form themselves
    changing = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if set(rule.methods or ()) - set(SAFE) and not rule.rule.startswith(apis)
    }
    unguarded = {name for name in changing if not hasattr(app.view_functions[name], "needs_role")}
    assert unguarded == open_to_all


# The command


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        '[gateway]\nregister = true\npublic_url = "https://klant.example.nl/brug"\n'
        f'[store]\n{store_keys(tmp_path / "klantbrug.db")}uuid_secret = "{UUID_SECRET}"\n'
    )
    return path


@pytest.mark.slow
def test_the_command_makes_accounts_and_lists_them(config: Path) -> None:
    done = command_process(
        config, "operator", "create", "annie", "--role", "personen-inzien", input=f"{PASSWORD}\n"
    )
    assert (done.returncode, done.stdout) == (0, "Beheerder annie is gemaakt.\n"), done.stderr
    again = command_process(config, "operator", "create", "annie", input=f"{PASSWORD}\n")
    assert (again.returncode, again.stderr) == (2, "Er is al een beheerder annie.\n")
    weak = command_process(config, "operator", "password", "annie", input="kort\n")
    assert weak.returncode == 2
    assert "minstens 12 tekens" in weak.stderr
    for arguments, said in (
        (["roles", "annie", "--role", "bedienen"], "annie mag nu: bedienen."),
        (["disable", "annie"], "annie mag niet meer inloggen; sessies beëindigd: 0."),
        (["disable", "annie", "--undo"], "annie mag weer inloggen."),
        (["logout", "annie"], "Sessies beëindigd: 0."),
    ):
        assert command(config, "operator", *arguments).output == f"{said}\n"
    assert "annie: bedienen, kijken, gemaakt" in command(config, "operator", "list").output
    assert (
        '"roles":["bedienen","kijken"],"password":true'
        in command(config, "operator", "list", "--json").output
    )
    assert command(config, "operator", "disable", "niemand").exit_code == 2
    assert "- beheerder annie gemaakt: personen inzien (" in command(config, "operator", "log").output


def test_the_command_prints_a_link_alone(config: Path, tmp_path: Path) -> None:
    make_store(tmp_path / "klantbrug.db").close()
    done = command(config, "operator", "link", "piet", "--role", "kijken")
    assert done.exit_code == 0, done.output
    assert re.fullmatch(r"https://klant\.example\.nl/brug/inloggen/link/[\w-]{43}\n", done.stdout)
    assert "Werkt één keer" in done.stderr
