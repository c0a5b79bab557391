"""A class name stands in one module: who reads it elsewhere knows which one is meant."""

from __future__ import annotations

import ast
from collections import defaultdict

from builders.paths import ROOT


def test_no_two_modules_have_a_class_of_one_name() -> None:
    modules = defaultdict(list)
    for package in ("gateway", "mappings", "jobs"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    modules[node.name].append(str(path.relative_to(ROOT)))
    assert len(modules) > 300
    assert {name: where for name, where in modules.items() if len(where) > 1} == {}
