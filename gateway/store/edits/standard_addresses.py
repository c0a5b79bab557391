"""Which address is the standard one of its soort of a partij, and which one a partij from the legacy prefers.

Both follow from all that is held of a partij's addresses: from what clients chose (M19), else from the newest that the
legacy gives (M11, M21). So they are computed here, after every write of a client and every recomputation, and never
left to one document. Call inside `Store.write()`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from gateway.store.base.bound_lists import IN_IDS, id_list, in_parts
from gateway.store.base.kinds import KIND, LEGACY_ORIGIN, LOCAL_ORIGIN, RELATION
from gateway.store.base.session import Session
from gateway.store.documents import rows as document_rows
from gateway.store.edits import editing, local_rows
from gateway.store.edits.editing import WAITS, EditableDocument
from gateway.store.edits.local_rows import LINK
from mappings.model.documents import Document
from mappings.rules.merge import VOORKEUR

STANDARD: Final = "isStandaardAdres"
SOORT: Final = "soortDigitaalAdres"
BY: Final = "verstrektDoorPartij"
PREFERRED: Final = "voorkeursDigitaalAdres"
_OF_PARTIJ: Final = RELATION[f"digitaleadres.{BY}"]
_PREFERS: Final = RELATION[f"partij.{PREFERRED}"]

# How new an address is: the moment and uuid of the newest rol that gives it, and its place there.
Newness = tuple[int, UUID, int]
# An address as the legacy gives it: soort, partij, and how new it is, None when it may not be the standard one.
Given = tuple[str, UUID, Newness | None]


@dataclass(slots=True)
class _Adres:
    """An address of a partij; `chosen` is when a client made it the standard one."""

    row: int
    uuid: bytes
    local: bool
    soort: str
    standard: bool
    newness: tuple[int, bytes, int] | None
    chosen: int | None = None


def as_held(
    connection: Session, documents: Iterable[tuple[Document, bytes | None]]
) -> list[tuple[Document, bytes | None]]:
    """Documents on their way to the store with both as they are held, so that only `settle` changes them.

    What is not held keeps what merging gave, which is right in most cases.
    """
    documents = list(documents)
    named = {document.uuid.bytes: document for document, _ in documents if document.kind == "digitaleadres"}
    held: dict[bytes, bool] = {}
    for marks, some in in_parts(list(named)):
        held.update(
            connection.all(
                f"SELECT uuid, body ->> '$.{STANDARD}' = 1 FROM document WHERE uuid IN ({marks})", some
            )
        )
    for uuid, document in named.items():
        standard = bool(held.get(uuid, document.body[STANDARD])) and bool(document.links.get(BY))
        if standard != document.body[STANDARD]:
            document.body = {**document.body, STANDARD: standard}
    partijen = {document.uuid.bytes: document for document, _ in documents if document.kind == "partij"}
    for marks, some in in_parts(list(partijen)):
        for uuid, preferred in connection.all(
            f"SELECT p.uuid, a.uuid FROM document p LEFT JOIN link l ON l.source = p.id AND l.relation = {_PREFERS}"
            f" LEFT JOIN document a ON a.id = l.target WHERE p.uuid IN ({marks})",
            some,
        ):
            partijen[uuid].links[PREFERRED] = [UUID(bytes=preferred)] if preferred else []
    return documents


def put_candidates(connection: Session, ids: Mapping[bytes, int], adressen: Mapping[UUID, Given]) -> None:
    """Note which addresses that were just written may be the standard one (M21).

    In: the rows of what was written, and the addresses among that as the legacy gives them, both by uuid.
    """
    wanted = {
        ids[uuid.bytes]: (partij.bytes, soort, newness[0], newness[1].bytes, newness[2])
        for uuid, (soort, partij, newness) in adressen.items()
        if newness is not None and uuid.bytes in ids
    }
    rows = [ids[uuid.bytes] for uuid in adressen if uuid.bytes in ids]
    held = {
        row: tuple(values)
        for row, *values in connection.all(
            f"SELECT document, partij, soort, moment, rol, place FROM standard_candidate WHERE document {IN_IDS}",
            (id_list(rows),),
        )
    }
    connection.many(
        "DELETE FROM standard_candidate WHERE document = ?", [(row,) for row in held.keys() - wanted.keys()]
    )
    connection.many(
        "INSERT INTO standard_candidate (document, partij, soort, moment, rol, place) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (document) DO UPDATE SET partij = excluded.partij, soort = excluded.soort,"
        " moment = excluded.moment, rol = excluded.rol, place = excluded.place",
        [(row, *values) for row, values in wanted.items() if held.get(row) != values],
    )


def partijen_of(connection: Session, rows: Iterable[int]) -> set[int]:
    """The partijen that these documents (rows) are addresses of."""
    found = connection.all(
        f"SELECT DISTINCT target FROM link WHERE relation = {_OF_PARTIJ} AND source {IN_IDS}",
        (id_list(rows),),
    )
    return {row for (row,) in found}


def adressen_of(connection: Session, partijen: Iterable[int]) -> set[int]:
    """The addresses (rows) of these partijen (rows)."""
    found = connection.all(
        f"SELECT l.source FROM json_each(?) n JOIN link l ON l.target = n.value AND l.relation = {_OF_PARTIJ}",
        (id_list(partijen),),
    )
    return {row for (row,) in found}


def nobodys(connection: Session, adressen: Iterable[int]) -> None:
    """Those of these addresses (rows) that have no partij any more are not the standard one."""
    ids = id_list(adressen)
    if not ids:
        return
    for (row,) in connection.all(
        f"SELECT id FROM document WHERE id {IN_IDS} AND body ->> '$.{STANDARD}' = 1 AND NOT EXISTS"
        f" (SELECT 1 FROM link WHERE source = document.id AND relation = {_OF_PARTIJ})",
        (ids,),
    ):
        _write_standard(connection, row, False)


def settle(connection: Session, partijen: Iterable[int], *, prefer: bool) -> None:
    """Make one address of each soort the standard one of these partijen (rows), and have them prefer one.

    What a client chose goes first, of several that a join brings together (M6) the last; else the newest that the
    legacy gives the partij in that soort is it, unless a client said that it is not. What clients gave a partij
    themselves, also from another, is standard only when they say so. A partij from the legacy prefers what a client
    chose for as long as that is its own, else by `prefer` (`[mapping] voorkeursadres`) its standard e-mail address,
    else its standard telephone number.
    """
    partijen = list(partijen)
    if not partijen:
        return
    uuids, origins = {}, {}
    for row, uuid, origin in connection.all(
        f"SELECT id, uuid, origin FROM document WHERE +kind = {KIND['partij']} AND id {IN_IDS}",
        (partijen,),
    ):
        uuids[row], origins[row] = uuid, origin
    if not uuids:
        return
    of_partij = _adressen(connection, uuids)
    winners: dict[int, dict[str, int]] = {}
    for partij in uuids:
        own = of_partij.get(partij, [])
        winners[partij] = _standards(own)
        for adres in own:
            _set_standard(connection, adres, winners[partij].get(adres.soort) == adres.row)
    legacys = [row for row, origin in origins.items() if origin == LEGACY_ORIGIN]
    _set_preferred(connection, legacys, of_partij, winners, prefer)


def chosen_by_client(connection: Session, before: EditableDocument | None, after: EditableDocument) -> None:
    """A client just wrote an address that is the standard one: what was chosen before gives way to it.

    When it came from another partij or soort by that, it was chosen as well: clients saw it as the standard one.
    """
    if after.origin == LEGACY_ORIGIN and before is not None and _place(before) != _place(after):
        editing.become_local(connection, after, {}, [STANDARD], {})
    rows = connection.all(
        "SELECT d.id FROM link o JOIN link l ON l.target = o.target AND l.relation = o.relation"
        f" JOIN document d ON d.id = l.source WHERE o.source = ?1 AND o.relation = {_OF_PARTIJ} AND d.id <> ?1"
        f" AND d.body ->> '$.{SOORT}' = ?2",
        (after.id, after.body[SOORT]),
    )
    choices = _choices(connection, [row for (row,) in rows])
    for (row,) in rows:
        other = editing.get(connection, row)
        local_rows.drop(connection, [(other.uuid.bytes, WAITS)])
        if choices.get(row, (False, 0))[0]:
            editing.withdraw(connection, other, STANDARD)
        if other.body[STANDARD]:
            _write_standard(connection, other.id, False)


def forget_waiting(connection: Session, uuid: UUID) -> None:
    """A client said itself whether an address of its own is the standard one, or deleted it."""
    local_rows.drop(connection, [(uuid.bytes, WAITS)])


def forget_preferred(connection: Session, row: int) -> None:
    """A partij becomes a client's own: what it preferred by the legacy, and no client chose, it prefers no more."""
    if row not in _preferences(connection, [row]):
        preferred = connection.all(
            f"SELECT source, relation, target FROM link WHERE source = ? AND relation = {_PREFERS}", (row,)
        )
        document_rows.unlink(connection, preferred)


