"""How a backfill asks its source: side by side, with one writer that takes the answers and fetches what they lead to.

Looks, zaakcontactmomenten and what is asked by uuid all go through it. It keeps where the backfill is and reports its
progress. Once a second it checks whether it may go on.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from gateway.base import clock
from gateway.fetch.fetcher import Fetcher, ask
from gateway.fetch.visit import Visit
from gateway.ingest.outcome import Result
from gateway.legacy.background import background, patient
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.errors import TooLarge, WaitTooLong
from gateway.legacy.pacing.gate import LONG
from gateway.legacy.pacing.turns import BROKEN
from gateway.store.base.session import Session
from gateway.store.operation import backfills, runs
from jobs.backfill.cursor import BackfillCursor
from jobs.backfill.progress import BY_UUID, Progress, ProgressReporter
from jobs.backfill.questions import dated, unless_too_large
from jobs.common.crew import Crew, Question
from jobs.common.lists import UNPAGED_TIES, ties_of
from mappings.standards import CONNECTION
from mappings.values.uuids import uuid_in

LEAST_LOOKS = 2
# The name of the sample of zaakcontactmomenten, for an operator.
SAMPLE_OF_CONNECTIONS = "zaakcontactmoment (steekproef)"
# Measured: what is asked zaak by zaak on one connection.
ZAKEN_A_SECOND = 45
# How often limits are checked and progress is reported.
LOOK_AROUND_SECONDS = 1.0
# How often the course of a run is noted, for the chart of it.
SAMPLE_SECONDS = 10.0
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


class AskingSource:
    """The questions of one run of a backfill, and what comes of their answers."""

    def __init__(
        self,
        fetcher: Fetcher,
        run: runs.Run,
        show: Callable[[Progress], None],
        stopping: threading.Event,
        yields: Callable[[], bool],
    ) -> None:
        self.fetcher = fetcher
        self.store = fetcher.store
        self.source = fetcher.source
        self.run = run
        self.cursor = BackfillCursor.from_json(run.cursor)
        self.stopping = stopping
        self.yields = yields
        self.client: ZakenClient = fetcher.client
        self.reporter = ProgressReporter(fetcher.name, run.counters, show)
        self.asked_how = self.client.describe()
        self.crew = Crew(self.asked_how["connections"])
        # What answers ask for in turn: it goes before the next page.
        self.first: deque[Question] = deque()
        self._looked = self._sampled = 0.0

    def close(self) -> None:
        """Leave what is under way."""
        self.crew.close()

    def restart(self) -> None:
        """Leave what is under way, and go on asking."""
        self.crew.close()
        self.crew = Crew(self.asked_how["connections"])

    def begin(self) -> None:
        """Wait until the source may be asked, and ask it what it speaks. Raises BackfillStopped, Yielded, LegacyError.

        With a source that does not answer at all a run ends here, instead of waiting for better times.
        """
        while True:
            while (waiting := self.client.waits()) is not None and waiting.reason != BROKEN:
                self.check_limits()
                if self.yields():
                    raise Yielded
                clock.sleep(LOOK_AROUND_SECONDS / 2)
            try:
                self.ask_one(self._version)
                return
            except WaitTooLong as error:
                if error.waiting.reason == BROKEN:
                    raise

    def _version(self) -> None:
        with patient(BEGIN_PATIENCE):
            self.client.version()

    # Asking and taking

    def work(self, more: Callable[[], Question | None]) -> None:
        """Ask what `more` gives and what that asks for in turn, until there is nothing left and all is taken."""
        self.crew.work(self.first, more, self.check_limits, LOOK_AROUND_SECONDS)

    def ask_one(self, asking: Callable[[], Found]) -> Found:
        """Ask one thing, and wait for it."""
        answers: list[Found] = []
        questions = [Question(asking, answers.append)]
        self.work(lambda: questions.pop() if questions else None)
        return answers[0]

    def by_uuid(self, kind: str, uuid: UUID) -> Question:
        """The question for one object."""

        def take(answer: tuple[int, Any]) -> None:
            asked, found = answer
            result = self.fetcher.apply_answer(kind, uuid, found, asked)
            self.reporter.count(BY_UUID, 1, result)
            self.fetch_dependents(result)

        return Question(partial(dated, partial(ask, self.client, kind, uuid, deadline=None)), take)

    def fetch_dependents(self, result: Result) -> None:
        """See to what objects wait for, and to what became readable (M34)."""
        self.first.extend(self.by_uuid(kind, uuid) for kind, uuid in sorted(result.doubtful))
        self.first.extend(self.by_uuid("zaak", uuid) for uuid in sorted(result.unknown_zaken))
        visit = Visit(clock.monotonic() + PATIENCE)
        with background(stop=self.stopping):
            for uuid in sorted(result.refetch_zaken):
                if unless_too_large(partial(self.fetcher.reread_zaak, visit, uuid)) is not None:
                    self.note_unread("een zaak die leesbaar werd")
            for uuid in sorted(result.refetch_moments):
                if unless_too_large(partial(self.fetcher.contents.reread_moment, visit, uuid)) is not None:
                    self.note_unread("een contactmoment dat leesbaar werd")

    def ties(self, moments: Sequence[dict[str, Any]] | set[bytes]) -> None:
        """Ask what ties contactmomenten to zaken and klanten where that has no list of its own (M32, M40)."""
        uuids = [
            UUID(bytes=each) if isinstance(each, bytes) else uuid_in(each.get("url")) for each in moments
        ]
        for kind in UNPAGED_TIES:

            def take(answer: tuple[int, list[dict[str, Any]] | TooLarge], kind: str = kind) -> None:
                asked, found = answer
                if isinstance(found, TooLarge):
                    self.note_unread(f"{kind} van een contactmoment")
                    return
                result = self.fetcher.ingest.take(self.fetcher.name, kind, found, asked=asked)
                self.reporter.count(kind, len(found), result)
                self.fetch_dependents(result)

            self.first.extend(
                Question(
                    partial(dated, partial(unless_too_large, partial(ties_of, self.client, kind, uuid))),
                    take,
                )
                for uuid in uuids
                if uuid is not None
            )

    def note_unread(self, what: str) -> None:
        """What could not be read, because it is too large: told at the end, and the rest goes on."""
        if what not in self.cursor.lost:
            self.cursor.lost.append(what)

    # Where it is, and how it goes

    def keep(self, connection: Session) -> None:
        """Keep where it is, in the transaction of the work that brought it there."""
        self.run.cursor = self.cursor.to_json()
        runs.save_run(connection, self.run)

    def save(self) -> None:
        """Keep where it is."""
        with self.store.write() as connection:
            self.keep(connection)

    def check_limits(self) -> None:
        """Once a second: may we go on, and how fast? Raises BackfillStopped, Yielded, CutOver."""
        if clock.monotonic() - self._looked < LOOK_AROUND_SECONDS:
            return
        if self.stopping.is_set():
            raise BackfillStopped
        self.client = self.fetcher.client
        with self.store.read() as connection:
            if backfills.stop_wished(connection, self.source):
                raise BackfillStopped("gestopt met klantbrug backfill stop")
        self.asked_how = self.client.describe()
        self.crew.connections = self.asked_how["connections"]
        self.report()
        with self.store.write() as connection:  # which makes the lease last longer too, also while we wait
            runs.beat(connection, self.run)
            news = self.reporter.snapshot(self.asked_how)
            backfills.report(connection, self.source, news)
            if clock.monotonic() - self._sampled >= SAMPLE_SECONDS:
                backfills.put_sample(connection, self.run.id, news["rate_now"], self.asked_how["p50_ms"])
                self._sampled = clock.monotonic()
        if self.asked_how["waiting"] in LONG and self.yields():
            raise Yielded
        self._looked = clock.monotonic()

    def report(self) -> None:
        """Show how it is going."""
        self.reporter.progress.after = self._after()
        self.reporter.report(self.asked_how, self.crew.limited_by())

    def _after(self) -> float | None:
        """Seconds that what comes after this step will take, as fast as this step; None when there is no telling.

        Two looks are needed at least. Whether zaakcontactmomenten are asked zaak by zaak, the sample tells.
        """
        progress, totals = self.reporter.progress, self.cursor.totals or {}
        kinds = list(totals)
        if progress.kind not in totals or not progress.look or None in totals.values():
            return 0.0 if progress.kind in (CONNECTION, SAMPLE_OF_CONNECTIONS) or not progress.look else None
        average = self.reporter.meter.average
        if not average:
            return None
        objects = sum(totals[kind] or 0 for kind in kinds[kinds.index(progress.kind) + 1 :])
        objects += max(0, LEAST_LOOKS - progress.look) * sum(count or 0 for count in totals.values())
        seconds = objects / average
        if self.client.zaakcontactmomenten == "per_zaak" and self.client.can(CONNECTION, "zaak"):
            seconds += (totals.get("zaak") or 0) / ZAKEN_A_SECOND
        return seconds
