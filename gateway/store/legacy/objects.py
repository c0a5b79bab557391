"""Raw legacy objects. Call inside `Store.write()`.

What they say of partijen and actoren is in `claims`, whether their source still shows them in `visibility`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.store.base.bound_lists import IN_IDS, bound, id_list, in_parts
from gateway.store.base.kinds import BY_STATE, GONE, ON_A_ZAAK, RAW_KIND, TRANSLATED, UNREADABLE, WAITING
from gateway.store.base.row_ids import next_ids
from gateway.store.base.session import Session
from gateway.store.indexes import tallies
from gateway.store.legacy.claims import Zaak
from gateway.store.legacy.findings import delete_findings
from gateway.store.legacy.provenance import forget_raws


@dataclass(slots=True)
class RawRow:
    """A held legacy object. One that is `emptied` was not seen by anybody for so long that its content is not kept."""

    id: int
    uuid: bytes
    zaak: bytes | None
    state: int
    digest: bytes | None
    facts: str | None
    emptied: bool = False


RAW_COLUMNS = "id, uuid, zaak, state, digest, facts, body IS NULL AND digest IS NOT NULL"


def raw_rows(connection: Session, source: int, kind: str, uuids: Sequence[bytes]) -> dict[bytes, RawRow]:
    """The held objects among `uuids`, by uuid."""
    found: dict[bytes, RawRow] = {}
    for marks, part in in_parts(uuids):
        rows = connection.all(
            f"SELECT {RAW_COLUMNS} FROM raw WHERE source = ? AND kind = ? AND uuid IN ({marks})",
            (source, RAW_KIND[kind], *part),
        )
        found.update((row[1], RawRow(*row)) for row in rows)
    return found


def states(connection: Session, source: int, kind: str, uuids: Iterable[bytes]) -> dict[bytes, int]:
    """The states of the held objects among `uuids`, by uuid."""
    found: dict[bytes, int] = {}
    for marks, part in in_parts(uuids):
        found.update(
            connection.all(
                f"SELECT uuid, state FROM raw WHERE source = ? AND kind = ? AND uuid IN ({marks})",
                (source, RAW_KIND[kind], *part),
            )
        )
    return found


def raws(connection: Session, ids: Iterable[int]) -> dict[int, RawRow]:
    """Held objects, by row."""
    found = connection.all(f"SELECT {RAW_COLUMNS} FROM raw WHERE id {IN_IDS}", (id_list(ids),))
    return {row[0]: RawRow(*row) for row in found}


def raw_of_zaak(connection: Session, source: int, zaak: bytes, kind: str) -> list[RawRow]:
    """The held objects of one kind of a zaak."""
    rows = connection.all(
        f"SELECT {RAW_COLUMNS} FROM raw WHERE source = ? AND zaak = ? AND kind = ?",
        (source, zaak, RAW_KIND[kind]),
    )
    # Sorted here: with ORDER BY uuid SQLite walks the unique index of the whole source instead.
    return sorted((RawRow(*row) for row in rows), key=lambda row: row.uuid)


def zaken_with_content(connection: Session, source: int, zaken: Iterable[bytes]) -> set[bytes]:
    """The zaken among these that something else is held of."""
    uuids = list(zaken)
    marks, uuids = bound(uuids)
    rows = connection.all(
        f"SELECT DISTINCT zaak FROM raw WHERE source = ? AND zaak IN ({marks}) AND kind != {RAW_KIND['zaak']}",
        (source, *uuids),
    )
    return {row[0] for row in rows}


def raws_of_zaken(connection: Session, source: int, zaken: Sequence[bytes], kind: str) -> list[RawRow]:
    """The held objects of one kind of these zaken (at most 500)."""
    marks, zaken = bound(zaken)
    rows = connection.all(
        f"SELECT {RAW_COLUMNS} FROM raw WHERE source = ? AND zaak IN ({marks}) AND kind = ?",
        (source, *zaken, RAW_KIND[kind]),
    )
    return sorted((RawRow(*row) for row in rows), key=lambda row: row.uuid)


def raw_body(connection: Session, row: int) -> bytes | None:
    """The compressed body of a held object; None when it was left out."""
    body: bytes | None = connection.one("SELECT body FROM raw WHERE id = ?", (row,))[0]
    return body


@dataclass(slots=True)
class Content:
    """What a legacy object is now, as it is written."""

    zaak: bytes | None
    state: int
    digest: bytes | None = None
    facts: str | None = None
    body: bytes | None = None


def insert_raw(connection: Session, source: int, kind: str, uuid: bytes, content: Content, now: int) -> int:
    """A row for a legacy object that was not held; out: its id."""
    return insert_raws(connection, source, kind, [(uuid, content)], now)[0]


def insert_raws(
    connection: Session,
    source: int,
    kind: str,
    objects: Sequence[tuple[bytes, Content]],
    now: int,
) -> list[int]:
    """Rows for legacy objects (uuid and content) that were not held; out: their ids."""
    rows = next_ids(connection, "raw", len(objects))
    connection.many(
        "INSERT INTO raw (id, source, kind, uuid, zaak, state, digest, facts, body, first_seen, last_seen)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                row,
                source,
                RAW_KIND[kind],
                uuid,
                content.zaak,
                content.state,
                content.digest,
                content.facts,
                content.body,
                now,
                now,
            )
            for row, (uuid, content) in zip(rows, objects, strict=True)
        ],
    )
    tallies.add_raws(connection, Counter((source, RAW_KIND[kind], content.state) for _, content in objects))
    return list(rows)


def change_raws(
    connection: Session, source: int, kind: str, objects: Sequence[tuple[RawRow, Content]]
) -> None:
    """Write what held legacy objects of a kind are now. What stays is not written, nor its places in indexes."""
    whole, states, facts = [], [], []
    moved: Counter[tuple[int, int, int]] = Counter()
    for row, content in objects:
        if content.digest is None or (row.digest, row.zaak) != (content.digest, content.zaak):
            whole.append((content.zaak, content.state, content.digest, content.facts, content.body, row.id))
        elif row.state != content.state:
            states.append((content.state, content.facts, row.id))
        elif row.facts != content.facts:
            facts.append((content.facts, row.id))
        moved[source, RAW_KIND[kind], row.state] -= 1
        moved[source, RAW_KIND[kind], content.state] += 1
    tallies.add_raws(connection, moved)
    connection.many(_WRITE, whole)
    connection.many("UPDATE raw SET state = ?, facts = ? WHERE id = ?", states)
    connection.many("UPDATE raw SET facts = ? WHERE id = ?", facts)


_WRITE = "UPDATE raw SET zaak = ?, state = ?, digest = ?, facts = ?, body = ? WHERE id = ?"


def update_raw(connection: Session, row: int, content: Content) -> None:
    """Write what a legacy object is now."""
    tallies.raws_move(connection, [row], content.state)
    connection.run(_WRITE, (content.zaak, content.state, content.digest, content.facts, content.body, row))


def set_state(connection: Session, rows: Iterable[int], state: int, facts: str | None = None) -> None:
    """Set the state of held objects whose body stays."""
    rows = list(rows)
    tallies.raws_move(connection, rows, state)
    connection.many("UPDATE raw SET state = ?, facts = ? WHERE id = ?", [(state, facts, row) for row in rows])


def delete_raw(connection: Session, rows: Iterable[int]) -> None:
    """Remove legacy objects with their claims, findings, quarantine and provenance."""
    gone = list(rows)
    tallies.raws_move(connection, gone, None)
    tallies.claims_go(connection, gone)
    delete_findings(connection, gone)
    forget_raws(connection, gone)
    connection.many("DELETE FROM raw WHERE id = ?", [(row,) for row in gone])


def delete_empty_zaken(connection: Session, zaken: Iterable[Zaak]) -> int:
    """Forget zaken that could not be read and that no rol or klantcontact waits for any more; out: how many."""
    by_source: dict[int, list[bytes]] = defaultdict(list)
    for source, zaak in zaken:
        by_source[source].append(zaak)
    empty = [
        row
        for source, uuids in by_source.items()
        for marks, some in in_parts(uuids)
        for (row,) in connection.all(
            f"SELECT z.id FROM raw z WHERE z.source = ? AND z.kind = {RAW_KIND['zaak']} AND z.uuid IN ({marks})"
            f" AND z.state IN ({UNREADABLE}, {GONE}) AND NOT EXISTS (SELECT 1 FROM raw held"
            f" WHERE held.source = z.source AND held.zaak = z.uuid AND held.kind != {RAW_KIND['zaak']})",
            (source, *some),
        )
    ]
    if empty:
        delete_raw(connection, empty)
    return len(empty)


def waiting_zaken(connection: Session, source: int, limit: int) -> list[bytes]:
    """Zaken that rollen or klantcontacten wait for and that are not held."""
    return [
        row[0]
        for row in connection.all(
            "WITH waiting AS MATERIALIZED (SELECT zaak FROM raw WHERE source = ?1 AND kind IN"
            f" ({', '.join(str(RAW_KIND[kind]) for kind in ON_A_ZAAK)}) AND state = {WAITING} AND {BY_STATE}"
            " AND zaak IS NOT NULL)"
            " SELECT DISTINCT zaak FROM waiting WHERE NOT EXISTS (SELECT 1 FROM raw z WHERE z.source = ?1"
            f" AND z.kind = {RAW_KIND['zaak']} AND z.uuid = waiting.zaak) LIMIT ?2",
            (source, limit),
        )
    ]


def zaak_of_contact(connection: Session, uuid: bytes) -> tuple[str, bytes] | None:
    """The source and zaak of a held klantcontact."""
    found: tuple[str, bytes] | None = connection.one(
        "SELECT s.name, r.zaak FROM raw r JOIN source s ON s.id = r.source"
        " WHERE r.uuid = ? AND r.kind = ? AND r.zaak IS NOT NULL",
        (uuid, RAW_KIND["klantcontact"]),
    )
    return found


def zaken_with(connection: Session, source: int, aanduidingen: Sequence[str], limit: int) -> list[RawRow]:
    """Readable zaken with one of these vertrouwelijkheidaanduidingen."""
    rows = connection.all(
        f"SELECT {RAW_COLUMNS} FROM raw WHERE source = ? AND kind = ? AND state = ? AND {BY_STATE}"
        " AND facts ->> '$.vertrouwelijkheidaanduiding' IN (SELECT value FROM json_each(?)) LIMIT ?",
        (source, RAW_KIND["zaak"], TRANSLATED, list(aanduidingen), limit),
    )
    return [RawRow(*row) for row in rows]
