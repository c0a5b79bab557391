"""Backfills in a thread of this process, steered by a test."""

from __future__ import annotations

import threading
from typing import Self

import pytest

from gateway.store.base.store import Store
from jobs.backfill import asking


@pytest.fixture(autouse=True)
def attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wishes are read ten times a second here, so that the tests need not wait for them."""
    monkeypatch.setattr(asking, "LOOK_AROUND_SECONDS", 0.1)


class InThread:
    """Works while the block lasts; at its end it is asked to stop, and must."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def work(self) -> None:
        """What it does."""
        raise NotImplementedError

    def _run(self) -> None:
        try:
            self.work()
        finally:
            self.store.close()

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.stopping.set()
        self.thread.join(20)
        assert not self.thread.is_alive()
