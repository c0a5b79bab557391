"""Which calls on a source are background: those of a job, that give way to the requests of clients.

Marked for the thread that makes the calls, so that what lies in between (fetchers, clients) need not hand it on:
a new thread begins as live, and marks itself.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a background call waits, for an operator, and until when (UTC); None when nobody knows."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Background:
    """How the background calls of this thread wait. See `background`."""

    stop: threading.Event | None
    waiting: Callable[[Waiting | None], None] | None
    patience: float | None
    window: bool
    first: bool = False


_current: ContextVar[Background | None] = ContextVar("klantbrug background", default=None)


def current() -> Background | None:
    """How background calls of this thread wait, None when its calls are live."""
    return _current.get()


@contextlib.contextmanager
def patient(seconds: float) -> Iterator[None]:
    """Let background calls in the block have this much patience, which also bounds how often one is tried again.

    Calls that are live stay live.
    """
    job = current()
    token = _current.set(replace(job, patience=seconds) if job else None)
    try:
        yield
    finally:
        _current.reset(token)


@contextlib.contextmanager
def background(
    stop: threading.Event | None = None,
    waiting: Callable[[Waiting | None], None] | None = None,
    *,
    patience: float | None = None,
    window: bool = True,
    first: bool = False,
) -> Iterator[None]:
    """Make the calls of this thread in the block background calls.

    `stop`: when set, a call that waits raises errors.Stopped. `waiting` is told why a call begins to wait, and None
    when it goes on. `patience`: how many seconds a call waits at most for what may take long (the window, a pause,
    rest, a broken source) before it raises errors.WaitTooLong; None is as long as it takes. `window` False: the call
    was asked for by the source itself, so it does not wait for `[[source]] window`. `first`: it goes before other
    background calls that wait.
    """
    token = _current.set(Background(stop, waiting, patience, window, first))
    try:
        yield
    finally:
        _current.reset(token)
