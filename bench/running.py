"""Servers as processes of their own, for the time of a measurement."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.load import BenchError

HOST = "127.0.0.1"
STARTS_WITHIN, STOPS_WITHIN = 30.0, 15.0
FOR_UUIDS = "no secret at all: nothing in this register is anybody's"
CONFIG = """
[gateway]
bind = "{host}:{port}"
workers = {workers}
threads = {threads}

[store]
path = "{store}"
uuid_secret = "{secret}"
"""
PRODUCTION = ("-m", "gateway", "--config", "{config}", "serve")
BARE = ("-m", "bench.bare", "{config}")


@contextlib.contextmanager
def running(
    folder: Path, store: Path, command: tuple[str, ...], workers: int, threads: int
) -> Iterator[tuple[str, int]]:
    """A server over this store, without sources; out: its address. Raises BenchError."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    config = folder / f"config-{port}.toml"
    text = CONFIG.format(
        host=HOST, port=port, workers=workers, threads=threads, store=store.resolve(), secret=FOR_UUIDS
    )
    config.write_text(text, encoding="utf-8")
    arguments = [part.format(config=config) for part in command]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KLANTBRUG_")}
    process = subprocess.Popen([sys.executable, *arguments], env=environ, start_new_session=True)
    try:
        _wait(process, port)
        yield HOST, port
    finally:
        process.terminate()
        try:
            process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise BenchError("a server didn't start") from None
            time.sleep(0.05)
