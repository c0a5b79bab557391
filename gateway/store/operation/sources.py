"""What is kept of a source as a whole (phase, coverage, what was asked of it), and of the store itself.

Functions that change something go inside `Store.write()`, unless they take the store.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.base.clock import now
from gateway.store.base.session import Session
from gateway.store.base.store import Store

# The fact of when the coverage of a source was forgotten.
FORGOTTEN = "coverage forgotten {}"
# The fact of which uuid secret the store was made with: its fingerprint.
SECRET = "uuid_secret"  # noqa: S105 (the name of the fact)


def held_source(connection: Session, name: str) -> int | None:
    """The row of a source, None when it is not there yet."""
    row = connection.one("SELECT id FROM source WHERE name = ?", (name,))
    return int(row[0]) if row else None


def source_id(connection: Session, name: str) -> int:
    """The row of a source, made when it is not there yet."""
    held = held_source(connection, name)
    if held is not None:
        return held
    return connection.insert("INSERT INTO source (name) VALUES (?)", (name,))


def source_name(connection: Session, source: int) -> str:
    """The name of a source by its row."""
    return str(connection.one("SELECT name FROM source WHERE id = ?", (source,))[0])


def fetched_at(connection: Session, source: int, name: str) -> int:
    """When this was last asked of the source and answered whole; 0 for never."""
    row = connection.one("SELECT at FROM fetched WHERE source = ? AND key = ?", (source, name))
    return row[0] if row else 0


def fetched_times(connection: Session, source: int, names: Iterable[str]) -> dict[str, int]:
    """When each of these was last asked of the source and answered whole; what never was is not there."""
    rows = connection.all(
        "SELECT key, at FROM fetched WHERE source = ? AND key IN (SELECT value FROM json_each(?))",
        (source, list(names)),
    )
    return dict(rows)


def set_fetched(connection: Session, source: int, name: str, moment: int) -> None:
    """Remember this moment under a name, whatever was remembered before."""
    connection.run(
        "INSERT INTO fetched (source, key, at) VALUES (?1, ?2, ?3) ON CONFLICT (source, key) DO UPDATE SET at = ?3",
        (source, name, moment),
    )


def note_fetched(connection: Session, source: int, name: str, moment: int) -> None:
    """Remember that this was asked and answered whole at `moment`."""
    connection.run(
        "INSERT INTO fetched (source, key, at) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (source, key) DO UPDATE SET at = CASE WHEN fetched.at > ?3 THEN fetched.at ELSE ?3 END",
        (source, name, moment),
    )


def source_state(connection: Session, source: int) -> tuple[str, int]:
    """The phase of a source, and when its last complete backfill began (0: never)."""
    phase, covered = connection.one("SELECT phase, covered FROM source WHERE id = ?", (source,))
    return phase, covered or 0


def source_read(connection: Session, source: int) -> tuple[str, int, int, int]:
    """The phase of a source, when its last complete backfill and its last whole sync began (0: never), and what is in
    quarantine of it (see `unread`)."""
    phase, covered, synced, unread = connection.one(
        "SELECT s.phase, s.covered, f.synced, s.unread FROM source s LEFT JOIN following f ON f.source = s.id"
        " WHERE s.id = ?",
        (source,),
    )
    return phase, covered or 0, synced or 0, unread


def set_covered(connection: Session, source: int, moment: int) -> None:
    """A backfill that began at `moment` saw everything."""
    connection.run("UPDATE source SET covered = ? WHERE id = ?", (moment, source))


def forget_coverage(connection: Session, source: int) -> None:
    """What was read of a source is not all any more: only a backfill that begins after this makes it complete."""
    connection.run("UPDATE source SET covered = NULL WHERE id = ?", (source,))
    connection.run("DELETE FROM fetched WHERE source = ?", (source,))
    connection.run(
        "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
        (FORGOTTEN.format(source), str(now())),
    )


def coverage_forgotten(connection: Session, source: int) -> int:
    """When the coverage of a source was forgotten last (microseconds UTC); 0 is never."""
    row = connection.one("SELECT value FROM meta WHERE name = ?", (FORGOTTEN.format(source),))
    return int(row[0]) if row else 0


def meta(store: Store, name: str) -> str | None:
    """A fact that the store keeps about itself."""
    with store.read() as connection:
        return meta_of(connection, name)


def meta_of(connection: Session, name: str) -> str | None:
    """The same, inside a transaction."""
    row = connection.one("SELECT value FROM meta WHERE name = ?", (name,))
    return row[0] if row else None


def set_meta(store: Store, name: str, value: str) -> None:
    """Write a fact that the store keeps about itself."""
    with store.write() as connection:
        put_meta(connection, name, value)


def put_meta(connection: Session, name: str, value: str) -> None:
    """The same, inside a transaction."""
    connection.run(
        "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", (name, value)
    )


def bind_secret(store: Store, fingerprint: str, name: str = SECRET) -> bool:
    """Tie the store to the fingerprint of its uuid secret, or another. Out: is it the one it was tied to first?"""
    if (known := meta(store, name)) is not None:  # a full disk must not keep anybody from reading
        return known == fingerprint
    with store.write() as connection:
        connection.run("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO NOTHING", (name, fingerprint))
        return meta_of(connection, name) == fingerprint


def release_secret(store: Store, name: str) -> bool:
    """Tie the store to it no longer. Out: was it?"""
    with store.write() as connection:
        return connection.run("DELETE FROM meta WHERE name = ?", (name,)) > 0
