"""Raw legacy objects, what they say (claims), and what was found in them. Call inside `Store.write()`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from gateway.store.database import Store
from gateway.store.kinds import KIND, RAW_KIND, TRANSLATED
from mappings.findings import Finding

IN_IDS = "IN (SELECT value FROM json_each(?))"


def id_list(ids: Iterable[int]) -> str:
    """Row ids as the one bound value of `IN_IDS`."""
    return orjson.dumps(list(ids)).decode()


def source_id(connection: sqlite3.Connection, name: str) -> int:
    """The row of a source, made when it is not there yet."""
    row = connection.execute("SELECT id FROM source WHERE name = ?", (name,)).fetchone()
    if row is None:
        return connection.execute("INSERT INTO source (name) VALUES (?)", (name,)).lastrowid or 0
    return int(row[0])


@dataclass(slots=True)
class RawRow:
    """A held legacy object."""

    id: int
    uuid: bytes
    zaak: bytes | None
    state: int
    digest: bytes | None
    facts: str | None


RAW_COLUMNS = "id, uuid, zaak, state, digest, facts"


def raw_rows(
    connection: sqlite3.Connection, source: int, kind: str, uuids: Sequence[bytes]
) -> dict[bytes, RawRow]:
    """The held objects among `uuids`, by uuid."""
    found: dict[bytes, RawRow] = {}
    for start in range(0, len(uuids), 500):
        part = uuids[start : start + 500]
        marks = ",".join("?" * len(part))
        rows = connection.execute(
            f"SELECT {RAW_COLUMNS} FROM raw WHERE source = ? AND kind = ? AND uuid IN ({marks})",
            (source, RAW_KIND[kind], *part),
        )
        found.update((row[1], RawRow(*row)) for row in rows)
    return found


def raw_of_zaak(connection: sqlite3.Connection, source: int, zaak: bytes, kind: str) -> list[RawRow]:
    """The held objects of one kind of a zaak."""
    rows = connection.execute(
        f"SELECT {RAW_COLUMNS} FROM raw WHERE source = ? AND zaak = ? AND kind = ?",
        (source, zaak, RAW_KIND[kind]),
    )
    # Sorted here: with ORDER BY uuid SQLite walks the unique index of the whole source instead.
    return sorted((RawRow(*row) for row in rows), key=lambda row: row.uuid)


def raw_body(connection: sqlite3.Connection, row: int) -> bytes | None:
    """The compressed body of a held object; None when it was left out."""
    return connection.execute("SELECT body FROM raw WHERE id = ?", (row,)).fetchone()[0]


def insert_raw(
    connection: sqlite3.Connection,
    source: int,
    kind: str,
    uuid: bytes,
    zaak: bytes | None,
    state: int,
    now: int,
) -> int:
    """A row for a legacy object that was not held; out: its id."""
    cursor = connection.execute(
        "INSERT INTO raw (source, kind, uuid, zaak, state, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (source, RAW_KIND[kind], uuid, zaak, state, now, now),
    )
    return cursor.lastrowid or 0


def update_raw(
    connection: sqlite3.Connection,
    row: int,
    *,
    zaak: bytes | None,
    state: int,
    digest: bytes | None,
    facts: str | None,
    body: bytes | None,
) -> None:
    """Write what a legacy object is now."""
    connection.execute(
        "UPDATE raw SET zaak = ?, state = ?, digest = ?, facts = ?, body = ? WHERE id = ?",
        (zaak, state, digest, facts, body, row),
    )


def set_state(
    connection: sqlite3.Connection, rows: Iterable[int], state: int, facts: str | None = None
) -> None:
    """Set the state of held objects whose body stays."""
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
    connection.executemany("DELETE FROM raw WHERE id = ?", [(row,) for row in rows])


def unseen_since(
    connection: sqlite3.Connection, source: int, kind: str, moment: int, after: int, limit: int
) -> list[tuple[int, bytes]]:
    """Held objects that no answer showed since `moment`: (row, uuid), by row, a piece at a time."""
    return connection.execute(
        "SELECT id, uuid FROM raw WHERE source = ? AND kind = ? AND last_seen < ? AND id > ? AND visible = 1"
        " ORDER BY id LIMIT ?",
        (source, RAW_KIND[kind], moment, after, limit),
    ).fetchall()


def waiting_zaken(connection: sqlite3.Connection, source: int, limit: int) -> list[bytes]:
    """Zaken that rollen or klantcontacten wait for and that are not held."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT r.zaak FROM raw r WHERE r.source = ?1 AND r.state = 2 AND r.zaak IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM raw z WHERE z.source = ?1 AND z.kind = 1 AND z.uuid = r.zaak)"
            " LIMIT ?2",
            (source, limit),
        )
    ]


