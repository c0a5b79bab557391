"""Rebuild: run the mappings again over the legacy objects that are held, in place, without asking any source.

Goes through the objects in the order of their rows, a transaction at a time with the cursor in it. So it can be killed
at any moment and resumed. Clients are served meanwhile; what comes in meanwhile is by the same mapping.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any

from gateway.base.row_set import RowSet
from gateway.ingest.ingest import Ingest, Result
from gateway.store.base.kinds import WAITING
from gateway.store.base.store import Store
from gateway.store.documents.numbering import number_what_clients_wrote
from gateway.store.indexes import field_values, profiles
from gateway.store.inspect import rebuild_notes, rebuilding
from gateway.store.legacy.objects import set_state
from gateway.store.operation import leases, runs
from gateway.store.operation.leases import Grip
from jobs.common.progress import Step
from jobs.common.work import busy
from mappings.translate import fingerprint

JOB = "rebuild"
LEASE_SECONDS = 120
PIECE = 200
PROFILES_AT_ONCE = 1000
WHAT = "opnieuw vertalen"


@dataclass(slots=True)
class RebuildOutcome:
    """What a rebuild did: objects `read`, how many `changed` in what they say, how many are in quarantine.

    `documents`: of each kind how many are the same, changed, new and gone.
    """

    read: int = 0
    changed: int = 0
    quarantined: int = 0
    documents: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class RebuildCursor:
    """Where a rebuild is: behind object (row) `after` on its way to `until`, of `total`, under this `mapping`."""

    mapping: str
    after: int
    until: int
    total: int


class Rebuild:
    """One rebuild of a store, of all that is held or `only` of one source."""

    def __init__(
        self,
        store: Store,
        ingest: Ingest,
        only: str | None = None,
        show: Callable[[Step], None] = lambda step: None,
    ) -> None:
        self.store = store
        self.ingest = ingest
        self.only = only
        self.show = show
        self.mapping = fingerprint(ingest.settings)
        with store.read() as connection:
            names = rebuilding.sources(connection)
        self.names = {number: name for number, name in names.items() if only in (None, name)}
        self.source = next(iter(self.names)) if only and self.names else None

    def run(self) -> RebuildOutcome:
        """Rebuild, or go on with what was begun under the same mapping.

        Raises Busy when a rebuild, backfill or verify of one of the sources runs. After leases.Lost, StoreFailed and
        KeyboardInterrupt the run can be resumed.
        """
        with (
            self._alone() as grips,
            self.store.guarded(lambda connection: _keep(connection, grips)),
            self.store.giving_way(),
        ):
            return self._run()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[list[Grip]]:
        wanted = [JOB, *(runs.lease_of("backfill", name) for name in self.names.values())]
        grips: list[Grip] = []
        try:
            for name in wanted:
                grip = runs.take_lease(self.store, name, LEASE_SECONDS)
                if grip is None:
                    raise busy(self.store, name, "er loopt al een rebuild, backfill of verify op deze opslag")
                grips.append(grip)
            yield grips
        finally:
            for grip in grips:
                leases.let_go(self.store, grip)

    def _run(self) -> RebuildOutcome:
        run, cursor = self._opened()
        self.store.for_bulk()
        status, message = runs.FAILED, ""
        try:
            with rebuild_notes.noting(self.store.connection(), run.id):
                self._without_facts()
                self._walk(run, cursor)
                self._leftovers()
                self._numbers()
            outcome = self._outcome(run)
            status = runs.FINISHED
            return outcome
        except KeyboardInterrupt:
            status, message = runs.INTERRUPTED, "onderbroken; hetzelfde commando gaat verder"
            raise
        finally:
            with contextlib.suppress(leases.Lost), self.store.write() as connection:
                runs.end_run(connection, run, status, message)
                if status == runs.FINISHED:
                    rebuilding.made_with(connection, self.names.values(), self.mapping)
            if status == runs.FINISHED:
                self._forget_notes()

    def _opened(self) -> tuple[runs.Run, RebuildCursor]:
        """The run to go on with; a changed mapping starts it over."""
        with self.store.write() as connection:
            run = runs.open_run(connection, JOB, self.source)
            if run.cursor.get("mapping") == self.mapping:
                return run, RebuildCursor(**run.cursor)
            until, total = rebuilding.extent(connection, self.source)
            cursor = RebuildCursor(self.mapping, 0, until, total)
            run.cursor = asdict(cursor)
            run.counters = {"read": 0, "changed": 0, "quarantined": 0}
            rebuilding.forget_source_findings(connection, self.source)
            runs.save_run(connection, run)
        # Of runs that were never gone on with, and of this one under another mapping.
        self._forget_notes()
        return run, cursor

    def _forget_notes(self) -> None:
        forgotten = 1
        while forgotten:
            with self.store.write() as connection:
                forgotten = rebuild_notes.forget_notes(connection)

    def _without_facts(self) -> None:
        """Have objects wait for their own turn when what others need of them was lost."""
        while True:
            with self.store.read() as connection:
                lost = rebuilding.without_facts(connection, self.source)
            if not lost:
                break
            with self.store.write() as connection:
                set_state(connection, lost, WAITING)

    def _walk(self, run: runs.Run, cursor: RebuildCursor) -> None:
        merged = RowSet()
        while True:
            with self.store.read() as connection:
                held = rebuilding.piece(connection, self.source, cursor.after, cursor.until, PIECE)
            if not held:
                break
            for source, group in groupby(held, key=lambda each: each.source):
                self._piece(run, cursor, self.names[source], list(group), merged)
            self.show(Step(self.only or "alles", WHAT, run.counters["read"], cursor.total))
        self.show(Step(self.only or "alles", WHAT, cursor.total, cursor.total))

    def _piece(
        self,
        run: runs.Run,
        cursor: RebuildCursor,
        name: str,
        held: list[rebuilding.HeldContent],
        merged: RowSet,
    ) -> None:
        def keep(connection: Any, result: Result) -> None:
            cursor.after = held[-1].id
            run.cursor = asdict(cursor)
            run.counters["read"] += len(held)
            run.counters["changed"] += result.changed
            run.counters["quarantined"] += result.quarantined
            runs.save_run(connection, run)

        self.ingest.retranslate(name, held, merged, keep)

    def _leftovers(self) -> None:
        """What was lost may leave something that no held object leads to."""
        after = 0
        while self.names:
            with self.store.read() as connection:
                found = rebuilding.leftovers(connection, after)
            if found is None:
                break
            self.ingest.leftovers(next(iter(self.names.values())), found)
            after = max(found.statements, default=after)
        with self.store.read() as connection:
            miscounted = rebuilding.miscounted(connection)
        if miscounted:
            with self.store.write() as connection:
                rebuilding.count_again(connection)
        self._values()
        self._profiles()

    def _values(self) -> None:
        """The values that documents are searched by are those that they have."""
        place: field_values.FieldValue | None = field_values.BEFORE_ALL
        while place is not None:
            with self.store.read() as connection:
                wrong, place = field_values.wrong(connection, place, PROFILES_AT_ONCE)
            if wrong:
                with self.store.write() as connection:
                    field_values.go(connection, wrong)
        after: int | None = 0
        while after is not None:
            with self.store.write() as connection:
                after = field_values.fill(connection, after, PROFILES_AT_ONCE)

    def _profiles(self) -> None:
        """Documents get their profiles anew, piece by piece: so a lost or wrong one is made again, and what is no
        more has none."""
        while True:
            with self.store.read() as connection:
                stray = profiles.stray(connection, PROFILES_AT_ONCE)
            if not stray:
                break
            with self.store.write() as connection:
                profiles.forget(connection, stray)
        last: tuple[int, int] | None = profiles.FIRST
        while last is not None:
            with self.store.write() as connection:
                last = profiles.note_all(connection, last, PROFILES_AT_ONCE)

    def _numbers(self) -> None:
        """What clients wrote gets a number too, when all get one: no held object leads to it."""
        numbered = int(self.ingest.settings.nummers == "uitdelen")
        while numbered:
            with self.store.write() as connection:
                numbered = number_what_clients_wrote(connection, self.ingest.uuids)

    def _outcome(self, run: runs.Run) -> RebuildOutcome:
        with self.store.read() as connection:
            documents = rebuild_notes.tally(connection, run.id)
        return RebuildOutcome(documents=documents, **run.counters)


def _keep(connection: Any, grips: list[Grip]) -> None:
    for grip in grips:
        leases.keep(connection, grip)
