"""The phase of a source, and the log of what operators did. Writes go inside `Store.write()`."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import NamedTuple

from gateway.base.clock import now
from gateway.store.file.errors import StoreError, in_words

LISTED = 100


class Event(NamedTuple):
    """Something that an operator did; `moment` in microseconds UTC."""

    moment: int
    source: str | None
    what: str
    who: str
    why: str


def note(connection: sqlite3.Connection, source: int | None, what: str, who: str, why: str = "") -> None:
    """Write an event."""
    connection.execute(
        "INSERT INTO event (moment, source, what, who, why) VALUES (?, ?, ?, ?, ?)",
        (now(), source, what, who, why),
    )


def events(connection: sqlite3.Connection, limit: int = LISTED) -> list[Event]:
    """The last events, newest first."""
    rows = connection.execute(
        "SELECT e.moment, s.name, e.what, e.who, e.why FROM event e LEFT JOIN source s ON s.id = e.source"
        " ORDER BY e.id DESC LIMIT ?",
        (limit,),
    )
    return [Event(*row) for row in rows]


def set_phase(connection: sqlite3.Connection, source: int, phase: str) -> None:
    """Put a source in another phase; running processes read it at their next question."""
    connection.execute("UPDATE source SET phase = ? WHERE id = ?", (phase, source))


def phases_in(path: Path) -> dict[str, str]:
    """The phase of each source in a store file, by name; it is only looked at, and need not be there yet.

    Raises StoreError for a file that can't be read.
    """
    if not path.exists():
        return {}
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            made = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'source'").fetchone()
            return dict(connection.execute("SELECT name, phase FROM source")) if made else {}
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"[store] path: {path}. {in_words(error)}") from error
