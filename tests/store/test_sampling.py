"""A choice by chance among rows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.base.sampling import at_places


@given(st.lists(st.integers(), max_size=30), st.sets(st.integers(0, 40)))
def test_the_rows_at_places_are_those_of_the_list(rows: list[int], places: set[int]) -> None:
    assert list(at_places(rows, sorted(places))) == [
        row for number, row in enumerate(rows) if number in places
    ]


def test_no_more_is_read_than_is_needed() -> None:
    rows = iter(range(10))
    assert list(at_places(rows, [0, 3])) == [0, 3]
    assert next(rows) == 4
