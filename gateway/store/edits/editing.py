"""What clients write: local documents, and local values and tombstones over documents from the legacy (M19).

A document from the legacy is made again at every ingest. What a client changed of it is kept apart, in `local`, by
the uuid of the document and the part that changed, and laid over it each time; a deleted one leaves a tombstone.
Call inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from gateway.base.clock import now
from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.kinds import (
    KIND,
    KINDS,
    LEGACY_ORIGIN,
    LOCAL_ORIGIN,
    ORDERED,
    RAW_KIND,
    RELATION,
    RELATIONS,
)
from gateway.store.base.session import Session
from gateway.store.documents import rows as document_rows
from gateway.store.documents.reading import Row
from gateway.store.edits import local_rows
from gateway.store.edits.local_rows import LINK
from gateway.store.indexes import tallies
from gateway.store.legacy.hidden_statements import hide

# Fields that M18 takes from one rol together become local together.
# No group may have the name of a field: `adres` is one of a digitaleadres.
GROUPS: Mapping[str, tuple[str, ...]] = {"postadressen": ("bezoekadres", "correspondentieadres")}
GROUP_OF = {field: group for group, fields in GROUPS.items() for field in fields}
TOMBSTONE = ""
# A reference of a client's document that went on to the survivor of a join of keys (M6): noted under the uuid that the
# client named, see joined_partijen.py.
MOVED = "moved "
# A client's own address that is not the standard one for as long as its partij is one with another that has one.
WAITS = f"{MOVED}isStandaardAdres"
# What of a document is emptied when the one that it refers to is deleted: without the organisatie a contactpersoon
# is nobody's.
EMPTIED_WITH: Mapping[str, str] = {"partij.werkteVoorPartij": "partijIdentificatie"}
# A choice that counts for as long as what was chosen is there and the partij's own (standard_addresses.py).
KEPT = (f"{LINK}voorkeursDigitaalAdres",)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class EditableDocument:
    """A document as it is held: `links` by field name, as rows of documents in their order."""

    id: int
    kind: str
    uuid: UUID
    origin: int
    created: int
    moment: int
    body: dict[str, Any]
    links: dict[str, list[int]]


def get(connection: Session, row: int) -> EditableDocument:
    """A document with its links. Raises KeyError when it isn't there."""
    found = connection.one(
        "SELECT kind, uuid, origin, created, moment, body FROM document WHERE id = ?", (row,)
    )
    if found is None:
        raise KeyError(row)
    links: dict[str, list[int]] = {}
    for relation, target in connection.all(
        "SELECT l.relation, l.target FROM link l JOIN document d ON d.id = l.target"
        " WHERE l.source = ? ORDER BY coalesce(l.place, d.created), d.uuid",
        (row,),
    ):
        links.setdefault(RELATIONS[relation - 1].split(".", 1)[1], []).append(target)
    kind, uuid, origin, created, moment, body = found
    return EditableDocument(
        row, KINDS[kind - 1], UUID(bytes=uuid), origin, created, moment, orjson.loads(body), links
    )


def create(
    connection: Session,
    kind: str,
    uuid: UUID,
    body: Mapping[str, Any],
    links: Mapping[str, Sequence[int]],
    moment: int | None = None,
) -> int:
    """A new local document; out: its row. `moment` is what lists sort on first, when it isn't now."""
    newest = connection.one(
        "SELECT created FROM document WHERE origin = 1 AND id = (SELECT max(id) FROM document)"
    )
    created = max(now(), newest[0] + 1 if newest else 0)  # two in one request keep their order
    row = document_rows.insert_one(
        connection,
        KIND[kind],
        uuid.bytes,
        LOCAL_ORIGIN,
        orjson.dumps(body).decode(),
        created,
        created if moment is None else moment,
        its_own=True,
    )
    _set_links(connection, row, kind, {}, links)
    return row


def update(
    connection: Session,
    held: EditableDocument,
    body: Mapping[str, Any],
    links: Mapping[str, Sequence[int]],
    moment: int | None = None,
) -> None:
    """Make a document what a client says; of one from the legacy, only what differs becomes local."""
    if _of_the_legacy(connection, held):
        parts = {_part(field) for field in {*body, *held.body} if body.get(field) != held.body.get(field)}
        for part in sorted(parts):
            fields = GROUPS.get(part, (part,))
            _note(connection, held.uuid, part, {field: body.get(field) for field in fields})
        for field in {*links, *held.links}:
            targets, before = list(links.get(field, ())), held.links.get(field, [])
            ordered = f"{held.kind}.{field}" in ORDERED
            if targets != before if ordered else sorted(targets) != sorted(before):
                _note(connection, held.uuid, LINK + field, _spelled(connection, targets, ordered=ordered))
    _write(connection, held, body, links, held.moment if moment is None else moment)


