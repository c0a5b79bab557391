"""Legacy objects to measure on: the synthetic slice of the tests, and copies of it that are about other people."""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from bench.register import eleven_proof

SLICE = Path(__file__).parent.parent / "tests" / "data" / "slice.jsonl.gz"
UUID_TAIL = re.compile(rb"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-)([0-9a-f]{12})")
# Numbers of a betrokkene, with how another one is made of a serial number. An A-nummer has none: it goes.
NUMBERS = {
    "inpBsn": eleven_proof,
    "innNnpId": lambda serial: eleven_proof(10_000_000 + serial),
    "kvkNummer": lambda serial: f"{10_000_000 + serial:08}",
    "vestigingsNummer": lambda serial: f"{100_000_000_000 + serial:012}",
    "anpIdentificatie": lambda serial: f"ANP{serial:014}",
    "annIdentificatie": lambda serial: f"ANN{serial:012}",
    "inpA_nummer": lambda serial: "",
}


@cache
def slice_lines() -> dict[str, list[bytes]]:
    """The objects of the slice as JSON, by kind."""
    found: dict[str, list[bytes]] = defaultdict(list)
    with gzip.open(SLICE) as lines:
        for line in lines:
            kind, item = orjson.loads(line)
            found[kind].append(orjson.dumps(item))
    return found


class Copies:
    """The slice, and copies of it: other uuids and other numbers of persons and organisations, the same staff."""

    def __init__(self) -> None:
        self._serials = count(1)
        self._numbers: dict[tuple[int, str, str], str] = {}

    def objects(self, kind: str, copy: int) -> list[dict[str, Any]]:
        """The objects of one kind in the copy with this number; 0 is the slice itself."""
        return [self._made(line, copy) for line in slice_lines()[kind]]

    def forget(self) -> None:
        """Forget which number became which: for the next copy none of them is needed."""
        self._numbers.clear()

    def _made(self, line: bytes, copy: int) -> dict[str, Any]:
        if copy:
            line = UUID_TAIL.sub(lambda found: found[1] + b"%012x" % (int(found[2], 16) ^ copy), line)
        item: dict[str, Any] = orjson.loads(line)
        who = item.get("betrokkeneIdentificatie")
        if copy and isinstance(who, dict):
            for name, make in NUMBERS.items():
                if who.get(name):
                    key = (copy, name, who[name])
                    if key not in self._numbers:
                        self._numbers[key] = make(next(self._serials))
                    who[name] = self._numbers[key]
        return item
