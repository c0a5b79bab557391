"""The store on PostgreSQL: sessions from a pool, one writer at a time by a lock of the database."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

from gateway.config.defaults import BUSY_SECONDS
from gateway.store.base.changes import Changes
from gateway.store.base.errors import (
    StoreAway,
    StoreError,
    StoreFailed,
    StoreLocked,
    StoreNotReached,
    StoreUnwritable,
    TooLong,
)
from gateway.store.base.lock_waits import LockWaits
from gateway.store.base.moving import HALF, UNDER_WAY
from gateway.store.base.session import Session
from gateway.store.indexes import settling
from gateway.store.postgres import committing, looking, making, vacuuming
from gateway.store.postgres.address import DatabaseAddress, lock_of
from gateway.store.postgres.heartbeat import Heartbeat
from gateway.store.postgres.own_sessions import OwnSession
from gateway.store.postgres.pool import Pool
from gateway.store.postgres.rests import Rests
from gateway.store.postgres.session import PostgresSession
from gateway.store.postgres.wire.errors import PostgresTroubles
from gateway.store.schema import upgrade

# A holder of the writer's lock that was frozen loses it after this.
IDLE_SECONDS = 3
# A database that does not even answer who wants to write is away.
SILENT_SECONDS = 5.0
# So long who waits for the lock waits in the database, in the order of arrival, before it looks around again.
IN_TURN_MS = 250
# A job lets whoever waits for the lock go first for so long; where they never end it must get on as well.
GIVES_WAY_SECONDS = 1.0
# What is written beside the writer takes no time; when it does, the database is in trouble.
APART_SECONDS = 5
# Sessions that the database closed while they lay idle, as when it was restarted, are found out one by one.
STALE_AT_ONCE = 100


# What others wrote before we had our turn is seen, whatever the database or the role say.
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"


class _Mine(threading.local):
    """What the thread is in: a session in a transaction, and which of the two."""

    session: PostgresSession | None = None
    reading = False
    background = False
    meanwhile: Callable[[], None] | None = None
    guards: tuple[Callable[[Session], None], ...] = ()

    def __init__(self) -> None:
        # Whoever watches what becomes of documents does so in all transactions of its thread, on whatever connection.
        self.changes = Changes()


class PostgresReading:
    """The block of `PostgresStore.read()`; inside another transaction of its thread it is part of that one."""

    __slots__ = ("_inner", "_store")

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._inner = store.mine.session is not None

    def __enter__(self) -> Session:
        mine = self._store.mine
        if mine.session is None:
            mine.session = self._store.begin(self._store.begin_reading)
            mine.reading = True
        return mine.session

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self._inner:
            return
        mine = self._store.mine
        session, mine.session, mine.reading = mine.session, None, False
        if session is None:
            return
        try:
            with contextlib.suppress(StoreFailed, TooLong):  # all that was asked was answered
                session.end_reading(failed=error is not None)
        finally:
            self._store.pool.give(session)


class PostgresStore:
    """A Store on PostgreSQL, in a schema of its own."""

    def __init__(self, address: DatabaseAddress, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        """Open the store at an address, and make its tables when they are not there.

        In: beside `path` stand the files that the processes of this machine share. Raises StoreError, StoreFailed.
        """
        self.address, self.path = address, path
        self.waiting = LockWaits(busy_seconds, "PG_55P03")
        self.question_seconds = math.inf
        self.troubles = PostgresTroubles()
        self.pool = Pool(self._connect, busy_seconds)
        self.mine = _Mine()
        self._own = OwnSession(self)
        self._heart = Heartbeat(self._connect)
        self._grown = vacuuming.GrownTables(self.pool)
        self._rests = Rests()
        self._lock = lock_of(address.schema)
        self.only_reads = False
        try:
            if self._make_ready():
                upgrade.fill(self.write)
        except BaseException:
            self.close()  # who has no store closes none
            raise

    def _connect(self) -> PostgresSession:
        return PostgresSession(self._another(), self._another)

    def _another(self) -> psycopg.Connection[Any]:
        try:
            return self.address.connect()
        except psycopg.Error as error:
            raise self.address.told(error) from None

    def _make_ready(self) -> bool:
        """Make the tables that are not there. Out: are some of them to be filled?"""
        try:
            session = self.pool.take()
        except StoreAway as error:
            raise StoreNotReached(f"[store] url: {self.address}. {error}") from None
        try:
            (self.only_reads,) = map(bool, session.one("SELECT pg_is_in_recovery()"))
            if making.is_due(session):
                session.script(f"{BEGIN}; SELECT pg_advisory_xact_lock({self._lock})")
                making.make_schema(session, self.address.schema)
                if making.is_due(session):  # nobody made it meanwhile
                    making.make(session)
                session.script("COMMIT")
            if session.one("SELECT count(*) FROM meta WHERE name = ?", (UNDER_WAY,))[0]:
                raise StoreError(f"[store] url: {self.address}: {HALF}.")
            return not self.only_reads and upgrade.is_to_fill(session)
        except StoreFailed as error:
            kind = StoreNotReached if isinstance(error, StoreAway) else StoreError
            raise kind(f"[store] url: {self.address}. {error}") from None
        finally:
            self.pool.give(session)

    def begin(self, begins: Callable[[PostgresSession], bool]) -> PostgresSession:
        """A session on which `begins` began a transaction. Raises StoreFailed, StoreLocked when it said no.

        One that lay idle while the database was restarted is not the fault of who takes it.
        """
        for _ in range(STALE_AT_ONCE):
            session = self.pool.take()
            try:
                if begins(session):
                    return session
                raise StoreLocked("PG_55P03")
            except StoreAway:
                fresh = session.fresh
                self.pool.give(session)
                if fresh:
                    raise
            except BaseException:
                self.pool.give(session)
                raise
        raise StoreAway("PG_08003")

    def begin_reading(self, session: PostgresSession) -> bool:
        """Begin a transaction that sees one state."""
        session.begin_reading("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", self.question_seconds)
        return True

    def connection(self) -> Session:
        """A session of this thread, for one question at a time outside a transaction."""
        return self.mine.session or self._own

    def trouble(self) -> list[str]:
        """What an operator must know. Sentences without values."""
        if self.only_reads:  # it may have taken over
            with contextlib.suppress(StoreFailed, TooLong):
                self.only_reads = bool(self.connection().one("SELECT pg_is_in_recovery()")[0])
        return self.troubles.told(only_reads=self.only_reads)

    def read(self) -> PostgresReading:
        """A block with one consistent view for several questions. Raises TooLong after `question_seconds`."""
        return PostgresReading(self)

    @contextlib.contextmanager
    def write(self, *, synced: bool | None = None, wait: float | None = None) -> Iterator[Session]:
        """See Store."""
        mine = self.mine
        if mine.reading:
            raise RuntimeError("a write inside read()")
        if mine.session is not None:
            yield mine.session
            return
        background = mine.background
        session, mark = self._begin_writing(synced=not background if synced is None else synced, wait=wait)
        mine.session = session
        session.changes = mine.changes
        began = time.monotonic()
        try:
            for guard in mine.guards:
                guard(session)
            yield session
            settling.settle(session)
            committing.commit(session, self._connect, "" if background else mark)
        except BaseException as error:
            with contextlib.suppress(StoreFailed, TooLong):
                if session.in_transaction:
                    session.script("ROLLBACK")
            self.troubles.notice(error)
            raise
        finally:
            mine.changes.clear()
            session.changes = Changes()  # who has the session next settles nothing of this thread
            session.meanwhile(iter(()))
            mine.session = None
            self.pool.give(session)
            if background:
                self._rests.wrote(time.monotonic() - began)
        self.troubles.unwritable = None
        self.only_reads = False
        if synced is False or background:
            self._grown.look()

    def _begin_writing(self, *, synced: bool, wait: float | None) -> tuple[PostgresSession, str]:
        """A session that may write, and the mark of its transaction."""
        got: list[PostgresSession] = []
        mark: str | None = None
        background = self.mine.background
        since = time.monotonic()
        begin = (
            f"{BEGIN}; SET LOCAL idle_in_transaction_session_timeout = {IDLE_SECONDS * 1000};"
            " SET LOCAL statement_timeout = 0"
        )
        if not synced:
            begin += "; SET LOCAL synchronous_commit = off"
        tried = 0

        def begins() -> bool:
            nonlocal tried
            tried += 1
            gives_way = background and time.monotonic() - since < GIVES_WAY_SECONDS
            at_once = gives_way or tried == 1

            def lock(session: PostgresSession) -> bool:
                nonlocal mark
                session.limit(SILENT_SECONDS, told=False)
                try:
                    mark = session.word(
                        committing.at_once(begin, self._lock)
                        if at_once
                        else committing.in_turn(begin, self._lock, IN_TURN_MS)
                    )
                except StoreAway:
                    raise
                except StoreLocked:
                    mark = None
                try:
                    committing.refuse_newer(mark or "")
                except StoreUnwritable:
                    session.script("ROLLBACK")
                    raise
                if mark is None:
                    session.script("ROLLBACK")
                session.limit(math.inf)
                return mark is not None

            try:
                got.append(self.begin(lock))
            except (StoreAway, TooLong) as error:
                if not background:
                    raise error if isinstance(error, StoreAway) else StoreAway("SILENT") from None
                return False
            except StoreLocked:
                if background:
                    self._rests.see()
                return False
            return True

        try:
            if background and wait is None:
                self._rests.rest()
                self.waiting.patient(begins, self.mine.meanwhile or _nothing)
            else:
                self.waiting.live(begins, wait)
        except StoreFailed as error:
            self.troubles.notice(error)
            raise
        return got[-1], mark or ""

    @contextlib.contextmanager
    def apart(self) -> Iterator[Session]:
        """See Store."""

        def begins(session: PostgresSession) -> bool:
            session.limit(APART_SECONDS, told=False)
            session.script(
                f"BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL statement_timeout = '{APART_SECONDS}s'"
            )
            return True

        session = self.begin(begins)
        try:
            yield session
            session.script("COMMIT")
        except BaseException:
            with contextlib.suppress(StoreFailed, TooLong):
                if session.in_transaction:
                    session.script("ROLLBACK")
            raise
        finally:
            session.changes.clear()
            self.pool.give(session)

    def clients_write(self) -> bool:
        """Were others seen writing within the last minute, by the jobs of this process?"""
        return self._rests.lately()

    @contextlib.contextmanager
    def giving_way(self, meanwhile: Callable[[], None] | None = None) -> Iterator[None]:
        """See Store."""
        mine = self.mine
        before = mine.background, mine.meanwhile
        mine.background, mine.meanwhile = True, meanwhile or mine.meanwhile
        try:
            yield
        finally:
            mine.background, mine.meanwhile = before

    @contextlib.contextmanager
    def guarded(self, guard: Callable[[Session], None]) -> Iterator[None]:
        """See Store."""
        held = self.mine.guards
        self.mine.guards = (*held, guard)
        try:
            yield
        finally:
            self.mine.guards = held

    def serves(self) -> None:
        """See Store: what a connection keeps is the database's own affair."""

    def shows_life(self) -> None:
        """See Store."""
        self._heart.begin()

    def for_bulk(self) -> None:
        """See Store: likewise."""

    def tidy_log(self, *, bulk: bool) -> None:
        """See Store: likewise."""

    def empty_log(self) -> bool:
        """See Store: what was erased is freed in the tables; what the database writes beside them is not ours."""
        session = self._connect()
        try:
            vacuuming.vacuum(session, vacuuming.dirty(session))
        finally:
            session.close()
        return False

    def copy_to(self, path: Path) -> None:
        """See Store: a database is not copied to a file."""
        raise StoreError(
            "[store] url: van een opslag op PostgreSQL maakt Klantbrug geen kopie in een bestand."
        )

    def sizes(self) -> dict[str, int]:
        """See Store: tables and indexes; what the database writes beside them is of all its stores."""
        return {"store": int(self.connection().one(looking.SIZE)[0])}

    def close(self) -> None:
        """Close what is not in use."""
        self._heart.end()
        self.pool.close()


def _nothing() -> None:
    """Nothing to do while waiting."""
