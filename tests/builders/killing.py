"""Work in a process of its own, that kills itself (-9) at a moment of its work.

A server of clean processes is forked from, never the process of the tests: that has threads, and a lock that one of
them holds at the moment of a fork would stay locked in the child for ever.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

from gateway.store.base.store import Store

_clean = multiprocessing.get_context("forkserver")


def kills_itself(work: Callable[..., None], *arguments: Any) -> bool:
    """Do work in a clean process. Out: was it killed? A failure of the work is one of the test."""
    _clean.set_forkserver_preload([work.__module__])
    process = _clean.Process(target=work, args=arguments)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def kill_after(store: Store, steps: int, instructions: int) -> None:
    """Kill this process after so many times so many instructions of SQLite, or so many statements of PostgreSQL."""
    left = iter(range(steps))

    def count() -> int:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    connection: Any = store.connection()
    if connection.dialect.is_a_file:
        connection.set_progress_handler(count, instructions)
        return
    from gateway.store.postgres.session import PostgresSession

    def counted(ask: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*arguments: Any) -> Any:
            count()
            return ask(*arguments)

        return asked

    for name in ("all", "one", "run", "insert", "many", "script"):
        setattr(PostgresSession, name, counted(getattr(PostgresSession, name)))
