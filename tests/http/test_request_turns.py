"""Who is answered now: quick ones in turn, beside those that take long."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from builders.until import until

from gateway.http.request_ids import WAITED
from gateway.server import request_queue
from gateway.server.exchange import Clients, Exchange
from gateway.server.request_queue import Lane, watch_lane


class Scope:
    """A request as granian gives it."""

    query_string, http_version, scheme, authority, server = "", "1.1", "http", None, "[::1]:80"

    def __init__(
        self, path: str, headers: dict[str, str], client: str = "192.0.2.1:1", method: str = "GET"
    ) -> None:
        self.path, self.headers, self.client, self.method = path, headers, client, method


class Proto:
    """Keeps the answer."""

    status = 0

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, dict(headers), body
        # A client may refuse an answer that says it twice.
        self.ends = [name for name, _ in headers].count("Connection")


def exchange(name: str, whose: str = "a", method: str = "GET") -> Exchange:
    scope = Scope(f"/{name}", {"authorization": f"Token {whose}"}, method=method)
    return Exchange(scope, Proto(), Clients())


class World:
    """A lane whose requests end when they are told to."""

    def __init__(self, places: int = 1, long_places: int = 1, writes: int = 8) -> None:
        self.begun: list[str] = []
        self.may_end: dict[str, threading.Event] = {}
        self.hands = ThreadPoolExecutor(8)
        self.lane = Lane(self.run, places, long_places, self.hands, writes)
        threading.Thread(target=watch_lane, args=(self.lane,), daemon=True).start()

    def run(self, one: Exchange) -> None:
        name = one.environ["PATH_INFO"][1:]
        self.begun.append(name)
        assert self.may_end.setdefault(name, threading.Event()).wait(10)

    def ask(self, name: str, whose: str = "a", method: str = "GET") -> Exchange:
        one = exchange(name, whose, method)
        self.hands.submit(self.lane.take, one)
        time.sleep(0.02)
        return one

    def end(self, *names: str) -> None:
        for name in names:
            self.may_end.setdefault(name, threading.Event()).set()


def test_who_takes_long_gives_its_place_away() -> None:
    world = World(places=1, long_places=1)
    began = time.monotonic()
    world.ask("heavy")
    world.ask("quick")
    until(lambda: "quick" in world.begun)
    assert request_queue.LONG_SECONDS * 0.8 < time.monotonic() - began < 1
    world.end("quick")
    world.ask("another")
    until(lambda: "another" in world.begun)
    world.end("another", "heavy")


def test_no_more_go_on_beside_the_others_than_there_are_long_places() -> None:
    world = World(places=1, long_places=2)
    for number in range(4):
        world.ask(f"heavy {number}")
    time.sleep(5 * request_queue.LONG_SECONDS)
    assert world.begun == ["heavy 0", "heavy 1", "heavy 2"]
    world.end("heavy 1")
    until(lambda: len(world.begun) == 4)
    world.end("heavy 0", "heavy 2", "heavy 3")


def test_of_each_client_one_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "LONG_SECONDS", 60)
    world = World(places=1)
    for number in range(4):
        world.ask(f"of a {number}")
    world.ask("of b", whose="b")
    world.end(*(f"of a {number}" for number in range(4)), "of b")
    until(lambda: len(world.begun) == 5)
    assert world.begun == ["of a 0", "of a 1", "of b", "of a 2", "of a 3"]


def test_more_than_can_wait_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "LONG_SECONDS", 60)
    monkeypatch.setattr(request_queue, "MOST_WAITING", 1)
    world = World(places=1)
    world.ask("first")
    world.ask("second")
    proto: Any = world.ask("third")._proto
    assert (proto.status, proto.headers["Retry-After"]) == (503, "2")
    assert b'"status":503' in proto.body
    world.end("first", "second")


def test_who_waited_too_long_is_not_answered_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "LONG_SECONDS", 60)
    monkeypatch.setattr(request_queue, "PATIENCE_SECONDS", 0.05)
    world = World(places=1)
    world.ask("first")
    proto: Any = world.ask("second")._proto
    time.sleep(0.1)
    world.end("first")
    until(lambda: proto.status == 503)
    assert world.begun == ["first"]


def test_a_header_that_could_be_taken_for_another_is_left_out() -> None:
    """A proxy sees to X-Forwarded-For, not to X_Forwarded_For, which would have the same name in WSGI."""
    headers = {"x-forwarded-for": "203.0.113.9", "x_forwarded_for": "10.0.0.1", "x_forwarded-for": "10.0.0.1"}
    one = Exchange(Scope("/p\u00e9", headers), Proto(), Clients())
    assert one.environ["HTTP_X_FORWARDED_FOR"] == "203.0.113.9"
    assert one.environ["PATH_INFO"] == "/p\u00c3\u00a9"
    assert (one.environ["REMOTE_ADDR"], one.environ["SERVER_NAME"]) == ("192.0.2.1", "[::1]")


def test_who_says_that_it_waits_gives_its_place_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "LONG_SECONDS", 60)
    world = World(places=1, long_places=1)
    answers = world.lane._run

    def run(one: Exchange) -> None:
        if one.environ["PATH_INFO"] == "/waits":
            request_queue.give_place()
        answers(one)

    world.lane._run = run
    world.ask("waits")
    world.ask("quick")
    until(lambda: "quick" in world.begun)
    world.end("waits", "quick")
    request_queue.give_place()  # in a thread that answers nothing: nobody minds


def test_beside_one_that_takes_long_somebody_always_sees_what_comes_in() -> None:
    """Threads of granian rested one after the other, until the only one left was the one that took long."""
    world = World(places=1, long_places=3)
    incoming: queue.SimpleQueue[Exchange] = queue.SimpleQueue()

    def granian() -> None:
        while True:
            world.lane.take_and_rest(incoming.get())

    for _ in range(6):
        threading.Thread(target=granian, daemon=True).start()
    incoming.put(exchange("heavy"))
    until(lambda: "heavy" in world.begun)
    for number in range(40):
        world.end(f"quick{number}")
        incoming.put(exchange(f"quick{number}"))
        began = time.monotonic()
        until(lambda number=number: f"quick{number}" in world.begun)  # type: ignore[misc]
        assert time.monotonic() - began < 1
    world.end("heavy")


def test_who_writes_waits_in_the_queue_while_others_write_and_who_reads_passes() -> None:
    """Once they all had a thread, and who found no place among those that waited for the writer was refused."""
    world = World(places=2, long_places=2, writes=2)
    asked = [world.ask(f"write {number}", method="POST") for number in range(4)]
    world.ask("read")
    until(lambda: "read" in world.begun)
    assert world.begun == ["write 0", "write 1", "read"]
    world.end("write 1")
    until(lambda: "write 2" in world.begun)
    assert asked[2].environ[WAITED] > 0.02
    world.end("write 0")
    until(lambda: "write 3" in world.begun)
    world.end("write 2", "write 3", "read")


def test_who_writes_does_not_wait_for_those_that_wait_for_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "LONG_SECONDS", 60)
    world = World(places=2, long_places=2, writes=1)
    answers = world.lane._run

    def run(one: Exchange) -> None:
        if one.environ["PATH_INFO"] == "/waits":
            request_queue.give_place_for_source()
        answers(one)

    world.lane._run = run
    world.ask("waits", method="POST")
    world.ask("write", method="POST")
    until(lambda: "write" in world.begun)
    world.end("waits", "write")


def test_more_that_write_than_can_wait_are_refused_and_who_reads_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_queue, "MOST_WRITES_WAITING", 1)
    world = World(places=2, writes=1)
    for name in ("first", "second"):
        world.ask(name, method="POST")
    proto: Any = world.ask("third", method="POST")._proto
    assert proto.status == 503
    world.ask("read")
    until(lambda: "read" in world.begun)
    world.end("first", "second", "read")


def test_an_answer_that_ends_its_connection_says_so_once() -> None:
    clients = Clients()
    clients.let_go = 1

    def ends(answers: Callable[[Exchange], None]) -> tuple[int, int]:
        proto = Proto()
        answers(Exchange(Scope("/a", {}), proto, clients))
        return proto.ends, clients.let_go

    def app(_environ: object, start: Callable[..., object]) -> list[bytes]:
        start("200 OK", [])
        return [b"{}"]

    assert ends(lambda one: one.refuse(408)) == (1, 1)
    assert ends(lambda one: one.run(app)) == (1, 0)
    assert ends(lambda one: one.run(app)) == (0, 0)
