"""The reports of verify in the operator's API: the last ones, and one by its number."""

from __future__ import annotations

from typing import Any

from gateway.beheer.routes import Operating
from gateway.beheer.told import ANYTHING, COUNT, MOMENT, TEXT, YES_NO, Told, said, several, thing
from gateway.http import problems
from gateway.operator import kept_reports
from gateway.store.base.store import Store

TAG = "bewijs"
LATEST = Told(
    TAG,
    "De laatste rapporten van verify",
    thing(
        reports=several(
            thing(id=COUNT, source=TEXT, began=MOMENT, ended=MOMENT, mode=TEXT, clean=YES_NO),
            "Het nieuwste eerst.",
        )
    ),
)
ONE = Told(
    TAG,
    "Een rapport van verify",
    said(ANYTHING, "Wat is vergeleken, en per soort wat verschilt; zonder waarden."),
    parts={"number": {"description": "Het nummer van het rapport."}},
    problems=("404",),
)


def register(operating: Operating, store: Store) -> None:
    """Add the paths: `verify` and `verify/<number>`."""

    def latest() -> dict[str, Any]:
        return {"reports": kept_reports.latest(store)}

    def one(number: int) -> dict[str, Any]:
        found = kept_reports.get_report(store, number)
        if found is None:
            raise problems.not_found(f"Er is geen rapport {number}.")
        return found

    operating.add("verify", latest, LATEST)
    operating.add("verify/<int:number>", one, ONE)
