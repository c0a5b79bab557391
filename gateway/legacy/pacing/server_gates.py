"""The gates of a source: one for each server that its addresses name, shared by all processes of a store.

The limits of a `[[source]]` hold for each server by itself: one that is down or slow does not hold up another.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.config.model import Source
from gateway.legacy.background import Waiting
from gateway.legacy.pacing.circuit_breaker import CLOSED
from gateway.legacy.pacing.gate import Gate

APIS = ("zaken", "catalogi", "klanten", "contactmomenten")


class Gates:
    """The gates of one source."""

    def __init__(self, source: Source, store: Path | None) -> None:
        """`store` is the path of the store whose processes share the gates; None: nobody else does."""
        self._gates: dict[str, Gate] = {}
        for api in APIS:
            server = _server(getattr(source, f"{api}_url"))
            if server and server not in self._gates:
                # The first names no API: most sources are one server.
                name = f"{source.name}.{api}" if self._gates else source.name
                path = store and store.with_name(f"{store.name}.{name}.pace")
                self._gates[server] = Gate(source, path, store=store, name=name)

    def of(self, url: str) -> Gate:
        """The gate of the server at that address, which is one of the source."""
        return self._gates[_server(url)]

    def all(self) -> list[Gate]:
        """Every gate, that of the Zaken API first."""
        return list(self._gates.values())

    def waits(self, *, window: bool = True) -> Waiting | None:
        """What background calls on the Zaken API wait for now, of what may take long."""
        return self.all()[0].waits(window=window)

    def share(self) -> None:
        """See that all of it is shared with the other processes of the store. Raises NotShared."""
        for gate in self.all():
            gate.share()

    def close(self) -> None:
        """Close the files."""
        for gate in self.all():
            gate.close()


def pause(store: Path, source: Source) -> None:
    """Hold all background calls on the source, of every process; until `resume`, also over restarts."""
    with _opened(store, source) as opened:
        for gate in opened:
            gate.pause(True)


def resume(store: Path, source: Source) -> None:
    """Let background calls on the source go again."""
    with _opened(store, source) as opened:
        for gate in opened:
            gate.pause(False)


def set_overrides(
    store: Path,
    source: Source,
    *,
    requests_per_second: float | None = None,
    objects_per_second: float | None = None,
    connections: int | None = None,
) -> None:
    """Put other limits over those of the configuration, of what is given (0 for a rate: no limit).

    They hold for every process from its next call on, until `clear_overrides`, also over restarts.
    """
    with _opened(store, source) as opened:
        for gate in opened:
            gate.override(
                connections=connections,
                requests_per_second=requests_per_second,
                objects_per_second=objects_per_second,
            )


def clear_overrides(store: Path, source: Source) -> None:
    """Let the limits of the configuration hold again."""
    with _opened(store, source) as opened:
        for gate in opened:
            gate.clear_overrides()


def describe(store: Path, source: Source) -> dict[str, object]:
    """How the source is asked now, ready for JSON.

    Out: `breaker` (dicht, open or proef), `paused`, `connections` (the most), `allowed` (how many of them background
    calls get now), `in_flight`, `requests_per_second` and `objects_per_second` (0: no limit), `p50_ms` (None before
    the first call), `slow`, `waiting` (why background calls wait, None when they do not) and `until`, `overrides`
    (what an operator set). With several servers that of the Zaken API, and `others`: the same for each other one.
    """
    with _opened(store, source) as opened:
        first, *others = [gate.describe() for gate in opened]
    return {**first, "others": others} if others else first


def answers(asking: Mapping[str, Any]) -> bool:
    """Is no breaker of a source open, of any of its servers? In: what `describe` gave."""
    return all(each["breaker"] == CLOSED for each in (asking, *asking.get("others", ())))


@contextlib.contextmanager
def _opened(store: Path, source: Source) -> Iterator[list[Gate]]:
    gates = Gates(source, store)
    try:
        for gate in gates.all():
            gate.settle()
        yield gates.all()
        for gate in gates.all():
            gate.settle(changed=True)
    finally:
        gates.close()


def _server(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if url else ""
