"""The functions in Python that SQL calls on SQLite: in triggers, searches and the notes of a rebuild."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from gateway.store.indexes import text_search


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


# Each gives the same for the same. Name in SQL, number of values.
FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("folded", 1, text_search.folded),
    ("contains_text", 2, text_search.contains),
    ("klantbrug_digest", 1, _digest),
)
