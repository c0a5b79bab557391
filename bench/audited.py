"""What the audit log costs a read: `python -m bench.audited [--rounds N] [--seconds S] [--workers N]
[--threads N] [--only NAME]`.

Two servers over one store, of which one keeps the audit log. They are asked in turn, each one first as often as the
other, so that other work on the machine hits both alike. Reported is the median over the pairs of the one with the log
divided by the one without: processor time of an answer, and answers a second.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from bench.load import BenchError, request
from bench.read import API, QUESTIONS
from bench.register import Register, fill
from bench.running import PRODUCTION, Running, running
from bench.watched import measure, silent

SCALE = 0.2
ON = """
[audit]
enabled = true
activity = "https://register.example.nl/activiteit/klantcontact"
directory = "{directory}"
key_file = "{key}"
"""
ASKED = ("partij", "partij by BSN")


@contextmanager
def both(made: Path, workers: int, threads: int) -> Iterator[tuple[Register, Running, Running]]:
    """A register, and its servers without and with an audit log, of so many workers and threads in each."""
    store, records = made / "register.sqlite", made / "records"
    register = fill(store, SCALE)
    records.mkdir(mode=0o700)
    servers = []
    with ExitStack() as stack, silent():
        for number, sections in enumerate(("", ON.format(directory=records, key=made / "audit-key"))):
            folder = made / str(number)
            folder.mkdir()
            server = running(folder, store, (*PRODUCTION, "--no-jobs"), workers, threads, sections=sections)
            servers.append(stack.enter_context(server))
        yield register, servers[0], servers[1]


def questions(register: Register, server: Running) -> dict[str, list[str]]:
    """Paths, by the name of the question."""
    found = {each.name: each.paths(register)[:500] for each in QUESTIONS if each.name in ASKED}
    connection = HTTPConnection(*server.address)
    connection.request("GET", f"{API}/klantcontacten", headers={"Authorization": f"Token {register.token}"})
    page = json.loads(connection.getresponse().read())
    connection.close()
    return {name: [API + path for path in paths] for name, paths in found.items()} | {
        "klantcontact": [f"{API}/klantcontacten/{each['uuid']}" for each in page["results"]],
        "klantcontacten, page of 100": [f"{API}/klantcontacten"],
    }


def lines_in(made: Path) -> int:
    """How many records were written."""
    return sum(path.read_bytes().count(b"\n") for path in (made / "records").iterdir())


def main() -> int:
    """Read the arguments, measure, report."""
    parser = argparse.ArgumentParser(prog="python -m bench.audited", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="", help="questions with this in their name")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        made = Path(folder)
        with both(made, given.workers, given.threads) as (register, without, logging):
            print(
                f"{given.rounds} pairs of {given.seconds} s, {given.workers} workers of {given.threads} threads,",
                end=" ",
            )
            print("median of the pairs: with / without")
            print(f"{'question':32}{'microseconds':>14}{'ratio':>8}{'answers/s, ratio':>18}")
            for name, paths in questions(register, without).items():
                if given.only not in name:
                    continue
                servers = (without, logging)
                asked = [[request(path, each.host, register.token) for path in paths] for each in servers]
                costs, ratios, rates = [], [], []
                for number in range(given.rounds + 1):
                    found = {}
                    for at in (0, 1) if number % 2 else (1, 0):
                        found[at] = measure(servers[at], asked[at], given.seconds)
                    if number:  # the first warms up
                        costs.append(found[1][0])
                        ratios.append(found[1][0] / found[0][0])
                        rates.append(found[1][1] / found[0][1])
                print(f"{name:32}{median(costs):14.0f}{median(ratios):8.3f}{median(rates):18.3f}", flush=True)
        if not lines_in(made):
            raise BenchError("nothing was logged")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
