"""What an error tells to whoever must mend it: the scope that is missing, the word Token, a page for each type."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from builders.editor import PERSOON, Editor
from builders.served_store import Client

from gateway.http import problem_pages, problems
from gateway.http.problem_pages import PAGES

Serve = Callable[..., Client]
NO_CREDENTIALS = "Authenticatiegegevens zijn niet opgegeven."


def kinds_of_problems() -> set[str]:
    """The kinds that problems.py makes."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(problems))) if isinstance(node, ast.Call)]
    return {
        call.args[1].value
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id == "Problem"
        and isinstance(call.args[1], ast.Constant)
    }


def test_each_kind_has_a_page_and_no_other() -> None:
    assert set(PAGES) == kinds_of_problems()
    assert len(PAGES) > 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/partijen", {}),
        ("/partijen", {"Authorization": "Token verkeerd"}),
        ("/partijen?onbekend=1", None),
        ("/partijen?page=0", None),
        ("/onbekend", None),
        ("/maak-klantcontact", None),
        ("/beheer/api/v1/status", None),
    ],
)
def test_the_type_of_a_problem_leads_to_its_page(
    serve: Serve, path: str, headers: dict[str, str] | None
) -> None:
    client = serve()
    token = {"Authorization": f"Token {client.token}"}
    told = client.send("GET", path, token if headers is None else headers).json
    assert told["type"].startswith(client.base)
    page = client.send("GET", urlsplit(told["type"]).path)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f"<code>{told['code']}</code>" in page.raw.decode()
    assert str(told["status"]) in page.raw.decode()


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(PAGES))
def test_a_page_needs_nothing_from_elsewhere(serve: Serve, kind: str) -> None:
    client = serve()
    page = client.send("GET", f"{problem_pages.PATH}{kind}/")
    assert page.status == client.send("GET", f"{problem_pages.PATH}{kind}").status == 200
    text = page.raw.decode()
    assert PAGES[kind].meaning in text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert not any(word in text for word in ("<script", "src=", "href=", "url("))
    assert PAGES[kind].meaning in client.send("GET", problem_pages.PATH).raw.decode()


def test_of_an_unknown_kind_there_is_none(serve: Serve) -> None:
    got = serve().send("GET", "/ref/fouten/%3Cb%3E/")
    assert (got.status, got.json["code"]) == (404, "not_found")


def test_a_refusal_names_the_scope_that_is_missing(serve: Serve) -> None:
    reader, writer = serve(), serve(scope="write")
    got = Editor(reader).send("POST", "/partijen", PERSOON)
    assert (got.status, got.json["code"]) == (403, "permission_denied")
    assert got.json["title"] == "Je hebt geen toestemming om deze actie uit te voeren."
    assert "scope write" in got.json["detail"]
    assert "scope read" in got.json["detail"]
    got = writer.get("/beheer/api/v1/status")
    assert (got.status, got.json["code"]) == (403, "permission_denied")
    assert "scope monitor" in got.json["detail"]
    assert "scope write" in got.json["detail"]


@pytest.mark.slow
@pytest.mark.parametrize("given", ["Bearer {}", "bearer {}", "Basic {}", "{}", "JWT {}"])
def test_another_word_than_token_gets_the_hint_token(serve: Serve, given: str) -> None:
    """In a header, and in the detail where none is recorded [155]."""
    client = serve()
    got = client.send("GET", "/partijen", {"Authorization": given.format(client.token)})
    assert (got.status, got.json["code"], got.json["title"]) == (401, "not_authenticated", NO_CREDENTIALS)
    assert (got.json["detail"] == NO_CREDENTIALS) == given.lower().startswith("bearer")
    assert got.headers["WWW-Authenticate"] == "Token"
    assert got.headers["Klantbrug-Hint"] == "Authorization: Token <token>"
    assert client.token not in str(got)


def test_without_any_the_challenge_is_as_recorded(serve: Serve) -> None:
    got = serve().send("GET", "/partijen")
    assert (got.status, got.headers["WWW-Authenticate"]) == (401, "Token")
    assert got.json["detail"] == NO_CREDENTIALS
    assert "Klantbrug-Hint" not in got.headers
