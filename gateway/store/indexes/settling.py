"""The end of each transaction that wrote: what hangs on documents is brought in step with what was done to them."""

from __future__ import annotations

from gateway.base import correlation
from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.kinds import KIND
from gateway.store.base.session import Session
from gateway.store.indexes import profiles, spans, text_search

_PARTIJ = KIND["partij"]
_NOTE = (
    "INSERT INTO export_due (uuid, kind) VALUES (?, ?)"
    " ON CONFLICT (uuid) DO UPDATE SET version = export_due.version + 1, next_try = 0"
)


def settle(connection: Session) -> None:
    """Count, profile and index the documents that this transaction wrote, and note them for the export. Before it is
    committed."""
    spans.settle(connection)
    profiles.settle(connection)
    _note_for_export(connection)
    _note_subjects(connection)
    _forget_marks(connection)
    text_search.settle(connection)
    connection.changes.clear()


def _note_for_export(connection: Session) -> None:
    """Note which documents came, changed or went, once the export to a register began."""
    changes = connection.changes
    if not changes.touched and not changes.gone:
        return
    (noting,) = connection.one("SELECT noting FROM export_state")
    if not noting:
        return
    held = connection.all(f"SELECT uuid, kind FROM document WHERE id {IN_IDS}", (id_list(changes.touched),))
    connection.many(_NOTE, [*held, *((uuid, kind) for kind, uuid in changes.gone)])


def _note_subjects(connection: Session) -> None:
    """Tell whom this transaction was about, when somebody counts that: partijen, also by what belongs to them."""
    operation = correlation.current()
    if operation is None or operation.subjects is None:
        return
    changes = connection.changes
    operation.subjects.lost(sum(kind == _PARTIJ for kind, _ in changes.gone))
    rows = connection.all(
        f"SELECT id FROM document WHERE +kind = {_PARTIJ} AND id {IN_IDS} UNION"
        " SELECT p.id FROM document d JOIN document p ON p.id = d.owner"
        f" WHERE p.kind = {_PARTIJ} AND d.id {IN_IDS}",
        (id_list(changes.touched), id_list(changes.touched)),
    )
    operation.subjects.add(row for (row,) in rows)


def _forget_marks(connection: Session) -> None:
    """Of what stood in files for a register and is no more, only that it was there is kept."""
    for marks, uuids in in_parts(uuid for _, uuid in connection.changes.gone):
        filed = connection.all(f"SELECT DISTINCT uuid FROM export_filed WHERE uuid IN ({marks})", uuids)
        if filed:
            connection.many("DELETE FROM export_filed WHERE uuid = ?", filed)
            connection.many(
                "INSERT INTO export_filed (uuid, marks) VALUES (?, ?)", [(uuid, b"") for (uuid,) in filed]
            )
