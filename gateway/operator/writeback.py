"""What waits to be told to sources, and what an operator does about it (W9, W10, W12, W13): list, show, send, drop."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from gateway.base.clock import now
from gateway.config.model import Config
from gateway.store.base.session import Session
from gateway.store.edits import written_back
from gateway.store.file.database import Store
from gateway.store.operation import writeback as queue
from gateway.store.operation.sources import held_source
from gateway.store.operation.writeback import QueuedChange
from gateway.writeback.delivering import Courier
from mappings.writeback import told

# What to do about what waits for an operator, by its cause; the others are codes of the source.
_ADVICE: Final = {
    told.CHANGED: (
        "De bron heeft intussen een andere waarde. Klopt die van de client, stuur haar dan (send); klopt die van de "
        "bron, laat de wijziging vervallen (drop)."
    ),
    "permission_denied": (
        "De bron geeft hier geen rechten voor: laat de autorisatie geven die klantbrug check noemt, en stuur opnieuw."
    ),
    "not_found": "Het object is er bij de bron niet meer: laat de wijziging vervallen (drop).",
    "not_taken": "De bron zei ja en bewaarde iets anders: kijk in het oude scherm, en stuur opnieuw of laat vervallen.",
}
_OTHERWISE: Final = (
    "De bron neemt deze velden niet aan: wijzig ze via de client, of laat de wijziging vervallen (drop)."
)


class NoChange(Exception):
    """Nothing waits under this number; the text says so."""


def overview(store: Store) -> dict[str, dict[str, dict[str, Any]]]:
    """How much waits, the oldest of it and how much is parked: by source and kind."""
    with store.read() as connection:
        lengths = queue.waiting(connection)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for each in lengths:
        numbers = {"waiting": each.waiting, "oldest": each.oldest, "parked": each.parked}
        found.setdefault(each.source, {})[each.kind] = numbers
    return found


def text(lengths: dict[str, dict[str, Any]]) -> str:
    """What waits of one source, for people; blank when there is nothing."""
    waiting = sum(each["waiting"] for each in lengths.values())
    parked = sum(each["parked"] for each in lengths.values())
    parts = []
    if waiting:
        parts.append(f"{waiting} wachten op versturen")
    if parked:
        parts.append(f"{parked} wachten op u (klantbrug writeback list)")
    return f"Terugschrijven: {', '.join(parts)}." if parts else ""


def listing(store: Store, source: str = "", *, parked: bool = False) -> list[dict[str, Any]]:
    """What waits, with what to do about what is parked; without values."""
    with store.read() as connection:
        return [_shown(change) for change in queue.listing(connection, source, parked=parked)]


def show(
    store: Store, config: Config, number: int, courier: Courier | None, *, values: bool
) -> dict[str, Any]:
    """One change, with what would be sent if it were sent now: the fields, with `values` what stands in them.

    `courier` is that of its source; None when that must not be asked. Raises NoChange.
    """
    change = change_of(store, number)
    calls = courier.planned(change) if courier else []
    return _shown(change) | {
        "calls": [
            {
                "call": f"{call.method} {call.kind}{' ' + call.step if call.step else ''}",
                "fields": call.body if values else sorted(call.body),
            }
            for call in calls
        ]
    }


def send(store: Store, numbers: list[int]) -> int:
    """Let changes that are parked go again; one that the source changed meanwhile whatever it has. Out: how many."""
    count = 0
    for number in numbers:
        try:
            change = change_of(store, number)
        except NoChange:
            continue
        with store.write() as connection:
            count += queue.send(connection, [number], now(), force=change.cause == told.CHANGED)
    return count


def drop(store: Store, number: int) -> dict[str, Any]:
    """Forget a change: the source keeps what it has. Raises NoChange."""
    change = change_of(store, number)
    with store.write() as connection:
        queue.drop(connection, number)
        if shown := change.message.get("shown"):  # what the source has is right: it counts as what was sent
            source = held_source(connection, change.source) or 0
            for note in written_back.of_document(connection, source, change.document):
                if note.kind == "contactmoment":
                    written_back.say(connection, note.id, bytes.fromhex(shown), now())
    return _shown(change)


def change_of(store: Store, number: int) -> QueuedChange:
    """The change of that number. Raises NoChange."""
    with store.read() as connection:
        found = next((each for each in queue.listing(connection) if each.id == number), None)
    if found is None:
        raise NoChange(f"Er wacht niets met nummer {number}; zie klantbrug writeback list.")
    return found


def sent(connection: Session, document: UUID) -> list[dict[str, Any]]:
    """What was sent of a document, when and as what; and what still waits of it."""
    notes = written_back.all_of_document(connection, document.bytes)
    waits = queue.of_document(connection, document.bytes)
    found: list[dict[str, Any]] = [
        {
            "source": source,
            "kind": note.kind,
            "uuid": str(UUID(bytes=note.uuid)) if note.uuid else None,
            "sent": note.done or note.asked,
            "known": note.uuid is not None,
        }
        for source, note in notes
    ]
    return found + [_shown(change) for change in waits]


def _shown(change: QueuedChange) -> dict[str, Any]:
    return {
        "id": change.id,
        "source": change.source,
        "kind": change.kind,
        "document": str(UUID(bytes=change.document)),
        "part": change.part,
        "since": change.created,
        "attempts": change.attempts,
        "next_try": change.next_try if change.parked is None else None,
        "parked": change.parked,
        "cause": change.cause,
        "fields": change.fields,
        "advice": _ADVICE.get(change.cause or "", _OTHERWISE) if change.parked is not None else "",
    }
