"""The OpenAPI document: all that the contract promises, valid, and true of the recorded answers."""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from typing import Any

import pytest
import yaml
from builders.openapi_facts import METHODS, bodies, facts, json_schema
from builders.paths import DATA
from builders.recordings import Exchange, exchanges
from builders.served_store import Client
from jsonschema import Draft7Validator
from openapi_spec_validator import validate

from gateway.http.api_viewer import SERVED
from gateway.klantinteracties.model.declarations import Resource
from gateway.klantinteracties.model.resources import BASE_PATH, RESOURCES
from gateway.klantinteracties.openapi.document import document
from gateway.klantinteracties.openapi.serve import OPENAPI_TYPE
from mappings.klantinteracties import check, defaults, load, schema_of

CONTRACT = DATA / "klantinteracties-0.9.0.yaml.gz"


@pytest.fixture
def anyone(reader: Client) -> Client:
    """The tests here send no token."""
    return reader


@cache
def contract() -> dict[str, Any]:
    return yaml.load(gzip.decompress(CONTRACT.read_bytes()), Loader=yaml.CSafeLoader)


def test_all_that_the_contract_promises_is_promised_here() -> None:
    assert sorted(facts(contract()) - facts(document())) == []


def test_no_enumeration_or_query_parameter_is_here_that_the_contract_lacks() -> None:
    def told(promised: set[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
        # Of expanded objects the contract tells one level less than it serves.
        return {
            fact
            for fact in promised
            if "_expand" not in fact[1] and (fact[2].startswith("enum") or fact[1].startswith("query"))
        }

    assert sorted(told(facts(document())) - told(facts(contract()))) == []


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
def test_every_filter_says_what_it_does(resource: Resource) -> None:
    told = {
        parameter["name"]: parameter["description"]
        for parameter in document()["paths"][f"/{resource.path}"]["get"]["parameters"]
        if isinstance(parameter, dict) and parameter.get("in") == "query"
    }
    assert set(told) >= {item.name for item in resource.filters}
    assert all(len(text) > 15 and text.endswith(".") and "  " not in text for text in told.values()), told
    # Two filters that say the same would not be told apart, but for those that the API has under two names.
    assert len(set(told.values())) >= len(told) - len({"aanleidinggevendKlantcontact", "toegewezenAanActor"})


def test_a_difference_would_be_seen() -> None:
    changed = json.loads(json.dumps(document()))
    del changed["components"]["schemas"]["Klantcontact"]["properties"]["kanaal"]["maxLength"]
    missing = facts(contract()) - facts(changed)
    assert ("post /klantcontacten", "request.kanaal", "maxLength 50") in missing


def test_the_document_is_valid_openapi() -> None:
    validate(document())
    assert document()["openapi"] == "3.0.3"


def test_every_operation_has_its_own_id() -> None:
    ids = [
        item[method]["operationId"]
        for item in document()["paths"].values()
        for method in METHODS
        if method in item
    ]
    assert len(ids) == len(set(ids)) == 85


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
def test_the_fields_that_are_judged_are_those_that_are_shown_in_the_same_order(resource: Any) -> None:
    judged = [name for name in schema_of(resource.kind).fields if name not in ("uuid", "url")]
    assert judged == [field.name for field in resource.fields]


def test_an_answer_that_is_not_as_the_document_says_would_be_seen() -> None:
    exchange = next(one for one in answered() if one.number == 50)
    schema = dict(bodies(document(), operation_of(exchange) or {}))["200"]
    validator = Draft7Validator(json_schema(document(), schema))
    assert not validator.is_valid(exchange.response | {"soortPartij": "persoon"} | {"indicatieActief": None})
    assert not validator.is_valid(exchange.response | {"bezoekadres": {"land": "N"}})
    assert not validator.is_valid({key: exchange.response[key] for key in ("uuid", "url", "soortPartij")})


def answered() -> list[Exchange]:
    return [
        exchange
        for exchange in exchanges()
        if exchange.status in (200, 201, 400, 401, 404)
        and exchange.method in ("GET", "POST", "PUT", "PATCH")
        and isinstance(exchange.response, dict)
        and not exchange.is_html
        and operation_of(exchange) is not None
    ]


def operation_of(exchange: Exchange) -> dict[str, Any] | None:
    path = exchange.path.removeprefix(BASE_PATH).split("?")[0]
    template = re.sub(r"^(/[a-z-]+)/[0-9A-Fa-f-]{32,36}$", r"\1/{uuid}", path)
    return document()["paths"].get(template, {}).get(exchange.method.lower())


@pytest.mark.slow
@pytest.mark.parametrize("exchange", answered(), ids=lambda exchange: exchange.name)
def test_recorded_answers_are_as_the_document_says(exchange: Exchange) -> None:
    operation = operation_of(exchange)
    assert operation is not None
    if exchange.status < 400:
        schema = dict(bodies(document(), operation))[str(exchange.status)]
    else:
        given = document()["components"]["responses"][f"fout{exchange.status}"]
        assert operation["responses"][str(exchange.status)]["$ref"].endswith(f"fout{exchange.status}")
        schema = given["content"]["application/json"]["schema"]
    validator = Draft7Validator(json_schema(document(), schema))
    # Places only: the answers look like personal data.
    wrong = [f"{error.json_path}: {error.validator}" for error in validator.iter_errors(exchange.response)]
    assert wrong == []


@pytest.mark.parametrize("name", ("page", "pageSize", "uuid"))
def test_shared_parameters_are_described_once(name: str) -> None:
    assert document()["components"]["parameters"][name]["name"] == name


def test_what_was_made_links_to_what_can_be_done_with_it() -> None:
    links = document()["paths"]["/klantcontacten"]["post"]["responses"]["201"]["links"]
    assert links["Destroy"] == {
        "operationId": "klantcontactenDestroy",
        "parameters": {"uuid": "$response.body#/uuid"},
    }
    assert links["betrokkenenCreate_hadKlantcontact"]["requestBody"] == {
        "hadKlantcontact": {"uuid": "$response.body#/uuid"}
    }


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
def test_examples_of_bodies_are_right(resource: Any) -> None:
    post = document()["paths"][f"/{resource.path}"]["post"]
    for example in post["requestBody"]["content"]["application/json"].get("examples", {}).values():
        given = load(resource.kind, example["value"], partial=False)
        assert check(resource.kind, defaults(resource.kind) | given, given, creating=True) == []


class TestServed:
    def test_without_token_as_yaml_and_as_json(self, anyone: Client) -> None:
        as_yaml = anyone.send("GET", "/openapi.yaml")
        as_json = anyone.send("GET", "/openapi.json")
        assert as_yaml.status == as_json.status == 200
        assert as_yaml.headers["Content-Type"] == f"{OPENAPI_TYPE}; charset=utf-8"  # 183
        assert as_json.headers["Content-Type"] == f"{OPENAPI_TYPE}+json"
        assert as_yaml.headers["API-version"] == "0.9.0"
        assert yaml.load(as_yaml.raw, Loader=yaml.CSafeLoader) == as_json.json == document()
        assert b"*id0" not in as_yaml.raw

    def test_head_gives_the_headers_alone(self, anyone: Client) -> None:
        answer = anyone.send("HEAD", "/openapi.json")
        assert (answer.status, answer.raw) == (200, b"")

    @pytest.mark.parametrize("form", ("yaml", "json"))
    def test_the_old_address_leads_to_the_new_one(self, anyone: Client, form: str) -> None:
        answer = anyone.send("GET", f"/schema/openapi.{form}")
        assert (answer.status, answer.headers["Location"]) == (302, f"{BASE_PATH}/openapi.{form}")  # 184

    def test_it_knows_no_host(self, anyone: Client) -> None:
        assert anyone.base.encode() not in anyone.send("GET", "/openapi.json").raw
        assert document()["servers"] == [{"url": BASE_PATH}]


class TestPage:
    def test_shows_the_document_with_files_of_our_own(self, anyone: Client) -> None:
        """That it does so in a browser, tests/http/test_api_viewer.py shows."""
        answer = anyone.send("GET", "/schema/")
        page = answer.raw.decode()
        assert answer.status == 200
        assert 'data-document="../openapi.json"' in page
        files = re.findall(r"""(?:src|href)="([^"]*)\"""", page)
        assert set(files) == {
            *(f"/ref/documentatie/{name}" for name in SERVED),
            "../openapi.json",
            "../openapi.yaml",
        }

    def test_without_its_slash_it_leads_there(self, anyone: Client) -> None:
        answer = anyone.send("GET", "/schema")
        assert (answer.status, answer.headers["Location"]) == (302, f"{BASE_PATH}/schema/")
