"""Compares legacy objects with what the store holds of them: by what they say, never by how they are written.

For verify, and for whatever re-reads a source in small steps. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from gateway.ingest import written_back
from gateway.ingest.claim_writer import SAYING
from gateway.ingest.incoming import Incoming, digest_of_text, from_stored, incoming, state_of
from gateway.ingest.ingest import Ingest
from gateway.ingest.ties import TIES, TYING, decided_by_ties, deciding_state, states_by_ties, tie_of
from gateway.store.base.compression import Damaged, unpack
from gateway.store.base.kinds import (
    GONE,
    HIDDEN,
    LEFT_OUT,
    NO_PARTY,
    QUARANTINED,
    TRANSLATED,
    UNREADABLE,
    WAITING,
)
from gateway.store.edits.written_back import WrittenBack
from gateway.store.inspect import comparing
from gateway.store.inspect.comparing import HeldClaim, HeldObject
from gateway.store.legacy import ties
from gateway.store.legacy.objects import states
from mappings.identity.sealed import sealed_body, sealed_text
from mappings.model.findings import Untranslatable
from mappings.model.ties import Tie
from mappings.model.translated import Translated
from mappings.values.uuids import uuid_in

# The fields of facts that hold a URL of the source itself: the host that it writes there says nothing. Where the
# contactmoment of a zaakcontactmoment is, its fact `contact` tells.
OWN_URLS = ("zaaktype", "object", "contactmoment")
# Which fields without a place hold something (M36): they are not part of what becomes a document.
WITHOUT_PLACE = "zonder_plaats"


class Verdict(StrEnum):
    """What became of a legacy object, or what is wrong with it."""

    EQUAL = "equal"
    MISSING = "missing"
    DIFFERENT = "different"
    LEFT_OUT = "left_out"
    WAITING = "waiting"
    QUARANTINED = "quarantined"


WRONG = frozenset({Verdict.MISSING, Verdict.DIFFERENT})
VERDICTS = {
    TRANSLATED: Verdict.EQUAL,
    NO_PARTY: Verdict.EQUAL,
    LEFT_OUT: Verdict.LEFT_OUT,
    UNREADABLE: Verdict.LEFT_OUT,
    WAITING: Verdict.WAITING,
    QUARANTINED: Verdict.QUARANTINED,
    GONE: Verdict.LEFT_OUT,
}


@dataclass(slots=True)
class Judged:
    """A legacy object beside the store; `row` is 0 when it is not held."""

    kind: str
    uuid: bytes
    zaak: bytes | None
    row: int
    verdict: Verdict


class Comparison:
    """Compares the objects of one source."""

    def __init__(self, ingest: Ingest, name: str, source: int) -> None:
        self.ingest = ingest
        self.store = ingest.store
        self.name = name
        self.source = source

    def judge_shown(self, kind: str, objects: Sequence[dict[str, Any]]) -> list[Judged]:
        """Judge objects as the source shows them now. One that is written otherwise but says the same is equal."""
        items = [incoming(kind, raw) for raw in objects]
        with self.store.read() as connection:
            held = comparing.held_among(connection, self.source, kind, [item.uuid for item in items])
            tied = ties.ties_by(connection, [each.id for each in held.values()]) if kind in TIES else {}
            ours = written_back.known(connection, self.source, kind, items)
        zaken = self._zaken([(kind, item.uuid, item.zaak) for item in items])
        return [
            Judged(
                kind,
                item.uuid,
                item.zaak,
                held[item.uuid].id if item.uuid in held else 0,
                self._of_ours(item, ours[item.uuid])
                if item.uuid in ours
                else self._of_shown(item, held.get(item.uuid), zaak, tied),
            )
            for item, zaak in zip(items, zaken, strict=True)
        ]

    def judge_held(self, piece: Sequence[HeldObject]) -> list[Judged]:
        """Judge what is held by itself: does the store say of each object what its content says?"""
        with self.store.read() as connection:
            said = comparing.said_by(connection, [held.id for held in piece if held.kind in SAYING])
            tied = ties.ties_by(connection, [held.id for held in piece if held.kind in TYING])
        zaken = self._zaken([(held.kind, held.uuid, held.zaak) for held in piece])
        return [
            Judged(
                held.kind,
                held.uuid,
                held.zaak,
                held.id,
                self._of_kept(held, set(said.get(held.id, {}).values()), tied.get(held.id), zaak),
            )
            for held, zaak in zip(piece, zaken, strict=True)
        ]

    def false_statements(self, held: HeldObject) -> list[int]:
        """The statements (rows) that a held object makes in the store and not by its content."""
        with self.store.read() as connection:
            said = comparing.said_by(connection, [held.id]).get(held.id, {})
        item = self._content(held)
        claims = self._as_kept(set(said.values()), _claims(item)) if item else set()
        true = {(each.facet, each.body, each.keys) for each in claims}
        return [row for row, each in said.items() if (each.facet, each.body, each.keys) not in true]

    def _zaken(self, objects: Sequence[tuple[str, bytes, bytes | None]]) -> list[int | None]:
        """For each object (kind, uuid, zaak) the state of the zaak or zaken that decide on it (M34)."""
        uuids = sorted({zaak for kind, _, zaak in objects if zaak is not None and kind != "zaak"})
        with self.store.read() as connection:
            known = states(connection, self.source, "zaak", uuids)
            contacts = [uuid for kind, uuid, _ in objects if decided_by_ties(kind)]
            by_ties = states_by_ties(connection, self.source, contacts)
        return [deciding_state(*each, known, by_ties) for each in objects]

    def _state(self, item: Incoming, zaak: int | None) -> int:
        translated = self.ingest.translate(self.name, item)
        return state_of(item.kind, translated, zaak, self.ingest.settings)

    def _of_ours(self, item: Incoming, note: WrittenBack | None) -> Verdict:
        """What write-back made is a client's document: here it counts whether the source has what was sent (W14)."""
        same = written_back.says_what_was_sent(note, item.kind, item.raw, self.ingest.uuids)
        return Verdict.EQUAL if same else Verdict.DIFFERENT

    def _of_shown(
        self, item: Incoming, held: HeldObject | None, zaak: int | None, tied: Mapping[int, Tie]
    ) -> Verdict:
        if held is None:
            # What hangs on a zaak that is left out need not be held: it makes nothing (M34). Except a tie, which
            # tells what contactmoment is left out with it.
            needed = item.kind in TIES and self._tie(item) is not None
            return Verdict.LEFT_OUT if zaak == LEFT_OUT and not needed else Verdict.MISSING
        if held.state == LEFT_OUT:
            right = self._state(item, zaak) == LEFT_OUT
            tied_right = held.kind not in TIES or tied.get(held.id) == self._tie(item)
            return Verdict.LEFT_OUT if right and tied_right else Verdict.DIFFERENT
        if _emptied(held):
            same = self.ingest.is_unchanged(item, held.digest, emptied=True)
            return (
                VERDICTS[held.state] if same and self._state(item, zaak) == held.state else Verdict.DIFFERENT
            )
        if held.digest is None or (item.digest != held.digest and not self._says_the_same(item, held)):
            return Verdict.DIFFERENT
        return VERDICTS[held.state]

    def _says_the_same(self, item: Incoming, held: HeldObject) -> bool:
        before = self._content(held)
        self.ingest.translate(self.name, item)
        return before is not None and item.zaak == held.zaak and _meaning(item) == _meaning(before)

    def _of_kept(self, held: HeldObject, said: set[HeldClaim], tied: Tie | None, zaak: int | None) -> Verdict:
        if held.digest is None:
            # Without content: left out, or a zaak that is refused or gone, of which only that is known.
            alone = held.kind == "zaak" or zaak == LEFT_OUT
            right = held.state in (LEFT_OUT, UNREADABLE, GONE) and alone and not said
            return VERDICTS[held.state] if right else Verdict.DIFFERENT
        if _emptied(held):
            # What was in it is not known any more; whether it may be seen is.
            return VERDICTS[held.state] if self._right_to_hide(held, zaak) and not said else Verdict.DIFFERENT
        item = self._content(held)
        if item is None or item.zaak != held.zaak or self._state(item, zaak) != held.state:
            return Verdict.DIFFERENT
        if held.kind in TYING and tied != self._tie(item):
            return Verdict.DIFFERENT
        speaks = held.state == TRANSLATED
        facts = orjson.loads(held.facts or "null")
        if facts != (_facts(item) if speaks else None):
            return Verdict.DIFFERENT
        if self._as_kept(said, _claims(item) if speaks else set()) != said:
            return Verdict.DIFFERENT
        return VERDICTS[held.state]

    def _as_kept(self, said: set[HeldClaim], claims: set[HeldClaim]) -> set[HeldClaim]:
        """What an object says as the store keeps it: sealed where it is kept so, because a client deleted whom it is
        about."""
        kept = {each.facet: each for each in said if each.sealed}
        return {self._sealed(each, kept[each.facet]) if each.facet in kept else each for each in claims}

    def _sealed(self, claim: HeldClaim, kept: HeldClaim) -> HeldClaim:
        uuids = self.ingest.uuids
        body = orjson.dumps(
            sealed_body(uuids, orjson.loads(claim.body)), option=orjson.OPT_SORT_KEYS
        ).decode()
        # A key that somebody else has too stands readable.
        keys = tuple(sorted(key if key in kept.keys else sealed_text(uuids, key) for key in claim.keys))
        return HeldClaim(claim.facet, claim.moment, body, keys, sealed=True)

    def _right_to_hide(self, held: HeldObject, zaak: int | None) -> bool:
        """Is an emptied object still one that nobody may see?"""
        if held.facts is not None:
            return False
        if held.state == QUARANTINED:
            return zaak != LEFT_OUT
        if held.state == UNREADABLE:
            return zaak in (UNREADABLE, GONE)
        return zaak not in (TRANSLATED, LEFT_OUT, UNREADABLE, GONE)

    def _tie(self, item: Incoming) -> Tie | None:
        """What an object of TYING ties together."""
        translated = self.ingest.translate(self.name, item)
        return tie_of(item.kind, item.uuid, translated) if isinstance(translated, Translated) else None

    def _content(self, held: HeldObject) -> Incoming | None:
        """A held object as it came, translated; None when it is not there or not as it came."""
        try:
            text = unpack(held.body or b"")
            raw = orjson.loads(text)
        except (Damaged, orjson.JSONDecodeError):
            return None
        if digest_of_text(text) != held.digest:
            return None
        item = from_stored(held.kind, raw, text, held.digest)
        self.ingest.translate(self.name, item)
        return item


