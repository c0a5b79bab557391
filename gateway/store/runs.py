"""The jobs' own record: runs with their cursor and counters. Writes go inside `Store.write()`."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.store.database import now

RUNNING, INTERRUPTED, FINISHED, FAILED = "running", "interrupted", "finished", "failed"


@dataclass(slots=True)
class Run:
    """One run of a job on a source; `cursor` is where it goes on after a stop."""

    id: int
    job: str
    started: int
    counters: dict[str, Any] = field(default_factory=dict)
    cursor: dict[str, Any] = field(default_factory=dict)
    resumed: bool = False


def open_run(connection: sqlite3.Connection, job: str, source: int) -> Run:
    """The unfinished run of this job on this source, else a new one."""
    row = connection.execute(
        "SELECT id, started, counters, cursor FROM run WHERE job = ? AND source = ? AND status != ?"
        " ORDER BY id DESC LIMIT 1",
        (job, source, FINISHED),
    ).fetchone()
    moment = now()
    if row and row[3]:
        connection.execute("UPDATE run SET status = ?, heartbeat = ? WHERE id = ?", (RUNNING, moment, row[0]))
        return Run(row[0], job, row[1], orjson.loads(row[2]), orjson.loads(row[3]), resumed=True)
    if row:
        connection.execute("DELETE FROM run WHERE id = ?", (row[0],))
    cursor = connection.execute(
        "INSERT INTO run (job, source, status, started, heartbeat) VALUES (?, ?, ?, ?, ?)",
        (job, source, RUNNING, moment, moment),
    )
    return Run(cursor.lastrowid or 0, job, moment)


def save_run(connection: sqlite3.Connection, run: Run) -> None:
    """Write cursor and counters, in the transaction of the work that they tell of."""
    connection.execute(
        "UPDATE run SET cursor = ?, counters = ?, heartbeat = ? WHERE id = ?",
        (orjson.dumps(run.cursor).decode(), orjson.dumps(run.counters).decode(), now(), run.id),
    )


def end_run(connection: sqlite3.Connection, run: Run, status: str, message: str = "") -> None:
    """Close a run; an interrupted or failed one keeps its cursor and is gone on with later."""
    connection.execute(
        "UPDATE run SET status = ?, message = ?, counters = ?, heartbeat = ?, finished = ?,"
        " cursor = CASE WHEN ? = 'finished' THEN NULL ELSE cursor END WHERE id = ?",
        (status, message, orjson.dumps(run.counters).decode(), now(), now(), status, run.id),
    )


def record_run(
    connection: sqlite3.Connection, job: str, started: int, status: str, counters: dict[str, int]
) -> None:
    """Note a run that is over, of a job that needs no cursor and no source."""
    connection.execute(
        "INSERT INTO run (job, status, started, heartbeat, finished, counters) VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
        (job, status, started, now(), orjson.dumps(counters).decode()),
    )


def last_run(connection: sqlite3.Connection, job: str) -> tuple[int, str] | None:
    """When the last run of a job began, and how it is or ended; None when there was none."""
    return connection.execute(
        "SELECT started, status FROM run WHERE job = ? ORDER BY started DESC, id DESC LIMIT 1", (job,)
    ).fetchone()
