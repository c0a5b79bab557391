"""What is too old, or not all read yet, is read on after the answer: a client waits for it no longer.

The same is read once at a time: within a process by what waits here, over all processes by the turns that a fetcher
takes. Calls give way to those that a client waits for, but do not wait for the hours of jobs: a client asked.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, defaultdict
from typing import NamedTuple

from gateway.base import clock, correlation, memory
from gateway.base.correlation import JOB, Operation
from gateway.base.log_throttle import LogThrottle
from gateway.base.logs import get_logger, safe_traceback
from gateway.fetch.fetcher import Fetcher
from gateway.fetch.visit import Visit
from gateway.hydrate.needs import Need
from gateway.ingest.ingest import OtherMaximum
from gateway.legacy.background import background
from gateway.legacy.errors import LegacyError, Stopped
from gateway.store.base.errors import StoreFailed, StoreLocked
from gateway.store.base.store import Store

log = get_logger(__name__)

too_much = LogThrottle(log, "too much to refresh")
not_refreshed = LogThrottle(log, "not refreshed")

# Of each source.
MOST_WAITING = 200
MOST_THREADS = 2
# So long the reading of one need goes on at most; the next question goes on from there.
MOST_SECONDS = 900.0
# So long a call waits at most for a source that is paused, wants rest or is in trouble.
PATIENCE = 30.0


class RefreshTask(NamedTuple):
    """What is to be read at which source."""

    source: str
    need: Need


# With which client, how far its question came, and the request that it was.
_Asked = tuple[Fetcher, Visit, Operation | None]


class Refresher:
    """What one process reads after its answers. Safe for threads.

    Its threads live only while there is something to read. They never hold up the end of the process: they write in
    short transactions, and a lease of a process that is no more is free.
    """

    def __init__(self) -> None:
        # By source, each with threads of its own: one that hangs holds up no other.
        self._waiting: dict[str, OrderedDict[RefreshTask, _Asked]] = defaultdict(OrderedDict)

        self._running: dict[RefreshTask, Visit] = {}
        self._threads: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._stop = threading.Event()

    def enqueue(self, fetcher: Fetcher, need: Need, visit: Visit) -> None:
        """Read this after the answer, unless that is under way or too much is; `visit` is how far its question came."""
        task = RefreshTask(fetcher.name, need)
        further = Visit(0.0, visit.began, waits=False)
        with self._changed:
            waiting = self._waiting[fetcher.name]
            if self._stop.is_set() or task in waiting or task in self._running:
                return
            if len(waiting) >= MOST_WAITING:
                too_much.warning(source=fetcher.name)
                return
            waiting[task] = fetcher, further, correlation.current()
            if self._threads[fetcher.name] < MOST_THREADS:
                self._threads[fetcher.name] += 1
                threading.Thread(target=self._work, args=(fetcher.name, fetcher.store), daemon=True).start()

    def drain(self, seconds: float = 60.0) -> bool:
        """Wait until there is nothing left to read. Out: did that come within so many seconds?"""
        with self._changed:
            return self._changed.wait_for(lambda: not self._threads.total(), seconds)

    def stop(self, seconds: float = 0.0) -> bool:
        """Begin no further call; one that is under way ends by itself. Out: did all end within so many seconds?"""
        with self._changed:
            self._waiting.clear()
            self._stop.set()
            for visit in self._running.values():
                visit.give_up = 0.0
        return self.drain(seconds)

    def _work(self, source: str, store: Store) -> None:
        try:
            while (taken := self._take(source)) is not None:
                task, fetcher, visit, asked = taken
                correlation.take_up(asked)
                try:
                    with correlation.part(JOB, "refresh", source=task.source):
                        self._do(task, fetcher, visit)
                finally:
                    correlation.take_up(None)
                    memory.give_back()
                    with self._changed:
                        del self._running[task]
        finally:
            store.close()  # this thread's connection

    def _take(self, source: str) -> tuple[RefreshTask, *_Asked] | None:
        """The next task at a source; None when there is none, and then this thread counts no more."""
        with self._changed:
            waiting = self._waiting[source]
            if not waiting:
                self._threads[source] -= 1
                self._changed.notify_all()
                return None
            task, (fetcher, visit, asked) = waiting.popitem(last=False)
            visit.give_up = clock.monotonic() + MOST_SECONDS
            self._running[task] = visit
            return task, fetcher, visit, asked

    def _do(self, task: RefreshTask, fetcher: Fetcher, visit: Visit) -> None:
        began = clock.monotonic()
        cause = ""
        try:
            with background(self._stop, patience=PATIENCE, window=False):
                fetcher.read(visit, task.need.what, task.need.value)
        except Stopped:
            cause = "stopped"
        except (LegacyError, OtherMaximum) as error:
            cause = error.cause
        except StoreLocked as error:  # the next question about it asks again
            cause = error.cause
        except StoreFailed as error:
            log.warning("refresh failed", source=task.source, error=type(error).__name__)
            return
        except Exception as error:  # noqa: BLE001 - the next task may fare better
            log.error("refresh failed", source=task.source, error=safe_traceback(error))
            return
        if cause:
            not_refreshed.warning(source=task.source, cause=cause)
            return
        seconds = round(clock.monotonic() - began, 1)
        log.info("refreshed", source=task.source, what=task.need.what, seconds=seconds)
