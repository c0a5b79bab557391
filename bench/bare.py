"""The least that an answer can cost: a Flask view that returns constant bytes, under the server of the gateway.

`python -m bench.bare CONFIG` serves GET /<size>.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response

from gateway.config.load import load_config
from gateway.server.serve import run_server, settings


@lru_cache(maxsize=64)
def constant(size: int) -> bytes:
    """So many bytes."""
    return b"x" * size


def bare_app() -> Flask:
    """An application with one view."""
    app = Flask("bare", static_folder=None)

    @app.get("/<int:size>")
    def answer(size: int) -> Response:
        return Response(constant(size), content_type="application/json")

    return app


if __name__ == "__main__":
    run_server(settings(load_config(Path(sys.argv[1]), {})), bare_app)
