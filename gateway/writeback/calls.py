"""A call that a change comes to, for an operator who wants to see it before it is made."""

from __future__ import annotations

from typing import Any, NamedTuple


class Planned(NamedTuple):
    """A call: the kind of object, which one of the document's, and what is sent."""

    method: str
    kind: str
    step: str
    body: dict[str, Any]
