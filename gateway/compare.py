"""Compares legacy objects with what the store holds of them: by what they say, never by how they are written.

For verify, and for whatever re-reads a source in small steps. Nothing here writes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from gateway.ingest import Incoming, Ingest, state_of
from gateway.store import comparing
from gateway.store.comparing import Held, Said
from gateway.store.kinds import GONE, LEFT_OUT, NO_PARTY, QUARANTINED, TRANSLATED, UNREADABLE, WAITING
from gateway.store.legacy import raw_rows
from gateway.store.packing import unpack
from mappings.findings import Untranslatable
from mappings.translate import uuid_in

# The fields of facts that hold a URL of the source itself: the host that it writes there says nothing.
OWN_URLS = ("zaaktype",)
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

    def shown(self, kind: str, objects: Sequence[dict[str, Any]]) -> list[Judged]:
        """Judge objects as the source shows them now. One that is written otherwise but says the same is equal."""
        items = [self.ingest.look_at(kind, raw) for raw in objects]
        with self.store.read() as connection:
            held = comparing.held_among(connection, self.source, kind, [item.uuid for item in items])
        zaken = self._states(item.zaak for item in items) if kind != "zaak" else {}
        return [
            Judged(
                kind,
                item.uuid,
                item.zaak,
                held[item.uuid].id if item.uuid in held else 0,
                self._of_shown(item, held.get(item.uuid), zaken.get(item.zaak or b"")),
            )
            for item in items
        ]

    def kept(self, piece: Sequence[Held]) -> list[Judged]:
        """Judge what is held by itself: does the store say of each object what its content says?"""
        rollen = [held.id for held in piece if held.kind == "rol"]
        with self.store.read() as connection:
            said = comparing.said_by(connection, rollen)
        zaken = self._states(held.zaak for held in piece if held.kind != "zaak")
        return [
            Judged(
                held.kind,
                held.uuid,
                held.zaak,
                held.id,
                self._of_kept(held, set(said.get(held.id, {}).values()), zaken.get(held.zaak or b"")),
            )
            for held in piece
        ]

    def false_statements(self, held: Held) -> list[int]:
        """The statements (rows) that a held object makes in the store and not by its content."""
        with self.store.read() as connection:
            said = comparing.said_by(connection, [held.id]).get(held.id, {})
        item = self._content(held)
        true = {(each.facet, each.body, each.keys) for each in _claims(item)} if item else set()
        return [row for row, each in said.items() if (each.facet, each.body, each.keys) not in true]

    def _states(self, zaken: Iterable[bytes | None]) -> dict[bytes, int]:
        uuids = sorted({zaak for zaak in zaken if zaak is not None})
        with self.store.read() as connection:
            rows = raw_rows(connection, self.source, "zaak", uuids)
        return {uuid: row.state for uuid, row in rows.items()}

    def _state(self, item: Incoming, zaak: int | None) -> int:
        translated = self.ingest.translate(self.name, item)
        return state_of(item.kind, translated, zaak, self.ingest.settings)

    def _of_shown(self, item: Incoming, held: Held | None, zaak: int | None) -> Verdict:
        if held is None:
            # What hangs on a zaak that is left out need not be held: it makes nothing (M34).
            return Verdict.LEFT_OUT if zaak == LEFT_OUT else Verdict.MISSING
        if held.state == LEFT_OUT:
            return Verdict.LEFT_OUT if self._state(item, zaak) == LEFT_OUT else Verdict.DIFFERENT
        if held.digest is None or (item.digest != held.digest and not self._says_the_same(item, held)):
            return Verdict.DIFFERENT
        return VERDICTS[held.state]

    def _says_the_same(self, item: Incoming, held: Held) -> bool:
        before = self._content(held)
        self.ingest.translate(self.name, item)
        return before is not None and item.zaak == held.zaak and _meaning(item) == _meaning(before)

    def _of_kept(self, held: Held, said: set[Said], zaak: int | None) -> Verdict:
        if held.digest is None:
            # Without content: left out, or a zaak that is refused or gone, of which only that is known.
            alone = held.kind == "zaak" or zaak == LEFT_OUT
            right = held.state in (LEFT_OUT, UNREADABLE, GONE) and alone and not said
            return VERDICTS[held.state] if right else Verdict.DIFFERENT
        item = self._content(held)
        if item is None or item.zaak != held.zaak or self._state(item, zaak) != held.state:
            return Verdict.DIFFERENT
        speaks = held.state == TRANSLATED
        facts = orjson.loads(held.facts or "null")
        if facts != (_facts(item) if speaks else None) or said != (_claims(item) if speaks else set()):
            return Verdict.DIFFERENT
        return VERDICTS[held.state]

    def _content(self, held: Held) -> Incoming | None:
        """A held object as it came, translated; None when it is not there or not as it came."""
        try:
            text = unpack(held.body or b"")
            raw = orjson.loads(text)
        except (zlib.error, orjson.JSONDecodeError):
            return None
        if comparing.digest_of(text) != held.digest:
            return None
        item = self.ingest.look_at(held.kind, raw)
        self.ingest.translate(self.name, item)
        return item


def _facts(item: Incoming) -> object:
    translated = item.translated
    # By way of JSON, as the store has them.
    return (
        None
        if isinstance(translated, Untranslatable | None)
        else orjson.loads(orjson.dumps(translated.facts))
    )


def _claims(item: Incoming) -> set[Said]:
    translated = item.translated
    if isinstance(translated, Untranslatable | None) or item.kind != "rol":
        return set()
    return {
        Said(
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
