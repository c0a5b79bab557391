"""Which statements are put to a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from builders.stores import ON_POSTGRES

from gateway.store.base.store import Store

METHODS = ("all", "one", "each", "run", "insert", "many")


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """Those of the block: of this thread for a store in a file, of the process on PostgreSQL."""
    asked: list[str] = []
    if not ON_POSTGRES:
        connection: Any = store.connection()
        connection.set_trace_callback(asked.append)
        yield asked
        connection.set_trace_callback(None)
        return
    from gateway.store.postgres.session import PostgresSession

    def noted(method: Callable[..., Any]) -> Callable[..., Any]:
        def ask(session: Any, sql: str, *values: Any) -> Any:
            asked.append(sql)
            return method(session, sql, *values)

        return ask

    with pytest.MonkeyPatch.context() as patch:
        for name in METHODS:
            patch.setattr(PostgresSession, name, noted(getattr(PostgresSession, name)))
        yield asked
