"""The access log: a line of JSON for each request that was answered.

It has no query string, no address and no value from a path: both hold personal data. Made without structlog, which
takes as long over a line as a read over its answer.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import orjson

from gateway.base import clock
from gateway.base.correlation import REQUEST, Operation

EVENT = "request answered"
STDERR = 2
# So much the kernel writes to a pipe in one piece, whoever else writes to it: lines of several processes don't mix.
PIECE = 4096


class AccessLog:
    """Writes a line for each request of this process."""

    def __init__(self, fd: int = STDERR) -> None:
        """In: where to."""
        self._fd = fd
        self._pid = os.getpid()

    def __call__(self, ended: Sequence[Operation]) -> None:
        """Write the requests among what ended."""
        piece = bytearray()
        for operation in ended:
            if operation.sort is not REQUEST:
                continue
            line = self.line(operation)
            if len(piece) + len(line) > PIECE:
                self._write(piece)
                piece = bytearray()
            piece += line
        self._write(piece)

    def line(self, operation: Operation) -> bytes:
        """The line of a request."""
        told = {
            "timestamp": f"{clock.text_of(operation.began_at)}Z",
            "level": "info",
            "logger": "klantbrug.access",
            "event": EVENT,
            "request_id": operation.request_id,
            "trace_id": operation.trace_id,
            "operation_id": operation.operation_id,
            "token": operation.who,
            "pid": self._pid,
            "method": operation.method,
            "route": operation.name,
            "status": operation.status,
            "ms": round((operation.ended - operation.began) * 1000, 2),
        }
        if operation.instance:
            told["instance"] = operation.instance
        return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)

    def _write(self, piece: bytearray) -> None:
        written = 0
        while written < len(piece):
            written += os.write(self._fd, memoryview(piece)[written:])
