"""What the processes of a store count together, for Prometheus.

Counted in files that all processes map into memory (prometheus_client's multiprocess mode, see `slots`), and not in the
store: a request would wait there for every writer, and each count be a transaction. What the store knows anyway
(queues, findings, how far a source is) is counted by nobody: it is asked when Prometheus asks
(`gateway.operator.watch`).

Labels are templates of paths, names out of the configuration and words of ours: few, and nobody's. None is called job
or instance: Prometheus gives these itself, and would rename ours.
"""

from __future__ import annotations

import contextlib
import os
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from gateway.base.correlation import CALL, HYDRATE, JOB, REQUEST, Operation
from gateway.telemetry.slots import Slot

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
CALLS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
JOBS = (0.1, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400)
DONE = "finished"


class Counts:
    """Counts what ended in this process; a sink of `gateway.telemetry.ended`."""

    def __init__(self, directory: Path) -> None:
        """In: where all processes count. Raises NotShared."""
        self._slot = Slot(directory)
        # The library looks there for the files, and only at this moment whether there are any.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
        values.ValueClass = values.MultiProcessValue(lambda: self._slot.name)  # type: ignore[no-untyped-call]
        self._requests = Histogram(
            "klantbrug_request_duration_seconds",
            "Requests that were answered, with the time that they waited for their turn.",
            ["method", "route", "status"],
            registry=None,
            buckets=QUICK,
        )
        self._hydrate = Histogram(
            "klantbrug_hydrate_duration_seconds",
            "Questions about a source: held (answered from the store), live (asked), or why the source gave no answer.",
            ["source", "outcome"],
            registry=None,
            buckets=QUICK,
        )
        self._calls = Histogram(
            "klantbrug_source_call_duration_seconds",
            "Calls on a source, without the wait for their turn; the status is that of HTTP or a cause.",
            ["source", "call", "status", "asked_by"],
            registry=None,
            buckets=CALLS,
        )
        self._jobs = Histogram(
            "klantbrug_job_duration_seconds",
            "Turns of jobs that ended.",
            ["job_name", "source", "outcome"],
            registry=None,
            buckets=JOBS,
        )
        self._succeeded = Gauge(
            "klantbrug_job_last_success_timestamp_seconds",
            "When a job last ended well.",
            ["job_name", "source"],
            registry=None,
            multiprocess_mode="max",
        )
        self._told = Counter("klantbrug_told_total", "Operations that were counted.", registry=None)
        self._audit = Counter(
            "klantbrug_audit_failures_total",
            "Times that the audit log could not be written: what was about persons was not answered.",
            registry=None,
        )
        self._children: dict[tuple[Any, ...], Any] = {}

    def __call__(self, ended: Sequence[Operation]) -> None:
        """Count what ended."""
        took: dict[Any, list[float]] = {}
        for operation in ended:
            took.setdefault(self._child(operation), []).append(operation.ended - operation.began)
            if operation.sort is JOB and operation.status == DONE:
                self.succeeded(
                    operation.name, str(operation.facts.get("source", "")), operation.began_at / 1e6
                )
        for child, seconds in took.items():
            _observe(child, seconds)
        self._told.inc(len(ended))

    def succeeded(self, job: str, source: str, moment: float) -> None:
        """A job ended well at a moment (seconds UTC)."""
        self._succeeded.labels(job, source).set(moment)

    def audit_failed(self) -> None:
        """The audit log could not be written."""
        self._audit.inc()

    def close(self) -> None:
        """This process counts no more."""
        self._slot.let_go()

    def _child(self, operation: Operation) -> Any:
        sort, name, status, facts = operation.sort, operation.name, operation.status, operation.facts
        key: tuple[Any, ...]
        if sort is REQUEST:
            key = (sort, operation.method, name, status)
        elif sort is CALL:
            key = (sort, facts.get("source", ""), name, status, facts.get("asked_by", ""))
        elif sort is HYDRATE:
            key = (sort, facts.get("source", ""), status)
        else:
            key = (sort, name, facts.get("source", ""), status)
        child = self._children.get(key)
        if child is None:
            of = {REQUEST: self._requests, CALL: self._calls, HYDRATE: self._hydrate}.get(sort, self._jobs)
            child = self._children[key] = of.labels(*key[1:])
        return child


def _observe(child: Any, seconds: Sequence[float]) -> None:
    """What `child.observe` does with each of these, done once: of a hundred requests, most are in three buckets."""
    child._sum.inc(sum(seconds))
    for place, count in Tally(bisect_left(child._upper_bounds, each) for each in seconds).items():
        child._buckets[place].inc(count)


class _Counted(Collector):
    """What stands in the files of all processes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterable[Metric]:
        """As the library calls it. A file that a process just made, and gave no room yet, says nothing; when some
        vanish meanwhile, nobody counted and all begins at zero."""
        while True:
            with contextlib.suppress(FileNotFoundError):
                files = [str(path) for path in self._directory.glob("*.db") if _size(path)]
                return list(MultiProcessCollector.merge(files))  # type: ignore[no-untyped-call]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def page(directory: Path, accept: str, *beside: Any) -> tuple[bytes, str]:
    """All that was counted in a directory, for Prometheus. Out: the text, and its type.

    In: what the client takes (its Accept header), and collectors of what is not counted there.
    """
    directory.mkdir(mode=0o700, exist_ok=True)
    registry = CollectorRegistry()
    for collector in (_Counted(directory), *beside):
        registry.register(collector)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type
