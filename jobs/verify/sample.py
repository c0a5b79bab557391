"""A verify of a sample: zaken at random from both sides, each with all that hangs on it.

A sample is soon done, so one that is stopped is not gone on with.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from gateway.base.row_set import RowSet
from gateway.fetch.fetcher import Fetcher
from gateway.ingest.comparison import Verdict
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.errors import Forbidden, NotFound
from gateway.store.inspect import comparing
from gateway.store.inspect.comparing import HeldObject
from jobs.common.crew import Answers
from jobs.common.progress import Tell
from jobs.verify.judge import Judge
from jobs.verify.ledger import Ledger
from jobs.verify.rehearsal import Rehearsal
from mappings.standards import asked_by, in_order
from mappings.values.uuids import uuid_in

# What hangs on a zaak, and the filter that finds it.
CONTENT = {kind.name: kind.asked_by["zaak"] for kind in in_order() if "zaak" in kind.asked_by}
# What ties a contactmoment; first what may stand in a list that was read.
OF_MOMENT = tuple(kind.name for kind in asked_by("contactmoment"))
SAMPLE_PAGES = 20


class SampleVerify:
    """A verify of so many zaken of one source; `seed` makes the choice again."""

    def __init__(
        self, fetcher: Fetcher, repair: bool, answers: Answers, tell: Tell, number: int, seed: int
    ) -> None:
        """`answers` asks the source side by side, `tell` reports progress."""
        self.fetcher = fetcher
        self.store = fetcher.store
        self.source = fetcher.source
        self.repair = repair
        self.answers = answers
        self.tell = tell
        self.number = number
        self.seed = seed
        self.ledger = Ledger()
        self.judge = Judge(fetcher, self.ledger, answers)
        self.rehearsal = Rehearsal(fetcher, self.ledger, repair, tell, save=lambda: None)
        # What was met on the way from the zaken.
        self._judged = RowSet()
        self._met: set[tuple[str, bytes]] = set()

    def run(self) -> None:
        """Choose and compare. Raises CutOver, LegacyError."""
        chance = random.Random(self.seed)  # noqa: S311 (a choice that can be made again, not a secret)
        half = max(1, self.number // 2)
        zaken = self._some_of_source(chance, half)
        with self.store.read() as connection:
            total = comparing.count_readable_zaken(connection, self.source)
            places = sorted(chance.sample(range(total), min(total, half)))
            held = comparing.readable_zaken_at(connection, self.source, places) - set(zaken)
        chosen = [*sorted(zaken.items()), *((uuid, None) for uuid in sorted(held))]
        for count, (uuid, raw) in enumerate(chosen, start=1):
            self._judge_zaak(uuid, raw)
            self.tell("zaken", count, len(chosen))
        deque(self.judge.recheck(self.tell), maxlen=0)
        if self.repair:
            deque(self.judge.repair(self.tell), maxlen=0)
            deque(self.judge.recheck_repairs(), maxlen=0)
        self.rehearsal.of_zaken(sorted(uuid for uuid, _ in chosen))

    def _some_of_source(self, chance: random.Random, number: int) -> dict[bytes, dict[str, Any] | None]:
        first = None
        with self.ledger.refusals("zaak"):
            first = next(self.fetcher.client.pages("zaak"), None)
        if first is None:
            return {}
        pages = max(1, -(-(first.count or 0) // first.size))
        chosen = chance.sample(range(1, pages + 1), min(pages, SAMPLE_PAGES, number))
        found: dict[bytes, dict[str, Any] | None] = {}
        for page_number in sorted(chosen):
            page = next(self.fetcher.client.pages("zaak", start=page_number), None)
            objects = page.objects if page else []
            for raw in chance.sample(objects, min(len(objects), -(-number // len(chosen)))):
                uuid = uuid_in(raw.get("uuid"))
                if uuid is not None and len(found) < number:
                    found[uuid.bytes] = raw
        return found

    def _judge_zaak(self, uuid: bytes, raw: dict[str, Any] | None) -> None:
        """Compare one zaak with all of it, both ways."""
        raw = raw or self._get("zaak", uuid)
        with self.store.read() as connection:
            moments = set(comparing.moments_of_zaken(connection, self.source, [uuid]))
        left_out = raw is not None and self._judge_shown(uuid, raw, moments) is Verdict.LEFT_OUT
        with self.store.read() as connection:
            held = comparing.held_of_zaken(connection, self.source, [uuid])
        # Of a zaak that is left out the rollen were not asked for.
        self._held([each for each in held if each.kind == "zaak" or not left_out])
        for moment in sorted(moments) if "contactmoment" in self.judge.kinds else ():
            if self._once("contactmoment", moment):
                self._judge_moment(moment)

    def _judge_shown(self, uuid: bytes, raw: dict[str, Any], moments: set[bytes]) -> Verdict:
        """Compare a zaak with what the source shows of it; `moments` gets the contactmomenten that are about it."""
        client = self.fetcher.client
        judged = self.judge.comparison.judge_shown("zaak", [raw])[0]
        self.judge.note_shown(judged, raw)
        if judged.verdict is not Verdict.LEFT_OUT:
            self.judge.named_rollen([raw])
            asked = {
                kind: partial(_listed, client, kind, {by: str(UUID(bytes=uuid))})
                for kind, by in CONTENT.items()
                if kind in self.judge.kinds and client.can(kind, by)
            }
            for kind, found in zip(asked, self.answers(asked.values()), strict=True):
                with self.ledger.refusals(kind):
                    if isinstance(found, Forbidden):
                        raise found
                    self.judge.note(kind, found)
                    moments |= _named("contactmoment", found)
        return judged.verdict

    def _judge_moment(self, uuid: bytes) -> None:
        """Compare one contactmoment with its ties and klanten, both ways."""
        raw = self._get("contactmoment", uuid)
        found = [raw] if raw else []
        self.judge.note("contactmoment", found)
        for kind in OF_MOMENT:
            found += self.judge.ties(kind, [uuid])
        for klant in sorted(_named("klant", found)) if "klant" in self.judge.kinds else ():
            if self._once("klant", klant) and (raw := self._get("klant", klant)):
                self.judge.note("klant", [raw])
        with self.store.read() as connection:
            held = comparing.held_of_moments(connection, self.source, [uuid])
        self._held(held)

    def _held(self, held: Sequence[HeldObject]) -> None:
        """Judge what is held, once: what ties a contactmoment to two zaken is met twice."""
        self.judge.judge_held([each for each in held if not self._judged.add(each.id)])

    def _once(self, kind: str, uuid: bytes) -> bool:
        """Is it the first time that this object is met?"""
        met = (kind, uuid) in self._met
        self._met.add((kind, uuid))
        return not met

    def _get(self, kind: str, uuid: bytes) -> dict[str, Any] | None:
        """An object by its uuid. None when it is gone or refused: the judgement of what is held says which."""
        try:
            return self.fetcher.client.get(kind, str(UUID(bytes=uuid)))
        except (NotFound, Forbidden):
            return None


def _listed(client: ZakenClient, kind: str, filters: dict[str, str]) -> list[dict[str, Any]] | Forbidden:
    """What a list shows, or that it is refused."""
    try:
        return client.all(kind, filters)
    except Forbidden as error:
        return error


def _named(kind: str, objects: Iterable[dict[str, Any]]) -> set[bytes]:
    """The objects of a kind (uuids) that others name under that name."""
    return {uuid.bytes for raw in objects if (uuid := uuid_in(raw.get(kind))) is not None}
