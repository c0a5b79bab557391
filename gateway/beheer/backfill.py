"""Backfills in the operator's API: how each is doing, and pause, resume, stop, set, unset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from flask import request

from gateway.beheer.routes import Operating
from gateway.config.model import Source
from gateway.http import problems
from gateway.http.problems import InvalidParam
from gateway.operator import backfills
from gateway.operator.backfills import BackfillLimits
from gateway.store.file.database import Store


def register(operating: Operating, store: Store, sources: Sequence[Source]) -> None:
    """Add the paths: GET `backfill`, and POST `backfill/<source>/<pause|resume|stop|set|unset>`."""
    known = {source.name: source for source in sources}
    deeds: dict[str, Callable[[Source], object]] = {
        "pause": lambda source: backfills.pause(store, source),
        "resume": lambda source: backfills.resume(store, source),
        "stop": lambda source: backfills.stop(store, source),
        "set": lambda source: backfills.set_limits(store, source, _limits_asked()),
        "unset": lambda source: backfills.unset(store, source),
    }

    def steer(source: str, deed: str) -> dict[str, Any]:
        if source not in known or deed not in deeds:
            raise problems.not_found()
        try:
            deeds[deed](known[source])
        except backfills.NothingRuns as error:
            raise problems.Problem(409, "Conflict", "conflict", str(error)) from None
        except backfills.NotPossible as error:
            raise problems.invalid(InvalidParam("nonFieldErrors", "invalid", str(error))) from None
        return backfills.overview(store, [known[source]])

    operating.add("backfill", lambda: backfills.overview(store, sources))
    operating.add("backfill/<source>/<deed>", steer, ("POST",))


def _limits_asked() -> BackfillLimits:
    """`{"rate": 500, "connections": 4}`, either or both."""
    try:
        body = orjson.loads(request.get_data())
    except orjson.JSONDecodeError:
        raise problems.parse_error("Dit is geen JSON.") from None
    wrong = []
    if not isinstance(body, dict):
        raise problems.parse_error("Dit is geen object.")
    for name, value in body.items():
        kinds = (int, float) if name == "rate" else (int,)
        if name not in BackfillLimits._fields:
            wrong.append(InvalidParam(str(name), "unknown", "Dit kan niet worden ingesteld."))
        elif isinstance(value, bool) or not isinstance(value, kinds):
            wrong.append(InvalidParam(name, "invalid", "Een geldig getal is vereist."))
    if wrong:
        raise problems.invalid(*wrong)
    return BackfillLimits(**body)
