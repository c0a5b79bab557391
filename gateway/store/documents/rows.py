"""The rows of documents, of the references between them, and of their other uuids: no other module writes these.

So whatever writes, it is noted what came, changed and went (`base/changes.py`). Call inside `Store.write()`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from gateway.store.base.bound_lists import IN_IDS, id_list
from gateway.store.base.row_ids import next_ids
from gateway.store.base.session import Session
from gateway.store.indexes import field_values, profiles
from gateway.store.indexes.traits import HOPS

# A new document: created, moment, body, owner (row), origin, its row, kind (a number), uuid.
NewRow = tuple[int, int, str, int | None, int, int, int, bytes]
# A reference: the row of its holder, the relation (a number), the row that it refers to.
Link = tuple[int, int, int]
# The columns of which a document's place in lists is made.
_PLACE = ("moment", "created")


def insert(
    connection: Session,
    documents: Sequence[NewRow],
    bodies: Iterable[Mapping[str, Any]],
    *,
    profiled: bool = False,
) -> None:
    """Write new documents, with the body of each. `profiled`: the caller gives them their profiles
    (`profiles.arrived`)."""
    changes = connection.changes
    if changes.watcher is not None and documents:
        changes.watcher.come(connection, [(kind, uuid) for *_, kind, uuid in documents])
    connection.many(
        "INSERT INTO document (created, moment, body, owner, origin, id, kind, uuid)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        documents,
    )
    field_values.come(
        connection,
        [
            value
            for (*_, row, kind, _), body in zip(documents, bodies, strict=True)
            for value in field_values.values_of(kind, row, body)
        ],
    )
    changes.came += [(kind, moment, created, uuid) for created, moment, *_, kind, uuid in documents]
    changes.touched.update([document[5] for document in documents])
    if not profiled:
        changes.due.update((document[5], 1) for document in documents)


def insert_one(
    connection: Session,
    kind: int,
    uuid: bytes,
    origin: int,
    body: str,
    created: int,
    moment: int,
    *,
    its_own: bool = False,
) -> int:
    """Write a new document of a kind (a number), of itself or of an owner that is not known yet. Out: its row."""
    (row,) = next_ids(connection, "document", 1)
    document = (created, moment, body, row if its_own else None, origin, row, kind, uuid)
    insert(connection, [document], [orjson.loads(body)])
    return row


def update(connection: Session, changed: Mapping[int, Mapping[str, Any]]) -> None:
    """Change columns of documents, by row: the columns that differ and no others, for of what is named the places in
    indexes are written again too."""
    changes = connection.changes
    if changes.watcher is not None and changed:
        changes.watcher.change(connection, changed.keys())
    moved = [row for row, columns in changed.items() if any(name in columns for name in _PLACE)]
    if moved:
        for row, kind, moment, created, uuid in connection.all(
            f"SELECT id, kind, moment, created, uuid FROM document WHERE id {IN_IDS}", (id_list(moved),)
        ):
            now = changed[row]
            changes.left.append((kind, moment, created, uuid))
            changes.came.append((kind, now.get("moment", moment), now.get("created", created), uuid))
    _change_values(
        connection, {row: columns["body"] for row, columns in changed.items() if "body" in columns}
    )
    by_columns: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for row, columns in changed.items():
        by_columns[tuple(columns)].append((*columns.values(), row))
        if "body" in columns:
            changes.touched.add(row)
        if "body" in columns or "origin" in columns:
            changes.due.setdefault(row, 0)
    for names, rows in by_columns.items():
        named = ", ".join(f"{name} = ?" for name in names)
        connection.many(f"UPDATE document SET {named} WHERE id = ?", rows)


def _change_values(connection: Session, bodies: Mapping[int, str]) -> None:
    """Documents (rows) are about to have these bodies."""
    if not bodies:
        return
    gone: list[field_values.FieldValue] = []
    come: list[field_values.FieldValue] = []
    for row, kind, body in connection.all(
        f"SELECT id, kind, body FROM document WHERE id {IN_IDS}", (id_list(bodies),)
    ):
        was = set(field_values.values_of(kind, row, orjson.loads(body)))
        now = set(field_values.values_of(kind, row, orjson.loads(bodies[row])))
        gone += was - now
        come += now - was
    field_values.go(connection, gone)
    field_values.come(connection, come)


def disown(connection: Session, owners: Iterable[int]) -> None:
    """Documents that were made with these (rows) have no owner any more."""
    owned = connection.all(f"SELECT id FROM document WHERE owner {IN_IDS}", (id_list(owners),))
    update(connection, {row: {"owner": None} for (row,) in owned})


def remove_documents(connection: Session, rows: Iterable[int]) -> None:
    """Remove documents with the links from and to them, their other uuids, and what was noted of how they were made."""
    ids = id_list(rows)
    held = connection.all(
        f"SELECT id, kind, moment, created, uuid, body FROM document WHERE id {IN_IDS}", (ids,)
    )
    changes = connection.changes
    if changes.watcher is not None and held:
        changes.watcher.go(connection, [row for row, *_ in held])
    links = connection.all(
        f"SELECT source, relation, target FROM link WHERE source {IN_IDS}"
        f" UNION SELECT source, relation, target FROM link WHERE target {IN_IDS}",
        (ids, ids),
    )
    unlink(connection, links)
    gone = [row for row, *_ in held]
    profiles.forget(connection, gone)
    values = [field_values.values_of(kind, row, orjson.loads(body)) for row, kind, *_, body in held]
    field_values.go(connection, [value for of_one in values for value in of_one])
    connection.many("DELETE FROM document WHERE id = ?", [(row,) for row in gone])
    for row, kind, moment, created, uuid, _ in held:
        changes.left.append((kind, moment, created, uuid))
        changes.gone.append((kind, uuid))
        changes.touched.discard(row)
        changes.due.pop(row, None)


def link(connection: Session, links: Collection[Link], *, profiled: bool = False) -> None:
    """Write references. `profiled`: the caller sees to the profiles (`profiles.arrived`)."""
    _note_links(connection, links, profiled)
    connection.many("INSERT INTO link (source, relation, target) VALUES (?, ?, ?)", links)


def unlink(connection: Session, links: Collection[Link], *, profiled: bool = False) -> None:
    """Remove references; `profiled` as for `link`."""
    _note_links(connection, links, profiled)
    connection.many("DELETE FROM link WHERE source = ? AND relation = ? AND target = ?", links)


def relink(connection: Session, before: Link, target: int) -> None:
    """Have a reference lead to another document (row), in the place that it has in an order."""
    source, relation, held = before
    if held == target:
        return
    _note_links(connection, [before, (source, relation, target)], False)
    connection.run(
        "INSERT INTO link (source, relation, target, place)"
        " SELECT source, relation, ?4, place FROM link WHERE source = ?1 AND relation = ?2 AND target = ?3"
        " ON CONFLICT DO NOTHING",
        (*before, target),
    )
    connection.run("DELETE FROM link WHERE source = ? AND relation = ? AND target = ?", before)


def _note_links(connection: Session, links: Collection[Link], profiled: bool) -> None:
    if not links:
        return
    changes = connection.changes
    sources = {source for source, _, _ in links}
    if changes.watcher is not None:
        changes.watcher.change(connection, sources)
    changes.touched |= sources
    if not profiled:
        for source, relation, target in links:
            hop = HOPS.get(relation)
            if hop is not None:
                changes.due[target if hop.back else source] = 1


def keep_order(connection: Session, source: int, relation: int, targets: Sequence[int]) -> None:
    """Note in which order a document (row) refers to these by a relation; of a double its first place."""
    held = dict(
        connection.all("SELECT target, place FROM link WHERE source = ? AND relation = ?", (source, relation))
    )
    moved = [
        (place, source, relation, target)
        for place, target in enumerate(dict.fromkeys(targets))
        if target in held and held[target] != place
    ]
    connection.many("UPDATE link SET place = ? WHERE source = ? AND relation = ? AND target = ?", moved)
    if moved:
        connection.changes.touched.add(source)


def put_aliases(connection: Session, aliases: Collection[tuple[bytes, int]]) -> None:
    """Let documents (rows) be known by these uuids too, whoever was known by them."""
    _note_aliases(connection, aliases)
    connection.many(
        "INSERT INTO alias (uuid, document) VALUES (?, ?)"
        " ON CONFLICT (uuid) DO UPDATE SET document = excluded.document",
        aliases,
    )


def drop_aliases(connection: Session, aliases: Collection[tuple[bytes, int]]) -> None:
    """Let documents (rows) be known by these uuids no more."""
    _note_aliases(connection, aliases)
    connection.many("DELETE FROM alias WHERE uuid = ? AND document = ?", aliases)


def drop_all_aliases(connection: Session, row: int) -> None:
    """Let a document be known by its own uuid only."""
    drop_aliases(connection, connection.all("SELECT uuid, document FROM alias WHERE document = ?", (row,)))


def _note_aliases(connection: Session, aliases: Collection[tuple[bytes, int]]) -> None:
    watcher = connection.changes.watcher
    if watcher is not None and aliases:
        watcher.lead(connection, {row for _, row in aliases})
