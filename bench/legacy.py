"""Legacy objects to measure on: the synthetic slice of the tests, and copies of it that are about other people."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from bench.register import eleven_proof

SLICE = Path(__file__).parent.parent / "tests" / "data" / "slice.jsonl.gz"
UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
STAFF = ("medewerker", "organisatorische_eenheid")
# A prime: serial numbers times another one, modulo this, are all different and in no order.
SPREAD, STEP = 6_399_971, 4_827_169
# Numbers of a betrokkene, with how another one is made of a number below SPREAD. An A-nummer has none: it goes.
NUMBERS = {
    "inpBsn": eleven_proof,
    "innNnpId": lambda serial: eleven_proof(SPREAD + serial),
    "kvkNummer": lambda serial: f"{10_000_000 + serial:08}",
    "vestigingsNummer": lambda serial: f"{100_000_000_000 + serial:012}",
    "anpIdentificatie": lambda serial: f"ANP{serial:014}",
    "annIdentificatie": lambda serial: f"ANN{serial:012}",
    "inpA_nummer": lambda serial: "",
}
# When it was registered, and the years over which the slice is spread.
MOMENTS = {"registratiedatum", "datumtijd"}
OLDEST, NEWEST = datetime(2018, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
NUMBER_OF_REPRESENTEE = {"bsn": "inpBsn", "rsin": "innNnpId", "kvkNummer": "kvkNummer"}


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
    """The slice, and copies of it: other uuids and other numbers of persons and organisations, the same staff.

    With `of` copies that make one source, each is older than the one before it: a Zaken API lists the newest first,
    and what it lists was registered in about that order.
    """

    def __init__(self, of: int = 0) -> None:
        self._of = of
        self._serials = count(1)
        self._numbers: dict[tuple[int, str, str], str] = {}

    def objects(self, kind: str, copy: int) -> list[dict[str, Any]]:
        """The objects of one kind in the copy with this number; 0 is the slice itself."""
        return [self._made(line, copy) for line in slice_lines()[kind]]

    def pages(self, kind: str, copy: int, size: int) -> Iterator[list[dict[str, Any]]]:
        """The same a page at a time, so that never more than that is in memory."""
        lines = slice_lines()[kind]
        for start in range(0, len(lines), size):
            yield [self._made(line, copy) for line in lines[start : start + size]]

    def forget(self) -> None:
        """Forget which number became which: for the next copy none of them is needed."""
        self._numbers.clear()

    def _made(self, line: bytes, copy: int) -> dict[str, Any]:
        item: dict[str, Any] = orjson.loads(line)
        if self._of:
            for name in MOMENTS & item.keys():
                item[name] = self._older(item[name], copy)
        if not copy:
            return item
        staff_url = item["betrokkene"] if item.get("betrokkeneType") in STAFF else None
        moments = {name: item[name] for name in MOMENTS & item.keys()}
        item = orjson.loads(UUID.sub(lambda found: _other_uuid(found[0], copy), line)) | moments
        if staff_url is not None:
            item["betrokkene"] = staff_url
        who = item.get("betrokkeneIdentificatie")
        if isinstance(who, dict):
            for name in NUMBERS:
                if who.get(name):
                    who[name] = self._other_number(copy, name, who[name])
        named = (item.get("authenticatieContext") or {}).get("representee")
        if named:
            name = NUMBER_OF_REPRESENTEE[named["identifierType"]]
            named["identifier"] = self._other_number(copy, name, named["identifier"])
        return item

    def _older(self, moment: str, copy: int) -> str:
        """A moment of the slice, brought to the part of the years that belongs to this copy."""
        given = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        made = NEWEST - (NEWEST - given + copy * (NEWEST - OLDEST)) / self._of
        return (
            made.date().isoformat() if len(moment) == len("2025-01-01") else f"{made:%Y-%m-%dT%H:%M:%S.%fZ}"
        )

    def _other_number(self, copy: int, name: str, number: str) -> str:
        key = (copy, name, number)
        if key not in self._numbers:
            self._numbers[key] = NUMBERS[name](next(self._serials) * STEP % SPREAD)
        return self._numbers[key]


def _other_uuid(uuid: bytes, copy: int) -> bytes:
    """A random-looking uuid that is always the same for this uuid and copy."""
    made = hashlib.blake2b(uuid, digest_size=16, salt=b"%d" % copy).hexdigest()
    return f"{made[:8]}-{made[8:12]}-4{made[13:16]}-8{made[17:20]}-{made[20:]}".encode()
