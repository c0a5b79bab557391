"""The server as a process: started, asked, and ended whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from builders.configs import UUID_SECRET
from builders.stores import ON_POSTGRES, store_keys
from builders.until import until_it_works

from gateway.cli.commands.demo import free_port

SLOW = """
import os, time
from flask import Flask
from gateway.config.model import Gateway
from gateway.server.serve import run_server

def make():
    app = Flask("slow")

    @app.get("/pid")
    def pid():
        return str(os.getpid())

    @app.get("/slow")
    def slow():
        os.write(1, b"asked\\n")
        time.sleep(1.5)
        return "whole"

    return app

run_server(Gateway(bind="127.0.0.1:{port}", workers={workers}, threads={threads}), make)
"""


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process with its output kept, which is killed with its workers when it is still there."""
    running = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield running
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)  # its workers may be there when it is not
        running.communicate()


def a_port() -> int:
    """A free port, mostly another than that of tests of another working copy on this machine."""
    return free_port(10_000 + os.getpid() * 17 % 20_000)


def listening(port: int, seconds: float = 30) -> None:
    """Wait until it answers: connections are taken from the start, and wait for the first worker."""

    def ask() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
            connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert connection.recv(100)

    until_it_works(ask, (OSError, AssertionError), seconds)


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return str(answer.read().decode())


def asked(running: subprocess.Popen[str], times: int = 1) -> None:
    """Wait until a worker of SLOW begins to answer `/slow`, so many times."""
    assert running.stdout is not None
    while times:
        line = running.stdout.readline()
        assert line, "the server ended"
        times -= line == "asked\n"


def plain_config(folder: Path, port: int) -> Path:
    """A register on a port; only beside a file a secret is made where none is named."""
    path = folder / "config.toml"
    keys = store_keys(folder / "klantbrug.db")
    if ON_POSTGRES:
        keys += f'uuid_secret = "{UUID_SECRET}"\n'
    path.write_text(f'[gateway]\nregister = true\nbind = "127.0.0.1:{port}"\n[store]\n{keys}')
    return path


def wait_for(url: str, seconds: float = 30) -> None:
    def ask() -> None:
        with urllib.request.urlopen(url, timeout=2):
            pass

    until_it_works(ask, (urllib.error.URLError, OSError), seconds)
