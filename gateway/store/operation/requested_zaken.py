"""Which zaken are asked for or changed often, so that they are read again sooner than the sweep would.

Functions that change something go inside `Store.write()`. Moments are microseconds UTC.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

# So long it is counted how often a zaak is asked for; then the count begins again.
DAY = 86400 * 1_000_000


def add(connection: sqlite3.Connection, source: int, times: Mapping[bytes, int], moment: int) -> None:
    """Count that these zaken were asked for, or changed."""
    connection.executemany(
        "INSERT INTO asked (source, zaak, times, last, since) VALUES (?1, ?2, ?3, ?4, ?4)"
        " ON CONFLICT (source, zaak) DO UPDATE SET last = max(last, ?4),"
        " times = iif(since > ?5, times + ?3, ?3), since = iif(since > ?5, since, ?4)",
        [(source, zaak, number, moment, moment - DAY) for zaak, number in times.items()],
    )


def often(
    connection: sqlite3.Connection, source: int, least: int, read_before: int, most: int
) -> list[bytes]:
    """Up to `most` zaken that were asked for at least so often and not read since, the longest ago first."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT zaak FROM asked WHERE source = ? AND times >= ? AND read < ? ORDER BY read, zaak LIMIT ?",
            (source, least, read_before, most),
        )
    ]


def was_read(connection: sqlite3.Connection, source: int, zaak: bytes, moment: int) -> None:
    """A zaak was read again at `moment`."""
    connection.execute("UPDATE asked SET read = ? WHERE source = ? AND zaak = ?", (moment, source, zaak))


def forget(connection: sqlite3.Connection, source: int, before: int) -> None:
    """Forget zaken that nobody asked for since `before`."""
    connection.execute("DELETE FROM asked WHERE source = ? AND last < ?", (source, before))
