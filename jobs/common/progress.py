"""The progress of verify and rebuild while they run, for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# What is being done, how much of it is done, how much there is.
Tell = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Step:
    """What a verify or rebuild is doing; `waits` says why nothing is asked of the source at all."""

    source: str
    what: str
    done: int
    total: int | None
    waits: str = ""
