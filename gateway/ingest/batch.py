"""One transaction of ingest: writes raw objects and what they say, and recomputes what they touch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import orjson

from gateway.base.clock import now
from gateway.ingest.claim_writer import ClaimWriter
from gateway.ingest.dependents import Dependents
from gateway.ingest.documents.recompute import Recomputation
from gateway.ingest.incoming import Incoming, Translator, incoming
from gateway.ingest.invisible_objects import InvisibleObjects
from gateway.ingest.outcome import Result
from gateway.ingest.ties import TYING
from gateway.ingest.written_back import recognised
from gateway.store.base.compression import unpack
from gateway.store.base.kinds import (
    GONE,
    HIDDEN,
    LEFT_OUT,
    ON_A_ZAAK,
    QUARANTINED,
    TRANSLATED,
    UNREADABLE,
    WAITING,
)
from gateway.store.legacy import objects as rows
from gateway.store.legacy import quarantine, visibility
from gateway.store.legacy.erased import note_erased
from gateway.store.operation.sources import source_id
from mappings.model.findings import Finding, Severity, Untranslatable
from mappings.model.translated import Translated
from mappings.standards import KINDS

# Deleted with its zaak. What is about the zaak in another API still exists when the zaak is deleted.
DELETED_WITH_ZAAK = tuple(kind for kind in ON_A_ZAAK if KINDS[kind].api == KINDS["zaak"].api)
KEPT_WITHOUT_ZAAK = tuple(kind for kind in ON_A_ZAAK if kind not in DELETED_WITH_ZAAK)
NO_ZAAK = Finding(
    "M34", "zaak", Severity.DROPPED, "zaak niet in te zien of verdwenen: rollen en contacten niet overgenomen"
)


class Batch:
    """One transaction's work: writes raw objects, then recomputes the documents that they touch."""

    def __init__(self, translator: Translator, recomputation: Recomputation, source: str) -> None:
        self.translator = translator
        self.recomputation = recomputation
        self.touched = recomputation.touched
        self.connection = connection = recomputation.connection
        self.source_name = source
        self.source = source_id(connection, source)
        self.now = now()
        self.result = Result()
        self.invisible = InvisibleObjects(connection, translator, source, self.source, self.now)
        self.claims = ClaimWriter(
            connection, self.source, recomputation.touched, recomputation.sealing, self.invisible, self.result
        )
        self.dependents = Dependents(self.claims)

    def take(self, batch: Sequence[Incoming], asked: int) -> None:
        """Take a batch of objects of one kind; `asked` is when they were asked for, 0 for just now."""
        if not batch:
            return
        kind = batch[0].kind
        if ours := recognised(self.connection, self.source, kind, batch, self.translator.uuids, asked):
            batch = [item for item in batch if item.uuid not in ours]
            self.result.unchanged += len(ours)
        held = rows.raw_rows(self.connection, self.source, kind, [item.uuid for item in batch])
        zaken = self._zaken({item.zaak for item in batch if item.zaak}) if kind != "zaak" else {}
        if kind == "zaak":
            uuids = {item.uuid for item in batch}
            self.dependents.bare = uuids - rows.zaken_with_content(self.connection, self.source, uuids)
        self.dependents.look_up(kind, [item.uuid for item in batch])
        changed: list[tuple[Incoming, rows.RawRow | None]] = []
        older = self._older(batch, held, asked) if asked else set()
        self.result.doubtful |= {(kind, UUID(bytes=uuid)) for uuid in older}
        for item in batch:
            row = held.get(item.uuid)
            if item.uuid in older:
                held.pop(item.uuid, None)
            elif row is not None and self._stays(item, row, zaken):
                self.result.unchanged += 1
            else:
                changed.append((item, row))
        self.result.changed += len(changed)
        self._put(kind, changed, zaken)
        visibility.seen(self.connection, [row.id for row in held.values()], self.now)
        self._finish()

    def _older(self, batch: Sequence[Incoming], held: Mapping[bytes, rows.RawRow], asked: int) -> set[bytes]:
        """What this answer has otherwise than it was seen, or found gone, after the answer was asked for.

        A page can be under way while a notification of one of its objects is dealt with.
        """
        changed = [
            row.id
            for item in batch
            if (row := held.get(item.uuid)) and not self.invisible.is_unchanged(item, row)
        ]
        others = [item.uuid for item in batch if item.uuid not in held]
        return visibility.known_since(self.connection, changed, others, asked, self.now)

    def remove(self, kind: str, uuids: list[bytes]) -> None:
        """Remove objects; a zaak goes with all of it, and one that was never held is remembered as gone."""
        held = rows.raw_rows(self.connection, self.source, kind, uuids)
        self.recomputation.erasing = True
        if kind == "zaak":
            for uuid in uuids:
                self._remove_zaak(uuid, held.get(uuid))
        else:
            self._erase(kind, list(held.values()))
        self._finish()

    def _remove_zaak(self, uuid: bytes, row: rows.RawRow | None) -> None:
        if row is None or row.state not in (TRANSLATED, LEFT_OUT, QUARANTINED):
            self.zaak_without_content(uuid, GONE)
            return
        for content in DELETED_WITH_ZAAK:
            self._erase(content, rows.raw_of_zaak(self.connection, self.source, uuid, content))
        self._erase("zaak", [row])
        if any(
            rows.raw_of_zaak(self.connection, self.source, uuid, content) for content in KEPT_WITHOUT_ZAAK
        ):
            self.zaak_without_content(uuid, GONE)

    def _erase(self, kind: str, found: Sequence[rows.RawRow]) -> None:
        """Delete objects that the source destroyed."""
        if found:
            note_erased(self.connection, kind, [row.uuid for row in found])
            self.claims.delete(kind, found)

    def retry(self, kind: str, uuids: list[bytes]) -> None:
        """Translate again what is in quarantine, from what is held: the source did not show it just now."""
        held = rows.raw_rows(self.connection, self.source, kind, uuids)
        zaken = self._zaken({row.zaak for row in held.values() if row.zaak}) if kind != "zaak" else {}
        changed: list[tuple[Incoming, rows.RawRow | None]] = []
        for row in held.values():
            if row.state != QUARANTINED:
                continue
            if row.emptied:  # only the source has it
                self.result.quarantined += 1
                continue
            body = rows.raw_body(self.connection, row.id)
            item = incoming(kind, orjson.loads(unpack(body or b"")))
            if self._stays(item, row, zaken):
                self.result.quarantined += 1
                self.invisible.note_keys(item, row.id, row.state, None)
                if kind == "zaak":
                    self.dependents.judge_content(row.uuid, row.state)
            else:
                changed.append((item, row))
        self.result.changed += len(changed)
        self._put(kind, changed, zaken)
        self._finish()

    def leave_out(self, zaken: Sequence[rows.RawRow]) -> None:
        """Leave out zaken that were readable until now."""
        for row in zaken:
            rows.update_raw(self.connection, row.id, rows.Content(row.uuid, LEFT_OUT))
            self.dependents.zaak_changed(row.uuid, row, LEFT_OUT)
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
            visibility.set_invisible(self.connection, row)
        else:
            visibility.seen(self.connection, [row], self.now)
        self.dependents.judge_content(uuid, state)
        rows.delete_empty_zaken(self.connection, [(self.source, uuid)])
        if rows.raw_rows(self.connection, self.source, "zaak", [uuid]):
            self.claims.findings[row] = [NO_ZAAK]
        self._finish()

    def _finish(self) -> None:
        self.claims.write()
        self.dependents.judge_moments()
        self.claims.write()
        self.claims.finish()
        self.recomputation.finish()

    # Objects that are new or say something else

    def _put(
        self, kind: str, objects: Sequence[tuple[Incoming, rows.RawRow | None]], zaken: dict[bytes, int]
    ) -> None:
        """Write objects of one kind, each with its row when it is held."""
        self.dependents.look_up(kind, [item.uuid for item, _ in objects])
        contents = [self._content(item, row, zaken) for item, row in objects]
        self.dependents.forget()
        held = [
            (row, content) for (_, row), content in zip(objects, contents, strict=True) if row is not None
        ]
        settled = {
            row.id: row.zaak
            for row, content in held
            if kind == "rol" and row.zaak is not None and _same_to_its_zaak(row, content)
        }
        self.claims.withdraw(kind, [row for row, _ in held], settled)
        fresh = [
            (item.uuid, content)
            for (item, row), content in zip(objects, contents, strict=True)
            if row is None
        ]
        self.result.new |= {uuid for uuid, _ in fresh}
        ids = iter(rows.insert_raws(self.connection, self.source, kind, fresh, self.now))
        numbers = [next(ids) if row is None else row.id for _, row in objects]
        rows.change_raws(self.connection, self.source, kind, held)
        moved = {
            (self.source, row.zaak)
            for item, row in objects
            if row is not None and row.zaak is not None and row.zaak != item.zaak
        }
        rows.delete_empty_zaken(self.connection, moved)
        if kind in TYING:
            self.dependents.tie(
                {
                    number: (item, content.state)
                    for (item, _), number, content in zip(objects, numbers, contents, strict=True)
                }
            )
        for (item, row), number, content in zip(objects, numbers, contents, strict=True):
            self._follow(item, row, number, content.state, zaken)

    def _content(self, item: Incoming, row: rows.RawRow | None, zaken: dict[bytes, int]) -> rows.Content:
        """An object as it is written. Of what is left out that is nothing but its uuid (M34). What was emptied stays
        empty for as long as nobody may see it (M2)."""
        translated = self.translator.prepare(self.source_name, item)
        state = self.dependents.state_of(item, translated, zaken)
        content = rows.Content(item.zaak, state)
        if row is not None and row.emptied and state in HIDDEN:
            content.digest = self.translator.emptied_digest(item.digest)
        elif state != LEFT_OUT:
            content.digest, content.body = item.digest, item.body
            if state == TRANSLATED and isinstance(translated, Translated):
                content.facts = orjson.dumps(translated.facts).decode()
        return content

    def _follow(
        self, item: Incoming, row: rows.RawRow | None, row_id: int, state: int, zaken: dict[bytes, int]
    ) -> None:
        """What follows from an object that was written: quarantine, what it says, what depends on it."""
        translated = self.translator.translate(self.source_name, item)
        if state == QUARANTINED and isinstance(translated, Untranslatable):
            quarantine.put(self.connection, row_id, translated.reason, self.now)
            self.result.quarantined += 1
        emptied = row is not None and row.emptied
        self.invisible.note_keys(
            item, row_id, state, zaken.get(item.zaak) if item.zaak else None, emptied=emptied
        )
        if row is not None:
            self.invisible.hide(row, state)
        if item.kind == "zaak":
            self.dependents.zaak_changed(item.uuid, row, state)
        elif state == TRANSLATED and isinstance(translated, Translated):
            self.claims.add(item.kind, row_id, item.uuid, item.zaak, translated)
        elif state == WAITING and item.zaak is not None and item.zaak not in zaken:
            self.result.unknown_zaken.add(UUID(bytes=item.zaak))

    def _stays(self, item: Incoming, row: rows.RawRow, zaken: dict[bytes, int]) -> bool:
        """Is nothing to be done about an object that is held? What was left out or in quarantine is judged again."""
        same = self.invisible.is_unchanged(item, row)
        if row.state == LEFT_OUT or (same and (row.emptied or row.state == QUARANTINED)):
            translated = self.translator.prepare(self.source_name, item)
            if self.dependents.state_of(item, translated, zaken) != row.state:
                return False
            if row.state != WAITING:
                return same or row.digest is None  # left out with a digest: a verify does not trust it
        if not same:
            return False
        if row.state == WAITING and item.zaak and item.zaak not in zaken:
            self.result.unknown_zaken.add(UUID(bytes=item.zaak))
        return True

    def _zaken(self, uuids: Iterable[bytes]) -> dict[bytes, int]:
        return rows.states(self.connection, self.source, "zaak", uuids)


def _same_to_its_zaak(row: rows.RawRow, content: rows.Content) -> bool:
    """Does a rol say what its zaak needs to know of it just as before? Whom it is about is seen afterwards."""
    return row.state == content.state == TRANSLATED and (row.zaak, row.facts) == (content.zaak, content.facts)
