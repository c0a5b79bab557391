"""The stylesheet and the script of the pages: files that were made before, served under a name with their digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, Response

from gateway.http import problems
from gateway.http.responses import SECURITY

FOLDER = Path(__file__).parent / "static"
TYPES = {"pages.css": "text/css", "pages.js": "text/javascript"}
_FILES = {name: (FOLDER / name).read_bytes() for name in TYPES}
# In the address, so that a browser keeps what it has for as long as it is this.
VERSION = hashlib.sha256(b"".join(_FILES.values())).hexdigest()[:12]
YEAR = 365 * 86400


def register(app: Flask) -> None:
    """Add the paths. They need no login: there is nothing in them."""
    app.add_url_rule("/beheer/static/<version>/<name>", "page_static", _serve)


def _serve(version: str, name: str) -> Response:
    if name not in _FILES or version != VERSION:
        raise problems.not_found()
    headers = [*SECURITY, ("Cache-Control", f"public, max-age={YEAR}, immutable")]
    return Response(_FILES[name], 200, headers, content_type=f"{TYPES[name]}; charset=utf-8")
