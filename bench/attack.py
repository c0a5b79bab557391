"""Does it hold under attack: `python -m bench.attack [--scale 2] [--seconds 30] [--only NAME]`.

Attacks `klantbrug serve`, once as a register without sources and once in front of a source, and meanwhile asks
`/health/live` and, with a token of another client, a page and a partij that the store alone answers, each time on a
new connection.
Prints a table and exits 1 when one of the budgets is not held: p99 of `/health/live` at most 100 ms, p99 of the reads
at most twice what it is without an attack. The figures are in docs/reliability.md.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from multiprocessing.connection import Connection
from pathlib import Path

from bench import attackers
from bench.attackers import API, Attack, Target
from bench.register import Register, eleven_proof, fill
from bench.running import FOR_UUIDS, HOST, children_of
from gateway.http.auth import create_token
from gateway.sample.contents.dataset import default_paths, load
from gateway.sample.server import DEFAULT_APPLICATION, SampleServer
from gateway.store.file.database import FileStore

BUDGET = 100
TWICE = 2.0
# Twice 3 ms is no trouble to anybody: within this it is held.
NO_TROUBLE = 25
RATE = 20
PATIENCE = 10.0
STARTS_WITHIN = 30.0
SLOW, HANGS = 6.0, 600.0
CONFIG = """
[gateway]
bind = "{host}:{port}"
workers = 2
threads = 8
{register}
[store]
path = "{store}"
uuid_secret = "{secret}"
[live]
partial = "answer"
partial_lists = "answer"
deadline = 4
[mapping]
max_vertrouwelijkheidaanduiding = "zeer_geheim"
"""
SOURCE = """
[[source]]
name = "bron"
zaken_url = "{url}"
client_id = "{client_id}"
secret = "{secret}"
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """How answers came: milliseconds of each, and how many did not come or were no 200."""

    times: list[float]
    wrong: int

    def percentile(self, part: float) -> float:
        """The time within which this part of the answers came, in milliseconds."""
        ranked = sorted(self.times) or [PATIENCE * 1000]
        return ranked[min(len(ranked) - 1, int(part * len(ranked)))]


def _asks(address: tuple[str, int], paths: list[str], token: str, seconds: float, pipe: Connection) -> None:
    """Ask so many times a second; a time counts from when the question was due. Runs in a process of its own."""
    times, wrong, number, start = [], 0, 0, time.perf_counter()
    while (due := start + number / RATE) < start + seconds and time.perf_counter() < start + seconds:
        time.sleep(max(0.0, due - time.perf_counter()))
        connection = HTTPConnection(*address, timeout=PATIENCE)
        try:
            connection.request("GET", paths[number % len(paths)], headers={"Authorization": f"Token {token}"})
            answer = connection.getresponse()
            answer.read()
            wrong += answer.status != 200
        except (OSError, HTTPException):
            wrong += 1
        finally:
            connection.close()
        times.append((time.perf_counter() - due) * 1000)
        number += 1
    while (due := start + number / RATE) < start + seconds:  # those whose turn never came
        times.append((time.perf_counter() - due) * 1000)
        wrong, number = wrong + 1, number + 1
    pipe.send(Asked(times, wrong))


def asked(target: Target, token: str, reads: list[str], seconds: float) -> tuple[Asked, Asked]:
    """How `/health/live` and the reads are answered for so long."""
    answers = []
    for paths in (["/health/live"], reads):
        ours, theirs = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(
            target=_asks, args=(target.address, paths, token, seconds, theirs), daemon=True
        )
        process.start()
        answers.append((process, ours))
    result = [ours.recv() for _, ours in answers]
    for process, _ in answers:
        process.join()
    return result[0], result[1]


class Memory(threading.Thread):
    """Looks at what a server and its workers hold, until `stop`; `largest` in MB."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.largest, self._stop_now = pid, 0.0, threading.Event()

    def run(self) -> None:
        """Look twice a second."""
        while not self._stop_now.wait(0.5):
            self.largest = max(self.largest, sum(map(_resident, [self.pid, *children_of(self.pid)])))

    def stop(self) -> float:
        """No longer; out: the largest seen."""
        self._stop_now.set()
        self.join()
        return self.largest


def _resident(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


@contextlib.contextmanager
def served(
    folder: Path, store: Path, register: Register, source: SampleServer | None
) -> Iterator[tuple[Target, int]]:
    """A server over this store, with or without a source, and its process id."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    text = CONFIG.format(
        host=HOST, port=port, store=store, secret=FOR_UUIDS, register="" if source else "register = true"
    )
    if source:
        of = DEFAULT_APPLICATION
        text += SOURCE.format(url=source.zaken_url, client_id=of.client_id, secret=of.secret)
    folder.mkdir()
    config = folder / "config.toml"
    config.write_text(text, encoding="utf-8")
    with contextlib.closing(FileStore(store)) as opened:
        reader, writer = (
            create_token(opened, f"{scope} {time.time_ns()}", scope) for scope in ("read", "write")
        )
    command = [sys.executable, "-m", "gateway", "--config", str(config), "serve", "--no-jobs"]
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(command, start_new_session=True, stdout=log, stderr=log)
        try:
            target = Target((HOST, port), reader, writer, store, _strangers())
            until = time.monotonic() + STARTS_WITHIN
            while (one := target.connect()) is None:
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"the server did not start:\n{(folder / 'serve.log').read_text()}")
                time.sleep(0.1)
            one.close()
            target.got.clear()
            yield target, process.pid
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()


