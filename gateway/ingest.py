"""The one path by which legacy data enters the store: raw objects in, documents out, one transaction a batch.

A live request, a backfill page and a repair all call `Ingest.take`; what was removed goes through `Ingest.remove`.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from gateway.merging import Merging
from gateway.representing import today
from gateway.store import legacy as rows
from gateway.store import rebuilding, ties
from gateway.store.claims import (
    NewClaim,
    digest_of,
    identities_to_merge,
    insert_claims,
    take_claims,
    zaken_of_contacts,
)
from gateway.store.database import Store, now
from gateway.store.editing import take_up
from gateway.store.erasing import note_erased
from gateway.store.kinds import (
    GONE,
    LEFT_OUT,
    NO_PARTY,
    ON_A_ZAAK,
    QUARANTINED,
    TRANSLATED,
    UNREADABLE,
    WAITING,
)
from gateway.store.packing import pack, unpack
from gateway.store.representation import givers
from gateway.tying import FREE, TIES, TYING, point, state_of_zaken, tie_of
from mappings.findings import Finding, Severity, Untranslatable
from mappings.identity import Uuids
from mappings.klantcontacten import too_confidential
from mappings.rollen import Claim
from mappings.settings import VERTROUWELIJKHEIDAANDUIDINGEN, Settings
from mappings.translate import Translated, translate, uuid_bytes_in

BATCH = 200
ZAKEN_AT_ONCE = 50
# What says something of a partij or actor.
SAYING = ("rol", "klant", "contactmoment")
TRANSLATION_STAGE = 1
NO_ZAAK = Finding(
    "M34", "zaak", Severity.DROPPED, "zaak niet in te zien of verdwenen: rollen en contacten niet overgenomen"
)


@dataclass(slots=True)
class Result:
    """What an ingest did: counts, and what the caller should fetch next.

    `unknown_zaken` are waited for by objects just taken; `refetch_zaken` became visible again, so their rollen
    and klantcontacten must be asked for, and so are the contactmomenten `refetch_moments`; `new` are the
    uuids that were not held before.
    """

    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    unknown_zaken: set[UUID] = field(default_factory=set)
    refetch_zaken: set[UUID] = field(default_factory=set)
    refetch_moments: set[UUID] = field(default_factory=set)
    new: set[bytes] = field(default_factory=set)

    def add(self, other: Result) -> None:
        """Add the outcome of another batch."""
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.quarantined += other.quarantined
        self.unknown_zaken |= other.unknown_zaken
        self.refetch_zaken |= other.refetch_zaken
        self.refetch_moments |= other.refetch_moments
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
        # By source, the addresses that the contactmoment of a zaakcontactmoment may lie under, by name (M32).
        self.addresses: dict[str, dict[str, str]] = {}
        self.today = today  # the day is an input of the translation (M1, M26)

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

    def retry(self, source: str, kind: str, uuids: Iterable[UUID]) -> Result:
        """Translate again what is held in quarantine (M3); out: `quarantined` are those that stay there."""
        with self.store.write() as connection:
            work = _Batch(self, connection, source)
            work.retry(kind, [uuid.bytes for uuid in uuids])
        return work.result

    def again(
        self,
        source: str,
        held: Sequence[rebuilding.Held],
        only: bool,
        also: Callable[[sqlite3.Connection, Result], None],
    ) -> Result:
        """Translate held objects of a source again and make what comes from them, as the mapping is now.

        For a rebuild, which shows it the objects of all sources (or `only` of this one) in the order of their rows:
        what several of them make together is made at the first. `also` runs in the same transaction.
        """
        looked_at = [(each, self._look_again(source, each)) for each in held]
        with self.store.write() as connection:
            work = _Batch(self, connection, source)
            # Zaken first: what they become decides on what belongs to them.
            for zaken in (True, False):
                part = [(each.id, item) for each, item in looked_at if (each.kind == "zaak") is zaken]
                if part:
                    work.again(part, only)
            also(connection, work.result)
        return work.result

    def _look_again(self, source: str, held: rebuilding.Held) -> Incoming:
        text = unpack(held.body)
        raw = orjson.loads(text)
        zaak, digest = _zaak_in(held.kind, held.uuid, raw), _digest(text)
        item = Incoming(held.kind, held.uuid, zaak, raw, text, digest, body=held.body)
        self.translate(source, item)
        return item

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
                merging = self.merging(connection)
                owners = {UUID(item["owner"] or item["uuid"]).bytes for item in lifted}
                merging.identities |= identities_to_merge(connection, owners)
                merging.zaken |= zaken_of_contacts(connection, owners)
                merging.zaken |= {zaak for zaken in givers(connection, owners).values() for zaak in zaken}
                merging.finish()
        return len(lifted)

    def merging(self, connection: sqlite3.Connection) -> Merging:
        """The recomputation of documents, for one transaction."""
        return Merging(connection, self.uuids, self.settings, self.today())

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
            item.body = pack(item.text)
        return self.translate(source, item)

    def look_at(self, kind: str, raw: dict[str, Any]) -> Incoming:
        """An object as it would be taken; nothing is written."""
        return _incoming(kind, raw)

    def translate(self, source: str, item: Incoming) -> Translated | Untranslatable:
        """Translate one object, once."""
        if item.translated is None:
            try:
                item.translated = translate(item.kind, item.raw, source, self.settings)
                if item.kind == "zaakcontactmoment":
                    point(item.translated, self.addresses.get(source, {}))
            except Untranslatable as error:
                item.translated = error
        return item.translated


def _incoming(kind: str, raw: dict[str, Any]) -> Incoming:
    if "_expand" in raw:
        raw = {name: value for name, value in raw.items() if name != "_expand"}
    text = orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)
    digest = _digest(text)
    uuid = uuid_bytes_in(raw.get("uuid")) or uuid_bytes_in(raw.get("url"))
    return Incoming(kind, uuid or digest, _zaak_in(kind, uuid, raw), raw, text, digest)


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()


def _zaak_in(kind: str, uuid: bytes | None, raw: dict[str, Any]) -> bytes | None:
    """The zaak of a legacy object that is known by this uuid; of a zaak it is that zaak itself."""
    if kind == "zaak":
        return uuid
    field_name = "zaak"
    if kind == "objectcontactmoment" and raw.get("objectType") == "zaak":
        field_name = "object"
    return uuid_bytes_in(raw.get(field_name))


def _body(claim: Claim) -> str:
    return orjson.dumps(claim.body(), option=orjson.OPT_SORT_KEYS).decode()


def state_of(kind: str, translated: Translated | Untranslatable, zaak: int | None, settings: Settings) -> int:
    """What becomes of an object (see kinds.py); `zaak` is the state of its zaak, None when that is not held (M34)."""
    if kind == "zaak":
        if isinstance(translated, Untranslatable):
            return QUARANTINED
        aanduiding = translated.facts["vertrouwelijkheidaanduiding"]
        secret = too_confidential(aanduiding, settings.max_vertrouwelijkheidaanduiding)
        return LEFT_OUT if secret else TRANSLATED
    if zaak == LEFT_OUT:
        return LEFT_OUT
    if isinstance(translated, Untranslatable):
        return QUARANTINED
    if zaak in (UNREADABLE, GONE):
        return UNREADABLE
    if zaak != TRANSLATED:
        return WAITING
    return NO_PARTY if kind == "rol" and not translated.claims else TRANSLATED


class _Batch:
    """One transaction's work: writes raw objects, then recomputes the documents that they touch."""

    def __init__(self, ingest: Ingest, connection: sqlite3.Connection, source: str) -> None:
        self.ingest = ingest
        self.connection = connection
        self.source_name = source
        self.source = rows.source_id(connection, source)
        self.now = now()
        self.result = Result()
        self.merging = ingest.merging(connection)
        self.spoken: dict[int, list[Finding]] = {}
        self.said: list[NewClaim] = []
        # Zaken of which nothing is held but themselves.
        self.bare: set[bytes] = set()
        self.tied: set[ties.Moment] = set()

    def take(self, batch: Sequence[Incoming]) -> None:
        """Take a batch of objects of one kind."""
        if not batch:
            return
        kind = batch[0].kind
        held = rows.raw_rows(self.connection, self.source, kind, [item.uuid for item in batch])
        zaken = self._zaken({item.zaak for item in batch if item.zaak}) if kind != "zaak" else {}
        if kind == "zaak":
            uuids = {item.uuid for item in batch}
            self.bare = uuids - rows.zaken_with_content(self.connection, self.source, uuids)
        changed: list[tuple[Incoming, rows.RawRow | None]] = []
        for item in batch:
            row = held.get(item.uuid)
            if row is not None and self._stays(item, row, zaken):
                self.result.unchanged += 1
            else:
                changed.append((item, row))
        self.result.changed += len(changed)
        self._put(kind, changed, zaken)
        rows.seen(self.connection, [row.id for row in held.values()], self.now)
        self._finish()

    def remove(self, kind: str, uuids: list[bytes]) -> None:
        """Remove objects; a zaak goes with all of it, and one that was never held is remembered as gone."""
        held = rows.raw_rows(self.connection, self.source, kind, uuids)
        self.merging.erasing = True
        for uuid in uuids:
            row = held.get(uuid)
            if kind == "zaak":
                known = row is not None and row.state in (TRANSLATED, LEFT_OUT, QUARANTINED)
                for content in ON_A_ZAAK[:3]:  # what hangs on it in another API is still there
                    found = rows.raw_of_zaak(self.connection, self.source, uuid, content)
                    if known:
                        note_erased(self.connection, content, [each.uuid for each in found])
                        self._delete(content, found)
                if not known:
                    self.zaak_without_content(uuid, GONE)
                    continue
            if row is not None:
                note_erased(self.connection, kind, [row.uuid])
                self._delete(kind, [row])
                if kind == "zaak" and rows.raw_of_zaak(self.connection, self.source, uuid, ON_A_ZAAK[3]):
                    self.zaak_without_content(uuid, GONE)
        self._finish()

    def retry(self, kind: str, uuids: list[bytes]) -> None:
        """Translate again what is in quarantine, from what is held: the source did not show it just now."""
        held = rows.raw_rows(self.connection, self.source, kind, uuids)
        zaken = self._zaken({row.zaak for row in held.values() if row.zaak}) if kind != "zaak" else {}
        changed: list[tuple[Incoming, rows.RawRow | None]] = []
        for row in held.values():
            if row.state != QUARANTINED:
                continue
            body = rows.raw_body(self.connection, row.id)
            item = _incoming(kind, orjson.loads(unpack(body or b"")))
            if self._stays(item, row, zaken):
                self.result.quarantined += 1
            else:
                changed.append((item, row))
        self.result.changed += len(changed)
        self._put(kind, changed, zaken)
        self._finish()

    def again(self, looked_at: Sequence[tuple[int, Incoming]], only: bool) -> None:
        """Translate held objects (rows) again; one that is gone or was taken anew meanwhile is right already."""
        ids = [row for row, _ in looked_at]
        held = rows.raws(self.connection, ids)
        said = rebuilding.said(self.connection, ids)
        zaken = self._zaken({item.zaak for _, item in looked_at if item.zaak})
        changed: dict[str, list[tuple[Incoming, rows.RawRow | None]]] = defaultdict(list)
        for number, item in looked_at:
            row = held.get(number)
            if row is None or row.uuid != item.uuid or (row.digest or item.digest) != item.digest:
                continue
            if self._says_the_same(item, row, said.get(number, set()), zaken):
                self.result.unchanged += 1
            else:
                changed[item.kind].append((item, row))
                self.result.changed += 1
        for kind, found in changed.items():
            self._put(kind, found, zaken)
        source = self.source if only else None
        self.merging.identities |= rebuilding.first_said(self.connection, ids, source)
        self.merging.zaken |= rebuilding.zaken_to_do(self.connection, ids)
        self._touch_moments([item.uuid for _, item in looked_at if item.kind == "contactmoment"])
        ties_among = [row for row, item in looked_at if item.kind in TIES]
        self.tied |= ties.moments_of_raws(self.connection, ties_among) if ties_among else set()
        self._finish()

    def _says_the_same(
        self, item: Incoming, row: rows.RawRow, said: set[rebuilding.Said], zaken: dict[bytes, int]
    ) -> bool:
        """Is an object held as it is translated now? Its findings are noted again either way."""
        translated = self.ingest.translate(self.source_name, item)
        state = self._state(item, translated, zaken)
        facts: str | None = None
        says: set[rebuilding.Said] = set()
        findings: list[Finding] = []
        if isinstance(translated, Untranslatable):
            if state == QUARANTINED and row.state == QUARANTINED:
                rows.quarantine(self.connection, row.id, translated.reason, self.now)
        elif state == TRANSLATED:
            facts = orjson.dumps(translated.facts).decode()
            says = {
                (claim.facet, claim.moment, digest_of(claim.facet, _body(claim)))
                for claim in translated.claims
            }
            findings = translated.findings
        self.spoken[row.id] = findings
        return (row.zaak, row.state, row.digest, row.facts, said) == (
            item.zaak,
            state,
            item.digest,
            facts,
            says,
        )

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
        self._write_said()
        self._judge_moments()
        self._write_said()
        found = [(row, finding) for row, findings in self.spoken.items() for finding in findings]
        rows.put_findings(self.connection, TRANSLATION_STAGE, self.spoken, found)
        self.spoken.clear()
        self.merging.finish()

    # Objects that are new or say something else

    def _put(
        self, kind: str, objects: Sequence[tuple[Incoming, rows.RawRow | None]], zaken: dict[bytes, int]
    ) -> None:
        """Write objects of one kind, each with its row when it is held."""
        self._forget(kind, [row for _, row in objects if row is not None])
        contents = [self._content(item, zaken) for item, _ in objects]
        fresh = [
            (item.uuid, content)
            for (item, row), content in zip(objects, contents, strict=True)
            if row is None
        ]
        self.result.new |= {uuid for uuid, _ in fresh}
        ids = iter(rows.insert_raws(self.connection, self.source, kind, fresh, self.now))
        numbers = [next(ids) if row is None else row.id for _, row in objects]
        for (_, row), content in zip(objects, contents, strict=True):
            if row is not None:
                rows.update_raw(self.connection, row.id, content)
        moved = {
            (self.source, row.zaak)
            for item, row in objects
            if row is not None and row.zaak is not None and row.zaak != item.zaak
        }
        rows.delete_empty_zaken(self.connection, moved)
        for (item, row), number, content in zip(objects, numbers, contents, strict=True):
            self._follow(item, row, number, content.state, zaken)

    def _content(self, item: Incoming, zaken: dict[bytes, int]) -> rows.Content:
        """An object as it is written; of what is left out nothing but its uuid (M34)."""
        translated = self.ingest.prepare(self.source_name, item)
        state = self._state(item, translated, zaken)
        content = rows.Content(item.zaak, state)
        if state != LEFT_OUT:
            content.digest, content.body = item.digest, item.body
            if state == TRANSLATED and isinstance(translated, Translated):
                content.facts = orjson.dumps(translated.facts).decode()
        return content

    def _follow(
        self, item: Incoming, row: rows.RawRow | None, row_id: int, state: int, zaken: dict[bytes, int]
    ) -> None:
        """What follows from an object that was written: quarantine, what it says, what depends on it."""
        translated = self.ingest.translate(self.source_name, item)
        if item.kind in TYING:
            self._tie(item, row_id, state, translated)
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
        if item.kind in FREE or (item.kind == "objectcontactmoment" and item.zaak is None):
            zaak: int | None = TRANSLATED
        elif item.kind == "contactmoment":
            zaak = state_of_zaken(self.connection, self.source, item.uuid)
        else:
            zaak = zaken.get(item.zaak) if item.zaak else None
        return state_of(item.kind, translated, zaak, self.ingest.settings)

    def _stays(self, item: Incoming, row: rows.RawRow, zaken: dict[bytes, int]) -> bool:
        """Is nothing to be done about an object that is held? What was left out or in quarantine is judged again."""
        if row.state == LEFT_OUT or (row.state == QUARANTINED and row.digest == item.digest):
            translated = self.ingest.prepare(self.source_name, item)
            # Left out with a digest: a verify does not trust it.
            return self._state(item, translated, zaken) == row.state and row.digest in (None, item.digest)
        if row.digest != item.digest:
            return False
        if row.state == WAITING and item.zaak and item.zaak not in zaken:
            self.result.unknown_zaken.add(UUID(bytes=item.zaak))
        return True

    def _speak(self, kind: str, row: int, uuid: bytes, zaak: bytes | None, translated: Translated) -> None:
        """Let a readable object of a readable zaak have its say: claims, findings, its zaak's contacts."""
        if kind in SAYING:
            self.said += [
                NewClaim(row, uuid, claim.facet, claim.moment, _body(claim), claim.keys)
                for claim in translated.claims
            ]
        if translated.findings:
            self.spoken[row] = translated.findings
        if kind == "klant":
            self.merging.moments |= ties.moments_of(self.connection, self.source, "klant", [uuid])
        elif kind in TIES:
            self.tied |= ties.moments_of_raws(self.connection, [row])
        elif kind == "contactmoment":
            self._touch_moments([uuid])
        elif zaak is not None:
            self.merging.zaken.add((self.source, zaak))

    def _forget(self, kind: str, found: Sequence[rows.RawRow]) -> None:
        """Take back what objects said, before they change, wait or go."""
        if not found:
            return
        self._write_said()
        ids = [row.id for row in found]
        if kind == "klant":
            numbers = ties.numbers_of_raws(self.connection, ids)
            self.merging.identities |= ties.identities_of_numbers(self.connection, numbers)
            klanten = [row.uuid for row in found]
            self.merging.moments |= ties.moments_of(self.connection, self.source, "klant", klanten)
        elif kind in TIES:
            self.tied |= ties.moments_of_raws(self.connection, ids)
            self.merging.subjects |= ties.subjects_made_of(self.connection, ids)
        elif kind == "contactmoment":
            self._touch_moments([row.uuid for row in found])
        if kind in SAYING:
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

    def _write_said(self) -> None:
        self.merging.identities |= insert_claims(self.connection, self.said)
        self.said.clear()

    # A zaak, and what depends on it

    def _zaken(self, uuids: Iterable[bytes]) -> dict[bytes, int]:
        held = rows.raw_rows(self.connection, self.source, "zaak", list(uuids))
        return {uuid: row.state for uuid, row in held.items()}

    def _zaak_changed(self, uuid: bytes, before: rows.RawRow | None, state: int) -> None:
        self.merging.zaken.add((self.source, uuid))
        if before is not None and before.state == state:
            self.tied |= ties.moments_of(self.connection, self.source, "zaak", [uuid])
        else:
            if uuid not in self.bare:
                self._judge_content(uuid, state)
            if before is not None and state == TRANSLATED:
                self.result.refetch_zaken.add(UUID(bytes=uuid))

    def _judge_content(self, zaak: bytes, state: int) -> None:
        """A zaak became readable, secret or unreadable: what hangs on it follows (M33, M34)."""
        self.tied |= ties.moments_of(self.connection, self.source, "zaak", [zaak])
        for kind in ON_A_ZAAK:
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

    def _again(self, kind: str, row: rows.RawRow, zaak: bytes | None, zaak_state: int) -> None:
        """Translate a held object again, now that its zaak is known."""
        body = rows.raw_body(self.connection, row.id)
        item = _incoming(kind, orjson.loads(unpack(body or b"")))
        translated = self.ingest.translate(self.source_name, item)
        state = self._state(item, translated, {zaak: zaak_state} if zaak else {})
        facts = None
        if isinstance(translated, Untranslatable):
            rows.quarantine(self.connection, row.id, translated.reason, self.now)
        elif state == TRANSLATED:
            facts = orjson.dumps(translated.facts).decode()
            self._speak(kind, row.id, row.uuid, zaak, translated)
        rows.set_state(self.connection, [row.id], state, facts)

    # Contactmomenten, and what they are tied to

    def _tie(self, item: Incoming, row: int, state: int, translated: Translated | Untranslatable) -> None:
        """Note what an object ties a contactmoment to; of what is left out too, for the contactmoment follows it."""
        self.tied |= ties.moments_of_raws(self.connection, [row])
        tie = None
        if isinstance(translated, Translated) and (state != LEFT_OUT or item.kind != "contactmoment"):
            tie = tie_of(item.kind, item.uuid, translated)
        ties.put_tie(self.connection, self.source, row, tie)
        self.tied |= ties.moments_of_raws(self.connection, [row])

    def _judge_moments(self) -> None:
        """Contactmomenten whose ties or zaken changed become readable, secret or unreadable with them."""
        touched = [contact for source, contact in sorted(self.tied) if source == self.source]
        self.tied.clear()
        for row in rows.raw_rows(self.connection, self.source, "contactmoment", touched).values():
            zaken = state_of_zaken(self.connection, self.source, row.uuid)
            wanted = WAITING if zaken is None else zaken
            if row.state in (wanted, QUARANTINED) and LEFT_OUT not in (row.state, wanted):
                continue
            if wanted == LEFT_OUT and row.state != LEFT_OUT:
                self._forget("contactmoment", [row])
                rows.update_raw(self.connection, row.id, rows.Content(None, LEFT_OUT))
                ties.put_tie(self.connection, self.source, row.id, None)
            elif wanted != LEFT_OUT and row.state == LEFT_OUT:
                self._delete("contactmoment", [row])
                self.result.refetch_moments.add(UUID(bytes=row.uuid))
            elif wanted != LEFT_OUT:
                self._forget("contactmoment", [row])
                self._again("contactmoment", row, None, wanted)
        self._touch_moments(touched)

    def _touch_moments(self, contacts: Sequence[bytes]) -> None:
        """Have the klantcontacten of these contactmomenten made again, and of those that came after them."""
        self.merging.moments |= {(self.source, contact) for contact in contacts}
        self.merging.moments |= ties.moments_of(self.connection, self.source, "vorig", contacts)
