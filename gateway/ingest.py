"""The one path by which legacy data enters the store: raw objects in, documents out, one transaction a batch.

A live request, a backfill page and a repair all call `Ingest.take`; what was removed goes through `Ingest.remove`.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from gateway.merging import Merging
from gateway.store import legacy as rows
from gateway.store.claims import identities_to_merge, insert_claim, take_claims, zaken_of_contacts
from gateway.store.database import Store, now
from gateway.store.editing import take_up
from gateway.store.kinds import (
    GONE,
    LEFT_OUT,
    NO_PARTY,
    QUARANTINED,
    TRANSLATED,
    UNREADABLE,
    WAITING,
)
from mappings.findings import Finding, Severity, Untranslatable
from mappings.identity import Uuids
from mappings.klantcontacten import too_confidential
from mappings.settings import VERTROUWELIJKHEIDAANDUIDINGEN, Settings
from mappings.translate import Translated, translate, uuid_in

BATCH = 200
ZAKEN_AT_ONCE = 50
TRANSLATION_STAGE = 1
NO_ZAAK = Finding(
    "M34", "zaak", Severity.DROPPED, "zaak niet in te zien of verdwenen: rollen en contacten niet overgenomen"
)
COMPRESSION = 1


@dataclass(slots=True)
class Result:
    """What an ingest did: counts, and what the caller should fetch next.

    `unknown_zaken` are waited for by objects just taken; `refetch_zaken` became visible again, so their rollen
    and klantcontacten must be asked for; `new` are the uuids that were not held before.
    """

    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    unknown_zaken: set[UUID] = field(default_factory=set)
    refetch_zaken: set[UUID] = field(default_factory=set)
    new: set[bytes] = field(default_factory=set)

    def add(self, other: Result) -> None:
        """Add the outcome of another batch."""
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.quarantined += other.quarantined
        self.unknown_zaken |= other.unknown_zaken
        self.refetch_zaken |= other.refetch_zaken
        self.new |= other.new


@dataclass(slots=True)
class Incoming:
    """A legacy object on its way in; `translated` and `body` are made outside the transaction."""

    kind: str
    uuid: bytes
    zaak: bytes | None
    raw: dict[str, Any]
    text: bytes
    digest: bytes
    translated: Translated | Untranslatable | None = None
    body: bytes = b""


class Ingest:
    """Takes legacy objects into one store, by the rules of one `[mapping]`."""

    def __init__(self, store: Store, settings: Settings, uuid_secret: str) -> None:
        self.store = store
        self.settings = settings
        self.uuids = Uuids(uuid_secret)

    def take(
        self,
        source: str,
        kind: str,
        objects: Sequence[dict[str, Any]],
        also: Callable[[sqlite3.Connection, Result], None] | None = None,
    ) -> Result:
        """Take objects of one kind as the legacy gave them.

        `also` runs in the transaction of the last batch, with the outcome so far (a job's cursor). Taking the
        same again changes nothing.
        """
        incoming = self._read(source, kind, objects)
        result = Result()
        batches = [incoming[start : start + BATCH] for start in range(0, len(incoming), BATCH)] or [[]]
        for number, batch in enumerate(batches, start=1):
            with self.store.write() as connection:
                work = _Batch(self, connection, source)
                work.take(batch)
                result.add(work.result)
                if also is not None and number == len(batches):
                    also(connection, result)
        return result

    def remove(self, source: str, kind: str, uuids: Iterable[UUID]) -> Result:
        """Remove objects that the legacy no longer has (404), with all that came from them (M35)."""
        with self.store.write() as connection:
            work = _Batch(self, connection, source)
            work.remove(kind, [uuid.bytes for uuid in uuids])
        return work.result

    def refused(self, source: str, kind: str, uuid: UUID) -> Result:
        """The legacy refuses to show an object (403): kept when held; a zaak that was never seen makes nothing."""
        with self.store.write() as connection:
            work = _Batch(self, connection, source)
            held = rows.raw_rows(connection, work.source, kind, [uuid.bytes]).get(uuid.bytes)
            if kind == "zaak" and (held is None or held.state in (UNREADABLE, GONE)):
                work.zaak_without_content(uuid.bytes, UNREADABLE)
            elif held is not None:
                rows.set_invisible(connection, held.id)
        return work.result

    def restore(self, uuid: UUID) -> int:
        """Bring back a document from the legacy that a client deleted, with what went along (M19).

        Out: how many documents were hidden by that deletion; 0 when there was none.
        """
        with self.store.write() as connection:
            lifted = take_up(connection, uuid)
            if lifted:
                merging = Merging(connection, self.uuids, self.settings)
                owners = {UUID(item["owner"] or item["uuid"]).bytes for item in lifted}
                merging.identities |= identities_to_merge(connection, owners)
                merging.zaken |= zaken_of_contacts(connection, owners)
                merging.finish()
        return len(lifted)

    def leave_out_above(self, source: str) -> int:
        """Leave out the held zaken above the configured maximum, with all of them (M34); out: how many.

        For a maximum that was lowered: what may no longer be shown goes at once, not at the next backfill.
        """
        order = VERTROUWELIJKHEIDAANDUIDINGEN
        above = order[order.index(self.settings.max_vertrouwelijkheidaanduiding) + 1 :]
        count = 0
        while True:
            with self.store.write() as connection:
                work = _Batch(self, connection, source)
                found = rows.zaken_with(connection, work.source, above, ZAKEN_AT_ONCE)
                work.leave_out(found)
            count += len(found)
            if not found:
                return count

    def _read(self, source: str, kind: str, objects: Sequence[dict[str, Any]]) -> list[Incoming]:
        incoming = {}
        for raw in objects:
            item = _incoming(kind, raw)
            incoming[item.uuid] = item
        with self.store.read() as connection:
            number = rows.held_source(connection, source)
            held = rows.raw_rows(connection, number, kind, list(incoming)) if number else {}
        for item in incoming.values():
            before = held.get(item.uuid)
            if before is None or before.digest != item.digest:
                self.prepare(source, item)
        return list(incoming.values())

    def prepare(self, source: str, item: Incoming) -> Translated | Untranslatable:
        """Translate and compress one object, once."""
        if not item.body:
            item.body = zlib.compress(item.text, COMPRESSION)
        return self.translate(source, item)

    def translate(self, source: str, item: Incoming) -> Translated | Untranslatable:
        """Translate one object, once."""
        if item.translated is None:
            try:
                item.translated = translate(item.kind, item.raw, source, self.settings)
            except Untranslatable as error:
                item.translated = error
        return item.translated


def _incoming(kind: str, raw: dict[str, Any]) -> Incoming:
    raw = {name: value for name, value in raw.items() if name != "_expand"}
    text = orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.blake2b(text, digest_size=16).digest()
    uuid = uuid_in(raw.get("uuid")) or uuid_in(raw.get("url"))
    zaak = uuid if kind == "zaak" else uuid_in(raw.get("zaak"))
    return Incoming(kind, uuid.bytes if uuid else digest, zaak.bytes if zaak else None, raw, text, digest)


class _Batch:
    """One transaction's work: writes raw objects, then recomputes the documents that they touch."""

    def __init__(self, ingest: Ingest, connection: sqlite3.Connection, source: str) -> None:
        self.ingest = ingest
        self.connection = connection
        self.source_name = source
        self.source = rows.source_id(connection, source)
        self.now = now()
        self.result = Result()
        self.merging = Merging(connection, ingest.uuids, ingest.settings)
        self.spoken: dict[int, list[Finding]] = {}

    def take(self, batch: Sequence[Incoming]) -> None:
        """Take a batch of objects of one kind."""
        if not batch:
            return
        kind = batch[0].kind
        held = rows.raw_rows(self.connection, self.source, kind, [item.uuid for item in batch])
        zaken = self._zaken({item.zaak for item in batch if item.zaak}) if kind != "zaak" else {}
        seen = []
        for item in batch:
            row = held.get(item.uuid)
            if row is not None:
                seen.append(row.id)
            if row is not None and self._stays(item, row, zaken):
                self.result.unchanged += 1
            else:
                self._put(item, row, zaken)
                self.result.changed += 1
        rows.seen(self.connection, seen, self.now)
        self._finish()

    def remove(self, kind: str, uuids: list[bytes]) -> None:
        """Remove objects; a zaak goes with all of it, and one that was never held is remembered as gone."""
        held = rows.raw_rows(self.connection, self.source, kind, uuids)
        for uuid in uuids:
            row = held.get(uuid)
            if kind == "zaak":
                known = row is not None and row.state in (TRANSLATED, LEFT_OUT, QUARANTINED)
                for content in ("rol", "klantcontact"):
                    found = rows.raw_of_zaak(self.connection, self.source, uuid, content)
                    if known:
                        self._delete(content, found)
                if not known:
                    self.zaak_without_content(uuid, GONE)
                    continue
            if row is not None:
                self._delete(kind, [row])
        self._finish()

    def leave_out(self, zaken: Sequence[rows.RawRow]) -> None:
        """Leave out zaken that were readable until now."""
        for row in zaken:
            rows.update_raw(self.connection, row.id, rows.Content(row.uuid, LEFT_OUT))
            self._zaak_changed(row.uuid, row, LEFT_OUT)
        self._finish()

    def zaak_without_content(self, uuid: bytes, state: int) -> None:
        """Note a zaak that can't be read: its rollen and klantcontacten make nothing (M34).

        A zaak that nothing waits for is not noted: anybody may ask for a uuid that never was.
        """
        held = rows.raw_rows(self.connection, self.source, "zaak", [uuid]).get(uuid)
        if held is None:
            row = rows.insert_raw(
                self.connection, self.source, "zaak", uuid, rows.Content(uuid, state), self.now
            )
        else:
            row = held.id
            rows.set_state(self.connection, [row], state)
        if state == UNREADABLE:
            rows.set_invisible(self.connection, row)
        else:
            rows.seen(self.connection, [row], self.now)
        self._judge_content(uuid, state)
        if not rows.delete_empty_zaken(self.connection, [(self.source, uuid)]):
            self.spoken[row] = [NO_ZAAK]
        self._finish()

    def _finish(self) -> None:
        found = [(row, finding) for row, findings in self.spoken.items() for finding in findings]
        rows.put_findings(self.connection, TRANSLATION_STAGE, self.spoken, found)
        self.spoken.clear()
        self.merging.finish()

    # One object

    def _put(self, item: Incoming, row: rows.RawRow | None, zaken: dict[bytes, int]) -> None:
        translated = self.ingest.prepare(self.source_name, item)
        state = self._state(item, translated, zaken)
        content = rows.Content(item.zaak, state)
        if state != LEFT_OUT:
            content.digest, content.body = item.digest, item.body
            if state == TRANSLATED and isinstance(translated, Translated):
                content.facts = orjson.dumps(translated.facts).decode()
        if row is None:
            row_id = rows.insert_raw(self.connection, self.source, item.kind, item.uuid, content, self.now)
            self.result.new.add(item.uuid)
        else:
            row_id = row.id
            self._forget(item.kind, [row])
            rows.update_raw(self.connection, row_id, content)
            rows.seen(self.connection, [row_id], self.now)
            if row.zaak is not None and row.zaak != item.zaak:
                rows.delete_empty_zaken(self.connection, [(self.source, row.zaak)])
        if state == QUARANTINED and isinstance(translated, Untranslatable):
            rows.quarantine(self.connection, row_id, translated.reason, self.now)
            self.result.quarantined += 1
        if item.kind == "zaak":
            self._zaak_changed(item.uuid, row, state)
        elif state == TRANSLATED and isinstance(translated, Translated):
            self._speak(item.kind, row_id, item.uuid, item.zaak, translated)
        elif state == WAITING and item.zaak is not None and item.zaak not in zaken:
            self.result.unknown_zaken.add(UUID(bytes=item.zaak))

    def _state(self, item: Incoming, translated: Translated | Untranslatable, zaken: dict[bytes, int]) -> int:
        if item.kind == "zaak":
            if isinstance(translated, Untranslatable):
                return QUARANTINED
            aanduiding = translated.facts["vertrouwelijkheidaanduiding"]
            maximum = self.ingest.settings.max_vertrouwelijkheidaanduiding
            return LEFT_OUT if too_confidential(aanduiding, maximum) else TRANSLATED
        zaak = zaken.get(item.zaak) if item.zaak else None
        if zaak == LEFT_OUT:
            return LEFT_OUT
        if isinstance(translated, Untranslatable):
            return QUARANTINED
        if zaak in (UNREADABLE, GONE):
            return UNREADABLE
        if zaak != TRANSLATED:
            return WAITING
        return NO_PARTY if item.kind == "rol" and not translated.claims else TRANSLATED

    def _stays(self, item: Incoming, row: rows.RawRow, zaken: dict[bytes, int]) -> bool:
        """Is nothing to be done about an object that is held? What was left out or in quarantine is judged again."""
        if row.state == LEFT_OUT or (row.state == QUARANTINED and row.digest == item.digest):
            translated = self.ingest.prepare(self.source_name, item)
            return self._state(item, translated, zaken) == row.state
        if row.digest != item.digest:
            return False
        if row.state == WAITING and item.zaak and item.zaak not in zaken:
            self.result.unknown_zaken.add(UUID(bytes=item.zaak))
        return True

    def _speak(self, kind: str, row: int, uuid: bytes, zaak: bytes | None, translated: Translated) -> None:
        """Let a readable object of a readable zaak have its say: claims, findings, its zaak's contacts."""
        if kind == "rol":
            for claim in translated.claims:
                body = orjson.dumps(claim.body(), option=orjson.OPT_SORT_KEYS).decode()
                self.merging.identities |= insert_claim(
                    self.connection, row, uuid, claim.facet, claim.moment, body, claim.keys
                )
        if translated.findings:
            self.spoken[row] = translated.findings
        if zaak is not None:
            self.merging.zaken.add((self.source, zaak))

    def _forget(self, kind: str, found: Sequence[rows.RawRow]) -> None:
        """Take back what objects said, before they change, wait or go."""
        ids = [row.id for row in found]
        if kind == "rol":
            identities, documents, statements = take_claims(self.connection, ids)
            self.merging.identities |= identities
            self.merging.parties |= documents
            self.merging.statements |= statements
        elif kind == "klantcontact":
            self.merging.contacts |= rows.document_ids(
                self.connection, "klantcontact", [row.uuid for row in found]
            )
        self.merging.zaken |= {(self.source, row.zaak) for row in found if row.zaak is not None}
        for row in ids:
            self.spoken.pop(row, None)
        rows.delete_findings(self.connection, ids)
        rows.release(self.connection, ids)

    def _delete(self, kind: str, found: Sequence[rows.RawRow]) -> None:
        self._forget(kind, found)
        rows.delete_raw(self.connection, [row.id for row in found])
        rows.delete_empty_zaken(
            self.connection, {(self.source, row.zaak) for row in found if row.zaak is not None}
        )
        self.result.changed += len(found)

    # A zaak, and what depends on it

    def _zaken(self, uuids: Iterable[bytes]) -> dict[bytes, int]:
        held = rows.raw_rows(self.connection, self.source, "zaak", list(uuids))
        return {uuid: row.state for uuid, row in held.items()}

    def _zaak_changed(self, uuid: bytes, before: rows.RawRow | None, state: int) -> None:
        self.merging.zaken.add((self.source, uuid))
        if before is None or before.state != state:
            self._judge_content(uuid, state)
            if before is not None and state == TRANSLATED:
                self.result.refetch_zaken.add(UUID(bytes=uuid))

    def _judge_content(self, zaak: bytes, state: int) -> None:
        """A zaak became readable, secret or unreadable: its rollen and klantcontacten follow (M33, M34)."""
        for kind in ("rol", "klantcontact"):
            for row in rows.raw_of_zaak(self.connection, self.source, zaak, kind):
                if state == LEFT_OUT:
                    self._forget(kind, [row])
                    rows.update_raw(self.connection, row.id, rows.Content(zaak, LEFT_OUT))
                elif row.state == LEFT_OUT:
                    self._delete(kind, [row])
                    self.result.refetch_zaken.add(UUID(bytes=zaak))
                elif row.state != QUARANTINED:
                    self._forget(kind, [row])
                    self._again(kind, row, zaak, state)

    def _again(self, kind: str, row: rows.RawRow, zaak: bytes, zaak_state: int) -> None:
        """Translate a held object again, now that its zaak is known."""
        body = rows.raw_body(self.connection, row.id)
        item = _incoming(kind, orjson.loads(zlib.decompress(body or b"")))
        translated = self.ingest.translate(self.source_name, item)
        state = self._state(item, translated, {zaak: zaak_state})
        facts = None
        if isinstance(translated, Untranslatable):
            rows.quarantine(self.connection, row.id, translated.reason, self.now)
        elif state == TRANSLATED:
            facts = orjson.dumps(translated.facts).decode()
            self._speak(kind, row.id, row.uuid, zaak, translated)
        rows.set_state(self.connection, [row.id], state, facts)
