"""References that clients gave to documents from the legacy (M19): they follow what they name.

What is named may get another uuid (M6), go, or come back; then the document that refers to it is made again.
Call inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.kinds import KINDS, LEGACY_ORIGIN, RAW_KIND, RELATION
from gateway.store.base.session import Session
from gateway.store.edits import editing, local_rows
from gateway.store.edits.editing import KEPT
from gateway.store.edits.local_rows import LINK
from gateway.store.legacy.claims import Zaak
from gateway.store.legacy.ties import Moment


@dataclass(frozen=True, slots=True)
class Naming:
    """A reference of a client: the document (row and uuid) that has it, its part in `local`, and the uuid named."""

    source: int
    uuid: bytes
    relation: int
    part: str
    target: UUID


def clients_name(connection: Session) -> bool:
    """Did clients have any document from the legacy refer to another one?"""
    return bool(connection.one("SELECT EXISTS (SELECT 1 FROM named)")[0])


def known_as(connection: Session, rows: Iterable[int]) -> dict[bytes, int]:
    """The uuids of documents, and their other uuids, with the row of each."""
    found = connection.all(
        f"SELECT uuid, id FROM document WHERE id {IN_IDS}"
        f" UNION ALL SELECT uuid, document FROM alias WHERE document {IN_IDS}",
        (ids := id_list(rows), ids),
    )
    return dict(found)


def namings(connection: Session, targets: Iterable[bytes]) -> list[Naming]:
    """The references of clients that name one of these uuids, of documents from the legacy that are there."""
    found = []
    for marks, some in in_parts([str(UUID(bytes=target)) for target in targets]):
        for target, uuid, part in connection.all(
            f"SELECT target, uuid, part FROM named WHERE target IN ({marks})", some
        ):
            source = connection.one(
                "SELECT id, kind FROM document WHERE origin = ?2 AND id = coalesce((SELECT id FROM document"
                " WHERE uuid = ?1), (SELECT document FROM alias WHERE uuid = ?1))",
                (uuid, LEGACY_ORIGIN),
            )
            if source is not None:
                relation = RELATION[f"{KINDS[source[1] - 1]}.{part.removeprefix(LINK)}"]
                found.append(Naming(source[0], uuid, relation, part, UUID(target)))
    return found


def refers(connection: Session, source: int, relation: int, target: int) -> bool:
    """Does a document (row) refer to another one?"""
    found = connection.one(
        "SELECT 1 FROM link WHERE source = ? AND relation = ? AND target = ?", (source, relation, target)
    )
    return found is not None


def rename(connection: Session, naming: Naming, to: UUID) -> None:
    """Have a client's reference name its document by another uuid."""
    held = connection.one("SELECT value FROM local WHERE uuid = ? AND part = ?", (naming.uuid, naming.part))
    if held is not None:
        named = held[0].replace(str(naming.target), str(to))
        local_rows.correct(connection, naming.uuid, naming.part, named)


def forget(connection: Session, naming: Naming) -> None:
    """Forget a client's reference: what it names was destroyed."""
    local_rows.drop(connection, [(naming.uuid, naming.part)])


def astray(connection: Session, targets: Iterable[bytes]) -> set[int]:
    """The documents (rows) that do not refer to what a client named, of those that name one of these uuids."""
    found = set()
    for naming in namings(connection, targets):
        if naming.part in KEPT:
            continue  # standard_addresses.py sees to it
        held = editing.get(connection, naming.source)
        field = naming.part.removeprefix(LINK)
        named = editing.written(connection, held.uuid.bytes).get(naming.part, [])
        now = {editing.now_named(connection, UUID(text)) for text in named} - {None}
        if now != set(editing.uuids(connection, held.links.get(field, ())).values()):
            found.add(naming.source)
    return found


@dataclass(frozen=True, slots=True)
class Origins:
    """What to recompute to have documents made again: keys (rows), zaken, contactmomenten."""

    identities: set[int]
    zaken: set[Zaak]
    moments: set[Moment]


def origins(connection: Session, rows: Iterable[int]) -> Origins:
    """Where documents (rows) came from."""
    ids = id_list(rows)
    identities = connection.all(
        "SELECT DISTINCT k.identity FROM claim_key k WHERE k.statement IN"
        f" (SELECT statement FROM made_of_statement WHERE document {IN_IDS}"
        f" UNION SELECT id FROM statement WHERE document {IN_IDS})",
        (ids, ids),
    )
    raws = connection.all(
        "SELECT DISTINCT r.source, r.kind, r.uuid, r.zaak FROM made_of_raw m JOIN raw r ON r.id = m.raw"
        f" WHERE m.document {IN_IDS}",
        (ids,),
    )
    moment = RAW_KIND["contactmoment"]
    return Origins(
        {row[0] for row in identities},
        {(source, zaak) for source, kind, _, zaak in raws if zaak is not None and kind != moment},
        {(source, uuid) for source, kind, uuid, _ in raws if kind == moment},
    )
