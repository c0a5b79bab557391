"""Moments as people read them: Dutch local time with its offset. For machines there is `moment_of` (UTC with Z)."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.base.clock import DUTCH_TIME

FORMAT = "%d-%m-%Y %H:%M:%S"


def local(microseconds: int | None) -> str:
    """A moment of the store (microseconds UTC), as `29-11-2026 01:02:03 +01:00`; blank for None."""
    return "" if microseconds is None else _text(datetime.fromtimestamp(microseconds // 1_000_000, UTC))


def local_of(text: str | None) -> str:
    """The same of a moment as JSON has it (ISO 8601 with an offset or Z); blank for None and a blank text."""
    return _text(datetime.fromisoformat(text)) if text else ""


def local_day(text: str) -> str:
    """The Dutch day on which a moment (ISO 8601 with an offset or Z) lies, as `29-11-2026`."""
    return f"{datetime.fromisoformat(text).astimezone(DUTCH_TIME):%d-%m-%Y}"


def _text(moment: datetime) -> str:
    there = moment.astimezone(DUTCH_TIME)
    offset = f"{there:%z}"
    return f"{there:{FORMAT}} {offset[:3]}:{offset[3:]}"
