"""Statements as PostgreSQL wants them, made once of the text that stands in the code (see `base/dialect.py`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from gateway.store.base.session import Parameters

# Statements are few, but those that are put together of what is asked have many shapes.
KEPT = 4096
_VALUE = r"(?:\?\d*|:[a-z_]\w*)"
# A part of a search in the index of texts, see `indexes/text_search.py`.
_INDEXED = (
    r"SELECT rowid AS id FROM (\w+) WHERE \1 MATCH .*? UNION ALL SELECT n\.document FROM text_due n CROSS JOIN document"
    r" w WHERE w\.id = n\.document AND w\.kind = (\d+) AND contains_text\(w\.body ->> '\$\.(\w+)', (\?\d+)\)"
)
# What is put otherwise: each form, and how. Tried in this order.
FORMS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(form), other)
    for form, other in (
        # Texts are found by an index on themselves, for which the part is looked for as a pattern.
        (
            _INDEXED,
            r"SELECT w.id FROM document w WHERE w.kind = \2"
            r" AND folded(json_text(w.body, '{\3}')) LIKE part_pattern(\4)",
        ),
        # A list is an array.
        (rf"\bNOT IN \(SELECT value FROM json_each\(({_VALUE})\)\)", r"<> ALL (\1)"),
        (rf"\bIN \(SELECT value FROM json_each\(({_VALUE})\)\)", r"= ANY (\1)"),
        (rf"\bjson_each\(({_VALUE})\) (\w+)", r"unnest(\1) AS \2 (value)"),
        (rf"\bjson_each\(CAST\(({_VALUE}) AS text\)\) (\w+)", r"unnest(CAST(\1 AS text[])) AS \2 (value)"),
        (rf"({_VALUE}) ->> 0\b", r"(\1)[1]"),
        (rf"({_VALUE}) ->> 1\b", r"(\1)[2]"),
        # The clock of the database, which is that of all machines.
        (r"\bthis_moment\(\)", "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"),
        # Without this the numbers would have four bytes.
        (r"\bAS INTEGER\)", "AS bigint)"),
        # A hint for another planner.
        (r" INDEXED BY \w+", ""),
        (
            r"\bCROSS JOIN (unnest\(\S+(?: AS text\[\]\))?\) AS \w+ \(value\)|\w+(?: (?!ON\b)\w+)?) ON\b",
            r"JOIN \1 ON",
        ),
    )
)
_INSERT = re.compile(
    r"INSERT INTO (?P<table>\w+) \((?P<columns>[\w, ]+)\) VALUES \((?P<values>\?(?:, \?)*)\)"
    r"(?P<end> ON CONFLICT(?: \((?P<keys>[\w, ]+)\))? DO (?:NOTHING|UPDATE SET [^?]+))?"
)
_UPDATE = re.compile(
    r"UPDATE (?P<table>\w+) SET (?P<changes>\w+ = \?(?:, \w+ = \?)*) WHERE (?P<keys>\w+ = \?(?: AND \w+ = \?)*)"
)
_DELETE = re.compile(r"DELETE FROM (?P<table>\w+) WHERE (?P<keys>\w+ = \?(?: AND \w+ = \?)*)")
_PLACE = re.compile(r"([\w.]+) ->> '\$\.([\w.]+)'(?: = ([01])\b| (IS NOT NULL)\b)?")
_FLAGS = {"0": "false", "1": "true"}
# Values one by one, as `bound_lists.bound` writes them.
_LIST = re.compile(r"\b(NOT )?IN \((\?(?:,\?)+)\)")
# Texts and comments are passed over.
_VALUES = re.compile(r"'(?:[^']|'')*'|--[^\n]*|\?(\d*)|(?<!:):([a-z_]\w*)")


class NoNumbers(list[int]):
    """An empty list that is a table, which doesn't say that it is of texts: of numbers."""


class Put(NamedTuple):
    """A statement: its text with `$1`, the names of the values in that order (none: they come in order), is a list of
    numbers among them a table, and which of them (from, to) go as one list?"""

    text: str
    names: tuple[str, ...]
    tables: bool
    lists: tuple[tuple[int, int], ...] = ()

    def values(self, given: Parameters) -> Any:
        """The values that were given, in the order that the text has them."""
        values: Any = [given[name] for name in self.names] if self.names else given  # type: ignore[call-overload]
        if self.lists:
            one_by_one, values, done = values, [], 0
            for start, end in self.lists:
                values += (*one_by_one[done:start], list(one_by_one[start:end]))
                done = end
            values += one_by_one[done:]
        return [NoNumbers() if value == [] else value for value in values] if self.tables else values


