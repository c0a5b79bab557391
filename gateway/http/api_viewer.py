"""The page on which people read an OpenAPI document: Swagger UI, from files of ours (see viewer/README.md)."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from flask import Flask, Response, render_template, request

from gateway.http import problems
from gateway.http.public_address import PublicAddresses
from gateway.http.responses import SECURITY

FILES = Path(__file__).parent / "viewer"
PATH = "/ref/documentatie/"
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
SERVED = ("swagger-ui.css", "viewer.css", "swagger-ui-bundle.js", "start.js")
# It makes requests to this API for who tries one, shows icons that stand in its styles, and has no scripts inside it.
POLICY = "; ".join(
    [
        *(f"{what} 'none'" for what in ("default-src", "base-uri", "form-action", "frame-ancestors")),
        *(f"{what} 'self'" for what in ("script-src", "style-src", "connect-src")),
        "img-src 'self' data:",
    ]
)
DAY = 24 * 3600


def register(app: Flask) -> None:
    """Add the paths of its files to an application."""
    app.add_url_rule(f"{PATH}<name>", "api_viewer_file", _file)


def viewer_page(title: str, addresses: PublicAddresses, documents: Mapping[str, str]) -> Response:
    """The page. In: the addresses of the document seen from the page, by form; that in JSON is shown."""
    assets = f"{addresses.path(request.environ)}{PATH}"
    text = render_template("viewer.html", title=title, assets=assets, documents=documents)
    kinds = [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", POLICY)]
    return Response(text, 200, [*SECURITY, *kinds])


def _file(name: str) -> Response:
    if name not in SERVED:
        raise problems.not_found()
    headers = [*SECURITY, ("Content-Type", KINDS[Path(name).suffix]), ("Cache-Control", f"max-age={DAY}")]
    headers.append(("Vary", "Accept-Encoding"))
    if request.accept_encodings["gzip"] > 0:
        return Response(_packed(name), 200, [*headers, ("Content-Encoding", "gzip")])
    return Response((FILES / name).read_bytes(), 200, headers)


@cache
def _packed(name: str) -> bytes:
    """A file as browsers take it, a quarter as long."""
    return gzip.compress((FILES / name).read_bytes(), mtime=0)
