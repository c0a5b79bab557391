"""Machines of a test: each a network, process and host name space of its own, tied to us by a line that we made."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

# Of the range for tests of devices, which nobody routes.
NETWORK = "198.18.0.0/15"
_IP = "ip"


def _ip(*arguments: str) -> None:
    subprocess.run([_IP, *arguments], check=True, capture_output=True)


def is_allowed() -> bool:
    """May we make such machines here?"""
    name = f"kb{os.getpid()}try"
    try:
        _ip("netns", "add", name)
        _ip("netns", "del", name)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


class Machine:
    """One machine. `ours` is the address at which it reaches us, `address` its own."""

    def __init__(self, number: int) -> None:
        block = os.getpid() % 250
        self.name = f"kb{os.getpid()}n{number}"
        self.ours, self.address = f"198.18.{block}.{4 * number + 1}", f"198.18.{block}.{4 * number + 2}"
        self._line = f"kb{os.getpid() % 100_000}v{number}"
        self.process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make it, with its line."""
        _ip("netns", "add", self.name)
        _ip("link", "add", self._line, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _ip("addr", "add", f"{self.ours}/30", "dev", self._line)
        _ip("link", "set", self._line, "up")
        _ip("-n", self.name, "addr", "add", f"{self.address}/30", "dev", "eth0")
        _ip("-n", self.name, "link", "set", "eth0", "up")
        _ip("-n", self.name, "link", "set", "lo", "up")
        _ip("-n", self.name, "route", "add", "default", "via", self.ours)

    def remove(self) -> None:
        """End what runs on it, and remove it."""
        self.kill()
        with suppress(subprocess.CalledProcessError):
            _ip("netns", "del", self.name)

    def run(self, *command: str, log: Any) -> None:
        """Begin to run a command on it, the only one."""
        line = [
            *(_IP, "netns", "exec", self.name),
            *("unshare", "-pfu", "--kill-child", "--mount-proc"),
            *("sh", "-c", f'hostname {self.name}; exec "$@"', "sh", *command),
        ]
        self.process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def pids(self) -> list[int]:
        """The processes on it, as we number them, the first one first."""
        found, at = [self.process.pid] if self.process else [], 0
        while at < len(found):
            with suppress(OSError):
                text = Path(f"/proc/{found[at]}/task/{found[at]}/children").read_text(encoding="ascii")
                found += map(int, text.split())
            at += 1
        return found[1:]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to each of its processes."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self, seconds: float = 30) -> None:
        """Ask what runs to stop, as whoever manages services does; again and again, because the first process of a
        machine does not hear it before it listens."""
        process = self.process
        give_up = time.monotonic() + seconds
        while process is not None and process.poll() is None:
            assert time.monotonic() < give_up, "it did not stop"
            for pid in self.pids()[:1]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(2)

    def kill(self) -> None:
        """End everything at once, as a machine that loses its power."""
        if self.process is not None:
            self.signal(signal.SIGKILL)
            with suppress(ProcessLookupError):
                self.process.kill()
            self.process.wait()


class Forwarder:
    """Lets who reaches us at an address reach a port of 127.0.0.1, in the block."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Forwarder:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._sockets:
            each.close()

    def listen(self, address: str) -> int:
        """Take connections there; out: at which port."""
        listening = socket.create_server((address, 0))
        self._sockets.append(listening)
        threading.Thread(target=self._take, args=(listening,), daemon=True).start()
        return int(listening.getsockname()[1])

    def _take(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                there = listening.accept()[0]
                here = socket.create_connection(("127.0.0.1", self._port))
                for one, other in ((there, here), (here, there)):
                    threading.Thread(target=_copy, args=(one, other), daemon=True).start()


def _copy(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while part := one.recv(65536):
            other.sendall(part)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
