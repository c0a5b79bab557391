"""A class name stands in one module: who reads it elsewhere knows which one is meant."""

from __future__ import annotations

import ast
from collections import defaultdict

import pytest
from builders.paths import ROOT


@pytest.mark.parametrize(
    ("packages", "least"), [(("gateway", "mappings", "jobs"), 300), (("tests/builders",), 25)]
)
def test_no_two_modules_have_a_class_of_one_name(packages: tuple[str, ...], least: int) -> None:
    modules = defaultdict(list)
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    modules[node.name].append(str(path.relative_to(ROOT)))
    assert len(modules) > least
    assert {name: where for name, where in modules.items() if len(where) > 1} == {}
