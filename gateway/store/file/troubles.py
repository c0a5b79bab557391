"""What an operator must know of a store that is open: it is damaged, it can't be written, there is little room."""

from __future__ import annotations

from pathlib import Path

from gateway.store.base.errors import Troubles
from gateway.store.file import full_disk


class FileTroubles(Troubles):
    """The troubles of one store, as one process meets them."""

    def __init__(self, store: Path) -> None:
        """In: the path of the store."""
        super().__init__()
        self._store = store

    def told(self, *, only_reads: bool) -> list[str]:
        """Sentences without values. In: was there no room to open it for writing?"""
        problems = [self.damaged] if self.damaged else []
        if self.unwritable and (only_reads or self.lately_unwritable()):
            problems.append(self.unwritable[1])
        if room := full_disk.low_space(self._store):
            problems.append(room)
        return problems
