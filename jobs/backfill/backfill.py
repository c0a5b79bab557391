"""Backfill: walk zaken, rollen and klantcontacten of a source into the store, until nothing new turns up.

One walk proves nothing: while objects are deleted, a walk from the front skips others; while objects are added, a
walk from the back does. So looks alternate their direction until one finds nothing that an earlier look missed.
Then what the last look did not show is asked for by uuid.

Pages are asked side by side (jobs/common/crew.py) and taken as they come; one writer, this thread, takes them all.
So two pages next to each other may be seen in either order. Within the few that are under way, inserts and deletes can
each mislead a look in either direction. That does not touch the proof. Say that a look skipped an object that stays at
the source. It stands behind one that existed then, and that one is held. Pages are counted in the order of the list,
however they came (jobs/common/walk.py). So each later look that does show the skipped object finds it behind something
known, and counts it as missed. What can go wrong is a count too many, which costs a look.

The cursor has the page before which all were taken and counted. It is written in the transaction of a page. After a
kill the pages beyond it, AHEAD at most, are asked again. What they had brought in by then can't be told from what was
held before. So a look that was stopped is not the one that agrees.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from uuid import UUID

from gateway.base.clock import now
from gateway.fetch.fetcher import Fetcher
from gateway.ingest.outcome import Result
from gateway.legacy.client.answers import Page
from gateway.legacy.errors import BadAnswer, BadRequest, LegacyError, TooLarge
from gateway.legacy.errors import Stopped as StoppedAtTheGate
from gateway.store.base.errors import StoreError, StoreFailed
from gateway.store.base.session import Session
from gateway.store.legacy import objects as rows
from gateway.store.legacy import visibility
from gateway.store.operation import leases, runs
from gateway.store.operation.sources import set_covered
from jobs.backfill import terms
from jobs.backfill.asking import AskingSource, BackfillStopped, Yielded
from jobs.backfill.connections import read_connections
from jobs.backfill.progress import Progress
from jobs.backfill.questions import page_at, total_of
from jobs.common.crew import Question
from jobs.common.lists import Filters, all_kinds_of, kinds_of, parts_of
from jobs.common.walk import SAME_PAGES, Count, ListSizes, PageCounts, Walk, counts_of
from jobs.common.work import Busy, busy

__all__ = ["Backfill", "BackfillStopped", "Busy", "Progress", "Yielded"]

# Looks that agree are not believed when a list got shorter meanwhile; where that goes on and on, they are in the end.
LOOKS_MORE = 2
LEASE_SECONDS = 120
# So many of what could not be read are named.
NAMED = 5
PIECE = 200


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

        `begins` is called once the source is ours to read. `yields` is asked while it must wait for what may take
        long: can another source be read meanwhile?
        """
        self.fetcher = fetcher
        self.store = fetcher.store
        self.source = fetcher.source
        self.show = show
        self.stopping = stopping or threading.Event()
        self.begins = begins
        self.yields = yields

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
        except (LegacyError, StoreError, StoreFailed) as error:
            message = str(error)
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
                    self.asking.client.clear_overrides()
            leases.let_go(self.store, grip)

    def _all(self, run: runs.Run) -> str:
        """Out: why it is not complete; blank when it is."""
        self.asking = asking = AskingSource(self.fetcher, run, self.show, self.stopping, self.yields)
        self.cursor = cursor = asking.cursor
        try:
            asking.begin()
            cursor.agreed = self._looks(run)
            asking.save()
            read_connections(asking)
            self._reconcile()
        finally:
            asking.close()
        if lost := cursor.lost:
            return f"niet volledig: {TooLarge.text} ({', '.join(lost[:NAMED])}, in totaal {len(lost)})"
        if not cursor.agreed:
            return "niet volledig: bij elke keer lezen kwamen er gemiste objecten bij"
        with self.store.write() as connection:
            if terms.terms_of(connection, self.fetcher) != cursor.terms:
                return "niet volledig: max_vertrouwelijkheidaanduiding werd intussen verhoogd"
            set_covered(connection, self.source, cursor.look_began)
        return ""

    # Looks

    def _looks(self, run: runs.Run) -> bool:
        asking, cursor = self.asking, self.cursor
        if not cursor.look:
            cursor.begin_look(run.started)
        elif cursor.agreed is not None:
            return cursor.agreed
        else:
            # What the last page asked for may not have come: ties are asked again in what is left, and the next look.
            cursor.all_ties = cursor.look + 1
            if cursor.look > 1:
                cursor.doubt_look()  # what the stopped process found last may not have been counted
        kinds = kinds_of(asking.client)
        if cursor.totals is None:
            cursor.totals = {kind: asking.ask_one(partial(total_of, asking.client, kind)) for kind in kinds}
        while cursor.look <= cursor.allowed:
            while cursor.kind < len(kinds):
                self._kind(kinds[cursor.kind])
                cursor.next_kind()
                asking.save()
            self._waiting()
            if cursor.look > 1 and cursor.surprises == 0:
                if not cursor.shrank or cursor.again >= LOOKS_MORE:
                    return True
                cursor.again, cursor.allowed = cursor.again + 1, cursor.allowed + 1
            cursor.begin_look(now())
            asking.save()
        return False

    def _kind(self, kind: str) -> None:
        """Look through the list of one kind, part by part."""
        asking, cursor = self.asking, self.cursor
        asking.reporter.begin(kind, cursor.look, cursor.read, cursor.total_of(kind))
        if kind not in cursor.parts:
            cursor.parts[kind] = asking.ask_one(lambda: parts_of(asking.client, kind))
            cursor.deepest[kind] = [0] * len(cursor.parts[kind])
        parts = cursor.parts[kind]
        try:
            while cursor.part < len(parts):
                self._part(kind, parts[cursor.part])
                cursor.next_part()
        except BadRequest:
            if all(asking.client.can(kind, name) for filters in parts for name in filters):
                raise
            self._undivided(kind)

    def _undivided(self, kind: str) -> None:
        """The source became a version that can't be asked for the parts of a list: look through all of it again.

        The parts done so far prove nothing of the whole, so this look can't be the one that agrees.
        """
        self.asking.restart()  # what is under way are pages of parts
        self.cursor.begin_undivided(kind)
        self.cursor.doubt_look()
        self.asking.save()
        self._kind(kind)

    def _part(self, kind: str, filters: Filters) -> None:
        asking, cursor = self.asking, self.cursor
        forward = cursor.look % 2 == 1
        deepest = cursor.deepest[kind][cursor.part]
        count = Count(forward, cursor.surprises, cursor.met_known, cursor.pending)
        start = cursor.page
        if not start:
            start = 1 if forward else self._end(kind, filters, deepest)
        walk, sizes = Walk(start, count, deepest), ListSizes()

        def keep(connection: Session | None, page: PageCounts, number: int) -> None:
            walk.page_taken(number, page)
            cursor.page = walk.turn
            cursor.deepest[kind][cursor.part] = walk.deepest
            cursor.surprises = count.surprises
            cursor.met_known, cursor.pending = count.met_known, count.pending
            if connection is not None:
                asking.keep(connection)

        def take(number: int, page: Page | TooLarge | None) -> None:
            count.surprises += self._renumbered()
            if page is None:
                keep(None, PageCounts(), number)
                return
            if isinstance(page, TooLarge):
                asking.note_unread(f"{kind} pagina {number}")
                keep(None, PageCounts(mark=number), number)
                return

            if page.exact and page.count is not None:
                cursor.shrank = sizes.shrank(page.asked, page.count) or cursor.shrank

            def also(connection: Session, result: Result) -> None:
                cursor.read += len(page.objects)
                asking.reporter.count(kind, len(page.objects), result)
                keep(connection, counts_of(page.objects, result.new), number)

            result = self.fetcher.ingest.take(
                self.fetcher.name,
                kind,
                page.objects,
                also,
                asked=page.asked,
                ready=page.ready,
                meanwhile=asking.crew.ahead(),
            )
            asking.fetch_dependents(result)
            if kind == "contactmoment":
                asking.ties(page.objects if cursor.look <= cursor.all_ties else result.new)
            self._total(kind, None if filters else page.count)
            if walk.same >= SAME_PAGES:
                text = "de bron geeft steeds dezelfde pagina"
                raise BadAnswer(self.fetcher.name, f"GET {kind}?page=*", text=text)
            asking.report()

        def ahead(page: Page | TooLarge | None) -> Iterator[object]:
            if isinstance(page, Page):
                yield from self.fetcher.ingest.ahead(self.fetcher.name, kind, page.objects, page.ready)

        def more() -> Question | None:
            number = walk.next()
            if number is None:
                return None
            asked = partial(page_at, asking.client, kind, filters, number)
            return Question(asked, partial(take, number), ahead)

        asking.work(more)

    def _total(self, kind: str, count: int | None) -> None:
        """Show how long the list of a kind is; a page of it told `count`."""
        if self.cursor.totals is not None and count is not None:
            self.cursor.totals[kind] = count
        total = self.cursor.total_of(kind)
        if total is not None:
            self.asking.reporter.progress.total = max(total, self.cursor.read)

    def _renumbered(self) -> bool:
        """Have pages another size than before (the source was upgraded)? Then this look may have skipped some."""
        sized, before = self.asking.client.can("rol", "pageSize"), self.cursor.sized
        self.cursor.sized = sized
        return before is not None and before != sized

    def _end(self, kind: str, filters: Filters, deepest: int) -> int:
        """The last page of a list now, from where it ended before; it may have grown since."""
        while (
            self.asking.ask_one(partial(page_at, self.asking.client, kind, filters, deepest + 1)) is not None
        ):
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
            self.asking.first.extend(self.asking.by_uuid("zaak", UUID(bytes=uuid)) for uuid in sorted(found))
            self.asking.work(lambda: None)

    def _reconcile(self) -> None:
        """Ask by uuid for what is held and the last look did not show: gone, changed, or no longer visible."""
        asking, began = self.asking, self.cursor.look_began
        for kind in all_kinds_of(asking.client):
            with self.store.read() as connection:
                total = visibility.count_unseen(connection, self.source, kind, began)
            asking.reporter.begin(kind, 0, 0, total)
            after = 0
            while True:
                with self.store.read() as connection:
                    found = visibility.unseen_since(connection, self.source, kind, began, after, PIECE)
                if not found:
                    break
                after = found[-1][0]
                questions = iter([asking.by_uuid(kind, UUID(bytes=uuid)) for _, uuid in found])
                asking.work(partial(next, questions, None))
