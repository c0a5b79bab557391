"""Findings counted for the operator, with examples: rules, fields, uuids, no values. Call inside `Store.read()`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from gateway.store.base.kinds import KIND, KINDS, LEGACY_ORIGIN, RAW_KINDS
from gateway.store.base.session import Session
from gateway.store.edits.editing import MOVED
from gateway.store.edits.local_rows import LINK
from gateway.store.indexes import tallies
from gateway.store.legacy.findings import source_findings

# A finding by legacy object, in these columns: those of one object, and those of a party or actor, which are told
# of each rol that says it.
_OF_OBJECTS = "raw_finding f"
_OF_STATEMENTS = "statement_finding f JOIN claim c ON c.statement = f.statement"
# The index has source and row of each object, and not their bodies: counting reads little.
_SOURCES = "(SELECT id, source FROM raw INDEXED BY raw_state)"
# What clients wrote over what the legacy says (M19): `local` holds it, with the source of the newest object.
_BY_CLIENTS = (
    "SELECT DISTINCT s.name AS source, d.kind AS kind, l.part AS part, d.uuid AS uuid FROM local l"
    " JOIN document d ON d.id = coalesce((SELECT id FROM document WHERE uuid = l.uuid),"
    f" (SELECT document FROM alias WHERE uuid = l.uuid)) AND d.origin = {LEGACY_ORIGIN}"
    " JOIN raw r ON r.id = (SELECT max(raw) FROM provenance WHERE document = d.id)"
    f" JOIN source s ON s.id = r.source WHERE l.part <> '' AND l.part NOT LIKE '{MOVED}%'"
)
# The rules of write-back, which come after those of the mapping.
OF_WRITE_BACK, OF_WRITE_BACK_AFTER = "W", 1000
# Where the objects of a group go on: first what is found in objects, then in merging them; after which row.
Place = tuple[int, int, int]
START: Place = (0, 0, 0)
BY_CLIENT = "een client schreef hier iets anders, en dat gaat voor; klantbrug explain toont beide"


class Example(NamedTuple):
    """A legacy object with such a finding, or the document that a client wrote in, and what was done."""

    row: int
    source: str
    kind: str
    uuid: UUID
    action: str


@dataclass(slots=True)
class FindingGroup:
    """How often one rule found something in one field of the objects of one source."""

    rule: str
    severity: str
    source: str
    field: str
    count: int
    # Of a finding on the source as a whole: what was done.
    action: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which findings are asked for; blank is all."""

    sources: tuple[str, ...] = ()
    rule: str = ""
    severity: str = ""

    def has(self, group: FindingGroup) -> bool:
        """Is this group asked for?"""
        asked = ((self.rule, group.rule), (self.severity, group.severity))
        of_these = not self.sources or group.source in self.sources
        return of_these and all(wanted in ("", held) for wanted, held in asked)


def groups(connection: Session, selection: Selection) -> list[FindingGroup]:
    """The findings, counted by rule, severity, source and field; in the order of the rules."""
    names = dict(connection.all("SELECT id, name FROM source"))
    found = [
        FindingGroup(rule, severity, names[source], field, count)
        for of in (_OF_OBJECTS, _OF_STATEMENTS)
        for rule, severity, source, field, count in (
            _counted_of_rule(connection, of, list(names), selection.rule)
            if selection.rule
            else _counted(connection, of, list(names))
        )
    ]
    found += _of_sources(connection) + _by_clients(connection) + _of_write_back(connection)
    wanted = [group for group in found if selection.has(group)]
    return sorted(
        wanted, key=lambda group: (number_of(group.rule), group.severity, group.source, group.field)
    )


def by_rule(connection: Session) -> dict[str, int]:
    """How many findings there are by rule, in the order of the rules, in little time however many there are.

    A finding on a party or actor counts once for each rol that says it.
    """
    found = Counter(tallies.findings(connection))
    for group in _of_sources(connection) + _by_clients(connection) + _of_write_back(connection):
        found[group.rule] += group.count
    return {rule: found[rule] for rule in sorted(found, key=number_of)}


