"""Operations that ended, told by a thread of its own, so that a request does not wait for what is told of it.

A request lays its operation down and goes on. A fifth of a second later the thread takes all that lies there: lines are
written together, and nothing of it happens while an answer is made. What a process that is killed did in that fifth is
not told; the audit log, which must not lose anything, does not go this way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.base.correlation import Operation, on_end
from gateway.base.logs import get_logger
from gateway.telemetry.gathered import Gathered

log = get_logger(__name__)

# What lies there when a thread that writes is held up, as by a log that nobody reads: of more, the newest is dropped.
MOST_WAITING = 50_000
STOPS_WITHIN = 2.0

# Takes what ended since the last time.
Sink = Callable[[Sequence[Operation]], None]


class Teller:
    """Tells sinks of the operations of one process. Begins when it is made."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks
        self._gathered = Gathered[Operation]("telemetry", self._tell, _dropped, MOST_WAITING)
        on_end(self._gathered.lay)

    def stop(self) -> None:
        """Tell what is left, and end."""
        on_end(None)
        self._gathered.stop(STOPS_WITHIN)

    def _tell(self, found: Sequence[Operation]) -> None:
        for sink in self._sinks:
            try:
                sink(found)
            except Exception as fault:  # noqa: BLE001 - the others are told all the same
                log.error("telemetry was not told", sink=type(sink).__name__, cause=type(fault).__name__)


def _dropped(count: int) -> None:
    log.error("telemetry was dropped", count=count)
