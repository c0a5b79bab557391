"""How fast everything leaves (E12): `python -m bench.export [--partijen 2000] [--documents 100000]`.

The export sends to Klantbrug itself as an empty register, in a process of its own. Beside it stands a bare loop that
posts the same bodies over as many connections to another empty register, and does nothing else. The fixture is written
from a store with so many documents.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from uuid import uuid4

import orjson

from bench.running import FOR_UUIDS, PRODUCTION, running
from gateway.config.target import Target
from gateway.http.auth import create_token
from gateway.klantinteracties.model.resources import BASE_PATH
from gateway.operator.export import fixture
from gateway.store.documents.writing import put_documents
from gateway.store.export import documents
from gateway.store.export.documents import BEFORE_ALL
from gateway.store.file.database import FileStore
from gateway.target.client import Register
from jobs.export.parcels import parcel_of
from jobs.export.run import ExportRun
from mappings.klantinteracties import defaults, empty_group
from mappings.model.documents import Document

CONNECTIONS = 4
TOGETHER = 500
FASTER_THAN, FIXTURE_BUDGET, MOST_MB = 0.9, 5000, 200


def partijen(count: int) -> Iterator[Document]:
    """So many partijen."""
    group = empty_group("partij", "partijIdentificatie", "persoon")
    for number in range(count):
        uuid = uuid4()
        naam = dict.fromkeys(("voorletters", "voornaam", "voorvoegselAchternaam"), "") | {
            "achternaam": f"Proef {number}"
        }
        name = {**group, "contactnaam": naam, "volledigeNaam": f"Proef {number}"}
        body = {
            **defaults("partij"),
            "soortPartij": "persoon",
            "indicatieActief": True,
            "partijIdentificatie": name,
        }
        yield Document("partij", uuid, body, number, number)


def fill(store: FileStore, count: int) -> None:
    """Give a store so many partijen."""
    some: list[Document] = []
    for document in partijen(count):
        some.append(document)
        if len(some) == TOGETHER:
            _put(store, some)
            some = []
    _put(store, some)


def _put(store: FileStore, some: list[Document]) -> None:
    with store.write(synced=False) as connection:
        put_documents(connection, [(document, None) for document in some])


def bodies(store: FileStore) -> list[bytes]:
    """What the export sends of them."""
    with store.read() as connection:
        found = documents.every(connection, "partij", BEFORE_ALL, 10**6)
    return [orjson.dumps(parcel_of(one).sent) for one in found]


def bare(target: Target, wanted: list[bytes]) -> float:
    """Post these over so many connections; out: how many a second."""
    queue: SimpleQueue[bytes] = SimpleQueue()
    for body in wanted:
        queue.put(body)
    register = Register(target)

    def work() -> None:
        while True:
            try:
                register.post("partijen", queue.get_nowait())
            except Empty:
                return

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(wanted) / (time.perf_counter() - began)


def exported(store: FileStore, target: Target, count: int) -> float:
    """Send all with the export; out: how many a second, of the stage that sends them."""
    moments: dict[str, list[float]] = {}
    run = ExportRun(store, target, lambda step: moments.setdefault(step.what, []).append(time.perf_counter()))
    outcome = run.run()
    assert not outcome.stopped, outcome.stopped
    assert outcome.counts["sent"] == count
    return count / (moments["partijen"][-1] - moments["partijen"][0])


def memory(folder: Path, count: int) -> float:
    """The most that `klantbrug export run` takes with so many partijen, in megabytes; in a process of its own."""
    folder.mkdir()
    path = folder / "old.db"
    fill(FileStore(path), count)
    with running(folder, folder / "register.db", (*PRODUCTION, "--no-jobs"), 1, CONNECTIONS) as server:
        inside = FileStore(folder / "register.db")
        token = create_token(inside, "bench", "read write")
        inside.close()
        config = folder / "config.toml"
        config.write_text(
            f'[gateway]\nregister = true\n[store]\npath = "{path}"\nuuid_secret = "{FOR_UUIDS}"\n'
            f'[target]\nurl = "http://{server.host}{BASE_PATH}"\ntoken = "{token}"\n'
        )
        line = [sys.executable, "-m", "gateway", "--config", str(config), "export", "run"]
        process = subprocess.Popen(line, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        most = 0
        while process.poll() is None:  # of the program that runs there, not of what it was forked from
            told = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            most = max(
                [most, *(int(line.split()[1]) for line in told.splitlines() if line.startswith("VmHWM"))]
            )
            time.sleep(0.02)
        assert process.returncode == 0
    return most / 1024


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--partijen", type=int, default=2000)
    parser.add_argument("--documents", type=int, default=100_000)
    chosen = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory(prefix="klantbrug-bench-") as name:
        folder = Path(name)
        store = FileStore(folder / "old.db")
        fill(store, chosen.partijen)
        rates = {}
        for what in ("bare", "export", "bare again", "export again"):
            into = folder / what.replace(" ", "-")
            into.mkdir()
            with running(into, into / "register.db", (*PRODUCTION, "--no-jobs"), 1, CONNECTIONS) as server:
                inside = FileStore(into / "register.db")
                token = create_token(inside, "bench", "read write")
                inside.close()
                url = f"http://{server.host}{BASE_PATH}"
                target = Target(url=url, token=token, max_connections=CONNECTIONS)
                if what.startswith("bare"):
                    rates[what] = bare(target, bodies(store))
                else:
                    copy = folder / f"{into.name}.db"
                    store.copy_to(copy)
                    rates[what] = exported(FileStore(copy), target, chosen.partijen)
            print(f"{what}: {rates[what]:.0f} partijen/s")
        part = max(rates["export"], rates["export again"]) / max(rates["bare"], rates["bare again"])
        print(f"the export reaches {part:.2f} of the bare loop (budget {FASTER_THAN})")
        good &= part >= FASTER_THAN
        large = FileStore(folder / "large.db")
        fill(large, chosen.documents)
        began = time.perf_counter()
        fixture.write(large, folder / "fixture", 1, lambda what, done, total: None)
        rate = chosen.documents / (time.perf_counter() - began)
        print(f"fixture: {rate:.0f} documents/s (budget {FIXTURE_BUDGET})")
        good &= rate >= FIXTURE_BUDGET
        few, many = (
            memory(folder / f"memory-{count}", count) for count in (chosen.partijen // 4, chosen.partijen)
        )
        print(f"memory: {many:.0f} MB, {few:.0f} with a quarter of them (budget {MOST_MB})")
        good &= many < MOST_MB
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
