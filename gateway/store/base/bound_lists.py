"""Many values in one statement: as one list of JSON, or as question marks of which the number is a round one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

BOUND_AT_ONCE, ROUND = 512, 64
IN_IDS = "IN (SELECT value FROM json_each(?))"


def id_list(ids: Iterable[int]) -> list[int]:
    """Row ids as the one bound value of `IN_IDS`."""
    return list(ids)


def bound(values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Question marks for values in an IN, and the values, with the last one again until their number is a round one.

    So there are few different statements, and each of them stays prepared.
    """
    number = len(values)
    if not number:
        return "NULL", []  # nothing is in it
    rounded = 1 << (number - 1).bit_length() if number <= ROUND else -(-number // ROUND) * ROUND
    return ",".join("?" * rounded), [*values, *[values[-1]] * (rounded - number)]


def in_parts(values: Iterable[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Values to be bound, some hundreds at a time, each with the question marks for them."""
    wanted = list(values)
    for start in range(0, len(wanted), BOUND_AT_ONCE):
        yield bound(wanted[start : start + BOUND_AT_ONCE])
