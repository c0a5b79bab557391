"""The reports of verify that are kept, for an operator: the last ones, and one by its number."""

from __future__ import annotations

from typing import Any

from gateway.operator import verify_report
from gateway.store.base.store import Store
from gateway.store.inspect.status import moment_of
from gateway.store.operation import verify_reports


def latest(store: Store) -> list[dict[str, Any]]:
    """A line for each of the last reports, the newest first."""
    with store.read() as connection:
        found = verify_reports.list_reports(connection)
    return [
        line._asdict() | {"began": moment_of(line.began), "ended": moment_of(line.ended)} for line in found
    ]


def get_report(store: Store, number: int) -> dict[str, Any] | None:
    """The report with this number; None when there is none."""
    with store.read() as connection:
        found = verify_reports.get_report(connection, number)
    if found is None:
        return None
    return found | {"began": moment_of(found["began"]), "ended": moment_of(found["ended"])}


def as_page(store: Store, number: int) -> str:
    """The report with this number as one page of HTML to file; blank when there is none."""
    with store.read() as connection:
        found = verify_reports.get_report(connection, number)
    return verify_report.page(found) if found else ""
