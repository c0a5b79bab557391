"""Clients that ask a server side by side, and time each answer."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any


@dataclass(frozen=True, slots=True)
class Timed:
    """One answer: how long it took, and what it was, with the names of its headers in lower case."""

    seconds: float
    status: int
    headers: dict[str, str]
    body: Any


def ask(
    address: tuple[str, int], token: str, path: str, body: Any = None, method: str = "", seconds: float = 150
) -> Timed:
    """One request on a connection of its own: a GET, or a POST when there is a body."""
    connection = HTTPConnection(*address, timeout=seconds)
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    began = time.monotonic()
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method or ("GET" if body is None else "POST"), path, text, headers)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    found = json.loads(content) if content else None
    given = {name.lower(): value for name, value in answer.getheaders()}
    return Timed(time.monotonic() - began, answer.status, given, found)


class Clients:
    """Clients that ask the same again and again, each in a thread, until the block ends."""

    def __init__(self, address: tuple[str, int], token: str) -> None:
        self._address, self._token = address, token
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.answers: dict[str, list[Timed]] = {}

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def begin(self, name: str, number: int, path: str, body: Any = None, pause: float = 0.05) -> None:
        """Let so many clients ask this, and keep the answers under `name`."""
        answers = self.answers.setdefault(name, [])

        def work() -> None:
            while not self._stop.is_set():
                answers.append(ask(self._address, self._token, path, body))
                time.sleep(pause)

        for _ in range(number):
            self._threads.append(threading.Thread(target=work))
            self._threads[-1].start()

    def longest(self, name: str) -> float:
        """The seconds of the slowest answer."""
        return max(answer.seconds for answer in self.answers[name])

    def told(self, name: str) -> str:
        """What these answers were, in a line: for whoever reads a failure."""
        answers = sorted(self.answers[name], key=lambda each: each.seconds)
        statuses = {
            status: [a.status for a in answers].count(status) for status in {a.status for a in answers}
        }
        slow = answers[int(len(answers) * 0.99)].seconds
        return f"{name}: {statuses}, p99 {slow:.3f} s, longest {answers[-1].seconds:.3f} s"
