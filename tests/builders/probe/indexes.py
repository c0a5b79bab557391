"""Is what is kept beside the documents in step with them: profiles, indexes of texts, what references name?

Found out in another way than it is kept.
"""
# ruff: noqa: S608  (names of ours and numbers of kinds and relations only)

from __future__ import annotations

import json
import re
from collections import defaultdict

from gateway.store.base.kinds import KIND, LEGACY_ORIGIN, RELATION
from gateway.store.base.searched_fields import FIELD_NUMBER, FILLED
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.indexes import text_search
from gateway.store.indexes.traits import TRAITS

HOP = re.compile(r"([<>])([^<>:]+)")
# Fields that are flags, which databases take out of a body each in their own way.
FLAGS = {
    "indicatieActief",
    "indicatieGeheimhouding",
    "indicatieContactGelukt",
    "isStandaardAdres",
    "vertrouwelijk",
}
FLAG = {"true": "1", "false": "0"}


def out_of_step(store: Store) -> dict[str, int]:
    """How many documents have another profile or other indexed texts than they must have, by what is wrong."""
    found: dict[str, int] = {}
    with store.read() as connection:
        for kind in TRAITS:
            wrong = [row for row, there, must in _profiles(connection, kind) if there != must]
            if wrong:
                found[f"profile of {kind}"] = len(wrong)
        stray = "SELECT count(*) FROM profiled WHERE document NOT IN (SELECT id FROM document)"
        if lost := connection.one(stray)[0]:
            found["a profile of no document"] = lost
        for (kind, field), number in FIELD_NUMBER.items():
            if (there := _kept(connection, number)) != (must := _said(connection, kind, field)):
                found[f"values of {kind} {field}"] = len(there ^ must)
        if named := _named(connection):
            found["what a client's reference names"] = named
        # PostgreSQL keeps its indexes of texts by itself.
        for kind, field in text_search.FIELDS if connection.dialect.is_a_file else ():
            if (must := _texts(connection, kind, field)) != (there := _indexed(connection, kind, field)):
                found[f"text of {kind} {field}"] = len(must.items() ^ there.items())
    return found


def _named(connection: Session) -> int:
    """How many of what clients' references name stand as it is kept, or in what they wrote, but not in both."""
    kept = set(connection.all("SELECT target, uuid, part FROM named"))
    rows = connection.all(
        "SELECT uuid, part, value FROM local WHERE part LIKE 'link %' AND value IS NOT NULL"
    )
    return len(kept ^ {(target, uuid, part) for uuid, part, value in rows for target in json.loads(value)})


def _kept(connection: Session, number: int) -> set[tuple[str, int]]:
    return set(connection.all("SELECT value, document FROM field_value WHERE field = ?", (number,)))


def _said(connection: Session, kind: str, field: str) -> set[tuple[str, int]]:
    filled = f" AND body ->> '$.{field}' <> ''" if (kind, field) in FILLED else ""
    question = (
        f"SELECT body ->> '$.{field}', id FROM document WHERE kind = ? AND body ->> '$.{field}' IS NOT NULL"
    )
    return set(connection.all(question + filled, (KIND[kind],)))


def _profiles(connection: Session, kind: str) -> list[tuple[int, set[str], set[str]]]:
    """The documents of a kind, each with the traits that it has and those that it must have."""
    must: dict[int, set[str]] = defaultdict(set)
    for name in TRAITS[kind]:
        field = name.rpartition(":")[2]
        for row, value in connection.all(_values(kind, name)):
            if value is not None and value != "":
                said = FLAG.get(value, value) if field in FLAGS else value
                must[row].add(f"{name}={said}")
    rows = connection.all(
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


def _texts(connection: Session, kind: str, field: str) -> dict[int, tuple[str, ...]]:
    """What must stand in an index: of each document every three signs of its text."""
    rows = connection.all(
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


def _indexed(connection: Session, kind: str, field: str) -> dict[int, tuple[str, ...]]:
    """What stands there."""
    name = text_search.INDEXES[kind, field]
    connection.run(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.v_{name} USING fts5vocab(main, {name}, 'instance')"
    )
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for term, row, place in connection.all(f'SELECT term, doc, "offset" FROM temp.v_{name}'):
        found[row][place] = term
    return {row: tuple(term for _, term in sorted(terms.items())) for row, terms in found.items()}
