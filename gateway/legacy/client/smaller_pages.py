"""Pages that are too large, or broken, in smaller parts: which those are, and in what sizes a list of some kind fits.

A page keeps its number and size for whoever walks the list; the parts are pages of a smaller size that hold the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.base import clock
from gateway.legacy.client.api_versions import SMALLER_SIZES
from gateway.legacy.errors import NotFound
from mappings.values.uuids import USUAL

# After so many pages in a row that were too large, their size is not tried for so long.
IN_A_ROW = 2
REMEMBER_SECONDS = 3600.0


class Part(NamedTuple):
    """What a page holds: its objects, how long the list says it is (`exact`: it counted), and whether no next page is
    named."""

    objects: list[dict[str, Any]]
    length: int | None
    exact: bool
    last: bool = False


def next_size(size: int) -> int:
    """The size of the parts of a page of this size; 0 when it can't be divided."""
    return next((each for each in SMALLER_SIZES if each < size), 0)


def in_parts(ask: Callable[[int, int], Part], number: int, size: int, smaller: int) -> Part:
    """The page `number` of `size` objects, asked as pages of `smaller` (which divides it).

    `ask` gives a page by number and size; it raises NotFound behind the end. Raises what it raises.
    """
    found: list[dict[str, Any]] = []
    lengths: list[int] = []
    for part in range((number - 1) * size // smaller + 1, number * size // smaller + 1):
        try:
            page = ask(part, smaller)
        except NotFound:
            break
        if not page.objects:
            break
        found += page.objects
        if page.length is not None:
            lengths.append(page.length)
    # Between its parts the list may have got shorter, which whoever walks it must know: the lowest count tells.
    return Part(found, min(lengths, default=None), bool(lengths))


def first_address(begin: bytes, path: str) -> str | None:
    """The uuid of the first object of a list that names its address, by how the text of the answer begins."""
    found = re.search(rf'"url"\s*:\s*"[^"]*/{path}/({USUAL})/?"'.encode(), begin)
    return found[1].decode().lower() if found else None


class OversizedPages:
    """Of which kinds pages of which size are mostly too large, so that they need not be tried each time.

    One object that is large makes one page too large; two pages in a row tell that it is the size. Safe for threads.
    """

    def __init__(self) -> None:
        self._in_a_row: dict[tuple[str, int], int] = {}
        self._until: dict[tuple[str, int], float] = {}

    def may_try(self, kind: str, size: int) -> bool:
        """May a page of this size fit?"""
        return clock.monotonic() >= self._until.get((kind, size), 0.0)

    def too_large(self, kind: str, size: int) -> None:
        """A page of this size was too large."""
        count = self._in_a_row[kind, size] = self._in_a_row.get((kind, size), 0) + 1
        if count >= IN_A_ROW:
            self._until[kind, size] = clock.monotonic() + REMEMBER_SECONDS
            self._in_a_row[kind, size] = 0

    def fitted(self, kind: str, size: int) -> None:
        """A page of this size was not too large."""
        self._in_a_row.pop((kind, size), None)
