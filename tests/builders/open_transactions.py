"""Nobody else is asked anything while a transaction is open, however slow that server may be.

All other writers would wait for a write; a database ends a read that says nothing for seconds, and what it sees of an
older state can't be cleaned up.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.file.database import FileStore
from gateway.store.postgres.database import PostgresStore
from jobs.common.crew import Crew

_open = threading.local()


# The questions that were asked so, by method: their addresses may be personal.
asked_meanwhile: list[str] = []


def watch_open_transactions(patch: pytest.MonkeyPatch) -> None:
    """Count the transactions that a thread has open, and note what it asks another server meanwhile, or waits for."""
    for store in (FileStore, PostgresStore):
        for begins in ("read", "write"):
            patch.setattr(store, begins, _counted(getattr(store, begins)))
    send, answer = requests.Session.send, Crew.answer

    def sent(session: requests.Session, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        _note(str(request.method))
        return send(session, request, **how)

    def answered(crew: Crew, seconds: float) -> Any:
        _note("by another thread")
        return answer(crew, seconds)

    patch.setattr(requests.Session, "send", sent)
    patch.setattr(Crew, "answer", answered)


def _note(how: str) -> None:
    if getattr(_open, "transactions", 0):
        asked_meanwhile.append(how)


def _counted(begins: Callable[..., Any]) -> Callable[..., Any]:
    @contextlib.contextmanager
    def counted(self: Store, **how: Any) -> Iterator[Session]:
        with begins(self, **how) as session:
            _open.transactions = getattr(_open, "transactions", 0) + 1
            try:
                yield session
            finally:
                _open.transactions -= 1

    return counted
