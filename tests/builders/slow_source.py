"""A server process over a source that is slow, and questions about people whom nobody knows."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
from builders.asker import API
from builders.commands import klantbrug
from builders.configs import read_config, write_config
from builders.served_process import a_port
from builders.until import until_it_works

from gateway.http.auth import create_token
from gateway.installation import open_installation
from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer

BSN = {
    "partijIdentificator__codeSoortObjectId": "bsn",
    "partijIdentificator__codeObjecttype": "natuurlijk_persoon",
    "partijIdentificator__codeRegister": "brp",
}


def a_bsn(number: int) -> str:
    """A number that passes as a BSN and that nobody in the sample has; each number gives another."""
    digits = f"7{number:07}"
    check = sum(weight * int(digit) for weight, digit in zip(range(9, 1, -1), digits, strict=True)) % 11
    return f"{digits}{check}" if check < 10 else a_bsn(number + 5_000_000)


class Served:
    """A server of which clients ask side by side."""

    def __init__(self, url: str, token: str, pid: int) -> None:
        self.url, self.pid = url, pid
        self.headers = {"Authorization": f"Token {token}"}

    def get(self, path: str, session: Any = requests, **query: str) -> requests.Response:
        return session.get(f"{self.url}{path}", params=query, headers=self.headers, timeout=60)

    def person(self, number: int, session: Any = requests) -> requests.Response:
        """A question about a person whom the store does not know."""
        return self.get(f"{API}/partijen", session, **BSN, partijIdentificator__objectId=a_bsn(number))


@contextlib.contextmanager
def served(
    server: SampleServer, folder: Path, run_log: Path, threads: int = 4, deadline: int = 4
) -> Iterator[Served]:
    path = write_config(folder, {"bron": server}, deadline=deadline)
    port = a_port()
    head = f'[gateway]\nbind = "127.0.0.1:{port}"\nworkers = 1\nthreads = {threads}\n'
    path.write_text(head + path.read_text())
    installation = open_installation(read_config(path))
    token = create_token(installation.store, "test", "write")
    installation.store.close()
    with klantbrug(run_log, "--config", path, "serve", "--no-jobs") as process:
        found = Served(f"http://127.0.0.1:{port}", token, process.pid)
        live = until_it_works(lambda: found.get("/health/live"), (requests.ConnectionError,))
        assert live.status_code == 200
        # The version is known, as after the first question of a day.
        found.person(0)
        yield found


def zaken(data: Dataset) -> list[str]:
    """Zaken that clients may see."""
    return [
        zaak["uuid"]
        for zaak in data.objects("zaak")
        if zaak["vertrouwelijkheidaanduiding"] in ("openbaar", "beperkt_openbaar", "intern")
    ]


def hang(server: SampleServer, seconds: float = 30.0) -> None:
    """Let the source take calls and not answer."""
    server.traps.stall_seconds, server.traps.stall_rate = seconds, 1


def timed(ask: Callable[[], Any]) -> tuple[float, Any]:
    """How many seconds an answer took, and the answer."""
    began = time.monotonic()
    answer = ask()
    return time.monotonic() - began, answer
