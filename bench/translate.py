"""How fast rollen become documents, on one core: `python -m bench.translate`.

From parsed JSON to documents ready to store: judging and translating each rol, joining claims to parties, merging.
Beside it, in the same rounds, what it costs to parse the JSON of the same pages. Processor time, so that what else
the machine does matters less.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import orjson

from bench.legacy import slice_lines
from mappings.identity.identity import Uuids
from mappings.model.claims import Claim
from mappings.model.findings import Untranslatable
from mappings.model.settings import Settings
from mappings.rules.merge import merge, sets_of
from mappings.translate import translate

PAGE = 100
BUDGET = 4000  # rollen per second
SETTINGS = Settings(max_vertrouwelijkheidaanduiding="zeer_geheim")


def pages() -> list[bytes]:
    """The rollen of the slice as a Zaken API gives them."""
    rollen = slice_lines()["rol"]
    starts = range(0, len(rollen), PAGE)
    return [b'{"results":[' + b",".join(rollen[start : start + PAGE]) + b"]}" for start in starts]


def claims_of(rollen: list[dict[str, Any]]) -> list[Claim]:
    """Judge and translate."""
    claims = []
    for rol in rollen:
        try:
            claims += translate("rol", rol, "bron", SETTINGS).claims
        except Untranslatable:
            continue
    return claims


def documents_of(claims: list[Claim], uuids: Uuids) -> int:
    """Join and merge, and write the bodies as JSON; out: how many documents."""
    made = 0
    for keys in sets_of(claims):
        merged = merge([claims[member] for member in keys.members], keys, uuids, SETTINGS)
        for document in merged.documents:
            orjson.dumps(document.body)
            made += 1
    return made


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds, and what came out."""
    before = time.process_time()
    out = work()
    return time.process_time() - before, out


def main() -> int:
    """Measure and print; 1 when it is slower than it must be."""
    parser = argparse.ArgumentParser(prog="python -m bench.translate", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    texts, uuids = pages(), Uuids("a secret of the measurement, longer than thirty-two")
    rates: dict[str, list[float]] = {"json.loads": [], "translate": [], "join and merge": [], "together": []}
    for _ in range(given.rounds):
        parsing, parsed = timed(lambda: [json.loads(text)["results"] for text in texts])
        rollen = [rol for page in parsed for rol in page]
        translating, claims = timed(lambda rollen=rollen: claims_of(rollen))
        merging, documents = timed(lambda claims=claims: documents_of(claims, uuids))
        seconds = (parsing, translating, merging, translating + merging)
        for name, spent in zip(rates, seconds, strict=True):
            rates[name].append(len(rollen) / spent)
    print(f"{len(rollen)} rollen, {len(claims)} claims, {documents} documents; rollen per second, medians of")
    print(f"{given.rounds} rounds on one core\n")
    for name, found in rates.items():
        print(f"{name:16} {statistics.median(found):10.0f}")
    together = statistics.median(rates["together"])
    print(f"\njson.loads is {statistics.median(rates['json.loads']) / together:.1f} times as fast")
    return 0 if together >= BUDGET else 1


if __name__ == "__main__":
    raise SystemExit(main())
