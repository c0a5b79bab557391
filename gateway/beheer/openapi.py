"""The OpenAPI document of the operator's API, made of what each path says of itself, and the page that shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson
from flask import Flask, Response, request

from gateway.beheer.routes import PREFIX, Operating, Route
from gateway.beheer.told import Json
from gateway.http.api_viewer import viewer_page
from gateway.http.public_address import PublicAddresses
from gateway.http.responses import JSON_ONLY
from gateway.http.scopes import MONITOR, OPERATE, READ
from gateway.klantinteracties.openapi import parts

TITLE, VERSION = "Klantbrug: beheer", "1"
ABOUT = """Hiermee bekijken en bedienen programma's Klantbrug. Wat mensen zien, staat op de pagina's.

Elk verzoek heeft een token: `Authorization: Token <token>`, gemaakt met `klantbrug token create`. Bij elk pad staat
welke scope nodig is. Tijdstippen zijn UTC. Persoonsgegevens staan alleen in antwoorden waar dat bij staat.
"""
SCOPES = {
    OPERATE: "Nodig is een token met de scope operate.",
    MONITOR: "Nodig is een token met de scope monitor of operate.",
    READ: "Nodig is een token met de scope read.",
}
# As Flask writes the variable parts of a path, and what may stand there.
PART = re.compile(r"<(?:(\w+):)?(\w+)>")
PARTS: dict[str, Json] = {
    "": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer", "minimum": 0},
}
CONFLICT: Json = {
    "description": "Dit kan nu niet; `detail` zegt waarom.",
    "content": {"application/json": {"schema": parts.ref("Fout")}},
}
COMMON = ("401", "403", "406", "429", "500", "503")


def register(app: Flask, operating: Operating, addresses: PublicAddresses) -> None:
    """Add the paths `openapi.json` and `schema/`; both without a token, for nothing of an installation is in them."""

    def described() -> Response:
        base = addresses.base(request.environ) if addresses.main else ""
        body = orjson.dumps(document(operating.routes, base))
        return Response(body, 200, [*JSON_ONLY, ("Access-Control-Allow-Origin", "*")])

    def shown() -> Response:
        return viewer_page(f"{TITLE}, versie {VERSION}", addresses, {"JSON": "../openapi.json"})

    app.add_url_rule(f"{PREFIX}openapi.json", "beheer_openapi", described)
    app.add_url_rule(f"{PREFIX}schema/", "beheer_documentation", shown)


def document(routes: Sequence[Route], base: str = "") -> Json:
    """The OpenAPI 3.0.3 document of these routes, for clients that come by this address."""
    paths: dict[str, Json] = {}
    for route in routes:
        for method in route.methods:
            paths.setdefault(_path(route), {})[method.lower()] = _operation(route, method)
    tags = list(dict.fromkeys(route.told.tag for route in routes))
    responses = {name: _without_version(response) for name, response in parts.PROBLEM_RESPONSES.items()}
    return {
        "openapi": "3.0.3",
        "info": {
            "title": TITLE,
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "EUPL 1.2", "url": "https://opensource.org/licenses/EUPL-1.2"},
        },
        "servers": [{"url": f"{base}{PREFIX.rstrip('/')}"}],
        "security": [{"tokenAuth": []}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "tokenAuth": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "Een token, met `Token` ervoor: `Authorization: Token <token>`.",
                }
            },
            "schemas": parts.PROBLEM_SCHEMAS,
            "responses": responses | {"fout409": CONFLICT},
        },
    }


def _path(route: Route) -> str:
    return f"/{PART.sub(lambda part: f'{{{part[2]}}}', route.path)}"


def _operation(route: Route, method: str) -> Json:
    told = route.told
    words = re.sub(r"\W+", " ", PART.sub(lambda part: part[2], route.path)).split()
    made: Json = {
        "operationId": method.lower() + "".join(word.capitalize() for word in words),
        "tags": [told.tag],
        "summary": told.summary,
        "description": " ".join(filter(None, (told.description, SCOPES[route.scope]))),
        "parameters": [*_in_path(route), *_in_query(told.query)],
        "responses": {
            "200": {"description": "Gelukt.", "content": {"application/json": {"schema": told.answer}}},
            **{
                status: {"$ref": f"#/components/responses/fout{status}"}
                for status in sorted((*COMMON, *told.problems))
            },
        },
    }
    if told.body is not None:
        made["requestBody"] = {
            "required": told.needs_body,
            "content": {"application/json": {"schema": told.body}},
        }
    return made


def _in_path(route: Route) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {**PARTS[kind], **{key: value for key, value in told.items() if key != "description"}},
            "description": told["description"],
        }
        for kind, name in PART.findall(route.path)
        for told in [route.told.parts[name]]
    ]


def _in_query(query: Json) -> list[Json]:
    return [
        {
            "name": name,
            "in": "query",
            "schema": {key: value for key, value in told.items() if key != "description"},
            "description": told["description"],
        }
        for name, told in query.items()
    ]


def _without_version(response: dict[str, Any]) -> Json:
    """A problem as this API has it: without the header that only the other API has."""
    headers = {name: value for name, value in response["headers"].items() if name != "API-version"}
    return {**response, "headers": headers}
