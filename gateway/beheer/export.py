"""How far the export to a register is, in the operator's API."""

from __future__ import annotations

from typing import Any

from gateway.beheer.routes import Operating
from gateway.beheer.told import ANYTHING, COUNT, TEXT, YES_NO, Told, named, or_null, several, thing
from gateway.config.target import Target
from gateway.operator.export.status import overview
from gateway.operator.export.switch import is_exported
from gateway.store.base.store import Store

_FIELDS = several(thing(kind=TEXT, fields=several(TEXT), count=COUNT))
STATE = Told(
    "verhuizen",
    "Hoe ver het verhuizen naar een register is",
    thing(
        register=TEXT,
        begun=YES_NO,
        following=YES_NO,
        kinds=named(
            named(COUNT), "Per soort: de documenten, hoeveel er nog moeten, en hoeveel in elke stand."
        ),
        due=COUNT,
        parked=several(
            thing(kind=TEXT, cause=TEXT, count=COUNT, parked=YES_NO, advice=TEXT), "Wat het register weigert."
        ),
        kept=_FIELDS,
        overwritten=_FIELDS,
        last_run=or_null(ANYTHING),
        last_report=or_null(ANYTHING),
        exported=YES_NO,
    ),
)


def register(operating: Operating, store: Store, target: Target) -> None:
    """Add the path: `export`."""

    def now() -> dict[str, Any]:
        return {**overview(store, target), "exported": is_exported(store)}

    operating.add("export", now, STATE)