def _place(held: EditableDocument) -> tuple[list[int], str]:
    return held.links.get(BY, []), held.body[SOORT]


def _adressen(connection: Session, partijen: Mapping[int, bytes]) -> dict[int, list[_Adres]]:
    found: dict[int, list[_Adres]] = defaultdict(list)
    created = {}
    for partij, row, uuid, origin, made, soort, standard, whose, said, *newness in connection.all(
        f"SELECT l.target, d.id, d.uuid, d.origin, d.created, d.body ->> '$.{SOORT}', d.body ->> '$.{STANDARD}' = 1,"
        " c.partij, c.soort, c.moment, c.rol, c.place"
        f" FROM json_each(?) n JOIN link l ON l.target = n.value AND l.relation = {_OF_PARTIJ}"
        " JOIN document d ON d.id = l.source LEFT JOIN standard_candidate c ON c.document = d.id ORDER BY d.id",
        (id_list(partijen),),
    ):
        legacys = origin == LEGACY_ORIGIN and (whose, said) == (partijen[partij], soort)
        found[partij].append(
            _Adres(
                row, uuid, origin == LOCAL_ORIGIN, soort, bool(standard), tuple(newness) if legacys else None
            )
        )
        created[row] = made
    choices = _choices(connection, created)
    for adres in (each for own in found.values() for each in own):
        chosen, written = choices.get(adres.row, (None, 0))
        if adres.local:
            adres.chosen = created[adres.row] if adres.standard or chosen else None
        elif chosen is not None:
            adres.newness, adres.chosen = None, written if chosen else None
    return found


