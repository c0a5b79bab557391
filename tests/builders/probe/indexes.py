"""Are the profiles and the indexes of texts in step with the documents? Found out in another way than they are kept."""
# ruff: noqa: S608  (names of ours and numbers of kinds and relations only)

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict

from gateway.store.base.kinds import KIND, LEGACY_ORIGIN, RELATION
from gateway.store.file.database import Store
from gateway.store.indexes import text_search
from gateway.store.indexes.traits import TRAITS

HOP = re.compile(r"([<>])([^<>:]+)")


def out_of_step(store: Store) -> dict[str, int]:
    """How many documents have another profile or other indexed texts than they must have, by what is wrong."""
    found: dict[str, int] = {}
    with store.read() as connection:
        for kind in TRAITS:
            wrong = [row for row, there, must in _profiles(connection, kind) if there != must]
            if wrong:
                found[f"profile of {kind}"] = len(wrong)
        if due := connection.execute("SELECT count(*) FROM profile_due").fetchone()[0]:
            found["a profile that is due"] = due
        for kind, field in text_search.FIELDS:
            if (must := _texts(connection, kind, field)) != (there := _indexed(connection, kind, field)):
                found[f"text of {kind} {field}"] = len(must.items() ^ there.items())
    return found


def _profiles(connection: sqlite3.Connection, kind: str) -> list[tuple[int, set[str], set[str]]]:
    """The documents of a kind, each with the traits that it has and those that it must have."""
    must: dict[int, set[str]] = defaultdict(set)
    for name in TRAITS[kind]:
        for row, value in connection.execute(_values(kind, name)):
            if value is not None and value != "":
                must[row].add(f"{name}={value}")
    rows = connection.execute(
        "SELECT d.id, f.traits FROM document d LEFT JOIN profiled p ON p.document = d.id"
        " LEFT JOIN profile f ON f.id = p.profile WHERE d.kind = ?",
        (KIND[kind],),
    )
    return [(row, set(json.loads(traits or '["none"]')), must[row]) for row, traits in rows]


def _values(kind: str, name: str) -> str:
    """A question for the documents of a kind with each value of a trait."""
    path, _, field = name.rpartition(":")
    tables, tests, at = ["document d"], [f"d.kind = {KIND[kind]}"], "d.id"
    for step, (direction, relation) in enumerate(HOP.findall(path)):
        near, far = ("target", "source") if direction == "<" else ("source", "target")
        tables.append(f"link l{step}")
        tests += [f"l{step}.{near} = {at}", f"l{step}.relation = {RELATION[relation]}"]
        at = f"l{step}.{far}"
    tables.append("document e")
    tests.append(f"e.id = {at}")
    value = f"e.body ->> '$.{field.lstrip('?~')}'"
    if field.startswith("~"):
        tests.append(f"e.origin = {LEGACY_ORIGIN}")
    if field.startswith("?"):
        value = f"CASE WHEN {value} <> '' THEN 1 END"
    if not field:
        value = "1"
    return f"SELECT d.id, {value} FROM {', '.join(tables)} WHERE {' AND '.join(tests)}"


def _texts(connection: sqlite3.Connection, kind: str, field: str) -> dict[int, tuple[str, ...]]:
    """What must stand in an index: of each document every three signs of its text."""
    rows = connection.execute(
        f"SELECT id, body ->> '$.{field}' FROM document WHERE kind = ? AND length(body ->> '$.{field}') > 0"
        " AND id NOT IN (SELECT document FROM text_due)",
        (KIND[kind],),
    )
    found = {}
    for row, text in rows:
        said = re.sub("[\ufffe\uffff]", "\ufffd", text.upper())  # as SQLite reads them
        if len(said) >= 3:
            found[row] = tuple(said[n : n + 3] for n in range(len(said) - 2))
    return found


def _indexed(connection: sqlite3.Connection, kind: str, field: str) -> dict[int, tuple[str, ...]]:
    """What stands there."""
    name = text_search.INDEXES[kind, field]
    connection.execute(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.v_{name} USING fts5vocab(main, {name}, 'instance')"
    )
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for term, row, place in connection.execute(f'SELECT term, doc, "offset" FROM temp.v_{name}'):
        found[row][place] = term
    return {row: tuple(term for _, term in sorted(terms.items())) for row, terms in found.items()}
