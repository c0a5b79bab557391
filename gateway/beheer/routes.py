"""The operator's API, /beheer/api/v1: JSON, mostly for tokens with the scope operate. Each part adds its own paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from flask import Flask, Response, g, request

from gateway.http.auth import Gatekeeper
from gateway.http.responses import json_answer, must_take_json
from gateway.http.scopes import OPERATE, opens

PREFIX = "/beheer/api/v1/"
# From the variable parts of the path to what is answered as JSON; raises Problem.
View = Callable[..., Any]


class Operating:
    """Where the parts of the operator's API are added to an application."""

    def __init__(self, app: Flask, gatekeeper: Gatekeeper) -> None:
        self._app = app
        self._gatekeeper = gatekeeper

    def add(self, path: str, view: View, methods: Sequence[str] = ("GET",), scope: str = OPERATE) -> None:
        """Serve `view` at a path under /beheer/api/v1/ (Flask's way of writing variable parts), for this scope."""

        def answer(**parts: Any) -> Response:
            must_take_json(request.environ)
            g.scopes = self._gatekeeper.admit(
                request.environ.get("HTTP_AUTHORIZATION"), scope, request.environ
            ).scope
            return json_answer(orjson.dumps(view(**parts)))

        name = f"beheer {' '.join(methods)} {path}"
        self._app.add_url_rule(PREFIX + path, name, answer, methods=list(methods))


def token_has_scope(scope: str) -> bool:
    """May the token of this request do this as well? Inside a view."""
    return opens(g.scopes, scope)
