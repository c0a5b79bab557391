"""What a write transaction did to documents so far, noted by whoever writes them: `documents/rows.py` and few others.

What hangs on documents (counts of lists, profiles, what is to be exported) is brought in step from these notes at the
end of the transaction, by `indexes/settling.py`. A watcher is told at once, before the rows change.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.store.base.session import Session

# What a document is counted by: its kind (a number), moment, created and uuid.
Place = tuple[int, int, int, bytes]
# A document by its kind (a number) and uuid.
Named = tuple[int, bytes]


class Watcher(Protocol):
    """Somebody who must know what becomes of documents: a rehearsal, or a rebuild. Is told before it is done."""

    def come(self, session: Session, documents: Sequence[Named], /) -> None:
        """These documents are about to come."""

    def change(self, session: Session, rows: Collection[int], /) -> None:
        """These documents (rows), or their references, are about to change."""

    def go(self, session: Session, rows: Collection[int], /) -> None:
        """These documents (rows) are about to go, with their references."""

    def lead(self, session: Session, rows: Collection[int], /) -> None:
        """Other uuids of these documents (rows), or what they were made of, are about to change."""


class Changes:
    """What one session did since its transaction began."""

    __slots__ = ("came", "due", "gone", "left", "touched", "watcher")

    def __init__(self) -> None:
        # Stays for as long as somebody watches, over transactions.
        self.watcher: Watcher | None = None
        self.clear()

    def clear(self) -> None:
        """A transaction is over: what it did was settled, or undone."""
        # The places in lists that were taken, and those that were left.
        self.came: list[Place] = []
        self.left: list[Place] = []
        # Documents (rows) that are due for another profile: 1 when their links changed, 0 when only they did.
        self.due: dict[int, int] = {}
        # Documents (rows) that came, or of which the body or a reference changed; and those that went.
        self.touched: set[int] = set()
        self.gone: list[Named] = []
