"""What is said of a question that took longer than it may: to the client, and in the log."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from gateway.base.logs import get_logger
from gateway.http import problems
from gateway.http.problems import Problem
from gateway.klantinteracties.read.query import LIST_PARAMETERS

# /klantinteracties/api/v1/RESOURCE: what comes after it may be a uuid.
PARTS_TOLD = 5
NAMES_TOLD = frozenset[str]().union(*LIST_PARAMETERS.values())

log = get_logger(__name__)


def ended(environ: dict[str, Any], seconds: float) -> Problem:
    """Note that a request's question was ended after so many seconds; out: its 503.

    The log gets the resource and the names of the filters that we know, never a value.
    """
    path = "/".join(environ.get("PATH_INFO", "").split("/")[:PARTS_TOLD])
    given = {name for name, _ in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)}
    names = " ".join(sorted(given & NAMES_TOLD))
    log.warning("a question was ended", seconds=seconds, path=path, filters=names)
    return problems.question_too_long(seconds)
