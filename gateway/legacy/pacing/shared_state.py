"""What all processes of one store know together of one source: a small file beside the store.

A file and not a table, because each call looks here twice: 14 microseconds, against 99 for a transaction in SQLite
that also waits for every batch of an ingest. The layout is fixed; the file is read, changed and written under a lock
that the kernel gives back when its holder dies.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from gateway.base.logs import get_logger
from gateway.base.process_identity import alive, boot, open_shared
from gateway.config.defaults import MOST_CONNECTIONS

log = get_logger("klantbrug.legacy")

# Another layout gets another number here: a file of an older version begins anew, and of one of these with its wishes.
MAGIC = 0x4B42_5041_4345_0004
SAME_WISHES = tuple(0x4B42_5041_4345_0000 + older for older in (1, 2, 3))
CALLS, KINDS, SAMPLES, RECENT = 2 * MOST_CONNECTIONS, 64, 8, 16


class Call(ctypes.Structure):
    """A call on the line, or a live one that waits; whose process it is tells whether it still is."""

    pid: int
    sort: int
    born: int
    number: int
    namespace: int
    at: float  # when it took its place
    _fields_ = (
        ("pid", ctypes.c_uint32),
        ("sort", ctypes.c_uint32),
        ("born", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("namespace", ctypes.c_uint64),
        ("at", ctypes.c_double),
    )

    @property
    def name(self) -> tuple[int, int, int]:
        """What no other call has; two containers may have processes with one number."""
        return self.namespace, self.pid, self.number

    @property
    def lives(self) -> bool | None:
        """Does its process live? None when we can't see it, as from one container to another."""
        return alive(self.pid, self.born, self.namespace)


class Kind(ctypes.Structure):
    """How long calls of one kind took recently, and take when the source is well."""

    key: int
    at: float
    baseline: float
    count: int
    seconds: ctypes.Array[ctypes.c_float]
    _fields_ = (
        ("key", ctypes.c_uint64),
        ("at", ctypes.c_double),
        ("baseline", ctypes.c_double),
        ("count", ctypes.c_uint32),
        ("seconds", ctypes.c_float * SAMPLES),
    )


class Overrides(ctypes.Structure):
    """What an operator asked for; kept over restarts. Of the numbers, below 0 is no wish."""

    paused: int
    connections: float
    requests_per_second: float
    objects_per_second: float
    _fields_ = (
        ("paused", ctypes.c_uint32),
        ("connections", ctypes.c_double),
        ("requests_per_second", ctypes.c_double),
        ("objects_per_second", ctypes.c_double),
    )


class Pace(ctypes.Structure):
    """What holds since the machine started; moments are those of clock.monotonic, that all processes share."""

    next_request: float
    next_object: float
    rest_until: float
    live_rest_until: float  # the same for calls that a client waits for
    busy: int  # answers in a row that asked for less
    outcomes: int  # of the last calls, a bit each, 1 for a failure, the last one lowest
    outcome_count: int
    outcome_at: float
    open_until: float  # of the circuit breaker; 0 is closed
    failed_trials: int
    trial: Call
    allowed: float  # background calls at a time; 0 is as many as there may be
    fell_at: float
    slow: int
    recent_count: int
    recent: ctypes.Array[ctypes.c_float]
    reason: int
    reason_at: float
    reason_until: float
    call_count: int
    calls: ctypes.Array[Call]
    kinds: ctypes.Array[Kind]
    # What this machine settled with others, see `machine_shares`.
    member: int
    share_until: float
    share_places: int
    share_fraction: float
    asked_at: float
    background_at: float
    wanting_at: float
    settled_at: float
    breaker_seen: float  # open_until when we last told of it, or took it over
    wishes_changed: int  # how often, since we told of it
    _fields_ = (
        ("next_request", ctypes.c_double),
        ("next_object", ctypes.c_double),
        ("rest_until", ctypes.c_double),
        ("live_rest_until", ctypes.c_double),
        ("busy", ctypes.c_uint32),
        ("outcomes", ctypes.c_uint32),
        ("outcome_count", ctypes.c_uint32),
        ("outcome_at", ctypes.c_double),
        ("open_until", ctypes.c_double),
        ("failed_trials", ctypes.c_uint32),
        ("trial", Call),
        ("allowed", ctypes.c_double),
        ("fell_at", ctypes.c_double),
        ("slow", ctypes.c_uint32),
        ("recent_count", ctypes.c_uint32),
        ("recent", ctypes.c_float * RECENT),
        ("reason", ctypes.c_uint32),
        ("reason_at", ctypes.c_double),
        ("reason_until", ctypes.c_double),
        ("call_count", ctypes.c_uint32),
        ("calls", Call * CALLS),
        ("kinds", Kind * KINDS),
        ("member", ctypes.c_uint64),
        ("share_until", ctypes.c_double),
        ("share_places", ctypes.c_uint32),
        ("share_fraction", ctypes.c_double),
        ("asked_at", ctypes.c_double),
        ("background_at", ctypes.c_double),
        ("wanting_at", ctypes.c_double),
        ("settled_at", ctypes.c_double),
        ("breaker_seen", ctypes.c_double),
        ("wishes_changed", ctypes.c_uint32),
    )


