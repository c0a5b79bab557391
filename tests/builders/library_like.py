"""On PostgreSQL tests ask a store as they ask one in a file by its library: `execute`, and what that gives."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable
from typing import Any

from gateway import installation
from gateway.store.base.errors import StoreAway
from gateway.store.postgres.database import PostgresStore
from gateway.store.postgres.own_sessions import OwnSession
from gateway.store.postgres.session import PostgresSession

_ASKS = ("SELECT", "WITH")


class Answer(list[Any]):
    """What the library gives of a question, or of a change."""

    rowcount = -1

    def fetchall(self) -> list[Any]:
        """The rows."""
        return list(self)

    def fetchone(self) -> Any:
        """The first row."""
        return self[0] if self else None


def _execute(session: Any, sql: str, values: Any = ()) -> Answer:
    if sql.lstrip().upper().startswith(_ASKS) or " RETURNING " in sql:
        return Answer(session.all(sql, values))
    answer = Answer()
    answer.rowcount = session.run(sql, values)
    return answer


def _executemany(session: Any, sql: str, rows: Iterable[Any]) -> None:
    session.many(sql, rows)


# The stores of this process, so that none that a test left open tells on that it lives, on a connection of its own.
OPEN: weakref.WeakSet[PostgresStore] = weakref.WeakSet()
_init = PostgresStore.__init__


def _noted(store: PostgresStore, *arguments: Any, **named: Any) -> None:
    _init(store, *arguments, **named)
    OPEN.add(store)


PostgresStore.__init__ = _noted  # type: ignore[method-assign]


# Those of them that are not used any more: what reads on after an answer, or settles with other machines what may be
# asked of a source, goes on for seconds, and would write what it found into the store of the test that has the schema
# next.
OVER: weakref.WeakSet[PostgresStore] = weakref.WeakSet()
_settling = threading.Lock()
_settle = installation._settle


def _settled_while_used(store: Any, *asked: Any) -> Any:
    with _settling:
        return None if store in OVER else _settle(store, *asked)


installation._settle = _settled_while_used

_another = PostgresStore._another


def _while_used(store: PostgresStore) -> Any:
    if store in OVER:
        raise StoreAway("OVER")
    return _another(store)


PostgresStore._another = _while_used  # type: ignore[method-assign]


def close_all(schema: str, *, over: bool) -> None:
    """Close the stores of this process in a schema; what is `over` is not used again."""
    for store in [each for each in OPEN if each.address.schema == schema]:
        if over:
            with _settling:
                OVER.add(store)
        store.close()


for kind in (PostgresSession, OwnSession):
    kind.execute = _execute  # type: ignore[attr-defined]
    kind.executemany = _executemany  # type: ignore[attr-defined]
