"""Which zaken are asked for or changed often, so that they are read again sooner than the sweep would.

Functions that change something go inside `Store.write()`. Moments are microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.store.base.session import Session

# So long it is counted how often a zaak is asked for; then the count begins again.
DAY = 86400 * 1_000_000


def add(connection: Session, source: int, times: Mapping[bytes, int], moment: int) -> None:
    """Count that these zaken were asked for, or changed."""
    connection.many(
        "INSERT INTO asked (source, zaak, times, last, since) VALUES (?1, ?2, ?3, ?4, ?4)"
        " ON CONFLICT (source, zaak) DO UPDATE SET"
        " last = CASE WHEN asked.last > ?4 THEN asked.last ELSE ?4 END,"
        " times = CASE WHEN asked.since > ?5 THEN asked.times + ?3 ELSE ?3 END,"
        " since = CASE WHEN asked.since > ?5 THEN asked.since ELSE ?4 END",
        [(source, zaak, number, moment, moment - DAY) for zaak, number in times.items()],
    )


def often(connection: Session, source: int, least: int, read_before: int, most: int) -> list[bytes]:
    """Up to `most` zaken that were asked for at least so often and not read since, the longest ago first."""
    return [
        row[0]
        for row in connection.all(
            "SELECT zaak FROM asked WHERE source = ? AND times >= ? AND read < ? ORDER BY read, zaak LIMIT ?",
            (source, least, read_before, most),
        )
    ]


def was_read(connection: Session, source: int, zaak: bytes, moment: int) -> None:
    """A zaak was read again at `moment`."""
    connection.run("UPDATE asked SET read = ? WHERE source = ? AND zaak = ?", (moment, source, zaak))


def forget(connection: Session, source: int, before: int) -> None:
    """Forget zaken that nobody asked for since `before`."""
    connection.run("DELETE FROM asked WHERE source = ? AND last < ?", (source, before))
