"""Servers as processes of their own, for the time of a measurement."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import places
from bench.load import BenchError

HOST = "127.0.0.1"
STARTS_WITHIN, STOPS_WITHIN = 30.0, 15.0
# The clock of another process, as Linux numbers it: exact, where /proc/*/stat has hundredths of a second.
PROCESS_CLOCK = 2
FOR_UUIDS = "no secret at all: nothing in this register is anybody's"
CONFIG = """
[gateway]
bind = "{host}:{port}"
workers = {workers}
threads = {threads}
token_requests_per_second = 0
register = true
{gateway}

[store]
{store}
uuid_secret = "{secret}"
"""
PRODUCTION = ("-m", "gateway", "--config", "{config}", "serve")
BARE = ("-m", "bench.bare", "{config}")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs."""

    address: tuple[str, int]
    pid: int

    @property
    def host(self) -> str:
        """As a Host header has it."""
        return f"{self.address[0]}:{self.address[1]}"

    def cpu(self) -> float:
        """Seconds of processor time that it and its workers have used; 0 where the machine doesn't tell."""
        return sum(map(_cpu_of, [self.pid, *children_of(self.pid)]))


def python_of(tree: Path) -> str:
    """The interpreter of a working copy in which `make test` was done once."""
    return str(tree / ".venv" / "bin" / "python")


def children_of(pid: int) -> list[int]:
    """The processes that this one started, and those that they did; none where the machine doesn't tell."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return []
    return [one for child in map(int, found) for one in (child, *children_of(child))]


def _cpu_of(pid: int) -> float:
    try:
        return time.clock_gettime((~pid << 3) | PROCESS_CLOCK)
    except OSError:
        return 0.0


@contextlib.contextmanager
def running(
    folder: Path,
    store: Path,
    command: tuple[str, ...],
    workers: int,
    threads: int,
    gateway: str = "",
    sections: str = "",
    tree: Path | None = None,
    url: str = "",
) -> Iterator[Running]:
    """A server over this store, without sources. Raises BenchError.

    In: more keys of `[gateway]`, and more sections of the configuration; `tree`: another working copy, whose server it
    is; `url`: of the database in which the store is.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    config = folder / f"config-{port}.toml"
    text = CONFIG.format(
        host=HOST,
        port=port,
        workers=workers,
        threads=threads,
        store=places.keys(store, url),
        secret=FOR_UUIDS,
        gateway=gateway,
    )
    text += sections
    config.touch(mode=0o600)
    config.write_text(text, encoding="utf-8")
    arguments = [part.format(config=config) for part in command]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KLANTBRUG_")}
    python = python_of(tree) if tree else sys.executable
    process = subprocess.Popen([python, *arguments], env=environ, start_new_session=True, cwd=tree)
    try:
        _wait(process, port)
        yield Running((HOST, port), process.pid)
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
            # It takes connections from the start; the first worker answers them.
            with socket.create_connection((HOST, port), timeout=STARTS_WITHIN) as connection:
                connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
                if connection.recv(1):
                    return
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > until:
            raise BenchError("a server didn't start")
        time.sleep(0.05)
