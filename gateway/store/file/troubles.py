"""What an operator must know of a store that is open: it is damaged, it can't be written, there is little room."""

from __future__ import annotations

import time
from pathlib import Path

from gateway.store.base.errors import StoreDamaged, StoreUnwritable
from gateway.store.file import full_disk

# How long after a write that failed this is reported.
TOLD_SECONDS = 60.0


class FileTroubles:
    """The troubles of one store, as one process meets them."""

    def __init__(self, store: Path) -> None:
        """In: the path of the store."""
        self._store = store
        # Set when the file proved to be damaged, in words.
        self.damaged = ""
        # When a write failed, and why, in words; None once something was written since, or can be.
        self.unwritable: tuple[float, str] | None = None

    def notice(self, error: BaseException) -> None:
        """Remember of an error what an operator must know: nothing can be written, or the file is damaged."""
        if isinstance(error, StoreDamaged):
            self.damaged = str(error)
        elif isinstance(error, StoreUnwritable):
            self.unwritable = (time.monotonic(), error.unwritable)

    def told(self, *, only_reads: bool) -> list[str]:
        """Sentences without values. In: was there no room to open it for writing?"""
        problems = [self.damaged] if self.damaged else []
        failed = self.unwritable
        if failed and (only_reads or time.monotonic() - failed[0] < TOLD_SECONDS):
            problems.append(failed[1])
        if room := full_disk.low_space(self._store):
            problems.append(room)
        return problems
