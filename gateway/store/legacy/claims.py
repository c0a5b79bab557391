"""What legacy objects say of partijen and actoren: claims, statements, identity keys. Call inside `Store.write()`.

A statement is the content of a claim. Rollen that say the same share one, so that a medewerker with thousands of
rollen is merged from a few rows: of each statement only its newest and its oldest claim matter (M18, M42).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.store.base.bound_lists import IN_IDS, bound, id_list, in_parts
from gateway.store.base.kinds import KIND, RAW_KIND, TRANSLATED
from gateway.store.base.row_ids import next_ids
from gateway.store.base.session import Session
from gateway.store.indexes import tallies
from gateway.store.legacy.provenance import forget_statements, made_otherwise
from mappings.identity.identity import Uuids
from mappings.identity.sealed import sealed_text

# A statement's digest: the row of its first key, then of what is said. So new ones lie together in their index.
IDENTITY_BYTES, STATEMENT_BYTES = 6, 10
# What is said by a statement `s`, in SQL.
SAID = f"substr(s.digest, {IDENTITY_BYTES + 1})"
Zaak = tuple[int, bytes]


@dataclass(slots=True)
class StatementRow:
    """A held statement: the moment and rol of its newest claim, the moment of its oldest."""

    id: int
    document: int | None
    body: str
    moment: int
    rol: bytes
    oldest: int


def asked_by_key(key: str) -> str:
    """The name under which it is remembered that a source was asked for all of a key (table `fetched`).

    The key is given sealed: that of somebody whom no source knows, or whom a client deleted, may not stand there.
    """
    return f"sleutel {key}"


def walked_by_key(key: str) -> str:
    """The name under which it is remembered that all parts of a key's party were read."""
    return asked_by_key(f"geheel {key}")


def walk_begun_by_key(key: str) -> str:
    """The name under which it is remembered that reading those began."""
    return asked_by_key(f"begonnen {key}")


def said_by(facet: str, body: str) -> bytes:
    """A digest of what a claim says; its keys are part of that."""
    return hashlib.blake2b(f"{facet}|{body}".encode(), digest_size=16).digest()[:STATEMENT_BYTES]


@dataclass(slots=True)
class NewClaim:
    """A claim of a legacy object (row and uuid) on its way in.

    `document` is the partij or actor that the object's claim of this facet was part of until now, if there was one.
    """

    raw: int
    rol: bytes
    facet: str
    moment: int
    body: str
    keys: Sequence[str]
    document: int | None = None


@dataclass(slots=True)
class Added:
    """What came of adding claims: the rows of their keys, and the legacy objects (rows) whose statement is not of them
    alone, so that it may be part of another partij or actor than what they said before."""

    identities: set[int]
    joined: set[int]


def insert_claims(connection: Session, claims: Sequence[NewClaim]) -> Added:
    """Add claims."""
    if not claims:
        return Added(set(), set())
    rows = _identities(connection, {key for claim in claims for key in claim.keys})
    digests = [
        rows[claim.keys[0]].to_bytes(IDENTITY_BYTES, "big") + said_by(claim.facet, claim.body)
        for claim in claims
    ]
    held = _rows_of(connection, "statement", "digest", set(digests))
    new = {digest: claim for digest, claim in zip(digests, claims, strict=True) if digest not in held}
    tallies.claims_come(connection, Counter(held[digest] for digest in digests if digest in held))
    if new:
        numbers = dict(zip(new, next_ids(connection, "statement", len(new)), strict=True))
        connection.many(
            "INSERT INTO statement (id, digest, document, body) VALUES (?, ?, ?, ?)",
            [(numbers[digest], digest, claim.document, claim.body) for digest, claim in new.items()],
        )
        connection.many(
            "INSERT INTO claim_key (identity, statement) VALUES (?, ?)",
            [(rows[key], numbers[digest]) for digest, claim in new.items() for key in set(claim.keys)],
        )
        held |= numbers
    connection.many(
        "INSERT INTO claim (raw, facet, statement, moment, rol) VALUES (?, ?, ?, ?, ?)",
        [
            (claim.raw, claim.facet, held[digest], claim.moment, claim.rol)
            for digest, claim in zip(digests, claims, strict=True)
        ],
    )
    joined = {
        claim.raw
        for digest, claim in zip(digests, claims, strict=True)
        if digest not in new or new[digest].document != claim.document
    }
    return Added(set(rows.values()), joined)


