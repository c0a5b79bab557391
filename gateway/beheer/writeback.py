"""Write-back in the operator's API: what waits, what would be sent, send it again, let it be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from gateway.beheer.routes import Operating
from gateway.http import problems
from gateway.operator import writeback
from gateway.operator.writeback import NoChange
from gateway.store.file.database import Store


def register(operating: Operating, store: Store) -> None:
    """Add the paths: GET `writeback` and `writeback/<id>`, and POST `writeback/<id>/<send|drop>`."""

    def listed() -> dict[str, Any]:
        found = writeback.listing(store, request.args.get("source", ""), parked="parked" in request.args)
        return {"numbers": writeback.overview(store), "changes": found}

    def shown(number: int) -> dict[str, Any]:
        found = next((each for each in writeback.listing(store) if each["id"] == number), None)
        if found is None:
            raise problems.not_found()
        return found

    deeds: dict[str, Callable[[int], object]] = {
        "send": lambda number: {"sent": writeback.send(store, [number])},
        "drop": lambda number: writeback.drop(store, number),
    }

    def steer(number: int, deed: str) -> object:
        if deed not in deeds:
            raise problems.not_found()
        shown(number)
        try:
            return deeds[deed](number)
        except NoChange as error:
            raise problems.not_found(str(error)) from None

    operating.add("writeback", listed)
    operating.add("writeback/<int:number>", shown)
    operating.add("writeback/<int:number>/<deed>", steer, ("POST",))
