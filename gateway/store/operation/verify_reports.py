"""Reports of verify as they are kept. Writes go inside `Store.write()`."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

LISTED = 50
EVERYTHING = math.inf


class Listed(NamedTuple):
    """A report in the list of reports; moments in microseconds UTC."""

    id: int
    source: str
    began: int
    ended: int
    mode: str
    clean: bool


class Proof(NamedTuple):
    """What a verify proved: of how many zaken (`reach`), and with which mapping (a fingerprint)."""

    ended: int
    clean: bool
    reach: float
    mapping: str


def put_report(connection: sqlite3.Connection, source: int, report: dict[str, Any]) -> int:
    """Keep a report (with `began`, `ended`, `mode` and `clean`); out: its number."""
    cursor = connection.execute(
        "INSERT INTO verification (source, began, ended, mode, clean, report) VALUES (?, ?, ?, ?, ?, ?)",
        (
            source,
            report["began"],
            report["ended"],
            report["mode"],
            int(report["clean"]),
            orjson.dumps(report).decode(),
        ),
    )
    return cursor.lastrowid or 0


def get_report(connection: sqlite3.Connection, number: int) -> dict[str, Any] | None:
    """A report with its number as `id`; None when there is none."""
    row = connection.execute("SELECT report FROM verification WHERE id = ?", (number,)).fetchone()
    return orjson.loads(row[0]) | {"id": number} if row else None


def list_reports(connection: sqlite3.Connection) -> list[Listed]:
    """The last reports, newest first."""
    rows = connection.execute(
        "SELECT v.id, s.name, v.began, v.ended, v.mode, v.clean FROM verification v"
        " JOIN source s ON s.id = v.source ORDER BY v.id DESC LIMIT ?",
        (LISTED,),
    )
    return [
        Listed(number, source, began, ended, mode, bool(clean))
        for number, source, began, ended, mode, clean in rows
    ]


def proofs(connection: sqlite3.Connection, source: int) -> Iterator[Proof]:
    """What each verify of a source proved, the last one first."""
    rows = connection.execute(
        "SELECT ended, clean, mode, report ->> '$.sample', report ->> '$.mapping' FROM verification"
        " WHERE source = ? ORDER BY ended DESC, id DESC",
        (source,),
    )
    for ended, clean, mode, sample, mapping in rows:
        yield Proof(ended, bool(clean), EVERYTHING if mode == "full" else float(sample or 0), mapping or "")
