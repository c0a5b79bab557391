"""What operators order on their pages: the jobs process reads a source in, or proves it, and tells how it goes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from builders.probe.tamper import Tamper
from builders.until import until
from builders.verifying import a_rol

from gateway.installation import Installation
from gateway.operator import backfills
from gateway.operator.rooms import ordering
from gateway.operator.rooms.ordering import AlreadyOrdered
from gateway.operator.rooms.overview import whole_overview
from gateway.operator.rooms.progress import course
from gateway.sample.server import SampleServer
from gateway.store.operation import events, leases, orders
from jobs.backfill import asking
from jobs.ordered.orders import STOPPED, anything_due
from jobs.registry import BY_NAME, run_job

pytestmark = pytest.mark.slow

Install = Callable[..., Installation]


def outcomes(installation: Installation) -> list[tuple[str, str]]:
    with installation.store.read() as connection:
        return [(each.job, each.outcome) for each in orders.listing(connection)]


def way(installation: Installation) -> dict[str, Any]:
    found: dict[str, Any] = whole_overview(installation.store, installation.config)["sources"]["bron"]["way"]
    return found


def in_thread(installation: Installation, stopping: threading.Event | None = None) -> threading.Thread:
    thread = threading.Thread(target=run_job, args=(installation, BY_NAME["orders"], stopping))
    thread.start()
    return thread


@pytest.mark.slow
def test_an_ordered_backfill_is_done_and_told_who_asked(server: SampleServer, install: Install) -> None:
    installation = install(bron=server)
    source, store = installation.config.sources[0], installation.store
    assert not anything_due(installation)
    backfills.pause(store, source, "anna")
    ordering.read_in(store, source, "anna", "eerste keer")
    with pytest.raises(AlreadyOrdered):
        ordering.read_in(store, source, "bert")
    assert way(installation)["standing"]["word"] == "Staat klaar"  # ordering takes a pause back
    assert run_job(installation, BY_NAME["orders"]) == {"done": 1, "failed": 0}
    assert outcomes(installation) == [("backfill", "volledig ingelezen")]
    assert way(installation)["coverage_percent"] == 100
    with store.read() as connection:
        told = [(each.source, each.what, each.who, each.why) for each in events.events(connection)]
    assert told[0] == ("bron", "inlezen gevraagd", "anna", "eerste keer")
    assert ("bron", "gepauzeerd", "anna", "") in told
    assert not anything_due(installation)


@pytest.mark.slow
def test_an_ordered_proof_is_made_and_a_red_one_is_repaired_by_the_next(
    filled: Installation, server: SampleServer
) -> None:
    source, store = filled.config.sources[0], filled.store
    assert leases.take(store, leases.SCHEDULER, 600)  # as the process for the jobs has it
    Tamper(store).lose_raw(a_rol(server)["uuid"])
    ordering.prove(store, source, "anna", whole=True)
    run_job(filled, BY_NAME["orders"])
    found = way(filled)
    assert outcomes(filled)[0][1].startswith("rapport 1: NIET schoon: ")
    assert (found["standing"]["word"], found["standing"]["level"]) == ("Bewijs mislukt", "bad")
    assert found["next"]["deed"] == "herstel"
    ordering.prove(store, source, "anna", whole=True, repair=True)
    run_job(filled, BY_NAME["orders"])
    assert way(filled)["proof"]["clean"]
    assert way(filled)["standing"]["word"] == "In orde"


@pytest.mark.slow
def test_an_order_goes_on_in_the_next_process_and_stops_when_it_is_taken_back(
    server: SampleServer, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "SAMPLE_SECONDS", 0.0)
    monkeypatch.setattr(asking, "LOOK_AROUND_SECONDS", 0.05)
    installation, server.traps.slow = install(bron=server), 0.2
    source, store = installation.config.sources[0], installation.store
    ordering.read_in(store, source, "anna")
    stopping = threading.Event()
    first = in_thread(installation, stopping)
    until(lambda: (way(installation)["backfill"]["now"] or {}).get("done"))
    found = way(installation)
    assert found["standing"]["word"] == "Inlezen loopt"
    assert found["backfill"]["percent"] is not None
    assert found["next"]["text"].startswith("Wachten")
    stopping.set()  # the process ends
    first.join(30)
    assert outcomes(installation) == [("backfill", "")]
    second = in_thread(installation)
    until(lambda: way(installation)["backfill"]["running"])
    assert ordering.stop_reading(store, source, "bert", "genoeg")
    second.join(30)
    server.traps.slow = 0
    assert outcomes(installation) == [("backfill", "gestopt met klantbrug backfill stop")]
    assert way(installation)["standing"]["word"] == "Inlezen gestopt"
    assert len(course(store, source)["samples"]) > 1
    assert [run["status"] for run in course(store, source)["runs"]] == ["interrupted"]


def test_what_waits_is_taken_back_before_it_began(filled: Installation) -> None:
    source, store = filled.config.sources[0], filled.store
    ordering.prove(store, source, "anna", whole=False)
    assert ordering.stop_proof(store, source, "anna")
    assert not ordering.stop_proof(store, source, "anna")
    assert outcomes(filled) == [("verify-sample", "ingetrokken")]
    assert run_job(filled, BY_NAME["orders"]) == {"done": 0, "failed": 0}


@pytest.mark.slow
def test_a_proof_that_runs_is_stopped(filled: Installation, server: SampleServer) -> None:
    source, store = filled.config.sources[0], filled.store
    ordering.prove(store, source, "anna", whole=True)
    server.traps.slow = 0.3
    thread = in_thread(filled)
    until(lambda: any(each["news"] for each in way(filled)["orders"]))
    assert way(filled)["standing"]["word"] == "Bewijs loopt"
    assert ordering.stop_proof(store, source, "anna")
    server.traps.slow = 0
    thread.join(30)
    assert outcomes(filled) == [("verify", STOPPED)]
    assert way(filled)["proving"] is None


@pytest.mark.slow
def test_a_source_that_does_not_answer_fails_the_order(server: SampleServer, install: Install) -> None:
    installation = install(bron=server)
    source, store = installation.config.sources[0], installation.store
    server.traps.down = True
    ordering.read_in(store, source, "anna")
    assert run_job(installation, BY_NAME["orders"])["failed"] == 1
    assert outcomes(installation)[0][1]
