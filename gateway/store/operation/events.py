"""The phase of a source, and the log of what operators did. Writes go inside `Store.write()`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from gateway.base.clock import now
from gateway.store.base.errors import StoreError, StoreFailed
from gateway.store.base.session import Session
from gateway.store.file.full_disk import only_looking

LISTED = 100


class Event(NamedTuple):
    """Something that an operator did; `moment` in microseconds UTC."""

    moment: int
    source: str | None
    what: str
    who: str
    why: str


def note(connection: Session, source: int | None, what: str, who: str, why: str = "") -> None:
    """Write an event."""
    connection.run(
        "INSERT INTO event (moment, source, what, who, why) VALUES (?, ?, ?, ?, ?)",
        (now(), source, what, who, why),
    )


def events(connection: Session, limit: int = LISTED) -> list[Event]:
    """The last events, newest first."""
    rows = connection.all(
        "SELECT e.moment, s.name, e.what, e.who, e.why FROM event e LEFT JOIN source s ON s.id = e.source"
        " ORDER BY e.id DESC LIMIT ?",
        (limit,),
    )
    return [Event(*row) for row in rows]


def set_phase(connection: Session, source: int, phase: str) -> None:
    """Put a source in another phase; running processes read it at their next question."""
    connection.run("UPDATE source SET phase = ? WHERE id = ?", (phase, source))


def phases_in(path: Path) -> dict[str, str]:
    """The phase of each source in a store file, by name; it is only looked at, and need not be there yet.

    Raises StoreError for a file that can't be read.
    """
    if not path.exists():
        return {}
    try:
        with only_looking(path) as connection:
            made = "source" in connection.dialect.tables(connection)
            return dict(connection.all("SELECT name, phase FROM source")) if made else {}
    except StoreFailed as error:
        raise StoreError(f"[store] path: {path}. {error}") from error
