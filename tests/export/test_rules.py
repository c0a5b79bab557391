"""Each rule of the export is shown by a test, and the table that says by which is the true one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools import rules


def test_the_table_says_where_each_rule_stands() -> None:
    assert rules.EXPORT.read_text(encoding="utf-8").endswith(rules.table(rules.EXPORT_RULES)), (
        "run: make reference"
    )


@pytest.mark.parametrize("rule", rules.EXPORT_RULES)
def test_each_rule_is_cited_by_a_test(rule: str) -> None:
    others = [path for path in rules.test_files() if path != Path(__file__)]
    assert any(rule in rules.cited(path.read_text(encoding="utf-8")) for path in others)
