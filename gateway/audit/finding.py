"""What was logged about one person, for who asks for it and holds the key."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from gateway.audit import files
from gateway.audit.log import SUBJECT, pseudonyms
from gateway.store.base.session import Session
from gateway.store.inspect import persons, searching
from mappings.identity.identity import Uuids, key_uuid


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
    for line in files.lines(directory):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            unreadable += bool(line.strip())
            continue
        if record["attributes"].get(SUBJECT) in wanted:
            found.append(record)
    found.sort(key=lambda record: str(record["start_time"]))
    return Found(found, unreadable)
