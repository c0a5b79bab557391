"""One request and its answer, between granian's RSGI and an application in WSGI."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import lru_cache
from io import BytesIO
from itertools import chain
from time import monotonic
from typing import Any

from gateway.base import correlation
from gateway.base.logs import get_logger
from gateway.http import problems
from gateway.http.request_ids import CAME_IN, REQUEST_ID, begun
from gateway.server.sockets import AHEAD, AnswerFlow

log = get_logger(__name__)

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
CONTENT = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
ALWAYS: dict[str, Any] = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
READS = ("GET", "HEAD", "OPTIONS")
# What a request is called that got no further than the server.
REFUSED = "(refused)"
LARGE = 64 * 1024  # more than this the kernel does not take at once
# An answer in pieces that is larger than this is sent while it is made. So long a client may take over one of them.
AT_ONCE = 256 * 1024
PIECE_SECONDS = 30.0
END_AFTER = ("Connection", "close")
REFUSALS = {
    408: problems.of_status(408, ""),
    500: problems.server_error(),
}


@lru_cache(maxsize=512)
def _variable(header: str) -> str:
    """The name of a header in WSGI; blank for one that could be taken for another there."""
    # "x_forwarded_for" would become the same variable as "x-forwarded-for", which a proxy sees to.
    return "" if "_" in header else CONTENT.get(header) or f"HTTP_{header.upper().replace('-', '_')}"


class Clients:
    """What a process knows of its clients, each by its address and port."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """In: where what is sent in pieces is sent; without it every answer is sent at once."""
        self.loop = loop
        self.in_work: set[str] = set()  # they wait for an answer
        self.asked: set[str] = set()  # they asked something since `balance` looked
        self.let_go = 0  # so many connections are to end with their next answer
        self.sent: dict[
            str, tuple[int, float]
        ] = {}  # the size of a large answer, and when it was given to granian


class Exchange:
    """A request that waits for its answer, which any thread may give, once."""

    __slots__ = ("_known", "_proto", "client", "environ", "writes")

    def __init__(self, scope: Any, proto: Any, known: Clients) -> None:
        """In: scope and protocol of RSGI; what is known of clients, this one among them."""
        self._proto = proto
        self.client: str = scope.client
        self.environ = _environ(scope, self.client)
        self.writes: bool = scope.method not in READS  # is it one that may change something?
        self._known = known
        known.in_work.add(self.client)
        known.asked.add(self.client)

    @property
    def client_key(self) -> str:
        """What is the same for all requests of one client."""
        whose: str = self.environ.get("HTTP_AUTHORIZATION") or self.environ["REMOTE_ADDR"]
        return whose

    async def body(self) -> bytes:
        """The whole body; once."""
        return bytes(await self._proto())

    def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes in; once."""
        chunks: AsyncIterator[bytes] = self._proto
        return chunks

    def has_body(self) -> bool:
        """Does a body come after this head?"""
        length = self.environ.get("CONTENT_LENGTH", "0")
        return length != "0" or "HTTP_TRANSFER_ENCODING" in self.environ

    def give_body(self, body: bytes) -> None:
        """The body, for the application to read."""
        self.environ["wsgi.input"] = BytesIO(body)

    def run(self, app: App) -> None:
        """Let the application answer; whatever it does, there is an answer."""
        answer = _Answer()
        try:
            chunks = app(self.environ, answer)
            try:
                if type(chunks) is list and len(chunks) == 1:
                    body, rest = chunks[0], None
                else:
                    pieces = iter(chunks)
                    body, rest = self._begin(pieces)
                if rest is None or self._known.loop is None:
                    self._reply(answer.status, answer.headers, b"".join([body, *(rest or ())]))
                else:
                    self._stream(answer, body, rest, self._known.loop)
            finally:
                if hasattr(chunks, "close"):
                    chunks.close()
        except Exception as fault:  # noqa: BLE001 - a fault of ours; its text may hold personal data
            log.error("no answer", cause=type(fault).__name__)
            self.refuse(500)

    def refuse(self, status: int, retry_after: int = 0) -> None:
        """Answer without the application, and end the connection."""
        problem = (
            problems.unavailable("De dienst heeft het te druk.", retry_after)
            if status == 503
            else REFUSALS[status]
        )
        operation = begun(self.environ)
        operation.name = REFUSED
        body = problem.document("")
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        headers.append((REQUEST_ID, operation.request_id))
        self._reply(status, [*headers, *problem.headers, END_AFTER], body)
        correlation.end(operation, status)
        correlation.take_up(None)

    @staticmethod
    def _begin(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes] | None]:
        """The first of an answer in pieces, and what comes after it; None when that was all."""
        held: list[bytes] = []
        size = 0
        for piece in pieces:
            held.append(piece)
            size += len(piece)
            if size >= AT_ONCE:
                return b"".join(held), pieces
        return b"".join(held), None

    def _stream(
        self, answer: _Answer, first: bytes, rest: Iterator[bytes], loop: asyncio.AbstractEventLoop
    ) -> None:
        """Send a large answer while it is made, so that it is never held whole; this thread waits for the client."""
        transport = self._proto.response_stream(answer.status, answer.headers)
        given = 0
        with AnswerFlow(self.client) as flow:
            try:
                for piece in chain((first,), rest):
                    asyncio.run_coroutine_threadsafe(_send(transport, piece), loop).result(PIECE_SECONDS)
                    given += len(piece)
                    if not flow.wait(given, PIECE_SECONDS):
                        log.info("a client did not take its answer")
                        flow.break_off()
                        return
            except Exception as fault:  # noqa: BLE001 - granian's own, of a client that went away; or a fault of ours
                log.warning("an answer was broken off", cause=type(fault).__name__)
                flow.break_off()
            finally:
                self._known.sent[self.client] = (min(given, AHEAD), monotonic())
                self._known.in_work.discard(self.client)

    def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        if len(body) >= LARGE:
            self._known.sent[self.client] = (len(body), monotonic())
        if self._known.let_go > 0 and END_AFTER not in headers:
            self._known.let_go -= 1
            headers = [*headers, END_AFTER]
        self._proto.response_bytes(status, headers, body)
        self._known.in_work.discard(self.client)


def _environ(scope: Any, client: str) -> dict[str, Any]:
    address, _, port = client.rpartition(":")
    path: str = scope.path
    environ: dict[str, Any] = {
        **ALWAYS,
        "REQUEST_METHOD": scope.method,
        # As WSGI wants it: each byte a character.
        "PATH_INFO": path if path.isascii() else path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": "HTTP/1.0" if scope.http_version == "1" else "HTTP/1.1",
        "REMOTE_ADDR": address[1:-1] if address[:1] == "[" else address,
        "REMOTE_PORT": port,
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(),
        CAME_IN: monotonic(),
    }
    for header, value in scope.headers.items():
        name = _variable(header)
        if name in environ:
            environ[name] += (";" if header == "cookie" else ",") + value
        elif name:
            environ[name] = value
    if "HTTP_HOST" not in environ:
        environ["HTTP_HOST"] = scope.authority or ""
    server = scope.server
    environ["SERVER_NAME"], _, environ["SERVER_PORT"] = server.rpartition(":")
    return environ


async def _send(transport: Any, piece: bytes) -> None:
    await transport.send_bytes(piece)


class _Answer:
    """What WSGI calls start_response, and what it was given."""

    __slots__ = ("headers", "status")

    def __init__(self) -> None:
        self.status, self.headers = 500, []  # type: int, list[tuple[str, str]]

    def __call__(self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
        self.status, self.headers = int(status[:3]), headers
