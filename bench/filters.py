"""How long page 1 of every filter takes: `python -m bench.filters [--klantcontacten 500000] [--stores FOLDER]`.

Fills a store once, serves it with the production command and asks each filter of each resource, one question at a
time, with values that few documents share, that many share, and that none has. The values are found by looking at a
sample of what is in the store. Prints a table in Markdown: of each question the median of some rounds, and the work
of the server in processor time, by which it is judged: what else the machine does moves that less.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import re
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import orjson

from bench.filters_store import RARE, fill
from bench.running import PRODUCTION, Running, running
from gateway.http.auth import create_token
from gateway.klantinteracties.model.declarations import Filter, Form
from gateway.klantinteracties.model.resources import BASE_PATH, RESOURCES
from gateway.store.base.conditions import Compare, Subject, Where
from gateway.store.base.kinds import KIND, RELATION
from gateway.store.file.database import FileStore

SAMPLE, SMALL = 4000, 50_000
PATIENCE = 60
BUDGET, BEYOND, LARGE = 250, 1000, 20_000  # milliseconds; for a search in texts with more hits than the last
SHORT = "two letters"
NOBODY = UUID(int=1, version=4)
WORD = re.compile(r"[^\W\d_]{4,}")
NONE_OF_FORM = {Form.DATE: "1871-01-01", Form.MOMENT: "1871-01-01", Form.MOMENT_TEXT: "1871-01-01"}


class Asked(NamedTuple):
    """One question and how it went: kind of value, status, how many, milliseconds by the clock, and of work."""

    what: str
    status: int
    count: int | None
    taken: float
    work: float


def values(connection: sqlite3.Connection, item: Filter) -> Iterator[tuple[str, str]]:
    """The values to ask a filter with, each with a word for what it is."""
    if item.form is Form.FLAG:
        yield from (("true", "true"), ("false", "false"))
        return
    if item.form is Form.CHOICE:
        yield from ((choice, choice) for choice in item.choices)
        return
    found = Counter(sample(connection, item.where))
    if item.where.compare is Compare.CONTAINS:
        words = Counter(word.lower() for text in found for word in set(WORD.findall(str(text))))
        if words:
            yield "many", words.most_common(1)[0][0]
        yield "few", RARE if words.get("inwoner") else str(max(found, key=lambda text: len(str(text))))
        yield "none", "xqzjy"
        yield SHORT, "xq"
        return
    wanted = [value for value in found if value not in ("", None)]
    if wanted:
        ranked = sorted(wanted, key=lambda value: found[value])
        for what, value in (("few", ranked[0]), ("many", ranked[-1])):
            yield what, shown(item, value)
    yield (
        "none",
        shown(item, NOBODY.bytes)
        if item.where.subject is Subject.DOCUMENT
        else NONE_OF_FORM.get(item.form, "bestaat niet"),
    )


def shown(item: Filter, value: object) -> str:
    """A value of a document as a client writes it."""
    if isinstance(value, bytes):
        return (
            f"https://example.nl/x/{UUID(bytes=value)}" if item.form is Form.URL else str(UUID(bytes=value))
        )
    if item.where.subject is Subject.MOMENT and isinstance(value, int):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(value // 1_000_000))
    return str(value)


def sample(connection: sqlite3.Connection, where: Where) -> list[object]:
    """What stands at the end of the path of some documents that have one there, one in so many of all."""
    tables, tests, at = ["document d"], [], "d.id"
    start = where.kind
    for step, hop in enumerate(where.path):
        holder, _, _ = hop.relation.partition(".")
        if step == 0:
            start = holder if not hop.back else ""
        near, far = ("target", "source") if hop.back else ("source", "target")
        tables.append(f"link t{step}")
        tests += [f"t{step}.{near} = {at}", f"t{step}.relation = {RELATION[hop.relation]}"]
        at = f"t{step}.{far}"
    tables.append("document e")
    tests += [f"e.id = {at}", f"e.kind = {KIND[where.kind]}"]
    if start:
        tests.append(f"d.kind = {KIND[start]}")
    if where.subject is Subject.DOCUMENT:
        wanted = "e.uuid"
    else:
        wanted = "e.moment" if where.subject is Subject.MOMENT else f"e.body ->> '$.{where.field}'"
    # Not the neighbours of each other: the documents of one kind lie spread over all numbers.
    (last,) = connection.execute("SELECT max(id) FROM document").fetchone()
    if last > SMALL:
        tests.append("d.id * 7919 % 10007 < 400")
    # Names of tables and columns are ours; what is asked for is a number.
    question = f"SELECT {wanted} FROM {' CROSS JOIN '.join(tables)} WHERE {' AND '.join(tests)}"  # noqa: S608
    rows = connection.execute(f"{question} LIMIT {SAMPLE}")
    return [value for (value,) in rows if value is not None]


def ask(server: Running, token: str, path: str, rounds: int) -> tuple[int, int | None, float, float]:
    """Status, count, the median of the milliseconds that a question takes, and those of processor time."""
    taken, status, count, before = [], 0, None, server.cpu()
    for _ in range(rounds):
        connection = http.client.HTTPConnection(*server.address, timeout=PATIENCE)
        began = time.perf_counter()
        try:
            connection.request("GET", path, headers={"Authorization": f"Token {token}"})
            answer = connection.getresponse()
            body = answer.read()
            status = answer.status
            count = orjson.loads(body).get("count")
        except TimeoutError:
            status = 0
        finally:
            connection.close()
        taken.append((time.perf_counter() - began) * 1000)
        if taken[-1] > 5000:
            break
    return status, count, statistics.median(taken), (server.cpu() - before) / len(taken) * 1000


def cell(found: Asked) -> str:
    """A question in the table."""
    said = f"{found.count:,}" if found.count is not None else f"({found.status})"
    return f"{found.what}: {said} in {found.taken:,.0f} ({found.work:,.0f})"


def too_slow(item: Filter, found: Asked) -> bool:
    """Did it take longer than it may?"""
    large = item.where.compare is Compare.CONTAINS and (found.count or 0) > LARGE
    if found.what == SHORT:
        return False  # no index has what is that short: it is walked to, as long as a question may take
    return found.status != 200 or found.work > (BEYOND if large else BUDGET)


def main() -> int:
    """Fill, ask, print; 1 when a filter takes too long."""
    parser = argparse.ArgumentParser(prog="python -m bench.filters", description=__doc__.splitlines()[0])
    parser.add_argument("--klantcontacten", type=int, default=500_000)
    parser.add_argument("--stores", type=Path, help="a directory that keeps the store for a next time")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="filters with this in `resource filter`")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = given.stores or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"filters-{given.klantcontacten}.sqlite"
        began = time.monotonic()
        fill(path, given.klantcontacten, lambda text: print(f"<!-- {text} -->", flush=True))
        print(f"<!-- store ready after {time.monotonic() - began:.0f} s -->", flush=True)
        store = FileStore(path)
        token = create_token(store, f"bench {time.time_ns()}", "read")
        store.close()
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        server = stack.enter_context(running(folder, path, PRODUCTION, 2, 4))
        print("| Filter | Value: hits in milliseconds (of processor time) |\n|---|---|")
        slow, number = [], 0
        for resource in RESOURCES:
            for item in resource.filters:
                if given.only not in f"{resource.path} {item.name}":
                    continue
                number += 1
                cells = []
                for what, value in values(connection, item):
                    question = f"{BASE_PATH}/{resource.path}?{urlencode({item.name: value})}"
                    found = Asked(what, *ask(server, token, question, given.rounds))
                    cells.append(cell(found))
                    if too_slow(item, found):
                        slow.append(f"{resource.path} {item.name} {cells[-1]} ms")
                print(f"| {resource.path} `{item.name}` | {', '.join(cells)} |", flush=True)
        connection.close()
    print(f"\n{number} filters; {f'too slow: {len(slow)}' if slow else 'none too slow'}")
    for line in slow:
        print(f"  {line}")
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
