"""What a backfill asks of a source, in the threads of its crew."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gateway.base.clock import now
from gateway.legacy.client.answers import Page
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.errors import TooLarge
from jobs.common.lists import Filters

Found = TypeVar("Found")


def total_of(client: ZakenClient, kind: str) -> int | None:
    """How long a list is, as far as the source tells."""
    return client.first(kind)[1].number


def dated(asking: Callable[[], Found]) -> tuple[int, Found]:
    """An answer, with when it was asked for: in the thread that asks, just before."""
    return now(), asking()


def unless_too_large(asking: Callable[[], Found]) -> Found | TooLarge:
    """What asking gives, or that it is too large: that stays so, and is no reason to stop."""
    try:
        return asking()
    except TooLarge as error:
        return error


def page_at(client: ZakenClient, kind: str, filters: Filters, number: int) -> Page | TooLarge | None:
    """One page, None behind the end."""
    return unless_too_large(lambda: next(client.pages(kind, filters, start=number), None))
