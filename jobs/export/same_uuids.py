"""A register that was filled with `klantbrug export fixture` has our own uuids: each document there is its own pair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from gateway.base.clock import now
from gateway.klantinteracties.model.resources import RESOURCES
from gateway.store.export import documents, pairs
from gateway.store.export.documents import BEFORE_ALL, Leaving
from gateway.store.export.pairs import FOUND, Arrival
from gateway.store.file.database import Store
from gateway.target.client import Register
from gateway.target.contents import (
    differing,
    digest_of,
    expected,
    preference_digest,
    prefers,
    set_by_register,
)

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
            shown = {UUID(one["uuid"]).bytes: one for one in page["results"]}
            with store.write(synced=False) as connection:
                held = documents.of_uuids(connection, list(shown))
                ours = [leaving for leaving in held.values() if leaving.kind == resource.kind]
                known = pairs.of_own(connection, held)
                fresh = [one for one in ours if one.uuid not in known]
                same = [one for one in fresh if _says_the_same(one, shown[one.uuid])]
                other = [one for one in fresh if one not in same]
                arrivals = [
                    *(Arrival(one.uuid, one.kind, one.uuid, FOUND, digest_of(one)) for one in same),
                    *(Arrival(one.uuid, one.kind, one.uuid, FOUND, None) for one in other),
                ]
                pairs.arrived(connection, arrivals, now())
                pairs.to_send(connection, [(one.uuid, one.kind) for one in other])
                for one in same:
                    if one.kind == "partij" and prefers(one):
                        pairs.preferred(connection, one.uuid, preference_digest(one))
            found += len(ours)
            tell(resource.path, found)
    return found


def _has_oldest(store: Store, register: Register, kind: str, path: str) -> bool:
    with store.read() as connection:
        oldest = documents.every(connection, kind, BEFORE_ALL, 1)
    return bool(oldest) and register.get(path, str(UUID(bytes=oldest[0].uuid))) is not None


def _says_the_same(leaving: Leaving, shown: dict[str, Any]) -> bool:
    """Is it at the register as it is here? What changed after the files were made is still to be sent."""
    links = {
        name: [link._replace(theirs=link.own) for link in linked] for name, linked in leaving.links.items()
    }
    wanted = expected(leaving._replace(links=links))
    return all(set_by_register(name, wanted[name], shown.get(name)) for name in differing(wanted, shown))
