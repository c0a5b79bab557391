"""Remembers which zaken requests are about, so that the sweep reads those again sooner."""

from __future__ import annotations

import threading
from collections import Counter
from uuid import UUID

from gateway.base import clock
from gateway.base.clock import now
from gateway.base.logs import get_logger
from gateway.store.base.errors import PASSING
from gateway.store.base.store import Store
from gateway.store.operation import requested_zaken as rows
from gateway.store.operation.sources import source_state

log = get_logger(__name__)

# Counts wait in memory, so that a request does not write; nor does it wait for who writes.
FLUSH_SECONDS = 60.0
MOST_REMEMBERED = 10_000


class RequestedZaken:
    """The counts of one process for one source, kept in phase synced: in live requests ask themselves.

    Safe for threads.
    """

    def __init__(self, store: Store, source: int, flush_seconds: float = FLUSH_SECONDS) -> None:
        self._store = store
        self._source = source
        self._seconds = flush_seconds
        self._counts: Counter[bytes] = Counter()
        self._next = clock.monotonic() + flush_seconds
        self._lock = threading.Lock()

    def note(self, zaak: UUID) -> None:
        """A request was about this zaak. Once in a while this writes down what was counted."""
        with self._lock:
            if zaak.bytes in self._counts or len(self._counts) < MOST_REMEMBERED:
                self._counts[zaak.bytes] += 1
            if clock.monotonic() < self._next:
                return
            counts, self._counts = self._counts, Counter()
            self._next = clock.monotonic() + self._seconds
        try:
            with self._store.write(synced=False, wait=0) as connection:
                if source_state(connection, self._source)[0] == "synced":
                    rows.add(connection, self._source, counts, now())
        except PASSING as error:
            log.debug("counts of zaken wait", error=type(error).__name__)
            with self._lock:
                self._counts.update(counts)
