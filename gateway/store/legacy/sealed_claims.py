"""What legacy objects say of a partij or actor that a client deleted: kept without its content, by sealed keys (M19).

Call inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.kinds import RAW_KINDS
from gateway.store.base.session import Session
from gateway.store.legacy.claims import IDENTITY_BYTES


class Statement(NamedTuple):
    """A statement that is to be sealed: its row, digest and body."""

    row: int
    digest: bytes
    body: str


class Origin(NamedTuple):
    """The newest legacy object that makes a statement, and in which part of it: source, kind, body, facet."""

    source: str
    kind: str
    body: bytes | None
    facet: str


def anybody_deleted(connection: Session) -> bool:
    """Did a client delete a partij or actor that a legacy object speaks of?"""
    (found,) = connection.one(
        "SELECT EXISTS (SELECT 1 FROM hidden) OR EXISTS (SELECT 1 FROM statement WHERE sealed = 1)"
    )
    return bool(found)


def to_seal(connection: Session) -> list[Statement]:
    """The statements about a partij or actor that a client deleted, as far as they can still be read."""
    rows = connection.all(
        "SELECT s.id, s.digest, s.body FROM hidden h JOIN statement s ON s.id = h.statement"
        " WHERE s.sealed = 0 AND s.document IS NULL ORDER BY s.id"
    )
    return [Statement(*row) for row in rows]


def seal(connection: Session, found: Iterable[Statement]) -> None:
    """Write statements as they are kept sealed."""
    connection.many(
        "UPDATE statement SET sealed = 1, digest = ?, body = ? WHERE id = ?",
        [(each.digest, each.body, each.row) for each in found],
    )


def only_in_sealed(connection: Session, identities: Iterable[int]) -> list[tuple[int, str]]:
    """The keys (row and text) among these that no statement has that can be read."""
    return connection.all(
        f"SELECT i.id, i.key FROM identity i WHERE i.id {IN_IDS} AND NOT EXISTS (SELECT 1 FROM claim_key k"
        " JOIN statement s ON s.id = k.statement WHERE k.identity = i.id AND s.sealed = 0)",
        (id_list(identities),),
    )


def spell(connection: Session, keys: Iterable[tuple[int, str]]) -> None:
    """Write keys (row and text) otherwise."""
    connection.many("UPDATE identity SET key = ? WHERE id = ?", [(text, row) for row, text in keys])


def respell(connection: Session, texts: Iterable[tuple[str, str]]) -> None:
    """Write keys otherwise: pairs of how they are held and how they are to be held."""
    connection.many("UPDATE identity SET key = ?2 WHERE key = ?1", texts)


def held_among(connection: Session, texts: Iterable[str]) -> list[str]:
    """Which of these keys are held, spelled so."""
    found: list[str] = []
    for marks, some in in_parts(texts):
        found += [row[0] for row in connection.all(f"SELECT key FROM identity WHERE key IN ({marks})", some)]
    return sorted(found)


def identities_of(connection: Session, statements: Iterable[int]) -> set[int]:
    """The keys (rows) of these statements."""
    rows = connection.all(
        f"SELECT DISTINCT identity FROM claim_key WHERE statement {IN_IDS}", (id_list(statements),)
    )
    return {row[0] for row in rows}


def sealed_among(connection: Session, statements: Iterable[int]) -> list[int]:
    """Which of these statements (rows) are sealed."""
    rows = connection.all(
        f"SELECT id FROM statement WHERE id {IN_IDS} AND sealed = 1 ORDER BY id", (id_list(statements),)
    )
    return [row[0] for row in rows]


def sealed_with(connection: Session, keys: Sequence[str]) -> list[int]:
    """The sealed statements (rows) with one of these keys, as they are held."""
    found: set[int] = set()
    for marks, some in in_parts(keys):
        rows = connection.all(
            "SELECT s.id FROM identity i JOIN claim_key k ON k.identity = i.id JOIN statement s ON s.id = k.statement"
            f" WHERE i.key IN ({marks}) AND s.sealed = 1",
            some,
        )
        found.update(row[0] for row in rows)
    return sorted(found)


def origin(connection: Session, statement: int) -> Origin | None:
    """Where a statement (row) can be read again; None when nobody makes it any more."""
    row = connection.one(
        "SELECT o.name, r.kind, r.body, c.facet FROM claim c JOIN raw r ON r.id = c.raw"
        " JOIN source o ON o.id = r.source WHERE c.statement = ? ORDER BY c.moment DESC, c.rol DESC LIMIT 1",
        (statement,),
    )
    return Origin(row[0], RAW_KINDS[row[1] - 1], row[2], row[3]) if row else None


def open_again(connection: Session, statement: int, first_key: str, said: bytes, body: str) -> bool:
    """Write a statement (row) with what it says. In: its first key and the digest of what is said. Out: False when
    another statement says that already."""
    row = connection.one("SELECT id FROM identity WHERE key = ?", (first_key,))
    if row is None:
        return False
    digest = row[0].to_bytes(IDENTITY_BYTES, "big") + said
    changed = connection.run(
        "UPDATE statement SET sealed = 0, digest = ?1, body = ?2 WHERE id = ?3"
        " AND NOT EXISTS (SELECT 1 FROM statement WHERE digest = ?1)",
        (digest, body, statement),
    )
    return changed == 1


def nobodys(connection: Session, uuids: Iterable[bytes]) -> set[bytes]:
    """Those among these partijen and actoren that a client deleted and that no statement is about any more."""
    return {uuid for uuid in uuids if connection.one("SELECT 1 FROM hidden WHERE uuid = ?", (uuid,)) is None}
