"""Plays the Notificaties API over real HTTP: takes messages, and can refuse, fail, stall, and be away.

It keeps abonnementen too, and sends messages to them as often as a test wants.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from builders.stores import store_keys

from gateway.base.clock import now
from gateway.config.load import load_config
from gateway.installation import Installation, open_installation
from gateway.notificaties.message import message
from gateway.store.base.store import Store
from gateway.store.operation import outbox

CLIENT_ID = "klantbrug"
SECRET = "the secret that the Notificaties API gave us"
UUID_SECRET = "a secret of the tests, longer than thirty-two characters"
TEST_MESSAGE = {
    "kanaal": "test",
    "hoofdObject": "http://some.hoofdobject.nl/",
    "resource": "some_resource",
    "resourceUrl": "http://some.resource.nl/",
    "actie": "create",
    "aanmaakdatum": "2026-01-01T00:00:00Z",
    "kenmerken": {},
}
# Says what to answer to a message: a status, or a status with headers.
Answers = Callable[[dict[str, Any]], "int | tuple[int, dict[str, str]]"]


class NotificatiesServer:
    """A server on loopback. `answer` decides, `delay` seconds go before it, `messages` is what was taken (2xx)."""

    def __init__(self, port: int = 0) -> None:
        self.answer: Answers = lambda message: 201
        self.delay = 0.0
        self.messages: list[dict[str, Any]] = []
        self.calls = 0
        self.paths: set[str] = set()
        self.abonnementen: dict[str, dict[str, Any]] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.calls += 1
                outer.paths.add(self.path)
                if "/abonnement" in self.path:
                    self.answer(
                        *outer.subscribe(self.command, self.path, self.headers["Authorization"], body)
                    )
                    return
                status, headers = outer.judge(self.headers["Authorization"], body)
                time.sleep(outer.delay)
                self.answer(status, body, headers)

            do_PUT = do_POST

            def do_GET(self) -> None:
                self.answer(*outer.subscribe(self.command, self.path, self.headers["Authorization"], {}))

            do_DELETE = do_GET

            def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
                said = b"" if status == 204 else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                """Nothing: a test looks at what arrived."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/api/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @staticmethod
    def knows(authorization: str) -> bool:
        """Is this the token of our own client?"""
        try:
            claims = jwt.decode(authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            return False
        return bool(claims["client_id"] == claims["iss"] == CLIENT_ID)

    def subscribe(self, method: str, path: str, authorization: str, body: Any) -> tuple[int, Any]:
        """Abonnementen: a callbackUrl must refuse a message without auth and take one with it; auth is never shown."""
        if not self.knows(authorization):
            return 403, {"code": "permission_denied"}
        number = path.partition("/abonnement")[2].strip("/")
        if method == "GET":
            return 200, [self._shown(each) for each in self.abonnementen.values()]
        if number and number not in self.abonnementen:
            return 404, {"code": "not_found"}
        if method == "DELETE":
            del self.abonnementen[number]
            return 204, None
        for auth, status, code in (
            ("", 403, "no-auth-on-callback-url"),
            (body["auth"], 204, "invalid-callback-url"),
        ):
            if self._post(body["callbackUrl"], auth, TEST_MESSAGE) != status:
                return 400, {"code": "invalid", "invalidParams": [{"name": "callbackUrl", "code": code}]}
        number = number or str(uuid.uuid4())
        self.abonnementen[number] = {**body, "url": f"{self.url}/abonnement/{number}"}
        return (201 if method == "POST" else 200), self._shown(self.abonnementen[number])

    @staticmethod
    def _shown(abonnement: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in abonnement.items() if name != "auth"}

    def send(self, body: dict[str, Any]) -> list[int]:
        """Send a message to every abonnement on its kanaal; out: the statuses."""
        return [
            self._post(each["callbackUrl"], each["auth"], body)
            for each in self.abonnementen.values()
            if body["kanaal"] in [kanaal["naam"] for kanaal in each["kanalen"]]
        ]

    @staticmethod
    def _post(url: str, auth: str, body: dict[str, Any]) -> int:
        headers = {"Content-Type": "application/json", **({"Authorization": auth} if auth else {})}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def judge(self, authorization: str, body: dict[str, Any]) -> tuple[int, dict[str, str]]:
        """The answer to one call: to our own client only, and then as the test wants."""
        if not self.knows(authorization):
            return 403, {}
        answer = self.answer(body)
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if 200 <= status < 300:
            self.messages.append(body)
        return status, headers

    def subjects(self) -> list[str]:
        """What the messages that were taken are about, in the order in which they came."""
        return [message["resourceUrl"].rpartition("/")[2] for message in self.messages]

    def __enter__(self) -> NotificatiesServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def notifying_config(folder: Path, url: str, more: str = "") -> Path:
    """A config.toml of a register without sources that tells the API at `url` of its writes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.toml"
    head, register = "[gateway]\n", "register = true\n"
    more = more.replace(head, head + register) if head in more else f"{more}\n{head}{register}"
    path.write_text(
        f'[store]\n{store_keys(folder / "klantbrug.db")}uuid_secret = "{UUID_SECRET}"\n'
        f'[notifications]\nurl = "{url}/"\nclient_id = "{CLIENT_ID}"\nsecret = "{SECRET}"\n'
        f"connect_timeout = 1\nread_timeout = 1\n{more}",
        encoding="utf-8",
    )
    return path


def notifying(folder: Path, url: str, more: str = "") -> Installation:
    """The installation of such a configuration."""
    return open_installation(load_config(notifying_config(folder, url, more), {}))


def put(
    store: Store, subject: str, action: str = "update", nummer: str = "1", host: str = "klantbrug.example.nl"
) -> None:
    """Add a message about a partij, as the write engine does."""
    url = f"http://{host}/klantinteracties/api/v1/partijen/{subject}"
    made = message("partij", action, url, {"nummer": nummer, "soortPartij": "persoon"}, now())
    assert made
    with store.write() as connection:
        outbox.add(connection, made)


def left(store: Store) -> dict[str, int]:
    """How many messages wait and how many were given up."""
    with store.read() as connection:
        return outbox.counts(connection)
