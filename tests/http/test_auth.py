"""Tokens: what they open, and what the store keeps of them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import pytest
from builders.probe.other_writer import hogged
from builders.probe.probe import Probe
from builders.probe.tamper import Tamper
from builders.served_store import Client

from gateway.http.auth import Gatekeeper, TokenError, create_token, identify
from gateway.http.problems import Problem
from gateway.http.wrong_tokens import FREE_OF_ADDRESS, WrongTokens
from gateway.store.base.store import Store
from gateway.store.operation import tokens
from gateway.store.operation.tokens import listing, revoke


def refusal(gatekeeper: Gatekeeper, header: str | None, scope: str = "read") -> tuple[int, str, str]:
    with pytest.raises(Problem) as caught:
        gatekeeper.admit(header, scope)
    return caught.value.status, caught.value.code, caught.value.detail


def test_a_token_is_kept_as_its_digest_only(store: Store) -> None:
    secret = create_token(store, "KISS", "read")
    (row,) = Probe(store).rows("token", "name", "digest", "scope")
    assert row == ("KISS", hashlib.sha256(secret.encode()).digest(), "read")
    for file in store.path.parent.iterdir():
        assert secret.encode() not in file.read_bytes()


@pytest.mark.parametrize(("name", "scope"), [("a", "read"), (" a ", "write"), ("", "read"), ("b", "alles")])
def test_a_token_needs_a_name_of_its_own_and_a_known_scope(store: Store, name: str, scope: str) -> None:
    create_token(store, "a", "read")
    with pytest.raises(TokenError):
        create_token(store, name, scope)


@pytest.mark.parametrize(
    ("scope", "opens"),
    [
        ("read", {"read"}),
        ("write", {"read", "write"}),
        ("operate", {"operate", "monitor"}),
        ("monitor", {"monitor"}),
    ],
)
def test_a_scope_implies_the_lower_ones(store: Store, scope: str, opens: set[str]) -> None:
    gatekeeper = Gatekeeper(store)
    header = f"Token {create_token(store, 'x', scope)}"
    for wanted in ("read", "write", "operate", "monitor"):
        if wanted in opens:
            assert gatekeeper.admit(header, wanted).name == "x"
        else:
            assert refusal(gatekeeper, header, wanted)[:2] == (403, "permission_denied")


@pytest.mark.parametrize("keyword", ["Token", "token", "TOKEN"])
def test_the_keyword_may_be_in_any_case(store: Store, keyword: str) -> None:
    secret = create_token(store, "x", "read")
    assert identify(store, f"{keyword} {secret}").name == "x"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "not_authenticated"),
        ("", "not_authenticated"),
        ("Bearer abc", "not_authenticated"),
        ("Token", "authentication_failed"),
        ("Token a b", "authentication_failed"),
        ("Token onbekend", "authentication_failed"),
        ("Token \udcff", "authentication_failed"),
    ],
)
def test_what_is_no_token_is_refused(store: Store, header: str | None, code: str) -> None:
    assert refusal(Gatekeeper(store), header)[:2] == (401, code)


def test_a_revoked_token_stops_working_within_seconds(store: Store) -> None:
    header = f"Token {create_token(store, 'x', 'read')}"
    gatekeeper = Gatekeeper(store, remembered_seconds=0)
    gatekeeper.admit(header, "read")
    assert tokens.revoke(store, "x")
    assert refusal(gatekeeper, header) == (401, "authentication_failed", "Ongeldige token.")


def last_used(store: Store) -> int | None:
    (row,) = tokens.listing(store)
    return row.last_used


def test_use_is_noted_at_most_once_a_minute(store: Store) -> None:
    header = f"Token {create_token(store, 'x', 'read')}"
    assert last_used(store) is None
    identify(store, header)
    first = last_used(store)
    assert first is not None
    identify(store, header)
    assert last_used(store) == first
    Tamper(store).tokens_used_before(61_000_000)
    identify(store, header)
    assert last_used(store) >= first


def test_a_busy_store_does_not_keep_a_reader_waiting(store: Store, serve: Callable[..., Client]) -> None:
    """Another process is writing: the answer comes at once, and the use is noted another time."""
    client = serve()
    with hogged(store.path):
        assert client.get("/partijen").status == 200
        assert last_used(store) is None


def test_without_a_token_nobody_learns_what_is_there(client: Client) -> None:
    """401 comes before 404 and 405; only what takes no JSON at all is told so first."""
    for method, path in (
        ("GET", "/partijen/geen-uuid"),
        ("DELETE", "/partijen"),
        ("OPTIONS", "/actoren"),
        ("GET", "/"),
    ):
        got = client.send(method, path if path != "/" else "/klantinteracties/api/v1/")
        assert got.status == 401
        assert got.headers["WWW-Authenticate"] == "Token"
    assert client.send("GET", "/partijen", {"Accept": "text/html"}).status == 406


def guess(gatekeeper: Gatekeeper, address: str) -> Problem:
    with pytest.raises(Problem) as caught:
        gatekeeper.admit("Token kb_wrong", "read", {"REMOTE_ADDR": address})
    return caught.value


def test_who_guesses_is_told_to_come_back_and_nobody_waits(store: Store) -> None:
    gatekeeper = Gatekeeper(store)
    header = f"Token {create_token(store, 'x', 'read')}"
    began = time.monotonic()
    assert [guess(gatekeeper, "10.0.0.1").status for _ in range(FREE_OF_ADDRESS)] == [401] * FREE_OF_ADDRESS
    refused = guess(gatekeeper, "10.0.0.1")
    assert refused.status == 429
    assert 1 <= int(dict(refused.headers)["Retry-After"]) <= 60
    assert gatekeeper.admit(header, "read", {"REMOTE_ADDR": "10.0.0.1"}).name == "x"
    assert guess(gatekeeper, "10.0.0.2").status == 401, "each address is counted by itself"
    assert time.monotonic() - began < 1


def test_guesses_of_many_addresses_are_counted_together_and_a_right_token_passes(store: Store) -> None:
    guesses = WrongTokens(free_of_all=20)
    gatekeepers = [Gatekeeper(store, guesses=guesses, remembered_seconds=0) for _ in range(2)]
    header = f"Token {create_token(store, 'x', 'read')}"
    seen = [guess(gatekeepers[number % 2], f"10.0.1.{number}").status for number in range(25)]
    assert seen == [401] * 20 + [429] * 5
    for gatekeeper in gatekeepers:
        assert gatekeeper.admit(header, "read", {"REMOTE_ADDR": "10.0.1.1"}).name == "x"


def test_a_revoked_token_is_listed_and_opens_nothing(store: Store) -> None:
    header = f"Token {create_token(store, 'x', 'read')}"
    assert Gatekeeper(store).admit(header, "read").name == "x"
    assert revoke(store, "x")
    assert refusal(Gatekeeper(store), header)[0] == 401
    assert [(row.name, row.scope, row.revoked is not None) for row in listing(store)] == [("x", "read", True)]
    assert not revoke(store, "x")
