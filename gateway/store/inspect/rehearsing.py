"""Doing work again to see what it would write: in a write transaction that is taken back.

Whoever writes tells which documents are about to come, change or go (base/changes.py). When the store is right, that
is none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence

from gateway.store.base.bound_lists import IN_IDS, id_list
from gateway.store.base.changes import Named
from gateway.store.base.kinds import KINDS
from gateway.store.base.session import Session
from gateway.store.base.store import Store

# What is noted of a document.
MISSING, DIFFERENT, EXTRA = "missing", "different", "extra"


class RehearsedWork:
    """What work does to documents, by kind and uuid: whether each was missing, different or extra."""

    def __init__(self) -> None:
        self.touched: dict[tuple[str, bytes], str] = {}

    def come(self, _session: Session, documents: Sequence[Named], /) -> None:
        """See Watcher."""
        for kind, uuid in documents:
            self._note(MISSING, kind, uuid)

    def change(self, session: Session, rows: Collection[int], /) -> None:
        """See Watcher."""
        self._note_all(DIFFERENT, session, rows)

    lead = change

    def go(self, session: Session, rows: Collection[int], /) -> None:
        """See Watcher."""
        self._note_all(EXTRA, session, rows)

    def _note_all(self, sort: str, session: Session, rows: Collection[int]) -> None:
        found = session.all(f"SELECT kind, uuid FROM document WHERE id {IN_IDS}", (id_list(rows),))
        for kind, uuid in found:
            self._note(sort, kind, uuid)

    def _note(self, sort: str, kind: int, uuid: bytes) -> None:
        """That it was missing or extra says more than that it was different."""
        key = (KINDS[kind - 1], uuid)
        if self.touched.get(key) in (None, DIFFERENT):
            self.touched[key] = sort


class _TakenBack(Exception):
    """The end of a rehearsal."""


@contextlib.contextmanager
def noting(store: Store, rehearse: bool) -> Iterator[tuple[Session, RehearsedWork]]:
    """A write transaction of which is noted what it does to documents; a rehearsal is taken back at its end."""
    found = RehearsedWork()
    try:
        with store.write() as connection:
            connection.changes.watcher = found
            try:
                yield connection, found
            finally:
                connection.changes.watcher = None
            if rehearse:
                raise _TakenBack
    except _TakenBack:
        return
