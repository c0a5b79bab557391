"""One change at one source, never twice (W2): what was sent is noted before, and what came of it after.

Of a call without an answer nobody knows whether it was done. Before it is sent again the source is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from gateway.base import clock
from gateway.config.model import Source
from gateway.fetch.fetcher import Fetcher
from gateway.fetch.visit import Visit
from gateway.ingest.written_back import chosen
from gateway.legacy.client import changes
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.errors import BadRequest, Forbidden, LegacyError, NotFound
from gateway.store.base.session import Session
from gateway.store.edits import written_back
from gateway.store.edits.written_back import WrittenBack
from gateway.store.operation import writeback as queue
from gateway.store.operation.writeback import QueuedChange
from mappings.identity.identity import Uuids
from mappings.model.settings import Settings
from mappings.values.uuids import uuid_bytes_in
from mappings.writeback.recognising import key_digest, natural_key, said_digest

SECOND: Final = 1_000_000
_PATIENCE: Final = 60.0
# Refusals of this one thing; others are of the source as a whole.
_DENIED: Final = "permission_denied"
# Kinds of which the source takes no second one that is the same: sending them again does no harm.
_REFUSED_TWICE: Final = frozenset(
    {"klantcontact", "klant", "klantcontactmoment", "objectcontactmoment", "zaakcontactmoment"}
)
# Kinds that say something of their own, by which they are known again.
_NAMED: Final = frozenset({"klantcontact", "contactmoment", "klant"})

# From the note of what was sent to the objects of the source among which it is, when it is there.
Looks = Callable[[WrittenBack], Sequence[dict[str, Any]]]


class Parked(Exception):
    """Only an operator can help: a code, the names of the fields that it is about, and the digest of what the source
    shows when that is the trouble."""

    def __init__(self, cause: str, fields: Sequence[str] = (), shown: bytes = b"") -> None:
        super().__init__(cause)
        self.cause = cause
        self.fields = ", ".join(fields)
        self.shown = shown.hex()


class StillUnderWay(Exception):
    """What was sent before may still be under way: it is looked for again at `moment` (microseconds UTC)."""

    def __init__(self, moment: int) -> None:
        super().__init__()
        self.moment = moment


@dataclass(frozen=True)
class SourceSender:
    """What one source is told with: its client, the store, and the rules. All that goes to a source goes through here.

    `write` begins a transaction of the job; `clock` gives microseconds UTC.
    """

    fetcher: Fetcher
    source: Source
    settings: Settings
    uuids: Uuids
    write: Callable[[], AbstractContextManager[Session]]
    clock: Callable[[], int]

    @property
    def client(self) -> ZakenClient:
        """The way to the source. Raises CutOver."""
        return self.fetcher.client

    def read(self) -> AbstractContextManager[Session]:
        """The store as it is now."""
        return self.fetcher.store.read()

    def said(self, kind: str, raw: dict[str, Any]) -> bytes:
        """The digest of what an object says; of a tie nothing."""
        return said_digest(self.uuids, kind, raw) if kind in _NAMED else b""

    def create(
        self, kind: str, document: bytes, step: str, body: dict[str, Any], look: Looks, hint: str = ""
    ) -> WrittenBack:
        """Make an object at the source unless it is there already. Out: the note of it, with its uuid.

        `hint` is kept for `look`. Raises Parked, StillUnderWay and
        LegacyErrors; after those it may be there or not.
        """
        natural = key_digest(self.uuids, kind, natural_key(kind, body)) if kind in _NAMED else None
        sent = self.said(kind, body)
        with self.read() as connection:
            notes = written_back.of_document(connection, self.fetcher.source, document)
        before = next((note for note in notes if (note.kind, note.step) == (kind, step)), None)
        if before is not None:
            if before.uuid is not None:
                return before
            if found := self.find(before, look):
                return self.bind(before, found)
            self.must_be_settled(before)
        facts = (self.fetcher.source, kind, document, step, hint, natural, sent)
        with self.write() as connection:
            if before is not None and kind not in _REFUSED_TWICE:
                written_back.forget(connection, before.id)  # it surely is not there
            note = written_back.begin(connection, *facts, self.clock())
        try:
            made = self._create(kind, body)
        except LegacyError as error:
            if changes.unknown(error):
                with self.write() as connection:  # it may have waited long before it was sent
                    written_back.begin(connection, *facts, self.clock())
                raise
            # A refusal of the second one may tell that the first was taken; so may another's with our key.
            if (before or _is_taken(error)) and (found := self.find(note, look)):
                return self.bind(note, found)
            if before is None:
                with self.write() as connection:
                    written_back.forget(connection, note.id)
            raise refusal(error) from None
        return self.bind(note, made)

    def must_be_settled(self, note: WrittenBack) -> None:
        """Raise StillUnderWay while what was sent without an answer, and may be there twice, may still come to be."""
        if note.kind not in _REFUSED_TWICE:
            self.must_have_landed(note)

    def must_have_landed(self, note: WrittenBack) -> None:
        """Raise StillUnderWay while what was sent without an answer may still come to be."""
        settled = note.asked + (self.source.call_timeout + 1) * SECOND
        if self.clock() < settled:
            raise StillUnderWay(settled)

    def find(self, note: WrittenBack, look: Looks) -> dict[str, Any] | None:
        """The object of the source that was sent and whose answer was lost, None when it isn't there."""
        kind = note.kind
        objects = [each for each in look(note) if uuid_bytes_in(each.get("url"))]
        if kind in _NAMED:
            objects = [
                each
                for each in objects
                if key_digest(self.uuids, kind, natural_key(kind, each)) == note.natural_key
            ]
        with self.read() as connection:
            taken = written_back.bound(
                connection, self.fetcher.source, kind, [_uuid(each) for each in objects]
            )
            alike = written_back.unknown(connection, self.fetcher.source, kind).get(
                note.natural_key or b"", []
            )
        for each in objects:
            if _uuid(each) in taken:
                continue
            if kind not in _NAMED or chosen(alike or [note], self.said(kind, each)) == note:
                return each
        return None

    def bind(self, note: WrittenBack, found: dict[str, Any]) -> WrittenBack:
        """What was sent is this object of the source. Out: the note as it is now."""
        with self.write() as connection:
            said = self.said(note.kind, found)
            written_back.bind(connection, note.id, _uuid(found), said, self.clock())
            notes = written_back.of_document(connection, self.fetcher.source, note.document)
        return next(each for each in notes if each.id == note.id)

    def remove(self, note: WrittenBack) -> None:
        """Have an object gone that write-back made; and the note of it, by which it is known when it lands after all.

        Raises Parked, StillUnderWay and LegacyErrors.
        """
        if note.uuid is None:
            self.must_have_landed(note)
        else:
            self.delete(note.kind, str(UUID(bytes=note.uuid)))
        with self.write() as connection:
            written_back.forget(connection, note.id)

    def delete(self, kind: str, uuid: str) -> None:
        """Have an object of the source gone. Raises Parked and LegacyErrors."""
        try:
            changes.delete(self.client, kind, uuid)
        except LegacyError as error:
            raise _of_a_change(error) from None

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
        """Change an object, `partial` in these fields only. Out: how it is shown now.

        In: how it was shown just before, and the digest of what it says when it is done (see `was_sent`). Raises
        Parked, StillUnderWay (see `wait_for_older`) and LegacyErrors.
        """
        self.wait_for_older(change, kind, uuid, says)
        target = f"{kind} {uuid}"
        until = self.clock() + (self.source.call_timeout + 1) * SECOND
        with self.write() as connection:
            queue.begin_call(connection, change, target, queue.UnderWay(until, says.hex()))
        try:
            changes.replace(self.client, kind, uuid, body, partial=partial)
        except LegacyError as error:
            raise _of_a_change(error) from None
        return self.client.get(kind, uuid)

    def wait_for_older(self, change: QueuedChange, kind: str, uuid: str, says: bytes) -> None:
        """Raise StillUnderWay while another value, sent before for this change without an answer, may still arrive.

        Else that one, which is older by now, would be there last.
        """
        before = queue.under_way(change, f"{kind} {uuid}")
        if before and before.says != says.hex() and self.clock() < before.until:
            raise StillUnderWay(before.until)

    def was_sent(self, change: QueuedChange, kind: str, uuid: str, says: bytes) -> bool:
        """Was it this change that made an object say so? Then nobody else changed it at the source."""
        before = queue.under_way(change, f"{kind} {uuid}")
        return before is not None and before.says == says.hex()

    def take(self, kind: str, uuid: str) -> None:
        """What the source shows now is taken as it is: then nothing is left for sync to find."""
        self.fetcher.fetch(Visit(clock.monotonic() + _PATIENCE), kind, UUID(uuid))

    def _create(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        return changes.create(self.client, kind, body)


def _of_a_change(error: LegacyError) -> Exception:
    """What a change that went wrong comes to; of one without an answer the error itself."""
    return error if changes.unknown(error) else refusal(error)


def refusal(error: LegacyError) -> Exception:
    """What a refusal comes to: Parked for this one thing (W10), else the error itself, which is of the source."""
    if error.temporary:
        return error
    if isinstance(error, Forbidden):
        return Parked(error.code) if error.code == _DENIED else error
    if isinstance(error, BadRequest) and error.status is not None:
        codes = sorted({code for _, code in error.wrong}) or [f"status_{error.status}"]
        return Parked(", ".join(codes), [name for name, _ in error.wrong])
    if isinstance(error, NotFound):
        return Parked(error.cause)
    return error


def _is_taken(error: LegacyError) -> bool:
    """Does a refusal say that there is one of that number already?"""
    return isinstance(error, BadRequest) and any("uni" in code for _, code in error.wrong)


def _uuid(found: dict[str, Any]) -> bytes:
    uuid = uuid_bytes_in(found["url"])
    if uuid is None:
        raise ValueError("an object of a source without a uuid")
    return uuid
