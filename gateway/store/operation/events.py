"""The phase of a source, and the log of what operators did. Writes go inside `Store.write()`."""

from __future__ import annotations

from typing import NamedTuple

from gateway.base.clock import now
from gateway.config.store import StoreSettings
from gateway.store import chosen
from gateway.store.base.errors import StoreError, StoreFailed
from gateway.store.base.session import Session

LISTED = 100
# Greater than the number of any event.
MOST = 2**63 - 1
# How the events of logging in begin, and what those of logging out are.
LOGGED_IN, LOGGED_OUT = "ingelogd", "uitgelogd"
# How those of a switch of phase begin.
SWITCHED = "fase "


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


def events(connection: Session, limit: int = LISTED, *, logins: bool = False) -> list[Event]:
    """The last events, newest first; with `logins` those of logging in and out too, which are many."""
    rows = connection.all(
        "SELECT e.moment, s.name, e.what, e.who, e.why FROM event e LEFT JOIN source s ON s.id = e.source"
        " WHERE ? = 1 OR (e.what NOT LIKE ? AND e.what <> ?) ORDER BY e.id DESC LIMIT ?",
        (int(logins), f"{LOGGED_IN} %", LOGGED_OUT, limit),
    )
    return [Event(*row) for row in rows]


def page(
    connection: Session, before: int | None, limit: int, *, logins: bool = False
) -> tuple[list[Event], int | None]:
    """The next events before this number (None: the newest), and from which to go on; None when there are no more."""
    rows = connection.all(
        "SELECT e.moment, s.name, e.what, e.who, e.why, e.id FROM event e LEFT JOIN source s ON s.id = e.source"
        " WHERE e.id < ? AND (? = 1 OR (e.what NOT LIKE ? AND e.what <> ?)) ORDER BY e.id DESC LIMIT ?",
        (before or MOST, int(logins), f"{LOGGED_IN} %", LOGGED_OUT, limit + 1),
    )
    more = len(rows) > limit
    return [Event(*row[:5]) for row in rows[:limit]], rows[limit - 1][5] if more else None


def last_of(connection: Session, source: int, what: str) -> Event | None:
    """The last time that this was done to a source; None when it never was."""
    row = connection.one(
        "SELECT e.moment, s.name, e.what, e.who, e.why FROM event e JOIN source s ON s.id = e.source"
        " WHERE e.source = ? AND e.what = ? ORDER BY e.id DESC LIMIT 1",
        (source, what),
    )
    return Event(*row) if row else None


def set_phase(connection: Session, source: int, phase: str) -> None:
    """Put a source in another phase; running processes read it at their next question."""
    connection.run("UPDATE source SET phase = ? WHERE id = ?", (phase, source))


def phases_in(store: StoreSettings) -> dict[str, str]:
    """The phase of each source in a store, by name; it is only looked at, and need not be there yet.

    Raises StoreError for one that can't be read.
    """
    if not chosen.is_there(store):
        return {}
    try:
        with chosen.looking(store) as connection:
            made = "source" in connection.dialect.tables(connection)
            return dict(connection.all("SELECT name, phase FROM source")) if made else {}
    except StoreFailed as error:
        raise StoreError(f"[store] {store.key}: {store.shown}. {error}") from error
