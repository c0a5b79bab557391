"""Looks at a store on PostgreSQL without opening it: nothing is made, nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg

from gateway.base import clock
from gateway.store.base.errors import StoreError, StoreFailed
from gateway.store.postgres import making
from gateway.store.postgres.address import DatabaseAddress
from gateway.store.postgres.session import PostgresSession

# The bytes of our tables and their indexes.
SIZE = (
    "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
)


@contextmanager
def only_looking(address: DatabaseAddress) -> Iterator[PostgresSession]:
    """A session in a transaction that only reads, for the block. Raises StoreFailed."""
    try:
        connection = address.connect()
    except psycopg.Error as error:
        raise address.told(error) from None
    session = PostgresSession(connection)
    try:
        session.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield session
    finally:
        session.close()


def is_there(address: DatabaseAddress) -> bool:
    """Are the tables of a store there? Raises StoreError when the database can't be reached."""
    try:
        with only_looking(address) as session:
            return session.dialect.tables(session) >= making.OURS
    except StoreFailed as error:
        raise StoreError(f"[store] url: {address}. {error}") from None


class DatabaseFacts(NamedTuple):
    """What `klantbrug check` must know of a database."""

    version: int  # as server_version_num has it: 150004 is 15.4
    encoding: str
    replica: bool
    made: bool  # are our tables there?
    may_make: bool
    ahead: float  # seconds that its clock is ahead of ours
    encrypted: bool
    durable: bool  # does what it says that it wrote outlive a power cut?
    finds_parts: bool  # has it the indexes for parts of texts, or may we make them?
    memory: int  # bytes that it keeps of what it read (shared_buffers)
    size: int  # bytes of our tables and indexes


def facts(address: DatabaseAddress) -> DatabaseFacts:
    """Ask a database about itself. Raises StoreError when it can't be reached."""
    try:
        with only_looking(address) as session:
            before = clock.now()
            row = session.one(
                "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),"
                " pg_is_in_recovery(), coalesce(has_schema_privilege(to_regnamespace(?)::oid, 'CREATE'),"
                " has_database_privilege(current_database(), 'CREATE')),"
                " coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),"
                " current_setting('fsync')::boolean AND current_setting('full_page_writes')::boolean,"
                " CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
                (f'"{address.schema}"',),
            )
            ours = (before + clock.now()) / 2
            (memory,) = session.one("SELECT pg_size_bytes(current_setting('shared_buffers'))")
            (size,) = session.one(SIZE)
            finds_parts = making.finds_parts(session) or making.may_find_parts(session)
            made = session.dialect.tables(session) >= making.OURS
    except StoreFailed as error:
        raise StoreError(f"[store] url: {address}. {error}") from None
    version, encoding, replica, may_make, encrypted, durable, theirs = row
    return DatabaseFacts(
        version,
        encoding,
        bool(replica),
        made,
        bool(may_make),
        (theirs - ours) / 1_000_000,
        bool(encrypted),
        bool(durable),
        finds_parts,
        int(memory),
        int(size),
    )
