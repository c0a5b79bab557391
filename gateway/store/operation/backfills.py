"""Whether the backfill of a source must stop, and the progress that it reports. Writes go inside `Store.write()`.

A row for each source: the process that runs it may be any, so this goes through the store. How fast it may go is the
affair of `gateway/legacy/pacing/server_gates.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from gateway.base.clock import now
from gateway.store.base.session import Session
from gateway.store.operation import leases, runs

# What was reported before the run last gave a sign is of an earlier run.
FRESH = 5_000_000


class BackfillNews(NamedTuple):
    """What the backfill reported last, and when (microseconds UTC)."""

    news: dict[str, Any]
    moment: int


def stop_wished(connection: Session, source: int) -> bool:
    """Did an operator stop the backfill of a source, and not let it go again?"""
    row = connection.one("SELECT stopped FROM backfill WHERE source = ?", (source,))
    return bool(row and row[0])


def wish_stop(connection: Session, source: int, stop: bool) -> None:
    """Stop the backfill of a source, or let it go again; one that runs sees it within two seconds."""
    connection.run(
        "INSERT INTO backfill (source, stopped) VALUES (?1, ?2) ON CONFLICT (source) DO UPDATE SET stopped = ?2",
        (source, int(stop)),
    )


def report(connection: Session, source: int, news: dict[str, Any]) -> None:
    """Write how the backfill is doing."""
    connection.run(
        "INSERT INTO backfill (source, news, moment) VALUES (?1, ?2, ?3) ON CONFLICT (source) DO UPDATE"
        " SET news = ?2, moment = ?3",
        (source, orjson.dumps(news).decode(), now()),
    )


def running(connection: Session) -> dict[str, dict[str, Any]]:
    """The progress of each backfill that runs, by source, without its counters."""
    found = connection.all(
        "SELECT s.name, b.news FROM backfill b JOIN source s ON s.id = b.source JOIN run r ON r.source = b.source"
        " AND r.job = 'backfill' AND r.status = ? WHERE b.moment >= r.heartbeat - ? AND b.news IS NOT NULL",
        (runs.RUNNING, FRESH),
    )
    progress = {name: orjson.loads(news) for name, news in found}
    alive = {
        name: news
        for name, news in progress.items()
        if leases.holder_of(connection, runs.lease_of("backfill", name))
    }
    for news in alive.values():
        news.pop("counters", None)
    return alive


def last_report(connection: Session, source: int) -> BackfillNews | None:
    """What the backfill of a source reported last; None when it never did."""
    row = connection.one("SELECT news, moment FROM backfill WHERE source = ?", (source,))
    return BackfillNews(orjson.loads(row[0]), row[1]) if row and row[0] else None


class RateSample(NamedTuple):
    """How fast a run went at a moment (microseconds UTC), in objects a second, and how soon the source answered."""

    moment: int
    rate: float
    p50_ms: int | None


def put_sample(connection: Session, run: int, rate: float, p50_ms: int | None) -> None:
    """Note how fast a run goes now."""
    connection.run(
        "INSERT INTO backfill_sample (run, moment, rate, p50_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (run, now(), rate, p50_ms),
    )


def samples(connection: Session, run: int, most: int) -> list[RateSample]:
    """The course of a run in at most so many steps, each the mean over its time."""
    first, last = connection.one(
        "SELECT coalesce(min(moment), 0), coalesce(max(moment), 0) FROM backfill_sample WHERE run = ?", (run,)
    )
    width = (last - first) // most + 1
    rows = connection.all(
        "SELECT min(moment), avg(rate), avg(p50_ms) FROM backfill_sample WHERE run = ?1"
        " GROUP BY (moment - ?2) / ?3 ORDER BY 1",
        (run, first, width),
    )
    return [RateSample(at, rate, None if usual is None else round(usual)) for at, rate, usual in rows]
