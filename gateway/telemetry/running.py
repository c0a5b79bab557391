"""Begins and ends what a process tells of itself, as the configuration says."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.base import correlation
from gateway.base.logs import get_logger
from gateway.base.process_identity import NotShared
from gateway.config.model import Config
from gateway.telemetry.access_log import AccessLog
from gateway.telemetry.ended import Sink, Teller
from gateway.telemetry.slots import Slot, directory_of

if TYPE_CHECKING:
    from gateway.telemetry.counts import Counts
    from gateway.telemetry.traces import Traces

log = get_logger(__name__)

_teller: Teller | None = None
_counts: Counts | None = None
_traces: Traces | None = None


def begin(config: Config, *, serves: bool) -> None:
    """Let this process tell of its operations; `serves`: it answers requests, so it may have an access log.

    In a process that forks it is for the child to call: threads do not survive a fork.
    """
    global _teller, _counts, _traces
    end()
    sinks: list[Sink] = []
    if serves and config.gateway.access_log:
        sinks.append(AccessLog())
    if config.metrics.enabled and _is_ours(config.store.path):
        from gateway.telemetry.counts import Counts

        try:
            _counts = Counts(directory_of(config.store.path))
            sinks.append(_counts)
        except NotShared as error:
            log.error("nothing is counted", problem=str(error))
    if config.tracing.url:
        from gateway.telemetry.traces import Traces

        _traces = Traces(config.tracing)
        sinks.append(_traces)
        correlation.record(config.tracing.part)
    if sinks:
        _teller = Teller(sinks)


def end() -> None:
    """Tell what is left, before this process ends."""
    global _teller, _counts, _traces
    if _teller is not None:
        _teller.stop()
        _teller = None
    if _counts is not None:
        _counts.close()
        _counts = None
    if _traces is not None:
        correlation.record(0.0)
        _traces.close()
        _traces = None


def job_succeeded(job: str, source: str, moment: float) -> None:
    """Count that a job ended well at a moment (seconds UTC): one of before, that this process did not see."""
    if _counts is not None:
        _counts.succeeded(job, source, moment)


def audit_failed() -> None:
    """Count that the audit log could not be written."""
    if _counts is not None:
        _counts.audit_failed()


def _is_ours(store: Path) -> bool:
    """Does this user own the store, or the folder of it where it is in a database? What root makes for another user,
    that one could not write."""
    return os.geteuid() != 0 or (store if store.exists() else store.parent).stat().st_uid == 0


@contextlib.contextmanager
def counting_goes_on(config: Config) -> Iterator[None]:
    """For the process that starts others: what they counted stays in the block, also when they all end at one time."""
    slot = None
    if config.metrics.enabled and _is_ours(config.store.path):
        with contextlib.suppress(NotShared):  # those that count say so
            slot = Slot(directory_of(config.store.path))
    try:
        yield
    finally:
        if slot is not None:
            slot.let_go()


@contextlib.contextmanager
def telling(config: Config) -> Iterator[None]:
    """Let a command that asks sources tell of its operations in the block."""
    begin(config, serves=False)
    try:
        yield
    finally:
        end()
