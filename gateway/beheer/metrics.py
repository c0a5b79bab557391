"""/metrics: what Prometheus reads, for tokens with the scope monitor, or on an address of its own without one."""

from __future__ import annotations

from flask import Flask, Response, request

from gateway.http.auth import Gatekeeper
from gateway.http.responses import SECURITY, Reply, as_response
from gateway.http.scopes import MONITOR
from gateway.operator.watch.standing import Watch
from gateway.telemetry.slots import directory_of

PATH = "/metrics"
# Where an application keeps the page, for who serves it at another address too.
METRICS = "klantbrug metrics"


class MetricsPage:
    """What all processes of a store counted, and what the store knows."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def reply(self, accept: str) -> Reply:
        """The answer, in the form that the client takes (its Accept header)."""
        # Only where it is asked: the library takes a while to load.
        from gateway.operator.watch.store_metrics import StoreMetrics
        from gateway.telemetry import counts

        directory = directory_of(self._watch.store.path)
        body, content_type = counts.page(directory, accept, StoreMetrics(self._watch))
        headers = [
            *SECURITY,
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        return Reply(200, headers, body)


def register(app: Flask, gatekeeper: Gatekeeper, page: MetricsPage) -> None:
    """Serve it at /metrics of an application."""

    def metrics() -> Response:
        gatekeeper.admit(request.environ.get("HTTP_AUTHORIZATION"), MONITOR, request.environ)
        return as_response(page.reply(request.environ.get("HTTP_ACCEPT", "")))

    app.add_url_rule(PATH, "metrics", metrics)
    app.extensions[METRICS] = page
