"""Documents whose legacy objects are no more, while documents of clients still refer to them (M6, M20).

Call inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from gateway.store.base.bound_lists import IN_IDS, id_list
from gateway.store.base.kinds import KIND, KINDS, LOCAL_ORIGIN, ON_DELETE, RELATIONS, OnDelete
from gateway.store.base.session import Session
from gateway.store.documents import rows as document_rows
from gateway.store.edits import deleting, editing, references
from gateway.store.edits.adopted import give_back
from gateway.store.edits.editing import local_values
from gateway.store.edits.joined_partijen import go_along
from gateway.store.edits.standard_addresses import forget_preferred
from mappings.rules.vanished import vanished


def remove_gone(connection: Session, gone: Iterable[int], *, keep: bool = True) -> tuple[set[int], set[int]]:
    """Remove documents that the legacy no longer gives.

    What clients wrote and refers to one of them goes on to the document that now answers for its uuid (M6), for as long
    as it does (`moving`). Without
    such a one the document stays for their sake, with nothing but what clients wrote in it; unless it is a partij and
    these need not be kept: then what is nothing without it is deleted too (M20). What clients made themselves is theirs
    again (M19). Out: documents from the legacy (rows) that lost what a client had them refer to, to be made again; and
    those that are a client's again.
    """
    rows = set(gone)
    if not rows:
        return set(), set()
    returned = give_back(connection, rows)
    rows -= returned
    along: set[int] = set()
    lost = _named(connection, rows, keep=keep) if references.clients_name(connection) else set()
    for source, relation, target in _references_of_clients(connection, rows):
        survivor = _survivor(connection, target)
        if survivor is not None:
            go_along(connection, source, relation, target, survivor)
        elif ON_DELETE[RELATIONS[relation - 1]] is not OnDelete.LOSE and target in rows:
            if not keep and _is_partij(connection, target):
                along.add(target)
                continue
            rows.discard(target)
            _keep(connection, target)
    for partij in sorted(along):
        try:
            rows |= deleting.along(connection, partij)
        except deleting.Protected:  # a client's vestigingsnummer stands under its KVK number
            rows.discard(partij)
            _keep(connection, partij)
    document_rows.remove_documents(connection, rows)
    return lost - rows, returned


def _named(connection: Session, rows: set[int], *, keep: bool) -> set[int]:
    """See to references that clients gave to documents from the legacy; what stays for them goes from `rows`."""
    lost = set()
    known_as = references.known_as(connection, rows)
    for each in references.namings(connection, known_as):
        target = known_as[each.target.bytes]
        if (
            each.source in rows
            or ON_DELETE[RELATIONS[each.relation - 1]] is OnDelete.LOSE
            or not references.refers(connection, each.source, each.relation, target)
            or _survivor(connection, target) is not None
        ):
            continue
        if keep or not _is_partij(connection, target):
            if target in rows:
                rows.discard(target)
                _keep(connection, target)
            (uuid,) = editing.uuids(connection, [target]).values()
            references.rename(connection, each, uuid)
        else:
            references.forget(connection, each)
            document_rows.unlink(connection, [(each.source, each.relation, target)])
            lost.add(each.source)
    return lost


def _survivor(connection: Session, row: int) -> int | None:
    """The document that now answers for the uuid of this one (M6)."""
    found = connection.one(
        "SELECT a.document FROM document d JOIN alias a ON a.uuid = d.uuid WHERE d.id = ?", (row,)
    )
    return found[0] if found else None


def _references_of_clients(connection: Session, rows: set[int]) -> list[tuple[int, int, int]]:
    return connection.all(
        "SELECT l.source, l.relation, l.target FROM link l JOIN document s ON s.id = l.source"
        f" WHERE l.target {IN_IDS} AND s.origin = ? ORDER BY l.source, l.relation",
        (id_list(rows), LOCAL_ORIGIN),
    )


def _is_partij(connection: Session, row: int) -> bool:
    (kind,) = connection.one("SELECT kind FROM document WHERE id = ?", (row,))
    return bool(kind == KIND["partij"])


def _keep(connection: Session, row: int) -> None:
    kind, uuid, body = connection.one("SELECT kind, uuid, body FROM document WHERE id = ?", (row,))
    if kind == KIND["partij"]:
        forget_preferred(connection, row)
    left = vanished(KINDS[kind - 1], orjson.loads(body)) | local_values(connection, uuid)
    columns = {"origin": LOCAL_ORIGIN, "owner": row, "body": orjson.dumps(left).decode()}
    document_rows.update(connection, {row: columns})
    connection.run("INSERT INTO kept VALUES (?) ON CONFLICT DO NOTHING", (uuid,))
    # Its keys are nobody's now, or are a partij's of their own again.
    document_rows.drop_all_aliases(connection, row)
