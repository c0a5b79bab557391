"""Brings a store to the schema of this program: the migrations in order, then what the indexes say of the documents."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from sqlite_utils import Database

from gateway.store.base.migrations import ORDER, migrations
from gateway.store.indexes import profiles, text_search
from gateway.store.schema import (
    client_edits,
    documents,
    export,
    filters,
    findings_keys,
    first_tables,
    jobs,
    spans,
    tallies,
    text_indexes,
    tokens,
    untranslated,
)

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
    export,
)
# Tables that a migration makes empty and that are filled after the last one: a migration's text stays as it is, and
# what documents mean to an index is known to the program of today.
FILLED_AFTER: dict[str, Callable[[sqlite3.Connection], None]] = {
    "0051_profiles": profiles.make_again,
    "0052_texts": text_search.make_again,
}


def unknown(connection: sqlite3.Connection) -> list[str]:
    """The migrations that a store has and this program does not know: a later version made them. Sorted."""
    applied = migrations.applied(Database(connection, execute_plugins=False))
    return sorted({each.name for each in applied} - set(ORDER))


def later_version(connection: sqlite3.Connection) -> str:
    """Of a store that a later version of this program made, in words what to do; "" of any other."""
    later = unknown(connection)
    if not later:
        return ""
    return (
        f"is van een nieuwere versie van Klantbrug ({later[-1]}): werk Klantbrug bij, of zet een back-up terug die met"
        " deze versie is gemaakt."
    )


def is_due(connection: sqlite3.Connection) -> bool:
    """Has this program migrations that the store has not?"""
    return bool(migrations.pending(Database(connection, execute_plugins=False)))


def upgrade(connection: sqlite3.Connection) -> None:
    """Give a store what it has not yet. Inside a transaction."""
    db = Database(connection, execute_plugins=False)
    names = [each.name for each in migrations.pending(db)]
    text_search.prepare(connection)  # what triggers call
    migrations.apply(db)
    for name in names:
        if name in FILLED_AFTER:
            FILLED_AFTER[name](connection)