def _strangers() -> list[str]:
    """BSNs that nobody in the store has."""
    return [eleven_proof(number) for number in range(3_000_000, 3_005_000)]


def attack(
    target: Target, pid: int, token: str, reads: list[str], how: Attack | None, seconds: float
) -> tuple[Asked, Asked, float]:
    """What is seen of the server while it is attacked, from a second after the attack began."""
    memory = Memory(pid)
    memory.start()
    target.stop.clear()
    target.got.clear()
    thread = threading.Thread(target=how or (lambda target: None), args=(target,), daemon=True)
    thread.start()
    time.sleep(1)
    health, read = asked(target, token, reads, seconds)
    target.stop.set()
    thread.join(90)
    return health, read, memory.stop()


def main() -> int:
    """Attack, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.attack", description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=2)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--only", help="One attack, by its name.")
    parser.add_argument("--store", type=Path, help="Where the filled store is kept for a next time.")
    given = parser.parse_args()
    held = True
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (most, most)
    )  # the connections of an attacker, and the server's
    print("| Attack | `/health/live` p50 / p99, errors | reads p50 / p99, errors | memory | attackers got |")
    print("|---|---|---|---|---|", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        SampleServer(load(default_paths()[:1])) as source,
    ):
        folder = Path(name)
        store = given.store or folder / "store.sqlite"
        register = fill(store, given.scale)
        partij = register.partijen[0]
        reads = [f"{API}/partijen?pageSize=20", f"{API}/partijen/{partij}"]
        alone: list[tuple[str, Attack | None]] = [
            ("none", None),
            ("2.5 wrong tokens a second", attackers.wrong_tokens),
            ("wrong tokens on 60 connections", attackers.many_wrong_tokens),
            ("6 bodies that never come", attackers.bodies_that_never_come),
            ("60 heads that never end", attackers.half_headers),
            ("1,024 idle connections", attackers.idle_connections),
            ("100 unread answers", attackers.unread_answers),
            ("10 heavy questions at once", attackers.heavy_filters),
            ("a held write lock, 12 writers", attackers.held_lock),
        ]
        bridge: list[tuple[str, Attack | None]] = [
            ("none", None),
            (f"a source of {SLOW:.0f} s an answer, 12 clients", attackers.slow_source),
            ("a source that hangs, 12 clients", attackers.slow_source),
            ("a held write lock, 12 writers", attackers.held_lock),
        ]
        for where, of, attacks in (("register", None, alone), ("bridge", source, bridge)):
            if given.only:
                attacks = [one for one in attacks if one[0] in ("none", given.only)]
            if len(attacks) < 2:
                continue
            with served(folder / where, store, register, of) as (target, pid):
                attack(target, pid, register.token, reads, None, 3)  # what first requests cost by themselves
                normal = 0.0
                for called, how in attacks:
                    source.traps.slow = SLOW if "of 6 s" in called else 0
                    source.traps.stall_rate = 1 if "hangs" in called else 0
                    source.traps.stall_seconds = HANGS
                    health, read, memory = attack(target, pid, register.token, reads, how, given.seconds)
                    normal = normal or max(read.percentile(0.99), NO_TROUBLE / TWICE)
                    good = health.percentile(0.99) <= BUDGET and read.percentile(0.99) <= TWICE * normal
                    good = good and not health.wrong and not read.wrong
                    held &= good
                    got = ", ".join(f"{count} x {what}" for what, count in target.got.most_common(4))
                    print(
                        f"| {where}: {called} | {_cell(health)} | {_cell(read)} | {memory:,.0f} MB | {got or '-'}"
                        f"{'' if good else ' **not held**'} |",
                        flush=True,
                    )
                    time.sleep(3)
    return 0 if held else 1


def _cell(times: Asked) -> str:
    return f"{times.percentile(0.5):,.1f} / {times.percentile(0.99):,.1f} ms, {times.wrong}"


if __name__ == "__main__":
    raise SystemExit(main())
