"""What watchers of the status cost readers: `python -m bench.viewers [--rollen 200000] [--store FILE]`.

A store of so many rollen is filled as a backfill does (or one that is there is taken), and served by two workers. One
client reads partijen at a steady pace, on connections of its own each time so that every worker gets some; first alone,
then beside viewers who each ask for it four times a second, sixty times as often as a browser does.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import tempfile
import threading
import time
from pathlib import Path

from bench.ingest import fill
from bench.load import BenchError, Measured
from bench.running import PRODUCTION, running
from gateway.http.auth import create_token
from gateway.store.file.database import FileStore

API = "/klantinteracties/api/v1"
VIEWERS, EVERY = 4, 0.25
READS_AT_ONCE, PAUSE = 5, 0.01
LONGEST = 60.0


def get(
    address: tuple[str, int], paths: list[str], token: str, pause: float = 0.0
) -> tuple[list[float], bytes]:
    """Ask for these paths on one connection. Out: seconds for each, and the last answer. Raises BenchError."""
    connection = http.client.HTTPConnection(*address, timeout=LONGEST)
    took, body = [], b""
    try:
        for path in paths:
            began = time.perf_counter()
            connection.request("GET", path, headers={"Authorization": f"Token {token}"})
            answer = connection.getresponse()
            body = answer.read()
            took.append(time.perf_counter() - began)
            if answer.status != 200:
                raise BenchError(f"an answer has status {answer.status}")
            time.sleep(pause)
    finally:
        connection.close()
    return took, body


def reads(address: tuple[str, int], paths: list[str], token: str, seconds: float) -> Measured:
    """Read one after another for so many seconds."""
    took: list[float] = []
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        chosen = [paths[(len(took) + number) % len(paths)] for number in range(READS_AT_ONCE)]
        took += get(address, chosen, token, PAUSE)[0]
    return Measured(len(took) / (time.monotonic() - began), 0, took)


def beside_viewers(
    address: tuple[str, int], paths: list[str], token: str, seconds: float
) -> tuple[Measured, Measured]:
    """The same beside viewers. Out: what the reader measured, and what the viewers did."""
    stop, pages = threading.Event(), list[float]()

    def view() -> None:
        while not stop.wait(EVERY):
            pages.extend(get(address, ["/beheer/api/v1/status"], token)[0])

    viewers = [threading.Thread(target=view) for _ in range(VIEWERS)]
    for viewer in viewers:
        viewer.start()
    try:
        found = reads(address, paths, token, seconds)
    finally:
        stop.set()
        for viewer in viewers:
            viewer.join()
    return found, Measured(len(pages) / seconds, 0, pages)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.viewers", description=__doc__.splitlines()[0])
    parser.add_argument("--rollen", type=int, default=200_000)
    parser.add_argument("--store", type=Path, help="one that is there; it gets a token more")
    parser.add_argument("--seconds", type=float, default=15)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = given.store or Path(folder) / "viewers.sqlite"
        if not given.store:
            fill(path, given.rollen)
        store = FileStore(path)
        token = create_token(store, f"bench {secrets.token_hex(8)}", "read monitor")
        store.close()
        with running(Path(folder), path, PRODUCTION, 2, 1) as server:
            listed = json.loads(get(server.address, [f"{API}/partijen?pageSize=100"], token)[1])
            paths = [f"{API}/partijen/{shown['uuid']}" for shown in listed["results"]]
            reads(server.address, paths, token, 2)
            alone = reads(server.address, paths, token, given.seconds)
            beside, pages = beside_viewers(server.address, paths, token, given.seconds)
    print(f"load of the machine {os.getloadavg()[0]:.1f}")
    for name, measured in (("alone", alone), (f"beside {VIEWERS} viewers", beside), ("the page", pages)):
        middle, most = measured.percentile(0.5), measured.percentile(0.99)
        print(f"{name:18} {len(measured.latencies):6} answers, p50 {middle:7.1f} ms, p99 {most:7.1f} ms")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