def _identities(connection: Session, keys: set[str]) -> dict[str, int]:
    """The rows of keys, made where they are not there yet."""
    rows = _rows_of(connection, "identity", "key", keys)
    unknown = sorted(keys - rows.keys())
    new = dict(zip(unknown, next_ids(connection, "identity", len(unknown)), strict=True))
    connection.many("INSERT INTO identity (id, key) VALUES (?, ?)", [(row, key) for key, row in new.items()])
    return rows | new


def _rows_of(connection: Session, table: str, column: str, values: Iterable[Any]) -> dict[Any, int]:
    """The rows that have one of these values in a unique column, by value."""
    found: dict[Any, int] = {}
    for marks, part in in_parts(values):
        found.update(connection.all(f"SELECT {column}, id FROM {table} WHERE {column} IN ({marks})", part))
    return found


@dataclass(slots=True)
class Taken:
    """What claims that were removed said: their keys (rows of identity) and statements (rows), and by legacy object
    (row) and facet the documents that they were part of."""

    identities: set[int]
    statements: set[int]
    documents: dict[tuple[int, str], int]


def take_claims(connection: Session, raws: Iterable[int]) -> Taken:
    """Remove the claims of these legacy objects."""
    ids = id_list(raws)
    held = connection.all(
        "SELECT c.raw, c.facet, s.id, s.document FROM claim c JOIN statement s ON s.id = c.statement"
        f" WHERE c.raw {IN_IDS}",
        (ids,),
    )
    statements = {statement for *_, statement, _ in held}
    keys = connection.all(
        f"SELECT DISTINCT identity FROM claim_key WHERE statement {IN_IDS}", (id_list(statements),)
    )
    identities = {row[0] for row in keys}
    if held:
        tallies.claims_go(connection, {raw for raw, *_ in held})
        connection.run(f"DELETE FROM claim WHERE raw {IN_IDS}", (ids,))
    documents = {(raw, facet): document for raw, facet, _, document in held if document is not None}
    return Taken(identities, statements, documents)


def part_of(connection: Session, raws: Iterable[int]) -> dict[tuple[int, str], int | None]:
    """The partij or actor that what these legacy objects say is part of, by legacy object (row) and facet; None: there
    is none, or a client deleted it."""
    rows = connection.all(
        "SELECT c.raw, c.facet, s.document FROM claim c JOIN statement s ON s.id = c.statement"
        f" WHERE c.raw {IN_IDS}",
        (id_list(raws),),
    )
    return {(raw, facet): document for raw, facet, document in rows}


def delete_unused_statements(connection: Session, statements: Iterable[int]) -> None:
    """Forget statements that nobody makes any more, with their keys, findings and provenance."""
    ids = id_list(statements)
    if not ids:
        return
    unused = connection.all(
        f"SELECT id FROM statement s WHERE id {IN_IDS}"
        " AND NOT EXISTS (SELECT 1 FROM claim WHERE statement = s.id)",
        (ids,),
    )
    if unused:
        forget_statements(connection, [row for (row,) in unused])
        connection.many("DELETE FROM statement WHERE id = ?", unused)


def delete_unused_identities(connection: Session, identities: Iterable[int], uuids: Uuids) -> None:
    """Forget keys that no statement has any more, and that they were asked: a BSN must not outlive its rollen (M35)."""
    unused = connection.all(
        f"SELECT id, key FROM identity i WHERE id {IN_IDS}"
        " AND NOT EXISTS (SELECT 1 FROM claim_key WHERE identity = i.id)",
        (id_list(identities),),
    )
    connection.many("DELETE FROM identity WHERE id = ?", [(row,) for row, _ in unused])
    # By source, because that is how they are found; a key of which nothing is held is only asked once more.
    connection.many(
        "DELETE FROM fetched WHERE source IN (SELECT id FROM source) AND key = ?",
        [
            (name(sealed_text(uuids, key)),)
            for _, key in unused
            for name in (asked_by_key, walked_by_key, walk_begun_by_key)
        ],
    )