def amend(
    connection: Session,
    held: EditableDocument,
    body: Mapping[str, Any],
    links: Mapping[str, Sequence[int]],
) -> None:
    """Make a document what follows from a write to another one.

    For one from the legacy `overlay` finds the same again each time, so nothing becomes local by it; but what a
    client had said before of the same field is put right.
    """
    if _of_the_legacy(connection, held):
        for part in written(connection, held.uuid.bytes):
            if part in KEPT:
                continue
            if part.startswith(LINK):
                field = part.removeprefix(LINK)
                ordered = f"{held.kind}.{field}" in ORDERED
                spelled = _spelled(connection, links.get(field, ()), ordered=ordered)
                _note(connection, held.uuid, part, spelled)
            elif part != TOMBSTONE:
                fields = GROUPS.get(part, (part,))
                _note(connection, held.uuid, part, {field: body.get(field) for field in fields})
    _write(connection, held, body, links, held.moment)


def _of_the_legacy(connection: Session, held: EditableDocument) -> bool:
    """Does a document come from the legacy, or may it come from there again (M20)?"""
    return held.origin == LEGACY_ORIGIN or is_kept(connection, held.uuid)


def is_kept(connection: Session, uuid: UUID) -> bool:
    """Does a document stay for clients' sake whose legacy objects are no more (M20)?"""
    return connection.one("SELECT 1 FROM kept WHERE uuid = ?", (uuid.bytes,)) is not None


def withdraw(connection: Session, held: EditableDocument, field: str) -> None:
    """Forget what a client wrote in a field of a document from the legacy: from now on it follows from other
    documents."""
    others = connection.all("SELECT uuid FROM alias WHERE document = ?", (held.id,))
    known_as = (held.uuid.bytes, *(uuid for (uuid,) in others))
    local_rows.drop(connection, [(uuid, _part(field)) for uuid in known_as])


def become_local(
    connection: Session,
    held: EditableDocument,
    legacy: Mapping[str, Any],
    filled: Iterable[str],
    links: Mapping[str, Sequence[int]],
) -> None:
    """Count what a client filled in on a document of its own as edits, now that the legacy knows that document too.

    In: the document as the client made it, its body as the legacy says it, the fields that say something, and the
    references that only the client gave.
    """
    for part in sorted({_part(field) for field in filled if held.body[field] != legacy.get(field)}):
        fields = GROUPS.get(part, (part,))
        _note(connection, held.uuid, part, {field: held.body.get(field) for field in fields})
    for field, targets in links.items():
        _note(connection, held.uuid, LINK + field, _spelled(connection, targets))


def row(connection: Session, number: int) -> Row:
    """A document as the read side has it. Raises KeyError when it isn't there."""
    found: Row | None = connection.one("SELECT id, uuid, body FROM document WHERE id = ?", (number,))
    if found is None:
        raise KeyError(number)
    return found


def uuids(connection: Session, rows: Iterable[int]) -> dict[int, UUID]:
    """The uuids of documents, by row."""
    ids = id_list(rows)
    found = connection.all(f"SELECT id, uuid FROM document WHERE id {IN_IDS}", (ids,)) if ids else []
    return {row: UUID(bytes=uuid) for row, uuid in found}


