"""A set of row numbers that takes little memory."""

from __future__ import annotations

import base64
import zlib


class RowSet:
    """A set of row numbers: a bit each, so that the millions of a large source fit in little memory."""

    def __init__(self, packed: str = "") -> None:
        """In: what `packed` gave, blank for an empty set."""
        self._bits = bytearray(zlib.decompress(base64.b64decode(packed)) if packed else b"")

    def packed(self) -> str:
        """The set as text. What is seen lies together, so that millions take some kilobytes."""
        return base64.b64encode(zlib.compress(self._bits, 1)).decode()

    def add(self, row: int) -> bool:
        """Add a row. Out: was it there already?"""
        place, bit = row >> 3, 1 << (row & 7)
        if place >= len(self._bits):
            self._bits.extend(bytes(max(place + 1 - len(self._bits), 4096)))
        there = bool(self._bits[place] & bit)
        self._bits[place] |= bit
        return there

    def __contains__(self, row: int) -> bool:
        place = row >> 3
        return place < len(self._bits) and bool(self._bits[place] & (1 << (row & 7)))
