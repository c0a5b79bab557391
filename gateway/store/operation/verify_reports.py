"""Reports of verify as they are kept. Writes go inside `Store.write()`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from gateway.store.base.session import Session

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
    id: int


def put_report(connection: Session, source: int, report: dict[str, Any]) -> int:
    """Keep a report (with `began`, `ended`, `mode` and `clean`); out: its number."""
    return connection.insert(
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


def get_report(connection: Session, number: int) -> dict[str, Any] | None:
    """A report with its number as `id`; None when there is none."""
    row = connection.one("SELECT report FROM verification WHERE id = ?", (number,))
    return orjson.loads(row[0]) | {"id": number} if row else None


def list_reports(connection: Session) -> list[Listed]:
    """The last reports, newest first."""
    rows = connection.all(
        "SELECT v.id, s.name, v.began, v.ended, v.mode, v.clean FROM verification v"
        " JOIN source s ON s.id = v.source ORDER BY v.id DESC LIMIT ?",
        (LISTED,),
    )
    return [
        Listed(number, source, began, ended, mode, bool(clean))
        for number, source, began, ended, mode, clean in rows
    ]


def proofs(connection: Session, source: int) -> Iterator[Proof]:
    """What each verify of a source proved, the last one first."""
    rows = connection.each(
        "SELECT ended, clean, mode, report ->> '$.sample', report ->> '$.mapping', id FROM verification"
        " WHERE source = ? ORDER BY ended DESC, id DESC",
        (source,),
    )
    for ended, clean, mode, sample, mapping, number in rows:
        reach = EVERYTHING if mode == "full" else float(sample or 0)
        yield Proof(ended, bool(clean), reach, mapping or "", number)


def telling(connection: Session, source: int) -> Proof | None:
    """The proof that says how a source is: the newest that was not clean and that no later clean one of at least its
    reach undid; else the last. None when there is none."""
    last, undone = None, -1.0
    for each in proofs(connection, source):
        last = last or each
        if not each.clean and each.reach > undone:
            return each
        if each.clean:
            undone = max(undone, each.reach)
        if undone == EVERYTHING:
            break
    return last
