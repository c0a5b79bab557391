"""The log of events, for what operators do about the installation as a whole."""

from __future__ import annotations

from gateway.store.base.store import Store
from gateway.store.operation import events


def note(store: Store, what: str, who: str, why: str) -> None:
    """Write what an operator did, and why."""
    with store.write() as connection:
        events.note(connection, None, what, who, why)
