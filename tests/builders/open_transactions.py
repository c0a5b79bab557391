"""Nobody else is asked anything while a write is open: all other writers would wait for that server, however slow."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from gateway.store.base.store import Store
from gateway.store.file.database import FileStore
from gateway.store.postgres.database import PostgresStore

_open = threading.local()


# The questions that were asked so, by method: their addresses may be personal.
asked_meanwhile: list[str] = []


def watch_open_writes(patch: pytest.MonkeyPatch) -> None:
    """Count the writes that a thread has open, and note what it asks another server meanwhile."""
    for store in (FileStore, PostgresStore):
        patch.setattr(store, "write", _counted(store.write))
    send = requests.Session.send

    def noted(session: requests.Session, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        if getattr(_open, "writes", 0):
            asked_meanwhile.append(str(request.method))
        return send(session, request, **how)

    patch.setattr(requests.Session, "send", noted)


def _counted(write: Any) -> Any:
    @contextlib.contextmanager
    def counted(self: Store, **how: Any) -> Iterator[Any]:
        with write(self, **how) as connection:
            _open.writes = getattr(_open, "writes", 0) + 1
            try:
                yield connection
            finally:
                _open.writes -= 1

    return counted