def _choices(connection: Session, rows: Iterable[int]) -> dict[int, tuple[bool, int]]:
    """What clients said of these addresses (rows), and when: standard or not. What waits counts as said."""
    if connection.one("SELECT 1 FROM local LIMIT 1") is None:
        return {}
    found: dict[int, tuple[bool, int]] = {}
    ids = id_list(rows)
    # Under its own uuid goes before under another one of it (M6).
    for row, part, value, written, *_ in connection.all(
        "SELECT a.document, o.part, o.value, o.written, 0 AS own, o.uuid AS uuid FROM json_each(?1) n"
        " JOIN alias a ON a.document = n.value JOIN local o ON o.uuid = a.uuid AND o.part = ?2"
        " UNION ALL SELECT d.id, o.part, o.value, o.written, 1, o.uuid FROM json_each(?1) n"
        " JOIN document d ON d.id = n.value JOIN local o ON o.uuid = d.uuid AND o.part IN (?2, ?3)"
        " ORDER BY own, uuid DESC",
        (ids, STANDARD, WAITS),
    ):
        found[row] = (part == WAITS or bool(orjson.loads(value)[STANDARD]), written)
    return found


def _standards(adressen: Iterable[_Adres]) -> dict[str, int]:
    """The standard address (row) of each soort."""
    by_soort: dict[str, list[_Adres]] = defaultdict(list)
    for adres in adressen:
        by_soort[adres.soort].append(adres)
    found = {}
    for soort, own in by_soort.items():
        chosen = [(each.chosen, each.uuid, each.row) for each in own if each.chosen is not None]
        newest = [(each.newness, each.row) for each in own if each.newness is not None]
        if chosen:
            found[soort] = max(chosen)[-1]
        elif newest:
            found[soort] = max(newest)[-1]
    return found


