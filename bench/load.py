"""Drives an HTTP server over a few keep-alive connections, from one thread, with as little work as can be.

Requests are bytes made beforehand. An answer counts when its status is 200 and its body is whole.
"""

from __future__ import annotations

import re
import select
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

CONNECTIONS = 8
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
PIECE = 1 << 20
PATIENCE = 30.0


class BenchError(Exception):
    """The server didn't do what a measurement needs."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement: answers per second, the size of a body on average, seconds for each answer."""

    rate: float
    size: float
    latencies: list[float]

    def percentile(self, part: float) -> float:
        """The time within which this part of the answers came, in milliseconds."""
        ranked = sorted(self.latencies)
        return ranked[min(len(ranked) - 1, int(part * len(ranked)))] * 1000


def request(path: str, host: str, token: str = "") -> bytes:
    """A GET of this path."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Accept: application/json"]
    if token:
        lines.append(f"Authorization: Token {token}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


class _Connection:
    """One connection and the answer that it waits for; another one, where that was the last answer on it."""

    __slots__ = ("_address", "asked", "held", "last", "missing", "size", "socket")

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self.last = False
        self._connect()
        self.asked = 0.0
        self.held = b""
        self.missing = -1  # bytes of the body still to come; -1 while the head isn't whole
        self.size = 0

    def _connect(self) -> None:
        self.socket = socket.create_connection(self._address, timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        return self.socket.fileno()

    def ask(self, what: bytes, moment: float) -> None:
        if self.last:  # the server has this connection end
            self.socket.close()
            self._connect()
            self.last = False
        self.asked, self.held, self.missing = moment, b"", -1
        self.socket.sendall(what)

    def receive(self) -> bool:
        """Take what there is; out: is the answer whole? Raises BenchError."""
        piece = self.socket.recv(PIECE)
        if not piece:
            raise BenchError("the server closed a connection")
        if self.missing >= 0:
            self.missing -= len(piece)
            return self.missing <= 0
        self.held += piece
        end = self.held.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = self.held[:end]
        if not head.startswith(b"HTTP/1.1 200 "):
            raise BenchError(f"an answer with status {head[9:12].decode('latin-1')}")
        length = LENGTH.search(head)
        if length is None:
            raise BenchError("an answer without Content-Length")
        self.last = b"\r\nconnection: close" in head.lower()
        self.size = int(length[1])
        self.missing = self.size - (len(self.held) - end - 4)
        return self.missing <= 0


def drive(
    address: tuple[str, int],
    requests: Sequence[bytes],
    seconds: float,
    rate: float = 0,
    connections: int = CONNECTIONS,
) -> Measured:
    """Ask for so many seconds, one request at a time on each connection.

    In: a `rate` in requests per second, or 0 for as fast as answers come. With a rate the time of an answer
    counts from the moment that it should have been asked, so that waiting for a free connection shows. Raises
    BenchError for any answer that isn't a 200.
    """
    free = [_Connection(address) for _ in range(connections)]
    everyone = list(free)
    waiting: list[_Connection] = []
    latencies: list[float] = []
    total_size = number = 0
    start = perf_counter()
    end = start + seconds
    now = start
    try:
        while now < end or waiting:
            while free and now < end:
                due = start + number / rate if rate else now
                if due > now:
                    break
                one = free.pop()
                one.ask(requests[number % len(requests)], due)
                number += 1
                waiting.append(one)
            patience = max(0.0, start + number / rate - now) if rate and free and now < end else PATIENCE
            readable, _, _ = select.select(waiting, (), (), patience)
            now = perf_counter()
            if not readable and patience == PATIENCE:
                raise BenchError("no answer")
            for one in readable:
                if one.receive():
                    latencies.append(now - one.asked)
                    total_size += one.size
                    waiting.remove(one)
                    free.append(one)
    finally:
        for one in everyone:
            one.socket.close()
    return Measured(len(latencies) / (now - start), total_size / max(1, len(latencies)), latencies)
