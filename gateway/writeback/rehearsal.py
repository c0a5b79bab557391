"""What would be sent for a change if it were sent now: the same code as sends it, with nothing sent and nothing kept.

The source is only read, and only for what sending it would read as well: whether it still has the value that a client
replaced, for one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple
from uuid import UUID

from gateway.base.clock import now
from gateway.config.model import Config
from gateway.fetch.coverage import CUTOVER
from gateway.fetch.fetcher import Fetcher
from gateway.legacy.errors import LegacyError
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.edits.written_back import WrittenBack
from gateway.store.operation.writeback import QueuedChange
from gateway.writeback.delivering import Courier
from gateway.writeback.sending import Parked, SourceSender, refusal

# Under this uuid what was not made would be at the source.
NOT_YET: Final = UUID(int=0)


class Planned(NamedTuple):
    """A call: the kind of object, which one it is about (blank for a new one), and what is sent."""

    method: str
    kind: str
    uuid: str
    body: dict[str, Any]


class _Undone(Exception):
    """The end of a transaction that leaves nothing."""


@dataclass(frozen=True)
class SendRehearsal(SourceSender):
    """A sender that writes down in `calls` what it would send."""

    calls: list[Planned] = field(default_factory=list)

    def bind(self, note: WrittenBack, found: dict[str, Any]) -> WrittenBack:
        """As if it were so."""
        uuid = UUID(str(found["url"]).rstrip("/").rpartition("/")[2])
        return replace(note, uuid=uuid.bytes, sent=self.said(note.kind, found))

    def must_have_landed(self, note: WrittenBack) -> None:
        """Nothing of a rehearsal is under way."""

    def delete(self, kind: str, uuid: str) -> None:
        """Written down."""
        self.calls.append(Planned("DELETE", kind, uuid, {}))

    def replace(
        self,
        change: QueuedChange,
        kind: str,
        uuid: str,
        body: dict[str, Any],
        shown: dict[str, Any],
        says: bytes,
        *,
        partial: bool,
    ) -> dict[str, Any]:
        """Written down; out: as a source shows it that did it."""
        self.calls.append(Planned("PATCH" if partial else "PUT", kind, uuid, body))
        return {**shown, **body}

    def take(self, kind: str, uuid: str) -> None:
        """There is nothing new to take."""

    def _create(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(Planned("POST", kind, "", body))
        return {**body, "url": self.client.url_of(kind, str(NOT_YET))}


def undoing(store: Store) -> Callable[[], AbstractContextManager[Session]]:
    """What begins transactions that are undone at their end."""

    @contextlib.contextmanager
    def write() -> Iterator[Session]:
        try:
            with store.write() as connection:
                yield connection
                raise _Undone
        except _Undone:
            return

    return write


class Rehearsed(NamedTuple):
    """What would be sent, and why it would not be all or not go through; blank when it would."""

    calls: list[Planned]
    why: str


def rehearse(fetcher: Fetcher, config: Config, change: QueuedChange) -> Rehearsed:
    """What would be sent for a change if it were sent now. Raises StoreErrors."""
    source = next(each for each in config.sources if each.name == fetcher.name)
    if change.kind not in source.write_back:
        return Rehearsed([], f"{change.kind} staat niet in write_back")
    if fetcher.state()[0] == CUTOVER:
        return Rehearsed([], "de bron is in fase cutover")
    uuids, write = fetcher.ingest.uuids, undoing(fetcher.store)
    sender = SendRehearsal(fetcher, source, config.mapping, uuids, write, now)
    try:
        Courier(sender, config).deliver(change)
    except Parked as error:
        return Rehearsed(sender.calls, f"zou op u wachten: {error.cause}")
    except LegacyError as error:
        refused = refusal(error)
        text = f"zou op u wachten: {refused.cause}" if isinstance(refused, Parked) else str(error)
        return Rehearsed(sender.calls, text)
    return Rehearsed(sender.calls, "")