def connected(connection: Session, identities: Iterable[int]) -> list[int]:
    """All statements that hang together with these keys, through any chain of shared keys (M6)."""
    asked: set[int] = set()
    statements: set[int] = set()
    ask = set(identities)
    while ask:
        asked |= ask
        found = connection.all(f"SELECT statement FROM claim_key WHERE identity {IN_IDS}", (id_list(ask),))
        new = {row[0] for row in found} - statements
        if not new:
            break
        statements |= new
        keys = connection.all(f"SELECT identity FROM claim_key WHERE statement {IN_IDS}", (id_list(new),))
        ask = {row[0] for row in keys} - asked
    return list(statements)


def connected_statements(connection: Session, identities: Iterable[int]) -> list[StatementRow]:
    """The statements that hang together with these keys, in an order that is not that of arrival."""
    rows = connection.all(
        "SELECT s.id, s.document, s.body, newest.moment, newest.rol,"
        " (SELECT min(moment) FROM claim WHERE statement = s.id) FROM statement s"
        " JOIN claim newest ON newest.id = (SELECT c.id FROM claim c WHERE c.statement = s.id"
        " ORDER BY c.moment DESC, c.rol DESC LIMIT 1)"
        f" WHERE s.id {IN_IDS} ORDER BY {SAID}",
        (id_list(connected(connection, identities)),),
    )
    return [StatementRow(*row) for row in rows]


def set_documents(connection: Session, pairs: Iterable[tuple[int | None, int]]) -> None:
    """Note which document each statement became part of: pairs of (document, statement)."""
    pairs = list(pairs)
    made_otherwise(connection, {document for document, _ in pairs if document is not None})
    connection.many("UPDATE statement SET document = ? WHERE id = ?", pairs)


def zaken_of(connection: Session, statements: Iterable[int]) -> set[Zaak]:
    """The zaken (source, uuid) of the rollen that make these statements."""
    return set(
        connection.all(
            "SELECT DISTINCT r.source, r.zaak FROM claim c JOIN raw r ON r.id = c.raw"
            f" WHERE c.statement {IN_IDS} AND r.zaak IS NOT NULL",
            (id_list(statements),),
        )
    )


# What a zaak's klantcontacten need


@dataclass(slots=True)
class DeelnemerRow:
    """A rol that became (part of) a partij or actor; its document (row) is None when a client deleted it."""

    zaak: bytes
    raw: int
    rol: bytes
    document: int | None
    uuid: bytes | None
    facts: str


def deelnemers(connection: Session, source: int, zaken: Sequence[bytes]) -> list[DeelnemerRow]:
    """The rollen of these zaken that became a partij or actor, also one that a client deleted."""
    marks, zaken = bound(zaken)
    rows = connection.all(
        "SELECT r.zaak, r.id, r.uuid, d.id, coalesce(d.uuid, h.uuid), r.facts FROM raw r"
        " JOIN claim c ON c.raw = r.id AND c.facet = 'zelf' JOIN statement s ON s.id = c.statement"
        " LEFT JOIN document d ON d.id = s.document"
        " LEFT JOIN hidden h ON s.document IS NULL AND h.statement = s.id"
        # The pluses keep SQLite from walking all objects of a source by an index on those columns.
        f" WHERE r.source = ? AND +r.kind = ? AND +r.state = ? AND r.zaak IN ({marks})",
        (source, RAW_KIND["rol"], TRANSLATED, *zaken),
    )
    return [DeelnemerRow(*row) for row in rows]


def other_uuids(connection: Session, documents: Iterable[int]) -> dict[int, set[bytes]]:
    """The other uuids of the partijen and actoren among these documents; one without any is there too."""
    found: dict[int, set[bytes]] = {}
    for document, other in connection.all(
        "SELECT d.id, a.uuid FROM document d LEFT JOIN alias a ON a.document = d.id"
        f" WHERE +d.kind IN ({KIND['partij']}, {KIND['actor']}) AND d.id {IN_IDS}",
        (id_list(documents),),
    ):
        found.setdefault(document, set()).update({other} - {None})
    return found
