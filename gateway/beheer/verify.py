"""The reports of verify in the operator's API: the last ones, and one by its number."""

from __future__ import annotations

from typing import Any

from gateway.beheer.routes import Operating
from gateway.http import problems
from gateway.operator import kept_reports
from gateway.store.file.database import Store


def register(operating: Operating, store: Store) -> None:
    """Add the paths: `verify` and `verify/<number>`."""

    def latest() -> dict[str, Any]:
        return {"reports": kept_reports.latest(store)}

    def one(number: int) -> dict[str, Any]:
        found = kept_reports.get_report(store, number)
        if found is None:
            raise problems.not_found(f"Er is geen rapport {number}.")
        return found

    operating.add("verify", latest)
    operating.add("verify/<int:number>", one)
