"""Who is meant by a number or a uuid, and all that belongs to that person."""

from __future__ import annotations

from uuid import UUID

import orjson

from gateway.ingest.incoming import incoming
from gateway.ingest.ingest import Ingest
from gateway.store.base.compression import Damaged, unpack
from gateway.store.base.store import Store
from gateway.store.person import belonging
from gateway.store.person.belonging import Belonging, Wanted
from mappings.identity.identity import Uuids, sealed
from mappings.identity.sealed import sealed_text

BSN, KVK = "bsn", "kvk_nummer"
_KEYS = {BSN: "brp:bsn:", KVK: "hr:kvk:"}


def by_number(uuids: Uuids, soort: str, number: str) -> Wanted:
    """Who has this BSN or KVK number. In: `BSN` or `KVK`, and the number as it is kept."""
    key = f"{_KEYS[soort]}{number}"
    return Wanted((key, sealed_text(uuids, key)), soort, number, frozenset({sealed(uuids, key)}))


def by_uuid(uuid: UUID) -> Wanted:
    """The partij with this uuid, or the betrokkene that is no partij's."""
    return Wanted(uuids=frozenset({uuid.bytes}))


def all_of(store: Store, ingest: Ingest, wanted: Wanted) -> Belonging:
    """All that belongs to a person, also in what nobody is shown. Raises StoreFailed."""
    with store.read() as connection:
        found = belonging.find(connection, wanted)
    also = naming(store, ingest, found)
    if not also - found.raws.keys():
        return found
    with store.read() as connection:
        return belonging.find(connection, wanted, also)


def in_the_log(store: Store, wanted: Wanted, found: Belonging | None = None) -> set[bytes]:
    """The uuids under which the audit log notes that somebody sees, or erases, what is held of a person.

    In: what belongs to that person, when it is known. Raises StoreFailed.
    """
    with store.read() as connection:
        found = found or belonging.find(connection, wanted)
        rows = found.partijen or found.documents
        return belonging.uuids_of(connection, rows) if rows else {*wanted.uuids}


def naming(store: Store, ingest: Ingest, found: Belonging) -> set[int]:
    """The objects (rows) that no partij was made of, and that name one of a person's keys: each is read."""
    rows = set()
    with store.read() as connection:
        for row, source, kind, body in belonging.unclaimed(connection):
            try:
                item = incoming(kind, orjson.loads(unpack(body)))
            except (Damaged, orjson.JSONDecodeError):
                continue  # `klantbrug check --deep` tells of it
            hashes, _ = ingest.keys_in(source, item)
            if hashes & found.uuids:
                rows.add(row)
    return rows
