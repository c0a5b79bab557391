"""Two gateways behind a proxy are started anew in turn while clients read and write: none of them notices."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import random
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.client_bodies import KLANTCONTACT
from builders.commands import klantbrug
from builders.configs import UUID_SECRET, read_config
from builders.own_postgres import OwnPostgres, is_there
from builders.served_process import a_port
from builders.until import until

from gateway.http.auth import create_token
from gateway.installation import open_store

pytestmark = [pytest.mark.soak, pytest.mark.skipif(not is_there(), reason="needs PostgreSQL")]
SECONDS = 60.0
CLIENTS = 6
API = "/klantinteracties/api/v1/klantcontacten"
# Each gateway has an address of its own of this machine.
ADDRESSES = ("127.0.0.2", "127.0.0.3")


class Proxy:
    """Sends each connection to a gateway that says that it is ready, and tries the next when it takes none."""

    def __init__(self, gateways: list[tuple[str, int]]) -> None:
        self._gateways = gateways
        self.ready: set[tuple[str, int]] = set()
        self._turn = itertools.count()
        self._stop = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.address: tuple[str, int] = self._listening.getsockname()[:2]

    def __enter__(self) -> Proxy:
        for gateway in self._gateways:
            threading.Thread(target=self._look, args=(gateway,), daemon=True).start()
        threading.Thread(target=self._take, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._listening.close()

    def _look(self, gateway: tuple[str, int]) -> None:
        while not self._stop.wait(0.2):
            try:
                connection = http.client.HTTPConnection(*gateway, timeout=2)
                connection.request("GET", "/health/ready")
                well = connection.getresponse().status == 200
                connection.close()
            except (OSError, http.client.HTTPException):
                well = False
            (self.ready.add if well else self.ready.discard)(gateway)

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            turn = next(self._turn)
            known = sorted(self.ready)
            for place in range(len(known)):
                gateway = known[(turn + place) % len(known)]
                try:
                    there = socket.create_connection(gateway, timeout=30)
                except OSError:
                    self.ready.discard(gateway)
                    continue
                with there:
                    back = threading.Thread(target=_copy, args=(client, there), daemon=True)
                    back.start()
                    _copy(there, client)
                    for each in (client, there):  # closing alone tells nobody while the other thread reads
                        with contextlib.suppress(OSError):
                            each.shutdown(socket.SHUT_RDWR)
                    back.join()  # it would read from the next connection that gets the same number
                return


def _copy(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := one.recv(65536):
            other.sendall(part)


class Load:
    """Clients that read and write through the proxy."""

    def __init__(self, address: tuple[str, int], token: str) -> None:
        self._address, self._token = address, token
        self.stop = threading.Event()
        self.counted: Counter[str] = Counter()
        self.failed: list[str] = []
        self.slowest = 0.0
        self._known: list[str] = []

    def work(self) -> None:
        while not self.stop.is_set():
            write = not self._known or random.random() < 0.3
            path = API if write else f"{API}/{random.choice(self._known)}"
            began = time.monotonic()
            try:
                status, body = self._ask("POST" if write else "GET", path, KLANTCONTACT if write else None)
            except (OSError, http.client.HTTPException) as error:
                self.fail(f"{'write' if write else 'read'} {type(error).__name__}", began)
                continue
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.counted[f"{'write' if write else 'read'} {status}"] += 1
            if status not in (200, 201):
                self.fail(f"{'write' if write else 'read'} {status}", began)
            elif write:
                self._known.append(body["uuid"])
            time.sleep(0.01)

    def fail(self, what: str, began: float) -> None:
        """Note a request that failed, and when: the times of the restarts are printed."""
        ended = time.monotonic()
        self.failed.append(f"{what} at {ended:.2f} after {ended - began:.2f} s")

    def _ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(*self._address, timeout=30)
        try:
            headers = {
                "Authorization": f"Token {self._token}",
                "Content-Type": "application/json",
                "Connection": "close",
            }
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@contextlib.contextmanager
def gateways(folder: Path, database: OwnPostgres) -> Iterator[list[tuple[Path, tuple[str, int]]]]:
    """The configurations of two gateways and where each is, not started yet."""
    made = []
    for address in ADDRESSES:
        where = folder / address
        where.mkdir()
        port = a_port()
        (where / "config.toml").write_text(
            f'[gateway]\nregister = true\nbind = "{address}:{port}"\nleave_seconds = 2\n'
            f'[store]\nbusy_seconds = 20\nurl = "{database.url()}"\nuuid_secret = "{UUID_SECRET}"\n',
            encoding="utf-8",
        )
        made.append((where / "config.toml", (address, port)))
    yield made


def test_a_rolling_restart_fails_no_request(tmp_path: Path) -> None:
    with OwnPostgres() as database, gateways(tmp_path, database) as made, contextlib.ExitStack() as running:
        store = open_store(read_config(made[0][0]))
        token = create_token(store, "load", "write")
        store.close()
        proxy = running.enter_context(Proxy([address for _, address in made]))

        def start(config: Path) -> Any:
            return running.enter_context(
                klantbrug(tmp_path, "--config", config, "serve", "--no-jobs", stdout=sys.stderr)
            )

        processes = [start(config) for config, _ in made]
        until(lambda: len(proxy.ready) == len(made), 60)
        load = Load(proxy.address, token)
        clients = [threading.Thread(target=load.work) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        began, restarts = time.monotonic(), 0
        try:
            while time.monotonic() - began < SECONDS:
                for number, (config, address) in enumerate(made):
                    print(f"{address[0]} is to stop at {time.monotonic():.2f}")
                    processes[number].terminate()
                    processes[number].wait(40)
                    print(f"{address[0]} stopped at {time.monotonic():.2f}")
                    until(lambda address=address: address not in proxy.ready, 5)
                    processes[number] = start(config)
                    until(lambda address=address: address in proxy.ready, 60)
                    restarts += 1
                    time.sleep(1)
        finally:
            load.stop.set()
            for client in clients:
                client.join()
        print(f"{restarts} restarts, {dict(load.counted)}, slowest {load.slowest:.2f} s")
        assert load.failed == []
        assert restarts >= 4
        assert load.counted["write 201"] > 100
        assert load.counted["read 200"] > 200
