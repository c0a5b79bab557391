"""A run of as many tests as there is time for: which come first, and what is not begun."""

from __future__ import annotations

import time
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders.time_left import TimeLeft


def one(**options: Any) -> TimeLeft:
    given = {"--until": None, "--order-of": None, **options}
    return TimeLeft(SimpleNamespace(getoption=given.get))  # type: ignore[arg-type]


def order(text: str, folder: str = "/a") -> list[tuple[str, int]]:
    items: list[Any] = [
        SimpleNamespace(path=Path(folder, f"test_{file}.py"), number=number)
        for file in "abcdefgh"
        for number in (1, 2, 3)
    ]
    one(**{"--order-of": text}).pytest_collection_modifyitems(items)
    return [(item.path.name, item.number) for item in items]


def test_a_commit_decides_the_order_of_files_wherever_they_lie() -> None:
    assert order("a commit") == order("a commit", "/b/c")
    assert len({tuple(order(f"commit {number}")) for number in range(5)}) == 5
    for _, of_file in groupby(order("a commit"), key=lambda each: each[0]):
        assert [number for _, number in of_file] == [1, 2, 3]


def begins(**options: Any) -> bool:
    try:
        one(**options).pytest_runtest_setup()
    except pytest.skip.Exception:
        return False
    return True


def test_nothing_is_begun_when_it_is_too_late() -> None:
    assert begins() and begins(**{"--until": time.time() + 60})
    assert not begins(**{"--until": time.time() - 1})
