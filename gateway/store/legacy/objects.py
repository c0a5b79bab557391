"""Raw legacy objects, and what was found in them. Call inside `Store.write()`.

What they say of partijen and actoren, and the questions about identity keys, are in `claims`.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from gateway.store.base.bound_lists import IN_IDS, bound, id_list, in_parts
from gateway.store.base.kinds import GONE, KIND, ON_A_ZAAK, RAW_KIND, TRANSLATED, UNREADABLE, WAITING
from gateway.store.indexes import tallies
from gateway.store.legacy.claims import Zaak
from mappings.model.findings import Finding


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


def raw_rows(
    connection: sqlite3.Connection, source: int, kind: str, uuids: Sequence[bytes]
) -> dict[bytes, RawRow]:
    """The held objects among `uuids`, by uuid."""
    found: dict[bytes, RawRow] = {}
    for marks, part in in_parts(uuids):
        rows = connection.execute(
            f"SELECT {RAW_COLUMNS} FROM raw WHERE source = ? AND kind = ? AND uuid IN ({marks})",
            (source, RAW_KIND[kind], *part),
        )
        found.update((row[1], RawRow(*row)) for row in rows)
    return found


def known_since(
    connection: sqlite3.Connection, held: Iterable[int], others: Sequence[bytes], moment: int, now: int
) -> set[bytes]:
    """The uuids of what was shown or found destroyed after `moment`: among held rows, and among uuids not held.

    A time that is still to come was noted before the clock was set back: it is not believed.
    """
    found = {
        row[0]
        for row in connection.execute(
            f"SELECT uuid FROM raw WHERE id {IN_IDS} AND last_seen > ? AND last_seen <= ?",
            (id_list(held), moment, now),
        )
    }
    for marks, part in in_parts(others):
        gone = connection.execute(
            f"SELECT uuid FROM erased WHERE uuid IN ({marks}) AND at > ? AND at <= ?", (*part, moment, now)
        )
        found.update(row[0] for row in gone)
    return found


def states(
    connection: sqlite3.Connection, source: int, kind: str, uuids: Iterable[bytes]
) -> dict[bytes, int]:
    """The states of the held objects among `uuids`, by uuid."""
    found: dict[bytes, int] = {}
    for marks, part in in_parts(uuids):
        found.update(
            connection.execute(
                f"SELECT uuid, state FROM raw WHERE source = ? AND kind = ? AND uuid IN ({marks})",
                (source, RAW_KIND[kind], *part),
            )
        )
    return found


def raws(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, RawRow]:
    """Held objects, by row."""
    found = connection.execute(f"SELECT {RAW_COLUMNS} FROM raw WHERE id {IN_IDS}", (id_list(ids),))
    return {row[0]: RawRow(*row) for row in found}


def raw_of_zaak(connection: sqlite3.Connection, source: int, zaak: bytes, kind: str) -> list[RawRow]:
    """The held objects of one kind of a zaak."""
    rows = connection.execute(
        f"SELECT {RAW_COLUMNS} FROM raw WHERE source = ? AND zaak = ? AND kind = ?",
        (source, zaak, RAW_KIND[kind]),
    )
    # Sorted here: with ORDER BY uuid SQLite walks the unique index of the whole source instead.
    return sorted((RawRow(*row) for row in rows), key=lambda row: row.uuid)


def zaken_with_content(connection: sqlite3.Connection, source: int, zaken: Iterable[bytes]) -> set[bytes]:
    """The zaken among these that something else is held of."""
    uuids = list(zaken)
    marks, uuids = bound(uuids)
    rows = connection.execute(
        f"SELECT DISTINCT zaak FROM raw WHERE source = ? AND zaak IN ({marks}) AND kind != {RAW_KIND['zaak']}",
        (source, *uuids),
    )
    return {row[0] for row in rows}


def raws_of_zaken(
    connection: sqlite3.Connection, source: int, zaken: Sequence[bytes], kind: str
) -> list[RawRow]:
    """The held objects of one kind of these zaken (at most 500)."""
    marks, zaken = bound(zaken)
    rows = connection.execute(
        f"SELECT {RAW_COLUMNS} FROM raw WHERE source = ? AND zaak IN ({marks}) AND kind = ?",
        (source, *zaken, RAW_KIND[kind]),
    )
    return sorted((RawRow(*row) for row in rows), key=lambda row: row.uuid)


def raw_body(connection: sqlite3.Connection, row: int) -> bytes | None:
    """The compressed body of a held object; None when it was left out."""
    body: bytes | None = connection.execute("SELECT body FROM raw WHERE id = ?", (row,)).fetchone()[0]
    return body


@dataclass(slots=True)
class Content:
    """What a legacy object is now, as it is written."""

    zaak: bytes | None
    state: int
    digest: bytes | None = None
    facts: str | None = None
    body: bytes | None = None


def insert_raw(
    connection: sqlite3.Connection, source: int, kind: str, uuid: bytes, content: Content, now: int
) -> int:
    """A row for a legacy object that was not held; out: its id."""
    return insert_raws(connection, source, kind, [(uuid, content)], now)[0]


def insert_raws(
    connection: sqlite3.Connection,
    source: int,
    kind: str,
    objects: Sequence[tuple[bytes, Content]],
    now: int,
) -> list[int]:
    """Rows for legacy objects (uuid and content) that were not held; out: their ids."""
    first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM raw").fetchone()[0]
    connection.executemany(
        "INSERT INTO raw (id, source, kind, uuid, zaak, state, digest, facts, body, first_seen, last_seen)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                first + number,
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
            for number, (uuid, content) in enumerate(objects)
        ],
    )
    tallies.add_raws(connection, Counter((source, RAW_KIND[kind], content.state) for _, content in objects))
    return list(range(first, first + len(objects)))


def change_raw(connection: sqlite3.Connection, row: RawRow, content: Content) -> None:
    """Write what a held legacy object is now. What stays as it is is not written, nor its places in indexes."""
    if content.digest is None or (row.digest, row.zaak) != (content.digest, content.zaak):
        update_raw(connection, row.id, content)
    elif row.state != content.state:
        set_state(connection, [row.id], content.state, content.facts)
    elif row.facts != content.facts:
        connection.execute("UPDATE raw SET facts = ? WHERE id = ?", (content.facts, row.id))


def update_raw(connection: sqlite3.Connection, row: int, content: Content) -> None:
    """Write what a legacy object is now."""
    tallies.raws_move(connection, [row], content.state)
    connection.execute(
        "UPDATE raw SET zaak = ?, state = ?, digest = ?, facts = ?, body = ? WHERE id = ?",
        (content.zaak, content.state, content.digest, content.facts, content.body, row),
    )


def set_state(
    connection: sqlite3.Connection, rows: Iterable[int], state: int, facts: str | None = None
) -> None:
    """Set the state of held objects whose body stays."""
    rows = list(rows)
    tallies.raws_move(connection, rows, state)
    connection.executemany(
        "UPDATE raw SET state = ?, facts = ? WHERE id = ?", [(state, facts, row) for row in rows]
    )


def seen(connection: sqlite3.Connection, rows: Iterable[int], now: int) -> None:
    """Note that the legacy showed these objects just now."""
    connection.executemany(
        "UPDATE raw SET last_seen = max(last_seen, ?), visible = 1 WHERE id = ?", [(now, row) for row in rows]
    )


def set_invisible(connection: sqlite3.Connection, row: int) -> None:
    """Keep an object that the legacy refuses to show (403) and mark it "niet meer zichtbaar"."""
    connection.execute("UPDATE raw SET visible = 0 WHERE id = ?", (row,))


def delete_raw(connection: sqlite3.Connection, rows: Iterable[int]) -> None:
    """Remove legacy objects with their claims, findings, quarantine and provenance."""
    gone = list(rows)
    tallies.raws_move(connection, gone, None)
    tallies.claims_go(connection, gone)
    delete_findings(connection, gone)
    connection.executemany("DELETE FROM raw WHERE id = ?", [(row,) for row in gone])


def delete_empty_zaken(connection: sqlite3.Connection, zaken: Iterable[Zaak]) -> int:
    """Forget zaken that could not be read and that no rol or klantcontact waits for any more; out: how many."""
    question = (
        f"SELECT id FROM raw WHERE source = ?1 AND kind = {RAW_KIND['zaak']} AND uuid = ?2"
        f" AND state IN ({UNREADABLE}, {GONE}) AND NOT EXISTS (SELECT 1 FROM raw held"
        f" WHERE held.source = ?1 AND held.zaak = ?2 AND held.kind != {RAW_KIND['zaak']})"
    )
    empty = [row[0] for zaak in zaken for row in connection.execute(question, zaak)]
    if empty:
        delete_raw(connection, empty)
    return len(empty)


def unseen_since(
    connection: sqlite3.Connection, source: int, kind: str, moment: int, after: int, limit: int
) -> list[tuple[int, bytes]]:
    """Held objects that no answer showed since `moment`: (row, uuid), by row, a piece at a time."""
    return connection.execute(
        "SELECT id, uuid FROM raw WHERE source = ? AND kind = ? AND last_seen < ? AND id > ? AND visible = 1"
        " ORDER BY id LIMIT ?",
        (source, RAW_KIND[kind], moment, after, limit),
    ).fetchall()


def count_unseen(connection: sqlite3.Connection, source: int, kind: str, moment: int) -> int:
    """How many there are of what `unseen_since` gives."""
    found = connection.execute(
        "SELECT count(*) FROM raw WHERE source = ? AND kind = ? AND last_seen < ? AND visible = 1",
        (source, RAW_KIND[kind], moment),
    )
    return int(found.fetchone()[0])


def waiting_zaken(connection: sqlite3.Connection, source: int, limit: int) -> list[bytes]:
    """Zaken that rollen or klantcontacten wait for and that are not held."""
    return [
        row[0]
        for row in connection.execute(
            "WITH waiting AS MATERIALIZED (SELECT zaak FROM raw WHERE source = ?1 AND kind IN"
            f" ({', '.join(str(RAW_KIND[kind]) for kind in ON_A_ZAAK)}) AND state = {WAITING} AND zaak IS NOT NULL)"
            " SELECT DISTINCT zaak FROM waiting WHERE NOT EXISTS (SELECT 1 FROM raw z WHERE z.source = ?1"
            f" AND z.kind = {RAW_KIND['zaak']} AND z.uuid = waiting.zaak) LIMIT ?2",
            (source, limit),
        )
    ]


# Documents, by who owns them


def owned_documents(connection: sqlite3.Connection, owners: Iterable[int]) -> dict[bytes, int]:
    """The documents made with these partijen, actoren or klantcontacten, themselves included: uuid to row."""
    return dict(
        connection.execute(
            f"SELECT uuid, id FROM document WHERE owner {IN_IDS}",
            (id_list(owners),),
        )
    )


def document_ids(connection: sqlite3.Connection, kind: str, uuids: Iterable[bytes]) -> set[int]:
    """Rows of the documents of `kind` among `uuids`."""
    found = set()
    for uuid in uuids:
        row = connection.execute(
            "SELECT id FROM document WHERE uuid = ? AND kind = ?", (uuid, KIND[kind])
        ).fetchone()
        if row:
            found.add(row[0])
    return found


# Findings and quarantine


def delete_findings(connection: sqlite3.Connection, rows: Iterable[int]) -> None:
    """Forget what was found in these legacy objects (rows)."""
    gone = connection.execute(f"DELETE FROM raw_finding WHERE raw {IN_IDS} RETURNING rule", (id_list(rows),))
    tallies.findings_go(connection, gone)


def put_findings(
    connection: sqlite3.Connection, stage: int, rows: Iterable[int], found: Iterable[tuple[int, Finding]]
) -> None:
    """Replace the findings of one stage on these legacy objects (rows)."""
    wanted = {
        (raw, stage, finding.rule, finding.field, str(finding.severity), finding.action)
        for raw, finding in found
    }
    held = set(
        connection.execute(
            f"SELECT raw, stage, rule, field, severity, action FROM raw_finding WHERE stage = ? AND raw {IN_IDS}",
            (stage, id_list(rows)),
        )
    )
    connection.executemany(
        "DELETE FROM raw_finding WHERE raw = ? AND stage = ? AND rule = ? AND field = ? AND severity = ?"
        " AND action = ?",
        held - wanted,
    )
    connection.executemany(
        "INSERT OR REPLACE INTO raw_finding (raw, stage, rule, field, severity, action) VALUES (?, ?, ?, ?, ?, ?)",
        sorted(wanted - held),
    )
    change = Counter(rule for _, _, rule, _, _ in {_place(row) for row in wanted})
    change.subtract(Counter(rule for _, _, rule, _, _ in {_place(row) for row in held}))
    tallies.add_findings(connection, change)


def _place(finding: tuple[int, int, str, str, str, str]) -> tuple[int, int, str, str, str]:
    """What no two findings on objects share: all but the severity."""
    raw, stage, rule, field, _, action = finding
    return raw, stage, rule, field, action


def put_source_findings(connection: sqlite3.Connection, source: int, found: Iterable[Finding]) -> None:
    """Note findings that are about a source as a whole, once each."""
    connection.executemany(
        "INSERT OR IGNORE INTO source_finding VALUES (?, ?, ?, ?, ?)",
        [(source, item.rule, item.field, str(item.severity), item.action) for item in found],
    )


def drop_source_finding(
    connection: sqlite3.Connection, source: int, rule: str, generiek: Iterable[str], soorten: Iterable[str]
) -> None:
    """Take back a finding on a source when none of its klantcontacten is of a zaak with a rol of this
    omschrijvingGeneriek and another soort than these; whether a client deleted who that is makes no difference."""
    connection.execute(
        "DELETE FROM source_finding WHERE source = ?1 AND rule = ?2 AND NOT EXISTS (SELECT 1 FROM raw k"
        f" CROSS JOIN raw r ON r.source = ?1 AND r.zaak = k.zaak AND r.kind = {RAW_KIND['rol']}"
        f" WHERE k.source = ?1 AND k.kind = {RAW_KIND['klantcontact']} AND k.state = {TRANSLATED}"
        f" AND +r.state = {TRANSLATED}"
        " AND r.facts ->> '$.generiek' IN (SELECT value FROM json_each(?3))"
        " AND r.facts ->> '$.soort' NOT IN (SELECT value FROM json_each(?4)))",
        (source, rule, orjson.dumps(list(generiek)).decode(), orjson.dumps(list(soorten)).decode()),
    )


def quarantine(connection: sqlite3.Connection, row: int, reason: str, now: int) -> None:
    """Put a legacy object in quarantine (M3)."""
    connection.execute(
        "INSERT INTO quarantine (raw, reason, since) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (raw) DO UPDATE SET reason = ?2",
        (row, reason, now),
    )


def release(connection: sqlite3.Connection, rows: Iterable[int]) -> None:
    """Take legacy objects out of quarantine."""
    connection.executemany("DELETE FROM quarantine WHERE raw = ?", [(row,) for row in rows])


# What hydrating asks of the store, beside the questions about keys in `claims`


def unseen_of_zaak(
    connection: sqlite3.Connection, source: int, zaak: bytes, kind: str, moment: int
) -> list[bytes]:
    """Held objects of a zaak that no answer showed since `moment`."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT uuid FROM raw WHERE source = ? AND zaak = ? AND kind = ? AND +last_seen < ? AND visible = 1",
            (source, zaak, RAW_KIND[kind], moment),
        )
    ]


