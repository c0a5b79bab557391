"""CORS: browsers may use the API from the pages of the websites that the operator named, and no others."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, Response, request

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
REQUEST_HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, X-Request-ID, traceparent"
# What a page may read of an answer, beside what every page may.
ANSWER_HEADERS = (
    "API-version, ETag, Klantbrug-Coverage, Klantbrug-Freshness, Location, Retry-After, X-Request-ID"
)
PREFLIGHT_SECONDS = "600"


def allow(app: Flask, origins: Iterable[str], base_path: str) -> None:
    """Let an application answer pages of these origins; nothing changes when there are none.

    In: origins as browsers send them, and the path under which the API stands. No credentials are allowed along,
    because a token in a header is none.
    """
    known = frozenset(origins)
    if not known:
        return

    def add_headers(response: Response) -> Response:
        if not (request.path == base_path or request.path.startswith(f"{base_path}/")):
            return response
        response.vary.add("Origin")  # also without one: caches must keep the two apart
        origin = request.headers.get("Origin")
        if origin not in known:
            return response
        response.headers["Access-Control-Allow-Origin"] = origin
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response.headers["Access-Control-Allow-Methods"] = METHODS
            response.headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
            response.headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
        else:
            response.headers["Access-Control-Expose-Headers"] = ANSWER_HEADERS
        return response

    app.after_request(add_headers)
