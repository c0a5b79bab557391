"""A register to leave to, over real HTTP: Klantbrug itself, empty, and around it a server with traps."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import requests
from builders.configs import UUID_SECRET, read_config
from builders.served_store import answering
from builders.stores import make_store, store_keys

from gateway.app import create_app
from gateway.config.target import Target
from gateway.http.auth import create_token
from gateway.store.base.store import Store

API = "/klantinteracties/api/v1"
# What a trap does with a request: not doing it, or doing it and losing the answer, ...
LATER, LOST, FAILED, FAILED_AFTER, BUSY, SLOW, FORBIDDEN, DECLINED = (
    "503", "lost", "500", "500 after", "429", "slow", "403", "400",
)  # fmt: skip
Trap = Callable[[str, str, int], str | None]


class Traps:
    """A WSGI application around that of a register, that does not always do what it is asked, or say so."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.trap: Trap = lambda method, path, number: None
        self.asked: list[tuple[str, str]] = []
        self.slow_seconds = 0.0
        # Told of each body that comes.
        self.read: Callable[[str, Any], None] = lambda method, body: None
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(f"{API}/")
        with self._lock:
            self.asked.append((method, path))
            number = sum(1 for asked, _ in self.asked if asked == method)
        if method in ("POST", "PATCH"):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            self.read(method, orjson.loads(body))
        match self.trap(method, path, number):
            case "503":
                return _problem(start_response, "503 Service Unavailable", [("Retry-After", "0")])
            case "429":
                return _problem(start_response, "429 Too Many Requests", [("Retry-After", "1")])
            case "403":
                return _problem(start_response, "403 Forbidden")
            case "400":
                wrong = [{"name": "interneNotitie", "code": "max_length", "reason": "te lang: Jan Voorbeeld"}]
                return _problem(start_response, "400 Bad Request", invalidParams=wrong, code="invalid")
            case "500":
                return _problem(start_response, "500 Internal Server Error")
            case "500 after":
                list(self.app(environ, lambda *_: None))
                return _problem(start_response, "500 Internal Server Error")
            case "lost":
                list(self.app(environ, lambda *_: None))
                with contextlib.suppress(OSError):
                    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                raise ConnectionError
            case "slow":
                time.sleep(self.slow_seconds)
        return self.app(environ, start_response)

    def count(self, method: str) -> int:
        """How often it was asked by a method."""
        return sum(1 for asked, _ in self.asked if asked == method)


def _problem(
    start_response: Any, status: str, headers: list[tuple[str, str]] | None = None, **more: Any
) -> list[bytes]:
    start_response(status, [("Content-Type", "application/json"), *(headers or [])])
    return [orjson.dumps({"code": "error", "status": int(status[:3]), **more})]


class OtherRegister:
    """A running register, and what a test asks of it."""

    def __init__(self, store: Store, base: str, traps: Traps) -> None:
        self.store, self.base, self.traps = store, base, traps
        self.token = create_token(store, f"export-{uuid4()}", "read write")

    def settings(self, **more: Any) -> Target:
        """The section [target] for it."""
        chosen = {"read_timeout": 2, "connect_timeout": 2, "max_connections": 4} | more
        return Target(url=f"{self.base}{API}", token=self.token, **chosen)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Any request of another client of it."""
        answer = requests.request(
            method,
            f"{self.base}{API}/{path}",
            data=None if body is None else orjson.dumps(body),
            headers={"Authorization": f"Token {self.token}", "Content-Type": "application/json"},
            timeout=20,
        )
        assert answer.status_code < 300, (method, path.split("/")[0], answer.status_code)
        return answer.json() if answer.content else None

    def all(self, path: str) -> list[dict[str, Any]]:
        """Every object of a resource."""
        found, number = [], 1
        while True:
            page = self.send("GET", f"{path}?page={number}&pageSize=500")
            found += page["results"]
            if not page["next"]:
                return found
            number += 1

    def counts(self) -> dict[str, int]:
        """How many objects of each resource there are."""
        paths = sorted(self.send("GET", "").keys() - {"maak-klantcontact"})
        return {path: self.send("GET", f"{path}?pageSize=1")["count"] for path in paths}


@contextlib.contextmanager
def running(folder: Path) -> Iterator[OtherRegister]:
    """An empty register that runs for the block."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.toml"
    keys = store_keys(folder / "register.db")
    path.write_text(f'[gateway]\nregister = true\n[store]\n{keys}uuid_secret = "{UUID_SECRET}"\n')
    store = make_store(folder / "register.db")
    traps = Traps(create_app(read_config(path), store=store))
    with contextlib.closing(store), answering(traps) as address:
        yield OtherRegister(store, address, traps)
