"""Numbers for documents that have none (`[gateway] nummers = "uitdelen"`). Call inside `Store.write()`.

The first choice of a document follows from its uuid, by the secret of the installation: nothing has to be kept of it,
a rebuild gives it again, and the order in which documents come does not matter. Only when another document has that
number it gets the next one that is free, and that is kept: there, and only there, it matters who came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

import orjson

from gateway.store.base.bound_lists import in_parts
from gateway.store.base.kinds import KIND
from gateway.store.base.searched_fields import FIELD_NUMBER, kept_value
from gateway.store.base.session import Session
from gateway.store.documents import rows
from mappings.identity.identity import Uuids
from mappings.model.documents import Document

NUMBERED = ("partij", "klantcontact", "internetaak")
# Ten digits, of which the first is not zero: the same as a text and as a number.
FIRST, COUNT = 10**9, 9 * 10**9
AT_ONCE = 500

Owned = tuple[Document, bytes | None]


def first_choice(uuids: Uuids, kind: str, uuid: UUID) -> str:
    """The number that a document has unless another one has it."""
    return str(FIRST + uuids.derive("nummer", kind, str(uuid)).int % COUNT)


def number(connection: Session, documents: Sequence[Owned], uuids: Uuids) -> None:
    """Give those of these documents that have no number theirs; they are changed in place and written by who calls."""
    for kind in NUMBERED:
        of_kind = [document for document, _ in documents if document.kind == kind]
        bare = [document for document in of_kind if document.body.get("nummer") is None]
        if not bare:
            continue
        used = {document.body["nummer"] for document in of_kind} - {None}
        given = give(connection, kind, [document.uuid for document in bare], uuids, used)
        for document in bare:
            document.body = {**document.body, "nummer": given[document.uuid]}


def give(
    connection: Session,
    kind: str,
    documents: Sequence[UUID],
    uuids: Uuids,
    used: Iterable[str] = (),
) -> dict[UUID, str]:
    """The numbers of documents of a kind that have none of their own, by uuid.

    `used` are numbers of documents that are not written yet. A document always gets what it got before, unless a client
    has given that to another one meanwhile.
    """
    kept = _kept(connection, kind, documents)
    wanted = {uuid: kept.get(uuid.bytes) or first_choice(uuids, kind, uuid) for uuid in documents}
    taken = _holders(connection, kind, set(wanted.values()))
    given, gone = dict[UUID, str](), set(used)
    for uuid, value in sorted(wanted.items()):
        holders = taken.get(value, set())
        while value in gone or holders - {uuid.bytes}:
            value = str(FIRST + (int(value) - FIRST + 1) % COUNT)
            holders = _holders(connection, kind, [value]).get(value, set())
        if value != wanted[uuid]:
            connection.run(
                "INSERT INTO nummer (kind, uuid, value) VALUES (?1, ?2, ?3)"
                " ON CONFLICT (kind, uuid) DO UPDATE SET value = ?3",
                (KIND[kind], uuid.bytes, value),
            )
        gone.add(value)
        given[uuid] = value
    return given


def held_by_others(
    connection: Session, kind: str, numbers: Iterable[str], documents: Iterable[UUID]
) -> set[str]:
    """Those of these numbers that documents of a kind other than these (by any of their uuids) have."""
    holders = _holders(connection, kind, set(numbers))
    if not holders:
        return set()
    own = {uuid.bytes for uuid in documents}
    for marks, some in in_parts(own):
        rows = connection.all(
            f"SELECT d.uuid FROM alias a JOIN document d ON d.id = a.document WHERE a.uuid IN ({marks})", some
        )
        own = own | {row[0] for row in rows}
    return {value for value, uuids in holders.items() if uuids - own}


def number_what_clients_wrote(connection: Session, uuids: Uuids) -> int:
    """Give some of the documents of clients that have no number theirs; out: how many (0: all have one)."""
    count = 0
    for kind in NUMBERED:
        bare = connection.all(
            "SELECT id, uuid, body FROM document INDEXED BY document_local"
            " WHERE kind = ? AND origin = 1 AND body ->> '$.nummer' IS NULL LIMIT ?",
            (KIND[kind], AT_ONCE),
        )
        given = give(connection, kind, [UUID(bytes=uuid) for _, uuid, _ in bare], uuids)
        numbered = {
            row: {"body": orjson.dumps(orjson.loads(body) | {"nummer": given[UUID(bytes=uuid)]}).decode()}
            for row, uuid, body in bare
        }
        rows.update(connection, numbered)
        count += len(bare)
    return count


def _kept(connection: Session, kind: str, documents: Iterable[UUID]) -> dict[bytes, str]:
    if connection.one("SELECT 1 FROM nummer LIMIT 1") is None:
        return {}
    found: dict[bytes, str] = {}
    for marks, some in in_parts(uuid.bytes for uuid in documents):
        found.update(
            connection.all(
                f"SELECT uuid, value FROM nummer WHERE kind = ? AND uuid IN ({marks})", (KIND[kind], *some)
            )
        )
    return found


def _holders(connection: Session, kind: str, numbers: Iterable[str]) -> dict[str, set[bytes]]:
    """Who has each of these numbers, or had it given out instead of a first choice (uuids)."""
    holders: dict[str, set[bytes]] = defaultdict(set)
    sought = {kept_value(number): number for number in numbers}  # what is given out is short
    rows = connection.all(
        "SELECT n.value, d.uuid FROM json_each(CAST(?1 AS text)) n"
        f" CROSS JOIN field_value v ON v.field = {FIELD_NUMBER[kind, 'nummer']} AND v.value = n.value"
        " CROSS JOIN document d ON d.id = v.document"
        " UNION ALL SELECT n.value, k.uuid FROM json_each(CAST(?1 AS text)) n CROSS JOIN nummer k"
        f" WHERE k.kind = {KIND[kind]} AND k.value = n.value",
        (sorted(sought),),
    )
    for value, uuid in rows:
        holders[sought[value]].add(uuid)
    return holders
