"""How far each source is followed: the last sync, the place of the sweep, and a wish that it hurries.

Functions that change something go inside `Store.write()`. Moments are microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.store.base.bound_lists import in_parts
from gateway.store.base.kinds import BY_SEEN, BY_STATE, RAW_KIND
from gateway.store.base.session import Session

# From so many one is chosen, so that a next choice is another.
LATELY = 100


@dataclass(frozen=True, slots=True)
class Following:
    """`synced` is when the last sync that saw all new objects began, `swept` when the last whole sweep did.

    `place` is where the sweep is now. `hurry` is when a sweep at full speed was asked for (0: it wasn't), `why` the
    reason for an operator. `failed` questions of the last whole sweep got no answer.
    """

    synced: int = 0
    swept: int = 0
    place: dict[str, Any] | None = None
    hurry: int = 0
    why: str = ""
    failed: int = 0


def following(connection: Session, source: int) -> Following:
    """How far a source is followed."""
    row = connection.one(
        "SELECT synced, swept, place, hurry, why, failed FROM following WHERE source = ?", (source,)
    )
    if row is None:
        return Following()
    return Following(row[0], row[1], orjson.loads(row[2]) if row[2] else None, *row[3:])


def set_synced(connection: Session, source: int, moment: int) -> None:
    """A sync that began at `moment` saw all objects that were new."""
    _exists(connection, source)
    connection.run("UPDATE following SET synced = ? WHERE source = ?", (moment, source))


def set_place(connection: Session, source: int, place: dict[str, Any]) -> None:
    """The sweep came this far."""
    _exists(connection, source)
    connection.run("UPDATE following SET place = ? WHERE source = ?", (orjson.dumps(place).decode(), source))


def set_swept(connection: Session, source: int, began: int, hurried: bool, failed: int) -> None:
    """The sweep that began then is done, but for so many questions; a wish from before it is met when it `hurried`."""
    _exists(connection, source)
    connection.run(
        "UPDATE following SET swept = ?, failed = ?, place = NULL WHERE source = ?", (began, failed, source)
    )
    if hurried:
        connection.run(
            "UPDATE following SET hurry = 0, why = '' WHERE source = ? AND hurry <= ?", (source, began)
        )


def ask_hurry(connection: Session, source: int, moment: int, why: str) -> None:
    """Something was or may have been missed: the sweep must read everything as soon as it can."""
    _exists(connection, source)
    connection.run(
        "UPDATE following SET hurry = ?, why = ? WHERE source = ?",
        (moment, why, source),
    )


def _exists(connection: Session, source: int) -> None:
    connection.run("INSERT INTO following (source) VALUES (?) ON CONFLICT DO NOTHING", (source,))


def held_before(
    connection: Session, source: int, kind: str, uuids: Sequence[bytes], moment: int
) -> set[bytes]:
    """Which of these objects were held before `moment`."""
    found: set[bytes] = set()
    for marks, part in in_parts(uuids):
        found.update(
            row[0]
            for row in connection.all(
                f"SELECT uuid FROM raw WHERE source = ? AND kind = ? AND uuid IN ({marks}) AND first_seen < ?",
                (source, RAW_KIND[kind], *part, moment),
            )
        )
    return found


def not_seen_after(connection: Session, source: int, moment: int, after: int, most: int) -> int | None:
    """What seems to be seen after `moment`, which is now, was seen by then: the clock was ahead. A piece of it.

    Out: the row after which the next piece begins; None when there is none.
    """
    rows = [
        row[0]
        for row in connection.all(
            "SELECT id FROM raw WHERE +source = ? AND id > ? AND (first_seen > ? OR last_seen > ?)"
            " ORDER BY id LIMIT ?",
            (source, after, moment, moment, most),
        )
    ]
    connection.many(
        "UPDATE raw SET first_seen = CASE WHEN first_seen < ?1 THEN first_seen ELSE ?1 END,"
        " last_seen = CASE WHEN last_seen < ?1 THEN last_seen ELSE ?1 END WHERE id = ?2",
        [(moment, row) for row in rows],
    )
    return rows[-1] if len(rows) == most else None


def not_shown(
    connection: Session, source: int, kind: str, moment: int, after: int, limit: int
) -> list[tuple[int, bytes]]:
    """Held objects that no list showed since `moment`, also those that are refused: (row, uuid), by row."""
    return connection.all(
        f"SELECT id, uuid FROM raw WHERE source = ? AND kind = ? AND last_seen < ? AND {BY_SEEN} AND id > ?"
        " ORDER BY id LIMIT ?",
        (source, RAW_KIND[kind], moment, after, limit),
    )


def held_after(
    connection: Session, source: int, kind: str, after: int, limit: int
) -> list[tuple[int, bytes]]:
    """The held objects of a kind: (row, uuid), by row, a piece at a time."""
    return connection.all(
        "SELECT id, uuid FROM raw WHERE source = ? AND kind = ? AND id > ? ORDER BY id LIMIT ?",
        (source, RAW_KIND[kind], after, limit),
    )


def is_held(connection: Session, source: int, kind: str) -> bool:
    """Is any object of a kind held? By the counts that are kept."""
    (found,) = connection.one(
        "SELECT EXISTS (SELECT 1 FROM raw_tally WHERE source = ? AND kind = ? AND found > 0)",
        (source, RAW_KIND[kind]),
    )
    return bool(found)


def given_lately(connection: Session, source: int, kind: str, but: bytes, most: int) -> list[bytes]:
    """Up to `most` of the objects of a kind that the source gave last, by chance, and not `but`."""
    rows = connection.all(
        f"SELECT uuid FROM (SELECT uuid FROM raw WHERE source = ? AND kind = ? AND {BY_SEEN}"
        " ORDER BY last_seen DESC LIMIT ?) l WHERE uuid <> ? ORDER BY random() LIMIT ?",
        (source, RAW_KIND[kind], LATELY, but, most),
    )
    return [bytes(row[0]) for row in rows]


def count_held(connection: Session, source: int, kinds: Sequence[str]) -> int:
    """How many objects of these kinds are held."""
    marks = ",".join("?" * len(kinds))
    number: int = connection.one(
        f"SELECT count(*) FROM raw WHERE source = ? AND kind IN ({marks}) AND {BY_STATE}",
        (source, *(RAW_KIND[kind] for kind in kinds)),
    )[0]
    return number


def count_held_after(connection: Session, source: int, kind: str, after: int) -> int:
    """How many of what `held_after` goes through are left after that row."""
    return int(
        connection.one(
            f"SELECT count(*) FROM raw WHERE source = ? AND kind = ? AND id > ? AND {BY_STATE}",
            (source, RAW_KIND[kind], after),
        )[0]
    )


def summary(connection: Session) -> dict[str, dict[str, Any]]:
    """For the status, by source: when synced and swept (microseconds), and why the sweep hurries.

    `failed` is how many questions of the sweep that runs (else: of the last) got no answer, `still` since when it
    stands still, `cause` by what.
    """
    names = connection.all(
        "SELECT s.name, s.id FROM following f JOIN source s ON s.id = f.source ORDER BY s.name"
    )
    return {name: _summary(following(connection, source)) for name, source in names}


def _summary(state: Following) -> dict[str, Any]:
    place = state.place or {}
    return {
        "synced": state.synced or None,
        "swept": state.swept or None,
        "hurry": state.why,
        "failed": place.get("failed") or state.failed,
        "still": place.get("still") or None,
        "cause": place.get("cause", ""),
    }
