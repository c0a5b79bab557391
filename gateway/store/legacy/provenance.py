"""From what each document was made (M4), and with which partij, actor or klantcontact: its owner.

Call inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.kinds import KIND
from gateway.store.base.session import Session


def owned_documents(connection: Session, owners: Iterable[int]) -> dict[bytes, int]:
    """The documents made with these partijen, actoren or klantcontacten, themselves included: uuid to row."""
    return dict(
        connection.all(
            f"SELECT uuid, id FROM document WHERE owner {IN_IDS}",
            (id_list(owners),),
        )
    )


def document_ids(connection: Session, kind: str, uuids: Iterable[bytes]) -> set[int]:
    """Rows of the documents of `kind` among `uuids`."""
    found = set[int]()
    for marks, some in in_parts(uuids):
        rows = connection.all(
            f"SELECT id FROM document WHERE uuid IN ({marks}) AND +kind = ?", (*some, KIND[kind])
        )
        found.update(row[0] for row in rows)
    return found


def document_of(connection: Session, uuid: bytes) -> tuple[int, bytes | None, int | None] | None:
    """A document by its uuid or another uuid of it: (row, uuid of its owner, row of its owner)."""
    found: tuple[int, bytes | None, int | None] | None = connection.one(
        "SELECT d.id, o.uuid, o.id FROM document d LEFT JOIN document o ON o.id = d.owner WHERE d.id ="
        " coalesce((SELECT id FROM document WHERE uuid = ?1), (SELECT document FROM alias WHERE uuid = ?1))",
        (uuid,),
    )
    return found


def left_alone(connection: Session, statements: Iterable[int]) -> dict[bytes, int]:
    """What was made of these statements with a partij that a client deleted since: uuid to row.

    A contactpersoon stays when its organisation is deleted, and what a client gave to another partij before, but
    nothing else leads to it any more.
    """
    return _without_owner(connection, "made_of_statement", "statement", statements)


def left_alone_by(connection: Session, raws: Iterable[int]) -> dict[bytes, int]:
    """What was made of these legacy objects (rows) with a klantcontact that a client deleted since: uuid to row."""
    return _without_owner(connection, "made_of_raw", "raw", raws)


def _without_owner(connection: Session, table: str, column: str, origins: Iterable[int]) -> dict[bytes, int]:
    there = connection.one("SELECT EXISTS (SELECT 1 FROM document WHERE owner IS NULL)")
    if not there[0]:
        return {}
    return dict(
        connection.all(
            f"SELECT d.uuid, d.id FROM {table} m JOIN document d ON d.id = m.document"
            f" WHERE m.{column} {IN_IDS} AND d.owner IS NULL",
            (id_list(origins),),
        )
    )


def put_statement_provenance(connection: Session, wanted: dict[int, set[int]]) -> None:
    """Write from which statements each document that belongs to a partij was made (M4)."""
    _put_pairs(connection, "made_of_statement", "statement", wanted)


def put_raw_provenance(connection: Session, wanted: dict[int, set[int]]) -> None:
    """Write from which legacy objects each document of a klantcontact was made (M4)."""
    _put_pairs(connection, "made_of_raw", "raw", wanted)


def _put_pairs(connection: Session, table: str, column: str, wanted: dict[int, set[int]]) -> None:
    held: dict[int, set[int]] = {document: set() for document in wanted}
    for document, origin in connection.all(
        f"SELECT document, {column} FROM {table} WHERE document {IN_IDS}", (id_list(wanted),)
    ):
        held[document].add(origin)
    gone = [(document, origin) for document, origins in held.items() for origin in origins - wanted[document]]
    come = [(document, origin) for document, origins in wanted.items() for origin in origins - held[document]]
    made_otherwise(connection, {document for document, _ in (*gone, *come)})
    connection.many(f"DELETE FROM {table} WHERE document = ? AND {column} = ?", gone)
    connection.many(f"INSERT INTO {table} (document, {column}) VALUES (?, ?)", come)


def forget_raws(connection: Session, raws: Iterable[int]) -> None:
    """Nothing was made of these legacy objects (rows) any more: they are about to go."""
    _forget(connection, "made_of_raw", "raw", raws)


def forget_statements(connection: Session, statements: Iterable[int]) -> None:
    """Nothing was made of these statements (rows) any more: they are about to go."""
    _forget(connection, "made_of_statement", "statement", statements)


def _forget(connection: Session, table: str, column: str, origins: Iterable[int]) -> None:
    ids = id_list(origins)
    if connection.changes.watcher is not None:
        found = connection.all(f"SELECT DISTINCT document FROM {table} WHERE {column} {IN_IDS}", (ids,))
        made_otherwise(connection, {row for (row,) in found})
    connection.run(f"DELETE FROM {table} WHERE {column} {IN_IDS}", (ids,))


def made_otherwise(connection: Session, documents: Collection[int]) -> None:
    """Tell whoever watches that what these documents (rows) are made of is about to change."""
    watcher = connection.changes.watcher
    if watcher is not None and documents:
        watcher.lead(connection, documents)
