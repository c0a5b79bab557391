"""How fast a rebuild goes: `python -m bench.rebuild [--rollen 35000] [--store FILE]`.

Over a store that bench.ingest filled: without a change, then with addresses switched off, then on again. Processor
time. The store is filled by a process of its own, so that the memory is that of rebuilding alone.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bench.ingest import SECRET, SETTINGS, fill, peak_megabytes
from gateway.cli.terminal.options import spare_collections
from gateway.ingest.ingest import Ingest
from gateway.store.file.database import FileStore
from jobs.common.progress import Step
from jobs.rebuild.rebuild import Rebuild, RebuildOutcome

PART = 100_000  # objects
BUDGET, MEMORY = 3000, 150  # rollen per second; MB at 500,000
ROUNDS = {"nothing changed": {}, "addresses off": {"adressen": "geen"}, "addresses on": {}}


def rebuild(store: FileStore, rollen: int, **change: str) -> tuple[float, RebuildOutcome]:
    """Rebuild with these choices. Out: rollen per second of processor time, and the outcome."""
    began = time.process_time()
    last = (began, 0)

    def show(step: Step) -> None:
        nonlocal last
        if step.done - last[1] >= PART:
            moment = time.process_time()
            rate = (step.done - last[1]) / (moment - last[0])
            print(
                f"{step.done:9} objects: {rate:7.0f} objects per second, peak memory {peak_megabytes():.0f} MB"
            )
            last = (moment, step.done)

    outcome = Rebuild(store, Ingest(store, replace(SETTINGS, **change), SECRET), show=show).run()
    return rollen / (time.process_time() - began), outcome


def measure(path: Path) -> bool:
    """Rebuild a filled store each way, and print; out: was each fast enough?"""
    store = FileStore(path)
    with store.read() as connection:
        (rollen,) = connection.execute("SELECT count(*) FROM raw WHERE kind = 2").fetchone()
    good = True
    for name, change in ROUNDS.items():
        rate, outcome = rebuild(store, rollen, **change)
        parties = {what: count for what, count in outcome.documents["partij"].items() if count}
        print(f"{name}: {rate:.0f} rollen per second (budget {BUDGET}); partijen {parties}")
        good = good and rate >= BUDGET
    store.close()
    print(f"{rollen} rollen; peak memory {peak_megabytes():.0f} MB (budget {MEMORY})")
    return good and peak_megabytes() < MEMORY


def main() -> int:
    """Measure and print; 1 when it is slower than it must be."""
    parser = argparse.ArgumentParser(prog="python -m bench.rebuild", description=__doc__.splitlines()[0])
    parser.add_argument("--rollen", type=int, default=35_000)
    parser.add_argument("--store", type=Path, help="a store that was filled before, or where to keep it")
    given = parser.parse_args()
    spare_collections()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = given.store or Path(folder) / "rebuild.sqlite"
        if not path.exists():
            filling = multiprocessing.get_context("spawn").Process(target=fill, args=(path, given.rollen))
            filling.start()
            filling.join()
        return 0 if measure(path) else 1


if __name__ == "__main__":
    raise SystemExit(main())
