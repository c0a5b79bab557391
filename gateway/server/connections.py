"""Connections that ask for nothing, or don't take their answer: ended when their time is over, or others need room.

Granian ends a connection that was idle for long; it knows no limit for a client that does not read, nor which of its
connections are of use. So this looks at the sockets of the process itself (gateway/server/sockets.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import sys
from time import monotonic, sleep

from gateway.base.logs import get_logger
from gateway.server.exchange import Clients
from gateway.server.sockets import Connection, connections_of, named

log = get_logger(__name__)

LOOK_SECONDS = 0.5
# At most this part of the time goes into looking.
LOOK_PART = 0.05
# A client that takes less of an answer in its time does not take it.
LEAST_BYTES = 64 * 1024
# So many bytes of large answers may wait in a process for clients to take them; who began this short ago is not ended.
MOST_UNREAD = 64 * 1024 * 1024
SOME_SECONDS = 2.0
# When there are too many, so many of the limit stay.
STAY = 0.9
TOLD_SECONDS = 60.0


class Connections:
    """Those of one process."""

    def __init__(self, port: int, most: int, seconds: float, clients: Clients) -> None:
        """In: where we listen; how many; the time to ask, and to take LEAST_BYTES in; the clients."""
        self._port, self._most, self._seconds = port, most, seconds
        self._clients = clients
        self._slow: dict[str, tuple[int, float]] = {}  # what it had taken, and when
        self._silent: dict[str, float] = {}  # since when it is seen without having asked anything
        self._ended = {"too many": 0, "nothing asked": 0, "answer not taken": 0}
        self._told = 0.0
        self._had_large = False

    def end_overdue(self, moment: float) -> int:
        """End those whose time is over, and the idlest of too many. Out: how many there were."""
        found = connections_of(self._port)
        slow: dict[str, tuple[int, float]] = {}
        silent: dict[str, float] = {}
        idle = []
        for each in found:
            if each.pending:
                taken, since = self._slow.get(each.client, (each.taken, moment))
                if moment - since >= self._seconds:
                    if each.taken - taken < LEAST_BYTES:
                        self._end(each, "answer not taken")
                        continue
                    taken, since = each.taken, moment
                slow[each.client] = (taken, since)
            elif each.client not in self._clients.in_work:
                if each.taken <= 1:  # it never got a byte
                    since = silent[each.client] = self._silent.get(each.client, moment)
                    if moment - since >= self._seconds:
                        self._end(each, "nothing asked")
                        continue
                idle.append(each)
        self._slow, self._silent = slow, silent
        self._bound_unread([each for each in found if each.client in slow], moment)
        over = len(found) - self._most
        if over > 0:
            # First those that never had an answer, then those that were not used for the longest time.
            idle.sort(key=lambda each: (each.taken > 1, -each.quiet))
            for each in idle[: over + int(self._most * (1 - STAY))]:
                self._end(each, "too many")
        self._tell(moment)
        return len(found)

    def _bound_unread(self, pending: list[Connection], moment: float) -> None:
        """End who holds large answers in memory by not reading them, when they are too much together."""
        sent = self._clients.sent
        held = [each for each in pending if each.client in sent]
        for client in set(sent) - {each.client for each in held}:
            if moment - sent[client][1] > LOOK_SECONDS:
                sent.pop(client, None)
        if self._had_large and not sent:
            _give_back()
        self._had_large = bool(sent)
        total = sum(sent[each.client][0] for each in held)
        # Who took least since it was first seen not to have taken all, ends first.
        held.sort(key=lambda each: each.taken - self._slow[each.client][0])
        for each in held:
            size, since = sent[each.client]
            if total <= MOST_UNREAD or moment - since < SOME_SECONDS:
                continue
            self._end(each, "answer not taken")
            total -= size

    def _end(self, connection: Connection, why: str) -> None:
        # A copy, so that it is this one and no other that got its number meanwhile.
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fd)) as held:
            if named(held) == connection.client:
                held.shutdown(socket.SHUT_RDWR)
                self._ended[why] += 1

    def _tell(self, moment: float) -> None:
        if any(self._ended.values()) and moment - self._told >= TOLD_SECONDS:
            log.warning("connections ended", **{why.replace(" ", "_"): n for why, n in self._ended.items()})
            self._ended = dict.fromkeys(self._ended, 0)
            self._told = moment


def watch(connections: Connections) -> None:
    """Look after them, for ever."""
    if sys.platform != "linux":
        return
    while True:
        began = monotonic()
        try:
            connections.end_overdue(began)
        except Exception as fault:  # noqa: BLE001 - without this look there is the next
            log.error("connections were not looked at", cause=type(fault).__name__)
        sleep(max(LOOK_SECONDS, (monotonic() - began) / LOOK_PART))


def _give_back() -> None:
    """Give memory that is free back to the system: after many large answers the C library would keep hold of it."""
    with contextlib.suppress(AttributeError):  # it is of glibc
        ctypes.CDLL(None).malloc_trim(0)
