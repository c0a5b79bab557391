"""Freeing what was erased, as much of it as a client of the database can do; and telling it how large tables became."""

from __future__ import annotations

import contextlib
import threading
import time

from gateway.store.base.errors import StoreFailed, TooLong
from gateway.store.base.session import Session
from gateway.store.postgres.pool import Pool
from gateway.store.postgres.session import PostgresSession

# How often who fills tables looks whether the database knows of it.
LOOK_SECONDS = 5.0
SOON_SECONDS = 1.0  # the same when some grew just now
# A fifth of what its own round looks at: how large a table is, and of what, shows in that.
SAMPLE = 20
# Those of which half came or changed since it looked itself. It must know of few rows too: of none, it takes any index.
_GROWN = (
    "SELECT quote_ident(s.relname) FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid"
    " WHERE s.schemaname = current_schema() AND s.n_mod_since_analyze > 500 + greatest(c.reltuples, 0) / 2 ORDER BY 1"
)


def dirty(session: Session) -> list[str]:
    """The tables in which there is something that was erased or written over, as far as the database counts that."""
    rows = session.all(
        "SELECT relname FROM pg_stat_user_tables WHERE schemaname = current_schema() AND n_dead_tup > 0 ORDER BY 1"
    )
    return [name for (name,) in rows]


def vacuum(session: PostgresSession, tables: list[str]) -> None:
    """Free what is in these tables and their indexes and nobody can see any more. In no transaction.

    Its place is written over by what comes; others read and write meanwhile. Raises StoreFailed.
    """
    session.script("SET statement_timeout = 0")
    for table in tables:
        session.script(f"VACUUM (ANALYZE) {table}")


class GrownTables:
    """Has the database look at tables that fill up quickly.

    Its own round may come minutes later, and until then it looks through a whole table for a few rows.
    """

    def __init__(self, pool: Pool) -> None:
        """In: whose sessions are used."""
        self._pool = pool
        self._next = 0.0
        self._looking = threading.Lock()

    def look(self) -> None:
        """Call it after each write of much, outside a transaction. It is done meanwhile, in a thread of its own."""
        if time.monotonic() < self._next or not self._looking.acquire(blocking=False):
            return
        self._next = time.monotonic() + LOOK_SECONDS
        try:
            threading.Thread(target=self._look, name="klantbrug-analyze", daemon=True).start()
        except BaseException:
            self._looking.release()
            raise

    def _look(self) -> None:
        """A database that says no is asked later."""
        try:
            with contextlib.suppress(StoreFailed, TooLong):
                self._tell()
        finally:
            self._looking.release()

    def _tell(self) -> None:
        session = self._pool.take()
        try:
            session.lives()  # with no limit of an earlier use
            grown = ", ".join(name for (name,) in session.all(_GROWN))
            if grown:
                session.script(f"SET default_statistics_target = {SAMPLE}")
                session.script(f"ANALYZE (SKIP_LOCKED) {grown}")
                session.script("RESET default_statistics_target")
                self._next = time.monotonic() + min(SOON_SECONDS, LOOK_SECONDS)
        finally:
            self._pool.give(session)
