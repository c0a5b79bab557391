"""What a job gets to work with: the installation, a lease that every write of it is checked against, a wish to stop."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway.base.clock import now
from gateway.base.dutch_time import local
from gateway.installation import Installation
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.operation import leases, runs
from gateway.store.operation.leases import Grip


@dataclass(frozen=True, slots=True)
class Work:
    """One run of a job. `clock` gives microseconds UTC."""

    installation: Installation
    grip: Grip
    stopping: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], int] = now

    @contextlib.contextmanager
    def write(self, *, synced: bool | None = None) -> Iterator[Session]:
        """A write transaction that only the holder of the job's lease gets (`synced`: see `Store.write`).

        Raises leases.Lost.
        """
        with self.installation.store.write(synced=synced) as connection:
            leases.keep(connection, self.grip)
            yield connection


class NotFree(Exception):
    """Asked to stop while it waited for another process that holds the store."""


class Busy(Exception):
    """Another process runs this job."""


def busy(store: Store, lease: str, otherwise: str) -> Busy:
    """The error of who can't have a lease of runs: what runs, in which process and since when, and how to look at it.

    `otherwise` is its text when that is not known (yet).
    """
    with store.read() as connection:
        running = runs.running(connection, lease)
    if running is None:
        return Busy(otherwise)
    look = "klantbrug backfill status" if running.job == "backfill" else "klantbrug status"
    return Busy(
        f"{otherwise}: een {running.job} in proces {running.pid}, begonnen {local(running.started)}; zie {look}"
    )
