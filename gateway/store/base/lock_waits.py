"""How long a thread waits for another writer, and how many threads of a process wait at a time.

There is one writer at a time. Mostly that takes milliseconds; but a backup, a shell that was left open or a disk that
stands still can hold the store for minutes. Then a reader must not notice: a thread that answers requests waits
no longer than `[store] busy_seconds` in all, and those that wait take at most a part of the threads. A job waits for as
long as it takes, because giving up would lose its work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.base.logs import get_logger
from gateway.config.defaults import BUSY_SECONDS
from gateway.store.base.errors import StoreBusy

log = get_logger("klantbrug.store")

# How often who waits looks again; who waits long looks less often.
LOOK_SECONDS, SELDOM_SECONDS = 0.001, 0.005
# Who waits so long lets others of its process have its place among those that are answered (`LockWaits.waits`).
GIVE_SECONDS = 0.01
# So long anybody may wait: writers of clients have their turns well within it. Who waits longer takes a place.
SHORT_SECONDS = 0.5
# So long after somebody waited in vain the store is taken to be held still, when nobody tried since.
HELD_SECONDS = 1.0
# How often it is logged that the store is still held.
TELL_SECONDS = 60.0
# A job logs that it waits after so long.
JOB_TELLS_SECONDS = 10.0


def _nobody_minds() -> None:
    pass


class LockWaits:
    """The threads of one process that wait until they may write to one store. Safe for threads."""

    def __init__(self, seconds: float = BUSY_SECONDS, name: str = "busy") -> None:
        """In: how long a write waits at most, and all writes of one request together; what the database calls it that
        another writes."""
        self.seconds, self._name = seconds, name
        # How many threads that answer requests may wait long at a time; None: as many as there are.
        self.places: int | None = None
        # Called in a thread that answers a request and must wait.
        self.waits: Callable[[], None] = _nobody_minds
        self._taken = 0
        self._lock = threading.Lock()
        self._local = threading.local()
        # Since when nobody of this process got in while somebody waited long (0: somebody gets in), and when that was
        # seen last (monotonic).
        self._held_since = self._seen = 0.0
        self._told = 0.0
        self._refused = 0

    def new_request(self, waited: float = 0.0) -> None:
        """This thread begins to answer a request: from now on its waits count together, and take places.

        In: how many seconds it waited already, for others that write.
        """
        self._local.left = max(0.0, self.seconds - waited)

    @contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """Let the writes of this thread in the block wait no longer than this in all."""
        before: float | None = getattr(self._local, "left", None)
        given = seconds if before is None else min(before, seconds)
        self._local.left = given
        try:
            yield
        finally:
            self._local.left = None if before is None else before - (given - self._local.left)

    def live(self, begins: Callable[[], bool], seconds: float | None = None) -> None:
        """Try until `begins` says that the write began. Raises StoreBusy.

        In: how long to wait, when that is less than what this thread has left.
        """
        if begins():
            self._free()
            return
        request: float | None = getattr(self._local, "left", None)
        left = min(each for each in (seconds, request, self.seconds) if each is not None)
        began = time.monotonic()
        place = gave = False
        try:
            while (waited := time.monotonic() - began) < left:
                if request is not None and not place and (waited >= SHORT_SECONDS or self._held()):
                    if not self._take():
                        break
                    place = True
                if request is not None and not gave and waited >= GIVE_SECONDS:
                    gave = True
                    self.waits()
                time.sleep(LOOK_SECONDS if waited < SHORT_SECONDS else SELDOM_SECONDS)
                if begins():
                    self._free()
                    return
        finally:
            if place:
                with self._lock:
                    self._taken -= 1
                    self._seen = time.monotonic()
            if request is not None:
                self._local.left = max(0.0, request - (time.monotonic() - began))
        self._refuse(waited=seconds is None)
        raise StoreBusy(self._name)

    def patient(self, begins: Callable[[], bool], meanwhile: Callable[[], None]) -> None:
        """The same for a job: waits as long as it takes, and logs that.

        `meanwhile` is called while it waits, and may raise what ends the wait.
        """
        if begins():
            return
        began = logged = time.monotonic()
        telling = JOB_TELLS_SECONDS
        while not begins():
            moment = time.monotonic()
            if moment - logged >= telling:
                logged, telling = moment, TELL_SECONDS
                log.warning("a job waits for another process", seconds=round(moment - began))
            meanwhile()
            time.sleep(LOOK_SECONDS if moment - began < SHORT_SECONDS else SELDOM_SECONDS)
        waited = time.monotonic() - began
        if waited >= JOB_TELLS_SECONDS:
            log.info("the job goes on", seconds=round(waited))

    def _held(self) -> bool:
        """Is the store held for long, as far as this process knows?"""
        return self._held_since > 0 and (self._taken > 0 or time.monotonic() - self._seen < HELD_SECONDS)

    def _take(self) -> bool:
        """Take a place to wait long, and note that the store is held. Out: was there one?"""
        with self._lock:
            self._seen = time.monotonic()
            self._held_since = self._held_since or self._seen
            if self.places is not None and self._taken >= self.places:
                return False
            self._taken += 1
            return True

    def _free(self) -> None:
        """Somebody got in."""
        if not self._held_since:
            return
        with self._lock:
            since, self._held_since = self._held_since, 0.0
            refused, self._refused = self._refused, 0
            logged, self._told = self._told, 0.0
        if since and logged:
            log.info("the store is free again", seconds=round(time.monotonic() - since), refused=refused)

    def _refuse(self, *, waited: bool) -> None:
        """Count a write that gave up; log the first, and then once a minute."""
        if not waited:  # it only looked whether it could
            return
        with self._lock:
            self._refused += 1
            moment = time.monotonic()
            if self._told and moment - self._told < TELL_SECONDS:
                return
            self._told, refused = moment, self._refused
        log.error("the store is held by another process", refused=refused)
