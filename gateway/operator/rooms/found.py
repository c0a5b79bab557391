"""What did not fit and what could not be read, object by object: with zaaknummer and address at the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from gateway.config.model import Source
from gateway.store.base.kinds import QUARANTINED, RAW_KINDS
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.indexes import tallies
from gateway.store.inspect import findings, searching
from gateway.store.inspect.findings import START, FindingGroup, Place, Selection
from gateway.store.inspect.status import moment_of
from gateway.store.legacy import quarantine
from gateway.store.legacy.quarantine import BEGIN, After, QuarantineAsked
from mappings.explain import advice
from mappings.standards import KINDS

PIECE = 1000
# So many findings are counted by field, source and severity at once; of more only those of one rule at a time.
MOST_COUNTED = 50_000
SEVERITIES = {"info": "ter informatie", "adjusted": "aangepast", "dropped": "weggelaten"}
HEADINGS = (
    "bron",
    "regel",
    "waarover",
    "ernst",
    "veld",
    "wat er gebeurde",
    "soort",
    "uuid",
    "zaaknummer",
    "adres",
)
QUARANTINE_HEADINGS = ("bron", "soort", "uuid", "zaaknummer", "adres", "reden", "sinds", "laten rusten op")
_CELLS = ("source", "kind", "uuid", "zaaknummer", "address", "reason", "since", "dismissed")
# What a spreadsheet would take for a formula when a cell begins with it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class FoundObject(NamedTuple):
    """An object of a source, or a document of a client: what it is called there, and what was done."""

    source: str
    kind: str
    uuid: str
    action: str
    zaaknummer: str
    address: str


def groups(store: Store, selection: Selection) -> list[FindingGroup]:
    """The findings counted by rule, severity, source and field."""
    with store.read() as connection:
        return findings.groups(connection, selection)


def group(store: Store, rule: str, severity: str, source: str, field: str) -> FindingGroup | None:
    """The findings of one rule in one field of one source; None when there are none."""
    with store.read() as connection:
        return findings.group_of(connection, rule, severity, source, field)


def rules(store: Store, selection: Selection) -> list[dict[str, Any]]:
    """The findings counted by rule: what it is about, what to do, and its `groups` (source, field, severity, count).

    Where there are very many and no rule is chosen, `groups` is None, and `count` of all sources and severities.
    """
    if not selection.rule and (counts := _too_many(store)):
        return [_rule(rule, count, None) for rule, count in counts.items()]
    found: dict[str, list[FindingGroup]] = {}
    for group in groups(store, selection):
        found.setdefault(group.rule, []).append(group)
    return [_rule(rule, sum(each.count for each in of), of) for rule, of in found.items()]


def _rule(rule: str, count: int, of: list[FindingGroup] | None) -> dict[str, Any]:
    return {
        "rule": rule,
        "about": advice.about(rule),
        "advice": advice.advice(rule),
        "count": count,
        "groups": of,
    }


def _too_many(store: Store) -> dict[str, int]:
    """How many findings there are by rule, where all together are too many to count by field; else nothing."""
    with store.read() as connection:
        counts = findings.by_rule(connection)
    return counts if sum(counts.values()) > MOST_COUNTED else {}


def objects(
    store: Store, sources: Sequence[Source], group: FindingGroup, place: Place, limit: int
) -> tuple[list[FoundObject], Place | None]:
    """The next objects of a group of findings, and the place after them; None when there is no more."""
    with store.read() as connection:
        found, after = findings.piece(connection, group, place, limit)
        if not found and after is not None:
            found, after = findings.piece(connection, group, after, limit)
        return _named(connection, sources, found), after if _is_more(connection, group, after) else None


def _is_more(connection: Session, group: FindingGroup, place: Place | None) -> bool:
    """Is there something after that place?"""
    while place is not None:
        found, place = findings.piece(connection, group, place, 1)
        if found:
            return True
    return False


def all_rows(store: Store, sources: Sequence[Source], selection: Selection) -> Iterator[list[str]]:
    """Every finding that is asked for as a row of HEADINGS, a piece at a time: nothing is held for long."""
    for group in _rule_by_rule(store, selection):
        about, severity = advice.about(group.rule), SEVERITIES[group.severity]
        begin = [group.source, group.rule, about, severity, group.field]
        place: Place | None = START
        told = 0
        while place is not None:
            with store.read() as connection:
                found, place = findings.piece(connection, group, place, PIECE)
                rows = _named(connection, sources, found)
            told += len(rows)
            yield from (
                [*begin, each.action, each.kind, each.uuid, each.zaaknummer, each.address] for each in rows
            )
        if not told:  # of a source as a whole
            yield [*begin, group.action, "", "", "", ""]


def _rule_by_rule(store: Store, selection: Selection) -> Iterator[FindingGroup]:
    """The groups that are asked for, counted in as little time at once as can be."""
    counts = {} if selection.rule else _too_many(store)
    if not counts:
        yield from groups(store, selection)
    for rule in counts:
        yield from groups(store, replace(selection, rule=rule))


def quarantined(
    store: Store, sources: Sequence[Source], asked: QuarantineAsked, after: After, limit: int
) -> tuple[list[dict[str, Any]], After | None]:
    """The next of what is in quarantine, longest there first: `uuid`, `reason`, `since`, `zaaknummer`, `address`, ...

    Out: up to `limit` of them, and after which one it goes on; None when there is no more.
    """
    with store.read() as connection:
        held = quarantine.part(connection, asked, after, limit + 1)
        more = len(held) > limit
        held = held[:limit]
        numbers = _zaaknummers(connection, [(each.source, each.kind, each.uuid) for each in held])
    rows = [
        {
            "row": each.row,
            "source": each.source,
            "kind": each.kind,
            "uuid": str(each.uuid),
            "reason": each.reason,
            "since": moment_of(each.since),
            "dismissed": moment_of(each.dismissed),
            "emptied": each.emptied,
            "zaaknummer": numbers.get((each.source, each.kind, each.uuid), ""),
            "address": address(sources, each.source, each.kind, each.uuid),
        }
        for each in held
    ]
    return rows, (held[-1].since, held[-1].row) if more else None


def all_quarantined(store: Store, sources: Sequence[Source], asked: QuarantineAsked) -> Iterator[list[str]]:
    """All of it as rows of QUARANTINE_HEADINGS, a piece at a time."""
    after: After | None = BEGIN
    while after is not None:
        rows, after = quarantined(store, sources, asked, after, PIECE)
        yield from ([each[name] or "" for name in _CELLS] for each in rows)


def reasons(store: Store, asked: QuarantineAsked) -> list[tuple[str, int]]:
    """How many there are of what is asked for, by reason: most first."""
    with store.read() as connection:
        return quarantine.by_reason(connection, asked)


def kinds_in_quarantine(store: Store) -> list[str]:
    """Of which kinds there is something in quarantine."""
    with store.read() as connection:
        held = {kind for _, kind, state, _ in tallies.raws(connection) if state == QUARANTINED}
    return [RAW_KINDS[kind - 1] for kind in sorted(held)]


def safe_cell(text: str) -> str:
    """A cell of a CSV that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def address(sources: Sequence[Source], name: str, kind: str, uuid: UUID) -> str:
    """Where an object is at its source; blank for what is of no source."""
    source = next((each for each in sources if each.name == name), None)
    if source is None or kind not in KINDS:
        return ""
    api = getattr(source, f"{KINDS[kind].api}_url")
    return f"{api}{KINDS[kind].path}/{uuid}" if api else ""


def _named(
    connection: Session, sources: Sequence[Source], found: Sequence[findings.Example]
) -> list[FoundObject]:
    numbers = _zaaknummers(connection, [(each.source, each.kind, each.uuid) for each in found])
    return [
        FoundObject(
            each.source,
            each.kind,
            str(each.uuid),
            each.action,
            numbers.get((each.source, each.kind, each.uuid), ""),
            address(sources, each.source, each.kind, each.uuid) if each.row else "",
        )
        for each in found
    ]


def _zaaknummers(
    connection: Session, objects: Iterable[tuple[str, str, UUID]]
) -> dict[tuple[str, str, UUID], str]:
    by_kind: dict[tuple[str, str], list[UUID]] = {}
    for source, kind, uuid in objects:
        by_kind.setdefault((source, kind), []).append(uuid)
    found: dict[tuple[str, str, UUID], str] = {}
    for (source, kind), uuids in by_kind.items():
        zaken = searching.zaken_of(connection, source, kind, uuids)
        numbers = searching.zaaknummers(connection, source, set(zaken.values()))
        found |= {(source, kind, uuid): numbers[zaak] for uuid, zaak in zaken.items() if zaak in numbers}
    return found