@lru_cache(maxsize=KEPT)
def put(sql: str) -> Put:
    """A statement of the code as it is sent."""
    sql, lists = _with_lists(sql)
    for form, other in FORMS:
        sql = form.sub(other, sql)
    sql = _PLACE.sub(_placed, sql)
    names: list[str] = []
    last = 0

    def value(match: re.Match[str]) -> str:
        nonlocal last
        number, name = match.groups()
        if name is not None:
            if name not in names:
                names.append(name)
            return f"${names.index(name) + 1}"
        if number is None:
            return match[0]
        here = int(number) if number else last + 1
        last = max(last, here)
        return f"${here}"

    text = _VALUES.sub(value, sql)
    return Put(text, tuple(names), "unnest($" in text, lists)


def _with_lists(sql: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A statement in which many values for one test are a list, and which values (from, to) those are.

    So it is the same statement for any number of them, that the database read and planned before.
    """
    values = [match for match in _VALUES.finditer(sql) if match[1] is not None or match[2]]
    found = [*_LIST.finditer(sql)]
    if not found or any(match[0] != "?" for match in values):
        return sql, ()
    places = {match.start(): place for place, match in enumerate(values)}
    starts = [(places[match.start(2)], match[2].count("?")) for match in found]
    sql = _LIST.sub(lambda match: "<> ALL (?)" if match[1] else "= ANY (?)", sql)
    return sql, tuple((start, start + number) for start, number in starts)


@lru_cache(maxsize=KEPT)
def put_insert(sql: str) -> Put:
    """An INSERT as it is sent, to tell the `id` of its row."""
    known = put(sql)
    return known._replace(text=f"{known.text} RETURNING id")


class RowsPut(NamedTuple):
    """A statement for a row as one for many: what it is up to the types of its values, its table and columns, and the
    columns (places) in which no two rows of one statement may be the same."""

    text: str
    table: str
    columns: tuple[str, ...]
    keys: tuple[int, ...]

    def typed(self, types: Sequence[str]) -> str:
        """The statement, that takes a list of each column."""
        return self.text.format(", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, 1)))

    def may_take(self, rows: Sequence[Any]) -> bool:
        """May these rows be in one statement?"""
        return not self.keys or len({tuple(row[place] for place in self.keys) for row in rows}) == len(rows)


@lru_cache(maxsize=KEPT)
def put_rows(sql: str) -> RowsPut | None:
    """An INSERT, UPDATE or DELETE of a row as one of many; None for other statements."""
    found = _INSERT.fullmatch(sql)
    if found is not None:
        columns = _names(found["columns"])
        if len(columns) != found["values"].count("?"):
            return None
        keys = [columns.index(name) for name in _names(found["keys"] or "") if name in columns]
        return RowsPut(
            f"INSERT INTO {found['table']} ({found['columns']}) SELECT * FROM unnest({{}}){found['end'] or ''}",
            found["table"],
            columns,
            () if (found["end"] or "").endswith("NOTHING") else tuple(keys),
        )
    found = _DELETE.fullmatch(sql)
    if found is not None:
        table, columns = found["table"], _keys(found)
        return RowsPut(
            f"DELETE FROM {table} USING unnest({{}}) AS v ({', '.join(columns)}) WHERE {_same(table, columns)}",
            table,
            columns,
            (),
        )
    found = _UPDATE.fullmatch(sql)
    if found is None:
        return None
    changed, names = _names(found["changes"].replace(" = ?", "")), _keys(found)
    columns, table = (*changed, *names), found["table"]
    if len(set(columns)) < len(columns):
        return None
    changes = ", ".join(f"{name} = v.{name}" for name in changed)
    return RowsPut(
        f"UPDATE {table} SET {changes} FROM unnest({{}}) AS v ({', '.join(columns)}) WHERE {_same(table, names)}",
        table,
        columns,
        tuple(range(len(changed), len(columns))),
    )


def _keys(found: re.Match[str]) -> tuple[str, ...]:
    """By what a statement knows its row."""
    return tuple(each.removesuffix(" = ?") for each in found["keys"].split(" AND "))


def _same(table: str, names: Sequence[str]) -> str:
    return " AND ".join(f"{table}.{name} = v.{name}" for name in names)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in listed.split(","))))


def _placed(match: re.Match[str]) -> str:
    held, place, flag, is_there = match.groups()
    found = f"json_text({held}, '{{{place.replace('.', ',')}}}')"
    if is_there:  # what has not even the name needs not be read
        return f"(strpos({held}, '\"{place.rpartition('.')[2]}\"') > 0 AND {found} IS NOT NULL)"
    return f"{found} = '{_FLAGS[flag]}'" if flag else found
