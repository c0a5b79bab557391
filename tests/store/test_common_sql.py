"""Statements go by the methods of a session, in SQL that SQLite and PostgreSQL share."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.paths import ROOT

STORE = ROOT / "gateway" / "store"
BY_METHODS = (
    "backup",
    "base",
    "documents",
    "edits",
    "export",
    "indexes",
    "inspect",
    "legacy",
    "login",
    "machines",
    "moving",
    "operation",
    "person",
)
# A copy of the file and its checks are SQLite's alone.
COMMON = BY_METHODS[1:]
OF_THE_LIBRARY = {"execute", "executemany", "fetchall", "fetchone", "lastrowid", "rowcount"}
# What of SQLite may stand where: an index of parts of texts is its own.
FULL_TEXT = {"rowid", "MATCH", "total_changes("}
ALLOWED = {"indexes/text_search.py": FULL_TEXT}
REFUSED = re.compile(
    r"\browid\b|\bINSERT OR\b|\bUPDATE OR\b|\bREPLACE INTO\b|\bMATCH\b|\bPRAGMA\b|\bsqlite_\w+|\bpragma_\w+|\bx'"
    r"|\b(?:iif|ifnull|total|group_concat|json_group_array|json_group_object|json_object|json_array|json_extract"
    r"|json_valid|json_type|json_set|json_insert|json_replace|json_remove|json_patch|hex|unhex|printf|instr|char"
    r"|randomblob|zeroblob|typeof|likely|unlikely|total_changes)\("
    r"|\bIS (?:NOT )?(?:\?|:|[a-z]\w*\.\w|')|\b(?:min|max)\((?:[^()]|\([^()]*\))*,|\btemp\.|\bCREATE TEMP\b"
    r"|\bcoalesce\(\S+ [<>=]|\b(?:sum|min|max|avg)\((?!CASE)[^()]* (?:[<>=]|IS|IN) "
    r"|\b(?:substr|round|repeat|lpad|rpad|left|right)\([^()]*[?:]"  # which numbers of eight bytes go not into
    r"|\bGROUP BY [^)]*\?(?!\d)"  # is another value than the same one in the SELECT
)


def test_every_package_but_the_driver_and_the_schema_is_looked_at() -> None:
    packages = {path.parent.name for path in STORE.glob("*/__init__.py")}
    assert packages - {"file", "postgres", "schema"} == set(BY_METHODS)


def test_only_the_driver_and_the_schema_import_the_libraries_of_sqlite() -> None:
    """import-linter names packages one by one, and would not see a new one."""
    importing = {
        path.parent.relative_to(ROOT).as_posix()
        for package in ("gateway", "jobs", "mappings")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"^\s*(?:import|from) (?:sqlite3|sqlite_utils)\b", path.read_text("utf-8"), re.MULTILINE)
    }
    assert importing == {"gateway/store/file", "gateway/store/schema"}


def modules(packages: tuple[str, ...]) -> list[Path]:
    return [path for name in packages for path in sorted((STORE / name).glob("*.py"))]


def told(path: Path) -> str:
    return str(path.relative_to(STORE))


def texts(path: Path) -> Iterator[str]:
    """The texts in a module that are no docstring; what is put into one stands in it as a space."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
    }
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else " " for part in node.values)
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (parts | said)
        ):
            yield node.value


@pytest.mark.parametrize("path", modules(BY_METHODS), ids=told)
def test_statements_are_run_by_the_methods_of_a_session(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert used & OF_THE_LIBRARY == set()


def unnamed(text: str) -> Iterator[str]:
    """The tables made in a statement that have no name there, which PostgreSQL before 16 wants."""
    for start in re.finditer(r"\b(?:FROM|JOIN) \((?=SELECT\b|VALUES\b)", text):
        depth, end = 1, start.end()
        while depth and end < len(text):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        if not depth and not re.match(
            r" (?:AS )?(?!WHERE|ORDER|GROUP|LIMIT|UNION|JOIN|CROSS|LEFT|ON\b)\w", text[end:]
        ):
            yield text[start.start() : end]


def test_a_table_without_a_name_is_seen() -> None:
    assert [*unnamed("SELECT x FROM (SELECT (1) AS x) WHERE x = 1")] == ["FROM (SELECT (1) AS x)"]
    assert [*unnamed("SELECT (SELECT 1) FROM (SELECT (1) AS x) y JOIN (VALUES (1)) AS z ON 1")] == []


@pytest.mark.parametrize("path", modules(COMMON), ids=told)
def test_a_table_made_in_a_statement_has_a_name(path: Path) -> None:
    assert [each for text in texts(path) for each in unnamed(text)] == []


@pytest.mark.parametrize("path", modules(COMMON), ids=told)
def test_statements_hold_nothing_that_is_of_sqlite_alone(path: Path) -> None:
    """But for the forms that `gateway/store/base/dialect.py` lists."""
    found = {match.group() for text in texts(path) for match in REFUSED.finditer(text)}
    assert {each for each in found if each not in ALLOWED.get(told(path), ())} == set()


@pytest.mark.parametrize("path", modules(COMMON), ids=told)
def test_a_table_of_texts_says_so(path: Path) -> None:
    """PostgreSQL takes an empty list for one of numbers, and those are compared with no text."""
    assert [
        text
        for text in texts(path)
        for listed in re.findall(r"json_each\(\?\d*\) (\w+)", text)
        if re.search(rf"\b(?:value|key|name|uuid) = {listed}\.value\b", text)
    ] == []
