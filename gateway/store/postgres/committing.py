"""Begin and end of a write: a store that a later version upgraded is refused; when the answer to COMMIT was lost, the
database is asked what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from gateway.store.base.errors import StoreAway, StoreFailed, StoreUnsure, StoreUnwritable, TooLong
from gateway.store.postgres.session import PostgresSession
from gateway.store.schema.migrations import ORDER

# So long COMMIT may take. One that waits for a replica that is away would else last for ever, and the turn with it.
COMMIT_SECONDS = 5.0
# How long who lost the answer tries to hear it, and after how long again.
ASK_SECONDS, AGAIN_SECONDS = 10.0, 0.1
# By what the database knows a transaction, and of which life of it: after a replica took over, the same number may be
# of another. Then the last migration. It costs no trip of its own. A replica gives none; nothing can be written there.
MARK = (
    "CASE WHEN pg_is_in_recovery() THEN '' ELSE pg_current_xact_id()::text || ' '"
    " || left(pg_walfile_name(pg_current_wal_lsn()), 8) || ' '"
    ' || (SELECT max(name COLLATE "C") FROM migration) END'
)
_STATE = (
    "SELECT CASE WHEN pg_is_in_recovery() THEN 'replica' WHEN left(pg_walfile_name(pg_current_wal_lsn()), 8) = ?2"
    " THEN coalesce(pg_xact_status(CAST(CAST(?1 AS text) AS xid8)), 'forgotten') ELSE 'another life' END"
)


def at_once(begin: str, lock: int) -> str:
    """What begins a write when nobody else writes or waits to, and gives its mark; NULL: somebody does."""
    got = "klantbrug.got"  # the mark is of a moment after it
    return (
        f"{begin}; SELECT set_config('{got}', CASE WHEN pg_try_advisory_xact_lock({lock}) THEN 'yes' ELSE '' END,"
        f" true); SELECT CASE current_setting('{got}') WHEN 'yes' THEN {MARK} END"
    )


def in_turn(begin: str, lock: int, milliseconds: int) -> str:
    """What waits so long to begin a write, in the order of arrival, and gives its mark."""
    return (
        f"{begin}; SET LOCAL lock_timeout = {milliseconds}; SELECT pg_advisory_xact_lock({lock});"
        f" SET LOCAL lock_timeout = 0; SELECT {MARK}"
    )


def refuse_newer(mark: str) -> None:
    """Raise StoreUnwritable when a later version made tables here: this one would not keep what that one adds."""
    if mark and (last := mark.split()[2]) not in ORDER:
        raise StoreUnwritable(
            last, "NEWER", why="een nieuwere versie van Klantbrug werkte haar bij; werk ook deze bij"
        )


def commit(session: PostgresSession, connect: Callable[[], PostgresSession], mark: str) -> None:
    """End the write of a session.

    In: what makes another one; the mark, blank for a job, which does a write again of which the end was not heard.
    Raises StoreFailed, StoreUnsure when nobody can tell whether it was done.
    """
    session.limit(COMMIT_SECONDS, told=False)
    session.meanwhile(iter(()))  # what one raises would be taken for the end of the write
    try:
        said = session.script("COMMIT")
    except (StoreAway, TooLong) as error:
        lost = error if isinstance(error, StoreAway) else StoreAway("SILENT")
        if not mark:
            raise lost from None
        hear(connect, mark, lost)
    else:
        if said != "COMMIT":
            raise StoreFailed("PG_25P02", says="een fout in een transactie werd overgeslagen")


def hear(connect: Callable[[], PostgresSession], mark: str, lost: StoreAway) -> None:
    """Return when the write of that mark was committed.

    In: the error that was the answer to COMMIT; it is raised when nothing was written. Raises StoreUnsure when nobody
    can tell.
    """
    until = time.monotonic() + ASK_SECONDS
    while True:
        state = _state(connect, mark)
        if state == "committed":
            return
        if state == "aborted":
            raise lost
        if state in ("forgotten", "another life") or time.monotonic() > until:
            raise StoreUnsure(lost.name)
        time.sleep(AGAIN_SECONDS)


def _state(connect: Callable[[], PostgresSession], mark: str) -> str:
    """What the database says of it; blank when it says nothing."""
    try:
        session = connect()
    except StoreFailed:
        return ""
    session.limit(ASK_SECONDS, told=False)
    try:
        (state,) = session.one(_STATE, tuple(mark.split()[:2]))
        return str(state)
    except (StoreFailed, TooLong):
        return ""
    finally:
        session.close()
