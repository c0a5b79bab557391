"""A server that answers what a test says, one answer after the other."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from builders.local_server import LocalServer, QuietHandler

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


class Scripted(LocalServer):
    """Answers with the replies one after the other, the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.paths: list[str] = []
        self.requests: list[Any] = []
        self.connections = 0
        script = self

        class Handler(QuietHandler):
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
                self.reply(reply.status, headers, body)

        super().__init__(Handler)

    @property
    def catalogi_url(self) -> str:
        return ""


ROL = {"url": f"http://127.0.0.1/zaken/api/v1/rollen/{UNKNOWN}", "uuid": UNKNOWN}

FOUND = Reply(body=ROL)
