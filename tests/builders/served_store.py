"""A client of a served store, and as much of a configuration as serving needs."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from builders.legacy_objects import SECRET, SETTINGS
from werkzeug.serving import make_server

from gateway.config.audit import AuditSettings
from gateway.config.login import LoginSettings
from gateway.config.target import Target
from gateway.config.telemetry import Metrics

API = "/klantinteracties/api/v1"


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


@dataclass(frozen=True)
class Client:
    """Asks a server, with a token unless told otherwise. Paths below the API's base path may be short."""

    base: str
    token: str

    def get(self, path: str, **headers: str) -> Got:
        return self.send("GET", path, {"Authorization": f"Token {self.token}", **headers})

    def send(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Got:
        if (
            not path.startswith("/klantinteracties")
            and not path.startswith(("/beheer", "/health", "/ref/", "/inloggen", "/uit"))
            and path != "/"
        ):
            path = API + path
        connection = http.client.HTTPConnection(urlsplit(self.base).netloc, timeout=30)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Got(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()


@contextlib.contextmanager
def answering(app: Any, place: socket.socket | None = None) -> Iterator[str]:
    """A server of an application, for the block; in: a socket that listens already. Out: where it is."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its access log would hold query strings
    fd = place.fileno() if place is not None else None
    server = make_server("127.0.0.1", 0, app, threaded=True, fd=fd)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def settings(
    path: Path,
    public_url: str = "",
    cors_origins: Sequence[str] = (),
    also_known_as: Sequence[str] = (),
    trusted_proxies: Sequence[str] = (),
    notify_url: str = "",
    token_requests_per_second: float = 0,
    bind: str = "127.0.0.1:8000",
    question_seconds: float = 5,
    login: LoginSettings = LoginSettings(),  # noqa: B008 (frozen)
    audit: AuditSettings = AuditSettings(),  # noqa: B008 (frozen)
) -> SimpleNamespace:
    """As much of a configuration as the application looks at."""
    gateway = SimpleNamespace(
        bind=bind,
        public_url=public_url,
        also_known_as=also_known_as,
        trusted_proxies=trusted_proxies,
        max_body=1024 * 1024,
        token_requests_per_second=token_requests_per_second,
        question_seconds=question_seconds,
        cors_origins=cors_origins,
    )
    notifications = SimpleNamespace(url=notify_url, callback_token="")
    store = SimpleNamespace(path=path, uuid_secret=SECRET)
    parts = {"gateway": gateway, "store": store, "mapping": SETTINGS, "notifications": notifications}
    return SimpleNamespace(
        **parts, sources=(), jobs={}, target=Target(), login=login, metrics=Metrics(), audit=audit
    )
