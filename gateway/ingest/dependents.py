"""What depends on a zaak, or on what ties it to one: it follows when that becomes readable, secret or unreadable."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

import orjson

from gateway.ingest.claim_writer import ClaimWriter
from gateway.ingest.incoming import Incoming, incoming, state_of
from gateway.ingest.ties import TYING, decided_by_ties, deciding_state, states_by_ties, tie_of
from gateway.store.base.compression import unpack
from gateway.store.base.kinds import (
    GONE,
    LEFT_OUT,
    ON_A_ZAAK,
    QUARANTINED,
    TRANSLATED,
    UNREADABLE,
    WAITING,
)
from gateway.store.legacy import objects as rows
from gateway.store.legacy import quarantine, ties
from gateway.store.operation.inbox import requeue
from mappings.model.findings import Untranslatable
from mappings.model.ties import Tie
from mappings.model.translated import Translated


def kept_tie(item: Incoming, state: int, translated: Translated | Untranslatable) -> Tie | None:
    """What an object ties, as far as it is kept; None for nothing."""
    if item.kind not in TYING or isinstance(translated, Untranslatable):
        return None
    if state == LEFT_OUT and item.kind == "contactmoment":
        return None
    return tie_of(item.kind, item.uuid, translated)


class Dependents:
    """What follows, for one batch of one source, from the state of zaken and from ties (M33, M34).

    `bare` are zaken of which nothing is held but themselves.
    """

    def __init__(self, claims: ClaimWriter) -> None:
        self.claims = claims
        self.invisible = claims.invisible
        self.result = claims.result
        self.touched = claims.touched
        self.connection = claims.connection
        self.source = claims.source
        self.source_name = self.invisible.name
        self.translator = self.invisible.translator
        self.now = self.invisible.now
        self.bare: set[bytes] = set()
        # Of contactmomenten, the states by their ties; for as long as no tie changes.
        self._by_ties: dict[bytes, int | None] = {}

    def look_up(self, kind: str, uuids: Collection[bytes]) -> None:
        """Look up at once what decides on these objects, for `state_of`; until `forget`."""
        if decided_by_ties(kind) and (new := set(uuids) - self._by_ties.keys()):
            self._by_ties |= states_by_ties(self.connection, self.source, new)

    def forget(self) -> None:
        """Forget it: what is written from here on may change it."""
        self._by_ties.clear()

    def state_of(
        self, item: Incoming, translated: Translated | Untranslatable, zaken: Mapping[bytes, int]
    ) -> int:
        """What becomes of an object; `zaken` are the states of those that are known."""
        by_ties = self._by_ties
        if decided_by_ties(item.kind) and item.uuid not in by_ties:
            by_ties = states_by_ties(self.connection, self.source, [item.uuid])
        zaak = deciding_state(item.kind, item.uuid, item.zaak, zaken, by_ties)
        return state_of(item.kind, translated, zaak, self.translator.settings)

    def zaak_changed(self, uuid: bytes, before: rows.RawRow | None, state: int) -> None:
        """A zaak was written, in this state; `before` is what was held of it."""
        self.touched.add_zaken([(self.source, uuid)])
        if before is not None and before.state == state:
            self.claims.of_zaken.add(uuid)
        else:
            if uuid not in self.bare:
                self.judge_content(uuid, state)
            if before is not None and state == TRANSLATED:
                self._refetch("zaak", uuid)

    def judge_content(self, zaak: bytes, state: int) -> None:
        """A zaak became readable, secret or unreadable: what hangs on it follows (M33, M34)."""
        self.claims.tied |= ties.moments_of(self.connection, self.source, "zaak", [zaak])
        for kind in ON_A_ZAAK:
            for row in rows.raw_of_zaak(self.connection, self.source, zaak, kind):
                if state == LEFT_OUT:
                    self.claims.withdraw(kind, [row])
                    rows.update_raw(self.connection, row.id, rows.Content(zaak, LEFT_OUT))
                elif row.state == LEFT_OUT:
                    if state == TRANSLATED:
                        self._refetch("zaak", zaak)
                    else:  # the zaak is no longer there to be read; what ties contacts to it is
                        for _, contact in ties.moments_of_raws(self.connection, [row.id]):
                            self._refetch("contactmoment", contact)
                    self.claims.delete(kind, [row])
                elif row.emptied:
                    self.invisible.touched |= row.state == QUARANTINED
                    self._judge_emptied(row, state, "zaak", zaak)
                elif row.state == QUARANTINED:
                    self.invisible.touched = True  # it counts only where its zaak may be seen
                else:
                    self.claims.withdraw(kind, [row])
                    self._again(kind, row, zaak, state)

    def tie(self, objects: Mapping[int, tuple[Incoming, int]]) -> None:
        """Note what objects tie contactmomenten to; of what is left out too, for the contactmoment follows it.

        In: by row, each with its state.
        """
        kept = {
            row: kept_tie(item, state, self.translator.translate(self.source_name, item))
            for row, (item, state) in objects.items()
        }
        self.claims.tied |= ties.moments_of_raws(self.connection, kept)
        ties.put_ties(self.connection, self.source, kept)
        self.claims.tied |= {(self.source, tie.contact) for tie in kept.values() if tie is not None}

    def judge_moments(self) -> None:
        """Contactmomenten whose ties or zaken changed become readable, secret or unreadable with them."""
        touched = [contact for source, contact in sorted(self.claims.tied) if source == self.source]
        self.claims.tied.clear()
        held = rows.raw_rows(self.connection, self.source, "contactmoment", touched).values()
        by_ties = states_by_ties(self.connection, self.source, [row.uuid for row in held])
        for row in held:
            zaken = by_ties[row.uuid]
            wanted = WAITING if zaken is None else zaken
            if row.state in (wanted, QUARANTINED) and LEFT_OUT not in (row.state, wanted):
                continue
            if wanted == LEFT_OUT and row.state != LEFT_OUT:
                self.claims.withdraw("contactmoment", [row])
                rows.update_raw(self.connection, row.id, rows.Content(None, LEFT_OUT))
                ties.put_ties(self.connection, self.source, {row.id: None})
            elif wanted != LEFT_OUT and row.state == LEFT_OUT:
                self.claims.delete("contactmoment", [row])
                self._refetch("contactmoment", row.uuid)
            elif row.emptied and wanted != LEFT_OUT:
                self._judge_emptied(row, wanted, "contactmoment", row.uuid)
            elif wanted != LEFT_OUT:
                self.claims.withdraw("contactmoment", [row])
                self._again("contactmoment", row, None, wanted)
        self.claims.touch_moments(touched)

    def _judge_emptied(self, row: rows.RawRow, zaak: int, whole: str, uuid: bytes) -> None:
        """Follow the zaak of an emptied object. When it became readable, requeue `whole` (a kind, with its uuid); the
        object waits until that was read."""
        if zaak == TRANSLATED:
            self._refetch(whole, uuid)
        if row.state != QUARANTINED:
            state = UNREADABLE if zaak in (UNREADABLE, GONE) else WAITING
            rows.set_state(self.connection, [row.id], state)

    def _refetch(self, kind: str, uuid: bytes) -> None:
        """Have a zaak or contactmoment read again with all of it: what was left out of it is not held."""
        wanted = self.result.refetch_zaken if kind == "zaak" else self.result.refetch_moments
        if UUID(bytes=uuid) not in wanted:
            wanted.add(UUID(bytes=uuid))
            requeue(self.connection, self.source, kind, uuid, self.now)

    def _again(self, kind: str, row: rows.RawRow, zaak: bytes | None, zaak_state: int) -> None:
        """Translate a held object again, now that its zaak is known."""
        body = rows.raw_body(self.connection, row.id)
        item = incoming(kind, orjson.loads(unpack(body or b"")))
        translated = self.translator.translate(self.source_name, item)
        state = self.state_of(item, translated, {zaak: zaak_state} if zaak else {})
        facts = None
        if isinstance(translated, Untranslatable):
            quarantine.put(self.connection, row.id, translated.reason, self.now)
        elif state == TRANSLATED:
            facts = orjson.dumps(translated.facts).decode()
            self.claims.add(kind, row.id, row.uuid, zaak, translated)
        self.invisible.note_keys(item, row.id, state, zaak_state)
        self.invisible.hide(row, state)
        rows.set_state(self.connection, [row.id], state, facts)
