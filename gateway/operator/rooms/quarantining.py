"""What an operator does about objects in quarantine: have them translated again, let them be."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple
from uuid import UUID

from gateway.base.clock import now
from gateway.config.model import Source
from gateway.operator.rooms import ordering
from gateway.operator.rooms.notes import note
from gateway.store.base.store import Store
from gateway.store.legacy import quarantine, untranslated_keys
from gateway.store.operation import events

# Translates again what is held: source, kind, uuids.
Retry = Callable[[str, str, list[UUID]], object]


class Retried(NamedTuple):
    """Of how many: which are right now, which still can't be read, and which the source must be asked for (ordered)."""

    well: int
    left: int
    asked: int


def retry(
    store: Store, sources: Collection[Source], again: Retry, rows: Collection[int], who: str, why: str
) -> Retried:
    """Translate these again; of what is not held any more the jobs process asks the source."""
    with store.read() as connection:
        chosen = quarantine.of_rows(connection, rows)
    if chosen:
        note(store, f"quarantaine: {len(chosen)} opnieuw geprobeerd", who, why)
    for each in chosen:
        if not each.emptied:
            again(each.source, each.kind, [each.uuid])
    with store.read() as connection:
        still = {each.row for each in quarantine.of_rows(connection, rows)}
    emptied = [each for each in chosen if each.emptied]
    for source in sources:
        if any(each.source == source.name for each in emptied):
            ordering.look_again(store, source, who)
    left = sum(each.row in still for each in chosen if not each.emptied)
    return Retried(len(chosen) - len(emptied) - left, left, len(emptied))


def dismiss(store: Store, rows: Collection[int], who: str, why: str) -> int:
    """Let these be: kept, not counted any more until the source gives them changed. Out: how many."""
    with store.write() as connection:
        chosen = [each for each in quarantine.of_rows(connection, rows) if each.dismissed is None]
        quarantine.dismiss(connection, [each.row for each in chosen], now())
        untranslated_keys.settle(connection)
        if chosen:
            events.note(connection, None, f"quarantaine: {len(chosen)} laten rusten", who, why)
    return len(chosen)
