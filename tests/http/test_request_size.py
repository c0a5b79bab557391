"""`[gateway] max_body`, over real HTTP against the production server: large and chunked bodies, whole and cut off."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from builders.asker import API
from builders.commands import klantbrug
from builders.configs import UUID_SECRET, read_config
from builders.served_process import a_port, wait_for
from builders.stores import store_keys

from gateway.http.auth import create_token
from gateway.installation import open_store

pytestmark = pytest.mark.slow

MAX_BODY = 20_000
PATH = f"{API}/categorieen"


@dataclass(frozen=True)
class Running:
    """A server that takes bodies of at most MAX_BODY."""

    port: int
    token: str = field(repr=False)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}

    def post(self, pieces: list[bytes], *, chunked: bool = False) -> tuple[int, dict[str, object]]:
        """POST a body, with its length or in chunks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            body = iter(pieces) if chunked else b"".join(pieces)
            with contextlib.suppress(BrokenPipeError):  # the server may answer and close before it has all
                connection.request("POST", PATH, body, self.headers(), encode_chunked=chunked)
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        finally:
            connection.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, run_log: Path) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("size")
    port = a_port()
    config = folder / "config.toml"
    config.write_text(
        f'[gateway]\nbind = "127.0.0.1:{port}"\nworkers = 1\nmax_body = {MAX_BODY}\nregister = true\n'
        f'[store]\n{store_keys(folder / "klantbrug.db")}uuid_secret = "{UUID_SECRET}"\n'
    )
    token = create_token(open_store(read_config(config)), "tests", "write")
    with klantbrug(run_log, "--config", config, "serve"):
        wait_for(f"http://127.0.0.1:{port}/health/ready")
        yield Running(port, token)


def body_of(size: int) -> bytes:
    """A JSON body of exactly so many bytes that makes a categorie."""
    start = b'{"naam": "x", "onbekend": "'
    return start + b"a" * (size - len(start) - 2) + b'"}'


def in_chunks(body: bytes, size: int = 4096) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
def test_a_body_of_just_the_limit_is_taken(running: Running, chunked: bool) -> None:
    status, found = running.post(in_chunks(body_of(MAX_BODY)), chunked=chunked)
    assert status == 201
    assert found["naam"] == "x"


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
@pytest.mark.parametrize("size", [MAX_BODY + 1, 3 * MAX_BODY])
def test_a_larger_body_is_a_413_problem(running: Running, size: int, chunked: bool) -> None:
    status, found = running.post(in_chunks(body_of(size)), chunked=chunked)
    assert status == 413
    assert found["status"] == 413
    assert found["instance"]


def test_a_body_that_claims_to_be_huge_is_refused_before_it_comes(running: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    connection.putrequest("POST", PATH)
    for name, value in {**running.headers(), "Content-Length": str(10**12)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    began = time.monotonic()
    assert connection.getresponse().status == 413
    assert time.monotonic() - began < 5
    connection.close()


def test_chunks_without_end_are_cut_off(running: Running) -> None:
    """The server neither keeps them nor waits for the rest."""
    sent = 0
    head = "".join(f"{name}: {value}\r\n" for name, value in running.headers().items())
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as raw:
        raw.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"1000\r\n" + b"a" * 4096 + b"\r\n"
        raw.settimeout(5)
        try:
            while sent < 200 * 1024 * 1024:
                raw.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass  # it closed the connection, as it should
    assert sent < 200 * 1024 * 1024
    assert running.post([b'{"naam": "na afloop"}'])[0] == 201
