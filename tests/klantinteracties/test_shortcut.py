"""The short way gives the status, headers and body that the way by Flask gives."""

from __future__ import annotations

import pytest
from builders.both_ways import BothWays
from builders.recordings import RecordedRegister, exchanges
from builders.served_store import API
from werkzeug.test import EnvironBuilder

from gateway.store.base.store import Store

QUESTIONS = [exchange for exchange in exchanges() if exchange.method in ("GET", "HEAD", "OPTIONS")]


@pytest.fixture(scope="session")
def both_ways(recorded_store: Store) -> BothWays:
    return BothWays(recorded_store)


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_both_ways_give_the_same_answer(both_ways: BothWays, question) -> None:  # type: ignore[no-untyped-def]
    token = {"Authorization": f"Token {both_ways.token}"}
    sent = {name: value for name, value in question.request_headers.items() if name != "Authorization"}
    both_ways.ask(question.method, question.path, sent | token)
    both_ways.ask(question.method, question.path, sent)


@pytest.mark.parametrize(
    ("path", "headers", "short"),
    [
        ("/partijen", {}, True),
        ("/partijen?pageSize=1", {}, True),
        ("/partijen/00000000-0000-4000-8000-000000000000", {}, True),
        ("/partijen/geen-uuid", {}, True),
        ("/partijen/geen/uuid", {}, False),
        ("/partijen/", {}, False),
        ("/onbekend", {}, False),
        ("/maak-klantcontact", {}, False),
        ("/partijen", {"Origin": "https://portaal.example.nl"}, False),
    ],
)
def test_only_plain_questions_take_the_short_way(
    both_ways: BothWays, path: str, headers: dict[str, str], short: bool
) -> None:
    builder = EnvironBuilder(API + path.split("?")[0], headers=headers)
    for method, taken in (("GET", short), ("HEAD", False), ("POST", False), ("DELETE", False)):
        environ = builder.get_environ() | {"REQUEST_METHOD": method}
        assert (both_ways.shortcut._find(environ) is not None) == taken


@pytest.mark.parametrize(
    "last",
    [
        "geen-uuid",
        "",
        "a/b",
        "%0A",
        "%C3%A9",
        "%FF",
        "a%2Fb",
        "a%20b",
        "00000000-0000-4000-8000-00000000000%0A",
    ],
)
def test_both_ways_find_nothing_where_a_path_has_no_uuid(both_ways: BothWays, last: str) -> None:
    token = {"Authorization": f"Token {both_ways.token}"}
    assert both_ways.ask("GET", f"{API}/partijen/{last}", token)[0] == "404"


def test_pages_of_other_websites_get_the_headers_of_cors(register: RecordedRegister, store: Store) -> None:
    origin = "https://portaal.example.nl"
    ways = BothWays(store, cors_origins=(origin,))
    token = {"Authorization": f"Token {ways.token}"}
    _, headers, _ = ways.ask("GET", f"{API}/partijen", token | {"Origin": origin})
    assert ("Access-Control-Allow-Origin", origin) in headers
    ways.ask("GET", f"{API}/partijen", token)
