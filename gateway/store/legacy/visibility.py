"""When a source last showed what is held of it, and whether it still does. Call inside `Store.write()`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.kinds import BY_SEEN, RAW_KIND
from gateway.store.base.session import Session


def known_since(
    connection: Session, held: Iterable[int], others: Sequence[bytes], moment: int, now: int
) -> set[bytes]:
    """The uuids of what was shown or found destroyed after `moment`: among held rows, and among uuids not held.

    A time that is still to come was noted before the clock was set back: it is not believed.
    """
    found = {
        row[0]
        for row in connection.all(
            f"SELECT uuid FROM raw WHERE id {IN_IDS} AND last_seen > ? AND last_seen <= ?",
            (id_list(held), moment, now),
        )
    }
    for marks, part in in_parts(others):
        gone = connection.all(
            f"SELECT uuid FROM erased WHERE uuid IN ({marks}) AND at > ? AND at <= ?", (*part, moment, now)
        )
        found.update(row[0] for row in gone)
    return found


def seen(connection: Session, rows: Iterable[int], now: int) -> None:
    """Note that the legacy showed these objects just now."""
    connection.many(
        "UPDATE raw SET last_seen = CASE WHEN last_seen < ?1 THEN ?1 ELSE last_seen END, visible = 1"
        " WHERE id IN (SELECT value FROM json_each(?2))",
        [(now, id_list(rows))],
    )


def set_invisible(connection: Session, row: int) -> None:
    """Keep an object that the legacy refuses to show (403) and mark it "niet meer zichtbaar"."""
    connection.run("UPDATE raw SET visible = 0 WHERE id = ?", (row,))


def unseen_since(
    connection: Session, source: int, kind: str, moment: int, after: int, limit: int
) -> list[tuple[int, bytes]]:
    """Held objects that no answer showed since `moment`: (row, uuid), by row, a piece at a time."""
    return connection.all(
        f"SELECT id, uuid FROM raw WHERE source = ? AND kind = ? AND last_seen < ? AND {BY_SEEN} AND id > ?"
        " AND visible = 1"
        " ORDER BY id LIMIT ?",
        (source, RAW_KIND[kind], moment, after, limit),
    )


def count_unseen(connection: Session, source: int, kind: str, moment: int) -> int:
    """How many there are of what `unseen_since` gives."""
    found = connection.one(
        f"SELECT count(*) FROM raw WHERE source = ? AND kind = ? AND last_seen < ? AND {BY_SEEN} AND visible = 1",
        (source, RAW_KIND[kind], moment),
    )
    return int(found[0])


def unseen_of_zaak(connection: Session, source: int, zaak: bytes, kind: str, moment: int) -> list[bytes]:
    """Held objects of a zaak that no answer showed since `moment`."""
    return [
        row[0]
        for row in connection.all(
            "SELECT uuid FROM raw WHERE source = ? AND zaak = ? AND kind = ? AND +last_seen < ? AND visible = 1",
            (source, zaak, RAW_KIND[kind], moment),
        )
    ]
