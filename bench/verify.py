"""How fast a whole verify is: `python -m bench.verify [--rollen 50000] [--keep FOLDER]`.

A store is backfilled from a bare source (bench/pages.py, on another core) by a process of its own, so that the memory
is that of verifying alone; then `verify --full` goes over it. Rollen a second of processor time, on one core.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from pathlib import Path

from bench.backfill import installed, run, source
from bench.ingest import peak_megabytes
from gateway.cli.terminal.options import spare_collections
from jobs.common.progress import Step
from jobs.verify.verify import Verify

BUDGET = 3000


def measure(folder: Path, url: str, rollen: int) -> bool:
    """Verify a filled store and print; out: was it fast enough, and clean?"""
    installation = installed(folder, url)
    marks: dict[str, tuple[int, float, float]] = {}
    began = last = time.process_time()

    def show(step: Step) -> None:
        nonlocal last
        moment = time.process_time()
        _, spent, _ = marks.get(step.what, (0, 0.0, 0.0))
        marks[step.what] = (step.done, spent + moment - last, peak_megabytes())
        last = moment

    wall = time.perf_counter()
    report = Verify(installation.fetchers["bron"], show=show).run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - began
    for what, (done, spent, peak) in marks.items():
        print(f"{what:22} {done:8}: {spent:6.1f} s of processor time, peak memory {peak:.0f} MB")
    print(f"{report['kinds']['rol']['compared']} rollen compared, clean: {report['clean']}")
    share = rollen / cpu / BUDGET
    print(f"{rollen / cpu:.0f} rollen per second of processor time: {share:.2f} of the budget of {BUDGET}")
    print(f"{wall:.1f} s in all, {cpu:.1f} s of processor time; peak memory {peak_megabytes():.0f} MB")
    installation.store.close()
    return bool(report["clean"]) and rollen / cpu >= BUDGET


def main() -> int:
    """Measure and print; 1 when it is slower than it must be."""
    parser = argparse.ArgumentParser(prog="python -m bench.verify", description=__doc__.splitlines()[0])
    parser.add_argument("--rollen", type=int, default=50_000)
    parser.add_argument("--keep", type=Path, help="Where pages and store are kept for a next time.")
    given = parser.parse_args()
    spare_collections()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = (given.keep or Path(name)) / str(given.rollen)
        folder.mkdir(parents=True, exist_ok=True)
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
        with source(folder / "pages", given.rollen, 0) as url:
            if not (folder / "filled" / "store.sqlite").exists():
                filling = multiprocessing.get_context("spawn").Process(
                    target=run, args=(folder / "filled", url)
                )
                filling.start()
                filling.join()
            return 0 if measure(folder / "filled", url, given.rollen) else 1


if __name__ == "__main__":
    raise SystemExit(main())
