"""The sockets of this process, as the kernel tells of them (tcp_info, of Linux: elsewhere none are found)."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

FDS = Path("/proc/self/fd")
LISTENING, CLOSED = 10, 7  # of the states of TCP
# So much of an answer may be under way to a client; and so long nobody looks whether it took some.
AHEAD = 2 * 1024 * 1024
LOOK_SECONDS = 0.02

# struct tcp_info: state, ..., what was sent and not confirmed, ..., milliseconds since something was received, ...,
# bytes confirmed, bytes received, ..., bytes not sent.
_INFO = struct.Struct("=B23xI24xI64xQQ8xI")


class Connection(NamedTuple):
    """One connection, as the kernel reports it."""

    fd: int
    client: str
    pending: int
    quiet: int
    taken: int


def connections_of(port: int) -> list[Connection]:
    """Those that were made to a port of ours."""
    return list(_found(port))


def named(held: socket.socket) -> str:
    """As granian names who asks."""
    host, port = held.getpeername()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class AnswerFlow:
    """How much a client takes of a large answer: granian itself holds whatever it is given, however slow the client."""

    def __init__(self, client: str) -> None:
        """In: the client, as granian names it."""
        self._socket = _of_client(client)
        self._before = self._taken()

    def __enter__(self) -> AnswerFlow:
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._socket is not None:
            self._socket.close()

    def wait(self, given: int, seconds: float) -> bool:
        """Until there is room for more. In: the bytes given so far; how long nothing may be taken. Out: is there?"""
        best, since = self._taken(), monotonic()
        while self._socket is not None and given - (best - self._before) > AHEAD:
            sleep(LOOK_SECONDS)
            taken = self._taken()
            if taken > best:
                best, since = taken, monotonic()
            elif monotonic() - since >= seconds or self._gone():
                return False
        return True

    def break_off(self) -> None:
        """End the connection, so that the client sees that this was not all."""
        if self._socket is not None:
            with suppress(OSError):  # it is ended already
                self._socket.shutdown(socket.SHUT_RDWR)

    def _taken(self) -> int:
        told = None if self._socket is None else _told(self._socket)
        return 0 if told is None else told[3]

    def _gone(self) -> bool:
        told = None if self._socket is None else _told(self._socket)
        return told is None or told[0] == CLOSED


def _told(held: socket.socket) -> tuple[int, ...] | None:
    """State, unconfirmed, milliseconds of quiet, bytes confirmed, bytes received, unsent. None: it is no connection."""
    try:
        raw = held.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
    except OSError:
        return None
    return _INFO.unpack(raw) if len(raw) == _INFO.size else None


def _found(port: int | None) -> Iterator[Connection]:
    if sys.platform != "linux":
        return
    for name in os.listdir(FDS):  # noqa: PTH208 - often, and only the names
        fd = int(name)
        try:
            held = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fd)
        except OSError:
            continue
        try:
            told = _told(held)
            if told is not None and told[0] != LISTENING and port in (None, held.getsockname()[1]):
                _, unconfirmed, quiet, taken, _, unsent = told
                yield Connection(fd, named(held), unconfirmed + unsent, quiet, taken)
        except OSError:
            pass  # it is just being closed
        finally:
            held.detach()


def _of_client(client: str) -> socket.socket | None:
    """A copy of the socket to it, so that its number never becomes another's."""
    for each in _found(None):
        if each.client == client:
            with suppress(OSError):
                held = socket.socket(fileno=os.dup(each.fd))
                with suppress(OSError):
                    if named(held) == client:
                        return held
                held.close()
    return None
