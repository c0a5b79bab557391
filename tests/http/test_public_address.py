"""URLs in answers have the address that the client asked by: also behind a proxy, and under a second name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from builders.both_ways import BothWays
from builders.editor import KLANTCONTACT, PERSOON, Editor
from builders.probe.probe import Probe
from builders.recordings import RecordedRegister
from builders.served_store import API, Client

from gateway.store.base.store import Store

PUBLIC = "https://klanten.example.nl/brug"
INSIDE = "http://klantbrug.intern:8080"
HERE = ["127.0.0.0/8"]
URL = re.compile(rb'"(https?://[^"]*?)/(?:klantinteracties|ref)/')
Serve = Callable[..., Client]


def bases(raw: bytes) -> set[str]:
    """What the URLs in an answer begin with."""
    return {found.decode() for found in URL.findall(raw)}


def everywhere(editor: Editor, **headers: str) -> set[str]:
    """The bases of all URLs that a client meets: in lists and what they expand, details, errors, writes, documents."""
    found: set[str] = set()
    for path in (
        "/partijen?pageSize=1&page=2&expand=digitaleAdressen",
        "/klantcontacten?pageSize=1",
        f"{API}/",
    ):
        found |= bases(editor.client.get(path, **headers).raw)
    found |= bases(editor.client.get("/partijen?page=99999", **headers).raw)
    found |= bases(editor.client.get("/onbekend", **headers).raw)
    found |= bases(editor.client.send("GET", "/partijen", headers).raw)
    made = editor.send("POST", "/partijen", PERSOON, **headers)
    found |= bases(made.raw) | {made.headers["Location"].split("/klantinteracties/")[0]}
    path = f"/partijen/{made.json['uuid']}"
    found |= bases(editor.client.get(path, **headers).raw)
    found |= bases(editor.send("PATCH", path, {"interneNotitie": "x"}, **headers).raw)
    whole = {"klantcontact": KLANTCONTACT}
    return found | bases(editor.send("POST", "/maak-klantcontact", whole, **headers).raw)


@pytest.fixture
def edit(register: RecordedRegister, serve: Serve) -> Callable[..., Editor]:
    return lambda **settings: Editor(serve(scope="write", **settings))


def test_a_trusted_proxy_tells_by_which_scheme_it_was_asked(edit: Callable[..., Editor]) -> None:
    editor = edit(trusted_proxies=HERE)
    sent = {"Host": "brug.example.nl", "X-Forwarded-Proto": "https"}
    assert everywhere(editor, **sent) == {"https://brug.example.nl"}
    assert everywhere(editor, Host="brug.example.nl") == {"http://brug.example.nl"}
    sent["X-Forwarded-Proto"] = "http, HTTPS"
    assert everywhere(editor, **sent) == {"https://brug.example.nl"}
    sent["X-Forwarded-Proto"] = "javascript"
    assert everywhere(editor, **sent) == {"http://brug.example.nl"}


@pytest.mark.parametrize("trusted", [[], ["192.0.2.7", "10.0.0.0/8", "::1"]])
def test_anyone_else_does_not(edit: Callable[..., Editor], trusted: list[str]) -> None:
    sent = {"Host": "brug.example.nl", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "boef.example"}
    assert everywhere(edit(trusted_proxies=trusted), **sent) == {"http://brug.example.nl"}


@pytest.mark.slow
def test_a_trusted_proxy_does_not_make_up_a_host(edit: Callable[..., Editor]) -> None:
    """It may pass on what the client sent."""
    sent = {"Host": "brug.example.nl", "X-Forwarded-Host": "boef.example"}
    assert everywhere(edit(trusted_proxies=HERE), **sent) == {"http://brug.example.nl"}
    editor = edit(public_url=PUBLIC, also_known_as=[INSIDE], trusted_proxies=HERE)
    assert everywhere(editor, **sent) == {PUBLIC}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("klantbrug.intern:8080", INSIDE),
        ("KLANTBRUG.Intern:8080", INSIDE),
        ("klanten.example.nl", PUBLIC),
        ("klanten.example.nl:443", PUBLIC),
        ("klantbrug.intern", PUBLIC),
        ("klantbrug.intern:80", PUBLIC),
        ("boef.example", PUBLIC),
        ("tweede.example.nl", "https://tweede.example.nl/klant"),
        ("tweede.example.nl:443", "https://tweede.example.nl/klant"),
    ],
)
def test_a_client_gets_the_configured_address_that_it_came_by(
    edit: Callable[..., Editor], host: str, base: str
) -> None:
    editor = edit(public_url=f"{PUBLIC}/", also_known_as=[f"{INSIDE}/", "https://tweede.example.nl/klant/"])
    assert everywhere(editor, Host=host) == {base}


def test_pages_are_walked_to_the_end_by_each_address(register: RecordedRegister, serve: Serve) -> None:
    """As client libraries do, which refuse a `next` of another base."""
    client = serve(public_url=PUBLIC, also_known_as=[INSIDE])
    for host, base in (("klantbrug.intern:8080", INSIDE), ("klanten.example.nl", PUBLIC)):
        address, pages = f"{base}{API}/partijen?pageSize=1", []
        while address:
            assert address.startswith(f"{base}{API}/")
            got = client.get(address.removeprefix(f"{base}{API}"), Host=host).json
            pages.append(got["results"])
            address = got["next"]
        assert len(pages) == got["count"] > 1
        assert got["previous"].startswith(f"{base}{API}/")


def test_two_schemes_of_one_host_are_told_apart_by_a_trusted_proxy(edit: Callable[..., Editor]) -> None:
    editor = edit(
        public_url="https://a.example.nl", also_known_as=["http://a.example.nl"], trusted_proxies=HERE
    )
    assert everywhere(editor, Host="a.example.nl") == {"http://a.example.nl"}
    assert everywhere(editor, **{"Host": "a.example.nl", "X-Forwarded-Proto": "https"}) == {
        "https://a.example.nl"
    }


def test_a_trusted_proxy_that_names_itself_may_choose_among_the_configured(
    edit: Callable[..., Editor],
) -> None:
    editor = edit(public_url=PUBLIC, also_known_as=[INSIDE], trusted_proxies=HERE)
    sent = {"Host": "pod-7.example", "X-Forwarded-Host": "klantbrug.intern:8080"}
    assert everywhere(editor, **sent) == {INSIDE}
    assert everywhere(edit(public_url=PUBLIC, also_known_as=[INSIDE]), **sent) == {PUBLIC}


@pytest.mark.slow
def test_redirects_and_the_description_lie_under_it_too(serve: Serve) -> None:
    client = serve(public_url=PUBLIC, also_known_as=[INSIDE])
    for host, base, prefix in (("klantbrug.intern:8080", INSIDE, ""), ("x", PUBLIC, "/brug")):
        asked = {"Host": host}
        assert client.send("GET", API, asked).headers["Location"] == f"{prefix}{API}/"
        for path in ("/schema", "/schema/openapi.json", "/schema/openapi.yaml"):
            to = client.send("GET", path, asked).headers["Location"]
            assert to.startswith(f"{prefix}{API}/")
        assert client.send("GET", "/openapi.json", asked).json["servers"] == [{"url": f"{base}{API}"}]
        assert f"url: {base}{API}\n".encode() in client.send("GET", "/openapi.yaml", asked).raw


def test_notifications_tell_the_public_address_whoever_writes(store: Store, serve: Serve) -> None:
    """Who takes them does not know the address by which the writer came."""
    editor = Editor(serve(public_url=PUBLIC, also_known_as=[INSIDE], scope="write", notify_url="http://x"))
    made = editor.send("POST", "/partijen", PERSOON, Host="klantbrug.intern:8080")
    editor.send(
        "PATCH", f"/partijen/{made.json['uuid']}", {"interneNotitie": "x"}, Host="klantbrug.intern:8080"
    )
    editor.send("DELETE", f"/partijen/{made.json['uuid']}", Host="klantbrug.intern:8080")
    messages = Probe(store).values("outbox", "message", "id")
    assert len(messages) == 3
    assert all(bases(message.encode()) == {PUBLIC} for message in messages)


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2", "", "geen adres"])
def test_both_ways_agree(register: RecordedRegister, store: Store, peer: str) -> None:
    trusted = peer.endswith("10.0.0.1")
    asked: dict[str, Any] = {"public_url": PUBLIC, "also_known_as": [INSIDE], "trusted_proxies": ["10.0.0.1"]}
    plain = BothWays(store, trusted_proxies=["10.0.0.1"])
    configured = BothWays(store, **asked, name="other")
    for both, header, value, usual, told in (
        (plain, "X-Forwarded-Proto", "https", "http://a.example", "https://a.example"),
        (plain, "X-Forwarded-Host", "boef.example", "http://a.example", "http://a.example"),
        (configured, "X-Forwarded-Host", "klantbrug.intern:8080", PUBLIC, INSIDE),
        (configured, "X-Forwarded-Proto", "http", PUBLIC, PUBLIC),
    ):
        sent = {"Authorization": f"Token {both.token}", "Host": "a.example", header: value}
        status, _, body = both.ask("GET", f"{API}/partijen?pageSize=1", sent, peer)
        assert status == "200"
        assert bases(body) == {told if trusted else usual}
