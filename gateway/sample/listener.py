"""A small threaded HTTP/1.1 server for one WSGI application, with traps on the connection itself.

Werkzeug's own server closes every connection, and no WSGI server lets an application cut its answer
in the middle; the tests of the legacy client need both. It logs nothing, because addresses hold BSNs.
Source: legacy-behaviour.md 4 and 6.
"""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

from gateway.sample.traps import LOST, Traps

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

IDLE_SECONDS = 60
_LENGTH_REQUIRED = 411


class Listener(ThreadingHTTPServer):
    """The listening socket and its open connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        app: WSGIApplication,
        traps: Callable[[], Traps],
        record: Callable[[str, str, list[str], int], None],
    ) -> None:
        """`traps` gives the switches of this moment; `record` hears method, path, parameter names, status."""
        self.app, self.traps, self.record = app, traps, record
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Refuse a new connection while the server plays dead."""
        return not self.traps().down

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Keep an open connection known for as long as it lives."""
        with self._open_lock:
            if self.stopping.is_set():
                return
            self._open.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            with self._open_lock:
                self._open.discard(request)

    def close_connections(self) -> None:
        """Cut every open connection, so that a stopped server is silent for keep-alive clients too."""
        with self._open_lock:
            self.stopping.set()
            for connection in self._open:
                _cut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are no error; anything else must not pass unseen, but without its text."""
        kind = sys.exc_info()[0]
        if kind is not None and not issubclass(kind, OSError):
            sys.stderr.write(f"sample server: {kind.__name__} while answering\n")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: Listener

    def answer(self) -> None:
        """Answer one request, or spring a trap instead."""
        traps = self.server.traps()
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit():
            self.close_connection = True
            self.send_error(_LENGTH_REQUIRED)
            return
        body = self.rfile.read(int(length))
        if traps.down:
            self._hang_up()
            return
        if traps.strikes(traps.drop_rate):
            self._record(0)
            self._hang_up()
            return
        if traps.strikes(traps.stall_rate):
            self.server.stopping.wait(traps.stall_seconds)
        status, headers, content = self._run(body)
        if any(name == LOST for name, _ in headers):
            self._record(0)
            self._hang_up()
            return
        if 0 < traps.largest_bare < len(content) and content.startswith(b"["):
            self._record(0)
            self._hang_up()
            return
        truncated = len(content) > 1 and traps.strikes(traps.truncate_rate)
        self._record(int(status.split(" ", 1)[0]))
        self._send(status, headers, content[: len(content) // 2] if truncated else content)
        if truncated:
            self._hang_up()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: request lines hold BSNs."""

    def _run(self, body: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
        started: list[Any] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            started[:] = [status, headers]
            return lambda data: None

        chunks = self.server.app(self._environ(body), start_response)
        try:
            content = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return started[0], started[1], content

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        lines = [f"HTTP/1.1 {status}"]
        lines += [f"{name}: {value}" for name, value in headers]
        lines.append(f"Date: {formatdate(time.time() + self.server.traps().clock_skew, usegmt=True)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(head + content)

    def _environ(self, body: bytes) -> dict[str, Any]:
        parts = urlsplit(self.path)
        host, port = self.server.server_address[:2]
        environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                environ[f"HTTP_{key}"] = value
        return environ

    def _record(self, status: int) -> None:
        parts = urlsplit(self.path)
        names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
        self.server.record(self.command, parts.path, names, status)

    def _hang_up(self) -> None:
        self.close_connection = True
        _cut(self.connection)


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The client was gone already.
        return
