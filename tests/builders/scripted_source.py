"""A server that answers what a test says, one answer after the other."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import orjson

from gateway.config.model import Source
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.client.transport import Retries
from gateway.sample.server import DEFAULT_APPLICATION

FAST = Retries(first_wait=0.01)

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def source_of(server: Any, **more: Any) -> Source:
    values = {
        "name": "sample",
        "zaken_url": server.zaken_url,
        "catalogi_url": server.catalogi_url,
        "client_id": DEFAULT_APPLICATION.client_id,
        "secret": DEFAULT_APPLICATION.secret,
    }
    return Source(**{**values, **more})


def client_of(server: Any, retries: Retries = FAST, **more: Any) -> ZakenClient:
    return ZakenClient(source_of(server, **more), retries=retries)


@dataclass
class Reply:
    """One scripted answer; `raw` replaces what goes over the line altogether, `choose` chooses one by the path."""

    status: int = 200
    body: Any = field(default_factory=lambda: {"count": 0, "results": []})
    headers: dict[str, str] = field(default_factory=dict)
    raw: Callable[[socket.socket], None] | None = None
    choose: Callable[[str], "Reply"] | None = None


class Scripted:
    """Answers with the replies one after the other, the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.paths: list[str] = []
        self.requests: list[Any] = []
        self.connections = 0
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                script.connections += 1
                super().setup()

            def do_GET(self) -> None:
                script.paths.append(self.path)
                script.requests.append(self.headers)
                reply = script.replies.pop(0) if len(script.replies) > 1 else script.replies[0]
                if reply.choose is not None:
                    reply = reply.choose(self.path)
                if reply.raw is not None:
                    self.close_connection = True
                    reply.raw(self.connection)
                    return
                body = reply.body if isinstance(reply.body, bytes) else orjson.dumps(reply.body)
                headers = {"Content-Type": "application/json", "API-version": "1.5.1", **reply.headers}
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Write nothing: addresses hold BSNs."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def zaken_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/zaken/api/v1/"

    @property
    def catalogi_url(self) -> str:
        return ""


ROL = {"url": f"http://127.0.0.1/zaken/api/v1/rollen/{UNKNOWN}", "uuid": UNKNOWN}

FOUND = Reply(body=ROL)
