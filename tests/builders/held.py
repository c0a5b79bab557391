"""What is in quarantine, and which legacy objects there are."""

from __future__ import annotations

import orjson

from gateway.installation import Installation
from gateway.store.inspect.dump import dump_lines
from gateway.store.legacy import quarantine


def held(installation: Installation) -> list[tuple[str, str, str]]:
    with installation.store.read() as connection:
        return [(each.kind, str(each.uuid), each.reason) for each in quarantine.listing(connection)]


def raw_uuids(installation: Installation) -> set[str]:
    lines = map(orjson.loads, dump_lines(installation.store))
    return {line["uuid"] for line in lines if line["t"] == "raw"}
