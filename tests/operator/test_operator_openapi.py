"""The OpenAPI document of the operator's API: valid, of every route, and true of what is answered."""

from __future__ import annotations

import re
from typing import Any

import pytest
from builders.configs import read_config
from builders.openapi_facts import json_schema
from builders.probe.made_up import with_rollen
from builders.served_store import settings
from builders.verifying import verify
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft7Validator
from openapi_spec_validator import validate

from gateway.app import create_app
from gateway.beheer.openapi import PREFIX
from gateway.http.auth import create_token
from gateway.installation import Installation
from gateway.operator import backfills
from gateway.store.base.store import Store

pytestmark = pytest.mark.slow

OWN = {"openapi.json", "schema/"}
PATH_PART = re.compile(r"<(?:\w+:)?(\w+)>")


def document_of(app: Flask) -> dict[str, Any]:
    got = app.test_client().get(f"{PREFIX}openapi.json")
    assert got.status_code == 200
    found: dict[str, Any] = got.get_json()
    return found


def test_it_is_valid_and_of_every_route_of_the_api(store: Store) -> None:
    app = create_app(settings(store.path), store=store)
    document = document_of(app)
    validate(document)
    served = {
        (PATH_PART.sub(r"{\1}", rule.rule.removeprefix(PREFIX)), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(PREFIX) and rule.rule.removeprefix(PREFIX) not in OWN
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (path.removeprefix("/"), method.upper())
        for path, item in document["paths"].items()
        for method in item
    }
    assert described == served
    assert len(served) > 10
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    for each in operations:
        assert each["summary"]
        assert "scope" in each["description"]
        assert all(parameter["description"] for parameter in each["parameters"])


def test_a_path_that_says_nothing_of_itself_can_not_be_added(store: Store) -> None:
    from gateway.beheer.routes import Operating

    with pytest.raises(TypeError):
        Operating(Flask("x"), None).add("leeg", lambda: None)  # type: ignore[arg-type,call-arg]


@pytest.mark.parametrize("public", ["", "https://klant.example.nl/brug"])
def test_it_and_its_page_need_no_token(store: Store, public: str) -> None:
    app = create_app(settings(store.path, public_url=public), store=store)
    assert document_of(app)["servers"] == [{"url": f"{public}/beheer/api/v1"}]
    page = app.test_client().get(f"{PREFIX}schema/")
    assert page.status_code == 200
    assert 'data-document="../openapi.json"' in page.text


class Asker:
    """Asks the API, and holds each answer to what the document says of it."""

    def __init__(self, app: Flask, store: Store) -> None:
        self._client: FlaskClient = app.test_client()
        self._document = document_of(app)
        token = create_token(store, "alles", "read write operate")
        self._headers = {"Authorization": f"Token {token}"}

    def ask(self, template: str, method: str = "get", status: int = 200, **more: Any) -> Any:
        parts, query = more.pop("parts", {}), more.pop("query", {})
        path = template.format(**parts)
        got = self._client.open(
            PREFIX.rstrip("/") + path,
            method=method.upper(),
            headers=self._headers,
            query_string=query,
            **more,
        )
        assert got.status_code == status, got.text
        answers = self._document["paths"][template][method]["responses"]
        assert str(status) in answers
        if status == 200:
            self._judge(answers["200"]["content"]["application/json"]["schema"], got.get_json())
        return got.get_json()

    def _judge(self, schema: dict[str, Any], answer: Any) -> None:
        wrong = list(Draft7Validator(json_schema(self._document, schema)).iter_errors(answer))
        assert wrong == [], [f"{list(error.path)}: {error.message[:200]}" for error in wrong]


def test_what_an_installation_answers_is_what_it_says(filled: Installation) -> None:
    store, config = filled.store, read_config(filled.config.path)
    verify(filled)
    app = create_app(config, store=store, hydrator=filled.hydrator())
    asker = Asker(app, store)
    status = asker.ask("/status")
    assert status["sources"]["bron"]["kinds"]["rol"]["seen"] > 100
    assert asker.ask("/backfill")["sources"]["bron"]["run"]["status"] == "finished"
    asker.ask("/backfill/{source}/{deed}", "post", 409, parts={"source": "bron", "deed": "stop"})
    asker.ask("/backfill/{source}/{deed}", "post", 404, parts={"source": "bron", "deed": "x"})
    asker.ask("/backfill/{source}/{deed}", "post", parts={"source": "bron", "deed": "pause"})
    backfills.resume(store, config.sources[0], "test")
    findings = asker.ask("/findings")["findings"]
    example = next(each for group in findings for each in group["examples"])
    asker.ask("/explain/{uuid}", parts={"uuid": example["uuid"]})
    asker.ask("/explain", query={"url": f"https://x.example/{example['uuid']}"})
    asker.ask("/explain", status=400, query={"url": "x"})
    (report, *_) = asker.ask("/verify")["reports"]
    asker.ask("/verify/{number}", parts={"number": report["id"]})
    asker.ask("/verify/{number}", status=404, parts={"number": 9999})
    asker.ask("/writeback")
    asker.ask("/writeback/{number}", status=404, parts={"number": 1})
    asker.ask("/export")
    old = asker.ask("/oud", "post", json={"urls": ["https://x.example/klanten/api/v1/klanten/1"]})
    assert old["results"][0]["found"] is False
    asker.ask("/oud", "post", 400, json={"urls": []})


def test_what_a_register_answers_is_what_it_says(store: Store) -> None:
    with_rollen(store)
    asker = Asker(create_app(settings(store.path), store=store), store)
    for path in ("/status", "/backfill", "/findings", "/verify", "/writeback", "/export"):
        asker.ask(path)


def test_a_difference_is_noticed(store: Store) -> None:
    asker = Asker(create_app(settings(store.path), store=store), store)
    schema = asker._document["paths"]["/findings"]["get"]["responses"]["200"]["content"]["application/json"][
        "schema"
    ]
    with pytest.raises(AssertionError, match="extra"):
        asker._judge(schema, {"findings": [], "extra": 1})
    with pytest.raises(AssertionError, match="findings"):
        asker._judge(schema, {})
