"""How many persons an operation was about, counted while it goes on: for the audit log."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.base.row_set import RowSet

# So many are kept by row: who is asked for by a client is one, or a page of them.
FEW = 1000


class Subjects:
    """The persons of one operation, by row. Told by who writes, and so by one thread at a time."""

    def __init__(self) -> None:
        self._seen = RowSet()
        self.count = 0
        self.some: list[int] = []

    def add(self, rows: Iterable[int]) -> None:
        """What is held of these persons came or changed."""
        for row in rows:
            if not self._seen.add(row):
                self.count += 1
                if self.count <= FEW:
                    self.some.append(row)

    def lost(self, many: int) -> None:
        """So many persons are held no more."""
        self.count += many
