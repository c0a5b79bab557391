"""An answer that is made piece by piece is sent while it is made: a worker never holds it whole."""

from __future__ import annotations

import http.client
import os
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from builders.served_process import a_port, process
from builders.until import until

pytestmark = pytest.mark.slow

PIECE, PIECES = 64 * 1024, 3200  # 200 MB
APP = f"""
import os
from flask import Flask, Response
from gateway.config.model import Gateway
from gateway.server.serve import run_server

def make():
    app = Flask("large")

    @app.get("/pid")
    def pid():
        return str(os.getpid())

    @app.get("/large")
    def large():
        def pieces():
            try:
                for number in range({PIECES}):
                    yield b"%08d" % number + b"x" * {PIECE - 8}
            finally:
                os.write(1, b"made\\n")
        return Response(pieces())

    @app.get("/broken")
    def broken():
        def pieces():
            for number in range(40):
                yield b"x" * {PIECE}
            raise ValueError("of ours")
        return Response(pieces())

    @app.get("/small")
    def small():
        return Response(iter([b"a", b"b"]))

    return app

run_server(Gateway(bind="127.0.0.1:{{port}}", workers=1, threads=2), make)
"""


def asked(port: int, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    return connection.getresponse()


def memory(pid: int) -> int:
    """Megabytes that a process holds now."""
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0]) // 1024


def comes(port: int) -> bool:
    with suppress(OSError):
        return asked(port, "/pid").status == 200
    return False


def test_a_large_answer_is_sent_while_it_is_made() -> None:
    port = a_port()
    with process("-c", APP.format(port=port)):
        until(lambda: comes(port))
        pid = int(asked(port, "/pid").read())
        before = most = memory(pid)
        answer = asked(port, "/large")
        assert answer.headers["Content-Length"] is None
        for number in range(PIECES):
            piece = answer.read(PIECE)
            assert piece[:8] == b"%08d" % number
            most = max(most, memory(pid))
        assert answer.read() == b""
        assert most - before < 20
        small = asked(port, "/small")
        assert (small.headers["Content-Length"] or "2", small.read()) == ("2", b"ab")


def test_a_client_that_reads_nothing_for_a_while_gets_all_and_nothing_is_held() -> None:
    port = a_port()
    with process("-c", APP.format(port=port)):
        until(lambda: comes(port))
        pid = int(asked(port, "/pid").read())
        before = memory(pid)
        answer = asked(port, "/large")
        time.sleep(3)  # not read: all 200 MB would be made by now
        assert memory(pid) - before < 20
        assert len(answer.read()) == PIECE * PIECES


def test_an_answer_that_breaks_off_does_not_look_whole() -> None:
    port = a_port()
    with process("-c", APP.format(port=port)):
        until(lambda: comes(port))
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            asked(port, "/broken").read()
        assert asked(port, "/small").read() == b"ab"


def test_a_client_that_goes_away_ends_the_making() -> None:
    port = a_port()
    with process("-c", APP.format(port=port)) as running:
        until(lambda: comes(port))
        answer = asked(port, "/large")
        answer.read(PIECE)
        answer.close()
        assert running.stdout is not None
        os.set_blocking(running.stdout.fileno(), True)
        told = ""
        while "made" not in told:
            told = running.stdout.readline()
        until(lambda: comes(port))
