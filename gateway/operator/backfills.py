"""Backfills as operators see and steer them, from any process: what runs, how it goes, and pause, resume, stop, set.

Stopping goes through the store, pausing and the pace through the gates of the source: they hold for its other jobs too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gateway.base import clock
from gateway.config.defaults import MOST_CONNECTIONS
from gateway.config.model import Source
from gateway.legacy.pacing import gate, server_gates
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.inspect.status import moment_of
from gateway.store.operation import backfills, events, runs
from gateway.store.operation.sources import held_source, source_id

JOB = "backfill"
# How a pause stands in the log of events.
PAUSE = "gepauzeerd"
# A process that runs says within this time what it made of a wish; it looks every second, and mostly finishes a page.
REPORTS_WITHIN, LOOK_SECONDS = 15.0, 0.1


class NothingRuns(Exception):
    """There is no backfill of this source to steer; the text says so."""


class NotPossible(Exception):
    """A value that can't be set; the text says why and what can be."""


class Resumed(NamedTuple):
    """What was taken back, and whether a backfill runs that goes on now."""

    pause: bool
    stop: bool
    runs: bool


class BackfillLimits(NamedTuple):
    """What may be set while it runs: objects a second (0: no limit), calls at a time."""

    rate: float | None = None
    connections: int | None = None


def overview(store: Store, sources: Sequence[Source]) -> dict[str, Any]:
    """How the backfill of each source is doing: `{"sources": {NAME: ...}}`.

    Each has `running`, `stopped` (by an operator), the last `run` (None when there never was one), `asking` (how its
    jobs ask now, see `server_gates.describe`) and, while it runs, `now`: what is being read, rates, time left, why it
    waits, what keeps it from going faster.
    """
    asking = {source.name: server_gates.describe(store.path, source) for source in sources}
    with store.read() as connection:
        return {"sources": {name: {**_one(connection, name), "asking": asking[name]} for name in asking}}


def _one(connection: Session, name: str) -> dict[str, Any]:
    source = held_source(connection, name)
    last = runs.last_of_source(connection, JOB, source) if source else None
    if source is None or last is None:
        return {"running": False, "stopped": False, "run": None, "now": None}
    running = last.status == runs.RUNNING
    progress = backfills.last_report(connection, source) if running else None
    news = progress.news if progress and progress.moment >= last.started else None
    counters = news.pop("counters") if news else last.counters
    return {
        "running": running,
        "stopped": backfills.stop_wished(connection, source),
        "run": {
            "status": last.status,
            "started": moment_of(last.started),
            "finished": moment_of(last.finished),
            "message": last.message,
            "kinds": counters,
        },
        "now": news,
    }


def pause(store: Store, source: Source, who: str = "", why: str = "") -> bool:
    """Let all jobs on a source wait, of which a running backfill is one; calls under way are finished.

    Out: does a backfill run? `paused` says whether its process waits. Raises NotShared.
    """
    server_gates.pause(store.path, source)
    _note(store, source, PAUSE, who, why)
    return runs_now(store, source)


def _note(store: Store, source: Source, what: str, who: str, why: str) -> None:
    """Write in the log of events who did what; nothing when nobody is named."""
    if who:
        with store.write() as connection:
            events.note(connection, source_id(connection, source.name), what, who, why)


def paused(store: Store, source: Source, since: int, seconds: float = REPORTS_WITHIN) -> bool:
    """Does the process of a running backfill say, after `since` (microseconds UTC), that it waits for the pause?

    Waits so many seconds for its word; also True when the backfill ended meanwhile.
    """
    until = clock.monotonic() + seconds
    while True:
        with store.read() as connection:
            row = held_source(connection, source.name)
            progress = backfills.last_report(connection, row) if row else None
        if progress and progress.moment > since and progress.news.get("waits") == gate.PAUSED:
            return True
        if not runs_now(store, source):
            return True
        if clock.monotonic() >= until:
            return False
        clock.sleep(LOOK_SECONDS)


def runs_now(store: Store, source: Source) -> bool:
    """Does a backfill of this source run?"""
    with store.read() as connection:
        try:
            _running(connection, source.name)
        except NothingRuns:
            return False
    return True


def stop(store: Store, source: Source, who: str = "", why: str = "") -> None:
    """Let a running backfill end; it can be gone on with, but not by itself. Raises NothingRuns."""
    with store.write() as connection:
        backfills.wish_stop(connection, _running(connection, source.name), True)
    _note(store, source, "inlezen gestopt", who, why)


def resume(store: Store, source: Source, who: str = "", why: str = "") -> Resumed:
    """Take back a pause or stop, also when the backfill that it was meant for is over."""
    paused = bool(server_gates.describe(store.path, source)["paused"])
    server_gates.resume(store.path, source)
    with store.write() as connection:
        row = source_id(connection, source.name)
        stopped = backfills.stop_wished(connection, row)
        backfills.wish_stop(connection, row, False)
        last = runs.last_of_source(connection, JOB, row)
    _note(store, source, "hervat", who, why)
    return Resumed(paused, stopped, last is not None and last.status == runs.RUNNING)


def set_limits(store: Store, source: Source, limits: BackfillLimits, who: str = "", why: str = "") -> None:
    """Change the pace of all jobs on a source, until a backfill is done or `unset`. Raises NotPossible, NotShared."""
    if limits.rate is None and limits.connections is None:
        raise NotPossible("Noem rate=<objecten per seconde>, connections=<aantal>, of beide.")
    if limits.rate is not None and not 0 <= limits.rate < 1e9:
        raise NotPossible("rate is het aantal objecten per seconde; 0 is geen grens.")
    if limits.connections is not None and not 1 <= limits.connections <= MOST_CONNECTIONS:
        raise NotPossible(f"connections is 1 tot en met {MOST_CONNECTIONS}.")
    server_gates.set_overrides(
        store.path, source, objects_per_second=limits.rate, connections=limits.connections
    )
    parts = (
        [f"{limits.rate:g} objecten/s" if limits.rate else "zonder grens"] if limits.rate is not None else []
    )
    parts += [f"{limits.connections} verbindingen"] if limits.connections is not None else []
    _note(store, source, f"tempo: {', '.join(parts)}", who, why)


def unset(store: Store, source: Source, who: str = "", why: str = "") -> None:
    """Let the limits of the configuration hold again. Raises NotShared."""
    server_gates.clear_overrides(store.path, source)
    _note(store, source, "tempo: weer volgens de configuratie", who, why)


def _running(connection: Session, source: str) -> int:
    """The row of a source whose backfill runs."""
    row = held_source(connection, source)
    last = runs.last_of_source(connection, JOB, row) if row else None
    if row is None or last is None or last.status != runs.RUNNING:
        raise NothingRuns(f"Er loopt geen backfill van bron {source}.")
    return row
