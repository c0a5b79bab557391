"""Connections that are kept open come to be spread over the workers, and nobody who asks sees anything of it."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from http.client import HTTPConnection, HTTPException

import pytest
from builders.served_process import SLOW, a_port, listening, process
from builders.until import until

from gateway.server.balance import LOOK_SECONDS, STALE_SECONDS, Balance, ConnectionCounts
from gateway.server.exchange import Clients

# Each question takes its worker 2 milliseconds of work.
WORKING = SLOW.replace(
    "return str(os.getpid())",
    "end = time.thread_time() + 0.002\n        while time.thread_time() < end: pass\n        return str(os.getpid())",
)


@pytest.mark.slow
def test_a_burst_of_connections_does_not_stay_with_one_worker() -> None:
    """The kernel gives all of them to whoever comes first: seven or eight of eight, as a rule."""
    port = a_port()
    last: dict[int, str] = {}
    failed: list[str] = []
    done = threading.Event()

    def ask(number: int, connection: HTTPConnection) -> None:
        try:
            while not done.is_set():
                connection.request("GET", "/pid")
                answer = connection.getresponse()
                last[number] = answer.read().decode()
                assert answer.status == 200
        except (OSError, HTTPException, AssertionError) as error:
            failed.append(f"{type(error).__name__}: {error}")

    with process("-c", WORKING.format(port=port, workers=2, threads=1)):
        listening(port)
        for _ in range(3):
            done.clear()
            last.clear()
            connections = [HTTPConnection("127.0.0.1", port, timeout=20) for _ in range(8)]
            for each in connections:
                each.connect()
            asking = [
                threading.Thread(target=ask, args=(number, each)) for number, each in enumerate(connections)
            ]
            for thread in asking:
                thread.start()
            try:
                until(lambda: failed or (len(last) == 8 and min_of(last) >= 3), 30)
            finally:
                done.set()
                for thread in asking:
                    thread.join()
                for each in connections:
                    each.close()
    assert not failed


def min_of(last: dict[int, str]) -> int:
    """How many connections the worker that has fewest has; 0: one has all."""
    found = Counter(last.values())
    return min(found.values()) if len(found) == 2 else 0


@pytest.mark.parametrize(
    ("told", "too_many"),
    [
        ((8, 0), (4, 0)),
        ((5, 3), (0, 0)),  # about its share
        ((6, 2), (2, 0)),
        ((3, 0), (0, 0)),
        ((1, 7), (0, 3)),
        ((9, 0, 0), (6, 0, 0)),
        ((4, 4, 5), (0, 0, 0)),
        ((7,), (0,)),
    ],
)
def test_how_many_are_more_than_a_share(told: tuple[int, ...], too_many: tuple[int, ...]) -> None:
    counts = ConnectionCounts(len(told))
    for worker, connections in enumerate(told, 1):
        counts.tell(worker, connections, 100.0)
    assert tuple(counts.too_many(worker, 100.5) for worker in range(1, len(told) + 1)) == too_many


def test_a_worker_that_is_no_more_gets_no_connections() -> None:
    """It told of none just before it ended: there is nobody who could take them."""
    counts = ConnectionCounts(2)
    counts.tell(2, 0, 100.0)
    counts.tell(1, 8, 100.0 + STALE_SECONDS + 0.1)
    assert counts.too_many(1, 100.0 + STALE_SECONDS + 0.1) == 0
    assert ConnectionCounts(2).too_many(1, 1e6) == 0, "nobody told anything"


def balance(counts: ConnectionCounts, clients: Clients) -> Balance:
    made = Balance(counts, 1, 2, clients)
    made.look(1000.0, 50.0)
    return made


def asked(clients: Clients, connections: int) -> None:
    clients.asked = {f"127.0.0.1:{number}" for number in range(connections)}


def test_only_who_has_much_to_do_lets_go_and_then_looks_where_they_went() -> None:
    counts, clients = ConnectionCounts(2), Clients()
    one = balance(counts, clients)
    asked(clients, 8)
    counts.tell(2, 0, 1001.0)
    one.look(1001.0, 50.2)
    assert clients.let_go == 0, "it worked a fifth of the time"
    asked(clients, 8)
    counts.tell(2, 0, 1002.0)
    one.look(1002.0, 51.1)
    assert clients.let_go == 4
    asked(clients, 8)  # the four that went asked before they did
    counts.tell(2, 4, 1003.0)
    one.look(1003.0, 52.0)
    assert clients.let_go == 0
    asked(clients, 4)
    counts.tell(2, 4, 1004.0)
    one.look(1004.0, 52.9)
    assert clients.let_go == 0


def test_who_waits_for_places_has_much_to_do_however_little_it_works() -> None:
    counts, clients = ConnectionCounts(2), Clients()
    one = balance(counts, clients)
    asked(clients, 8)
    clients.in_work = {"a", "b", "c"}
    counts.tell(2, 0, 1001.0)
    one.look(1001.0, 50.1)
    assert clients.let_go == 4


def test_it_looks_again_and_again() -> None:
    loop = asyncio.new_event_loop()
    clients = Clients()
    Balance(ConnectionCounts(1), 1, 1, clients).begin(loop)
    clients.asked = {"somebody"}
    loop.call_later(3 * LOOK_SECONDS, loop.stop)
    loop.run_forever()
    loop.close()
    assert not clients.asked
