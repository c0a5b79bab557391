"""What watching costs a read: `python -m bench.watched [--rounds N] [--seconds S] [--only NAME]`.

Servers over one store, each with other keys: one that tells nothing, one with the access log, one with metrics too, one
with a `[tracing]` that nobody asked to record (part = 0). They are asked in turn, so that other work on the machine
hits all alike. Reported is the median over the rounds of each divided by the first: processor time of an answer, and
answers a second.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from bench.load import drive, request
from bench.read import API, QUESTIONS
from bench.register import fill
from bench.running import PRODUCTION, Running, running

SCALE = 0.02
CONNECTIONS = 4
QUIET = "access_log = false"
METRICS = "\n[metrics]\nenabled = true\n"
UNRECORDED = '\n[tracing]\nurl = "http://127.0.0.1:9/v1/traces"\npart = 0\n'
# What stands in [gateway] and what in sections of its own.
VARIANTS = {
    "nothing": (QUIET, ""),
    "access log": ("", ""),
    "and metrics": ("", METRICS),
    "traces, none recorded": (QUIET, UNRECORDED),
}


@contextmanager
def silent() -> Iterator[None]:
    """What is started in the block writes its log nowhere: a terminal is slower than any log."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def measure(server: Running, requests: list[bytes], seconds: float) -> tuple[float, float]:
    """Out: microseconds of processor time for each answer, and answers a second."""
    before = server.cpu()
    found = drive(server.address, requests, seconds, connections=CONNECTIONS)
    return (server.cpu() - before) * 1_000_000 / len(found.latencies), found.rate


def main() -> int:
    """Read the arguments, measure, report."""
    parser = argparse.ArgumentParser(prog="python -m bench.watched", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--only", default="partij", help="the question with this name")
    given = parser.parse_args()
    (question,) = (each for each in QUESTIONS if each.name == given.only)
    with tempfile.TemporaryDirectory(prefix="bench-") as made, ExitStack() as stack:
        store = Path(made) / "register.sqlite"
        register = fill(store, SCALE)
        servers = {}
        with silent():
            for number, (name, keys) in enumerate(VARIANTS.items()):
                folder = Path(made) / str(number)
                folder.mkdir()
                servers[name] = stack.enter_context(
                    running(folder, store, (*PRODUCTION, "--no-jobs"), 1, 1, *keys)
                )
        paths = [API + each for each in question.paths(register)][:200]
        cost: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
        for number in range(given.rounds + 1):
            for name, server in servers.items():
                asked = [request(path, server.host, register.token) for path in paths]
                found = measure(server, asked, given.seconds)
                if number:  # the first warms up
                    cost[name].append(found)
    base = cost["nothing"]
    print(f"{given.only}, {given.rounds} rounds of {given.seconds} s, 1 worker")
    print(f"{'':24}{'microseconds':>14}{'ratio':>8}{'answers/s':>12}{'ratio':>8}")
    for name, found in cost.items():
        times, rates = zip(*found, strict=True)
        dearer = median(mine[0] / first[0] for mine, first in zip(found, base, strict=True))
        faster = median(mine[1] / first[1] for mine, first in zip(found, base, strict=True))
        print(f"{name:24}{median(times):14.0f}{dearer:8.3f}{median(rates):12.0f}{faster:8.3f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
