"""A client that reads and writes over real HTTP at an installation, and sees every header that is sent."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from builders.asker import API
from builders.served_store import answering

from gateway.app import create_app
from gateway.http.auth import create_token
from gateway.installation import Installation

SAID = ("Klantbrug-Coverage", "Klantbrug-Freshness")


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    headers: list[tuple[str, str]]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def uuids(self) -> set[str]:
        """The uuids in an answer with a list."""
        return {one["uuid"] for one in self.json["results"]}

    def all(self, name: str) -> list[str]:
        """Every value that a header has."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def coverage(self) -> str:
        """complete or partial, without the reason; "" when it is not said. It is never said twice."""
        return self._one(SAID[0]).split(";")[0]

    @property
    def freshness(self) -> str:
        return self._one(SAID[1])

    def _one(self, name: str) -> str:
        found = self.all(name)
        assert len(found) <= 1, found
        return found[0] if found else ""


@dataclass(frozen=True)
class Talker:
    """Asks a server; paths are below the API's base path, unless they begin with a slash."""

    port: int
    token: str

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Said:
        """One request; a body is sent as JSON, unless it is bytes already. A header of None is not sent."""
        path = path if path.startswith("/") else f"{API}/{path}"
        path += f"?{urlencode(query)}" if query else ""
        sent = {"Authorization": f"Token {self.token}"}
        if body is not None:
            sent["Content-Type"] = "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent |= headers or {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {name: text for name, text in sent.items() if text})
            answer = connection.getresponse()
            return Said(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def get(self, path: str, **query: str) -> Said:
        return self.ask("GET", path, **query)

    def make(self, path: str, body: dict[str, Any]) -> Any:
        """POST that must succeed; out: what was made."""
        said = self.ask("POST", path, body)
        assert said.status == 201, (said.status, said.json.get("invalidParams"))
        return said.json


@contextlib.contextmanager
def talking(installation: Installation, scope: str = "write") -> Iterator[Talker]:
    """A client of a server over this installation, until the end of the block."""
    app = create_app(installation.config, store=installation.store, hydrator=installation.hydrator())
    with answering(app) as address:
        port = int(address.rpartition(":")[2])
        yield Talker(port, create_token(installation.store, f"talker-{uuid4()}", scope))
