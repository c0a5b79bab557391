"""Writes docs/log-events.md: every event that stands in a log, as the code names it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from builders.paths import ROOT

from gateway.base.logs import SAID
from gateway.telemetry.access_log import EVENT

DOCUMENT = ROOT / "docs" / "log-events.md"
PACKAGES = ("gateway", "jobs", "mappings")
LEVELS = ("debug", "info", "warning", "error", "critical")
HEAD = f"""# Log events

Every event that stands in the log, by its name (`event`), which stays the same: filters and alerts may be built on it.
Made by `make reference`, from the code. How to read the log stands in [monitoring.md](monitoring.md#logs).

Each line has `timestamp`, `level`, `logger` and `event`; within a request, a call or a run of a job also `request_id`
and `trace_id`. With `--log-json` what a command says to people is a line with the event `{SAID}` and its `text`.
Lines of libraries have whatever name those give them; that of one that asks over HTTP is withheld where it could hold a
value.

| Event | Level | What is told with it |
|---|---|---|
"""


class LogCall(NamedTuple):
    """A place in the code that logs; `event` is None when it is no plain text."""

    place: str
    event: str | None
    level: str
    keys: tuple[str, ...]


def calls() -> Iterator[LogCall]:
    """Every place that logs, and those that log now and then (LogThrottle)."""
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        throttles: dict[str, str] = {}
        for node in ast.walk(tree):
            made = node.value if isinstance(node, ast.Assign) else None
            if isinstance(made, ast.Call) and ast.unparse(made.func) == "LogThrottle":
                throttles[ast.unparse(node.targets[0])] = str(ast.literal_eval(made.args[1]))
        yield from _calls_in(path, tree, throttles)


def _calls_in(path: Path, tree: ast.Module, throttles: dict[str, str]) -> Iterator[LogCall]:
    if path.name == "log_throttle.py":  # it logs for others, that are found by their name for it
        return
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.Call)
            or not isinstance(node.func, ast.Attribute)
            or node.func.attr not in LEVELS
        ):
            continue
        of = ast.unparse(node.func.value)
        place = f"{path.relative_to(ROOT)}:{node.lineno}"
        keys = tuple(sorted(each.arg for each in node.keywords if each.arg))
        if of in throttles:
            yield LogCall(place, throttles[of], node.func.attr, (*keys, "count"))
        elif of.rpartition(".")[2].rstrip("()").endswith(("log", "get_logger")) or "get_logger(" in of:
            said = node.args[0] if len(node.args) == 1 else None
            plain = isinstance(said, ast.Constant) and isinstance(said.value, str)
            yield LogCall(place, str(said.value) if plain else None, node.func.attr, keys)  # type: ignore[union-attr]


def document() -> str:
    """The document as the code has it now."""
    found: dict[str, tuple[set[str], set[str]]] = {EVENT: ({"info"}, set()), SAID: ({"info"}, {"text"})}
    for call in calls():
        levels, keys = found.setdefault(str(call.event), (set(), set()))
        levels.add(call.level)
        keys.update(call.keys)
    found[EVENT][1].update(("operation_id", "token", "pid", "method", "route", "status", "ms", "instance"))
    rows = [
        f"| {event} | {', '.join(sorted(levels, key=LEVELS.index))} | {', '.join(sorted(keys))} |"
        for event, (levels, keys) in sorted(found.items())
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
