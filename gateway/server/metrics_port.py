"""The address of its own for /metrics: no token, one answer at a time, and the same numbers from whichever worker."""

from __future__ import annotations

import io
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from time import sleep
from typing import Any

from gateway.base import clock
from gateway.base.logs import get_logger
from gateway.beheer.metrics import PATH, MetricsPage

log = get_logger(__name__)

# So long may who asks take over the whole question, and as long over the answer: nobody else is answered meanwhile.
CLIENT_SECONDS = 5.0
AGAIN_SECONDS = 1.0


def serve_metrics(listener: socket.socket, page: MetricsPage) -> None:
    """Answer there from now on, in a thread that ends with this process.

    The listener is shared by all workers: one of them takes each connection, and while one ends another is there.
    """
    threading.Thread(target=_answer_all, args=(listener, page), daemon=True, name="metrics").start()


def _answer_all(listener: socket.socket, page: MetricsPage) -> None:
    while True:
        try:
            connection, client = listener.accept()
            with connection:
                _MetricsHandler(connection, client, page)
        except Exception as fault:  # noqa: BLE001 - who asks next gets an answer all the same
            log.warning("metrics were not answered", cause=type(fault).__name__)
            sleep(AGAIN_SECONDS)


class _Question(io.RawIOBase):
    """What a client sends, all of it before a moment (clock.monotonic)."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection, self._until = connection, until

    def readable(self) -> bool:
        """As the library asks it."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As the library calls it. Raises TimeoutError."""
        left = self._until - clock.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _MetricsHandler(BaseHTTPRequestHandler):
    """Answers one request."""

    server_version, sys_version = "klantbrug", ""

    def __init__(self, connection: socket.socket, client: object, page: MetricsPage) -> None:
        self._page = page
        super().__init__(connection, client, None)  # type: ignore[arg-type]  # of the server it needs nothing

    def setup(self) -> None:
        """As the library calls it."""
        super().setup()
        self.rfile = io.BufferedReader(_Question(self.connection, clock.monotonic() + CLIENT_SECONDS))

    def do_GET(self) -> None:
        """As the library calls it."""
        if self.path.partition("?")[0] != PATH:
            self._send(HTTPStatus.NOT_FOUND, [("Content-Length", "0")], b"")
            return
        reply = self._page.reply(self.headers.get("Accept", ""))
        self._send(reply.status, reply.headers, reply.body)

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.connection.settimeout(CLIENT_SECONDS)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: an address says nothing that the metrics don't."""
