"""The turns of a job: one for each source, or one for all; and how long one may last.

A job that asks sources has a turn for each of them, side by side, with a lease of its own. So a source that is slow or
drips holds up no other. A turn that lasts longer than it may is stopped at the next call, and comes again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from gateway.base import clock
from gateway.config.model import Config
from gateway.installation import Installation
from gateway.store.base.store import Store
from jobs.job import Job

# How the names of the leases of jobs begin.
LEASE = "job "


class Turn(NamedTuple):
    """One job, of one source (blank: of all that there is)."""

    job: Job
    source: str = ""

    @property
    def name(self) -> str:
        """A name that no other turn has."""
        return f"{self.job.name} {self.source}" if self.source else self.job.name

    @property
    def lease(self) -> str:
        """The lease that it holds while it runs."""
        return f"{LEASE}{self.name}"

    def narrowed(self, installation: Installation) -> Installation:
        """The installation as this turn sees it: with its own source only."""
        if not self.source:
            return installation
        return replace(installation, fetchers={self.source: installation.fetchers[self.source]})

    def most_seconds(self, config: Config) -> float | None:
        """How long it may last; None is as long as it takes."""
        chosen = config.jobs.get(self.job.name)
        seconds = chosen.most_seconds if chosen else None
        return (self.job.most_seconds if seconds is None else seconds) or None


def is_shared(store: Store) -> bool:
    """May any number of processes run the jobs? In a file one does, and others stand by."""
    return not store.connection().dialect.is_a_file


def turns_of(job: Job, sources: Iterable[str], *, shared: bool = False) -> list[Turn]:
    """The turns of a job under a configuration with these sources; `shared`: may several processes run the jobs?"""
    turns = [Turn(job, source) for source in sources] if job.by_source or (shared and job.apart) else []
    return turns or [Turn(job)]


class Until(threading.Event):
    """A wish to stop that comes by itself after so many seconds, and when another is there."""

    def __init__(self, other: threading.Event | None, seconds: float | None) -> None:
        super().__init__()
        self._other = other
        self._end = None if seconds is None else clock.monotonic() + seconds

    @property
    def expired(self) -> bool:
        """Is the time over?"""
        return self._end is not None and clock.monotonic() >= self._end

    def is_set(self) -> bool:
        """Must it stop?"""
        return super().is_set() or self.expired or (self._other is not None and self._other.is_set())

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it must stop, so many seconds at most. Out: must it?"""
        left = None if self._end is None else max(0.0, self._end - clock.monotonic())
        seconds = min((each for each in (timeout, left) if each is not None), default=None)
        if self._other is None:
            clock.wait(super().wait, seconds)
        else:
            clock.wait(self._other.wait, seconds)
        return self.is_set()