def document_of(connection: sqlite3.Connection, uuid: bytes) -> tuple[int, bytes | None, int | None] | None:
    """A document by its uuid or another uuid of it: (row, uuid of its owner, row of its owner)."""
    found: tuple[int, bytes | None, int | None] | None = connection.execute(
        "SELECT d.id, o.uuid, o.id FROM document d LEFT JOIN document o ON o.id = d.owner WHERE d.id ="
        " coalesce((SELECT id FROM document WHERE uuid = ?1), (SELECT document FROM alias WHERE uuid = ?1))",
        (uuid,),
    ).fetchone()
    return found


def zaak_of_contact(connection: sqlite3.Connection, uuid: bytes) -> tuple[str, bytes] | None:
    """The source and zaak of a held klantcontact."""
    found: tuple[str, bytes] | None = connection.execute(
        "SELECT s.name, r.zaak FROM raw r JOIN source s ON s.id = r.source"
        " WHERE r.uuid = ? AND r.kind = ? AND r.zaak IS NOT NULL",
        (uuid, RAW_KIND["klantcontact"]),
    ).fetchone()
    return found


def zaken_with(
    connection: sqlite3.Connection, source: int, aanduidingen: Sequence[str], limit: int
) -> list[RawRow]:
    """Readable zaken with one of these vertrouwelijkheidaanduidingen."""
    rows = connection.execute(
        f"SELECT {RAW_COLUMNS} FROM raw WHERE source = ? AND kind = ? AND state = ?"
        " AND facts ->> '$.vertrouwelijkheidaanduiding' IN (SELECT value FROM json_each(?)) LIMIT ?",
        (source, RAW_KIND["zaak"], TRANSLATED, orjson.dumps(list(aanduidingen)).decode(), limit),
    )
    return [RawRow(*row) for row in rows]
