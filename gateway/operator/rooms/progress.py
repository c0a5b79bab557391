"""How far the backfill of a source is: its lists, its percentage, its course and the runs before it."""

from __future__ import annotations

from typing import Any

from gateway.config.model import Source
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.inspect.status import moment_of
from gateway.store.operation import backfills, runs
from gateway.store.operation.runs import LastRun
from gateway.store.operation.sources import held_source

JOB = "backfill"
LEAST_LOOKS = 2
# Not told to be whole before it is proven to be.
NEARLY = 99
RUNS_SHOWN, STEPS_SHOWN = 20, 120


def lists(run: LastRun | None, news: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The lists that a run reads, in its order: `kind`, `done` and `total` of the look that goes on.

    In: the run, and what it last reported (None: it does not run). Empty before the source told how long they are.
    """
    cursor = (run.cursor if run else None) or {}
    totals: dict[str, int | None] = cursor.get("totals") or {}
    at = (
        news["kind"]
        if news
        else (list(totals)[cursor["kind"]] if cursor.get("kind", 99) < len(totals) else "")
    )
    done = news["done"] if news else cursor.get("read", 0)
    found = []
    passed = at not in totals
    for kind, total in totals.items():
        before = passed or list(totals).index(kind) < list(totals).index(at)
        number = (total if before else done if kind == at else 0) or 0
        found.append({"kind": kind, "done": number, "total": total, "now": kind == at and news is not None})
    return found


def look_of(run: LastRun | None, news: dict[str, Any] | None) -> int:
    """Which look goes on; 0 when none does."""
    cursor = (run.cursor if run else None) or {}
    return int((news or {}).get("look") or cursor.get("look") or 0)


def percent(run: LastRun | None, news: dict[str, Any] | None) -> int | None:
    """How far a run is, of two looks at least; None when there is no telling. A run that ended has no percentage."""
    shown = lists(run, news)
    whole = sum(int(each["total"] or 0) for each in shown)
    if not whole or any(each["total"] is None for each in shown):
        return None
    look = look_of(run, news)
    done = (look - 1) * whole + sum(int(each["done"]) for each in shown)
    return max(0, min(NEARLY, 100 * done // (max(LEAST_LOOKS, look) * whole)))


def coverage(kinds: dict[str, Any], covered: bool, run: LastRun | None) -> int | None:
    """How much of a source is held, in percent; None when nobody knows how much it has.

    In: the counts by kind of the status, whether a backfill read everything, its last run.
    """
    if covered:
        return 100
    totals: dict[str, int | None] = ((run.cursor if run else None) or {}).get("totals") or {}
    whole = sum(total or 0 for total in totals.values())
    if not whole:
        return None if any(each["seen"] for each in kinds.values()) else 0
    held = sum(int(kinds[kind]["seen"]) for kind in totals if kind in kinds)
    return min(NEARLY, 100 * held // whole)


def last_run(connection: Session, name: str) -> tuple[LastRun | None, dict[str, Any] | None]:
    """The last backfill of a source, and what it reported of itself if it runs."""
    source = held_source(connection, name)
    last = runs.last_of_source(connection, JOB, source) if source else None
    if source is None or last is None or last.status != runs.RUNNING:
        return last, None
    report = backfills.last_report(connection, source)
    return last, report.news if report and report.moment >= last.started else None


def course(store: Store, source: Source) -> dict[str, Any]:
    """The course of the last run of a source (`samples`), and its `runs`, newest first."""
    with store.read() as connection:
        row = held_source(connection, source.name)
        found = runs.history(connection, JOB, row, RUNS_SHOWN) if row else []
        samples = backfills.samples(connection, found[0].id, STEPS_SHOWN) if found else []
    return {
        "samples": [{"moment": each.moment, "rate": each.rate, "p50_ms": each.p50_ms} for each in samples],
        "runs": [
            {
                "status": run.status,
                "started": moment_of(run.started),
                "finished": moment_of(run.finished),
                "message": run.message,
                "seen": sum(row.get("seen", 0) for row in run.counters.values() if isinstance(row, dict)),
                "quarantined": sum(
                    row.get("quarantined", 0) for row in run.counters.values() if isinstance(row, dict)
                ),
            }
            for run in found
        ],
    }
