"""A register that was filled with `klantbrug export fixture` has our own uuids: each document there is its own pair."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from gateway.base.clock import now
from gateway.klantinteracties.model.resources import RESOURCES
from gateway.store.export import documents, pairs
from gateway.store.export.documents import BEFORE_ALL
from gateway.store.export.pairs import FOUND, Arrival
from gateway.store.file.database import Store
from gateway.target.client import Register
from gateway.target.contents import digest_of, preference_digest, prefers

PAGE = 500


def pair_all(store: Store, register: Register, tell: Callable[[str, int], None]) -> int:
    """When the register has our oldest document of any kind under its own uuid, pair all that it has so.

    Out: how many it has so. Done again after it was ended halfway, it leaves what was paired as it is. Raises
    TargetError.
    """
    found = 0
    if not any(_has_oldest(store, register, resource.kind, resource.path) for resource in RESOURCES):
        return found
    for resource in RESOURCES:
        for page in register.pages(resource.path, {}, PAGE):
            uuids = [UUID(one["uuid"]).bytes for one in page["results"]]
            with store.write(synced=False) as connection:
                held = documents.of_uuids(connection, uuids)
                ours = [leaving for leaving in held.values() if leaving.kind == resource.kind]
                known = pairs.of_own(connection, held)
                fresh = [one for one in ours if one.uuid not in known]
                arrivals = [Arrival(one.uuid, one.kind, one.uuid, FOUND, digest_of(one)) for one in fresh]
                pairs.arrived(connection, arrivals, now())
                for one in fresh:
                    if one.kind == "partij" and prefers(one):
                        pairs.preferred(connection, one.uuid, preference_digest(one))
            found += len(ours)
            tell(resource.path, found)
    return found


def _has_oldest(store: Store, register: Register, kind: str, path: str) -> bool:
    with store.read() as connection:
        oldest = documents.every(connection, kind, BEFORE_ALL, 1)
    return bool(oldest) and register.get(path, str(UUID(bytes=oldest[0].uuid))) is not None
