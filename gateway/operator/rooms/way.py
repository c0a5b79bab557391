"""The way of each source to cutover: where it is, what holds it, what it says first, what to do next."""

from __future__ import annotations

from typing import Any

from gateway.base.clock import now
from gateway.config.model import Config, Source
from gateway.fetch.coverage import CUTOVER, CoverageJudge
from gateway.legacy.pacing import server_gates
from gateway.legacy.pacing.gate import PAUSED
from gateway.operator.backfills import PAUSE
from gateway.operator.phase import PHASES, fingerprint, first_missing
from gateway.operator.rooms import ordering, progress
from gateway.operator.rooms.next_step import next_step
from gateway.operator.rooms.standing import standing
from gateway.operator.verify_report import sentence
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.inspect.status import moment_of
from gateway.store.operation import backfills, events, runs, verify_reports
from gateway.store.operation.sources import held_source, source_read


def ways(store: Store, config: Config, status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By configured source all that the page Overzicht tells of it; numbers and words, nothing personal.

    In: the status of the store. Out, by name: `phase`, `coverage_percent`, `backfill` (`running`, `status`, `percent`,
    `lists`, `look`, `now`, ...), `asking` (how its jobs ask), `held_up` (`why`, `since`, `until`, `by`), `behind` (is
    the sync overdue?), `proof` (the one that counts: `id`, `clean`, ...), `proving`, `orders`, `missing` (the
    first thing that the next phase asks and is not so), `standing` (what it says first) and `next` (what to do).
    """
    ordered = ordering.open_orders(store)
    sync = config.jobs.get("sync")
    judge = CoverageJudge(sync.schedule if sync else "")
    kept_up = status["scheduler"]["runs"] or not status["scheduler"]["wanted"]
    found = {}
    for source in config.sources:
        with store.read() as connection:
            way = _held(connection, source, status["sources"].get(source.name, {}), judge)
        way["asking"] = server_gates.describe(store.path, source)
        way["held_up"] = _held_up(store, source, way)
        way["proving"] = ordering.runs_of_proof(store, source.name)
        way["orders"] = ordered.get(source.name, [])
        phase = way["phase"]
        forward = PHASES[PHASES.index(phase) + 1] if phase in PHASES and phase != CUTOVER else None
        way["forward"] = forward
        mapping = fingerprint(config.mapping)
        way["missing"] = (
            first_missing(store, source.name, forward, mapping) if forward and way["complete"] else ""
        )
        way["standing"] = standing(way, kept_up=kept_up)._asdict()
        way["next"] = next_step(way, status)._asdict()
        found[source.name] = way
    return found


def _held(connection: Session, source: Source, shown: dict[str, Any], judge: CoverageJudge) -> dict[str, Any]:
    last, news = progress.last_run(connection, source.name)
    row = held_source(connection, source.name)
    phase, covered, synced, _ = source_read(connection, row) if row else ("live", 0, 0, 0)
    stopped = backfills.stop_wished(connection, row) if row else False
    percent = progress.percent(last, news)
    return {
        "phase": phase,
        "complete": bool(covered),
        "covered": moment_of(covered or None),
        "coverage_percent": progress.coverage(shown.get("kinds", {}), bool(covered), last),
        "unread": shown.get("unread", {"objects": 0, "keyless": 0}),
        "behind": bool(covered)
        and phase != CUTOVER
        and judge.coverage(phase, covered, synced, now()).name == "BEHIND",
        "synced": moment_of(synced or None),
        "following": shown.get("following"),
        "backfill": {
            "running": last is not None and last.status == runs.RUNNING,
            "stopped": stopped,
            "status": last.status if last else None,
            "message": last.message if last else "",
            "started": moment_of(last.started) if last else None,
            "finished": moment_of(last.finished) if last else None,
            "percent": percent if last is None or last.status != runs.FINISHED else 100,
            "lists": progress.lists(last, news),
            "look": progress.look_of(last, news),
            "now": {name: value for name, value in news.items() if name != "counters"} if news else None,
        },
        "proof": _proof(connection, source.name),
    }


def _proof(connection: Session, name: str) -> dict[str, Any] | None:
    """The report of verify that says how a source is: one that was not clean is not hidden by a smaller one."""
    source = held_source(connection, name)
    proof = verify_reports.telling(connection, source) if source else None
    report = verify_reports.get_report(connection, proof.id) if proof else None
    if report is None:
        return None
    return {
        "id": report["id"],
        "clean": report["clean"],
        "mode": report["mode"],
        "ended": moment_of(report["ended"]),
        "found": report["found"],
        "sentence": sentence(report),
    }


def _held_up(store: Store, source: Source, way: dict[str, Any]) -> dict[str, Any] | None:
    """What holds the jobs on a source now: why, since and until when (None: nobody knows), by whom."""
    asking, news = way["asking"], way["backfill"]["now"] or {}
    why = asking["waiting"] or ("storing (circuit breaker)" if not server_gates.answers(asking) else "")
    if not why:
        limit = news.get("limited_by")
        return {"why": limit, "since": None, "until": None, "by": "", "reason": ""} if limit else None
    since, by, reason = news.get("waits_since"), "", ""
    if why == PAUSED:
        with store.read() as connection:
            row = held_source(connection, source.name)
            event = events.last_of(connection, row, PAUSE) if row else None
        if event:
            since, by, reason = moment_of(event.moment), event.who, event.why
    elif not server_gates.answers(asking):
        since = since or (way["following"] or {}).get("still")
    return {"why": why, "since": since, "until": asking["until"], "by": by, "reason": reason}
