"""A client of a served store, and as much of a configuration as serving needs."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from builders.legacy_objects import SECRET, SETTINGS

from gateway.config.target import Target

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
            and not path.startswith(("/beheer", "/health", "/ref/", "/toegang/"))
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
    return SimpleNamespace(**parts, sources=(), jobs={}, target=Target())
