"""Findings counted for the operator, with examples: rules, fields, uuids, no values. Call inside `Store.read()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from gateway.store.base.kinds import KIND, KINDS, LEGACY_ORIGIN, RAW_KINDS
from gateway.store.base.session import Session
from gateway.store.edits.editing import LINK, MOVED
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
        for rule, severity, source, field, count in _counted(connection, of, list(names))
    ]
    found += _of_sources(connection) + _by_clients(connection) + _of_write_back(connection)
    wanted = [group for group in found if selection.has(group)]
    return sorted(
        wanted, key=lambda group: (number_of(group.rule), group.severity, group.source, group.field)
    )


def examples(connection: Session, group: FindingGroup, limit: int) -> list[Example]:
    """Some legacy objects with the findings of a group."""
    if group.action == BY_CLIENT:
        return _examples_by_clients(connection, group, limit)
    if group.rule.startswith(OF_WRITE_BACK):
        return _examples_of_write_back(connection, group, limit)
    found: list[Example] = []
    for of, raw in ((_OF_OBJECTS, "f.raw"), (_OF_STATEMENTS, "c.raw")):
        rows = connection.all(
            f"SELECT r.id, s.name, r.kind, r.uuid, f.action FROM {of} CROSS JOIN raw r ON r.id = {raw}"
            " JOIN source s ON s.id = r.source"
            " WHERE f.rule = ? AND f.severity = ? AND f.field = ? AND s.name = ? LIMIT ?",
            (group.rule, group.severity, group.field, group.source, min(limit, group.count) - len(found)),
        )
        found += [
            Example(row, source, RAW_KINDS[kind - 1], UUID(bytes=uuid), action)
            for row, source, kind, uuid, action in rows
        ]
    return found


def _counted(connection: Session, of: str, sources: list[int]) -> list[tuple[Any, ...]]:
    """All of them, whatever is asked for: with a rule given, SQLite would walk the sources for each finding."""
    raw = "f.raw" if of == _OF_OBJECTS else "c.raw"
    count = "count(*)" if of == _OF_OBJECTS else "count(DISTINCT c.raw)"
    source, joined = str(sources[0] if sources else 0), ""
    if len(sources) > 1:
        source, joined = "r.source", f"JOIN {_SOURCES} r ON r.id = {raw}"
    return connection.all(
        f"SELECT f.rule, f.severity, {source}, f.field, {count} FROM {of} {joined}"
        f" GROUP BY f.rule, f.severity, {source if joined else 'f.rule'}, f.field"
    )


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
