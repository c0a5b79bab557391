"""The status page: for a token with the scope monitor, or by a link that works once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from builders.commands import command
from builders.probe.probe import Probe
from builders.served_store import Client, Got, settings

from gateway.beheer import page_access
from gateway.beheer.page_access import COOKIE, PATH, new_link
from gateway.http.auth import create_token
from gateway.store.file.database import Store

Serve = Callable[..., Client]
SHOWN, CLOSED = "Documenten", "geen toegang"


def link_of(store: Store) -> str:
    return urlsplit(new_link(store, settings(store.path, bind="127.0.0.1:8000").gateway)).path


def enter(client: Client, link: str) -> tuple[Got, str]:
    """Follow a link as a browser: the answer, and the cookie that it gives."""
    got = client.send("GET", link)
    return got, got.headers.get("Set-Cookie", "").partition(";")[0]


def test_nobody_sees_the_page_without_a_pass(store: Store, serve: Serve) -> None:
    client = serve()
    wrong = [{}, {"Cookie": f"{COOKIE}=x"}, {"Cookie": f"{COOKIE}="}, {"Authorization": "Token kb_x"}]
    for headers in wrong:
        got = client.send("GET", "/", headers)
        page = got.raw.decode()
        assert got.status == 401
        assert got.headers["WWW-Authenticate"] == "Token"
        assert got.headers["Cache-Control"] == "no-store"
        assert CLOSED in page
        assert "klantbrug status --link" in page
        assert SHOWN not in page
    assert client.get("/").status == 403  # it may only read


@pytest.mark.parametrize(("scope", "status"), [("monitor", 200), ("operate", 200), ("write", 403)])
def test_a_token_opens_it_by_its_scope(store: Store, serve: Serve, scope: str, status: int) -> None:
    got = Client(serve().base, create_token(store, scope, scope)).get("/")
    assert got.status == status
    assert (SHOWN in got.raw.decode()) == (status == 200)


def test_a_link_works_once_and_then_the_cookie(store: Store, serve: Serve) -> None:
    client, other = serve(), serve()
    link = link_of(store)
    assert client.send("HEAD", link).status == 401  # what looks before a person does uses nothing up
    got, cookie = enter(client, link)
    assert got.status == 303
    assert urlsplit(got.headers["Location"]).path == "/"
    given = got.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=3600"):
        assert part in given
    assert "Secure" not in given
    for server in (client, other):  # every worker knows it
        assert SHOWN in server.send("GET", "/", {"Cookie": cookie}).raw.decode()
    again, none = enter(client, link)
    assert (again.status, none) == (401, "")
    assert "al gebruikt of verlopen" in again.raw.decode()
    assert client.send("GET", link, {"Cookie": cookie}).status == 303  # the same browser, twice
    assert client.send("GET", "/beheer/api/v1/status", {"Cookie": cookie}).status == 401
    assert client.send("GET", "/partijen", {"Cookie": cookie}).status == 401


def test_behind_https_the_cookie_stays_there(store: Store, serve: Serve) -> None:
    client = serve(public_url="https://klant.example.nl/brug")
    got, _ = enter(client, link_of(store))
    assert got.headers["Location"] == "https://klant.example.nl/brug/"
    assert "Secure" in got.headers["Set-Cookie"]
    assert "Path=/brug/" in got.headers["Set-Cookie"]


def test_links_and_sessions_expire(store: Store, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    client = serve()
    monkeypatch.setattr(page_access, "LINK_SECONDS", 0)
    assert enter(client, link_of(store))[0].status == 401
    monkeypatch.setattr(page_access, "LINK_SECONDS", 60)
    monkeypatch.setattr(page_access, "SESSION_SECONDS", 0)
    got, cookie = enter(client, link_of(store))
    assert got.status == 303
    assert client.send("GET", "/", {"Cookie": cookie}).status == 401
    link_of(store)
    assert Probe(store).count("pass") == 1  # what expired is forgotten


def test_the_store_has_digests_only_and_a_link_is_no_session(store: Store, serve: Serve) -> None:
    client, link = serve(), link_of(store)
    secret = link.removeprefix(PATH)
    assert client.send("GET", "/", {"Cookie": f"{COOKIE}={secret}"}).status == 401
    (kept,) = Probe(store).values("pass", "digest")
    assert kept == hashlib.sha256(secret.encode()).digest()
    _, cookie = enter(client, link)
    session = cookie.removeprefix(f"{COOKIE}=")
    assert enter(client, PATH + session)[0].status == 401
    for file in store.path.parent.iterdir():
        content = file.read_bytes()
        assert secret.encode() not in content
        assert session.encode() not in content


@pytest.mark.parametrize(
    ("gateway", "begin"),
    [
        ("", "http://127.0.0.1:8000/toegang/"),
        ('bind = "0.0.0.0:9000"', "http://127.0.0.1:9000/toegang/"),
        ('bind = "[::]:9000"', "http://[::1]:9000/toegang/"),
        ('public_url = "https://klant.example.nl/brug/"', "https://klant.example.nl/brug/toegang/"),
    ],
)
def test_the_command_prints_a_link_alone(tmp_path: Path, gateway: str, begin: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f"[gateway]\nregister = true\n{gateway}\n")
    Store(tmp_path / "klantbrug.db").close()
    done = command(config, "status", "--link")
    assert done.exit_code == 0, done.output
    assert re.fullmatch(re.escape(begin) + r"[\w-]{43}\n", done.stdout)
    assert "Werkt één keer" in done.stderr
