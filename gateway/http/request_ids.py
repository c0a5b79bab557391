"""The ids of a request: taken from its headers, and given back in its answer (`gateway.base.correlation`)."""

from __future__ import annotations

from typing import Any

from flask import Flask, request

from gateway.base import clock, correlation
from gateway.base.correlation import Operation

REQUEST_ID = "X-Request-ID"
# Where the server notes when a request came in (clock.monotonic): the time that it waited for its turn counts too.
CAME_IN = "klantbrug.came_in"
# Where it notes how many seconds that was.
WAITED = "klantbrug.waited"
# The name of a request that no path of ours is for.
NOWHERE = "(none)"


def begun(environ: dict[str, Any]) -> Operation:
    """The operation of a request that begins, which this thread takes up; its name is for who knows the path."""
    operation = correlation.request_of(
        environ["REQUEST_METHOD"],
        environ.get("HTTP_X_REQUEST_ID"),
        environ.get("HTTP_TRACEPARENT"),
        environ.get(CAME_IN) or clock.monotonic(),
    )
    operation.name = NOWHERE
    return operation


def name_by_route(app: Flask) -> None:
    """Let each request of an application be called after the template of its path."""

    def name() -> None:
        operation = correlation.current()
        if operation is not None and request.url_rule is not None:
            operation.name = request.url_rule.rule.replace("<", "{").replace(">", "}")

    app.before_request(name)
