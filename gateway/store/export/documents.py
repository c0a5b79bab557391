"""Documents on their way out: with what they refer to, and what the register calls that. Inside `Store.read()`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from gateway.store.base.bound_lists import in_parts
from gateway.store.base.kinds import KIND, KINDS, RELATION, RELATIONS
from gateway.store.base.session import Session
from gateway.store.indexes import spans

# A place in the order of creation (M42): moment, created, uuid.
Place = tuple[int, int, bytes]
BEFORE_ALL: Place = (-(2**62), 0, b"")
UNDER = "subIdentificatorVan"


class LeavingLink(NamedTuple):
    """What a document refers to: our uuid of it, that of the register when it is there, and how it came there."""

    own: bytes
    theirs: bytes | None
    state: int | None = None


class Leaving(NamedTuple):
    """A document: its uuid, kind, body as JSON text, place in the order of its kind, and its links by field."""

    uuid: bytes
    kind: str
    body: str
    place: Place
    links: dict[str, list[LeavingLink]]


def count(connection: Session, kind: str) -> int:
    """How many documents of a kind there are."""
    return spans.count(connection, KIND[kind])


def unsent(
    connection: Session,
    kind: str,
    after: Place,
    most: int,
    relation: str = "",
    *,
    having: bool = False,
) -> list[Leaving]:
    """The next documents of a kind of which nothing is known at the register, oldest first (M42).

    `relation`: only those that refer to something by it (`having`), or that do not.
    """
    test = ""
    if relation:
        there = f"EXISTS (SELECT 1 FROM link l WHERE l.source = d.id AND l.relation = {RELATION[relation]})"
        test = f"AND {there}" if having else f"AND NOT {there}"
    rows = connection.all(
        "SELECT d.id, d.uuid, d.body, d.moment, d.created FROM document d"
        " WHERE d.kind = ? AND (d.moment, d.created, d.uuid) > (?, ?, ?)"
        f" AND NOT EXISTS (SELECT 1 FROM export_pair e WHERE e.own = d.uuid) {test}"
        " ORDER BY d.moment, d.created, d.uuid LIMIT ?",
        (KIND[kind], *after, most),
    )
    return _with_links(connection, kind, rows)


def every(connection: Session, kind: str, after: Place, most: int) -> list[Leaving]:
    """The next documents of a kind, oldest first (M42)."""
    rows = connection.all(
        "SELECT d.id, d.uuid, d.body, d.moment, d.created FROM document d"
        " WHERE d.kind = ? AND (d.moment, d.created, d.uuid) > (?, ?, ?)"
        " ORDER BY d.moment, d.created, d.uuid LIMIT ?",
        (KIND[kind], *after, most),
    )
    return _with_links(connection, kind, rows)


def of_uuids(connection: Session, uuids: Iterable[bytes]) -> dict[bytes, Leaving]:
    """These documents, by uuid; what is not there is left out."""
    by_kind: dict[int, list[Any]] = defaultdict(list)
    for marks, part in in_parts(uuids):
        for row in connection.all(
            f"SELECT kind, id, uuid, body, moment, created FROM document WHERE uuid IN ({marks})", part
        ):
            by_kind[row[0]].append(row[1:])
    return {
        leaving.uuid: leaving
        for kind, rows in by_kind.items()
        for leaving in _with_links(connection, KINDS[kind - 1], rows)
    }


def preferring(connection: Session, after: Place, most: int) -> list[Leaving]:
    """The next partijen that prefer something and of which that was never sent."""
    relations = ", ".join(
        str(RELATION[name]) for name in ("partij.voorkeursDigitaalAdres", "partij.voorkeursRekeningnummer")
    )
    rows = connection.all(
        "SELECT d.id, d.uuid, d.body, d.moment, d.created FROM document d JOIN export_pair e ON e.own = d.uuid"
        " WHERE d.kind = ? AND (d.moment, d.created, d.uuid) > (?, ?, ?)"
        " AND e.theirs IS NOT NULL AND e.preferred IS NULL"
        f" AND EXISTS (SELECT 1 FROM link l WHERE l.source = d.id AND l.relation IN ({relations}))"
        " ORDER BY d.moment, d.created, d.uuid LIMIT ?",
        (KIND["partij"], *after, most),
    )
    return _with_links(connection, "partij", rows)


def numbers_of(connection: Session, partijen: Sequence[bytes]) -> dict[bytes, list[Leaving]]:
    """The partij-identificatoren of partijen that were not sent, by the partij; those under another one have a link
    to that."""
    found: dict[bytes, list[Leaving]] = defaultdict(list)
    of, under = (RELATION[f"partij-identificator.{name}"] for name in ("identificeerdePartij", UNDER))
    for marks, part in in_parts(partijen):
        rows = connection.all(
            "SELECT p.uuid, d.uuid, d.body, d.moment, d.created, t.uuid FROM document p"
            f" JOIN link l ON l.target = p.id AND l.relation = {of} JOIN document d ON d.id = l.source"
            f" LEFT JOIN link u ON u.source = d.id AND u.relation = {under}"
            " LEFT JOIN document t ON t.id = u.target"
            f" WHERE p.uuid IN ({marks})"
            " AND NOT EXISTS (SELECT 1 FROM export_pair e WHERE e.own = d.uuid)"
            " ORDER BY d.moment, d.created, d.uuid",
            part,
        )
        for partij, uuid, body, moment, created, parent in rows:
            links = {"identificeerdePartij": [LeavingLink(partij, None)]}
            if parent:
                links[UNDER] = [LeavingLink(parent, None)]
            found[partij].append(Leaving(uuid, "partij-identificator", body, (moment, created, uuid), links))
    return found


def _with_links(connection: Session, kind: str, rows: Sequence[Any]) -> list[Leaving]:
    links: dict[int, list[tuple[str, LeavingLink]]] = defaultdict(list)
    for marks, part in in_parts([row[0] for row in rows]):
        for source, relation, own, theirs, state in connection.all(
            "SELECT l.source, l.relation, t.uuid, e.theirs, e.state FROM link l JOIN document t ON t.id = l.target"
            f" LEFT JOIN export_pair e ON e.own = t.uuid WHERE l.source IN ({marks})"
            " ORDER BY l.source, l.relation, coalesce(l.place, t.created), t.uuid",
            part,
        ):
            name = RELATIONS[relation - 1].split(".", 1)[1]
            links[source].append((name, LeavingLink(own, theirs, state)))
    found = []
    for number, uuid, body, moment, created in rows:
        named: dict[str, list[LeavingLink]] = {}
        for name, linked in links.get(number, ()):
            named.setdefault(name, []).append(linked)
        found.append(Leaving(uuid, kind, body, (moment, created, uuid), named))
    return found


class Due(NamedTuple):
    """A document that came, changed or went: how often until now, and how often sending that failed."""

    uuid: bytes
    kind: str
    version: int
    attempts: int


def due(connection: Session, moment: int, most: int) -> list[Due]:
    """Up to `most` documents that came, changed or went, and of which that may be sent now."""
    rows = connection.all(
        "SELECT uuid, kind, version, attempts FROM export_due WHERE next_try <= ? ORDER BY next_try, kind, uuid"
        " LIMIT ?",
        (moment, most),
    )
    return [Due(uuid, KINDS[kind - 1], version, attempts) for uuid, kind, version, attempts in rows]


def is_due(connection: Session, uuid: bytes) -> bool:
    """Does a change of this document wait to be sent?"""
    return bool(connection.one("SELECT 1 FROM export_due WHERE uuid = ?", (uuid,)))


def any_unsent_change(connection: Session) -> bool:
    """Is there a document at the register that changed here, and of which that was not sent yet?"""
    return bool(
        connection.one(
            "SELECT 1 FROM export_due e JOIN document d ON d.uuid = e.uuid JOIN export_pair p ON p.own = e.uuid"
            " WHERE p.theirs IS NOT NULL LIMIT 1"
        )
    )


def count_due(connection: Session) -> int:
    """How many documents wait for their change to be sent."""
    return int(connection.one("SELECT count(*) FROM export_due")[0])


def done(connection: Session, dues: Iterable[Due]) -> None:
    """These were dealt with, as far as they did not change again since."""
    connection.many(
        "DELETE FROM export_due WHERE uuid = ? AND version = ?", [(due.uuid, due.version) for due in dues]
    )


def postpone(connection: Session, dues: Iterable[Due], next_try: int, cause: str) -> None:
    """These failed: the next try is at that moment."""
    connection.many(
        "UPDATE export_due SET attempts = attempts + 1, next_try = ?, cause = ? WHERE uuid = ? AND version = ?",
        [(next_try, cause, due.uuid, due.version) for due in dues],
    )


class Numbered(NamedTuple):
    """A document with its row, and the rows of what it refers to, by field."""

    row: int
    uuid: bytes
    body: str
    targets: dict[str, list[int]]


def last_row(connection: Session) -> int:
    """The highest row of a document."""
    return int(connection.one("SELECT coalesce(max(id), 0) FROM document")[0])


def rows_in_order(connection: Session, kind: str) -> Iterator[int]:
    """The rows of the documents of a kind, oldest first (M42)."""
    rows = connection.each(
        "SELECT id FROM document WHERE kind = ? ORDER BY moment, created, uuid", (KIND[kind],)
    )
    for (row,) in rows:
        yield row


def numbered(connection: Session, kind: str, most: int) -> Iterator[Numbered]:
    """The documents of a kind, oldest first (M42); a few in memory at a time."""
    after = BEFORE_ALL
    while True:
        rows = connection.all(
            "SELECT d.id, d.uuid, d.body, d.moment, d.created FROM document d"
            " WHERE d.kind = ? AND (d.moment, d.created, d.uuid) > (?, ?, ?)"
            " ORDER BY d.moment, d.created, d.uuid LIMIT ?",
            (KIND[kind], *after, most),
        )
        targets: dict[int, dict[str, list[int]]] = defaultdict(dict)
        for marks, part in in_parts([row[0] for row in rows]):
            for source, relation, target in connection.all(
                "SELECT l.source, l.relation, l.target FROM link l JOIN document t ON t.id = l.target"
                f" WHERE l.source IN ({marks})"
                " ORDER BY l.source, l.relation, coalesce(l.place, t.created), t.uuid",
                part,
            ):
                targets[source].setdefault(RELATIONS[relation - 1].split(".", 1)[1], []).append(target)
        for number, uuid, body, moment, created in rows:
            after = (moment, created, uuid)
            yield Numbered(number, uuid, body, targets.get(number, {}))
        if len(rows) < most:
            return


def aliases(connection: Session) -> Iterator[tuple[str, bytes, bytes]]:
    """Other uuids of documents (M6): the kind, that uuid, and the one of the document."""
    rows = connection.each(
        "SELECT d.kind, a.uuid, d.uuid FROM alias a JOIN document d ON d.id = a.document ORDER BY d.kind, a.uuid"
    )
    for kind, other, own in rows:
        yield KINDS[kind - 1], other, own
