"""How fast the served API reads: `python -m bench.read [--scale 10]`.

Fills a store, serves it with the production command, and drives it over HTTP with 8 keep-alive connections.
Beside each question a bare Flask view is driven that returns as many constant bytes under the same server: the
ratio of the two says what our own work costs, whatever the machine. Rounds are interleaved, figures are medians.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import CONNECTIONS, Measured, drive, request
from bench.register import KLANTCONTACTEN, PARTIJEN, Register, fill
from bench.running import BARE, PRODUCTION, Running, running
from gateway.klantinteracties.read.query import DEFAULT_SIZE

API = "/klantinteracties/api/v1"
EXPAND = "expand=betrokkenen,betrokkenen.hadKlantcontact,digitaleAdressen"
WARM_UP = 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """One kind of question: its paths in a register, what it must reach, how Open Klant does."""

    name: str
    paths: Callable[[Register], Sequence[str]]
    ratio: float = 0  # to the bare view
    open_klant: float = 0  # answers per second
    times: float = 0  # as many as Open Klant
    single: bool = False  # asks for one key: p99 under SINGLE_P99 at half load
    level: bool = False  # costs the same whatever the size of the store
    on_postgres: float = 0  # answers per second from PostgreSQL on the same machine


SINGLE_P99 = 10.0  # milliseconds
MOST_GROWTH, MOST_GROWTH_POSTGRES = 1.2, 1.3
QUESTIONS = (
    Question(
        "partij",
        lambda found: [f"/partijen/{uuid}" for uuid in found.partijen],
        ratio=0.6,
        open_klant=117,
        times=50,
        single=True,
        level=True,
        on_postgres=1200,
    ),
    Question(
        "partij by BSN",
        lambda found: [
            f"/partijen?partijIdentificator__codeSoortObjectId=bsn&partijIdentificator__objectId={bsn}"
            for bsn in found.bsns
        ],
        ratio=0.6,
        open_klant=61,
        times=50,
        single=True,
        level=True,
        on_postgres=1200,
    ),
    Question(
        "klantcontacten of a partij",
        lambda found: [f"/klantcontacten?hadBetrokkene__wasPartij__uuid={uuid}" for uuid in found.talkative],
        ratio=0.6,
        open_klant=94,
        times=50,
        single=True,
    ),
    Question(
        "klantcontacten of a zaak",
        lambda found: [
            f"/klantcontacten?onderwerpobject__onderwerpobjectidentificatorObjectId={uuid}"
            for uuid in found.zaken
        ],
        ratio=0.6,
        open_klant=91,
        times=50,
        single=True,
    ),
    Question(
        "partij, three levels of expand",
        lambda found: [f"/partijen/{uuid}?{EXPAND}" for uuid in found.talkative],
        open_klant=14,
        times=40,
        on_postgres=400,
    ),
    Question(
        "partijen, page 1", lambda _: ["/partijen"], open_klant=12, times=40, level=True, on_postgres=120
    ),
    Question(
        "klantcontacten, page 200",
        # A store that is too small for it has fewer pages; its last one is another question.
        lambda found: [f"/klantcontacten?page={max(1, min(200, found.klantcontacten // DEFAULT_SIZE - 1))}"],
        open_klant=14,
        times=40,
        level=True,
        on_postgres=120,
    ),
    Question(
        "klantcontacten, last page", lambda _: ["/klantcontacten?page=last"], level=True, on_postgres=120
    ),
)


@dataclass(slots=True)
class Served:
    """A running gateway over one register; by what name, and is it on PostgreSQL?"""

    name: str
    server: Running
    requests: dict[str, list[bytes]]


@dataclass(slots=True)
class Series:
    """The rounds of one question on one server."""

    rounds: list[Measured] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The median of the rounds."""
        return statistics.median(one.rate for one in self.rounds)

    @property
    def cost(self) -> float:
        """Processor time of the server for one answer, in microseconds: less moved by what else the machine does."""
        return statistics.median(self.cpus)

    def drive(self, server: Running, requests: Sequence[bytes], seconds: float, rate: float = 0) -> None:
        """One round more."""
        before = server.cpu()
        found = drive(server.address, requests, seconds, rate)
        self.rounds.append(found)
        self.cpus.append((server.cpu() - before) / max(1, len(found.latencies)) * 1e6)

    def latency(self, part: float) -> float:
        """The median of a percentile, in milliseconds."""
        return statistics.median(one.percentile(part) for one in self.rounds)


Results = dict[tuple[str, str], Series]


def serve(
    stack: contextlib.ExitStack, folder: Path, scale: float, workers: int, threads: int, url: str = ""
) -> Served:
    """Fill a store of this scale and serve it, from the database at the url where there is one."""
    path = folder / f"register-{scale:g}.sqlite"
    register = fill(path, scale, url)
    server = stack.enter_context(running(folder, path, PRODUCTION, workers, threads, url=url))
    requests = {
        question.name: [request(API + item, server.host, register.token) for item in question.paths(register)]
        for question in QUESTIONS
    }
    return Served(named(f"{scale:g}", url), server, requests)


def named(scale: str, url: str) -> str:
    """The name of the server of this scale."""
    return f"{scale} postgresql" if url else scale


def measure(
    served: list[Served], bare: Running, questions: Sequence[Question], rounds: int, seconds: float
) -> Results:
    """Drive all servers in turn, round by round."""
    results: Results = defaultdict(Series)
    sizes = {}
    for one in served:
        for question in questions:
            sizes[question.name] = round(drive(one.server.address, one.requests[question.name], WARM_UP).size)
    for _ in range(rounds):
        for question in questions:
            for one in served:
                series = results[question.name, one.name]
                series.drive(one.server, one.requests[question.name], seconds)
            constant = [request(f"/{sizes[question.name]}", bare.host)]
            results[question.name, "bare"].drive(bare, constant, seconds)
    largest = next(one for one in reversed(served) if one.name.isnumeric() or "." in one.name)
    for _ in range(rounds):
        for question in questions:
            if question.single:
                half = results[question.name, largest.name].rate / 2
                series = results[question.name, "half"]
                series.drive(largest.server, largest.requests[question.name], seconds, half)
    return results


