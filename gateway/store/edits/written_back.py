"""What write-back sent, and the legacy objects that it became (W2, W3, W14): those make no documents of their own.

Functions that change something go inside `Store.write()`. Moments are microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from gateway.store.base.bound_lists import in_parts
from gateway.store.base.kinds import KIND
from gateway.store.base.session import Session
from gateway.store.documents.rows import put_aliases

_COLUMNS = "id, kind, document, step, hint, uuid, natural_key, sent, asked, done"


@dataclass(frozen=True, slots=True)
class WrittenBack:
    """One legacy object that something of a client's became or may have become; `uuid` None: nobody knows yet.

    `kind` is that of the legacy object, `document` the uuid of the client's, `step` which of its objects it is, `hint`
    by what the source is asked for it.
    """

    id: int
    kind: str
    document: bytes
    step: str
    hint: str
    uuid: bytes | None
    natural_key: bytes | None
    sent: bytes
    asked: int
    done: int | None


def of_document(connection: Session, source: int, document: bytes) -> list[WrittenBack]:
    """What a client's document became at a source, in the order in which it was sent."""
    rows = connection.all(
        f"SELECT {_COLUMNS} FROM written_back WHERE source = ? AND document = ? ORDER BY id",
        (source, document),
    )
    return [WrittenBack(*row) for row in rows]


def all_of_document(connection: Session, document: bytes) -> list[tuple[str, WrittenBack]]:
    """What a client's document became at all sources, each with the source's name."""
    columns = ", ".join(f"w.{name}" for name in _COLUMNS.split(", "))
    rows = connection.all(
        f"SELECT s.name, {columns} FROM written_back w JOIN source s ON s.id = w.source WHERE w.document = ?"
        " ORDER BY w.id",
        (document,),
    )
    return [(row[0], WrittenBack(*row[1:])) for row in rows]


def begin(
    connection: Session,
    source: int,
    kind: str,
    document: bytes,
    step: str,
    hint: str,
    natural_key: bytes | None,
    sent: bytes,
    moment: int,
) -> WrittenBack:
    """Note that an object is about to be sent. Out: the note, as it was when there was one already but for `asked`."""
    connection.run(
        "INSERT INTO written_back (source, kind, document, step, hint, natural_key, sent, asked)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (source, kind, document, step) DO UPDATE SET asked = excluded.asked",
        (source, kind, document, step, hint, natural_key, sent, moment),
    )
    row = connection.one(
        f"SELECT {_COLUMNS} FROM written_back WHERE source = ? AND kind = ? AND document = ? AND step = ?",
        (source, kind, document, step),
    )
    return WrittenBack(*row)


def bind(connection: Session, number: int, uuid: bytes, sent: bytes, moment: int) -> None:
    """An object that was sent turns out to be this legacy object, which says this: its uuid is the client's too."""
    document, kind = connection.one(
        "UPDATE written_back SET uuid = ?, sent = ?, done = ? WHERE id = ? RETURNING document, kind",
        (uuid, sent, moment, number),
    )
    if kind in ("klantcontact", "contactmoment"):
        (known,) = connection.one("SELECT EXISTS (SELECT 1 FROM alias WHERE uuid = ?)", (uuid,))
        held = "SELECT id FROM document WHERE uuid = ? AND +kind = ?"
        row = connection.one(held, (document, KIND["klantcontact"]))
        if row is not None and not known:
            put_aliases(connection, [(uuid, row[0])])


def say(connection: Session, number: int, sent: bytes, moment: int) -> None:
    """A legacy object says this now: it was changed, or an operator let what it says stand."""
    connection.run("UPDATE written_back SET sent = ?, done = ? WHERE id = ?", (sent, moment, number))


def forget(connection: Session, number: int) -> None:
    """The legacy object is no more, or was never made."""
    connection.run("DELETE FROM written_back WHERE id = ?", (number,))


def any_at(connection: Session, source: int) -> bool:
    """Was anything ever sent to a source?"""
    row = connection.one("SELECT 1 FROM written_back WHERE source = ? LIMIT 1", (source,))
    return row is not None


def bound(connection: Session, source: int, kind: str, uuids: Iterable[bytes]) -> dict[bytes, WrittenBack]:
    """Those of these legacy objects that write-back made, by uuid."""
    found: dict[bytes, WrittenBack] = {}
    for marks, some in in_parts(uuids):
        rows = connection.all(
            f"SELECT {_COLUMNS} FROM written_back WHERE uuid IN ({marks}) AND source = ? AND kind = ?",
            (*some, source, kind),
        )
        found.update({each.uuid: each for each in (WrittenBack(*row) for row in rows) if each.uuid})
    return found


def klanten(connection: Session) -> dict[bytes, bytes]:
    """The klanten that write-back made of clients' partijen: uuid of each, with that of its partij."""
    rows = connection.all("SELECT uuid, document FROM written_back WHERE kind = 'klant' AND uuid IS NOT NULL")
    return dict(rows)


def documents(connection: Session, source: int, uuids: Iterable[bytes]) -> dict[bytes, UUID]:
    """The klantcontacten that these contactmomenten were made of, by their uuid, as far as they are still there."""
    if not any_at(connection, source):
        return {}
    found: dict[bytes, UUID] = {}
    for marks, some in in_parts(uuids):
        rows = connection.all(
            f"SELECT w.uuid, d.uuid FROM written_back w JOIN document d ON d.uuid = w.document"
            f" WHERE w.uuid IN ({marks}) AND w.source = ? AND w.kind = 'contactmoment'",
            (*some, source),
        )
        found.update({uuid: UUID(bytes=own) for uuid, own in rows})
    return found


def unknown(connection: Session, source: int, kind: str) -> dict[bytes, list[WrittenBack]]:
    """What was sent and may be there, by natural key, in the order in which it was sent."""
    found: dict[bytes, list[WrittenBack]] = {}
    for row in connection.all(
        f"SELECT {_COLUMNS} FROM written_back WHERE source = ? AND kind = ? AND uuid IS NULL"
        " AND natural_key IS NOT NULL ORDER BY id",
        (source, kind),
    ):
        each = WrittenBack(*row)
        found.setdefault(each.natural_key or b"", []).append(each)
    return found
