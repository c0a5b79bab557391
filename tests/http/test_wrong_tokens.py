"""Wrong tokens are counted by address and together, over all processes of a server, and cost nobody time."""

from __future__ import annotations

import os

import pytest

from gateway.http import wrong_tokens
from gateway.http.public_address import PublicAddresses
from gateway.http.wrong_tokens import FREE_OF_ADDRESS, FREE_OF_ALL, SECONDS, WrongTokens


@pytest.mark.slow
def test_processes_count_together() -> None:
    """Each guesses as often as is free for one: of all together only so many were."""
    counts = WrongTokens()
    reader, writer = os.pipe()
    children = []
    for _ in range(4):
        child = os.fork()
        if not child:
            free = sum(not counts.note("192.0.2.1") for _ in range(FREE_OF_ADDRESS))
            os.write(writer, bytes([free]))
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    assert sum(os.read(reader, 4)) == FREE_OF_ADDRESS
    assert counts.note("192.0.2.1") > 0
    assert counts.note("192.0.2.2") == 0


@pytest.mark.slow
def test_a_process_that_is_killed_while_it_counts_holds_up_nobody() -> None:
    counts = WrongTokens()
    child = os.fork()
    if not child:
        with counts._locked():
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert counts.note("192.0.2.1") == 0


def test_after_a_minute_it_is_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = WrongTokens()
    moment = 1000.0
    monkeypatch.setattr(wrong_tokens.time, "monotonic", lambda: moment)
    assert [counts.note("192.0.2.1") for _ in range(FREE_OF_ADDRESS + 1)] == [0] * FREE_OF_ADDRESS + [60]
    moment += SECONDS - 10
    assert counts.note("192.0.2.1") == 10
    moment += 10
    assert counts.note("192.0.2.1") == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [("2001:db8::1", "2001:db8::2:3"), ("192.0.2.7", "::ffff:192.0.2.7"), ("no address", "another")],
)
def test_what_is_of_one_customer_is_counted_as_one(one: str, other: str) -> None:
    counts = WrongTokens()
    for _ in range(FREE_OF_ADDRESS):
        assert counts.note(one) == 0
    assert counts.note(other) > 0


def test_more_addresses_than_there_are_places_are_stopped_by_the_count_of_all() -> None:
    counts = WrongTokens()
    found = [counts.note(f"10.{n >> 8}.{n & 255}.1") for n in range(3 * wrong_tokens.PLACES)]
    assert not any(found[:FREE_OF_ALL])
    assert all(found[FREE_OF_ALL:])


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("10.0.0.7", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.7", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.7", "203.0.113.9, 10.0.0.8", "203.0.113.9"),
        ("10.0.0.7", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.7", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.7", "onzin", "10.0.0.7"),
        ("10.0.0.7", "", "10.0.0.7"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("::ffff:10.0.0.7", "203.0.113.9", "203.0.113.9"),
    ],
)
def test_only_a_trusted_proxy_says_who_asks(peer: str, said: str, client: str) -> None:
    addresses = PublicAddresses(trusted_proxies=["10.0.0.0/24"])
    assert addresses.client({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": said}) == client


def test_without_trusted_proxies_who_is_connected_asks() -> None:
    environ = {"REMOTE_ADDR": "10.0.0.7", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert PublicAddresses().client(environ) == "10.0.0.7"
