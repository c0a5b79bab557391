"""What is kept of a source as a whole (phase, coverage, what was asked of it), and of the store itself.

Functions that change something go inside `Store.write()`, unless they take the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import orjson

from gateway.base.clock import now
from gateway.store.file.database import Store

# The fact of when the coverage of a source was forgotten.
FORGOTTEN = "coverage forgotten {}"
# The fact of which uuid secret the store was made with: its fingerprint.
SECRET = "uuid_secret"  # noqa: S105 (the name of the fact)


def held_source(connection: sqlite3.Connection, name: str) -> int | None:
    """The row of a source, None when it is not there yet."""
    row = connection.execute("SELECT id FROM source WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else None


def source_id(connection: sqlite3.Connection, name: str) -> int:
    """The row of a source, made when it is not there yet."""
    held = held_source(connection, name)
    if held is not None:
        return held
    return connection.execute("INSERT INTO source (name) VALUES (?)", (name,)).lastrowid or 0


def source_name(connection: sqlite3.Connection, source: int) -> str:
    """The name of a source by its row."""
    return str(connection.execute("SELECT name FROM source WHERE id = ?", (source,)).fetchone()[0])


def fetched_at(connection: sqlite3.Connection, source: int, name: str) -> int:
    """When this was last asked of the source and answered whole; 0 for never."""
    row = connection.execute("SELECT at FROM fetched WHERE source = ? AND key = ?", (source, name)).fetchone()
    return row[0] if row else 0


def fetched_times(connection: sqlite3.Connection, source: int, names: Iterable[str]) -> dict[str, int]:
    """When each of these was last asked of the source and answered whole; what never was is not there."""
    wanted = orjson.dumps(list(names)).decode()
    rows = connection.execute(
        "SELECT key, at FROM fetched WHERE source = ? AND key IN (SELECT value FROM json_each(?))",
        (source, wanted),
    )
    return dict(rows.fetchall())


def set_fetched(connection: sqlite3.Connection, source: int, name: str, moment: int) -> None:
    """Remember this moment under a name, whatever was remembered before."""
    connection.execute(
        "INSERT INTO fetched (source, key, at) VALUES (?1, ?2, ?3) ON CONFLICT (source, key) DO UPDATE SET at = ?3",
        (source, name, moment),
    )


def note_fetched(connection: sqlite3.Connection, source: int, name: str, moment: int) -> None:
    """Remember that this was asked and answered whole at `moment`."""
    connection.execute(
        "INSERT INTO fetched (source, key, at) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (source, key) DO UPDATE SET at = max(at, ?3)",
        (source, name, moment),
    )


def source_state(connection: sqlite3.Connection, source: int) -> tuple[str, int]:
    """The phase of a source, and when its last complete backfill began (0: never)."""
    phase, covered = connection.execute(
        "SELECT phase, covered FROM source WHERE id = ?", (source,)
    ).fetchone()
    return phase, covered or 0


def source_read(connection: sqlite3.Connection, source: int) -> tuple[str, int, int, int]:
    """The phase of a source, when its last complete backfill and its last whole sync began (0: never), and what is in
    quarantine of it (see `unread`)."""
    phase, covered, synced, unread = connection.execute(
        "SELECT s.phase, s.covered, f.synced, s.unread FROM source s LEFT JOIN following f ON f.source = s.id"
        " WHERE s.id = ?",
        (source,),
    ).fetchone()
    return phase, covered or 0, synced or 0, unread


def set_covered(connection: sqlite3.Connection, source: int, moment: int) -> None:
    """A backfill that began at `moment` saw everything."""
    connection.execute("UPDATE source SET covered = ? WHERE id = ?", (moment, source))


def forget_coverage(connection: sqlite3.Connection, source: int) -> None:
    """What was read of a source is not all any more: only a backfill that begins after this makes it complete."""
    connection.execute("UPDATE source SET covered = NULL WHERE id = ?", (source,))
    connection.execute("DELETE FROM fetched WHERE source = ?", (source,))
    connection.execute(
        "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
        (FORGOTTEN.format(source), str(now())),
    )


def coverage_forgotten(connection: sqlite3.Connection, source: int) -> int:
    """When the coverage of a source was forgotten last (microseconds UTC); 0 is never."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (FORGOTTEN.format(source),)).fetchone()
    return int(row[0]) if row else 0


def meta(store: Store, name: str) -> str | None:
    """A fact that the store keeps about itself."""
    with store.read() as connection:
        return meta_of(connection, name)


def meta_of(connection: sqlite3.Connection, name: str) -> str | None:
    """The same, inside a transaction."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def set_meta(store: Store, name: str, value: str) -> None:
    """Write a fact that the store keeps about itself."""
    with store.write() as connection:
        put_meta(connection, name, value)


def put_meta(connection: sqlite3.Connection, name: str, value: str) -> None:
    """The same, inside a transaction."""
    connection.execute(
        "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", (name, value)
    )


def bind_secret(store: Store, fingerprint: str) -> bool:
    """Tie the store to the fingerprint of its uuid secret. Out: is it the one the store was made with?"""
    if (known := meta(store, SECRET)) is not None:  # a full disk must not keep anybody from reading
        return known == fingerprint
    with store.write() as connection:
        connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (SECRET, fingerprint))
        return meta_of(connection, SECRET) == fingerprint
