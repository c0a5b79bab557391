"""Brings a store to the schema of this program: the migrations in order, then what the indexes say of the documents."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, cast

import orjson
from sqlite_utils import Database

from gateway.base.logs import get_logger
from gateway.store.base.session import Session
from gateway.store.indexes import field_values, profiles, settling, text_search
from gateway.store.indexes.field_values import FILLED_AT_ONCE
from gateway.store.schema import (
    client_edits,
    documents,
    filters,
    findings,
    first_tables,
    jobs,
    outward,
    spans,
    text_indexes,
    tokens,
    untranslated,
    without_triggers,
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
    findings,
    untranslated,
    text_indexes,
    outward,
    without_triggers,
)
# What is filled, or filled anew, after the last migration, when a store had to get one of these: a migration's text
# stays as it is, and what documents mean to an index is known to the program of today. Piece by piece: each is given
# how far the one before it came ([]: nowhere yet), and says how far it came itself, None for the end.
FILLED_AFTER: dict[str, Callable[[Session, list[int]], list[int] | None]] = {
    "0051_profiles": profiles.make_some,
    "0052_texts": text_search.make_some,
    "0077_field_values": field_values.make_some,
}
# The fact of what is still to be filled, and how far the first of that is.
TO_FILL = "to fill"
# How often it is logged how far it is.
TELL_SECONDS = 5.0

log = get_logger("klantbrug.store")


def unknown(connection: Session) -> list[str]:
    """The migrations that a store has and this program does not know: a later version made them. Sorted."""
    return sorted(connection.dialect.migrated(connection) - set(ORDER))


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
    return not connection.dialect.migrated(connection) >= set(ORDER)


def upgrade(connection: Session) -> None:
    """Give a store what it has not yet, and fill it. Inside a transaction, of SQLite."""
    make_tables(connection)
    while fill_some(connection):
        pass
    settling.settle(connection)


def make_tables(connection: Session) -> None:
    """Give a store the tables that it has not yet, and note which of them are to be filled. Inside a transaction, of
    SQLite."""
    db = Database(cast(Any, connection), execute_plugins=False)
    names = [each.name for each in migrations.pending(db)]
    migrations.apply(db)
    if names != list(ORDER):  # a new one has nothing
        note_to_fill(connection, names)


def note_to_fill(connection: Session, names: Iterable[str]) -> None:
    """Note what is to be filled after these migrations, beside what was noted before. Inside a transaction."""
    due, place = _to_fill(connection)
    more = [name for name in names if name in FILLED_AFTER and name not in due]
    _note(connection, [*due, *more], place)


def is_to_fill(connection: Session) -> bool:
    """Is there something to be filled yet?"""
    return bool(_to_fill(connection)[0])


def fill_some(connection: Session) -> bool:
    """Fill a piece of what is to be filled. Inside a transaction, at whose end it is settled. Out: is there more?"""
    due, place = _to_fill(connection)
    if not due:
        return False
    reached = FILLED_AFTER[due[0]](connection, place)
    _note(connection, due if reached is not None else due[1:], reached or [])
    return reached is not None or len(due) > 1


def fill(transaction: Callable[[], AbstractContextManager[Session]]) -> None:
    """Fill all that is to be filled, each piece in a transaction of its own: what was killed is gone on with."""
    told, pieces, more = time.monotonic(), 0, True
    while more:
        with transaction() as connection:
            more = fill_some(connection)
            left = len(_to_fill(connection)[0])
        pieces += 1
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            log.info("the store is brought up to date", documents=pieces * FILLED_AT_ONCE, indexes_left=left)


def _to_fill(connection: Session) -> tuple[list[str], list[int]]:
    row = connection.one("SELECT value FROM meta WHERE name = ?", (TO_FILL,))
    due, place = orjson.loads(row[0]) if row else ([], [])
    return due, place


def _note(connection: Session, due: list[str], place: list[int]) -> None:
    if due:
        connection.run(
            "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
            (TO_FILL, orjson.dumps([due, place]).decode()),
        )
    else:
        connection.run("DELETE FROM meta WHERE name = ?", (TO_FILL,))