def group_of(connection: Session, rule: str, severity: str, source: str, field: str) -> FindingGroup | None:
    """One of the groups, counted by itself; None when there is none."""
    names = dict(connection.all("SELECT id, name FROM source"))
    numbers = [number for number, name in names.items() if name == source]
    count = 0
    if numbers:
        of_it = (rule, severity, field)
        for of in (_OF_OBJECTS, _OF_STATEMENTS):
            raw, counted = _rows_and_count(of)
            joined = f"JOIN raw r ON r.id = {raw} AND r.source = {numbers[0]}" if len(names) > 1 else ""
            count += connection.one(
                f"SELECT {counted} FROM {of} {joined} WHERE f.rule = ? AND f.severity = ? AND f.field = ?",
                of_it,
            )[0]
    if count:
        return FindingGroup(rule, severity, source, field, count)
    others = [*_of_sources(connection), *_of_write_back(connection), *_by_clients(connection)]
    wanted = (rule, severity, source, field)
    return next(
        (each for each in others if (each.rule, each.severity, each.source, each.field) == wanted), None
    )


def examples(connection: Session, group: FindingGroup, limit: int) -> list[Example]:
    """Up to `limit` of the legacy objects with the findings of a group."""
    found: list[Example] = []
    place: Place | None = START
    while place is not None and (wanted := min(limit, group.count) - len(found)) > 0:
        more, place = piece(connection, group, place, wanted)
        found += more[:wanted]
    return found


def piece(
    connection: Session, group: FindingGroup, place: Place, limit: int
) -> tuple[list[Example], Place | None]:
    """Up to `limit` of the objects with the findings of a group, and the place after them (None: there is no more).

    In: the place after what was given before, at first START. What a source as a whole has, has no objects.
    """
    if group.action == BY_CLIENT:
        return _examples_by_clients(connection, group, group.count), None
    if group.rule.startswith(OF_WRITE_BACK):
        return _examples_of_write_back(connection, group, group.count), None
    chosen = (group.rule, group.severity, group.field, group.source)
    table, first, second = place
    if table == 0:
        rows = connection.all(
            "SELECT r.id, s.name, r.kind, r.uuid, f.action, 0 FROM raw_finding f CROSS JOIN raw r ON r.id = f.raw"
            " JOIN source s ON s.id = r.source WHERE f.rule = ? AND f.severity = ? AND f.field = ? AND s.name = ?"
            " AND f.raw > ? ORDER BY f.raw LIMIT ?",
            (*chosen, first, limit),
        )
    else:
        rows = connection.all(
            "SELECT r.id, s.name, r.kind, r.uuid, f.action, f.statement FROM statement_finding f"
            " JOIN claim c ON c.statement = f.statement CROSS JOIN raw r ON r.id = c.raw"
            " JOIN source s ON s.id = r.source WHERE f.rule = ? AND f.severity = ? AND f.field = ? AND s.name = ?"
            " AND (f.statement > ? OR (f.statement = ? AND c.raw > ?)) ORDER BY f.statement, c.raw LIMIT ?",
            (*chosen, first, first, second, limit),
        )
    found = [
        Example(row, source, RAW_KINDS[kind - 1], UUID(bytes=uuid), action)
        for row, source, kind, uuid, action, _ in rows
    ]
    if len(rows) == limit:
        last = rows[-1]
        return found, (0, last[0], 0) if table == 0 else (1, last[5], last[0])
    return found, (1, 0, 0) if table == 0 else None


def _counted(connection: Session, of: str, sources: list[int]) -> list[tuple[Any, ...]]:
    """All of them, whatever is asked for: with a rule given, SQLite would walk the sources for each finding."""
    raw, count = _rows_and_count(of)
    source, joined = str(sources[0] if sources else 0), ""
    if len(sources) > 1:
        source, joined = "r.source", f"JOIN {_SOURCES} r ON r.id = {raw}"
    return connection.all(
        f"SELECT f.rule, f.severity, {source}, f.field, {count} FROM {of} {joined}"
        f" GROUP BY f.rule, f.severity, {source if joined else 'f.rule'}, f.field"
    )


