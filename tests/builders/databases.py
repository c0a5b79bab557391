"""Stores on the database of the tests as other processes would have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from builders.stores import DATABASE, schema_of


def another(path: Path, url: str = "", **how: Any) -> Any:
    """One more process's store, as far as the database can see."""
    from gateway.store.postgres.address import DatabaseAddress
    from gateway.store.postgres.database import PostgresStore

    return PostgresStore(DatabaseAddress(url or DATABASE, schema_of(path)), path, **how)


def a_connection(url: str = "") -> Any:
    """A connection without our settings, on which each statement is a transaction."""
    import psycopg

    return psycopg.connect(url or DATABASE, autocommit=True)