# Claims and their keys


@dataclass(slots=True)
class ClaimRow:
    """A held claim with the legacy object that makes it."""

    id: int
    raw: int
    uuid: bytes
    zaak: bytes | None
    document: int | None
    body: str


def claims_of_raw(connection: sqlite3.Connection, rows: Iterable[int]) -> tuple[set[int], set[int]]:
    """Of the claims of these objects: their keys (rows of identity) and the documents that they made."""
    ids = id_list(rows)
    keys = connection.execute(
        f"SELECT DISTINCT k.identity FROM claim c JOIN claim_key k ON k.claim = c.id WHERE c.raw {IN_IDS}",
        (ids,),
    )
    documents = connection.execute(
        f"SELECT DISTINCT document FROM claim WHERE raw {IN_IDS} AND document IS NOT NULL",
        (ids,),
    )
    return {row[0] for row in keys}, {row[0] for row in documents}


def delete_claims(connection: sqlite3.Connection, rows: Iterable[int]) -> None:
    """Remove the claims of these legacy objects."""
    connection.executemany("DELETE FROM claim WHERE raw = ?", [(row,) for row in rows])


def insert_claim(
    connection: sqlite3.Connection, raw: int, facet: str, body: str, keys: Sequence[str]
) -> set[int]:
    """Add a claim; out: the rows of its keys."""
    cursor = connection.execute("INSERT INTO claim (raw, facet, body) VALUES (?, ?, ?)", (raw, facet, body))
    identities = set()
    for key in keys:
        row = connection.execute("SELECT id FROM identity WHERE key = ?", (key,)).fetchone()
        identity = row[0] if row else _insert_identity(connection, key)
        identities.add(identity)
    connection.executemany(
        "INSERT INTO claim_key (identity, claim) VALUES (?, ?)",
        [(identity, cursor.lastrowid) for identity in identities],
    )
    return identities


def _insert_identity(connection: sqlite3.Connection, key: str) -> int:
    return connection.execute("INSERT INTO identity (key) VALUES (?)", (key,)).lastrowid or 0


def identity_rows(connection: sqlite3.Connection, keys: Iterable[str]) -> set[int]:
    """The rows of the keys that are held."""
    found = set()
    for key in keys:
        row = connection.execute("SELECT id FROM identity WHERE key = ?", (key,)).fetchone()
        if row:
            found.add(row[0])
    return found


def connected_claims(connection: sqlite3.Connection, identities: set[int]) -> list[ClaimRow]:
    """All claims that hang together with these keys, through any chain of shared keys (M6)."""
    asked: set[int] = set()
    claims: set[int] = set()
    ask = identities
    while ask:
        asked |= ask
        found = connection.execute(
            f"SELECT DISTINCT claim FROM claim_key WHERE identity {IN_IDS}",
            (id_list(ask),),
        )
        new = {row[0] for row in found} - claims
        claims |= new
        keys = connection.execute(
            f"SELECT DISTINCT identity FROM claim_key WHERE claim {IN_IDS}",
            (id_list(new),),
        )
        ask = {row[0] for row in keys} - asked
    rows = connection.execute(
        "SELECT c.id, c.raw, r.uuid, r.zaak, c.document, c.body FROM claim c JOIN raw r ON r.id = c.raw"
        f" WHERE c.id {IN_IDS} ORDER BY c.id",
        (id_list(claims),),
    )
    return [ClaimRow(*row) for row in rows]


