"""The operator's API, /beheer/api/v1: JSON, mostly for tokens with the scope operate. Each part adds its own paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import orjson
from flask import Flask, Response, g, request

from gateway.beheer.told import Told
from gateway.http.auth import Gatekeeper
from gateway.http.responses import json_answer, must_take_json
from gateway.http.scopes import OPERATE, opens

PREFIX = "/beheer/api/v1/"
# From the variable parts of the path to what is answered as JSON; raises Problem.
View = Callable[..., Any]


class Route(NamedTuple):
    """A path of the API, as Flask writes its variable parts, and what it says of itself."""

    path: str
    methods: tuple[str, ...]
    scope: str
    told: Told


class Operating:
    """Where the parts of the operator's API are added to an application; `routes` are those that were."""

    def __init__(self, app: Flask, gatekeeper: Gatekeeper) -> None:
        self._app = app
        self._gatekeeper = gatekeeper
        self.routes: list[Route] = []

    def add(
        self, path: str, view: View, told: Told, methods: Sequence[str] = ("GET",), scope: str = OPERATE
    ) -> None:
        """Serve `view` at a path under /beheer/api/v1/ (Flask's way of writing variable parts), for this scope.

        `told` is what the OpenAPI document says of it.
        """

        def answer(**parts: Any) -> Response:
            must_take_json(request.environ)
            token = self._gatekeeper.admit(request.environ.get("HTTP_AUTHORIZATION"), scope, request.environ)
            g.scopes, g.token_name = token.scope, token.name
            return json_answer(orjson.dumps(view(**parts)))

        name = f"beheer {' '.join(methods)} {path}"
        self._app.add_url_rule(PREFIX + path, name, answer, methods=list(methods))
        self.routes.append(Route(path, tuple(methods), scope, told))


def token_has_scope(scope: str) -> bool:
    """May the token of this request do this as well? Inside a view."""
    return opens(g.scopes, scope)


def token_name() -> str:
    """The name of the token of this request, as the audit log has it. Inside a view."""
    return str(g.token_name)


def who_asks() -> str:
    """The name of the token of this request, for the log of events. Inside a view."""
    return f"token {g.token_name}"
