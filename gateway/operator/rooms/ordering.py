"""Orders of operators: read a source in, prove it, stop that. The jobs process carries them out (job `orders`)."""

from __future__ import annotations

import contextlib
from typing import Any

from gateway.config.model import Source
from gateway.legacy.pacing import server_gates
from gateway.operator import backfills
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.inspect.status import moment_of
from gateway.store.operation import backfills as stops
from gateway.store.operation import events, leases, orders, runs, verify_reports
from gateway.store.operation.orders import Order
from gateway.store.operation.sources import held_source, source_id

READ, PROVE, PROVE_SAMPLE, LOOK_AGAIN = "backfill", "verify", "verify-sample", "quarantine"
WORDS = {
    READ: "inlezen",
    PROVE: "bewijs van alles",
    PROVE_SAMPLE: "steekproef",
    LOOK_AGAIN: "quarantaine opnieuw",
}


class AlreadyOrdered(Exception):
    """The same was ordered already and is not done; the text says so."""


def read_in(store: Store, source: Source, who: str, why: str = "") -> None:
    """Order a backfill; a pause and a stop of before are taken back, as `klantbrug backfill run` does.

    Raises AlreadyOrdered, NotShared.
    """
    with store.write() as connection:
        _placed(connection, source, READ, who, why, {})
        # With the order, so that no process takes it up and sees the stop of before.
        stops.wish_stop(connection, source_id(connection, source.name), False)
    server_gates.resume(store.path, source)


def prove(
    store: Store, source: Source, who: str, why: str = "", *, whole: bool, repair: bool = False
) -> None:
    """Order a verify: of everything or of a sample, with repair when asked. Raises AlreadyOrdered.

    After a sample that failed, a repair takes the same zaken, and another sample is at least as large.
    """
    options: dict[str, Any] = {"repair": repair}
    if not whole:
        options |= _after_failed_sample(store, source, repair)
    _place(store, source, PROVE if whole else PROVE_SAMPLE, who, why, options)


def look_again(store: Store, source: Source, who: str) -> None:
    """Order that the source is asked again for what is in quarantine and not held any more."""
    with contextlib.suppress(AlreadyOrdered):
        _place(store, source, LOOK_AGAIN, who, "", {})


def stop_proof(store: Store, source: Source, who: str, why: str = "") -> bool:
    """Stop the proofs that were ordered. Out: were there any?"""
    with store.write() as connection:
        row = source_id(connection, source.name)
        found = [orders.take_back(connection, job, row) for job in (PROVE, PROVE_SAMPLE)]
        if any(found):
            events.note(connection, row, "bewijs gestopt", who, why)
    return any(found)


def stop_reading(store: Store, source: Source, who: str, why: str = "") -> bool:
    """Stop a backfill that runs, and one that was ordered. Out: was there one?"""
    with store.write() as connection:
        row = source_id(connection, source.name)
        if orders.begun(connection, READ, row):
            stops.wish_stop(connection, row, True)  # its run may be about to begin
        ordered = orders.take_back(connection, READ, row)
    try:
        backfills.stop(store, source, who, why)
    except backfills.NothingRuns:
        if ordered:
            with store.write() as connection:
                events.note(connection, row, "inlezen ingetrokken", who, why)
        return ordered
    return True


def open_orders(store: Store) -> dict[str, list[dict[str, Any]]]:
    """What was ordered and is not done, by source: `job`, `what`, `who`, `asked`, `began` and `news`."""
    found: dict[str, list[dict[str, Any]]] = {}
    with store.read() as connection:
        for order in orders.listing(connection):
            if order.ended is None:
                found.setdefault(order.source, []).append(_shown(order))
    return found


def last_orders(store: Store) -> list[dict[str, Any]]:
    """What was ordered last and is done, newest first: `source`, `what`, `who`, `asked`, `ended` and `outcome`."""
    with store.read() as connection:
        done = [order for order in orders.listing(connection) if order.ended is not None]
    return [
        {
            "source": order.source,
            "job": order.job,
            "what": WORDS.get(order.job, order.job),
            "who": order.who,
            "asked": moment_of(order.asked),
            "ended": moment_of(order.ended),
            "outcome": order.outcome,
        }
        for order in done
    ]


def runs_of_proof(store: Store, name: str) -> dict[str, Any] | None:
    """The verify of a source that runs now, whoever began it: its job and since when; None when none does."""
    with store.read() as connection:
        found = runs.running(connection, runs.lease_of(PROVE, name))
    if found is None or found.job == READ:
        return None
    return {"job": found.job, "what": WORDS[found.job], "since": moment_of(found.started)}


def jobs_run(store: Store) -> bool:
    """Is there a process that carries orders out?"""
    with store.read() as connection:
        return leases.jobs_run(connection)


def _place(store: Store, source: Source, job: str, who: str, why: str, options: dict[str, Any]) -> None:
    with store.write() as connection:
        _placed(connection, source, job, who, why, options)


def _placed(
    connection: Session, source: Source, job: str, who: str, why: str, options: dict[str, Any]
) -> None:
    row = source_id(connection, source.name)
    if not orders.place(connection, job, row, who, options):
        raise AlreadyOrdered(f"Dit is voor bron {source.name} al gevraagd en nog niet klaar.")
    with_repair = " met herstel" if options.get("repair") else ""
    events.note(connection, row, f"{WORDS[job]}{with_repair} gevraagd", who, why)


def _after_failed_sample(store: Store, source: Source, repair: bool) -> dict[str, Any]:
    """What a sample must be to undo the one that failed: `sample` and `seed` of that, or `at_least` so many zaken."""
    with store.read() as connection:
        row = held_source(connection, source.name)
        proof = verify_reports.telling(connection, row) if row else None
        if proof is None or proof.clean or proof.reach == verify_reports.EVERYTHING:
            return {}
        failed = verify_reports.get_report(connection, proof.id) or {}
    if repair:
        return {"sample": failed["sample"], "seed": failed["seed"]}
    return {"at_least": failed["sample"]}


def _shown(order: Order) -> dict[str, Any]:
    return {
        "job": order.job,
        "what": WORDS[order.job],
        "who": order.who,
        "asked": moment_of(order.asked),
        "began": moment_of(order.began),
        "news": order.news,
    }
