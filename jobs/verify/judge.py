"""Judges the objects of a source on both sides, rechecks what seems wrong, and repairs it.

For verify; `Judge` knows nothing of how the objects were chosen. What it finds it writes in a ledger. Suspects are
worked on a piece at a time. After each piece it gives the number of those that are done, where it can go on later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any
from uuid import UUID

import orjson

from gateway.base import clock
from gateway.base.row_set import RowSet
from gateway.fetch.fetcher import Fetcher, ask
from gateway.fetch.visit import Visit
from gateway.ingest.claim_writer import SAYING
from gateway.ingest.comparison import WRONG, Comparison, Judged, Verdict
from gateway.legacy.errors import Forbidden, NotFound
from gateway.store.base.compression import Damaged, unpack
from gateway.store.base.kinds import GONE, TRANSLATED
from gateway.store.inspect import comparing
from gateway.store.inspect.comparing import HeldObject
from gateway.store.legacy.objects import raw_rows
from jobs.common.crew import Answers
from jobs.common.lists import all_kinds_of, ties_of
from jobs.common.progress import Tell
from jobs.verify.ledger import DIFFERENT, EXTRA, INVISIBLE, MISSING, NAMED, UNKNOWN, Ledger, Suspect
from mappings.explain.why import flat
from mappings.standards import KINDS
from mappings.values.uuids import uuid_in

PATIENCE = 24 * 3600.0
FIELDS_NAMED = 10


class Judge:
    """Judges objects of one source."""

    def __init__(self, fetcher: Fetcher, ledger: Ledger, answers: Answers) -> None:
        self.fetcher = fetcher
        self.answers = answers
        self.store = fetcher.store
        self.source = fetcher.source
        self.comparison = Comparison(fetcher.ingest, fetcher.name, fetcher.source)
        self.ledger = ledger
        self.seen = RowSet()
        # Zaaktypen of zaken that the source showed and that are not held.
        self.zaaktype_of: dict[bytes, str] = {}

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of objects that the source has. Raises CutOver."""
        return tuple(all_kinds_of(self.fetcher.client))

    def note_shown(self, judged: Judged, raw: dict[str, Any], first: bool = True) -> None:
        """Take down what the source showed; what is held is counted when the store is judged."""
        zaaktype = zaaktype_in(raw) if judged.kind == "zaak" else UNKNOWN
        if judged.row:
            self.seen.add(judged.row)
        elif judged.kind == "zaak" and len(self.zaaktype_of) < NAMED * 10:
            self.zaaktype_of[judged.uuid] = zaaktype
        if judged.verdict in WRONG:
            zaaktype = zaaktype or self._zaaktypen([judged]).get(judged.zaak or b"", UNKNOWN)
            self.ledger.suspect(judged.kind, judged.uuid, zaaktype, str(judged.verdict))
        elif not judged.row and first:
            self.ledger.count(judged.kind, zaaktype, str(judged.verdict))

    def note(self, kind: str, objects: Sequence[dict[str, Any]], first: bool = True) -> None:
        """Judge objects that the source showed, and take them down."""
        for each, raw in zip(self.comparison.judge_shown(kind, objects), objects, strict=True):
            self.note_shown(each, raw, first)

    def ties(self, kind: str, moments: Iterable[bytes], first: bool = True) -> list[dict[str, Any]]:
        """Judge what ties these contactmomenten, asked for each of them: lists of it have no pages."""
        client, met = self.fetcher.client, []
        with self.ledger.refusals(kind):
            questions = (partial(ties_of, client, kind, UUID(bytes=moment)) for moment in moments)
            for objects in self.answers(questions):
                self.note(kind, objects, first)
                met += objects
        return met

    def named_rollen(self, zaken: Sequence[dict[str, Any]]) -> None:
        """Zaken name their rollen: those that are not held are looked for, whatever the list of rollen shows."""
        named: dict[bytes, bytes] = {}
        for shown in zaken:
            of, rollen = uuid_in(shown.get("uuid")), shown.get("rollen")
            for url in rollen if of and isinstance(rollen, list) else ():
                uuid = uuid_in(url)
                if uuid is not None and of is not None:
                    named[uuid.bytes] = of.bytes
        with self.store.read() as connection:
            held = raw_rows(connection, self.source, "rol", list(named))
            states = raw_rows(connection, self.source, "zaak", sorted({*named.values()}))
        for rol, zaak in named.items():
            if rol not in held and (zaak not in states or states[zaak].state == TRANSLATED):
                self.ledger.suspect("rol", rol, self.zaaktype_of.get(zaak, UNKNOWN), MISSING)

    # What is held

    def judge_held(self, piece: Sequence[HeldObject]) -> int:
        """Judge held objects, and ask for those that were not shown. Out: how many were there all the same.

        Of what was shown goes the mark that it isn't: also without repair, for the mark is no content.
        """
        judged = self.comparison.judge_held(piece)
        zaaktypen = self._zaaktypen(judged)
        looks = self._looks([(each.kind, each.uuid) for each in piece if self._unseen(each)])
        skipped = 0
        shown_again: list[int] = []
        for held, each in zip(piece, judged, strict=True):
            if not self._ours(held):
                continue
            zaaktype = zaaktypen.get(held.zaak or b"", UNKNOWN)
            if not held.visible and held.id in self.seen:
                shown_again.append(held.id)
            if held.kind in self.ledger.unreachable:
                self.ledger.count(held.kind, zaaktype, INVISIBLE)
            elif self._unseen(held):
                sort = next(looks)[0]
                if sort not in (EXTRA, INVISIBLE):
                    skipped += 1
                    shown_again += [] if held.visible else [held.id]
                if sort is None:
                    self.ledger.count(held.kind, zaaktype, str(each.verdict))
                elif sort == INVISIBLE and not held.visible:
                    self.ledger.count(held.kind, zaaktype, INVISIBLE)
                else:
                    self.ledger.suspect(held.kind, held.uuid, zaaktype, sort)
            elif (held.kind, held.uuid) in self.ledger.suspects:
                self.ledger.suspects[held.kind, held.uuid].zaaktype = zaaktype
            elif each.verdict in WRONG:
                self.ledger.suspect(held.kind, held.uuid, zaaktype, DIFFERENT)
            else:
                self.ledger.count(held.kind, zaaktype, str(each.verdict))
        if shown_again:
            with self.store.write() as connection:
                comparing.shown_again(connection, shown_again)
        return skipped

    def _ours(self, held: HeldObject) -> bool:
        """Not a note that a zaak is gone, which is no object; nor of an API that is not configured any more."""
        return held.state != GONE and held.kind in self.kinds

    def _unseen(self, held: HeldObject) -> bool:
        """Did no list show it, and must it be asked for by uuid?"""
        without_content = held.kind == "zaak" and held.body is None and held.digest is None
        reachable = self._ours(held) and held.kind not in self.ledger.unreachable
        return reachable and held.id not in self.seen and not without_content

    def _looks(self, objects: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str | None, str, list[str]]]:
        """Look at objects on both sides now.

        Out, for each: what is wrong with it (None: nothing), its zaaktype, and the fields that differ.

        An object that is refused and not held is nothing that we could have.
        """
        asked: deque[tuple[str, bytes, HeldObject | None]] = deque()

        def questions() -> Iterator[Callable[[], Any]]:
            for kind, uuid in objects:
                asked.append((kind, uuid, self._held_now(kind, uuid)))
                yield partial(ask, self.fetcher.client, kind, UUID(bytes=uuid), deadline=None)

        for found in self.answers(questions()):
            kind, uuid, before = asked.popleft()
            held = self._held_now(kind, uuid)
            if held != before:
                # It was taken while the answer was under way or waited for its turn: that may be older.
                found = ask(self.fetcher.client, kind, UUID(bytes=uuid), deadline=None)
                held = self._held_now(kind, uuid)
            sort, zaaktype = self._look(kind, held, found)
            yield sort, zaaktype, _differing(held, found) if sort == DIFFERENT else []

    def _look(
        self, kind: str, held: HeldObject | None, found: dict[str, Any] | NotFound | Forbidden
    ) -> tuple[str | None, str]:
        """What is wrong with an object that the source answered so of, and its zaaktype."""
        zaaktype = self._zaaktype_of_held(held) if held else UNKNOWN
        if isinstance(found, NotFound):
            return (EXTRA if held and held.state != GONE else None), zaaktype
        if isinstance(found, Forbidden):
            return (INVISIBLE if held and held.body is not None else None), zaaktype
        judged = self.comparison.judge_shown(kind, [found])[0]
        if kind == "zaak":
            zaaktype = zaaktype_in(found)
        else:
            zaaktype = zaaktype or self._zaaktypen([judged]).get(judged.zaak or b"", UNKNOWN)
        if judged.verdict in WRONG:
            return str(judged.verdict), zaaktype
        if held and self.comparison.judge_held([held])[0].verdict in WRONG:
            return DIFFERENT, zaaktype
        return None, zaaktype

    def _held_now(self, kind: str, uuid: bytes) -> HeldObject | None:
        with self.store.read() as connection:
            return comparing.held_among(connection, self.source, kind, [uuid]).get(uuid)

    # What seems wrong

    def recheck(self, tell: Tell, done: int = 0) -> Iterator[int]:
        """Look again at what seemed wrong, and count what is."""
        suspects = sorted(self.ledger.suspects.values(), key=_place)
        looks = self._looks([(each.kind, each.uuid) for each in suspects[done:]])
        for number, (each, (sort, zaaktype, differing)) in enumerate(
            zip(suspects[done:], looks, strict=True), start=done + 1
        ):
            each.sort, each.fields = sort, differing
            each.zaaktype = each.zaaktype or zaaktype
            if sort is not None or self._held_now(each.kind, each.uuid) is not None:
                self.ledger.count(each.kind, each.zaaktype, sort or "equal")
            tell("opnieuw bekeken", number, len(suspects))
            yield number

    def repair(self, tell: Tell, done: int = 0) -> Iterator[int]:
        """Repair what proved wrong. To do it once more does no harm."""
        wrong = self._wrong()
        for number, each in enumerate(wrong[done:], start=done + 1):
            self._mend(each)
            tell("herstellen", number, len(wrong))
            yield number

    def recheck_repairs(self, done: int = 0) -> Iterator[int]:
        """See what the repair came to."""
        wrong = self._wrong()[done:]
        looks = self._looks([(each.kind, each.uuid) for each in wrong])
        for number, (each, (sort, *_)) in enumerate(zip(wrong, looks, strict=True), start=done + 1):
            # What the source no longer shows is marked by now, and no better for it.
            each.repaired = sort is None
            yield number

    def _wrong(self) -> list[Suspect]:
        return sorted(self.ledger.wrong(), key=_place)

    def _mend(self, suspect: Suspect) -> None:
        """Make the store what the source says of one object."""
        held = self._held_now(suspect.kind, suspect.uuid)
        if held is not None and suspect.sort == DIFFERENT:
            statements = self.comparison.false_statements(held) if held.kind in SAYING else []
            with self.store.write() as connection:
                comparing.mistrust(connection, held.id, statements)
        visit, uuid = Visit(clock.monotonic() + PATIENCE), UUID(bytes=suspect.uuid)
        if suspect.kind == "zaak" and suspect.sort in (MISSING, DIFFERENT):
            self.fetcher.reread_zaak(visit, uuid)
        elif suspect.kind == "contactmoment" and suspect.sort == MISSING:
            self.fetcher.contents.reread_moment(visit, uuid)
        else:
            self.fetcher.fetch(visit, suspect.kind, uuid)

    def _zaaktypen(self, judged: Sequence[Judged]) -> dict[bytes, str]:
        """The zaaktypen of the zaken of these objects, where they are known."""
        zaken = {each.zaak for each in judged if each.zaak is not None}
        with self.store.read() as connection:
            urls = comparing.zaaktypen(connection, self.source, zaken)
        held = {zaak: str(uuid_in(url) or UNKNOWN) for zaak, url in urls.items()}
        return {zaak: self.zaaktype_of[zaak] for zaak in zaken if zaak in self.zaaktype_of} | held

    def _zaaktype_of_held(self, held: HeldObject) -> str:
        judged = Judged(held.kind, held.uuid, held.zaak, held.id, Verdict.EQUAL)
        return self._zaaktypen([judged]).get(held.zaak or b"", UNKNOWN)


def _differing(held: HeldObject | None, found: dict[str, Any] | NotFound | Forbidden) -> list[str]:
    """The names of the fields that the source has otherwise than what is held of it; no values.

    A field with a name that no standard would have is `?`: what a source made up may hold anything.
    """
    if held is None or held.body is None or not isinstance(found, dict):
        return []
    try:
        here = flat(orjson.loads(unpack(held.body)))
    except (Damaged, orjson.JSONDecodeError):
        return []
    there = flat(found)
    names = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    known = (
        ".".join(part if part.isidentifier() and len(part) <= 40 else "?" for part in name.split("."))
        for name in names
    )
    return list(dict.fromkeys(known))[:FIELDS_NAMED]


def _place(suspect: Suspect) -> tuple[int, bytes]:
    """In the order of repair: what ties a contactmoment goes before it, for it tells who may see it (M34)."""
    return KINDS[suspect.kind].order, suspect.uuid


def zaaktype_in(zaak: dict[str, Any]) -> str:
    """The uuid of the zaaktype of a zaak, blank when there is none."""
    uuid = uuid_in(zaak.get("zaaktype"))
    return str(uuid) if uuid else UNKNOWN
