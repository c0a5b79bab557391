"""HTTP connections on which a call has an end, however its answer comes.

A read timeout begins again for each byte that arrives, so a server that sends one now and then is never too late: not
with its headers, and not with its body. Here every read of the socket knows when the whole call must be over.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from gateway.base import clock, correlation

# Less is no time to read anything in.
_LEAST = 0.001


class _Limit(NamedTuple):
    end: float
    read: float


_limit: ContextVar[_Limit | None] = ContextVar("klantbrug call limit", default=None)


@contextlib.contextmanager
def ends_at(end: float, read: float) -> Iterator[None]:
    """Let the answers to calls that this thread makes in the block be over at `end` (clock.monotonic).

    `read`: how many seconds it may take until the next bytes come. A read that is too late raises TimeoutError, or what
    an HTTP library makes of that.
    """
    token = _limit.set(_Limit(end, read))
    try:
        yield
    finally:
        _limit.reset(token)


class _Reading(io.RawIOBase):
    """Reads a socket as long as there is time."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, limit: _Limit) -> None:
        self._raw, self._sock, self._limit = raw, sock, limit

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """As of any raw stream. Raises TimeoutError."""
        left = self._limit.end - clock.monotonic()
        if left <= _LEAST:
            raise TimeoutError
        self._sock.settimeout(min(left, self._limit.read))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket, which stays open for the next call."""
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        limit = _limit.get()
        if limit is not None:
            self.fp = io.BufferedReader(_Reading(self.fp.detach(), sock, limit))


class _Plain(HTTPConnection):
    response_class = _Response


class _Secure(HTTPSConnection):
    response_class = _Response


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class TimedAdapter(HTTPAdapter):
    """For a session of requests: its calls heed `ends_at`, and tell the other side which operation asks."""

    def add_headers(self, request: requests.PreparedRequest, **more: Any) -> None:
        """Pass the trace on. Its tracestate is not: what stands in there, we can't judge."""
        super().add_headers(request, **more)
        if operation := correlation.current():
            request.headers["traceparent"] = operation.traceparent

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Make the pools, of connections that know when a call ends."""
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
