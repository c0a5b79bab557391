"""Waiting for what other threads and processes do, as short as it takes and no longer than is sensible."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(done: Callable[[], Found], seconds: float = 60.0, look: float = 0.01) -> Found:
    """Wait until it is there. Out: what was found; fails the test when it did not come in so many seconds."""
    give_up = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < give_up, "it did not come in time"
        time.sleep(look)
    return found


def until_it_works(
    ask: Callable[[], Found], errors: tuple[type[BaseException], ...], seconds: float = 60.0
) -> Found:
    """The same for what raises one of these until then, as whoever asks a server that is starting."""
    give_up = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except errors:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)
