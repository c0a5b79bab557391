"""Clients that are slow on purpose: the service goes on for all others, and they lose what they hold."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from builders.asker import API
from builders.commands import klantbrug
from builders.configs import UUID_SECRET, read_config
from builders.served_process import a_port, listening
from builders.stores import store_keys
from builders.until import until

from gateway.http.auth import create_token
from gateway.installation import open_store

pytestmark = pytest.mark.slow

CLIENT_SECONDS = 3
MOST = 200
# A test machine does more than this; what is held up waits for as long as a client may take, or longer.
SLOWEST = 2.5


class Running:
    """A register with one worker, who may read and write there, and how long its answers take meanwhile."""

    def __init__(self, port: int, token: str, pid: int) -> None:
        self.port, self.token, self.pid = port, token, pid

    def connect(self, receive: int = 0) -> socket.socket:
        """A connection; with `receive` one that takes few bytes before they are read."""
        found = socket.socket()
        if receive:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        found.settimeout(20)
        found.connect(("127.0.0.1", self.port))
        return found

    def head(self, method: str, path: str, *headers: str) -> bytes:
        """The head of a request with a right token."""
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Token {self.token}", *headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def ask(self, path: str) -> float:
        """Ask on a connection of its own. Out: how long it took."""
        began = time.monotonic()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Token {self.token}"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            answer.read()
        return time.monotonic() - began

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """During the block health and a list are asked all the time; none of them takes long."""
        ending, took = threading.Event(), []

        def watch(path: str) -> None:
            while not ending.is_set():
                took.append(self.ask(path))
                time.sleep(0.02)

        paths = ("/health/live", "/health/ready", f"{API}/partijen")
        with ThreadPoolExecutor(3) as pool:
            watching = [pool.submit(watch, path) for path in paths]
            try:
                yield
            finally:
                ending.set()
            for each in watching:
                each.result()
        assert len(took) > 20
        assert max(took) < SLOWEST


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, run_log: Path) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("slow")
    port = a_port()
    config = folder / "config.toml"
    config.write_text(
        f'[gateway]\nbind = "127.0.0.1:{port}"\nworkers = 1\nregister = true\nmax_connections = {MOST}\n'
        f'client_seconds = {CLIENT_SECONDS}\n[store]\nuuid_secret = "{UUID_SECRET}"\n'
        + store_keys(folder / "klantbrug.db")
    )
    token = create_token(open_store(read_config(config)), "tests", "write")
    with klantbrug(run_log, "--config", config, "serve", "--no-jobs") as process:
        listening(port)
        yield Running(port, token, process.pid)


def answer_on(connection: socket.socket) -> tuple[int, Any]:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, json.loads(answer.read())


def ended(connection: socket.socket) -> bool:
    """Did the server end it? What it sent before is read first."""
    connection.setblocking(False)
    try:
        while connection.recv(1 << 20):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def until_ended(connections: list[socket.socket], number: int) -> None:
    """Wait until the server ended so many of them."""
    until(lambda: sum(map(ended, connections)) >= number, look=0.1)


def test_bodies_that_never_come_hold_nothing(running: Running) -> None:
    head = running.head("POST", f"{API}/partijen", "Content-Type: application/json", "Content-Length: 100")
    chunks = running.head(
        "POST", f"{API}/partijen", "Content-Type: application/json", "Transfer-Encoding: chunked"
    )
    began = time.monotonic()
    with contextlib.ExitStack() as stack, running.watched():
        waiting = []
        for number in range(40):
            connection = stack.enter_context(running.connect())
            connection.sendall((head, chunks + b"5\r\n{")[number % 2])
            waiting.append(connection)
        for connection in waiting:
            status, problem = answer_on(connection)
            assert (status, problem["status"]) == (408, 408)
            assert connection.recv(1) == b"", "and the connection is ended"
    assert CLIENT_SECONDS - 0.5 < time.monotonic() - began < CLIENT_SECONDS + 30


def test_a_body_that_drips_has_no_more_time(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(
            running.head("POST", f"{API}/partijen", "Content-Type: application/json", "Content-Length: 1000")
        )
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while not _readable(connection):
                assert time.monotonic() - began < CLIENT_SECONDS + 30, "all of it takes a hundred seconds"
                connection.sendall(b" ")
                time.sleep(0.1)  # so slowly does it send
        assert answer_on(connection)[0] == 408


def _readable(connection: socket.socket) -> bool:
    connection.settimeout(0.001)
    try:
        return bool(connection.recv(1, socket.MSG_PEEK)) or True
    except TimeoutError:
        return False
    finally:
        connection.settimeout(20)


def test_a_body_that_ends_too_early_changes_nothing(running: Running) -> None:
    """The connection breaks after what could be a whole document."""
    with running.connect() as connection:
        body = b'{"naam": "half"}'
        connection.sendall(
            running.head("POST", f"{API}/categorieen", "Content-Type: application/json", "Content-Length: 40")
        )
        connection.sendall(body)
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(http.client.HTTPException, OSError):
            assert answer_on(connection)[0] == 408
    time.sleep(0.3)  # in which the server would have written it
    asked = urllib.request.Request(
        f"http://127.0.0.1:{running.port}{API}/categorieen",
        headers={"Authorization": f"Token {running.token}"},
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert json.load(answer)["count"] == 0


def test_heads_that_never_end_are_ended(running: Running) -> None:
    with contextlib.ExitStack() as stack, running.watched():
        waiting = [stack.enter_context(running.connect()) for _ in range(50)]
        for connection in waiting:
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        until_ended(waiting, len(waiting))


def test_idle_connections_give_way_to_new_ones(running: Running) -> None:
    """Also many more of them than may be open."""
    with contextlib.ExitStack() as stack:
        mine = stack.enter_context(running.connect())
        mine.sendall(running.head("GET", "/health/live"))
        assert answer_on(mine)[0] == 200
        with running.watched():
            idle = [stack.enter_context(running.connect()) for _ in range(3 * MOST)]
            until_ended(idle, 2 * MOST)
        mine.sendall(running.head("GET", "/health/live"))
        assert answer_on(mine)[0] == 200, "those that never asked anything went first"


def test_answers_that_nobody_reads_are_not_kept(running: Running) -> None:
    """Many of some hundred kilobytes for each client, more than the kernel takes when the client takes nothing."""
    naam = "n" * 60
    for number in range(600):
        asked = urllib.request.Request(
            f"http://127.0.0.1:{running.port}{API}/categorieen",
            json.dumps({"naam": f"{number} {naam}"}).encode(),
            {"Authorization": f"Token {running.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=20) as answer:
            assert answer.status == 201
    # Many on one connection: the answers wait behind each other.
    asking = 100 * running.head("GET", f"{API}/categorieen?pageSize=500")
    with contextlib.ExitStack() as stack:
        unread = []
        for _ in range(20):
            connection = stack.enter_context(running.connect(receive=4096))
            connection.sendall(asking)
            unread.append(connection)
        with running.watched():
            time.sleep(4 * CLIENT_SECONDS + 3)  # who looks whether one was ended, reads
        assert all(map(ended, unread))
    reader = running.connect(receive=4096)
    reader.sendall(running.head("GET", f"{API}/categorieen?pageSize=500", "Connection: close"))
    size, slowly = 0, time.monotonic()
    head = b""
    while piece := reader.recv(20_000):
        head = head or piece
        size += len(piece)
        time.sleep(0.05)  # so slowly does it read
    reader.close()
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None
    assert size > int(length[1]), "who reads slowly, but reads, gets all of it"
    assert time.monotonic() - slowly > 0.2


def test_wrong_tokens_hold_up_nobody(running: Running) -> None:
    seen: dict[int, int] = {}

    def guess(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
        for _ in range(10):
            connection.request("GET", f"{API}/partijen", headers={"Authorization": f"Token kb_wrong{number}"})
            answer = connection.getresponse()
            answer.read()
            seen[answer.status] = seen.get(answer.status, 0) + 1
            if answer.status == 429:
                assert int(answer.headers["Retry-After"]) > 0
        connection.close()

    with running.watched(), ThreadPoolExecutor(20) as pool:
        list(pool.map(guess, range(20)))
        time.sleep(0.5)  # health is watched a while longer
    assert set(seen) == {401, 429}
    assert seen[401] <= 20
