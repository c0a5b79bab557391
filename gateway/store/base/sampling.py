"""A choice by chance among rows: each as likely as another, however close together their keys lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

Each = TypeVar("Each")


def at_places(rows: Iterable[Each], places: Iterable[int]) -> Iterator[Each]:
    """The rows at these places (from 0, rising); none for places after the last row. No more are read than needed."""
    wanted = iter(places)
    place = next(wanted, None)
    if place is None:
        return
    for number, row in enumerate(rows):
        if number == place:
            yield row
            place = next(wanted, None)
            if place is None:
                return
