"""A source that is slow or hangs does not stop what needs no source: at most half of the threads wait for one.

The real server, in a process of its own, with clients over loopback.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from builders.asker import API
from builders.sample_data import small
from builders.slow_source import served

from gateway.sample.contents.dataset import Dataset
from gateway.sample.server import SampleServer

pytestmark = pytest.mark.slow

CLIENTS = 12
SECONDS = 12.0
# What a machine that does much else may add. It was 10 to 17 seconds.
AT_ONCE, WAITED = 1.0, 5.0


@pytest.fixture
def data() -> Dataset:
    return small(30)


def slow(server: SampleServer) -> None:
    """Six seconds for each answer."""
    server.traps.slow = 6


def hangs(server: SampleServer) -> None:
    """Calls are taken, and not answered."""
    server.traps.stall_seconds, server.traps.stall_rate = 120, 1


@contextlib.contextmanager
def asked_by_many(ask: Callable[[int, Any], requests.Response]) -> Iterator[list[requests.Response]]:
    """CLIENTS that ask one thing after the other; those that are told to come back later do so."""
    answers: list[requests.Response] = []
    stop = threading.Event()

    def client(number: int) -> None:
        with requests.Session() as session:
            while not stop.is_set():
                number += CLIENTS
                answer = ask(number, session)
                answers.append(answer)
                stop.wait(0.2)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def times_of(ask: Callable[[Any], requests.Response], until: float) -> list[float]:
    """How long the answers took of one client that asks until then, the slowest last."""
    times = []
    with requests.Session() as session:
        while time.monotonic() < until:
            began = time.monotonic()
            assert ask(session).status_code == 200
            times.append(time.monotonic() - began)
            time.sleep(0.02)
    return sorted(times)


@pytest.mark.parametrize("trouble", [slow, hangs])
def test_what_needs_no_source_is_answered_at_once(
    server: SampleServer, tmp_path: Path, run_log: Path, trouble: Callable[[SampleServer], None]
) -> None:
    with served(server, tmp_path / "here", run_log) as gateway:
        trouble(server)
        with asked_by_many(gateway.person) as answers:
            time.sleep(0.5)
            until, found = time.monotonic() + SECONDS, dict[str, list[float]]()

            def watch(path: str) -> None:
                found[path] = times_of(lambda session: gateway.get(path, session), until)

            paths = ("/health/live", f"{API}/internetaken")
            watchers = [threading.Thread(target=watch, args=(path,)) for path in paths]
            for watcher in watchers:
                watcher.start()
            for watcher in watchers:
                watcher.join()
        for path, times in found.items():
            # Not the very slowest, which on a busy machine tells of others.
            assert len(times) > SECONDS and times[int(len(times) * 0.97)] < AT_ONCE, (path, times[-5:])
            assert times[-1] < WAITED
        refused = [answer for answer in answers if answer.status_code == 503]
        assert refused
        for answer in refused:
            assert answer.json()["code"] == "service_unavailable"
            assert 1 <= int(answer.headers["Retry-After"]) <= 10
            assert answer.elapsed.total_seconds() < WAITED
            assert answer.headers["Klantbrug-Coverage"].startswith("partial")
