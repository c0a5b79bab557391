"""How fast a source comes in, end to end: `python -m bench.ingest [--copies 10]`.

Parsed objects of the slice and of copies of it (other uuids, other people) go through `Ingest.take`, in the order
and the batches of a backfill, into a store file. The rate of the last copies beside that of the first ones says
whether a large store is slower.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from pathlib import Path

from bench.legacy import Copies
from gateway.ingest import Ingest
from gateway.store.database import Store
from mappings.settings import Settings

KINDS = ("zaak", "rol", "klantcontact")
PAGE = 100
SETTINGS = Settings(max_vertrouwelijkheidaanduiding="zeer_geheim")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.ingest", description=__doc__.splitlines()[0])
    parser.add_argument("--copies", type=int, default=10)
    given = parser.parse_args()
    copies = Copies()
    rates, cpu_rates, total = [], [], 0
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        store = Store(Path(folder) / "ingest.sqlite")
        ingest = Ingest(store, SETTINGS, "a secret of the measurement, longer than thirty-two")
        for copy in range(given.copies):
            objects = {kind: copies.objects(kind, copy) for kind in KINDS}
            copies.forget()
            wall, cpu = time.perf_counter(), time.process_time()
            for kind, found in objects.items():
                for start in range(0, len(found), PAGE):
                    ingest.take("bron", kind, found[start : start + PAGE])
            rollen = len(objects["rol"])
            total += rollen
            rates.append(rollen / (time.perf_counter() - wall))
            cpu_rates.append(rollen / (time.process_time() - cpu))
            print(
                f"copy {copy + 1:4}: {rates[-1]:8.0f} rollen/s, {cpu_rates[-1]:8.0f} per second of processor time"
            )
        store.close()
    part = max(1, given.copies // 4)
    first, last = statistics.median(cpu_rates[:part]), statistics.median(cpu_rates[-part:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"\n{total} rollen, with the zaken and klantcontacten around them: {statistics.median(rates):.0f} rollen/s"
    )
    print(f"last quarter beside the first, processor time: {last / first:.2f}; peak memory {peak:.0f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
