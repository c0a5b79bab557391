"""How fast a backfill is: `python -m bench.backfill [--rollen 50000] [--throttled 7000]`.

Against a source that is infinitely fast (pages rendered before, served by a bare server on another core): rollen a
second of processor time, on one core. Against a source of 700 objects a second on two connections: how long a
backfill takes beside a bare `requests` loop that drains the same lists as often, with as many connections.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from bench import places
from bench.pages import COLLECTIONS, CONNECTIONS
from gateway.config.load import load_config
from gateway.installation import Installation, open_installation
from jobs.backfill.backfill import Backfill, Progress

STORE = "store.sqlite"
RATE = 700
BUDGET, SHARE = 3000, 0.95
CONFIG = """
[store]
{store}
uuid_secret = "no secret at all: nothing in this register is anybody's"
[mapping]
max_vertrouwelijkheidaanduiding = "zeer_geheim"
[[source]]
name = "bron"
zaken_url = "{url}"
client_id = "bench"
secret = "a secret of the measurement, longer than thirty-two"
max_connections = {connections}
"""


@contextlib.contextmanager
def source(folder: Path, rollen: int, rate: float) -> Iterator[str]:
    """The bare source in a process of its own, on another core than ours; gives its address."""
    command = [sys.executable, "-m", "bench.pages", str(folder), "--rollen", str(rollen), "--rate", str(rate)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        cores = sorted(os.sched_getaffinity(process.pid))
        os.sched_setaffinity(process.pid, cores[-1:])
        line = process.stdout.readline() if process.stdout else ""
        yield f"http://127.0.0.1:{int(line)}/zaken/api/v1/"
    finally:
        process.terminate()
        process.wait()


def installed(folder: Path, url: str, database: str = "") -> Installation:
    """An installation on the source at this address, with what it has in a folder of its own; its store in a schema of
    the database at `database` where there is one."""
    # What is learned of the pace of one source must not hold for another: each has its own.
    folder.mkdir(exist_ok=True)
    config = folder / "config.toml"
    store = places.keys(folder / STORE, database)
    config.write_text(CONFIG.format(store=store, url=url, connections=CONNECTIONS))
    return open_installation(load_config(config, {}))


def run(folder: Path, url: str) -> dict[tuple[str, int], tuple[int, float, float]]:
    """A backfill into an empty store. Out: objects, seconds and processor seconds, by kind and look."""
    installation = installed(folder, url)
    marks: dict[tuple[str, int], tuple[int, float, float]] = {}
    began = [time.perf_counter(), time.process_time()]
    last: list[tuple[str, int]] = []

    def show(progress: Progress) -> None:
        key = (progress.kind, progress.look)
        if last != [key]:
            began[:] = [time.perf_counter(), time.process_time()] if not last else ended
            last[:] = [key]
        ended[:] = [time.perf_counter(), time.process_time()]
        marks[key] = (progress.done, ended[0] - began[0], ended[1] - began[1])

    ended = list(began)
    Backfill(installation.fetchers["bron"], show).run()
    installation.store.close()
    return marks


def drain(url: str, times: int) -> float:
    """Seconds for a bare loop to read all lists so many times, page after page on as many connections."""
    began = time.perf_counter()
    for collection in [*COLLECTIONS.values()] * times:
        numbers, ended = itertools.count(1), threading.Event()

        def read(collection: str = collection, numbers: Iterator[int] = numbers) -> None:
            with requests.Session() as session:
                while not ended.is_set():  # noqa: B023  the threads end with the round
                    parameters = {"pageSize": "500", "page": str(next(numbers))}
                    if session.get(url + collection, params=parameters, timeout=60).status_code != 200:
                        ended.set()  # noqa: B023

        threads = [threading.Thread(target=read) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return time.perf_counter() - began


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.backfill", description=__doc__.splitlines()[0])
    parser.add_argument("--rollen", type=int, default=50_000)
    parser.add_argument("--throttled", type=int, default=7_000)
    parser.add_argument("--pages", type=Path, help="Where rendered pages are kept for a next time.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        pages = given.pages or folder / "pages"
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
        with source(pages / str(given.rollen), given.rollen, 0) as url:
            marks = run(folder / "fast", url)
            for (kind, look), (objects, seconds, cpu) in marks.items():
                if kind and objects:
                    print(
                        f"{kind:13} look {look}: {objects:8} objects, {objects / seconds:7.0f}/s,"
                        f" {objects / max(cpu, 0.001):7.0f} per second of processor time"
                    )
        rollen, _, cpu = marks["rol", 1]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        size = (folder / "fast" / STORE).stat().st_size
        print(f"rollen, first look: {rollen / cpu / BUDGET:.2f} of the budget of {BUDGET} on one core")
        print(f"peak memory {peak:.0f} MB; {size / rollen:.0f} bytes in the store for each rol, all included")
        with source(pages / str(given.throttled), given.throttled, RATE) as url:
            alone = drain(url, 2)
            began = time.perf_counter()
            run(folder / "throttled", url)
            ours = time.perf_counter() - began
        print(
            f"source of {RATE}/s: a bare loop twice over everything {alone:.1f} s, the backfill {ours:.1f} s:"
            f" {alone / ours:.3f} of its speed (budget {SHARE})"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