def microseconds(text: str) -> int:
    """A time as the API writes it, as the store has it. Raises ValueError."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def remove(connection: Session, rows: Iterable[int], root: UUID) -> None:
    """Remove documents that a client deleted with `root`; those from the legacy leave a tombstone."""
    ids = sorted(set(rows))
    for uuid, kind, owner in connection.all(
        "SELECT d.uuid, d.kind, coalesce(o.uuid, (SELECT r.uuid FROM made_of_raw m JOIN raw r ON r.id = m.raw"
        f" WHERE m.document = d.id AND r.kind IN ({RAW_KIND['klantcontact']}, {RAW_KIND['contactmoment']}) LIMIT 1))"
        " FROM document d LEFT JOIN document o ON o.id = d.owner"
        f" WHERE (d.origin = 0 OR d.uuid IN (SELECT uuid FROM kept)) AND d.id {IN_IDS}",
        (id_list(ids),),
    ):
        about = {
            "kind": KINDS[kind - 1],
            "root": str(root),
            "owner": str(UUID(bytes=owner)) if owner else None,
        }
        _note(connection, UUID(bytes=uuid), TOMBSTONE, about)
    hide(connection, ids)
    # A contact that is deleted itself gets no finding that an actor stays away from it (M31).
    told = connection.all(
        "DELETE FROM raw_finding WHERE rule = 'M31' AND raw IN (SELECT m.raw FROM made_of_raw m JOIN document d"
        f" ON d.id = m.document WHERE +d.kind = {KIND['klantcontact']} AND d.id {IN_IDS}) RETURNING rule",
        (id_list(ids),),
    )
    tallies.findings_go(connection, told)
    local_rows.drop(connection, [(uuid.bytes, WAITS) for uuid in uuids(connection, ids).values()])
    document_rows.disown(connection, ids)
    document_rows.remove_documents(connection, ids)


def take_up(connection: Session, root: UUID) -> list[dict[str, Any]]:
    """Lift the tombstones that were laid with `root`; out: what each says of its document."""
    lifted = []
    for uuid, value in connection.all(
        "SELECT uuid, value FROM local WHERE part = ? AND value ->> '$.root' = ?", (TOMBSTONE, str(root))
    ):
        local_rows.drop(connection, [(uuid, TOMBSTONE)])
        lifted.append(orjson.loads(value) | {"uuid": str(UUID(bytes=uuid))})
    return lifted


def forget_values(connection: Session, owners: Iterable[bytes]) -> None:
    """Forget what clients wrote of these partijen and actoren (uuids) that they deleted, and of what belonged to them;
    that they were deleted stays."""
    for owner in owners:
        parts = connection.all(
            f"SELECT uuid, part FROM local WHERE part != '{TOMBSTONE}' AND uuid IN (SELECT uuid FROM local"
            f" WHERE part = '{TOMBSTONE}' AND (uuid = ?1 OR value ->> '$.owner' = ?2))",
            (owner, str(UUID(bytes=owner))),
        )
        local_rows.drop(connection, parts)


def local_values(connection: Session, uuid: bytes) -> dict[str, Any]:
    """The fields of a document that clients wrote, without references."""
    values: dict[str, Any] = {}
    for part, value in written(connection, uuid).items():
        if part != TOMBSTONE and not part.startswith(LINK):
            values |= value
    return values


def written(connection: Session, uuid: bytes) -> dict[str, Any]:
    """What clients wrote of a document by part, also under another uuid of it (M6); its own goes before."""
    others = connection.all(
        "SELECT a.uuid FROM document d JOIN alias a ON a.document = d.id WHERE d.uuid = ? ORDER BY a.uuid",
        (uuid,),
    )
    found: dict[str, Any] = {}
    for each in (uuid, *(row[0] for row in others)):
        for part, value in local_parts(connection, {each}).get(each, {}).items():
            if (part != TOMBSTONE or each == uuid) and not part.startswith(MOVED):
                found.setdefault(part, value)
    return found


def _part(field: str) -> str:
    return GROUP_OF.get(field, field)


def _note(connection: Session, uuid: UUID, part: str, value: object) -> None:
    local_rows.put(connection, uuid.bytes, part, value)


def local_parts(connection: Session, uuids: set[bytes]) -> dict[bytes, dict[str, Any]]:
    """What clients wrote of these documents, by part; of a reference the uuids."""
    found: dict[bytes, dict[str, Any]] = {}
    for marks, some in in_parts(uuids):
        rows = connection.all(f"SELECT uuid, part, value FROM local WHERE uuid IN ({marks})", some)
        for uuid, part, value in rows:
            found.setdefault(uuid, {})[part] = orjson.loads(value)
    return found


def _spelled(connection: Session, rows: Iterable[int], *, ordered: bool = False) -> list[str]:
    rows = list(rows)
    named = uuids(connection, rows)
    spelled = [str(named[row]) for row in rows]
    return spelled if ordered else sorted(spelled)


def _write(
    connection: Session,
    held: EditableDocument,
    body: Mapping[str, Any],
    links: Mapping[str, Sequence[int]],
    moment: int,
) -> None:
    columns: dict[str, Any] = {"body": orjson.dumps(body).decode()}
    if moment != held.moment:
        columns["moment"] = moment
    document_rows.update(connection, {held.id: columns})
    _set_links(connection, held.id, held.kind, held.links, links)


def exists(connection: Session, uuid: UUID) -> bool:
    """Is there a document of this uuid?"""
    return connection.one("SELECT 1 FROM document WHERE uuid = ?", (uuid.bytes,)) is not None


def now_named(connection: Session, uuid: UUID) -> UUID | None:
    """The uuid now of a document that a client named (M6); that very one when a client deleted it, None when it is no
    more."""
    found = connection.one(
        "SELECT uuid FROM document WHERE uuid = ?1 UNION ALL"
        " SELECT d.uuid FROM alias a JOIN document d ON d.id = a.document WHERE a.uuid = ?1",
        (uuid.bytes,),
    )
    if found is not None:
        return UUID(bytes=found[0])
    return uuid if TOMBSTONE in local_parts(connection, {uuid.bytes}).get(uuid.bytes, {}) else None


def _set_links(
    connection: Session,
    row: int,
    kind: str,
    before: Mapping[str, Sequence[int]],
    after: Mapping[str, Sequence[int]],
) -> None:
    held = {(RELATION[f"{kind}.{field}"], target) for field, targets in before.items() for target in targets}
    wanted = {(RELATION[f"{kind}.{field}"], target) for field, targets in after.items() for target in targets}
    document_rows.unlink(connection, [(row, *link) for link in sorted(held - wanted)])
    document_rows.link(connection, [(row, *link) for link in sorted(wanted - held)])
    for field, targets in after.items():
        if f"{kind}.{field}" in ORDERED and list(targets) != before.get(field):
            document_rows.keep_order(connection, row, RELATION[f"{kind}.{field}"], targets)
