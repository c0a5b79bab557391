"""Brings a store to the schema of this program: the migrations in order, then what the indexes say of the documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from sqlite_utils import Database

from gateway.store.base.session import Session
from gateway.store.indexes import profiles, text_search
from gateway.store.schema import (
    client_edits,
    documents,
    filters,
    findings_keys,
    first_tables,
    jobs,
    outward,
    spans,
    tallies,
    text_indexes,
    tokens,
    untranslated,
)
from gateway.store.schema.migrations import ORDER, migrations

# They declare the migrations.
TABLES = (
    first_tables,
    filters,
    spans,
    jobs,
    documents,
    client_edits,
    tokens,
    findings_keys,
    tallies,
    untranslated,
    text_indexes,
    outward,
)
# What is filled, or filled anew, after the last migration, when a store had to get one of these: a migration's text
# stays as it is, and what documents mean to an index is known to the program of today.
FILLED_AFTER: dict[str, Callable[[Session], None]] = {
    "0051_profiles": profiles.make_again,
    "0052_texts": text_search.make_again,
}


def unknown(connection: Session) -> list[str]:
    """The migrations that a store has and this program does not know: a later version made them. Sorted."""
    return sorted(_applied(connection) - set(ORDER))


def later_version(connection: Session) -> str:
    """Of a store that a later version of this program made, in words what to do; "" of any other."""
    later = unknown(connection)
    if not later:
        return ""
    return (
        f"is van een nieuwere versie van Klantbrug ({later[-1]}): werk Klantbrug bij, of zet een back-up terug die met"
        " deze versie is gemaakt."
    )


def is_due(connection: Session) -> bool:
    """Has this program migrations that the store has not?"""
    return not _applied(connection) >= set(ORDER)


def _applied(connection: Session) -> set[str]:
    """The migrations that a store has."""
    if migrations.migrations_table not in connection.dialect.tables(connection):
        return set()
    found = connection.all(
        f"SELECT name FROM {migrations.migrations_table} WHERE migration_set = ?", (migrations.name,)
    )
    return {name for (name,) in found}


def upgrade(connection: Session) -> None:
    """Give a store what it has not yet. Inside a transaction, of SQLite."""
    db = Database(cast(Any, connection), execute_plugins=False)
    names = [each.name for each in migrations.pending(db)]
    migrations.apply(db)
    for fill in dict.fromkeys(FILLED_AFTER[name] for name in names if name in FILLED_AFTER):
        fill(connection)
