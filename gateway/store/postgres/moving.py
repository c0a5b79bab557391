"""A store on PostgreSQL as one of the two sides of a move (`store/moving`)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import psycopg

from gateway.store.base.errors import StoreError, StoreFailed
from gateway.store.base.moving import MovedTable
from gateway.store.base.session import Row
from gateway.store.postgres import making
from gateway.store.postgres.address import DatabaseAddress, lock_of, open_lock_of
from gateway.store.postgres.session import PostgresSession
from gateway.store.postgres.vacuuming import vacuum
from gateway.store.postgres.wire.errors import told

_TYPES = {"number": "int8", "real": "float8", "text": "text", "bytes": "bytea"}
# Of a process that just stopped the database may not have heard yet.
ENDS_SECONDS, LOOK_SECONDS = 5.0, 0.1
IN_USE = (
    "{0}: er zijn {1} verbinding(en) van Klantbrug mee bezig. Stop eerst alles wat deze opslag open heeft: klantbrug "
    "serve, klantbrug jobs en lopende commando's, op alle machines. Er is niets veranderd."
)
# Who has it open holds a lock, or is of a version that was only known by its name.
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND (application_name = ? OR pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = datid"
    " AND classid = CAST(? AS oid) AND objid = CAST(? AS oid) AND objsubid = 1))"
)


class DatabaseSide:
    """See MoveSide."""

    def __init__(self, address: DatabaseAddress, session: PostgresSession) -> None:
        """In: where it is, and a session that holds the writer's lock."""
        self.address, self.session = address, session

    @property
    def shown(self) -> str:
        """See MoveSide."""
        return str(self.address)

    def last_ids(self) -> dict[str, int]:
        """See MoveSide."""
        found = {}
        for table, sequence in self._counted():
            last, called = self.session.one(f"SELECT last_value, is_called FROM {sequence}")
            found[table] = last if called else 0
        return found

    def _counted(self) -> list[Row]:
        """The tables that count their ids, and what counts."""
        return self.session.all(
            "SELECT table_name, pg_get_serial_sequence(quote_ident(table_schema) || '.' || quote_ident(table_name),"
            " column_name) FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND is_identity = 'YES' ORDER BY 1"
        )

    def is_there(self) -> bool:
        """See MoveSide."""
        if not self.session.dialect.tables(self.session):
            return False
        making.is_due(self.session)
        return True

    def make(self) -> None:
        """See MoveSide."""
        making.make_schema(self.session, self.address.schema)
        making.make(self.session)

    @contextmanager
    def transaction(self, *, lasts: bool = False) -> Iterator[None]:
        """See MoveSide."""
        self.session.script(f"BEGIN; SET LOCAL synchronous_commit = {'on' if lasts else 'off'}")
        try:
            yield
            self.session.script("COMMIT")
        except BaseException:
            with suppress(StoreFailed):
                if self.session.in_transaction:
                    self.session.script("ROLLBACK")
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See MoveSide."""
        self.session.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            with suppress(StoreFailed):
                self.session.script("ROLLBACK")

    def put_off(self) -> list[str]:
        """See MoveSide."""
        later = []
        for table, name, made in self.session.all(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY 1, 2"
        ):
            self.session.script(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            later.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {made}")
        indexes = self.session.all(
            "SELECT quote_ident(indexname), indexdef FROM pg_indexes WHERE schemaname = current_schema()"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint"
            " WHERE connamespace = current_schema()::regnamespace) ORDER BY 1"
        )
        for name, _ in indexes:
            self.session.script(f"DROP INDEX {name}")
        return [*(made for _, made in indexes), *later]

    def load(self, table: MovedTable, rows: Iterable[Row]) -> None:
        """See MoveSide."""
        columns = ", ".join(table.columns)
        try:
            with self.session.connection.cursor() as cursor:
                statement = f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)"
                with cursor.copy(statement.encode()) as copy:
                    copy.set_types([_TYPES[kind] for kind in table.kinds])
                    for row in rows:
                        copy.write_row(row)
        except psycopg.DataError as error:
            if error.sqlstate:
                raise told(error) from None
            raise StoreError(
                f"Een rij van de tabel {table.name} heeft een waarde die PostgreSQL niet kan bewaren (een teken NUL). "
                "De opslag is niet gekopieerd."
            ) from None
        except psycopg.Error as error:
            raise told(error) from None

    def later(self, statement: str) -> None:
        """See MoveSide."""
        self.session.script(statement)

    def set_last_ids(self, last: dict[str, int]) -> None:
        """See MoveSide."""
        for table, sequence in self._counted():
            (highest,) = self.session.one(f"SELECT coalesce(max(id), 0) FROM {table}")
            highest = max(highest, last.get(table, 0))
            self.session.all("SELECT setval(?::regclass, ?, ?)", (sequence, max(highest, 1), highest > 0))

    def tidy(self) -> None:
        """See MoveSide."""
        vacuum(self.session, sorted(self.session.dialect.tables(self.session)))

    def settle(self) -> None:
        """See MoveSide."""


def _others(session: PostgresSession, address: DatabaseAddress) -> int:
    """How many connections of ours others have, or 1 when somebody else holds the lock; 0: it is ours."""
    high, low = divmod(open_lock_of(address.schema) % 2**64, 2**32)
    (others,) = session.one(_OTHERS, (address.known_as, high, low))
    return int(others) or int(
        not session.one("SELECT pg_try_advisory_lock(?)", (lock_of(address.schema),))[0]
    )


@contextmanager
def _held(address: DatabaseAddress) -> Iterator[DatabaseSide]:
    """Hold the writer's lock for the block. Raises StoreError while anybody else has the store open."""
    try:
        connection = address.connect(0)
    except psycopg.Error as error:
        raise StoreError(f"{address}: {address.told(error)}") from None
    session = PostgresSession(connection)
    try:
        if session.one("SELECT pg_is_in_recovery()")[0]:
            raise StoreError(f"{address} is een replica; noem de primaire.")
        until = time.monotonic() + ENDS_SECONDS
        while (others := _others(session, address)) and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
        if others:
            raise StoreError(IN_USE.format(address, others))
        yield DatabaseSide(address, session)
    finally:
        session.close()


@contextmanager
def giving(address: DatabaseAddress) -> Iterator[DatabaseSide]:
    """The store at an address, from which nothing changes in the block. Raises StoreError when it is in use."""
    with _held(address) as side, side.snapshot():
        yield side


@contextmanager
def seen(address: DatabaseAddress) -> Iterator[DatabaseSide]:
    """The store at an address as it is now, while others go on with it. Raises StoreError."""
    try:
        session = PostgresSession(address.connect(0))
    except psycopg.Error as error:
        raise StoreError(f"{address}: {address.told(error)}") from None
    try:
        side = DatabaseSide(address, session)
        with side.snapshot():
            yield side
    finally:
        session.close()


@contextmanager
def taking(address: DatabaseAddress) -> Iterator[DatabaseSide]:
    """The database that becomes a store, held for the block. Raises StoreError when it is in use."""
    with _held(address) as side:
        yield side
