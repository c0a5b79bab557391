"""What the rules for writing ask of the store: who has this value, who refers to whom. Call inside `Store.write()`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.store.base.bound_lists import IN_IDS, id_list
from gateway.store.base.kinds import LOCAL_ORIGIN, RELATION
from gateway.store.base.searched_fields import FIELD_NUMBER, kept_value
from gateway.store.base.session import Session

IDENTIFICATOR = "partij-identificator"
OBJECT_ID = "partijIdentificator.objectId"


def with_value(connection: Session, kind: str, field: str, value: str) -> set[int]:
    """The documents of a kind that have this value in a field that is kept (base/searched_fields.py)."""
    found = connection.all(
        "SELECT document FROM field_value WHERE field = ? AND value = ?",
        (FIELD_NUMBER[kind, field], kept_value(value)),
    )
    return {row for (row,) in found}


def same_identificatoren(connection: Session, codes: Mapping[str, str], parent: int | None) -> set[int]:
    """The partij-identificatoren with these four codes under this parent (a row, or None for no parent)."""
    found = connection.all(
        "SELECT d.id FROM field_value v CROSS JOIN document d ON d.id = v.document"
        " LEFT JOIN link l ON l.source = d.id AND l.relation = :sub"
        f" WHERE v.field = {FIELD_NUMBER[IDENTIFICATOR, OBJECT_ID]} AND v.value = :number"
        " AND d.body ->> '$.partijIdentificator.codeSoortObjectId' = :soort"
        " AND d.body ->> '$.partijIdentificator.codeObjecttype' = :objecttype"
        " AND d.body ->> '$.partijIdentificator.codeRegister' = :register"
        " AND l.target IS NOT DISTINCT FROM :parent",
        {
            "sub": RELATION["partij-identificator.subIdentificatorVan"],
            "number": kept_value(codes["objectId"]),
            "soort": codes["codeSoortObjectId"],
            "objecttype": codes["codeObjecttype"],
            "register": codes["codeRegister"],
            "parent": parent,
        },
    )
    return {row for (row,) in found}


def same_actoren(connection: Session, codes: Mapping[str, str]) -> list[int]:
    """The actoren of clients with these four codes in their actoridentificator, oldest first.

    Also those that the legacy gives too; not those that only the legacy gives, for what a client says of these is his
    own, and becomes one with them (M19, M31).
    """
    found = connection.all(
        "SELECT d.id FROM field_value v CROSS JOIN document d ON d.id = v.document"
        f" WHERE v.field = {FIELD_NUMBER['actor', 'actoridentificator.objectId']} AND v.value = :objectId"
        " AND body ->> '$.actoridentificator.codeObjecttype' = :codeObjecttype"
        " AND body ->> '$.actoridentificator.codeRegister' = :codeRegister"
        " AND body ->> '$.actoridentificator.codeSoortObjectId' = :codeSoortObjectId"
        " AND (origin = :local OR uuid IN (SELECT own FROM adopted)) ORDER BY created, uuid",
        {**codes, "objectId": kept_value(codes["objectId"]), "local": LOCAL_ORIGIN},
    )
    return [row for (row,) in found]


def referring(connection: Session, relation: str, target: int) -> list[int]:
    """The documents that refer to this one by a relation, oldest first."""
    found = connection.all(
        "SELECT l.source FROM link l JOIN document d ON d.id = l.source"
        " WHERE l.target = ? AND l.relation = ? ORDER BY d.created, d.uuid",
        (target, RELATION[relation]),
    )
    return [row for (row,) in found]


def referring_to_all(connection: Session, references: Sequence[tuple[str, int]]) -> set[int]:
    """The documents that refer by each relation to the document named with it.

    The first should be the one that few refer to: those are read, the others are looked up.
    """
    (relation, target), *others = references
    found = set(referring(connection, relation, target))
    for relation, target in others:
        rows = connection.all(
            f"SELECT source FROM link WHERE source {IN_IDS} AND relation = ? AND target = ?",
            (id_list(found), RELATION[relation], target),
        )
        found = {row for (row,) in rows}
    return found


def having(connection: Session, rows: Sequence[int], field: str, value: str) -> list[int]:
    """Those of these documents that have this value in their body."""
    found = connection.all(
        f"SELECT id FROM document WHERE id {IN_IDS} AND body ->> '$.{field}' = ? ORDER BY id",
        (id_list(rows), value),
    )
    return [row for (row,) in found]
