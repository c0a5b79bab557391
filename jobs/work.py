"""What a job gets to work with: the installation, a lease that every write of it is checked against, a wish to stop."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway.installation import Installation
from gateway.store import leases
from gateway.store.database import now
from gateway.store.leases import Grip


@dataclass(frozen=True, slots=True)
class Work:
    """One run of a job. `clock` gives microseconds UTC."""

    installation: Installation
    grip: Grip
    stopping: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], int] = now

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A write transaction that only the holder of the job's lease gets. Raises leases.Lost."""
        with self.installation.store.write() as connection:
            leases.keep(connection, self.grip)
            yield connection


class Busy(Exception):
    """Another process runs this job."""
