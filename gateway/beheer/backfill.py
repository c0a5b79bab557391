"""Backfills in the operator's API: how each is doing, and pause, resume, stop, set, unset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from flask import request

from gateway.beheer.routes import Operating, who_asks
from gateway.beheer.told import ANYTHING, NUMBER, YES_NO, Told, named, one_of, or_null, thing
from gateway.config.model import Source
from gateway.http import problems
from gateway.http.problems import InvalidParam
from gateway.operator import backfills
from gateway.operator.backfills import BackfillLimits
from gateway.store.base.store import Store

_ONE = thing(
    running=YES_NO,
    stopped=YES_NO,
    run=or_null(ANYTHING, "De laatste run; null als er nog nooit een was."),
    now=or_null(
        ANYTHING, "Wat wordt gelezen, hoe snel, hoe lang nog, en wat ophoudt; null als er geen loopt."
    ),
    asking=or_null(ANYTHING, "Hoe de bron nu wordt gevraagd."),
)
ANSWER = thing(sources=named(_ONE, "Per bron, bij haar naam."))
DEEDS = ("pause", "resume", "stop", "set", "unset")
STATE = Told("backfill", "Hoe het met de backfill van elke bron gaat", ANSWER)
STEER = Told(
    "backfill",
    "Een backfill bedienen",
    ANSWER,
    "Alleen set heeft een inhoud: hoe snel, en met hoeveel verbindingen.",
    parts={
        "source": {"description": "De naam van de bron."},
        "deed": {
            **one_of(*DEEDS),
            "description": "Pauzeren, hervatten, stoppen, begrenzen, of zonder die grenzen.",
        },
    },
    body=thing(
        "Voor set; een van beide, of allebei.",
        may_lack=("rate", "connections"),
        rate=NUMBER,
        connections={"type": "integer", "minimum": 1},
    ),
    needs_body=False,
    problems=("400", "404", "409"),
)


def register(operating: Operating, store: Store, sources: Sequence[Source]) -> None:
    """Add the paths: GET `backfill`, and POST `backfill/<source>/<pause|resume|stop|set|unset>`."""
    known = {source.name: source for source in sources}
    deeds: dict[str, Callable[[Source], object]] = {
        "pause": lambda source: backfills.pause(store, source, who_asks()),
        "resume": lambda source: backfills.resume(store, source, who_asks()),
        "stop": lambda source: backfills.stop(store, source, who_asks()),
        "set": lambda source: backfills.set_limits(store, source, _limits_asked(), who_asks()),
        "unset": lambda source: backfills.unset(store, source, who_asks()),
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

    operating.add("backfill", lambda: backfills.overview(store, sources), STATE)
    operating.add("backfill/<source>/<deed>", steer, STEER, ("POST",))


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
