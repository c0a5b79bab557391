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
from gateway.store.export import documents, pairs
from gateway.store.export.documents import BEFORE_ALL, Leaving
from gateway.store.export.pairs import TAKEN, Pair
from gateway.store.file.database import Store
from gateway.target.client import Json, Register
from gateway.target.contents import ReferenceMissing, differing, preference_digest, preferences
from gateway.target.errors import Declined, NotThere
from jobs.common.crew import Crew

AT_ONCE = 200
PATH = "partijen"


class Preferred(NamedTuple):
    """What came of sending what a partij prefers: why not (blank: it was sent), and what the register keeps."""

    cause: str = ""
    kept: tuple[str, ...] = ()
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
    """Send what one partij prefers. Raises TargetError."""
    try:
        body = preferences(partij)
    except ReferenceMissing:
        return Preferred(waits=True)
    theirs, kept = str(UUID(bytes=pair.theirs or b"")), list[str]()
    if pair.state == TAKEN and settings.on_existing == "keep":
        shown: Json = register.get(PATH, theirs) or {}
        kept = [name for name in differing(body, shown) if shown.get(name)]
        body = {name: value for name, value in body.items() if name not in kept}
    if not body:
        return Preferred(kept=tuple(kept))
    try:
        register.patch(PATH, theirs, orjson.dumps(body))
    except Declined as error:
        return Preferred(error.told, tuple(kept))
    except NotThere:
        return Preferred("gone")
    return Preferred(kept=tuple(kept))


def keep(store: Store, partij: Leaving, pair: Pair, outcome: Preferred) -> None:
    """Note what came of it."""
    if outcome.waits:
        return
    with store.write(synced=False) as connection:
        pairs.preferred(connection, partij.uuid, preference_digest(partij))
        if outcome.cause:
            pairs.complain(connection, partij.uuid, outcome.cause)
        if outcome.kept:
            pairs.keep(connection, partij.uuid, [*filter(None, pair.kept.split(", ")), *outcome.kept])
