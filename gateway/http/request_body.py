"""The body of a request: its media type, its JSON, and how each can be wrong [149-152, 171-173].

A number in brackets is that of a recorded exchange: `tests/data/klantinteracties/<number>-*.json`.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header

from gateway.http import problems

MEDIA_TYPE = "application/json"


def read_json(request: Request) -> Any:
    """The body as parsed JSON; no body at all is an empty object [151]. Raises a 400, 413 or 415 Problem."""
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise problems.too_large() from None
    if request.max_content_length is not None and len(raw) >= request.max_content_length:
        raise problems.too_large()  # sent in chunks, so nobody knew before; see create_app
    if not raw:
        return {}
    given = request.headers.get("Content-Type", "")
    if parse_options_header(given)[0].lower() != MEDIA_TYPE:
        raise problems.unsupported_media_type(given)
    return parse(raw)


def parse(raw: bytes) -> Any:
    """Parse JSON. Raises a 400 Problem that says where it is wrong, and repeats nothing of it."""
    try:
        parsed = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise problems.parse_error(str(error)) from None
    except UnicodeDecodeError as error:
        raise problems.parse_error(f"invalid UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise problems.parse_error("nested too deeply") from None
    except ValueError:
        raise problems.parse_error("a number that JSON does not have") from None
    return parsed


def _refuse_constant(name: str) -> None:
    """NaN and the infinities are JavaScript, not JSON."""
    raise ValueError(name)
