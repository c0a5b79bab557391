"""Takes what belongs to a person out of the store, but for what came of legacy objects: that goes with those (ingest).

Call inside `Store.write()`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.session import Session
from gateway.store.edits import deleting, local_rows
from gateway.store.edits.editing import TOMBSTONE
from gateway.store.legacy.claims import asked_by_key, walk_begun_by_key, walked_by_key
from gateway.store.person import held

# Texts that operators and jobs keep, in which a uuid or number of somebody may stand: table, its key, the column.
_TEXTS = (
    ("verification", "id", "report"),
    ("export_report", "id", "report"),
    ("run", "id", "message"),
    ("event", "id", "why"),
    ("job_order", "id", "options"),
    ("job_order", "id", "outcome"),
    ("job_order", "id", "news"),
)
# What takes the place of a name that is erased.
ERASED = "gewist"


def delete_documents(connection: Session, rows: Collection[int], root: UUID) -> None:
    """Delete documents with what hangs on them; those of the legacy are hidden under `root`, until `lift`.

    Raises deleting.Protected, before anything changed.
    """
    deleting.delete(connection, sorted(rows), under=root)


def lift(connection: Session, root: UUID) -> None:
    """What was hidden under `root` only to erase it is not hidden any more: a source may give it again."""
    parts = connection.all(
        "SELECT uuid, part FROM local WHERE part = ? AND value ->> '$.root' = ?", (TOMBSTONE, str(root))
    )
    local_rows.drop(connection, parts)


def forget_edits(connection: Session, uuids: Iterable[bytes]) -> int:
    """Forget what clients wrote of these documents, and made of them before the legacy gave them (uuids); that a client
    deleted one stays: it is a uuid. Out: how much."""
    named = {*uuids}
    texts = [str(UUID(bytes=uuid)) for uuid in named]
    for marks, some in in_parts(texts):  # what they deleted along with these
        for column in ("owner", "root"):
            rows = connection.all(
                f"SELECT uuid FROM local WHERE part = '{TOMBSTONE}' AND value ->> '$.{column}' IN ({marks})",
                some,
            )
            named |= {uuid for (uuid,) in rows}
    total = 0
    for marks, some in in_parts(named):
        parts = connection.all(
            f"SELECT uuid, part FROM local WHERE part <> '{TOMBSTONE}' AND uuid IN ({marks})", some
        )
        local_rows.drop(connection, parts)
        total += len({tuple(part) for part in parts})
        for table, column in (
            ("adopted", "own"),
            ("adopted", "uuid"),
            ("kept", "uuid"),
            ("nummer", "uuid"),
            ("rebuild_note", "uuid"),
        ):
            connection.run(f"DELETE FROM {table} WHERE {column} IN ({marks})", some)
    return total


def forget_queues(connection: Session, found: Sequence[held.SentAway], *, follows: bool) -> None:
    """Forget what waits to go out of what is erased, and as what it went.

    In: what `held.sent_away` told; `follows`: a register is told what goes here. Then it is kept by which uuid that
    knows it, and nothing else, until the job has deleted it there.
    """
    for table in (held.OUTBOX, held.QUEUED, held.SENT):
        connection.many(
            f"DELETE FROM {table} WHERE id = ?", [(each.number,) for each in found if each.table == table]
        )
    pairs = [each for each in found if each.table == held.REGISTER and each.document]
    gone = [each for each in pairs if each.there is None or not follows]
    connection.many(
        "DELETE FROM export_pair WHERE own = ?", [(each.document.bytes,) for each in gone if each.document]
    )
    connection.many(
        "UPDATE export_pair SET digest = NULL, preferred = NULL, sent = NULL, marks = NULL, marks_there = NULL,"
        " cause = '', kept = '', overwritten = '' WHERE own = ?",
        [(each.document.bytes,) for each in pairs if each.document],
    )


def forget_findings(connection: Session, uuids: Iterable[bytes]) -> None:
    """Forget what was found in writing these documents (uuids) back, and that a notification told of these objects."""
    for marks, some in in_parts(uuids):
        connection.run(f"DELETE FROM writeback_finding WHERE document IN ({marks})", some)
        connection.run(f"DELETE FROM inbox WHERE uuid IN ({marks})", some)


def forget_questions(connection: Session, sealed_keys: Iterable[str]) -> None:
    """Forget that sources were asked for these keys (sealed), and who was about to."""
    for key in sealed_keys:
        for name in (asked_by_key(key), walked_by_key(key), walk_begun_by_key(key)):
            connection.run("DELETE FROM fetched WHERE source IN (SELECT id FROM source) AND key = ?", (name,))
            connection.run("DELETE FROM lease WHERE replace(name, ?, '') <> name", (name,))


def scrub_texts(connection: Session, names: Iterable[str]) -> int:
    """Put another word for these names (uuids, numbers) in reports and notes that are kept. Out: in how many."""
    wanted = sorted({*names}, key=len, reverse=True)
    total = 0
    for table, key, column in _TEXTS:
        for row, text in connection.all(f"SELECT {key}, {column} FROM {table} WHERE {column} <> ''"):
            left = text
            for name in wanted:
                left = left.replace(name, ERASED)
            if left != text:
                connection.run(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (left, row))
                total += 1
    return total


def follows_here(connection: Session) -> bool:
    """Is a register told what changes and goes here?"""
    (noting,) = connection.one("SELECT noting FROM export_state")
    return bool(noting)


def mark_erased_here(connection: Session, uuids: Iterable[bytes]) -> None:
    """Note of what is noted as erased that it was done here, whatever its source has."""
    for marks, some in in_parts(uuids):
        connection.run(f"UPDATE erased SET here = 1 WHERE uuid IN ({marks})", some)


def left_of(connection: Session, raws: Collection[int], statements: Collection[int]) -> int:
    """How many of these legacy objects and statements (rows) are there still: none, when all was done."""
    (objects,) = connection.one(f"SELECT count(*) FROM raw WHERE id {IN_IDS}", (id_list(raws),))
    (said,) = connection.one(f"SELECT count(*) FROM statement WHERE id {IN_IDS}", (id_list(statements),))
    return int(objects) + int(said)
