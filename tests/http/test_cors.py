"""CORS: off unless the operator names origins, and then for those origins only."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders.served_store import Client, Got

KCC = "https://kcc.example.nl"
PREFLIGHT = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture
def open_to_kcc(serve: Callable[..., Client]) -> Client:
    """A server that pages of one website may use."""
    return serve(cors_origins=(KCC, "http://localhost:3000"))


def cors_headers(got: Got) -> dict[str, str]:
    return {name: value for name, value in got.headers.items() if name.startswith("Access-Control-")}


def test_by_default_no_page_of_another_website_may_look(serve: Callable[..., Client]) -> None:
    client = serve()
    preflight = client.send("OPTIONS", "/partijen", {"Origin": KCC, **PREFLIGHT})
    assert (preflight.status, cors_headers(preflight)) == (200, {})
    answer = client.get("/partijen", Origin=KCC)
    assert (answer.status, cors_headers(answer)) == (200, {})


def test_a_preflight_of_a_known_origin_gets_its_permission_without_a_token(open_to_kcc: Client) -> None:
    for path in ("/partijen", "/klantcontacten/0f7fa4a0-2d3c-4a06-8f3a-6c0d7f9c0b11", "/maak-klantcontact"):
        got = open_to_kcc.send("OPTIONS", path, {"Origin": KCC, **PREFLIGHT})
        assert (got.status, got.raw) == (200, b"")
        assert got.headers["Access-Control-Allow-Origin"] == KCC
        assert (
            got.headers["Access-Control-Allow-Headers"]
            == "Authorization, Content-Type, If-Match, If-None-Match, X-Request-ID, traceparent"
        )
        assert "PATCH" in got.headers["Access-Control-Allow-Methods"]
        assert "Access-Control-Allow-Credentials" not in got.headers


def test_an_answer_to_a_known_origin_may_be_read_by_its_page(open_to_kcc: Client) -> None:
    got = open_to_kcc.get("/partijen", Origin="http://localhost:3000")
    assert got.status == 200
    assert got.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert "Location" in got.headers["Access-Control-Expose-Headers"]


def test_a_refusal_may_be_read_too(open_to_kcc: Client) -> None:
    """Otherwise a page cannot tell a wrong token from a server that is away."""
    for got in (
        open_to_kcc.send("GET", "/partijen", {"Origin": KCC}),
        open_to_kcc.get("/nergens", Origin=KCC),
        open_to_kcc.get("/partijen?onbekend=1", Origin=KCC),
    ):
        assert got.status in (400, 401, 404)
        assert got.headers["Access-Control-Allow-Origin"] == KCC


@pytest.mark.slow
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://kcc.example.nl.evil.example", "http://kcc.example.nl", "null"]
)
def test_another_origin_gets_nothing(open_to_kcc: Client, origin: str) -> None:
    preflight = open_to_kcc.send("OPTIONS", "/partijen", {"Origin": origin, **PREFLIGHT})
    assert (preflight.status, cors_headers(preflight)) == (200, {})
    assert cors_headers(open_to_kcc.get("/partijen", Origin=origin)) == {}


def test_caches_keep_the_answers_to_different_origins_apart(open_to_kcc: Client) -> None:
    for headers in ({}, {"Origin": KCC}, {"Origin": "https://evil.example"}):
        got = open_to_kcc.get("/partijen", **headers)
        assert [part.strip().lower() for part in got.headers["Vary"].split(",")] == ["origin"]


def test_only_the_api_is_opened(open_to_kcc: Client) -> None:
    """The pages of the operator are not for other websites."""
    for path in ("/", "/health/live", "/beheer/api/v1/status"):
        assert cors_headers(open_to_kcc.get(path, Origin=KCC)) == {}
