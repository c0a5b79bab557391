"""What was logged about one person, for who asks for it and holds the key."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from gateway.audit import files
from gateway.audit.log import SUBJECT, pseudonyms
from gateway.store.base.session import Session
from gateway.store.inspect import persons, searching
from mappings.identity.identity import Uuids, key_uuid

# How every record ends: with its attributes.
ENDED = b"}}\n"


class Found(NamedTuple):
    """The records of a person, oldest first, and how many lines there are that nobody can read (a full disk)."""

    records: list[dict[str, Any]]
    unreadable: int


def uuids_of_bsn(connection: Session, uuids: Uuids, bsn: str) -> set[bytes]:
    """Every uuid under which the person with this BSN may have been noted, also when nothing of it is held now."""
    held = [each.uuid.bytes for each in searching.by_number(connection, bsn) if each.kind == "partij"]
    return persons.all_uuids(connection, [*held, key_uuid(uuids, f"brp:bsn:{bsn}").bytes])


def uuids_of_partij(connection: Session, partij: UUID) -> set[bytes]:
    """Every uuid under which that person may have been noted."""
    return persons.all_uuids(connection, [partij.bytes])


def records_of(directory: Path, key: str, uuids: Collection[bytes]) -> Found:
    """The records of who has these uuids, over all files. In: the key of the pseudonyms."""
    make = pseudonyms(key)
    wanted = {make(uuid) for uuid in uuids}
    found: list[dict[str, Any]] = []
    unreadable = 0
    for block in files.blocks(directory):
        for line in _to_read(block, wanted):
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                unreadable += bool(line.strip())
                continue
            if record["attributes"].get(SUBJECT) in wanted:
                found.append(record)
    found.sort(key=lambda record: str(record["start_time"]))
    return Found(found, unreadable)


def _to_read(block: bytes, wanted: Collection[str]) -> Iterator[bytes]:
    """The lines of a block in which one of these pseudonyms stands; all lines, where one of them is no whole record.

    A year of them is many gigabytes, of which this reads a few lines.
    """
    if not block.endswith(ENDED) or block.count(b"\n") != block.count(ENDED):
        yield from block.splitlines()
        return
    for pseudonym in map(str.encode, wanted):
        at = block.find(pseudonym)
        while at >= 0:
            end = block.index(b"\n", at)
            yield block[block.rfind(b"\n", 0, at) + 1 : end]
            at = block.find(pseudonym, end)
