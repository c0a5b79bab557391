"""How long a client's write waits during a backfill at full speed: `python -m bench.writes [--rollen 20000]`.

A gateway, a backfill and an infinitely fast source, each a process of its own as in an installation; one client
writes a klantcontact, waits for the answer, waits a moment, and writes the next.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

from bench.backfill import installed, source
from bench.load import BenchError, Measured
from bench.running import HOST, PRODUCTION, running
from gateway.http.auth import create_token

PAUSE = 0.05
BUDGET = 100
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


def write(address: tuple[str, int], token: str, go_on: subprocess.Popen[bytes]) -> Measured:
    """Write until the backfill is done. Raises BenchError for a write that is refused."""
    connection = HTTPConnection(*address, timeout=60)
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    latencies: list[float] = []
    began = time.perf_counter()
    while go_on.poll() is None:
        asked = time.perf_counter()
        connection.request("POST", PATH, BODY, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 201:
            raise BenchError(f"a write with status {answer.status}")
        latencies.append(time.perf_counter() - asked)
        time.sleep(PAUSE)
    connection.close()
    return Measured(len(latencies) / (time.perf_counter() - began), 0, latencies)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.writes", description=__doc__.splitlines()[0])
    parser.add_argument("--rollen", type=int, default=20_000)
    parser.add_argument("--pages", type=Path, help="Where rendered pages are kept for a next time.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        pages = given.pages or folder / "pages"
        with source(pages / str(given.rollen), given.rollen, 0) as url:
            for clients in (False, True):
                own = folder / f"clients-{clients}"
                installation = installed(own, url)
                token = create_token(installation.store, "bench", "write")
                store = own / "store.sqlite"
                installation.store.close()
                with running(own, store, PRODUCTION, 1, 4) as gateway:
                    command = [
                        sys.executable,
                        "-m",
                        "gateway",
                        "--config",
                        str(own / "config.toml"),
                        "backfill",
                    ]
                    began = time.perf_counter()
                    backfill = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    if clients:
                        found = write((HOST, gateway.address[1]), token, backfill)
                    if backfill.wait() != 0:
                        raise BenchError("the backfill failed")
                    took = time.perf_counter() - began
                print(
                    f"a backfill of {given.rollen} rollen {'with' if clients else 'without'} a client: {took:.1f} s"
                )
        print(
            f"{len(found.latencies)} writes: p50 {found.percentile(0.5):.0f} ms, p95 {found.percentile(0.95):.0f} ms,"
            f" p99 {found.percentile(0.99):.0f} ms (budget {BUDGET}), longest {max(found.latencies) * 1000:.0f} ms;"
            f" {os.cpu_count()} cores"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
