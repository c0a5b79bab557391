"""The reports of verify in the operator's API: the last ones, and one by its number."""

from __future__ import annotations

from typing import Any

from gateway import problems
from gateway.operating import Operating
from gateway.store import reports
from gateway.store.database import Store
from gateway.store.status import moment_of


def register(operating: Operating, store: Store) -> None:
    """Add the paths: `verify` and `verify/<number>`."""

    def latest() -> dict[str, Any]:
        with store.read() as connection:
            found = reports.list_reports(connection)
        return {
            "reports": [
                line._asdict() | {"began": moment_of(line.began), "ended": moment_of(line.ended)}
                for line in found
            ]
        }

    def one(number: int) -> dict[str, Any]:
        with store.read() as connection:
            found = reports.get_report(connection, number)
        if found is None:
            raise problems.not_found(f"Er is geen rapport {number}.")
        return found | {"began": moment_of(found["began"]), "ended": moment_of(found["ended"])}

    operating.add("verify", latest)
    operating.add("verify/<int:number>", one)