def report(results: Results, questions: Sequence[Question], scales: list[str]) -> bool:
    """Print the figures; out: is every one within its budget?"""
    missed: list[str] = []
    head = (
        "question",
        "bytes",
        "answers/s",
        "bare/s",
        "ratio",
        "cpu us",
        "bare",
        "p50 ms",
        "p99 ms",
        "half p99",
    )
    print("{:32} {:>8} {:>10} {:>8} {:>6} {:>7} {:>5} {:>7} {:>7} {:>9} {:>11}".format(*head, "Open Klant"))
    for question in questions:
        own, bare = results[question.name, scales[-1]], results[question.name, "bare"]
        ratio, times = own.rate / bare.rate, own.rate / question.open_klant if question.open_klant else 0
        half = results[question.name, "half"] if question.single else None
        p99 = half.latency(0.99) if half else 0
        print(
            f"{question.name:32} {own.rounds[0].size:8.0f} {own.rate:10.0f} {bare.rate:8.0f} {ratio:6.2f}"
            f" {own.cost:7.0f} {bare.cost:5.0f}"
            f" {own.latency(0.5):7.2f} {own.latency(0.99):7.2f} {f'{p99:.2f}' if half else '':>9}"
            f" {f'{times:.0f} x' if times else '':>11}"
        )
        if ratio < question.ratio:
            missed.append(f"{question.name}: ratio {ratio:.2f}, budget {question.ratio}")
        if times < question.times:
            missed.append(f"{question.name}: {times:.0f} times Open Klant, budget {question.times}")
        if p99 > SINGLE_P99:
            missed.append(f"{question.name}: p99 {p99:.1f} ms at half load, budget {SINGLE_P99}")
    if len(scales) == 2:
        print(f"\n{'question':32} {'at ' + scales[0]:>10} {'at ' + scales[1]:>10} {'cost':>6} {'cpu':>6}")
        for question in questions:
            small, large = (results[question.name, scale].rate for scale in scales)
            print(f"{question.name:32} {small:10.0f} {large:10.0f} {small / large:6.2f}")
            if question.level and small / large > MOST_GROWTH:
                missed.append(
                    f"{question.name}: costs {small / large:.2f} times as much, budget {MOST_GROWTH}"
                )
    if (question.name, named(scales[-1], "url")) in results:
        missed += _beside(results, questions, scales)
    print("\nwithin budget" if not missed else "\nnot within budget:\n  " + "\n  ".join(missed))
    return not missed


def _beside(results: Results, questions: Sequence[Question], scales: list[str]) -> list[str]:
    """Print what PostgreSQL did in the same rounds; out: what is not within budget."""
    missed = []
    head = ("question", "SQLite", "PostgreSQL", "ratio", "cpu us", "p99 ms", "growth")
    print("\n{:32} {:>10} {:>10} {:>6} {:>7} {:>7} {:>7}".format(*head))
    for question in questions:
        one, other = (results[question.name, named(scales[-1], url)] for url in ("", "url"))
        small = results[question.name, named(scales[0], "url")].rate
        growth = small / other.rate
        print(
            f"{question.name:32} {one.rate:10.0f} {other.rate:10.0f} {other.rate / one.rate:6.2f} {other.cost:7.0f}"
            f" {other.latency(0.99):7.2f} {f'{growth:.2f}' if len(scales) == 2 else '':>7}"
        )
        if other.rate < question.on_postgres:
            missed.append(f"{question.name}: {other.rate:.0f} on PostgreSQL, budget {question.on_postgres}")
        if len(scales) == 2 and question.level and growth > MOST_GROWTH_POSTGRES:
            missed.append(f"{question.name}: {growth:.2f} times on PostgreSQL, budget {MOST_GROWTH_POSTGRES}")
    return missed


def main() -> int:
    """Read the arguments, measure, report."""
    parser = argparse.ArgumentParser(prog="python -m bench.read", description=__doc__.splitlines()[0])
    about = f"times {PARTIJEN} partijen and {KLANTCONTACTEN} klantcontacten; compared with a tenth of it"
    parser.add_argument("--scale", type=float, default=1, help=about)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of one measurement")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--stores", type=Path, help="a directory that keeps the stores for a next time")
    parser.add_argument("--url", default="", help="a database of PostgreSQL, that is measured beside it")
    parser.add_argument("--only", default="", help="questions with this in their name")
    given = parser.parse_args()
    questions = [question for question in QUESTIONS if given.only in question.name]
    scales = [given.scale] if given.scale <= 1 else [given.scale / 10, given.scale]
    with contextlib.ExitStack() as stack:
        folder = given.stores or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        urls = ["", given.url] if given.url else [""]
        served = [
            serve(stack, folder, scale, given.workers, given.threads, url) for scale in scales for url in urls
        ]
        bare = stack.enter_context(
            running(folder, folder / "none.sqlite", BARE, given.workers, given.threads)
        )
        print(f"{CONNECTIONS} connections, {given.workers} workers of {given.threads} threads,", end=" ")
        print(f"{given.rounds} rounds of {given.seconds:g} s, medians\n")
        results = measure(served, bare, questions, given.rounds, given.seconds)
    return 0 if report(results, questions, [f"{scale:g}" for scale in scales]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