def set_claim_documents(connection: sqlite3.Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Note which document each claim became part of: pairs of (document, claim)."""
    connection.executemany("UPDATE claim SET document = ? WHERE id = ?", pairs)


def delete_unused_identities(connection: sqlite3.Connection, identities: Iterable[int]) -> None:
    """Forget keys that no claim has any more: a BSN must not outlive its rollen (M35)."""
    connection.executemany(
        "DELETE FROM identity WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM claim_key WHERE identity = ?1)",
        [(identity,) for identity in identities],
    )


def keys_of_document(connection: sqlite3.Connection, document: int) -> list[str]:
    """The identity keys of the claims that made a partij or actor."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT i.key FROM claim c JOIN claim_key k ON k.claim = c.id"
            " JOIN identity i ON i.id = k.identity WHERE c.document = ? ORDER BY i.key",
            (document,),
        )
    ]


# What a zaak's klantcontacten need


def deelnemers(connection: sqlite3.Connection, source: int, zaak: bytes) -> list[tuple[bytes, bytes, str]]:
    """The rollen of a zaak that became a partij or actor: (uuid of the rol, of the document, facts)."""
    return connection.execute(
        "SELECT r.uuid, d.uuid, r.facts FROM raw r JOIN claim c ON c.raw = r.id AND c.facet = 'zelf'"
        " JOIN document d ON d.id = c.document"
        " WHERE r.source = ? AND r.zaak = ? AND r.kind = ? AND r.state = ?",
        (source, zaak, RAW_KIND["rol"], TRANSLATED),
    ).fetchall()


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


def put_provenance(connection: sqlite3.Connection, wanted: dict[int, set[int]]) -> None:
    """Write from which legacy objects (rows) each document (row) was made (M4)."""
    held: dict[int, set[int]] = {document: set() for document in wanted}
    for document, raw in connection.execute(
        f"SELECT document, raw FROM provenance WHERE document {IN_IDS}",
        (id_list(wanted),),
    ):
        held[document].add(raw)
    connection.executemany(
        "DELETE FROM provenance WHERE document = ? AND raw = ?",
        [(document, raw) for document, raws in held.items() for raw in raws - wanted[document]],
    )
    connection.executemany(
        "INSERT INTO provenance (document, raw) VALUES (?, ?)",
        [(document, raw) for document, raws in wanted.items() for raw in raws - held[document]],
    )


# Findings and quarantine


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
            f"SELECT raw, stage, rule, field, severity, action FROM finding WHERE stage = ? AND raw {IN_IDS}",
            (stage, id_list(rows)),
        )
    )
    connection.executemany(
        "DELETE FROM finding WHERE raw = ? AND stage = ? AND rule = ? AND field = ? AND severity = ?"
        " AND action = ?",
        held - wanted,
    )
    connection.executemany("INSERT OR REPLACE INTO finding VALUES (?, ?, ?, ?, ?, ?)", sorted(wanted - held))


def put_source_findings(connection: sqlite3.Connection, source: int, found: Iterable[Finding]) -> None:
    """Note findings that are about a source as a whole, once each."""
    connection.executemany(
        "INSERT OR IGNORE INTO source_finding VALUES (?, ?, ?, ?, ?)",
        [(source, item.rule, item.field, str(item.severity), item.action) for item in found],
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


# What hydrating asks of the store


def connected_keys(connection: sqlite3.Connection, key: str) -> list[tuple[str, str]]:
    """The keys that hang together with `key`, each with the name of a source that gave it."""
    identities = identity_rows(connection, [key])
    claims = [claim.id for claim in connected_claims(connection, identities)]
    return connection.execute(
        "SELECT i.key, min(s.name) FROM claim_key k JOIN identity i ON i.id = k.identity"
        " JOIN claim c ON c.id = k.claim JOIN raw r ON r.id = c.raw JOIN source s ON s.id = r.source"
        f" WHERE k.claim {IN_IDS} GROUP BY i.key ORDER BY i.key",
        (id_list(claims),),
    ).fetchall()


def zaken_of_party(connection: sqlite3.Connection, source: int, key: str) -> list[bytes]:
    """The zaken in which the party of `key` has a rol itself, newest rol first."""
    identities = identity_rows(connection, [key])
    claims = [claim.id for claim in connected_claims(connection, identities)]
    return [
        row[0]
        for row in connection.execute(
            "SELECT r.zaak FROM claim c JOIN raw r ON r.id = c.raw"
            f" WHERE c.id {IN_IDS} AND c.facet = 'zelf' AND r.source = ? AND r.zaak IS NOT NULL"
            " GROUP BY r.zaak ORDER BY max(c.id) DESC",
            (id_list(claims), source),
        )
    ]


def keys_of_zaak(connection: sqlite3.Connection, source: int, zaak: bytes) -> list[tuple[str, list[str]]]:
    """The betrokkenen of a zaak: the facts of each rol and its keys."""
    found: dict[int, tuple[str, list[str]]] = {}
    for claim, facts, key in connection.execute(
        "SELECT c.id, r.facts, i.key FROM raw r JOIN claim c ON c.raw = r.id AND c.facet = 'zelf'"
        " JOIN claim_key k ON k.claim = c.id JOIN identity i ON i.id = k.identity"
        " WHERE r.source = ? AND r.zaak = ? AND r.kind = ?",
        (source, zaak, RAW_KIND["rol"]),
    ):
        found.setdefault(claim, (facts, []))[1].append(key)
    return list(found.values())


def unseen_of_key(connection: sqlite3.Connection, source: int, key: str, moment: int) -> list[bytes]:
    """Held rollen with this key that no answer showed since `moment`."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT r.uuid FROM identity i JOIN claim_key k ON k.identity = i.id"
            " JOIN claim c ON c.id = k.claim JOIN raw r ON r.id = c.raw"
            " WHERE i.key = ? AND r.source = ? AND r.kind = ? AND r.last_seen < ? AND r.visible = 1",
            (key, source, RAW_KIND["rol"], moment),
        )
    ]


def unseen_of_zaak(
    connection: sqlite3.Connection, source: int, zaak: bytes, kind: str, moment: int
) -> list[bytes]:
    """Held objects of a zaak that no answer showed since `moment`."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT uuid FROM raw WHERE source = ? AND zaak = ? AND kind = ? AND last_seen < ? AND visible = 1",
            (source, zaak, RAW_KIND[kind], moment),
        )
    ]


