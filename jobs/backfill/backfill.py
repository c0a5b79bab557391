"""Backfill: walk zaken, rollen and klantcontacten of a source into the store, until nothing new turns up.

One walk proves nothing: while objects are deleted, a walk from the front skips others; while objects are added, a
walk from the back does. So looks alternate their direction until one finds nothing that an earlier look missed.
Then what the last look did not show is asked for by uuid.

Pages are asked side by side (jobs/common/crew.py) and taken as they come; one writer, this thread, takes them all.
Asked side by side, two pages next to each other may be seen in either order, so within the few that are under way a
look in either direction may be misled by adding and by deleting alike. That does not touch the proof. An object that
stays at the source and that a look skipped stands behind one that was there then: that one is held, and each later look
that does show the skipped object finds it behind something known and counts it as missed, because pages are counted in
the order of the list however they came (jobs/common/walk.py). What can go wrong is a count too many, which costs a
look.

The cursor tells the page before which all were taken and counted, and goes with the transaction of a page. After a
kill the pages beyond it, AHEAD at most, are asked again; what they had brought in by then can't be told from what was
held any more, so a look that was stopped is not the one that agrees.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from gateway.base.clock import now
from gateway.fetch.fetcher import Fetcher, ask
from gateway.fetch.visit import Visit
from gateway.ingest.batch import Result
from gateway.legacy.background import background, patient
from gateway.legacy.client.source_client import Page, ZakenClient
from gateway.legacy.errors import BadAnswer, BadRequest, LegacyError, NotNow, TooLarge
from gateway.legacy.errors import Stopped as StoppedAtTheGate
from gateway.legacy.pacing.gate import LONG
from gateway.legacy.pacing.turns import BROKEN
from gateway.store.file.errors import StoreError, in_words
from gateway.store.legacy import objects as rows
from gateway.store.operation import backfills, following, leases, runs
from gateway.store.operation.sources import set_covered
from jobs.backfill import terms
from jobs.backfill.progress import BY_UUID, Progress, Telling
from jobs.backfill.questions import dated, page_at, total_of, unless_too_large
from jobs.common import zaakcontactmomenten
from jobs.common.crew import Crew, Question
from jobs.common.lists import UNPAGED_TIES, Filters, all_kinds_of, kinds_of, parts_of, ties_of
from jobs.common.walk import SAME_PAGES, Count, PageCounts, Sizes, Walk, shown
from jobs.common.work import Busy, busy
from mappings.standards import CONNECTION
from mappings.values.uuids import uuid_in

__all__ = ["Backfill", "BackfillStopped", "Busy", "Progress", "Yielded"]

MAX_LOOKS = 6
# Looks that agree are not believed when a list got shorter meanwhile; where that goes on and on, they are in the end.
LOOKS_MORE = 2
LEASE_SECONDS = 120
LEAST_LOOKS = 2
# So many of what could not be read are named.
NAMED = 5
PIECE = 200
# The sample of zaakcontactmomenten is kept after so many calls; what an operator is told that it is.
SAVE_SAMPLE = 10
SAMPLE_OF_CONNECTIONS = "zaakcontactmoment (steekproef)"
# Measured: what is asked zaak by zaak on one connection.
ZAKEN_A_SECOND = 45
# How often wishes are read and news is told.
LOOK_AROUND_SECONDS = 1.0
PATIENCE = 24 * 3600.0
# So long the first call waits at the gate. What takes longer is waited for here, but a broken source is not.
BEGIN_PATIENCE = 2.0
Found = TypeVar("Found")


class BackfillStopped(Exception):
    """Asked to stop, by an operator or because the process ends; the text is for the record of the run."""

    def __init__(self, text: str = "onderbroken; gaat bij de volgende start verder") -> None:
        super().__init__(text)


class Yielded(BackfillStopped):
    """It had to wait, and another source can be read meanwhile."""

    def __init__(self) -> None:
        super().__init__("wacht; een andere bron gaat voor")


class Backfill:
    """One backfill of one source. `run` may be stopped at any moment and called again."""

    def __init__(
        self,
        fetcher: Fetcher,
        show: Callable[[Progress], None] = lambda progress: None,
        stopping: threading.Event | None = None,
        begins: Callable[[], object] = lambda: None,
        yields: Callable[[], bool] = lambda: False,
    ) -> None:
        """In: the source, who wants to be shown progress, and what asks to stop.

        `begins` is called once the source is ours to read; `yields` tells, while it must wait for what may take long,
        whether another source can be read meanwhile.
        """
        self.fetcher = fetcher
        self.store = fetcher.store
        self.source = fetcher.source
        self.show = show
        self.stopping = stopping or threading.Event()
        self.begins = begins
        self.yields = yields
        # What answers ask for in turn: it goes before the next page.
        self._first: deque[Question] = deque()
        self._looked = 0.0

    def run(self) -> bool:
        """Walk the whole source. Out: was it complete?

        Raises Busy; and, leaving a run that can be gone on with: BackfillStopped, Yielded, LegacyError, leases.Lost.
        """
        lease = runs.lease_of("backfill", self.fetcher.name)
        grip = runs.take_lease(self.store, lease, LEASE_SECONDS)
        if grip is None:
            raise busy(self.store, lease, f"Bron {self.fetcher.name}: er loopt al een backfill of verify")
        status, message = runs.FAILED, ""
        run: runs.Run | None = None
        try:
            self.begins()
            self.store.for_bulk()
            # Whatever is written: only for as long as the lease is ours.
            with (
                self.store.giving_way(),
                self.store.guarded(lambda connection: leases.keep(connection, grip)),
            ):
                with self.store.write() as connection:
                    run = terms.opened(connection, self.fetcher)
                message = self._all(run)
                status = runs.PROBLEMS if message else runs.FINISHED
                return not message
        except (KeyboardInterrupt, BackfillStopped, StoppedAtTheGate) as error:
            status = runs.INTERRUPTED
            message = str(error if isinstance(error, BackfillStopped) else BackfillStopped())
            if isinstance(error, StoppedAtTheGate):
                raise BackfillStopped from None
            raise
        except (LegacyError, StoreError) as error:
            message = str(error)
            raise
        except sqlite3.Error as error:
            message = in_words(error)
            raise
        except leases.Lost:
            run = None  # it is another's by now
            raise
        finally:
            if run is not None:
                # What was read whole is not told to have failed because the store is held just now.
                ended = self.store.giving_way() if status in runs.ENDED else nullcontext()
                with ended, self.store.write(synced=True) as connection:
                    runs.end_run(connection, run, status, message)
                if status in runs.ENDED:
                    self.client.forget_overrides()
            leases.let_go(self.store, grip)

    def _all(self, run: runs.Run) -> str:
        """Out: why it is not complete; blank when it is."""
        self.client: ZakenClient = self.fetcher.client
        self.run_record = run
        self.telling = Telling(self.fetcher.name, run.counters, self.show)
        self.asked_how = self.client.describe()
        self.crew = Crew(self.asked_how["connections"])
        self.telling.begin("", 0, 0)
        try:
            self._begin()
            complete = self._looks(run)
            run.cursor["agreed"] = complete
            self._save()
            self._connections(run.cursor)
            self._reconcile(run)
        finally:
            self.crew.close()
        if lost := run.cursor.get("lost"):
            return f"niet volledig: {TooLarge.text} ({', '.join(lost[:NAMED])}, in totaal {len(lost)})"
        if not complete:
            return "niet volledig: bij elke keer lezen kwamen er gemiste objecten bij"
        with self.store.write() as connection:
            if terms.terms_of(connection, self.fetcher) != run.cursor["terms"]:
                return "niet volledig: max_vertrouwelijkheidaanduiding werd intussen verhoogd"
            set_covered(connection, self.source, run.cursor["look_began"])
        return ""

    def _begin(self) -> None:
        """Wait until the source may be asked, and ask it what it speaks. Raises BackfillStopped, Yielded, LegacyError.

        With a source that does not answer at all a run ends here, instead of waiting for better times.
        """
        while True:
            while (waiting := self.client.waits()) is not None and waiting.reason != BROKEN:
                self._look_around()
                if self.yields():
                    raise Yielded
                time.sleep(LOOK_AROUND_SECONDS / 2)
            try:
                self._one(self._version)
                return
            except NotNow as error:
                if error.waiting.reason == BROKEN:
                    raise

    def _version(self) -> None:
        with patient(BEGIN_PATIENCE):
            self.client.version()

    # Looks

    def _looks(self, run: runs.Run) -> bool:
        cursor = run.cursor
        if "look" not in cursor:
            cursor |= {"look": 0, "allowed": MAX_LOOKS, "again": 0, "parts": {}, "deepest": {}, "all_ties": 1}
            self._next_look(cursor, run.started)
        elif "agreed" in cursor:
            return bool(cursor["agreed"])
        else:
            # What the last page asked for may not have come: ties are asked again in what is left, and the next look.
            cursor["all_ties"] = cursor["look"] + 1
            if cursor["look"] > 1:
                # What the stopped process found last may not have been counted: this look can't be the one that agrees.
                cursor |= {"surprises": cursor["surprises"] + 1, "allowed": cursor["allowed"] + 1}
        kinds = kinds_of(self.client)
        if "totals" not in cursor:
            cursor["totals"] = {kind: self._one(partial(total_of, self.client, kind)) for kind in kinds}
        while cursor["look"] <= cursor["allowed"]:
            while cursor["kind"] < len(kinds):
                self._kind(cursor, kinds[cursor["kind"]])
                cursor |= {"kind": cursor["kind"] + 1, "part": 0, "page": 0, "read": 0}
                self._save()
            self._waiting()
            if cursor["look"] > 1 and cursor["surprises"] == 0:
                if not cursor["shrank"] or cursor["again"] >= LOOKS_MORE:
                    return True
                cursor |= {"again": cursor["again"] + 1, "allowed": cursor["allowed"] + 1}
            self._next_look(cursor, now())
            self._save()
        return False

    @staticmethod
    def _next_look(cursor: dict[str, Any], moment: int) -> None:
        cursor |= {
            "look": cursor["look"] + 1,
            "look_began": moment,
            "kind": 0,
            "part": 0,
            "page": 0,
            "read": 0,
        }
        cursor |= {"surprises": 0, "met_known": False, "pending": 0, "shrank": False}

    def _kind(self, cursor: dict[str, Any], kind: str) -> None:
        """Look through the list of one kind, part by part."""
        self.telling.begin(kind, cursor["look"], cursor["read"], cursor["totals"].get(kind))
        if kind not in cursor["parts"]:
            cursor["parts"][kind] = self._one(lambda: parts_of(self.client, kind))
            cursor["deepest"][kind] = [0] * len(cursor["parts"][kind])
        parts: list[Filters] = cursor["parts"][kind]
        try:
            while cursor["part"] < len(parts):
                self._part(cursor, kind, parts[cursor["part"]])
                cursor |= {"part": cursor["part"] + 1, "page": 0, "met_known": False, "pending": 0}
        except BadRequest:
            if all(self.client.can(kind, name) for filters in parts for name in filters):
                raise
            self._undivided(cursor, kind)

    def _undivided(self, cursor: dict[str, Any], kind: str) -> None:
        """The source became a version that can't be asked for the parts of a list: look through all of it again.

        The parts done so far prove nothing of the whole, so this look can't be the one that agrees.
        """
        self.crew.close()  # what is under way are pages of parts
        self.crew = Crew(self.asked_how["connections"])
        del cursor["parts"][kind], cursor["deepest"][kind]
        cursor |= {"part": 0, "page": 0, "read": 0, "met_known": False, "pending": 0}
        cursor |= {"surprises": cursor["surprises"] + 1, "allowed": cursor["allowed"] + 1}
        self._save()
        self._kind(cursor, kind)

    def _part(self, cursor: dict[str, Any], kind: str, filters: Filters) -> None:
        forward = cursor["look"] % 2 == 1
        deepest: int = cursor["deepest"][kind][cursor["part"]]
        count = Count(forward, cursor["surprises"], cursor["met_known"], cursor["pending"])
        start = cursor["page"]
        if not start:
            start = 1 if forward else self._end(kind, filters, deepest)
        walk, sizes = Walk(start, count, deepest), Sizes()

        def keep(connection: sqlite3.Connection | None, page: PageCounts, number: int) -> None:
            walk.came(number, page)
            cursor["page"] = walk.turn
            cursor["deepest"][kind][cursor["part"]] = walk.deepest
            cursor["surprises"] = count.surprises
            cursor["met_known"], cursor["pending"] = count.met_known, count.pending
            if connection is not None:
                runs.save_run(connection, self.run_record)

        def take(number: int, page: Page | TooLarge | None) -> None:
            count.surprises += self._renumbered(cursor)
            if page is None:
                keep(None, PageCounts(), number)
                return
            if isinstance(page, TooLarge):
                self._lost(f"{kind} pagina {number}")
                keep(None, PageCounts(mark=number), number)
                return

            if page.exact and page.count is not None:
                cursor["shrank"] = sizes.shrank(page.asked, page.count) or cursor["shrank"]

            def also(connection: sqlite3.Connection, result: Result) -> None:
                cursor["read"] += len(page.objects)
                self.telling.count(kind, len(page.objects), result)
                keep(connection, shown(page.objects, result.new), number)

            result = self.fetcher.ingest.take(self.fetcher.name, kind, page.objects, also, asked=page.asked)
            self._settle(result)
            if kind == "contactmoment":
                self._ties(page.objects if cursor["look"] <= cursor["all_ties"] else result.new)
            if page.count is not None and not filters:
                cursor["totals"][kind] = page.count
            if cursor["totals"].get(kind) is not None:
                self.telling.progress.total = max(cursor["totals"][kind], cursor["read"])
            if walk.same >= SAME_PAGES:
                text = "de bron geeft steeds dezelfde pagina"
                raise BadAnswer(self.fetcher.name, f"GET {kind}?page=*", text=text)
            self._tell()

        def more() -> Question | None:
            number = walk.next()
            if number is None:
                return None
            return Question(partial(page_at, self.client, kind, filters, number), partial(take, number))

        self._work(more)

    def _lost(self, what: str) -> None:
        """What could not be read, because it is too large: told at the end, and the rest goes on."""
        lost: list[str] = self.run_record.cursor.setdefault("lost", [])
        if what not in lost:
            lost.append(what)

    def _renumbered(self, cursor: dict[str, Any]) -> bool:
        """Have pages another size than before (the source was upgraded)? Then this look may have skipped some."""
        sized = self.client.can("rol", "pageSize")
        before = cursor.get("sized", sized)
        cursor["sized"] = sized
        return bool(before != sized)

    def _end(self, kind: str, filters: Filters, deepest: int) -> int:
        """The last page of a list now, from where it ended before; it may have grown since."""
        while self._one(partial(page_at, self.client, kind, filters, deepest + 1)) is not None:
            deepest += 1
        return deepest

    def _waiting(self) -> None:
        """Ask for the zaken that rollen and klantcontacten still wait for (M34)."""
        asked: set[bytes] = set()
        while True:
            with self.store.read() as connection:
                found = set(rows.waiting_zaken(connection, self.source, PIECE)) - asked
            if not found:
                return
            asked |= found
            self._first.extend(self._by_uuid("zaak", UUID(bytes=uuid)) for uuid in sorted(found))
            self._work(lambda: None)

    def _connections(self, cursor: dict[str, Any]) -> None:
        """Read the zaakcontactmomenten, once all zaken are held; `connected` is the last zaak that was done.

        What is counted is zaken: a zaak without them costs a call as well.
        """
        if "way" not in cursor:
            cursor |= {"way": self._way(cursor), "connected": 0}
            self._save()
        with self.store.read() as connection:
            held = following.count_held(connection, self.source, ["zaak"])
            left = following.count_held_after(connection, self.source, "zaak", cursor["connected"])
        if cursor["way"] == zaakcontactmomenten.BY_ZAAK:
            self.telling.begin(CONNECTION, cursor["look"], held - left, held, steps=True)
        else:
            self.telling.begin(CONNECTION, cursor["look"], 0, 1, steps=True)  # one call
        if not self.client.can(CONNECTION, "zaak"):
            cursor["way"] = zaakcontactmomenten.NONE  # not any more, since the run was stopped
        if cursor["way"] == zaakcontactmomenten.WHOLE:
            asked = now()
            way, found = self._one(lambda: zaakcontactmomenten.whole(self.client))
            self.telling.step()
            self._take_connections(
                found, asked, {"way": zaakcontactmomenten.NONE if way == zaakcontactmomenten.WHOLE else way}
            )
        while cursor["way"] == zaakcontactmomenten.BY_ZAAK:
            with self.store.read() as connection:
                zaken = following.held_after(connection, self.source, "zaak", cursor["connected"], PIECE)
            found, asked = [], now()

            def take(of_one: list[dict[str, Any]] | TooLarge, found: list[dict[str, Any]] = found) -> None:
                if isinstance(of_one, TooLarge):
                    self._lost(f"{CONNECTION} van een zaak")
                else:
                    found += of_one
                self.telling.step()

            questions = iter(
                [
                    Question(
                        partial(unless_too_large, partial(zaakcontactmomenten.of_zaak, self.client, zaak)),
                        take,
                    )
                    for _, zaak in zaken
                ]
            )
            self._work(partial(next, questions, None))
            place = {"connected": zaken[-1][0]} if zaken else {"way": zaakcontactmomenten.NONE}
            self._take_connections(found, asked, place)

    def _way(self, cursor: dict[str, Any]) -> str:
        """How to read the zaakcontactmomenten, by a sample of the zaken; what it gave is kept over an interruption."""
        kept = cursor.get("sample")
        sample = (
            zaakcontactmomenten.Sample.of_kept(kept)
            if kept
            else self._one(partial(zaakcontactmomenten.sample_of, self.fetcher))
        )
        self.telling.begin(SAMPLE_OF_CONNECTIONS, cursor["look"], sample.asked, len(sample.zaken), steps=True)
        while not sample.way:
            zaak = sample.zaken[sample.asked]
            try:
                found = self._one(partial(zaakcontactmomenten.of_zaak, self.client, zaak))
            except LegacyError as error:
                return zaakcontactmomenten.without_list(self.client, error)
            sample.add(len(found))
            self.telling.step()
            cursor["sample"] = sample.as_kept()
            if sample.asked % SAVE_SAMPLE == 0:
                self._save()
        return sample.way

    def _take_connections(self, found: list[dict[str, Any]], asked: int, place: dict[str, Any]) -> None:
        """Take what came, of which the first was asked for then."""

        def also(connection: sqlite3.Connection, result: Result) -> None:
            self.telling.count(CONNECTION, len(found), result)
            self.run_record.cursor |= place
            runs.save_run(connection, self.run_record)

        self._settle(self.fetcher.ingest.take(self.fetcher.name, CONNECTION, found, also, asked=asked))
        self._work(lambda: None)
        self._tell()

    def _reconcile(self, run: runs.Run) -> None:
        """Ask by uuid for what is held and the last look did not show: gone, changed, or no longer visible."""
        for kind in all_kinds_of(self.client):
            with self.store.read() as connection:
                total = rows.count_unseen(connection, self.source, kind, run.cursor["look_began"])
            self.telling.begin(kind, 0, 0, total)
            after = 0
            while True:
                with self.store.read() as connection:
                    found = rows.unseen_since(
                        connection, self.source, kind, run.cursor["look_began"], after, PIECE
                    )
                if not found:
                    break
                after = found[-1][0]
                questions = iter([self._by_uuid(kind, UUID(bytes=uuid)) for _, uuid in found])
                self._work(partial(next, questions, None))

    # Asking and taking

    def _work(self, more: Callable[[], Question | None]) -> None:
        """Ask what `more` gives and what that asks for in turn, until there is nothing left and all is taken."""
        self.crew.work(self._first, more, self._look_around, LOOK_AROUND_SECONDS)

    def _one(self, asking: Callable[[], Found]) -> Found:
        """Ask one thing, and wait for it."""
        answers: list[Found] = []
        questions = [Question(asking, answers.append)]
        self._work(lambda: questions.pop() if questions else None)
        return answers[0]

    def _by_uuid(self, kind: str, uuid: UUID) -> Question:
        """The question for one object."""

        def take(answer: tuple[int, Any]) -> None:
            asked, found = answer
            result = self.fetcher.settle(kind, uuid, found, asked)
            self.telling.count(BY_UUID, 1, result)
            self._settle(result)

        return Question(partial(dated, partial(ask, self.client, kind, uuid, deadline=None)), take)

    def _settle(self, result: Result) -> None:
        """See to what objects wait for, and to what became readable (M34)."""
        self._first.extend(self._by_uuid(kind, uuid) for kind, uuid in sorted(result.doubtful))
        self._first.extend(self._by_uuid("zaak", uuid) for uuid in sorted(result.unknown_zaken))
        visit = Visit(time.monotonic() + PATIENCE)
        with background(stop=self.stopping):
            for uuid in sorted(result.refetch_zaken):
                if unless_too_large(partial(self.fetcher.reread_zaak, visit, uuid)) is not None:
                    self._lost("een zaak die leesbaar werd")
            for uuid in sorted(result.refetch_moments):
                if unless_too_large(partial(self.fetcher.contents.reread_moment, visit, uuid)) is not None:
                    self._lost("een contactmoment dat leesbaar werd")

    def _ties(self, moments: Sequence[dict[str, Any]] | set[bytes]) -> None:
        """Ask what ties contactmomenten to zaken and klanten where that has no list of its own (M32, M40)."""
        uuids = [
            UUID(bytes=each) if isinstance(each, bytes) else uuid_in(each.get("url")) for each in moments
        ]
        for kind in UNPAGED_TIES:

            def take(answer: tuple[int, list[dict[str, Any]] | TooLarge], kind: str = kind) -> None:
                asked, found = answer
                if isinstance(found, TooLarge):
                    self._lost(f"{kind} van een contactmoment")
                    return
                result = self.fetcher.ingest.take(self.fetcher.name, kind, found, asked=asked)
                self.telling.count(kind, len(found), result)
                self._settle(result)

            self._first.extend(
                Question(
                    partial(dated, partial(unless_too_large, partial(ties_of, self.client, kind, uuid))),
                    take,
                )
                for uuid in uuids
                if uuid is not None
            )

    def _look_around(self) -> None:
        """Once a second: may we go on, and how fast? Raises BackfillStopped, Yielded, CutOver."""
        if time.monotonic() - self._looked < LOOK_AROUND_SECONDS:
            return
        if self.stopping.is_set():
            raise BackfillStopped
        self.client = self.fetcher.client
        with self.store.read() as connection:
            if backfills.stop_wished(connection, self.source):
                raise BackfillStopped("gestopt met klantbrug backfill stop")
        self.asked_how = self.client.describe()
        self.crew.connections = self.asked_how["connections"]
        self._tell()
        with self.store.write() as connection:  # which makes the lease last longer too, also while we wait
            runs.beat(connection, self.run_record)
            backfills.tell(connection, self.source, self.telling.news(self.asked_how))
        if self.asked_how["waiting"] in LONG and self.yields():
            raise Yielded
        self._looked = time.monotonic()

    def _after(self) -> float | None:
        """Seconds that what comes after this step will take, as fast as this step; None when there is no telling.

        Two looks are needed at least. Whether zaakcontactmomenten are asked zaak by zaak, the sample tells.
        """
        cursor, progress = self.run_record.cursor, self.telling.progress
        totals: dict[str, int | None] = cursor.get("totals", {})
        kinds = list(totals)
        if progress.kind not in totals or not progress.look or None in totals.values():
            return 0.0 if progress.kind in (CONNECTION, SAMPLE_OF_CONNECTIONS) or not progress.look else None
        average = self.telling.meter.average
        if not average:
            return None
        objects = sum(totals[kind] or 0 for kind in kinds[kinds.index(progress.kind) + 1 :])
        objects += max(0, LEAST_LOOKS - progress.look) * sum(count or 0 for count in totals.values())
        seconds = objects / average
        if self.client.zaakcontactmomenten == "per_zaak" and self.client.can(CONNECTION, "zaak"):
            seconds += (totals.get("zaak") or 0) / ZAKEN_A_SECOND
        return seconds

    def _tell(self) -> None:
        self.telling.progress.after = self._after()
        self.telling.tell(self.asked_how, self.crew.limited_by())

    def _save(self) -> None:
        with self.store.write() as connection:
            runs.save_run(connection, self.run_record)
