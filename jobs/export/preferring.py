"""What partijen prefer, sent when all their addresses and rekeningnummers are there."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from uuid import UUID

import orjson

from gateway.config.target import Target
from gateway.legacy.background import Background
from gateway.store.base.store import Store
from gateway.store.export import documents, pairs
from gateway.store.export.documents import BEFORE_ALL, Leaving
from gateway.store.export.pairs import TAKEN, Pair
from gateway.target.client import Json, Register
from gateway.target.contents import ReferenceMissing, differing, preferences
from gateway.target.errors import Declined, NotThere
from gateway.target.marks import marks_of, merge
from jobs.common.crew import Crew

AT_ONCE = 200
PATH = "partijen"


class Preferred(NamedTuple):
    """What came of sending what a partij prefers: the marks of that, why not (blank: it was sent), which fields the
    register keeps, and which got our value though its users had changed them."""

    marks: bytes = b""
    cause: str = ""
    kept: tuple[str, ...] = ()
    overwritten: tuple[str, ...] = ()
    waits: bool = False


def send_all(
    store: Store,
    register: Register,
    settings: Target,
    stopping: threading.Event,
    counts: Counter[str],
    meanwhile: Callable[[], None],
) -> None:
    """Send the preferences that were not sent yet. Raises TargetError."""
    after = BEFORE_ALL
    crew = Crew(settings.max_connections, Background(None, None, None, window=False))
    try:
        while not stopping.is_set():
            with store.read() as connection:
                found = documents.preferring(connection, after, AT_ONCE)
                known = pairs.of_own(connection, [one.uuid for one in found])
            if not found:
                return
            after = found[-1].place
            asked = [partial(send, register, settings, one, known[one.uuid]) for one in found]
            outcomes = list(crew.in_order(asked, meanwhile))
            for one, outcome in zip(found, outcomes, strict=True):
                keep(store, one, known[one.uuid], outcome)
                counts["preferences"] += not (outcome.cause or outcome.waits)
    finally:
        crew.close()


def send(register: Register, settings: Target, partij: Leaving, pair: Pair) -> Preferred:
    """Send what one partij prefers, of which only what changed here. Raises TargetError."""
    try:
        body = preferences(partij)
    except ReferenceMissing:
        return Preferred(waits=True)
    marks, theirs = marks_of(body), str(UUID(bytes=pair.theirs or b""))
    kept, over = list[str](), list[str]()
    stays = pair.state == TAKEN and settings.on_existing == "keep"
    if pair.preferred is not None or stays:
        shown: Json = register.get(PATH, theirs) or {}
        merged = merge(pair.preferred, None, body, shown)
        if pair.preferred is None:
            kept = [name for name in differing(body, shown) if shown.get(name)]
        elif stays:
            kept = [*merged.both, *merged.there]
        over = [name for name in merged.both if name not in kept]
        body = {name: body[name] for name in merged.send if name not in kept}
    if body:
        try:
            register.patch(PATH, theirs, orjson.dumps(body))
        except Declined as error:
            return Preferred(marks, error.told, tuple(kept))
        except NotThere:
            return Preferred(marks, "gone")
    return Preferred(marks, kept=tuple(kept), overwritten=tuple(over))


def keep(store: Store, partij: Leaving, pair: Pair, outcome: Preferred) -> None:
    """Note what came of it."""
    if outcome.waits:
        return
    with store.write(synced=False) as connection:
        pairs.preferred(connection, partij.uuid, outcome.marks)
        if outcome.cause:
            pairs.complain(connection, partij.uuid, outcome.cause)
        if outcome.overwritten:
            lost = [*filter(None, pair.overwritten.split(", ")), *outcome.overwritten]
            pairs.overwrote(connection, partij.uuid, lost)
        if outcome.kept:
            pairs.keep(connection, partij.uuid, [*filter(None, pair.kept.split(", ")), *outcome.kept])
