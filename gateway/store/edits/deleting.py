"""Deleting what a client deletes: one walk over the links, by what base/kinds.py says of each relation.

Call inside `Store.write()`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from gateway.store.base.bound_lists import IN_IDS, id_list
from gateway.store.base.kinds import ON_DELETE, RELATIONS, OnDelete
from gateway.store.base.session import Session
from gateway.store.edits import editing

# A link seen from what is deleted: who refers, by which relation, to which row.
Reference = tuple[int, str, int]


class Protected(Exception):
    """A document that stays refers to one that would be deleted, by this relation, which forbids it."""

    def __init__(self, relation: str) -> None:
        super().__init__(relation)
        self.relation = relation


def delete(connection: Session, rows: Sequence[int], under: UUID | None = None) -> set[int]:
    """Delete documents with what is deleted with them; the others that refer to them lose that reference.

    In: rows of documents; what comes from the legacy is hidden under the uuid `under`, or each under the one of
    these rows that took it along (M19). Out: all rows that are gone. Raises Protected, before anything changed;
    documents that protect each other go when they are deleted together.
    """
    roots, losing = _walk(connection, rows)
    for row in losing:
        _lose(connection, row, roots.keys())
    named = editing.uuids(connection, rows)
    by_root: dict[UUID, list[int]] = defaultdict(list)
    for row, root in roots.items():
        by_root[under or named[root]].append(row)
    for uuid, members in by_root.items():
        editing.remove(connection, members, uuid)
    return set(roots)


def going(connection: Session, rows: Sequence[int]) -> set[int]:
    """The rows of all that `delete` of these would remove; nothing is changed. Raises Protected."""
    return set(_walk(connection, rows)[0])


def along(connection: Session, row: int) -> set[int]:
    """What goes with a document that is no more, that document included; the others lose their reference to it.

    Nothing is deleted yet. Raises Protected.
    """
    roots, losing = _walk(connection, [row])
    for other in losing:
        _lose(connection, other, roots.keys())
    return set(roots)


def _walk(connection: Session, rows: Sequence[int]) -> tuple[dict[int, int], list[int]]:
    """What goes, with the row that took it along, and what stays without a reference. Raises Protected."""
    roots = {row: row for row in rows}
    stays: list[Reference] = []
    ahead = list(roots)
    while ahead:
        found = _references_to(connection, ahead)
        ahead = []
        for source, relation, target in found:
            if ON_DELETE[relation] is not OnDelete.CASCADE:
                stays.append((source, relation, target))
            elif source not in roots:
                roots[source] = roots[target]
                ahead.append(source)
    stays = [reference for reference in stays if reference[0] not in roots]
    for _, relation, _ in stays:
        if ON_DELETE[relation] is OnDelete.PROTECT:
            raise Protected(relation)
    return roots, sorted({source for source, _, _ in stays})


def _references_to(connection: Session, rows: Iterable[int]) -> list[Reference]:
    found = connection.all(
        f"SELECT source, relation, target FROM link WHERE target {IN_IDS} ORDER BY source, relation, target",
        (id_list(rows),),
    )
    return [(source, RELATIONS[relation - 1], target) for source, relation, target in found]


def _lose(connection: Session, row: int, gone: Iterable[int]) -> None:
    """Take the references to what is deleted out of a document that stays."""
    held = editing.get(connection, row)
    away = set(gone)
    body = dict(held.body)
    links = {}
    for name, targets in held.links.items():
        links[name] = [target for target in targets if target not in away]
        emptied = editing.EMPTIED_WITH.get(f"{held.kind}.{name}")
        if emptied and len(links[name]) < len(targets):
            body[emptied] = None
    editing.amend(connection, held, body, links)
