"""What the store knows, in numbers for Prometheus: asked when Prometheus asks, at most every two seconds.

The metrics are declared in one table, `GAUGES`: all of them are shown always, also those that have no value yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.metadata import version
from typing import Any, NamedTuple

from prometheus_client.core import GaugeMetricFamily, Metric

from gateway.base import clock
from gateway.legacy.pacing.circuit_breaker import CLOSED
from gateway.operator.watch.standing import Watch
from gateway.store.base.errors import StoreError, StoreFailed, TooLong


class Gauge(NamedTuple):
    """What a number says, and the names of its labels."""

    about: str
    labels: tuple[str, ...] = ()


GAUGES = {
    "info": Gauge("The version that runs, in a label.", ("version",)),
    "up": Gauge("1: the store answered in its time, and the other numbers of it are there."),
    "look_seconds": Gauge("How long the store took over these numbers."),
    "standing_still": Gauge("1: this stands still, as /health/status tells.", ("what", "of")),
    "scheduler_wanted": Gauge("1: jobs are to run."),
    "scheduler_running": Gauge("1: a process runs the jobs."),
    "job_hanging": Gauge("1: this job gives no sign of life.", ("job_name",)),
    "store_bytes": Gauge("The store, and its write-ahead log where that is a file of ours.", ("file",)),
    "store_problems": Gauge("What an operator must look at: damage, no room, nothing can be written."),
    "documents": Gauge("Documents that are served.", ("kind",)),
    "objects": Gauge(
        "Objects of a source: translated, quarantined or left_out.", ("source", "kind", "state")
    ),
    "findings": Gauge("What did not fit, by the rule of the mapping.", ("rule",)),
    "quarantine_objects": Gauge(
        "Objects that can't be read, to be looked at (open) or dismissed.", ("state",)
    ),
    "queue_length": Gauge("What waits, failed or is parked in a queue.", ("queue", "source", "state")),
    "source_phase": Gauge("1: the source is in this phase.", ("source", "phase")),
    "source_covered": Gauge("1: a backfill read all of the source.", ("source",)),
    "source_coverage_ratio": Gauge("How much of the source is held, 0 to 1, as far as known.", ("source",)),
    "source_behind": Gauge("1: it was read whole, and its sync is overdue.", ("source",)),
    "source_unread_objects": Gauge("Objects in quarantine that clients notice.", ("source",)),
    "source_to_rebuild": Gauge("1: part of it was translated with another mapping.", ("source",)),
    "source_synced_timestamp_seconds": Gauge("When the last whole sync began.", ("source",)),
    "source_swept_timestamp_seconds": Gauge("When the last whole round of the sweep began.", ("source",)),
    "source_sweep_failed": Gauge("Questions of the sweep that got no answer.", ("source",)),
    "source_proof_timestamp_seconds": Gauge("When the last verify ended.", ("source",)),
    "source_proof_clean": Gauge("1: the last verify found no difference.", ("source",)),
    "source_breaker_open": Gauge("1: the source is left alone after failures.", ("source", "server")),
    "source_paused": Gauge("1: an operator holds its jobs.", ("source", "server")),
    "source_slow": Gauge("1: it answers more slowly than it does when it is well.", ("source", "server")),
    "source_calls_in_flight": Gauge("Calls that are on the line.", ("source", "server")),
    "source_places": Gauge("Calls that may go at one time.", ("source", "server")),
    "source_places_allowed": Gauge("How many of them jobs get now.", ("source", "server")),
    "source_usual_seconds": Gauge("How long a call usually takes (the median).", ("source", "server")),
    "backfill_running": Gauge("1: a backfill runs.", ("source",)),
    "backfill_look": Gauge("Which reading of all lists it is at; 0 is asking one by one.", ("source",)),
    "backfill_done": Gauge("Objects read of the list that it is at.", ("source", "kind")),
    "backfill_total": Gauge("Objects in that list.", ("source", "kind")),
    "backfill_rate": Gauge("Objects a second, now.", ("source",)),
    "backfill_waiting": Gauge("1: it asks nothing: a pause, a window, or a source in trouble.", ("source",)),
    "backfill_seconds_left": Gauge("Until it is done, as far as anybody can tell.", ("source",)),
}
PREFIX = "klantbrug_"
LABELLED = tuple[tuple[str, ...], float]
# A name of a server when a source has but one.
ONLY = ""


class StoreMetrics:
    """A collector of prometheus_client over one store."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that registering it asks nothing."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The numbers, as prometheus_client asks for them."""
        began = clock.monotonic()
        found: dict[str, list[LABELLED]] = defaultdict(list)
        found["info"].append(((version("klantbrug"),), 1))
        try:
            _of_status(found, self._watch)
            found["store_bytes"] += [((name,), size) for name, size in self._watch.store.sizes().items()]
            up = True
        except (StoreFailed, StoreError, TooLong):
            up = False
        found["up"].append(((), up))
        found["look_seconds"].append(((), clock.monotonic() - began))
        for name, gauge in GAUGES.items():
            family = GaugeMetricFamily(PREFIX + name, gauge.about, labels=gauge.labels)
            for labels, value in found[name]:
                family.add_metric(labels, float(value))
            yield family


def _of_status(found: dict[str, list[LABELLED]], watch: Watch) -> None:
    status = watch.look()
    found["standing_still"] += [((each.what, each.of), 1) for each in watch.standstills()]
    found["scheduler_wanted"].append(((), status["scheduler"]["wanted"]))
    found["scheduler_running"].append(((), status["scheduler"]["runs"]))
    found["job_hanging"] += [((name,), 1) for name in status["hanging"]]
    found["store_problems"].append(((), len(status["store"]["problems"])))
    found["documents"] += [((kind,), count) for kind, count in status["documents"].items()]
    found["findings"] += [((rule,), count) for rule, count in status["findings"].items()]
    found["quarantine_objects"] += [((state,), count) for state, count in status["quarantine"].items()]
    queues = [("outbox", "", status["notifications"]), ("inbox", "", status["inbox"])]
    if status["export"]:
        queues.append(("export", "", {state: status["export"][state] for state in ("waiting", "parked")}))
    for name, source in status["sources"].items():
        _of_source(found, name, source)
        for kind, lengths in source.get("writeback", {}).items():
            numbers = {state: lengths[state] for state in ("waiting", "parked")}
            queues.append((f"writeback {kind}", name, numbers))
    for queue, name, lengths in queues:
        found["queue_length"] += [((queue, name, state), count) for state, count in lengths.items()]


def _of_source(found: dict[str, list[LABELLED]], name: str, source: dict[str, Any]) -> None:
    following, proof = source.get("following") or {}, source["proof"]
    found["source_phase"].append(((name, source["phase"]), 1))
    found["source_covered"].append(((name,), source["coverage"] == "complete"))
    if source["held_percent"] is not None:
        found["source_coverage_ratio"].append(((name,), source["held_percent"] / 100))
    found["source_behind"].append(((name,), source["behind"]))
    found["source_unread_objects"].append(((name,), source["unread"]["objects"]))
    found["source_to_rebuild"].append(((name,), source["rebuild"]))
    for what in ("synced", "swept"):
        if following.get(what):
            found[f"source_{what}_timestamp_seconds"].append(((name,), _seconds(following[what])))
    found["source_sweep_failed"].append(((name,), following.get("failed") or 0))
    if proof:
        found["source_proof_timestamp_seconds"].append(((name,), _seconds(proof["ended"])))
        found["source_proof_clean"].append(((name,), proof["clean"]))
    for kind, counts in source["kinds"].items():
        for state in ("translated", "quarantined"):
            found["objects"].append(((name, kind, state), counts[state]))
        found["objects"].append(((name, kind, "left_out"), sum(counts["left_out"].values())))
    if asking := source.get("asking"):
        servers = [
            (ONLY, asking),
            *((str(n), each) for n, each in enumerate(asking.get("others", ()), start=2)),
        ]
        for server, each in servers:
            _of_server(found, (name, server), each)
    _of_backfill(found, name, source.get("backfill"))


def _of_server(found: dict[str, list[LABELLED]], labels: tuple[str, str], asking: dict[str, Any]) -> None:
    found["source_breaker_open"].append((labels, asking["breaker"] != CLOSED))
    found["source_paused"].append((labels, asking["paused"]))
    found["source_slow"].append((labels, asking["slow"]))
    found["source_calls_in_flight"].append((labels, asking["in_flight"]))
    found["source_places"].append((labels, asking["connections"]))
    found["source_places_allowed"].append((labels, asking["allowed"]))
    if asking["p50_ms"] is not None:
        found["source_usual_seconds"].append((labels, asking["p50_ms"] / 1000))


def _of_backfill(found: dict[str, list[LABELLED]], name: str, news: dict[str, Any] | None) -> None:
    found["backfill_running"].append(((name,), news is not None))
    if news is None:
        return
    found["backfill_look"].append(((name,), news["look"]))
    found["backfill_done"].append(((name, news["kind"]), news["done"]))
    if news["total"] is not None:
        found["backfill_total"].append(((name, news["kind"]), news["total"]))
    found["backfill_rate"].append(((name,), news["rate_now"]))
    found["backfill_waiting"].append(((name,), bool(news["waits"])))
    if news.get("seconds_left_in_all") is not None:
        found["backfill_seconds_left"].append(((name,), news["seconds_left_in_all"]))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
