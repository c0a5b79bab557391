"""The jobs' own record: runs with their cursor and counters. Writes go inside `Store.write()`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from gateway.base.clock import now
from gateway.store.base.row_ids import next_ids
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.operation import leases

RUNNING, INTERRUPTED, FINISHED, FAILED = "running", "interrupted", "finished", "failed"
# Ended whole, and what it found or did is not right: a proof that failed, a source that could not be asked.
PROBLEMS = "problems"
ENDED = (FINISHED, PROBLEMS)


# The lease that a run of these jobs holds for as long as it lives. Verify has that of the backfill: what a backfill
# changes would look like differences.
LEASES = {
    "backfill": "backfill {source}",
    "verify": "backfill {source}",
    "verify-sample": "backfill {source}",
    "rebuild": "rebuild",
    "export": "export",
    "export-verify": "export verify",
}


def lease_of(job: str, source: str | None) -> str:
    """The lease that a run of a job on a source holds; blank when runs of that job have none of their own."""
    return LEASES.get(job, "").format(source=source)


def take_lease(store: Store, lease: str, seconds: float) -> leases.Grip | None:
    """Take the lease of runs; None when another holds it.

    A run that is still marked as running by this lease was killed, and would look alive now that it is held again.
    """
    with store.write() as connection:
        grip = leases.take(store, lease, seconds)
        if grip is not None:
            _interrupt(connection, [number for number, of in _marked(connection) if of == lease])
    return grip


def mark_dead(connection: Session) -> int:
    """Mark the runs that say that they run and whose process is no more; out: how many.

    Was it only taken for dead, as one that stood still for long, then it finds its lease lost when it goes on.
    """
    dead = [
        (number, lease)
        for number, lease in _marked(connection)
        if lease and leases.grip_of(connection, lease) == leases.FREE
    ]
    _interrupt(connection, [number for number, _ in dead])
    for _, lease in dead:
        leases.take_away(connection, lease)
    return len(dead)


def _marked(connection: Session) -> list[tuple[int, str]]:
    """The runs that are marked as running, with the lease of each."""
    rows = connection.all(
        "SELECT r.id, r.job, s.name FROM run r LEFT JOIN source s ON s.id = r.source WHERE r.status = ?",
        (RUNNING,),
    )
    return [(number, lease_of(job, source)) for number, job, source in rows]


def _interrupt(connection: Session, numbers: list[int]) -> None:
    connection.many("UPDATE run SET status = ? WHERE id = ?", [(INTERRUPTED, number) for number in numbers])


def any_bulk(connection: Session) -> bool:
    """Does a run go on that goes through everything, and writes so much that it needs a long log?"""
    names = [
        row[0]
        for row in connection.all(
            "SELECT name FROM lease WHERE name = ? OR name LIKE ? ORDER BY name",
            (LEASES["rebuild"], lease_of("backfill", "%")),
        )
    ]
    return any(leases.holder_of(connection, name) is not None for name in names)


def true_status(connection: Session, job: str, source: str | None, status: str) -> str:
    """How a run is: one whose process died still says that it runs, but nobody holds its lease."""
    lease = lease_of(job, source)
    if status == RUNNING and lease and leases.holder_of(connection, lease) is None:
        return INTERRUPTED
    return status


class LastRun(NamedTuple):
    """The last run of a job on a source; moments in microseconds UTC."""

    status: str
    started: int
    finished: int | None
    message: str
    counters: dict[str, Any]
    id: int = 0
    cursor: dict[str, Any] | None = None


def history(connection: Session, job: str, source: int, limit: int) -> list[LastRun]:
    """The last runs of a job on a source, newest first."""
    rows = connection.all(
        "SELECT s.name, r.status, r.started, r.finished, r.message, r.counters, r.id, r.cursor FROM run r"
        " JOIN source s ON s.id = r.source WHERE r.job = ? AND r.source = ? ORDER BY r.id DESC LIMIT ?",
        (job, source, limit),
    )
    return [
        LastRun(
            true_status(connection, job, name, status),
            started,
            finished,
            message or "",
            orjson.loads(counters),
            number,
            orjson.loads(cursor) if cursor else None,
        )
        for name, status, started, finished, message, counters, number, cursor in rows
    ]


def last_of_source(connection: Session, job: str, source: int) -> LastRun | None:
    """The last run of a job on a source, None when there was none."""
    found = history(connection, job, source, 1)
    return found[0] if found else None


class Running(NamedTuple):
    """A run that goes on now: which job, in which process, and since when (microseconds UTC)."""

    job: str
    pid: int
    started: int


def running(connection: Session, lease: str) -> Running | None:
    """The run that holds a lease of runs; None when there is none, or it has not begun yet."""
    pid = leases.holder_of(connection, lease)
    rows = connection.all(
        "SELECT r.job, s.name, r.started FROM run r LEFT JOIN source s ON s.id = r.source WHERE r.status = ?"
        " ORDER BY r.id DESC",
        (RUNNING,),
    )
    found = next(((job, started) for job, source, started in rows if lease_of(job, source) == lease), None)
    return None if pid is None or found is None else Running(found[0], pid, found[1])


@dataclass(slots=True)
class Run:
    """One run of a job on a source; `cursor` is where it goes on after a stop."""

    id: int
    job: str
    started: int
    counters: dict[str, Any] = field(default_factory=dict)
    cursor: dict[str, Any] = field(default_factory=dict)
    resumed: bool = False


def open_run(connection: Session, job: str, source: int | None) -> Run:
    """The unfinished run of this job on this source (None: on all), else a new one."""
    row = connection.one(
        "SELECT id, started, counters, cursor FROM run"
        " WHERE job = ? AND source IS NOT DISTINCT FROM ? AND status NOT IN (?, ?) ORDER BY id DESC LIMIT 1",
        (job, source, *ENDED),
    )
    moment = now()
    if row and row[3]:
        # How it ended the last time is over: it runs.
        connection.run(
            "UPDATE run SET status = ?, heartbeat = ?, finished = NULL, message = '' WHERE id = ?",
            (RUNNING, moment, row[0]),
        )
        return Run(row[0], job, row[1], orjson.loads(row[2]), orjson.loads(row[3]), resumed=True)
    if row:
        connection.run("DELETE FROM run WHERE id = ?", (row[0],))
    (number,) = next_ids(connection, "run", 1)
    connection.run(
        "INSERT INTO run (id, job, source, status, started, heartbeat) VALUES (?, ?, ?, ?, ?, ?)",
        (number, job, source, RUNNING, moment, moment),
    )
    return Run(number, job, moment)


def start_over(connection: Session, run: Run) -> None:
    """Let a run that was begun before begin now, at its beginning."""
    run.started, run.cursor, run.counters, run.resumed = now(), {}, {}, False
    connection.run("UPDATE run SET started = ? WHERE id = ?", (run.started, run.id))
    save_run(connection, run)


def save_run(connection: Session, run: Run) -> None:
    """Write cursor and counters, in the transaction of the work that they count."""
    connection.run(
        "UPDATE run SET cursor = ?, counters = ?, heartbeat = ? WHERE id = ?",
        (orjson.dumps(run.cursor).decode(), orjson.dumps(run.counters).decode(), now(), run.id),
    )


def beat(connection: Session, run: Run) -> None:
    """Tell that a run lives, whatever it is busy with."""
    connection.run("UPDATE run SET heartbeat = ? WHERE id = ?", (now(), run.id))


def end_run(connection: Session, run: Run, status: str, message: str = "") -> None:
    """Close a run; an interrupted or failed one keeps its cursor and is gone on with later."""
    connection.run(
        "UPDATE run SET status = ?, message = ?, counters = ?, heartbeat = ?, finished = ?,"
        " cursor = CASE WHEN ? THEN NULL ELSE cursor END WHERE id = ?",
        (status, message, orjson.dumps(run.counters).decode(), now(), now(), status in ENDED, run.id),
    )


def record_run(connection: Session, job: str, started: int, status: str, counters: dict[str, int]) -> None:
    """Note a run that is over, of a job that needs no cursor and no source."""
    (number,) = next_ids(connection, "run", 1)
    connection.run(
        "INSERT INTO run (id, job, status, started, heartbeat, finished, counters)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
        (number, job, status, started, now(), orjson.dumps(counters).decode()),
    )


def last_run(connection: Session, job: str) -> tuple[int, str] | None:
    """When the last run of a job began, and how it is or ended; None when there was none."""
    found: tuple[int, str] | None = connection.one(
        "SELECT started, status FROM run WHERE job = ? ORDER BY started DESC, id DESC LIMIT 1", (job,)
    )
    return found


def last_finished(connection: Session) -> list[tuple[str, int]]:
    """When the last run ended that went well (microseconds UTC), of each job whose runs as such are recorded."""
    return connection.all(
        "SELECT job, max(finished) FROM run WHERE source IS NULL AND status = ? AND finished IS NOT NULL"
        " GROUP BY job ORDER BY job",
        (FINISHED,),
    )


def last_began(connection: Session, job: str) -> int | None:
    """When the last run of a job as such began, not one of a single source; None when there was none.

    The last by number: a clock that was ahead for a while does not hide what ran since.
    """
    row = connection.one(
        "SELECT started FROM run WHERE job = ? AND source IS NULL ORDER BY id DESC LIMIT 1", (job,)
    )
    return row[0] if row else None
