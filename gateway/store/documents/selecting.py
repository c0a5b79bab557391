"""SQL for the documents that meet conditions: where a search starts, and how the other conditions are tried.

The value of the n-th condition is parameter ?n of every statement.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.store.base.conditions import Compare, Condition, Subject, Where
from gateway.store.base.kinds import KIND, LEGACY_ORIGIN, RELATION
from gateway.store.base.searched_fields import FIELD_NUMBER
from gateway.store.indexes import text_search

# A uuid that a client holds may be one that resolves to another document (M6).
RESOLVED = (
    "coalesce((SELECT id FROM document WHERE uuid = ?{0}), (SELECT document FROM alias WHERE uuid = ?{0}))"
)
# What a search can start from, the one that few documents meet first.
BY_DOCUMENT, BY_INDEX, BY_TEXT, BY_RANGE, BY_PROFILE, NO_INDEX = range(6)
RANGES = (Compare.AFTER, Compare.FROM, Compare.BEFORE, Compare.UNTIL)


def start_of(conditions: Sequence[Condition]) -> tuple[int, int | None]:
    """The condition to start a search from: how it is found (BY_DOCUMENT, ...), and its place; or NO_INDEX and None."""
    best, place = NO_INDEX, None
    for number, (where, value) in enumerate(conditions):
        rank = _rank(where, value)
        if rank < best:
            best, place = rank, number
    return best, place


def _rank(where: Where, value: object) -> int:
    if where.subject is Subject.PROFILE:
        return BY_PROFILE
    if where.compare is Compare.IS:
        if where.subject is Subject.DOCUMENT:
            return BY_DOCUMENT
        if _is_kept(where) and value != "":
            return BY_INDEX
    elif where.compare is Compare.CONTAINS:
        if text_search.is_indexed(where.kind, where.field, value):
            return BY_TEXT
    elif where.compare in RANGES and _is_kept(where):
        return BY_RANGE
    return NO_INDEX


def _is_kept(where: Where) -> bool:
    return (where.kind, where.field) in FIELD_NUMBER


def selection(kind: str, wheres: Sequence[Where], start: int | None) -> str:
    """FROM and WHERE for the documents of a kind that meet conditions of these shapes.

    The search starts from the condition at place `start`; the others are then tried on what it found.
    """
    tests = trials(kind, [None if n == start else where for n, where in enumerate(wheres)])
    if start is None:
        return f"FROM document d WHERE {tests}"
    found = search(wheres[start], start + 1)
    return f"FROM ({found}) found CROSS JOIN document d WHERE d.id = found.id AND {tests}"


def trials(kind: str, wheres: Sequence[Where | None]) -> str:
    """A test that the listed document d is of a kind and meets the conditions of these shapes; None is left out."""
    tests = [f"d.kind = {KIND[kind]}"]
    tests += [_trial(where, n + 1) for n, where in enumerate(wheres) if where is not None]
    return " AND ".join(tests)


def search(where: Where, parameter: int) -> str:
    """A query for the listed documents (`id`) that meet an indexed condition, walking its path from the end."""
    tables: list[str] = []
    tests: list[str] = []
    if where.subject is Subject.PROFILE:
        return f"SELECT document AS id FROM profiled WHERE profile IN (SELECT value FROM json_each(?{parameter}))"
    if where.subject is Subject.DOCUMENT:
        at = RESOLVED.format(parameter)
    elif where.compare is Compare.CONTAINS:
        found = text_search.search(where.kind, where.field, parameter)
        if not where.path:
            return found
        tables, at = [f"({found}) x"], "x.id"
    else:
        tables = ["field_value x"]
        number = FIELD_NUMBER[where.kind, where.field]
        tests = [f"x.field = {number}", f"x.value {where.compare.value} ?{parameter}"]
        at = "x.document"
    for step, hop in enumerate(reversed(where.path)):
        near, far = ("target", "source") if hop.back else ("source", "target")
        tables.append(f"link s{step}")
        tests += [f"s{step}.{far} = {at}", f"s{step}.relation = {RELATION[hop.relation]}"]
        at = f"s{step}.{near}"
    if not tables:
        return f"SELECT {at} AS id"
    distinct = "DISTINCT " if where.path else ""
    return f"SELECT {distinct}{at} AS id FROM {' CROSS JOIN '.join(tables)} WHERE {' AND '.join(tests)}"


def _trial(where: Where, parameter: int) -> str:
    """A test on the listed document d, following the path from there."""
    if where.compare is Compare.NEVER:
        return f"?{parameter} IS NULL"  # the value is never NULL; naming it keeps the numbering whole
    if where.subject is Subject.PROFILE:
        profile = "(SELECT profile FROM profiled WHERE document = d.id)"
        return f"{profile} IN (SELECT value FROM json_each(?{parameter}))"
    tables, tests, at = [], [], "d.id"
    for step, hop in enumerate(where.path):
        near, far = ("target", "source") if hop.back else ("source", "target")
        tables.append(f"link t{step}")
        tests += [f"t{step}.{near} = {at}", f"t{step}.relation = {RELATION[hop.relation]}"]
        at = f"t{step}.{far}"
    if where.subject is Subject.DOCUMENT:
        if where.compare is Compare.PRESENT:
            return _is_so(_exists(tables, tests), parameter)
        tests.append(f"{at} = {RESOLVED.format(parameter)}")
        return _exists(tables, tests) if tables else tests[0]
    holder = "d"
    if tables:
        holder = "y"
        tables.append("document y")
        tests += [f"y.id = {at}", f"y.kind = {KIND[where.kind]}"]
    subject = f"{holder}.moment" if where.subject is Subject.MOMENT else _field(holder, where.field)
    if where.compare is Compare.CONTAINS:
        tests.append(f"contains_text({subject}, ?{parameter})")
    elif where.compare is Compare.AMONG:
        tests.append(f"{subject} IN (SELECT value FROM json_each(?{parameter}))")
    elif where.compare is Compare.PRESENT:
        tests.append(_is_so(f"{subject} IS NOT NULL", parameter))
    elif where.compare is Compare.IS_OR_DERIVED:
        derived = f"{holder}.origin = {LEGACY_ORIGIN} AND {subject} = ?{parameter} ->> 1"
        tests.append(f"({subject} = ?{parameter} ->> 0 OR {derived})")
    else:
        tests.append(f"{subject} {where.compare.value} ?{parameter}")
    return _exists(tables, tests) if tables else tests[0]


def _exists(tables: list[str], tests: list[str]) -> str:
    return f"EXISTS (SELECT 1 FROM {' CROSS JOIN '.join(tables)} WHERE {' AND '.join(tests)})"


def _is_so(test: str, parameter: int) -> str:
    """A test that another one holds, or that it does not, as the parameter (1 or 0) says."""
    return f"CASE WHEN {test} THEN 1 ELSE 0 END = ?{parameter}"


def _field(alias: str, field: str) -> str:
    return f"{alias}.body ->> '$.{field}'"
