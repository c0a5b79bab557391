"""What the recorded server answered to a question, this server answers too, field by field."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders.recordings import Exchange, RecordedRegister, differences, exchanges, recorded
from builders.served_store import Client

READ = ("GET", "HEAD", "OPTIONS")
# Objects that several results share are expanded in each, which the recorded server did in the first only.
EXPANDED_EVERYWHERE = 74
OPENAPI = (183, 184)
# Before the body of a write is looked at.
REFUSED_BEFORE_WRITING = (155, 156, 158, 165, 166, 167, 168)
SAME_HEADERS = ("Content-Type", "WWW-Authenticate", "X-Frame-Options", "X-Content-Type-Options", "Vary")
SAME_API_HEADERS = ("API-version", "Referrer-Policy", "Cross-Origin-Opener-Policy")


@pytest.fixture
def client(reader: Client) -> Client:
    """The tests here only read."""
    return reader


def replayed() -> list[Exchange]:
    return [
        exchange
        for exchange in exchanges()
        if exchange.number not in OPENAPI
        and (exchange.method in READ or exchange.number in REFUSED_BEFORE_WRITING)
    ]


def ask(client: Client, exchange: Exchange):
    headers = {
        name: value.replace("<token>", client.token) for name, value in exchange.request_headers.items()
    }
    body = b"{}" if exchange.method in ("POST", "PUT", "PATCH") else None
    return client.send(exchange.method, exchange.path, headers, body)


@pytest.mark.slow
def test_every_recorded_question_gets_the_recorded_answer(
    register: RecordedRegister, serve: Callable[..., Client]
) -> None:
    """All reading of the recordings, in order; the writes between them are done to the store directly."""
    client, wrong, asked = serve(), [], 0
    questions = {exchange.number for exchange in replayed()}
    for exchange in exchanges():
        if exchange.number in questions:
            asked += 1
            got = ask(client, exchange)
            if got.status != exchange.status:
                wrong.append(f"{exchange.name}: status {got.status}")
            elif exchange.response is not None and exchange.method != "OPTIONS":
                found = list(differences(exchange.response, got.json, client.base))
                wrong += [f"{exchange.name}: {line}" for line in found[:3]]
        elif exchange.number > 46:
            register.follow(exchange)
    allowed = {line for line in wrong if line.startswith("074-")}
    assert asked > 90
    assert sorted(set(wrong) - allowed) == []


def test_an_object_that_several_results_share_is_expanded_in_each(client: Client) -> None:
    """Recording 074 differs by decision: there the second klantcontact of a partij had null for it."""
    exchange = recorded(EXPANDED_EVERYWHERE)
    results = ask(client, exchange).json["results"]
    partijen = [
        betrokkene["_expand"]["wasPartij"]["uuid"]
        for result in results
        for betrokkene in result["_expand"].get("hadBetrokkenen", [])
        if betrokkene["wasPartij"]
    ]
    assert len(partijen) == 2
    assert len(set(partijen)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [33, 48, 62, 79, 96, 153, 156, 159, 169])
def test_the_headers_are_the_recorded_ones(client: Client, number: int) -> None:
    exchange = recorded(number)
    got = ask(client, exchange)
    for name in (*SAME_HEADERS, *SAME_API_HEADERS):
        assert got.headers.get(name) == exchange.response_headers.get(name), name


@pytest.mark.slow
@pytest.mark.parametrize(
    "exchange",
    [one for one in exchanges() if 33 <= one.number <= 53 and one.status == 200],
    ids=lambda one: one.name,
)
def test_fields_stand_in_the_recorded_order(client: Client, exchange: Exchange) -> None:
    got = ask(client, exchange).json
    here = got["results"][0] if "results" in got else got
    there = exchange.response["results"][0] if "results" in exchange.response else exchange.response
    assert list(here) == list(there)


def test_head_is_get_without_the_body(client: Client) -> None:
    headers = {"Authorization": f"Token {client.token}"}
    head, get = client.send("HEAD", "/partijen", headers), client.send("GET", "/partijen", headers)
    assert head.status == 200
    assert head.raw == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"] == str(len(get.raw))


@pytest.mark.parametrize("path", ["/partijen/", "//partijen", "/Partijen", "/bestaatniet", "/partijen/x/y"])
def test_a_path_that_is_not_there_is_a_problem_document_too(client: Client, path: str) -> None:
    """The recorded server answers these with a page of HTML, which no client of an API can read."""
    got = client.get(path)
    assert got.status == 404
    assert got.json["code"] == "not_found"
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["API-version"] == "0.9.0"
