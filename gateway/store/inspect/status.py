"""The store in numbers: no names, no uuids, no values."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import orjson

from gateway.store.backup import integrity
from gateway.store.base.kinds import KINDS, LEFT_OUT_RULES, QUARANTINED, RAW_KINDS, TRANSLATED
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.export import pairs
from gateway.store.indexes import spans, tallies
from gateway.store.inspect import rebuilding
from gateway.store.inspect.findings import number_of
from gateway.store.legacy import quarantine, untranslated_keys
from gateway.store.operation import events, following, inbox, outbox, runs
from gateway.store.schema import upgrade

RUNS_SHOWN = 20
EVENTS_SHOWN = 10
OLD_SCHEMA = "De opslag heeft een ouder schema dan deze versie nodig heeft."
NEW_SCHEMA = "De opslag is bijgewerkt door een nieuwere versie van Klantbrug: werk ook deze bij."


def status(store: Store) -> dict[str, Any]:
    """The state of the store.

    Out: `sources` (per source its phase, coverage, and per kind how many legacy objects were seen, translated,
    quarantined and left out by which rule; seen is their sum), `runs` (the last, newest first), `events` (what
    operators did last, newest first), `documents` (how many of each kind), `findings` (how many by rule, of objects
    and of whole sources), `quarantine` (how many are to be looked at, and how many an operator dismissed),
    `notifications` (how many wait, and how many were given up) and `inbox` (messages about the sources: how many
    wait, and how many had no place), and in `export` how leaving for a register stands. A source says in `unread` how
    many of its objects in quarantine clients notice, and of how many it is not known whom they are about. A source
    that is followed says in `following` when it was last synced and swept, why the sweep hurries, how many of its
    questions got no answer, and since when it stands still.
    """
    with store.read() as connection:
        return {
            "sources": _sources(connection),
            "runs": _runs(connection),
            "events": _events(connection),
            "documents": _documents(connection),
            "findings": _findings(connection),
            "quarantine": quarantine.counts(connection),
            "notifications": outbox.counts(connection),
            "inbox": inbox.counts(connection),
            "export": pairs.summary(connection),
        }


def unready(store: Store) -> str:
    """Why the store can't be used, in words; blank when it answers from every kind of table and has our schema.

    Raises StoreFailed or StoreError when it doesn't answer.
    """
    with store.read() as connection:
        connection.one("SELECT id FROM document LIMIT 1")
        if connection.dialect.is_a_file:
            integrity.sample(connection)
        if upgrade.is_due(connection):
            return OLD_SCHEMA
        return NEW_SCHEMA if upgrade.unknown(connection) else ""


def _sources(connection: Session) -> dict[str, Any]:
    found: dict[str, Any] = {}
    names: dict[int, str] = {}
    to_rebuild = rebuilding.mixed(connection)
    for number, name, phase, covered in connection.all(
        "SELECT id, name, phase, covered FROM source ORDER BY name"
    ):
        names[number] = name
        kinds = {kind: {"seen": 0, "translated": 0, "quarantined": 0, "left_out": {}} for kind in RAW_KINDS}
        coverage = "partial" if covered is None else "complete"
        found[name] = {"phase": phase, "coverage": coverage, "rebuild": name in to_rebuild, "kinds": kinds}
        found[name]["unread"] = untranslated_keys.open_of(connection, number)._asdict()
    for name, followed in following.summary(connection).items():
        found[name]["following"] = followed | {
            what: moment_of(followed[what]) for what in ("synced", "swept", "still")
        }
    for source, kind, state, count in tallies.raws(connection):
        numbers = found[names[source]]["kinds"][RAW_KINDS[kind - 1]]
        if state == TRANSLATED:
            numbers["translated"] += count
        elif state == QUARANTINED:
            numbers["quarantined"] += count
        elif state in LEFT_OUT_RULES:
            numbers["left_out"][LEFT_OUT_RULES[state]] = count
        else:  # gone on the legacy side: not one of the objects that are there
            continue
        numbers["seen"] += count
    return found


def _events(connection: Session) -> list[dict[str, Any]]:
    found = events.events(connection, EVENTS_SHOWN)
    return [event._asdict() | {"moment": moment_of(event.moment)} for event in found]


def _documents(connection: Session) -> dict[str, int]:
    counts = spans.counts(connection)
    return {kind: counts.get(number, 0) for number, kind in enumerate(KINDS, start=1)}


def _findings(connection: Session) -> dict[str, int]:
    found = Counter(tallies.findings(connection))
    found.update(dict(connection.all("SELECT rule, count(*) FROM source_finding GROUP BY rule")))
    return {rule: found[rule] for rule in sorted(found, key=number_of)}


def _runs(connection: Session) -> list[dict[str, Any]]:
    found = connection.all(
        "SELECT r.job, s.name, r.status, r.started, r.heartbeat, r.finished, r.counters, r.message"
        " FROM run r LEFT JOIN source s ON s.id = r.source ORDER BY r.started DESC, r.id DESC LIMIT ?",
        (RUNS_SHOWN,),
    )
    return [
        {
            "job": job,
            "source": source,
            "status": runs.true_status(connection, job, source, state),
            "started": moment_of(started),
            "heartbeat": moment_of(heartbeat),
            "finished": moment_of(finished),
            "counters": orjson.loads(counters),
            "message": message,
        }
        for job, source, state, started, heartbeat, finished, counters, message in found
    ]


def moment_of(microseconds: int | None) -> str | None:
    """A moment of the store as the operator's API writes it; None stays None."""
    if microseconds is None:
        return None
    seconds = datetime.fromtimestamp(microseconds // 1_000_000, UTC)
    return seconds.isoformat().replace("+00:00", "Z")
