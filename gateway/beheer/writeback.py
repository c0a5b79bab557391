"""Write-back in the operator's API: what waits, what would be sent, send it again, let it be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from gateway.beheer.routes import Operating, who_asks
from gateway.beheer.told import (
    ANYTHING,
    COUNT,
    TEXT,
    UUID_TEXT,
    Json,
    Told,
    named,
    one_of,
    or_null,
    several,
    thing,
)
from gateway.http import problems
from gateway.operator import writeback
from gateway.operator.writeback import NoChange
from gateway.store.base.store import Store

TAG = "terugschrijven"
_CHANGE = thing(
    id=COUNT,
    source=TEXT,
    kind=TEXT,
    document=UUID_TEXT,
    part=TEXT,
    since=COUNT,
    attempts=COUNT,
    next_try=or_null(COUNT),
    parked=or_null(COUNT),
    cause=or_null(TEXT),
    fields=TEXT,
    advice=TEXT,
)
_NUMBER: Json = {"number": {"description": "Het nummer van de wijziging."}}
LISTED = Told(
    TAG,
    "Wat nog aan de bronnen moet worden verteld",
    thing(numbers=named(ANYTHING, "Per bron: aantallen per soort."), changes=several(_CHANGE)),
    "Zonder waarden. Tijdstippen zijn hier microseconden sinds 1970.",
    query={
        "source": {"type": "string", "description": "Alleen van deze bron."},
        "parked": {"type": "string", "description": "Alleen wat op iemand wacht; elke waarde geldt."},
    },
)
SHOWN = Told(TAG, "Een wijziging die wacht", _CHANGE, parts=_NUMBER, problems=("404",))
STEER = Told(
    TAG,
    "Een wijziging die wacht opnieuw versturen, of laten vallen",
    {"oneOf": [thing("Na send.", sent=COUNT), _CHANGE | {"description": "Na drop: wat is vergeten."}]},
    parts=_NUMBER | {"deed": {**one_of("send", "drop"), "description": "Opnieuw versturen, of vergeten."}},
    problems=("404",),
)


def register(operating: Operating, store: Store) -> None:
    """Add the paths: GET `writeback` and `writeback/<id>`, and POST `writeback/<id>/<send|drop>`."""

    def listed() -> dict[str, Any]:
        found = writeback.listing(store, request.args.get("source", ""), parked="parked" in request.args)
        numbers = writeback.numbers(store).items()
        return {"numbers": {name: writeback.shown_numbers(each) for name, each in numbers}, "changes": found}

    def shown(number: int) -> dict[str, Any]:
        try:
            return writeback.one(store, number)
        except NoChange:
            raise problems.not_found() from None

    def send(number: int) -> object:
        return {"sent": writeback.send_again(store, [number], who_asks())}

    def drop(number: int) -> object:
        return writeback.let_go(store, number, who_asks())

    deeds: dict[str, Callable[[int], object]] = {"send": send, "drop": drop}

    def steer(number: int, deed: str) -> object:
        if deed not in deeds:
            raise problems.not_found()
        shown(number)
        try:
            return deeds[deed](number)
        except NoChange as error:
            raise problems.not_found(str(error)) from None

    operating.add("writeback", listed, LISTED)
    operating.add("writeback/<int:number>", shown, SHOWN)
    operating.add("writeback/<int:number>/<deed>", steer, STEER, ("POST",))
