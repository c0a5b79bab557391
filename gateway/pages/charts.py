"""Charts as SVG, made here: a line over time, with its highest value and its ends written beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.pages.formats import moment, number

WIDTH, HEIGHT, LEFT, BELOW, ABOVE = 600, 160, 48, 22, 12


def line(points: Sequence[tuple[int, float | None]]) -> dict[str, Any] | None:
    """A line through points of a moment (microseconds UTC) and a value; where that is None there is a gap.

    Out: what the template draws; None with fewer than two values.
    """
    held = [(at, value) for at, value in points if value is not None]
    if len(held) < 2:
        return None
    begin, end = points[0][0], points[-1][0]
    top = _round(max(value for _, value in held))
    parts: list[list[str]] = [[]]
    for at, value in points:
        if value is None:
            parts.append([])
            continue
        x = LEFT + (WIDTH - LEFT) * (at - begin) / max(1, end - begin)
        y = ABOVE + (HEIGHT - ABOVE - BELOW) * (1 - value / top)
        parts[-1].append(f"{x:.1f},{y:.1f}")
    values = [value for _, value in held]
    return {
        "lines": [" ".join(part) for part in parts if len(part) > 1],
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "foot": HEIGHT - BELOW,
        "above": ABOVE,
        "top": number(top),
        "half": number(top / 2),
        "middle": (HEIGHT - BELOW + ABOVE) / 2,
        "begin": moment(begin),
        "end": moment(end),
        "least": number(round(min(values))),
        "most": number(round(max(values))),
        "mean": number(round(sum(values) / len(values))),
    }


def _round(value: float) -> float:
    """The next round number that is not below a value."""
    step = 1.0
    while step * 10 <= value:
        step *= 10
    return next(each * step for each in (1, 2, 5, 10) if each * step >= value) if value > 0 else 1.0