class State(ctypes.Structure):
    """The whole file."""

    magic: int
    boot: int
    overrides: Overrides
    pace: Pace
    _fields_ = (
        ("magic", ctypes.c_uint64),
        ("boot", ctypes.c_uint64),
        ("overrides", Overrides),
        ("pace", Pace),
    )


SIZE = ctypes.sizeof(State)


class PaceFile:
    """The state of one source, shared by whoever opens the same path; without a path it is this object's own."""

    def __init__(self, path: Path | None, store: Path | None = None) -> None:
        """In: the path of the file, and of the store beside it."""
        self._path, self._store = path, store
        self._pid = 0
        self._file: int | None = None
        self._lock = threading.Lock()
        self._state = State()
        self._boot = boot()
        _fresh(self._state, self._boot)

    @contextlib.contextmanager
    def locked(self) -> Iterator[State]:
        """The state, to read and change; nobody else has it meanwhile, so nothing in the block may wait."""
        if self._pid != os.getpid():
            self._begin()
        with self._lock:
            if self._file is None:
                yield self._state
                return
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                self._read(self._file)
                yield self._state
                self._write(self._file)
            finally:
                if self._file is not None:
                    fcntl.flock(self._file, fcntl.LOCK_UN)

    def share(self) -> None:
        """Open the file. Raises NotShared when this process can't share it with the others."""
        with self.locked():
            pass

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
            self._file, self._pid = None, 0

    def _begin(self) -> None:
        """Open the file for this process: a lock of the parent would let both through."""
        with _opening:
            if self._pid == os.getpid():
                return  # another thread did it meanwhile
            # A new one: after a fork the old lock may be held by a thread that only the parent has.
            self._lock = threading.Lock()
            self._file = None
            if self._path is not None:
                self._file = open_shared(self._path, self._store or self._path)
            self._pid = os.getpid()  # last: from now on others use what was made here

    def _read(self, file: int) -> None:
        found = os.preadv(file, [self._state], 0)
        older = found >= State.pace.offset and self._state.magic in SAME_WISHES
        if not older and (found != SIZE or self._state.magic != MAGIC):
            _fresh(self._state, self._boot)
        elif older or self._state.boot != self._boot:
            # It began anew with the machine, so no moment of before means anything.
            ctypes.memset(ctypes.byref(self._state.pace), 0, ctypes.sizeof(Pace))
            self._state.magic, self._state.boot = MAGIC, self._boot

    def _write(self, file: int) -> None:
        try:
            os.pwrite(file, self._state, 0)
        except OSError as error:  # a full disk: each process goes on by itself until it is opened again
            log.warning("pace is not shared", errno=error.errno)
            os.close(file)
            self._file = None


_opening = threading.Lock()


def _after_fork() -> None:
    """A lock of the child's own: that of the parent may be held by a thread that the child does not have."""
    global _opening
    _opening = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)


def _fresh(state: State, boot: int) -> None:
    ctypes.memset(ctypes.byref(state), 0, SIZE)
    state.magic, state.boot = MAGIC, boot
    overrides = state.overrides
    overrides.connections = overrides.requests_per_second = overrides.objects_per_second = -1
