"""How long a client's write waits during a backfill at full speed: `python -m bench.writes [--rollen 20000]
[--url URL]`.

A gateway, a backfill and an infinitely fast source, each a process of its own as in an installation; clients write
klantcontacten, 100 a second together.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

from bench import places
from bench.backfill import STORE, installed, source
from bench.load import BenchError, Measured
from bench.running import HOST, PRODUCTION, running
from gateway.http.auth import create_token

RATE, CLIENTS = 100.0, 8
BUDGET = 250
PATH = "/klantinteracties/api/v1/klantcontacten"
BODY = json.dumps(
    {
        "kanaal": "telefoon",
        "onderwerp": "Een vraag",
        "inhoud": "",
        "taal": "nld",
        "vertrouwelijk": False,
        "indicatieContactGelukt": True,
        "plaatsgevondenOp": "2026-11-01T12:00:00Z",
    }
)


def write(
    address: tuple[str, int], token: str, each: float, part: float, beside: subprocess.Popen[bytes]
) -> Measured:
    """Write every so many seconds, the first after `part` of that, while the process `beside` runs.

    Latencies count from when it was time to write, so one that waits counts for those behind it. Raises BenchError for
    a write that is refused.
    """
    connection = HTTPConnection(*address, timeout=60)
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    latencies: list[float] = []
    began = time.perf_counter()
    due = began + part * each
    while beside.poll() is None:
        time.sleep(max(0.0, due - time.perf_counter()))
        connection.request("POST", PATH, BODY, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 201:
            raise BenchError(f"a write with status {answer.status}")
        latencies.append(time.perf_counter() - due)
        due += each
    connection.close()
    return Measured(len(latencies) / (time.perf_counter() - began), 0, latencies)


def write_together(
    address: tuple[str, int], token: str, rate: float, beside: subprocess.Popen[bytes]
) -> Measured:
    """So many writes a second, by CLIENTS clients in turn."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        each = CLIENTS / rate
        running = [
            pool.submit(write, address, token, each, number / CLIENTS, beside) for number in range(CLIENTS)
        ]
        found = [one.result() for one in running]
    return Measured(sum(one.rate for one in found), 0, [each for one in found for each in one.latencies])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.writes", description=__doc__.splitlines()[0])
    parser.add_argument("--rollen", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=RATE, help="client writes a second")
    parser.add_argument("--pages", type=Path, help="Where rendered pages are kept for a next time.")
    parser.add_argument("--url", default="", help="a database of PostgreSQL, instead of a file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        pages = given.pages or folder / "pages"
        url = stack.enter_context(source(pages / str(given.rollen), given.rollen, 0))
        for clients in (False, True):
            own = folder / f"clients-{clients}"
            places.remove(own / STORE, given.url)
            stack.callback(places.remove, own / STORE, given.url)
            installation = installed(own, url, given.url)
            token = create_token(installation.store, "bench", "write")
            installation.store.close()
            with running(own, own / STORE, PRODUCTION, 1, 4, url=given.url) as gateway:
                command = [sys.executable, "-m", "gateway", "--config", str(own / "config.toml"), "backfill"]
                began = time.perf_counter()
                backfill = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                if clients:
                    address = HOST, gateway.address[1]
                    found = write_together(address, token, given.rate, backfill)
                if backfill.wait() != 0:
                    raise BenchError("the backfill failed")
                took = time.perf_counter() - began
            print(
                f"a backfill of {given.rollen} rollen {'with' if clients else 'without'} clients: {took:.1f} s,"
                f" {given.rollen / took:.0f} rollen/s with all that is around them"
            )
    print(
        f"{len(found.latencies)} writes, {found.rate:.0f}/s of the {given.rate:g} that were to be:"
        f" p50 {found.percentile(0.5):.0f} ms, p95 {found.percentile(0.95):.0f} ms,"
        f" p99 {found.percentile(0.99):.0f} ms (budget {BUDGET}), longest {max(found.latencies) * 1000:.0f} ms;"
        f" {os.cpu_count()} cores"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
