"""What waits to be told to sources, and what an operator does about it (W9, W10, W12, W13): list, show, send, drop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from gateway.base.clock import now
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.edits import written_back
from gateway.store.operation import events
from gateway.store.operation import writeback as queue
from gateway.store.operation.sources import held_source
from gateway.store.operation.writeback import QueuedChange
from gateway.writeback.rehearsal import Rehearsed
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
    "gone": "Het object is er bij de bron niet meer: laat de wijziging vervallen (drop).",
    "not_taken": "De bron zei ja en bewaarde iets anders: kijk in het oude scherm, en stuur opnieuw of laat vervallen.",
}
_OTHERWISE: Final = (
    "De bron neemt deze velden niet aan: wijzig ze via de client, of laat de wijziging vervallen (drop)."
)

# What the log of events says of what an operator did about a change.
SENT_AGAIN, DROPPED = "terugschrijven {} opnieuw gestuurd", "terugschrijven {} vervallen"

# What tells of a change what would be sent.
Rehearse = Callable[[QueuedChange], Rehearsed]


class NoChange(Exception):
    """Nothing waits under this number; the text says so."""


@dataclass(frozen=True, slots=True)
class KindNumbers:
    """Of one kind: how much waits, of that how much failed before, since when the oldest waits (microseconds UTC) and
    for how many seconds, how much is parked; and what came of it since ever."""

    waiting: int = 0
    failing: int = 0
    oldest: int | None = None
    age: int | None = None
    parked: int = 0
    sent: int = 0
    refused: int = 0
    changed: int = 0
    unanswered: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class SourceNumbers:
    """Of one source: the numbers by kind (as in `[[source]] write_back`), and the findings by rule (W4-W10)."""

    kinds: dict[str, KindNumbers]
    findings: dict[str, int]


def numbers(store: Store) -> dict[str, SourceNumbers]:
    """All numbers of write-back, by source: for the status, the page and metrics. Sources without any are left out.

    Raises StoreErrors.
    """
    moment = now()
    with store.read() as connection:
        lengths, totals = queue.waiting(connection), queue.totals(connection)
        findings = queue.findings(connection)
    kinds: dict[str, dict[str, dict[str, Any]]] = {}
    for each in lengths:
        age = None if each.oldest is None else max(0, moment - each.oldest) // 1_000_000
        counts = {name: getattr(each, name) for name in ("waiting", "failing", "oldest", "parked")}
        kinds.setdefault(each.source, {})[each.kind] = counts | {"age": age}
    for source, kind, outcome, count in totals:
        kinds.setdefault(source, {}).setdefault(kind, {})[outcome.value] = count
    rules: dict[str, dict[str, int]] = {}
    for source, rule, count in findings:
        rules.setdefault(source, {})[rule] = count
    return {
        source: SourceNumbers(
            {kind: KindNumbers(**counts) for kind, counts in sorted(kinds.get(source, {}).items())},
            rules.get(source, {}),
        )
        for source in sorted({*kinds, *rules})
    }


def shown_numbers(each: SourceNumbers | None) -> dict[str, Any]:
    """The numbers of one source as JSON has them."""
    return asdict(each or SourceNumbers({}, {}))


def text(source: Mapping[str, Any]) -> str:
    """What waits of one source (`shown_numbers`), for people; blank when there is nothing."""
    kinds = source.get("kinds", {}).values()
    waiting, parked = (sum(each[name] for each in kinds) for name in ("waiting", "parked"))
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


def one(store: Store, number: int) -> dict[str, Any]:
    """The change of that number, as `listing` shows it. Raises NoChange."""
    return _shown(change_of(store, number))


def part(store: Store, *, parked: bool, after: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    """The next of what waits for an operator, or of what waits to be sent, after this number.

    Out: up to `limit` of them, and the number after which it goes on; None when there is no more.
    """
    with store.read() as connection:
        found = queue.part(connection, parked=parked, after=after, limit=limit + 1)
    more = len(found) > limit
    found = found[:limit]
    return [_shown(change) for change in found], found[-1].id if more else None


def send_again(store: Store, asked: Iterable[int], who: str, why: str = "") -> int:
    """`send`, one by one, each with its line in the log of events. Out: how many."""
    count = 0
    for number in asked:
        if send(store, [number]):
            _note(store, SENT_AGAIN.format(number), who, why)
            count += 1
    return count


def let_go(store: Store, number: int, who: str, why: str = "") -> dict[str, Any]:
    """`drop`, with its line in the log of events. Raises NoChange."""
    dropped = drop(store, number)
    _note(store, DROPPED.format(number), who, why)
    return dropped


def _note(store: Store, what: str, who: str, why: str) -> None:
    with store.write() as connection:
        events.note(connection, None, what, who, why)


def show(store: Store, number: int, rehearse: Rehearse | None, *, values: bool) -> dict[str, Any]:
    """One change, with what would be sent if it were sent now: the fields, with `values` what stands in them.

    `why` is why it would not go, or not through; blank when it would. `rehearse` None: its source is not configured.
    Raises NoChange.
    """
    change = change_of(store, number)
    told_now = rehearse(change) if rehearse else Rehearsed([], "de bron staat niet in de configuratie")
    return _shown(change) | {
        "calls": [
            {
                "call": f"{call.method} {call.kind}{' ' + call.uuid if call.uuid else ''}",
                "fields": call.body if values else sorted(call.body),
            }
            for call in told_now.calls
        ],
        "why": told_now.why,
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
        found = queue.of_number(connection, number)
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
