"""What is held and not translated, and which questions it is about (M3). Call inside `Store.read()` or `Store.write()`.

Only what an operator did not dismiss counts. An object that waits for a zaak counts with that zaak: when that is in
quarantine. One of a zaak that we may not see, or that is too confidential, never does (M34).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.kinds import GONE, HIDDEN, QUARANTINED, RAW_KIND, RAW_KINDS, UNREADABLE, WAITING
from gateway.store.base.session import Session

NOTHING, SOMETHING, UNKNOWN_KEYS = range(3)
_ZAAK, _ROL = RAW_KIND["zaak"], RAW_KIND["rol"]
_CONTACTS = (RAW_KIND["klantcontact"], RAW_KIND["contactmoment"])
# Does an object in quarantine (rows `q` and `r`) count? Not one of a zaak that we may not see.
_OPEN = (
    "q.dismissed IS NULL AND NOT EXISTS (SELECT 1 FROM raw z WHERE z.source = r.source AND z.uuid = r.zaak"
    f" AND z.kind = {_ZAAK} AND z.kind != r.kind AND z.state IN ({UNREADABLE}, {GONE}))"
)
# Does the object in the row `r` count?
_COUNTS = (
    f"(r.state = {QUARANTINED} AND EXISTS (SELECT 1 FROM quarantine q WHERE q.raw = r.id AND {_OPEN})"
    f" OR r.state = {WAITING} AND EXISTS (SELECT 1 FROM raw z JOIN quarantine q ON q.raw = z.id"
    f" WHERE z.source = r.source AND z.kind = {_ZAAK} AND z.uuid = r.zaak AND q.dismissed IS NULL))"
)


class Open(NamedTuple):
    """Of a source: how many objects in quarantine count, and of how many of those the keys are not all known."""

    objects: int
    keyless: int


def put_keys(connection: Session, raw: int, hashes: Iterable[bytes], *, whole: bool) -> None:
    """Write which keys occur in an object (row) that is not translated; `whole`: there are no others in it."""
    forget_keys(connection, [raw])
    connection.many(
        "INSERT INTO unread_key (hash, raw) VALUES (?, ?)", [(each, raw) for each in sorted(set(hashes))]
    )
    connection.run("UPDATE quarantine SET keyless = ? WHERE raw = ?", (int(not whole), raw))


def forget_keys(connection: Session, raws: Iterable[int]) -> None:
    """Forget the keys of objects (rows) that are translated, go, or are written anew."""
    connection.many("DELETE FROM unread_key WHERE raw = ?", [(raw,) for raw in raws])


def keys_of(connection: Session, raw: int) -> set[bytes]:
    """The keyed hashes of the keys in an object (row) that is not translated: the uuids that those would give."""
    return {each for (each,) in connection.all("SELECT hash FROM unread_key WHERE raw = ?", (raw,))}


def has_keys(connection: Session, raws: Iterable[int]) -> set[int]:
    """The objects among these (rows) of which keys are kept here."""
    found = connection.all(f"SELECT DISTINCT raw FROM unread_key WHERE raw {IN_IDS}", (id_list(raws),))
    return {row[0] for row in found}


def settle(connection: Session, source: int | None = None) -> None:
    """Note on a source, or on all, whether anything of it counts: readers look there first."""
    connection.run(
        "UPDATE source SET unread = wanted.unread FROM (SELECT s.id AS id, coalesce((SELECT max(1 + q.keyless)"
        f" FROM quarantine q CROSS JOIN raw r ON r.id = q.raw WHERE r.source = s.id AND {_OPEN}), 0) AS unread"
        " FROM source s) AS wanted"
        " WHERE source.id = wanted.id AND source.unread != wanted.unread AND (source.id = ?1 OR ?1 IS NULL)",
        (source,),
    )


def open_of(connection: Session, source: int) -> Open:
    """What in quarantine of a source counts."""
    row = connection.one(
        "SELECT count(*), coalesce(sum(q.keyless), 0) FROM quarantine q CROSS JOIN raw r ON r.id = q.raw"
        f" WHERE r.source = ? AND {_OPEN}",
        (source,),
    )
    return Open(*row)


def shown(connection: Session, source: int, kinds: Iterable[str]) -> int:
    """How many objects of these kinds in quarantine count and are shown by the source, as far as is known."""
    row = connection.one(
        f"SELECT count(*) FROM quarantine q CROSS JOIN raw r ON r.id = q.raw WHERE r.source = ? AND {_OPEN}"
        f" AND r.visible = 1 AND r.kind {IN_IDS}",
        (source, id_list(RAW_KIND[kind] for kind in kinds)),
    )
    return int(row[0])


def objects_among(connection: Session, source: str, kind: str, uuids: Iterable[bytes]) -> set[bytes]:
    """The objects of a source (its name) among these uuids that count themselves."""
    found: set[bytes] = set()
    for marks, some in in_parts(uuids):
        rows = connection.all(
            f"SELECT r.uuid FROM raw r WHERE r.source = (SELECT id FROM source WHERE name = ?) AND r.kind = ?"
            f" AND r.uuid IN ({marks}) AND {_COUNTS}",
            (source, RAW_KIND[kind], *some),
        )
        found.update(row[0] for row in rows)
    return found


# Is a question about it? `source` is the row of the source that is meant.


def with_key(connection: Session, source: int, hashes: Sequence[bytes]) -> bool:
    """Does one of these keys (hashed) occur in an object that counts?"""
    for marks, some in in_parts(hashes):
        row = connection.one(
            f"SELECT 1 FROM unread_key k JOIN raw r ON r.id = k.raw WHERE k.hash IN ({marks})"
            f" AND r.source = ? AND {_COUNTS} LIMIT 1",
            (*some, source),
        )
        if row is not None:
            return True
    return False


def of_zaak(connection: Session, source: int, zaak: bytes) -> bool:
    """Does a zaak count, or something that hangs on it?"""
    row = connection.one(
        f"SELECT 1 FROM raw r WHERE r.source = ?1 AND r.zaak = ?2 AND {_COUNTS}"
        f" UNION ALL SELECT 1 FROM tie t JOIN raw r ON r.source = t.source AND r.kind = {_CONTACTS[1]}"
        f" AND r.uuid = t.contact WHERE t.source = ?1 AND t.zaak = ?2 AND {_COUNTS} LIMIT 1",
        (source, zaak),
    )
    return row is not None


def of_contact(connection: Session, source: int, contact: bytes) -> bool:
    """Does a klantcontact or contactmoment count, or a zaak that it is tied to, or what ties it?"""
    row = connection.one(
        f"SELECT 1 FROM raw r WHERE r.source = ?1 AND r.kind IN {_CONTACTS} AND r.uuid = ?2 AND {_COUNTS}"
        f" UNION ALL SELECT 1 FROM tie t JOIN raw r ON r.source = t.source AND r.kind = {_ZAAK} AND r.uuid = t.zaak"
        f" WHERE t.source = ?1 AND t.contact = ?2 AND {_COUNTS} LIMIT 1",
        (source, contact),
    )
    return row is not None or with_key(connection, source, [contact])


def of_party(connection: Session, source: int, statements: Iterable[int], *, rollen: bool) -> bool:
    """Does a contact of a party (its statements, rows) count: on a zaak in which it has a rol, or with a klant that it
    is? With `rollen` also another rol on such a zaak."""
    kinds = [RAW_KIND["klantcontact"], *([_ROL] if rollen else [])]
    row = connection.one(
        # From the few objects that count to the party, and not from all that the party has.
        f"SELECT 1 FROM quarantine q CROSS JOIN raw r ON r.id = q.raw WHERE {_OPEN} AND +r.source = ?1"
        " AND r.kind IN (SELECT value FROM json_each(?3)) AND EXISTS (SELECT 1 FROM raw o"
        f" JOIN claim c ON c.raw = o.id WHERE o.source = r.source AND o.zaak = r.zaak AND o.kind = {_ROL}"
        " AND c.statement IN (SELECT value FROM json_each(?2)))"
        f" UNION ALL SELECT 1 FROM tie t JOIN raw r ON r.source = t.source AND r.kind = {RAW_KIND['contactmoment']}"
        f" AND r.uuid = t.contact WHERE t.source = ?1 AND t.klant IN (SELECT k.uuid FROM claim c JOIN raw k"
        f" ON k.id = c.raw WHERE c.statement IN (SELECT value FROM json_each(?2)) AND +k.kind = {RAW_KIND['klant']})"
        f" AND r.state IN ({QUARANTINED}, {WAITING}) AND ({_COUNTS} OR EXISTS (SELECT 1 FROM tie o JOIN raw z"
        " ON z.source = o.source AND z.uuid = o.zaak JOIN quarantine q ON q.raw = z.id"
        f" WHERE o.source = t.source AND o.contact = t.contact AND z.kind = {_ZAAK} AND q.dismissed IS NULL))"
        " LIMIT 1",
        (source, id_list(statements), id_list(kinds)),
    )
    return row is not None


# For how long what nobody may see is kept whole (M2)


def set_waits(connection: Session, row: int, now: int) -> None:
    """Note that an object that was shown until now is not shown any more."""
    connection.run("UPDATE raw SET waits = ? WHERE id = ?", (now, row))


_TO_EMPTY = (
    f"r.state IN {tuple(sorted(HIDDEN))} AND r.body IS NOT NULL AND coalesce(r.waits, r.first_seen) < ?"
)


def to_empty(connection: Session, before: int) -> list[int]:
    """Objects (rows) with content that nobody has seen since `before`."""
    rows = connection.all(
        # By the index on the states of each kind of each source.
        "SELECT r.id FROM source s CROSS JOIN json_each(?) k CROSS JOIN raw r ON r.source = s.id AND r.kind = k.value"
        f" WHERE {_TO_EMPTY}",
        (id_list(RAW_KIND.values()), before),
    )
    return sorted(row[0] for row in rows)


def still_to_empty(
    connection: Session, rows: Iterable[int], before: int
) -> list[tuple[int, str, str, bytes]]:
    """Those of these objects that nobody has seen by now either: row, name of the source, kind and body."""
    found = connection.all(
        "SELECT r.id, s.name, r.kind, r.body FROM raw r JOIN source s ON s.id = r.source"
        f" WHERE r.id {IN_IDS} AND {_TO_EMPTY}",
        (id_list(rows), before),
    )
    return [(row, name, RAW_KINDS[kind - 1], body) for row, name, kind, body in found]


def empty(connection: Session, row: int, digest: bytes) -> None:
    """Keep of an object nothing but that it is there; `digest` is a keyed one."""
    connection.run("UPDATE raw SET body = NULL, facts = NULL, digest = ? WHERE id = ?", (digest, row))
