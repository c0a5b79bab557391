"""Only the tests of the store and the probe know its tables: another database changes no other test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.paths import ROOT

TESTS = ROOT / "tests"
# The probe, and who gives each test a store of its own.
THOSE_WHO_MAY = (
    TESTS / "store",
    TESTS / "builders" / "probe",
    TESTS / "builders" / "schemas.py",
    TESTS / "tools" / "database.py",
    TESTS / "machines" / "test_soak.py",
)
WRITTEN = re.compile(
    r"\.execute\w*\(|\A\s*(SELECT\s.*\sFROM\s|INSERT (OR \w+ )?INTO \w|REPLACE INTO \w|UPDATE \w+ SET\s|DELETE FROM \w"
    r"|(CREATE|DROP|ALTER) (VIRTUAL )?(TABLE|INDEX|VIEW|TRIGGER) \w|PRAGMA \w|EXPLAIN |VACUUM|BEGIN |ROLLBACK$)",
    re.DOTALL,
)
CALLS = {"execute", "executemany", "executescript", "cursor"}


def sql_in(path: Path) -> Iterator[tuple[str, int]]:
    """Where a test module has SQL, or gives some to a connection."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        called = (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS
        )
        text = isinstance(node, ast.Constant) and isinstance(node.value, str) and WRITTEN.search(node.value)
        if called or text:
            yield str(path.relative_to(TESTS)), node.lineno  # type: ignore[attr-defined]


@pytest.mark.slow
def test_no_test_has_sql_but_those_of_the_store() -> None:
    found: dict[bool, list[tuple[str, int]]] = {True: [], False: []}
    for path in sorted(TESTS.rglob("*.py")):
        found[any(path.is_relative_to(each) for each in THOSE_WHO_MAY)] += sql_in(path)
    assert len(found[True]) > 200
    assert found[False] == []
