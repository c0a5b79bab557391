"""Which rollen of a zaak have a part in representation, and which vertegenwoordigingen it gives.

Call inside `Store.write()`, unless a function says otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.store.base.bound_lists import IN_IDS, bound, id_list, in_parts
from gateway.store.base.kinds import TRANSLATED
from gateway.store.base.session import Session
from gateway.store.legacy.claims import Zaak
from gateway.store.legacy.hidden_statements import others_of_hidden


@dataclass(slots=True)
class RepresentationRow:
    """A rol with a part in representation: the partij that it became and the one that it acts for, when there, also
    when a client deleted that."""

    raw: int
    rol: bytes
    facts: str
    partij: bytes | None
    representee: bytes | None


def taking_part(
    connection: Session, source: int, zaken: Sequence[bytes]
) -> dict[bytes, list[RepresentationRow]]:
    """The rollen of these zaken (at most 500) with a part in representation, by zaak."""
    marks, zaken = bound(zaken)
    rows = connection.all(
        "SELECT r.zaak, r.id, r.uuid, r.facts, coalesce(d.uuid, h.uuid), coalesce(o.uuid, i.uuid)"
        " FROM raw r INDEXED BY raw_machtiging"
        " LEFT JOIN claim c ON c.raw = r.id AND c.facet = 'zelf' LEFT JOIN statement s ON s.id = c.statement"
        " LEFT JOIN document d ON d.id = s.document"
        " LEFT JOIN hidden h ON s.document IS NULL AND h.statement = s.id"
        " LEFT JOIN claim v ON v.raw = r.id AND v.facet = 'vertegenwoordigde'"
        " LEFT JOIN statement t ON t.id = v.statement LEFT JOIN document o ON o.id = t.document"
        " LEFT JOIN hidden i ON t.document IS NULL AND i.statement = t.id"
        f" WHERE r.source = ? AND r.zaak IN ({marks}) AND r.facts ->> '$.machtiging' IS NOT NULL"
        " AND +r.state = ?",
        (source, *zaken, TRANSLATED),
    )
    found: dict[bytes, list[RepresentationRow]] = defaultdict(list)
    for zaak, *row in rows:
        found[zaak].append(RepresentationRow(*row))
    return found


def given(connection: Session, source: int, zaken: Sequence[bytes]) -> set[tuple[bytes, bytes]]:
    """What these zaken (at most 500) are known to give: pairs of zaak and uuid of a vertegenwoordiging."""
    marks, zaken = bound(zaken)
    return set(
        connection.all(
            f"SELECT zaak, uuid FROM representation WHERE source = ? AND zaak IN ({marks})", (source, *zaken)
        )
    )


def zaken_of(connection: Session, statements: Iterable[int]) -> set[Zaak]:
    """The zaken of the rollen that make these statements, as far as they are known to give something."""
    return set(
        connection.all(
            "SELECT DISTINCT r.source, r.zaak FROM claim c JOIN raw r ON r.id = c.raw"
            " JOIN representation p ON p.source = r.source AND p.zaak = r.zaak"
            f" WHERE c.statement {IN_IDS}",
            (id_list(statements),),
        )
    )


def zaken_of_pair(connection: Session, row: int) -> set[Zaak]:
    """The zaken that give something of the parties of a vertegenwoordiging (a row)."""
    statements = connection.all(
        "SELECT s.id FROM link l JOIN statement s ON s.document = l.target WHERE l.source = ?", (row,)
    )
    return zaken_of(connection, [found for (found,) in statements])


def other_uuids(connection: Session, partijen: Iterable[bytes]) -> dict[bytes, set[bytes]]:
    """The other uuids of those among these partijen that have some (M6), also of one that a client deleted."""
    partijen = list(partijen)
    found = others_of_hidden(connection, partijen)
    for marks, some in in_parts(partijen):
        for partij, other in connection.all(
            f"SELECT d.uuid, a.uuid FROM document d JOIN alias a ON a.document = d.id WHERE d.uuid IN ({marks})",
            some,
        ):
            found.setdefault(partij, set()).add(other)
    return found


def givers(connection: Session, uuids: Iterable[bytes]) -> dict[bytes, set[Zaak]]:
    """The zaken that are known to give these vertegenwoordigingen. Also for reading."""
    found: dict[bytes, set[Zaak]] = {uuid: set() for uuid in uuids}
    for marks, some in in_parts(found):
        for uuid, *zaak in connection.all(
            f"SELECT uuid, source, zaak FROM representation WHERE uuid IN ({marks})", some
        ):
            found[uuid].add((zaak[0], zaak[1]))
    return found


def put_given(
    connection: Session,
    source: int,
    held: set[tuple[bytes, bytes]],
    wanted: set[tuple[bytes, bytes]],
) -> None:
    """Note what zaken give: pairs of zaak and uuid, as they were held and as they are now."""
    connection.many(
        "DELETE FROM representation WHERE source = ? AND zaak = ? AND uuid = ?",
        [(source, *pair) for pair in sorted(held - wanted)],
    )
    connection.many(
        "INSERT INTO representation (source, zaak, uuid) VALUES (?, ?, ?)",
        [(source, *pair) for pair in sorted(wanted - held)],
    )


def put_ends(connection: Session, source: int, zaken: Sequence[bytes], ends: Mapping[bytes, str]) -> None:
    """Note, of these zaken (at most 500), the first end that is still to come, where there is one."""
    marks, zaken = bound(zaken)
    rows = connection.all(
        f"SELECT zaak, until FROM representation_end WHERE source = ? AND zaak IN ({marks})", (source, *zaken)
    )
    held, wanted = set(rows), set(ends.items())
    connection.many(
        "DELETE FROM representation_end WHERE source = ? AND zaak = ?",
        [(source, zaak) for zaak, _ in sorted(held - wanted)],
    )
    connection.many(
        "INSERT INTO representation_end (source, zaak, until) VALUES (?, ?, ?)",
        [(source, *end) for end in sorted(wanted - held)],
    )


def ended(connection: Session, day: str, limit: int) -> set[Zaak]:
    """Zaken with a rol that ended before `day` (ISO 8601) since they were last looked at. Also for reading."""
    return set(
        connection.all("SELECT source, zaak FROM representation_end WHERE until < ? LIMIT ?", (day, limit))
    )
