"""A whole verify: everything of a source beside everything that is held, a stage after the other.

Everything that the source shows is compared with what is held. Everything that is held and was not shown is asked for
by uuid. Each held object is translated again. Each document is made again in a rehearsal that is taken back.

Lists show an object twice, or not at all, when others are added or deleted during the walk. Signs of that are a count
that changed, an object shown twice, or a held one that exists but was not shown. Such a walk is done again.

It can be stopped at any moment and resumed. Every SAVE_SECONDS, between two pieces of work, a picture is kept of where
it is and of all that was found and seen. What was done after the last picture is done again from that picture, so
nothing counts twice. A picture is small (a bit for each object, and the suspects), but too large to write for every
page. It is not kept in the transaction of a repair. So before a repair a picture is kept that has what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from gateway.base import clock
from gateway.base.row_set import RowSet
from gateway.fetch.fetcher import Fetcher
from gateway.ingest.comparison import Verdict
from gateway.legacy.client.answers import Page
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.errors import BadAnswer
from gateway.store.inspect import comparing
from jobs.common import zaakcontactmomenten
from jobs.common.crew import Answers
from jobs.common.lists import kinds_of, ties_in
from jobs.common.progress import Tell
from jobs.common.walk import SAME_PAGES
from jobs.verify.judge import Judge
from jobs.verify.ledger import Ledger
from jobs.verify.rehearsal import Rehearsal
from mappings.standards import CONNECTION

MAX_LOOKS = 3
PIECE = 500
SAVE_SECONDS = 10.0


@dataclass(slots=True)
class VerifyPlace:
    """Where it is: the stage and how far that came (`at`), and of the walks which look is had at which kind.

    `moved`: did the last whole look show signs of change? `stirs`: did this one so far? `skipped`: how many held
    objects existed though no list showed them.
    """

    stage: int = 0
    at: Any = None
    look: int = 1
    kind: int = 0
    moved: bool = True
    stirs: bool = False
    skipped: int = 0


@dataclass(slots=True)
class ListLook:
    """One look through one list as far as it came: so many pages. `seen` are the held objects that it showed."""

    before: int | None
    sized: bool
    met_known: bool
    pages: int = 0
    shown: int = 0
    moved: bool = False
    seen: RowSet = field(default_factory=RowSet)


class WholeVerify:
    """A whole verify of one source. `cursor` is what `packed` gave, empty to begin."""

    def __init__(
        self,
        fetcher: Fetcher,
        repair: bool,
        answers: Answers,
        tell: Tell,
        save: Callable[[], None],
        cursor: dict[str, Any],
    ) -> None:
        """`save` keeps what `packed` gives, `answers` asks the source side by side, `tell` reports progress."""
        self.fetcher = fetcher
        self.store = fetcher.store
        self.source = fetcher.source
        self.repair = repair
        self.answers = answers
        self.tell = tell
        self.save = save
        self._saved = clock.monotonic()
        self.ledger = Ledger.unpacked(cursor["ledger"]) if cursor else Ledger()
        self.judge = Judge(fetcher, self.ledger, answers)
        self.rehearsal = Rehearsal(fetcher, self.ledger, repair, tell, save)
        self.place = VerifyPlace(**cursor["place"]) if cursor else VerifyPlace()
        self.shown: dict[str, dict[str, int | None]] = cursor.get("shown", {})
        self.reading: ListLook | None = None
        # Pages that were read before a stop may have others on them now.
        self._resumed = bool(cursor)
        if cursor:
            self.judge.seen = RowSet(cursor["seen"])
            self.judge.zaaktype_of = {bytes.fromhex(zaak): name for zaak, name in cursor["zaaktypen"].items()}
            if reading := cursor["reading"]:
                self.reading = ListLook(**reading | {"seen": RowSet(reading["seen"])})

    def packed(self) -> dict[str, Any]:
        """Where it is and all that it needs to go on, as JSON takes it: numbers, uuids and kinds."""
        reading = None
        if self.reading is not None:
            reading = {name: getattr(self.reading, name) for name in ListLook.__slots__}
            reading["seen"] = self.reading.seen.packed()
        return {
            "place": asdict(self.place),
            "ledger": self.ledger.packed(),
            "seen": self.judge.seen.packed(),
            "zaaktypen": {zaak.hex(): name for zaak, name in self.judge.zaaktype_of.items()},
            "shown": self.shown,
            "reading": reading,
        }

    def run(self) -> None:
        """Go through what is left. Raises CutOver, LegacyError."""
        judge, rehearsal, place = self.judge, self.rehearsal, self.place
        stages: list[Callable[[Any], Iterator[Any]]] = [
            self._looks,
            self._connections,
            self._held,
            self._looks_again,
            lambda done: judge.recheck(self.tell, done or 0),
            lambda done: judge.repair(self.tell, done or 0) if self.repair else iter(()),
            lambda done: judge.recheck_repairs(done or 0) if self.repair else iter(()),
            *rehearsal.stages(),
        ]
        while place.stage < len(stages):
            for at in stages[place.stage](place.at):
                place.at = at
                if clock.monotonic() - self._saved > SAVE_SECONDS:
                    self._keep()
            place.stage, place.at = place.stage + 1, None
            self._keep()

    def _keep(self) -> None:
        self.save()
        self._saved = clock.monotonic()

    # What the source shows

    def _looks(self, _at: object) -> Iterator[None]:
        """Read all lists, until a look shows no signs of change."""
        place = self.place
        while place.moved and place.look <= MAX_LOOKS:
            kinds = kinds_of(self.fetcher.client)
            while place.kind < len(kinds):
                with self.ledger.refusals(kinds[place.kind]):
                    yield from self._list(kinds[place.kind])
                place.kind += 1
                self.reading = None
                yield
            place.moved, place.stirs = place.stirs, False
            place.look, place.kind = place.look + 1, 0

    def _looks_again(self, _at: object) -> Iterator[None]:
        """Read all lists again when some held object was there that they did not show."""
        place = self.place
        if place.skipped and place.look <= MAX_LOOKS:
            place.moved, place.skipped = True, 0
        yield from self._looks(None)
        if place.moved:
            self.ledger.remarks.append(
                f"De bron veranderde tijdens het lezen, ook bij de laatste van {place.look - 1} lezingen: wat toen is "
                "toegevoegd of verplaatst, kan gemist zijn."
            )

    def _connections(self, at: list[Any] | None) -> Iterator[list[Any]]:
        """Read the zaakcontactmomenten: once is enough, for without pages nothing is skipped."""
        read = 0
        with self.ledger.refusals(CONNECTION):
            for place, found in zaakcontactmomenten.pieces(self.fetcher, self.answers, at):
                self.judge.note(CONNECTION, found)
                read += len(found)
                self.tell(CONNECTION, read, None)
                yield place

    def _list(self, kind: str) -> Iterator[None]:
        """Read the list of one kind, or what is left of it."""
        first = self.place.look == 1
        reading = self.reading
        if reading is None:
            reading = ListLook(self._count(kind), self.fetcher.client.can("rol", "pageSize"), first)
        # The last page is read again: what is on it now shows whether something moved past it meanwhile.
        overlap = self._resumed and reading.pages > 0
        self.reading, self._resumed = reading, False
        ended, same, mark = False, 1, None
        for page in self._pages(kind, reading.pages if overlap else reading.pages + 1):
            if page is None:
                reading.moved |= overlap  # the list became shorter than what was read of it
                ended, overlap = True, False
                continue
            now = hash(tuple(raw.get("url") for raw in page.objects))
            same, mark = (same + 1 if now == mark else 1), now
            if same >= SAME_PAGES:
                text = "de bron geeft steeds dezelfde pagina"
                raise BadAnswer(self.fetcher.name, f"GET {kind}?page=*", text=text)
            if overlap:
                reading.moved |= not self._all_seen(kind, page, reading)
                overlap = False
                continue
            # An empty page with another one behind it: things went away in between.
            reading.moved |= ended
            self._page(kind, page, reading, first)
            reading.pages += 1
            self.tell(f"{kind}, lezing {self.place.look}", page.number * page.size, page.count)
            yield
        reading.moved |= self.fetcher.client.can("rol", "pageSize") != reading.sized
        after = self._count(kind)
        self.shown[kind] = {"source": after, "shown": reading.shown}
        stirred = reading.moved or reading.before != after
        if after is not None and after != reading.shown and not stirred:
            self.ledger.remarks.append(
                f"De bron telt {after} objecten van soort {kind} en toonde er {reading.shown}."
            )
        self.place.stirs |= stirred

    def _pages(self, kind: str, start: int) -> Iterator[Page | None]:
        """The pages of a list from `start` on, asked side by side; None for each one behind the end."""
        ended = False

        def ask(client: ZakenClient, number: int) -> Page | None:
            nonlocal ended
            page = next(client.pages(kind, start=number), None)
            ended = ended or page is None
            return page

        def questions() -> Iterator[Callable[[], Page | None]]:
            number = start
            while not ended:
                yield partial(ask, self.fetcher.client, number)
                number += 1

        return self.answers(questions())

    def _page(self, kind: str, page: Page, reading: ListLook, first: bool) -> None:
        judge = self.judge
        page_judged = judge.comparison.judge_shown(kind, page.objects)
        if kind == "contactmoment":
            unseen = [each.uuid for each in page_judged if each.row not in judge.seen]
            for tie in ties_in(self.fetcher.client):
                judge.ties(tie, unseen, first)
        for judged, raw in zip(page_judged, page.objects, strict=True):
            if judged.row and reading.seen.add(judged.row):
                reading.moved = True
                continue
            reading.shown += 1
            if judged.row or (kind, judged.uuid) in self.ledger.suspects:
                reading.met_known = True
            elif judged.verdict is Verdict.MISSING and not reading.met_known:
                # Lists are newest first: what stands before all that was there before was added since.
                self.ledger.added += 1
                continue
            judge.note_shown(judged, raw, first)
        if kind == "zaak" and first:
            judge.named_rollen(page.objects)

    def _all_seen(self, kind: str, page: Page, reading: ListLook) -> bool:
        """Was all of the last page that was read before a stop seen? Then nothing behind it moved up past it."""
        return all(
            judged.row in reading.seen if judged.row else (kind, judged.uuid) in self.ledger.suspects
            for judged in self.judge.comparison.judge_shown(kind, page.objects)
            if judged.row or judged.verdict is Verdict.MISSING
        )

    def _count(self, kind: str) -> int | None:
        """How many the source says there are; None when it admits to guessing."""
        count = next(self.answers([partial(self.fetcher.client.first, kind)]))[1]
        return count.number if count.exact else None

    # What is held

    def _held(self, at: list[int] | None) -> Iterator[list[int]]:
        """Judge all that is held, row after row, and ask for what was not shown."""
        with self.store.read() as connection:
            top, total = comparing.extent(connection, self.source)
        # What comes in from here on is not compared.
        after, done, top = at or (0, 0, top)
        while after < top:
            with self.store.read() as connection:
                piece = comparing.held_after(connection, self.source, after, PIECE)
            if not piece:
                break
            after = piece[-1].id
            self.place.skipped += self.judge.judge_held(piece)
            done += len(piece)
            self.tell("opslag", min(done, total), total)
            yield [after, done, top]
