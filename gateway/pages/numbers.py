"""Numbers that stand in an address or a form, which anybody can write there."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

# What the store takes as a number.
MOST = 2**63 - 1
_DIGITS = len(str(MOST))


def whole(text: str, most: int = MOST) -> int | None:
    """The whole number that a text is, in digits of ASCII; None when it is none, or more than `most`."""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        return None
    number = int(text)
    return number if number <= most else None


class _PageNumber(IntegerConverter):
    regex = f"[0-9]{{1,{_DIGITS}}}"

    def __init__(self, url_map: Map, max: int = MOST) -> None:
        super().__init__(url_map, max=max)


def bound_paths(app: Flask) -> None:
    """Let `<int:...>` in a path be a number that the store takes; another path is not found."""
    app.url_map.converters["int"] = _PageNumber