def _set_standard(connection: Session, adres: _Adres, standard: bool) -> None:
    if standard != adres.standard:
        _write_standard(connection, adres.row, standard)
    if not adres.local or adres.chosen is None:
        return
    if standard:
        forget_waiting(connection, UUID(bytes=adres.uuid))
    else:
        local_rows.put_unless_there(connection, adres.uuid, WAITS, True)


def _write_standard(connection: Session, row: int, standard: bool) -> None:
    (text,) = connection.one("SELECT body FROM document WHERE id = ?", (row,))
    body: dict[str, Any] = orjson.loads(text) | {STANDARD: standard}
    document_rows.update(connection, {row: {"body": orjson.dumps(body).decode()}})


def _preferences(connection: Session, partijen: Iterable[int]) -> dict[int, set[int]]:
    """Which addresses (rows) a client chose for these partijen (rows), as far as one did; {0} when it chose none."""
    if connection.one("SELECT 1 FROM local LIMIT 1") is None:
        return {}
    written: dict[int, list[str]] = {}
    for row, value, *_ in connection.all(
        "SELECT a.document, o.value, 0 AS own, o.uuid AS uuid FROM json_each(?1) n"
        " JOIN alias a ON a.document = n.value JOIN local o ON o.uuid = a.uuid AND o.part = ?2"
        " UNION ALL SELECT d.id, o.value, 1, o.uuid FROM json_each(?1) n"
        " JOIN document d ON d.id = n.value JOIN local o ON o.uuid = d.uuid AND o.part = ?2"
        " ORDER BY own, uuid DESC",
        (id_list(partijen), LINK + PREFERRED),
    ):
        written[row] = orjson.loads(value)
    return {
        row: {
            held[0]
            for text in chosen
            for held in connection.all(
                "SELECT id FROM document WHERE uuid = ?1 UNION SELECT document FROM alias WHERE uuid = ?1",
                (UUID(text).bytes,),
            )
        }
        if chosen
        else {0}  # a client chose nothing
        for row, chosen in written.items()
    }


def _set_preferred(
    connection: Session,
    partijen: list[int],
    of_partij: Mapping[int, list[_Adres]],
    winners: Mapping[int, Mapping[str, int]],
    prefer: bool,
) -> None:
    held: dict[int, set[int]] = defaultdict(set)
    for partij, adres in connection.all(
        f"SELECT source, target FROM link WHERE relation = {_PREFERS} AND source {IN_IDS}",
        (id_list(partijen),),
    ):
        held[partij].add(adres)
    choices = _preferences(connection, partijen)
    for partij in partijen:
        chosen = choices.get(partij, set())
        wanted = chosen & {each.row for each in of_partij.get(partij, [])}
        if prefer and not wanted and chosen != {0}:
            standard = winners[partij]
            wanted = {standard[soort] for soort in [each for each in VOORKEUR if each in standard][:1]}
        if wanted == held[partij]:
            continue
        document_rows.unlink(connection, [(partij, _PREFERS, row) for row in held[partij] - wanted])
        document_rows.link(connection, [(partij, _PREFERS, row) for row in sorted(wanted - held[partij])])