def fetched_at(connection: sqlite3.Connection, source: int, name: str) -> int:
    """When this was last asked of the source and answered whole; 0 for never."""
    row = connection.execute("SELECT at FROM fetched WHERE source = ? AND key = ?", (source, name)).fetchone()
    return row[0] if row else 0


def note_fetched(connection: sqlite3.Connection, source: int, name: str, moment: int) -> None:
    """Remember that this was asked and answered whole at `moment`."""
    connection.execute(
        "INSERT INTO fetched (source, key, at) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (source, key) DO UPDATE SET at = max(at, ?3)",
        (source, name, moment),
    )


def source_state(connection: sqlite3.Connection, source: int) -> tuple[str, int]:
    """The phase of a source, and when its last complete backfill began (0: never)."""
    phase, covered = connection.execute(
        "SELECT phase, covered FROM source WHERE id = ?", (source,)
    ).fetchone()
    return phase, covered or 0


def set_covered(connection: sqlite3.Connection, source: int, moment: int) -> None:
    """A backfill that began at `moment` saw everything."""
    connection.execute("UPDATE source SET covered = ? WHERE id = ?", (moment, source))


def document_of(connection: sqlite3.Connection, uuid: bytes) -> tuple[int, str, int] | None:
    """A document by its uuid or another uuid of it: (row, uuid of its owner, row of its owner)."""
    return connection.execute(
        "SELECT d.id, o.uuid, o.id FROM document d LEFT JOIN document o ON o.id = d.owner WHERE d.id ="
        " coalesce((SELECT id FROM document WHERE uuid = ?1), (SELECT document FROM alias WHERE uuid = ?1))",
        (uuid,),
    ).fetchone()


def zaak_of_contact(connection: sqlite3.Connection, uuid: bytes) -> tuple[str, bytes] | None:
    """The source and zaak of a held klantcontact."""
    return connection.execute(
        "SELECT s.name, r.zaak FROM raw r JOIN source s ON s.id = r.source"
        " WHERE r.uuid = ? AND r.kind = ? AND r.zaak IS NOT NULL",
        (uuid, RAW_KIND["klantcontact"]),
    ).fetchone()


def bind_secret(store: Store, fingerprint: str) -> bool:
    """Tie the store to the fingerprint of its uuid secret. Out: is it the one the store was made with?"""
    with store.write() as connection:
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('uuid_secret', ?)", (fingerprint,))
        held = connection.execute("SELECT value FROM meta WHERE name = 'uuid_secret'").fetchone()[0]
    return held == fingerprint