def _counted_of_rule(connection: Session, of: str, sources: list[int], rule: str) -> list[tuple[Any, ...]]:
    """Those of one rule: in a large store far fewer than all."""
    raw, count = _rows_and_count(of)
    source, joined, apart = str(sources[0] if sources else 0), "", ""
    if len(sources) > 1:
        source, joined, apart = "r.source", f"CROSS JOIN raw r ON r.id = {raw}", ", r.source"
    return connection.all(
        f"SELECT f.rule, f.severity, {source}, f.field, {count} FROM {of.replace(' JOIN ', ' CROSS JOIN ')} {joined}"
        f" WHERE f.rule = ? GROUP BY f.rule, f.severity, f.field{apart}",
        (rule,),
    )


def _rows_and_count(of: str) -> tuple[str, str]:
    """Where the objects of findings are, and how many there are."""
    return ("f.raw", "count(*)") if of == _OF_OBJECTS else ("c.raw", "count(DISTINCT c.raw)")


def _of_sources(connection: Session) -> list[FindingGroup]:
    return [
        FindingGroup(each.rule, each.severity, each.source, each.field, each.found or 1, each.action)
        for each in source_findings(connection)
    ]


def number_of(rule: str) -> tuple[int, str]:
    """By what rules are put in their order."""
    digits = rule.removeprefix("M").removeprefix(OF_WRITE_BACK)
    after = OF_WRITE_BACK_AFTER if rule.startswith(OF_WRITE_BACK) else 0
    return (after + int(digits) if digits.isdigit() else 0), rule


def _of_write_back(connection: Session) -> list[FindingGroup]:
    """What did not go back to a source, or not as a client wrote it (W4-W10), counted by document."""
    rows = connection.all(
        "SELECT f.rule, f.severity, s.name, f.field, count(*), f.action FROM writeback_finding f"
        " JOIN source s ON s.id = f.source GROUP BY f.rule, f.severity, s.name, f.field, f.action"
    )
    return [FindingGroup(*row) for row in rows]


def _examples_of_write_back(connection: Session, group: FindingGroup, limit: int) -> list[Example]:
    rows = connection.all(
        "SELECT d.kind, f.document FROM writeback_finding f JOIN source s ON s.id = f.source"
        " LEFT JOIN document d ON d.uuid = f.document"
        " WHERE s.name = ? AND f.rule = ? AND f.field = ? AND f.action = ? ORDER BY f.document LIMIT ?",
        (group.source, group.rule, group.field, group.action, limit),
    )
    return [
        Example(0, group.source, KINDS[kind - 1] if kind else "verwijderd", UUID(bytes=uuid), group.action)
        for kind, uuid in rows
    ]


def _by_clients(connection: Session) -> list[FindingGroup]:
    rows = connection.all(
        f"SELECT source, kind, part, count(*) FROM ({_BY_CLIENTS}) w GROUP BY source, kind, part"
    )
    return [
        FindingGroup("M19", "info", source, f"{KINDS[kind - 1]}.{part.removeprefix(LINK)}", count, BY_CLIENT)
        for source, kind, part, count in rows
    ]


def _examples_by_clients(connection: Session, group: FindingGroup, limit: int) -> list[Example]:
    kind, _, field = group.field.partition(".")
    rows = connection.all(
        f"SELECT uuid FROM ({_BY_CLIENTS}) w"
        " WHERE source = ? AND kind = ? AND part IN (?, ?) ORDER BY uuid LIMIT ?",
        (group.source, KIND[kind], field, LINK + field, limit),
    )
    return [Example(0, group.source, kind, UUID(bytes=uuid), BY_CLIENT) for (uuid,) in rows]
