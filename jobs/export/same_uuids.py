"""A register that was filled with `klantbrug export fixture` has our own uuids: each document there is its own pair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from gateway.base.clock import now
from gateway.klantinteracties.model.resources import RESOURCES
from gateway.store.base.store import Store
from gateway.store.export import documents, filed, pairs
from gateway.store.export.documents import BEFORE_ALL, Leaving
from gateway.store.export.pairs import FOUND, Arrival
from gateway.target.client import Register
from gateway.target.contents import (
    at_home,
    content,
    differing,
    digest_of,
    expected,
    preferences,
    prefers,
    set_by_register,
)
from gateway.target.marks import marks_of

PAGE = 500


class Paired(NamedTuple):
    """How many objects there are ours, and those of them that are gone here (uuid and kind)."""

    found: int
    gone: list[tuple[bytes, str]]


def pair_all(store: Store, register: Register, tell: Callable[[str, int], None]) -> Paired:
    """When the register may have our documents under their own uuids, pair all that it has so.

    It may when files were made for it, or when it has our oldest document of any kind. What went here since is noted as
    to be deleted there; what changed, as to be sent. Done again after it was ended halfway, it leaves what was paired
    as it is. Raises TargetError.
    """
    found, gone = 0, list[tuple[bytes, str]]()
    with store.read() as connection:
        made = filed.any_there(connection)
    if not made and not any(
        _has_oldest(store, register, resource.kind, resource.path) for resource in RESOURCES
    ):
        return Paired(found, gone)
    for resource in RESOURCES:
        for page in register.pages(resource.path, {}, PAGE):
            shown = {UUID(one["uuid"]).bytes: one for one in page["results"]}
            went = _page(store, resource.kind, shown)
            gone += [(uuid, resource.kind) for uuid in went.gone]
            found += went.held + len(went.gone)
            tell(resource.path, found)
    return Paired(found, gone)


class _Page(NamedTuple):
    held: int
    gone: list[bytes]


def _page(store: Store, kind: str, shown: dict[bytes, dict[str, Any]]) -> _Page:
    with store.write(synced=False) as connection:
        held = documents.of_uuids(connection, list(shown))
        ours = [leaving for leaving in held.values() if leaving.kind == kind]
        marks = filed.marks_of(connection, shown)
        known = pairs.of_own(connection, shown)
        gone = [uuid for uuid in shown if uuid not in held and uuid in marks]
        fresh = [one for one in ours if one.uuid not in known]
        other = [one for one in fresh if not _says_the_same(one, shown[one.uuid])]
        changed = {one.uuid for one in other}
        arrivals = [
            Arrival(one.uuid, kind, one.uuid, FOUND, digest_of(one), marks=marks_of(content(at_home(one))))
            if one.uuid not in changed
            else Arrival(one.uuid, kind, one.uuid, FOUND, None, marks=marks.get(one.uuid))
            for one in fresh
        ]
        arrivals += [Arrival(uuid, kind, uuid, FOUND, None) for uuid in gone if uuid not in known]
        pairs.arrived(connection, arrivals, now())
        pairs.to_send(connection, [(uuid, kind) for uuid in [*changed, *gone]])
        for one in fresh:
            if kind == "partij" and one.uuid not in changed and prefers(one):
                pairs.preferred(connection, one.uuid, marks_of(preferences(at_home(one))))
    return _Page(len(ours), gone)


def _has_oldest(store: Store, register: Register, kind: str, path: str) -> bool:
    with store.read() as connection:
        oldest = documents.every(connection, kind, BEFORE_ALL, 1)
    return bool(oldest) and register.get(path, str(UUID(bytes=oldest[0].uuid))) is not None


def _says_the_same(leaving: Leaving, shown: dict[str, Any]) -> bool:
    """Is it at the register as it is here? What changed after the files were made is still to be sent."""
    wanted = expected(at_home(leaving))
    return all(set_by_register(name, wanted[name], shown.get(name)) for name in differing(wanted, shown))
