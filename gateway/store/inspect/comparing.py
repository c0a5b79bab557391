"""What verify asks of the store: held legacy objects beside what they said, and the documents made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from secrets import token_bytes

from gateway.store.base.bound_lists import IN_IDS, bound, id_list, in_parts
from gateway.store.base.kinds import (
    BY_STATE,
    GONE,
    KINDS,
    LEFT_OUT,
    LEGACY_ORIGIN,
    RAW_KIND,
    RAW_KINDS,
    UNREADABLE,
)
from gateway.store.base.sampling import at_places
from gateway.store.base.session import Session


@dataclass(slots=True)
class HeldObject:
    """A held legacy object with all that is needed to judge it."""

    id: int
    kind: str
    uuid: bytes
    zaak: bytes | None
    state: int
    visible: bool
    digest: bytes | None
    facts: str | None
    body: bytes | None


COLUMNS = "id, kind, uuid, zaak, state, visible, digest, facts, body"


def _held(
    row: tuple[int, int, bytes, bytes | None, int, int, bytes | None, str | None, bytes | None],
) -> HeldObject:
    return HeldObject(row[0], RAW_KINDS[row[1] - 1], *row[2:5], bool(row[5]), *row[6:])


def held_among(
    connection: Session, source: int, kind: str, uuids: Sequence[bytes]
) -> dict[bytes, HeldObject]:
    """The held objects of a kind among `uuids`, by uuid."""
    found: dict[bytes, HeldObject] = {}
    for marks, part in in_parts(uuids):
        rows = connection.all(
            f"SELECT {COLUMNS} FROM raw WHERE source = ? AND kind = ? AND uuid IN ({marks})",
            (source, RAW_KIND[kind], *part),
        )
        found |= {row[2]: _held(row) for row in rows}
    return found


def held_after(connection: Session, source: int, after: int, limit: int) -> list[HeldObject]:
    """The held objects of a source in the order of their rows, a piece at a time."""
    rows = connection.all(
        f"SELECT {COLUMNS} FROM raw WHERE id > ? AND +source = ? ORDER BY id LIMIT ?", (after, source, limit)
    )
    return [_held(row) for row in rows]


def held_of_zaken(connection: Session, source: int, zaken: Sequence[bytes]) -> list[HeldObject]:
    """These zaken (at most 500) and what is held of them."""
    marks, zaken = bound(zaken)
    rows = connection.all(
        f"SELECT {COLUMNS} FROM raw WHERE source = ? AND zaak IN ({marks}) ORDER BY id", (source, *zaken)
    )
    return [_held(row) for row in rows]


def moments_of_zaken(connection: Session, source: int, zaken: Sequence[bytes]) -> list[bytes]:
    """The contactmomenten (uuids) that are tied to these zaken (at most 500)."""
    marks, zaken = bound(zaken)
    rows = connection.all(
        f"SELECT DISTINCT contact FROM tie WHERE source = ? AND zaak IN ({marks}) ORDER BY contact",
        (source, *zaken),
    )
    return [row[0] for row in rows]


def held_of_moments(connection: Session, source: int, moments: Sequence[bytes]) -> list[HeldObject]:
    """These contactmomenten (at most some thousands), their ties, and the klanten that they are tied to."""
    marks, moments = bound(moments)
    rows = connection.all(
        f"SELECT {COLUMNS} FROM raw WHERE id IN ("
        f"SELECT raw FROM tie WHERE source = ?1 AND contact IN ({marks})"
        f" UNION SELECT id FROM raw WHERE source = ?1 AND kind = {RAW_KIND['contactmoment']} AND uuid IN ({marks})"
        f" UNION SELECT id FROM raw WHERE source = ?1 AND kind = {RAW_KIND['klant']} AND uuid IN ("
        f"SELECT klant FROM tie WHERE source = ?1 AND contact IN ({marks}))) ORDER BY id",
        (source, *moments, *moments, *moments),
    )
    return [_held(row) for row in rows]


def extent(connection: Session, source: int) -> tuple[int, int]:
    """The highest row of any held object, and how many this source has."""
    found: tuple[int, int] = connection.one(
        "SELECT (SELECT coalesce(max(id), 0) FROM raw), (SELECT count(*) FROM raw WHERE source = ?)",
        (source,),
    )
    return found


def count_readable_zaken(connection: Session, source: int) -> int:
    """How many zaken of the source are readable."""
    found: int = connection.one(f"SELECT count(*) {_READABLE_ZAKEN}", _readable(source))[0]
    return found


def readable_zaken_at(connection: Session, source: int, places: Iterable[int]) -> set[bytes]:
    """The readable zaken of the source that have these places (from 0, rising) among them, in the order of uuids."""
    rows = connection.each(f"SELECT uuid {_READABLE_ZAKEN} ORDER BY uuid", _readable(source))
    return {uuid for (uuid,) in at_places(rows, places)}


_READABLE_ZAKEN = f"FROM raw WHERE source = ? AND kind = ? AND {BY_STATE} AND state NOT IN (?, ?)"


def _readable(source: int) -> tuple[int, ...]:
    return (source, RAW_KIND["zaak"], UNREADABLE, GONE)


def zaaktypen(connection: Session, source: int, zaken: Iterable[bytes]) -> dict[bytes, str]:
    """The zaaktype (its URL) of the readable zaken among these."""
    found: dict[bytes, str] = {}
    for marks, part in in_parts(zaken):
        found.update(
            connection.all(
                "SELECT uuid, facts ->> '$.zaaktype' FROM raw WHERE source = ? AND kind = ?"
                f" AND uuid IN ({marks}) AND facts ->> '$.zaaktype' IS NOT NULL",
                (source, RAW_KIND["zaak"], *part),
            )
        )
    return found


def refused_zaken(connection: Session, source: int, limit: int) -> tuple[int, list[bytes]]:
    """Zaken that held objects point at and that the source refuses to show: how many, and the first of them."""
    where = f"FROM raw WHERE source = ? AND kind = ? AND {BY_STATE} AND state = ?"
    these = (source, RAW_KIND["zaak"], UNREADABLE)
    (count,) = connection.one(f"SELECT count(*) {where}", these)
    rows = connection.all(f"SELECT uuid {where} ORDER BY uuid LIMIT ?", (*these, limit))
    return count, [row[0] for row in rows]


def invisible(connection: Session, source: int) -> dict[str, int]:
    """How many held objects the source no longer shows, by kind."""
    rows = connection.all(
        "SELECT kind, count(*) FROM raw WHERE source = ? AND visible = 0 AND body IS NOT NULL GROUP BY kind",
        (source,),
    )
    return {RAW_KINDS[kind - 1]: count for kind, count in rows}


def shown_again(connection: Session, raws: Iterable[int]) -> None:
    """Take the mark away from objects (rows) that the source shows again."""
    connection.many("UPDATE raw SET visible = 1 WHERE id = ?", [(row,) for row in raws])


# What rollen say


@dataclass(frozen=True, slots=True)
class HeldClaim:
    """A claim as it is held; `keys` are sorted. It is `sealed` when a client deleted whom it is about."""

    facet: str
    moment: int
    body: str
    keys: tuple[str, ...]
    sealed: bool = False


def said_by(connection: Session, raws: Iterable[int]) -> dict[int, dict[int, HeldClaim]]:
    """What these objects (rows) say: the claims of each, by the row of their statement."""
    ids = id_list(raws)
    keys: dict[int, list[str]] = {}
    for statement, key in connection.each(
        "SELECT DISTINCT k.statement, i.key FROM claim c JOIN claim_key k ON k.statement = c.statement"
        f" JOIN identity i ON i.id = k.identity WHERE c.raw {IN_IDS}",
        (ids,),
    ):
        keys.setdefault(statement, []).append(key)
    found: dict[int, dict[int, HeldClaim]] = {}
    for raw, statement, facet, moment, body, sealed in connection.each(
        "SELECT c.raw, s.id, c.facet, c.moment, s.body, s.sealed FROM claim c JOIN statement s ON s.id = c.statement"
        f" WHERE c.raw {IN_IDS}",
        (ids,),
    ):
        content = HeldClaim(facet, moment, body, tuple(sorted(keys.get(statement, ()))), bool(sealed))
        found.setdefault(raw, {})[statement] = content
    return found


def mistrust(connection: Session, raw: int, statements: Iterable[int]) -> None:
    """Invalidate an object, so that it is translated again when it is taken, and let nothing join these statements.

    What is left out has no digest: there a blank one says that it is not trusted.
    """
    connection.run(
        "UPDATE raw SET digest = CASE WHEN state = ? THEN ? END WHERE id = ?", (LEFT_OUT, b"", raw)
    )
    connection.many(
        "UPDATE statement SET digest = ? WHERE id = ?", [(token_bytes(16), each) for each in statements]
    )


# What documents are made from, a piece at a time


def statements_after(connection: Session, source: int, after: int, limit: int) -> list[int]:
    """Statements (rows) that objects of this source make, in their order."""
    rows = connection.all(
        "SELECT s.id FROM statement s WHERE s.id > ? AND EXISTS (SELECT 1 FROM claim c JOIN raw r ON r.id = c.raw"
        " WHERE c.statement = s.id AND r.source = ?) ORDER BY s.id LIMIT ?",
        (after, source, limit),
    )
    return [row[0] for row in rows]


def statements_of(connection: Session, raws: Iterable[int]) -> list[int]:
    """The statements (rows) that these objects make."""
    rows = connection.all(
        f"SELECT DISTINCT statement FROM claim WHERE raw {IN_IDS} ORDER BY statement", (id_list(raws),)
    )
    return [row[0] for row in rows]


def identities_of(connection: Session, statements: Iterable[int]) -> set[int]:
    """The keys (rows) of these statements."""
    rows = connection.all(
        f"SELECT DISTINCT identity FROM claim_key WHERE statement {IN_IDS}", (id_list(statements),)
    )
    return {row[0] for row in rows}


def zaken_after(connection: Session, source: int, after: bytes, limit: int) -> list[bytes]:
    """Zaken that something is held of, in the order of their uuids."""
    rows = connection.all(
        "SELECT DISTINCT zaak FROM raw WHERE source = ? AND zaak > ? ORDER BY zaak LIMIT ?",
        (source, after, limit),
    )
    return [row[0] for row in rows]


def moments_after(connection: Session, source: int, after: bytes, limit: int) -> list[bytes]:
    """Contactmomenten that are held or tied, in the order of their uuids."""
    rows = connection.all(
        "SELECT contact FROM (SELECT DISTINCT contact FROM tie WHERE source = ?1 AND contact > ?2"
        " ORDER BY contact LIMIT ?3) t UNION SELECT uuid FROM (SELECT uuid FROM raw WHERE source = ?1"
        f" AND kind = {RAW_KIND['contactmoment']} AND uuid > ?2 ORDER BY uuid LIMIT ?3) r ORDER BY 1 LIMIT ?3",
        (source, after, limit),
    )
    return [row[0] for row in rows]


def identities_of_zaken(connection: Session, source: int, zaken: Sequence[bytes]) -> set[int]:
    """The keys (rows) of what the rollen of these zaken (at most 500) say."""
    marks, zaken = bound(zaken)
    rows = connection.all(
        "SELECT DISTINCT k.identity FROM raw r JOIN claim c ON c.raw = r.id"
        f" JOIN claim_key k ON k.statement = c.statement WHERE r.source = ? AND r.zaak IN ({marks})",
        (source, *zaken),
    )
    return {row[0] for row in rows}


def legacy_documents(connection: Session) -> dict[str, int]:
    """How many documents from the legacy there are, by kind."""
    rows = connection.all(
        "SELECT kind, count(*) FROM document WHERE origin = ? GROUP BY kind ORDER BY kind", (LEGACY_ORIGIN,)
    )
    return {KINDS[kind - 1]: count for kind, count in rows}


def documents_of(connection: Session, raws: Iterable[int]) -> dict[str, int]:
    """How many documents these objects (rows) went into, by kind."""
    rows = connection.all(
        "SELECT d.kind, count(DISTINCT d.id) FROM provenance p JOIN document d ON d.id = p.document"
        f" WHERE p.raw {IN_IDS} GROUP BY d.kind ORDER BY d.kind",
        (id_list(raws),),
    )
    return {KINDS[kind - 1]: count for kind, count in rows}


def orphans(connection: Session, limit: int) -> list[tuple[int, str, bytes]]:
    """Documents from the legacy that come from no legacy object: (row, kind, uuid)."""
    rows = connection.all(
        "SELECT d.id, d.kind, d.uuid FROM document d WHERE d.origin = ?"
        " AND NOT EXISTS (SELECT 1 FROM made_of_raw m WHERE m.document = d.id)"
        " AND NOT EXISTS (SELECT 1 FROM made_of_statement m WHERE m.document = d.id)"
        " AND NOT EXISTS (SELECT 1 FROM statement s WHERE s.document = d.id) LIMIT ?",
        (LEGACY_ORIGIN, limit),
    )
    return [(row, KINDS[kind - 1], uuid) for row, kind, uuid in rows]
