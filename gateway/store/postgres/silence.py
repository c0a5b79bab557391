"""Breaks off what waits for a database that stands still: frozen, or behind a network that lost the way.

Questions of clients have a time of their own. A write, or what a job asks, may take long for good reasons. So who takes
long is not broken off for that: the database is asked whether it answers anybody, on a new connection.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable

import psycopg

from gateway.base.logs import get_logger
from gateway.store.base.errors import StoreAway, StoreFailed, TooLong
from gateway.store.postgres.session import PostgresSession

log = get_logger("klantbrug.store")

# Who has a session for so long may be waiting for a database that stands still; then it gets so long to answer.
LONG_SECONDS, ANSWERS_SECONDS = 5.0, 5.0
# So long the thread looks on when nobody has a session.
LINGERS_SECONDS = 10.0
LOOK_SECONDS = 0.5
# How connecting fails when nobody answers.
NOBODY = ("ConnectionTimeout", "TIMEOUT")


class Silence:
    """Looks after the sessions of one process that are in use. Safe for threads; begins anew after a fork."""

    def __init__(self, connect: Callable[[], PostgresSession]) -> None:
        """In: what makes a session; raises StoreFailed."""
        self._connect = connect
        self._used: dict[PostgresSession, float] = {}
        self._lock = threading.Lock()
        self._looks = False

    def begin(self, session: PostgresSession) -> None:
        """Somebody uses it from now on."""
        self._used[session] = time.monotonic()
        if not self._looks:
            with self._lock:
                if not self._looks:
                    self._looks = True
                    threading.Thread(target=self._look, name="silence", daemon=True).start()

    def end(self, session: PostgresSession) -> None:
        """Nobody uses it any more; it may be closed."""
        self._used.pop(session, None)

    def _look(self) -> None:
        """Look until nobody has a session."""
        used = asked = time.monotonic()
        while True:
            time.sleep(LOOK_SECONDS)
            moment = time.monotonic()
            long = [each for each, since in self._used.copy().items() if moment - since > LONG_SECONDS]
            if self._used:
                used = moment
            if long and moment - asked > LONG_SECONDS:
                if not self._answers():
                    self._break_off(long)
                asked = time.monotonic()
            with self._lock:
                if not self._used and moment - used > LINGERS_SECONDS:
                    self._looks = False
                    return

    def _answers(self) -> bool:
        """Does the database answer anybody? One that refuses does: then connections break by themselves."""
        try:
            session = self._connect()
        except StoreAway as away:
            return away.name not in NOBODY
        except StoreFailed:
            return True
        try:
            session.limit(ANSWERS_SECONDS, told=False)
            session.script("SELECT 1")
        except TooLong:
            return False
        except StoreFailed:
            return True
        finally:
            session.close()
        return True

    def _break_off(self, sessions: list[PostgresSession]) -> None:
        """Let who waits on one of these hear that the connection is no more."""
        broken = 0
        for session in sessions:
            if session not in self._used:
                continue
            with (
                contextlib.suppress(OSError, psycopg.Error),  # it was closed meanwhile
                socket.socket(fileno=_copy_of(session)) as held,
            ):
                held.shutdown(socket.SHUT_RDWR)
                broken += 1
        log.error("the database does not answer; what waited for it is broken off", connections=broken)


def _copy_of(session: PostgresSession) -> int:
    return os.dup(session.connection.pgconn.socket)
