"""What operators asked the jobs process to do: read a source in, prove it. Writes go inside `Store.write()`.

A page can't do it itself: it takes hours. One order is open for each job and source; who asks again gets that one.
Moments are microseconds UTC.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from gateway.base.clock import now
from gateway.store.base.session import Session

LISTED = 20
_COLUMNS = (
    "o.id, o.job, s.name, o.options, o.who, o.asked, o.began, o.ended, o.outcome, o.news, o.stop"
    " FROM job_order o JOIN source s ON s.id = o.source"
)


class Order(NamedTuple):
    """One order. `news` is what its job is doing, `outcome` how it ended; `stop`: whoever asked it takes it back."""

    id: int
    job: str
    source: str
    options: dict[str, Any]
    who: str
    asked: int
    began: int | None
    ended: int | None
    outcome: str
    news: dict[str, Any]
    stop: bool


def place(connection: Session, job: str, source: int, who: str, options: dict[str, Any]) -> bool:
    """Ask for a job on a source. Out: False when that was asked already and is not done."""
    if connection.one(
        "SELECT 1 FROM job_order WHERE job = ? AND source = ? AND ended IS NULL", (job, source)
    ):
        return False
    connection.insert(
        "INSERT INTO job_order (job, source, options, who, asked) VALUES (?, ?, ?, ?, ?)",
        (job, source, orjson.dumps(options).decode(), who, now()),
    )
    return True


def next_of(connection: Session, source: str) -> Order | None:
    """The oldest order on a source that is not done; one that was begun before is gone on with."""
    row = connection.one(
        f"SELECT {_COLUMNS} WHERE s.name = ? AND o.ended IS NULL ORDER BY o.id LIMIT 1", (source,)
    )
    return _order(row) if row else None


def any_open(connection: Session) -> bool:
    """Is there anything to do?"""
    return connection.one("SELECT 1 FROM job_order WHERE ended IS NULL LIMIT 1") is not None


def listing(connection: Session, limit: int = LISTED) -> list[Order]:
    """The last orders, newest first."""
    return [_order(row) for row in connection.all(f"SELECT {_COLUMNS} ORDER BY o.id DESC LIMIT ?", (limit,))]


def begin(connection: Session, number: int) -> None:
    """An order is taken up, or gone on with."""
    connection.run("UPDATE job_order SET began = coalesce(began, ?) WHERE id = ?", (now(), number))


def tell(connection: Session, number: int, news: dict[str, Any]) -> bool:
    """Say how an order is doing. Out: was it taken back?"""
    connection.run("UPDATE job_order SET news = ? WHERE id = ?", (orjson.dumps(news).decode(), number))
    row = connection.one("SELECT stop FROM job_order WHERE id = ?", (number,))
    return bool(row and row[0])


def begun(connection: Session, job: str, source: int) -> bool:
    """Was an order taken up that is not done?"""
    row = connection.one(
        "SELECT 1 FROM job_order WHERE job = ? AND source = ? AND ended IS NULL AND began IS NOT NULL",
        (job, source),
    )
    return row is not None


def take_back(connection: Session, job: str, source: int) -> bool:
    """Let an order stop, or not begin. Out: was there one?"""
    moment = now()
    waited = connection.run(
        "UPDATE job_order SET stop = 1, ended = ?, outcome = 'ingetrokken'"
        " WHERE job = ? AND source = ? AND ended IS NULL AND began IS NULL",
        (moment, job, source),
    )
    runs = connection.run(
        "UPDATE job_order SET stop = 1 WHERE job = ? AND source = ? AND ended IS NULL", (job, source)
    )
    return waited + runs > 0


def end(connection: Session, number: int, outcome: str) -> None:
    """An order is done."""
    connection.run("UPDATE job_order SET ended = ?, outcome = ? WHERE id = ?", (now(), outcome, number))


def _order(row: tuple[Any, ...]) -> Order:
    number, job, source, options, who, asked, began, ended, outcome, news, stop = row
    return Order(
        number,
        job,
        source,
        orjson.loads(options),
        who,
        asked,
        began,
        ended,
        outcome,
        orjson.loads(news) if news else {},
        bool(stop),
    )
