"""How fast a source comes in, end to end: `python -m bench.ingest [--rollen 35000]`.

Parsed objects of the slice and of copies of it (other uuids, other people) go through `Ingest.take`, in the order
and the batches of a backfill, into a store file: all zaken, then all rollen, then all klantcontacten. The rate of the
last part of the rollen beside that of the first one says whether a large store is slower. Processor time, so that what
else the machine does matters less; making the copies is not in it.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import places
from bench.legacy import Copies, slice_lines
from gateway.cli.terminal.options import spare_collections
from gateway.ingest.incoming import Incoming
from gateway.ingest.ingest import Ingest
from mappings.model.settings import Settings

KINDS = ("zaak", "rol", "klantcontact")
PAGE = 500
PART = 100_000
BUDGET, SLOWER, MEMORY = 3000, 1.5, 200  # rollen per second; last part beside the first; MB at a million
SETTINGS = Settings(max_vertrouwelijkheidaanduiding="zeer_geheim")
SECRET = "a secret of the measurement, longer than thirty-two"  # noqa: S105  (invented)


@dataclass(slots=True)
class Filled:
    """What was taken: `parts` has for each part of the rollen how many, and the processor seconds that they took;
    `seconds` those of all objects of a kind."""

    parts: list[tuple[int, float]] = field(default_factory=list)
    seconds: Counter[str] = field(default_factory=Counter)

    @property
    def rollen(self) -> int:
        """How many rollen were taken."""
        return sum(rollen for rollen, _ in self.parts)

    @property
    def rates(self) -> list[float]:
        """Rollen per second of processor time, for each part."""
        return [rollen / seconds for rollen, seconds in self.parts]

    @property
    def average(self) -> float:
        """Rollen per second of processor time, over all parts."""
        return self.rollen / self.seconds["rol"]

    @property
    def together(self) -> float:
        """The same with the time for the zaken and klantcontacten around them."""
        return self.rollen / self.seconds.total()


def fill(path: Path, rollen: int, tell: Callable[[str], None] = print, url: str = "") -> Filled:
    """Take so many rollen (rounded up to whole copies of the slice), with what is around them, into a store: a file, or
    with the url of a database one there."""
    store = places.opened(path, url)
    store.for_bulk()  # as a backfill does
    ingest, filled = Ingest(store, SETTINGS, SECRET), Filled()
    in_copy = len(slice_lines()["rol"])
    number = -(-rollen // in_copy)
    copies, part = Copies(number), min(PART, max(rollen // 4, 1))
    for kind in KINDS:
        taken, spent, walls = 0, 0.0, 0.0
        for copy in range(number):
            pages = copies.pages(kind, copy, PAGE)
            coming, to_be = next(pages, None), list[Incoming]()
            while coming is not None:
                # As in a backfill, the next page is there before this one is taken.
                page, ready, coming, to_be = coming, to_be, next(pages, None), []
                ahead = ingest.ahead("bron", kind, coming or (), to_be)
                wall, cpu = time.perf_counter(), time.process_time()
                ingest.take("bron", kind, page, asked=0, ready=ready, meanwhile=ahead)
                seconds = time.process_time() - cpu
                taken, spent, walls = taken + len(page), spent + seconds, walls + time.perf_counter() - wall
                filled.seconds[kind] += seconds
            copies.forget()
            last = copy == number - 1
            if taken and (last or (kind == "rol" and taken >= part)):
                tell(
                    f"{taken:9} {kind:12}: {taken / spent:7.0f} per second of processor time,"
                    f" {taken / walls:7.0f} by the clock, peak memory {peak_megabytes():.0f} MB"
                )
                if kind == "rol":
                    filled.parts.append((taken, spent))
                taken, spent, walls = 0, 0.0, 0.0
    store.close()
    return filled


def peak_megabytes() -> float:
    """The most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def sizes(path: Path, rollen: int) -> list[str]:
    """What the store takes for each rol, and the tables and indexes that take most of it, as lines."""
    connection = sqlite3.connect(path)
    try:
        total = connection.execute("SELECT sum(pgsize) FROM dbstat WHERE aggregate = 1").fetchone()[0]
        parts = connection.execute(
            "SELECT name, pgsize FROM dbstat WHERE aggregate = 1 ORDER BY pgsize DESC LIMIT 14"
        ).fetchall()
    finally:
        connection.close()
    lines = [
        f"{total / rollen:.0f} bytes in the store for each rol, with the zaken and klantcontacten around it:"
    ]
    return lines + [f"  {size / rollen:6.0f}  {name}" for name, size in parts]


def main() -> int:
    """Measure and print; 1 when it is slower than it must be."""
    parser = argparse.ArgumentParser(prog="python -m bench.ingest", description=__doc__.splitlines()[0])
    parser.add_argument("--rollen", type=int, default=35_000)
    parser.add_argument("--url", default="", help="a database of PostgreSQL, that is measured after the file")
    given = parser.parse_args()
    spare_collections()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "ingest.sqlite"
        filled = fill(path, given.rollen)
        print()
        for line in sizes(path, filled.rollen):
            print(line)
        if given.url:
            print("\nThe same on PostgreSQL; the clock has the work of the database in it:")
            places.remove(path, given.url)
            fill(path, given.rollen, url=given.url)
            places.remove(path, given.url)
    slower, peak = filled.rates[0] / filled.rates[-1], peak_megabytes()
    print(f"\n{filled.rollen} rollen: {filled.average:.0f} per second of processor time (budget {BUDGET}),")
    print(f"{filled.together:.0f} with the zaken and klantcontacten around them in the same time")
    print(f"a rol of the last part takes {slower:.2f} times one of the first (budget {SLOWER})")
    print(f"peak memory {peak:.0f} MB (budget {MEMORY})")
    return 0 if filled.average >= BUDGET and slower <= SLOWER and peak < MEMORY else 1


if __name__ == "__main__":
    raise SystemExit(main())
