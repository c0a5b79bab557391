"""The functions in Python that SQL calls on SQLite: in searches, and the triggers of the indexes of texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.base import clock
from gateway.store.indexes import text_search

# Each gives the same for the same. Name in SQL, number of values.
FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("folded", 1, text_search.folded),
    ("contains_text", 2, text_search.contains),
)
# These do not.
CHANGING: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("this_moment", 0, lambda: clock.now()),  # asked of the module, because tests set another clock
)