def _emptied(held: HeldObject) -> bool:
    """Is of an object that nobody may see nothing kept but that it is there (M2)?"""
    return held.body is None and held.digest is not None and held.state in HIDDEN


def _facts(item: Incoming) -> object:
    translated = item.translated
    # By way of JSON, as the store has them.
    return (
        None
        if isinstance(translated, Untranslatable | None)
        else orjson.loads(orjson.dumps(translated.facts))
    )


def _claims(item: Incoming) -> set[HeldClaim]:
    translated = item.translated
    if isinstance(translated, Untranslatable | None) or item.kind not in SAYING:
        return set()
    return {
        HeldClaim(
            claim.facet,
            claim.moment,
            orjson.dumps(claim.body(), option=orjson.OPT_SORT_KEYS).decode(),
            tuple(sorted(set(claim.keys))),
        )
        for claim in translated.claims
    }


def _meaning(item: Incoming) -> object:
    """What an object says, whatever host its own URLs have."""
    if isinstance(item.translated, Untranslatable):
        return item.translated.reason
    facts = _facts(item)
    if isinstance(facts, dict):
        facts.pop(WITHOUT_PLACE, None)
        facts |= {name: str(uuid_in(facts.get(name)) or facts[name]) for name in OWN_URLS if name in facts}
    return facts, _claims(item)
