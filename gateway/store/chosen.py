"""Which database the store is on, as `[store]` says; nobody else knows. The libraries of PostgreSQL are imported only
where it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from gateway.config.store import StoreSettings
from gateway.store.base.moving import MoveSide
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.file import full_disk, holders
from gateway.store.file.database import FileStore

if TYPE_CHECKING:
    from gateway.store.postgres.address import DatabaseAddress
    from gateway.store.postgres.looking import DatabaseFacts


def open_store(known: StoreSettings) -> Store:
    """Open (and make) the store. Raises StoreError, StoreFailed."""
    if not known.url:
        return FileStore(known.path, busy_seconds=known.busy_seconds, log_mb=known.log_mb)
    from gateway.store.postgres.database import PostgresStore

    return PostgresStore(_address(known), known.path, busy_seconds=known.busy_seconds)


def is_there(known: StoreSettings) -> bool:
    """Was the store made? Raises StoreError for a database that can't be reached."""
    if not known.url:
        return known.path.exists()
    from gateway.store.postgres import looking

    return looking.is_there(_address(known))


@contextmanager
def looking(known: StoreSettings) -> Iterator[Session]:
    """A session on the store that changes nothing, for the block. Raises StoreError, StoreFailed."""
    if not known.url:
        with full_disk.only_looking(known.path) as file_session:
            yield file_session
        return
    from gateway.store.postgres.looking import only_looking

    with only_looking(_address(known)) as session:
        yield session


def database_facts(known: StoreSettings) -> DatabaseFacts:
    """What the database of a store says of itself. Raises StoreError when it can't be reached."""
    from gateway.store.postgres import looking

    return looking.facts(_address(known))


def database_giving(known: StoreSettings) -> AbstractContextManager[MoveSide]:
    """The store in a database, held so that it does not change. Raises StoreError."""
    from gateway.store.postgres import moving

    return moving.giving(_address(known))


def database_seen(known: StoreSettings) -> AbstractContextManager[MoveSide]:
    """The store in a database as it is at this moment, while others go on with it. Raises StoreError."""
    from gateway.store.postgres import moving

    return moving.seen(_address(known))


def database_taking(known: StoreSettings) -> AbstractContextManager[MoveSide]:
    """A database that becomes a store, held. Raises StoreError."""
    from gateway.store.postgres import moving

    return moving.taking(_address(known))


def in_use(known: StoreSettings) -> AbstractContextManager[None]:
    """Have the store open for the block, without a connection, so that nobody replaces it. Raises StoreError."""
    return nullcontext() if known.url else holders.in_use(known.path)


def _address(known: StoreSettings) -> DatabaseAddress:
    from gateway.store.postgres.address import DatabaseAddress

    return DatabaseAddress(known.url, known.schema, known.password, known.sslmode, known.ca_bundle)
