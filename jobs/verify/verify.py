"""Verify: compares a source and the store both ways, says what is missing, extra or different, and can repair it.

What it does stands in jobs/verify/whole.py (everything) and jobs/verify/sample.py. Here is the run: alone with the
source, its report, and resuming a whole verify that was stopped. What seems wrong is rechecked before it counts: a
source and a store change while they are read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from hashlib import blake2b
from importlib.metadata import version
from threading import get_ident
from typing import Any
from uuid import UUID

from gateway.base import clock
from gateway.base.clock import DUTCH_TIME, now
from gateway.base.logs import get_logger
from gateway.fetch.coverage import SYNCED
from gateway.fetch.fetcher import Fetcher
from gateway.installation import Installation
from gateway.legacy.background import Background, Waiting, background, current
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.client.zaaktypen import Zaaktype
from gateway.legacy.errors import LegacyError
from gateway.legacy.errors import Stopped as StoppedAtTheGate
from gateway.legacy.pacing.gate import LONG
from gateway.operator.phase import fingerprint
from gateway.operator.verify_report import sentence
from gateway.store.inspect import comparing
from gateway.store.legacy import untranslated_keys
from gateway.store.operation import leases, runs, verify_reports
from jobs.common.crew import PATIENT, Crew
from jobs.common.lists import all_kinds_of
from jobs.common.progress import Step
from jobs.common.work import Busy, Work, busy
from jobs.verify.ledger import NAMED
from jobs.verify.sample import SampleVerify
from jobs.verify.whole import WholeVerify

log = get_logger("klantbrug.verify")

SAMPLE = 500
LEASE_SECONDS = 120
RENEW_SECONDS = 20.0
LOOK_AROUND_SECONDS = 1.0
BEGIN = "begin"
# One that was begun longer ago is not gone on with: it would prove what nobody saw together.
LASTS = 86400 * 1_000_000


class VerifyStopped(Exception):
    """Whoever asked for this verify wants it to stop."""


class Verify:
    """One verify of one source. `run` may be stopped at any moment, and called again: a whole one then goes on."""

    def __init__(
        self,
        fetcher: Fetcher,
        sample: int | None = None,
        repair: bool = False,
        show: Callable[[Step], None] = lambda step: None,
        seed: int | None = None,
    ) -> None:
        """In: how many zaken to take at random, None for everything; `seed` makes the choice again."""
        self.fetcher = fetcher
        self.store = fetcher.store
        self.name = fetcher.name
        self.source = fetcher.source
        self.sample = sample
        self.repair = repair
        self.show = show
        self.seed = int.from_bytes(os.urandom(4)) if seed is None else seed
        self._step = Step(self.name, BEGIN, 0, None)
        self._renewed = self._looked = 0.0
        # What threads wait for, each in a call of its own; and that of whoever runs this.
        self._held_up: dict[int, Waiting] = {}
        self._own = 0

    def run(self) -> dict[str, Any]:
        """Verify, keep the report, and give it. Raises Busy, CutOver; and, leaving a run that can be gone on with
        when it is of everything: LegacyError, leases.Lost, whatever `show` raises."""
        client = self.fetcher.client  # not in phase cutover
        lease = runs.lease_of("verify", self.name)
        grip = runs.take_lease(self.store, lease, LEASE_SECONDS)
        if grip is None:
            raise busy(self.store, lease, f"Bron {self.name}: er loopt een backfill of verify")
        job, self._own = current(), get_ident()
        self._how = replace(job or PATIENT, waiting=self._hold)
        self.crew = Crew(client.describe()["connections"], self._how)
        self.store.for_bulk()
        run: runs.Run | None = None
        status, message = runs.FAILED, ""
        try:
            # Whatever writes, also in repairing: only for as long as the lease is ours.
            guarded = self.store.guarded(lambda connection: leases.keep(connection, grip))
            with self.store.giving_way(), guarded, _as_before(self._how) if job else nullcontext():
                run = self._opened()
                report = self._report(run)
                with self.store.write() as connection:
                    report["id"] = verify_reports.put_report(connection, self.source, report)
                    run.counters = {kind: dict(row) for kind, row in report["kinds"].items()}
                    text = f"rapport {report['id']}: " + sentence(report)
                    runs.end_run(connection, run, runs.FINISHED if report["clean"] else runs.PROBLEMS, text)
            run = None
            return report
        except (KeyboardInterrupt, VerifyStopped, StoppedAtTheGate):
            status, message = runs.INTERRUPTED, "onderbroken"
            if self.sample is None:
                message += "; hetzelfde commando gaat verder"
            raise
        except leases.Lost:
            run = None  # it is another's by now
            raise
        except LegacyError as error:
            message = str(error)
            raise
        finally:
            self.crew.close()
            if run is not None:
                with self.store.write() as connection:
                    runs.end_run(connection, run, status, message)
            leases.let_go(self.store, grip)

    def _opened(self) -> runs.Run:
        """The run to go on with, if it was begun as this one and not too long ago; else at its beginning."""
        terms = None if self.sample is not None else self._terms()  # the source is asked for some of it
        with self.store.write() as connection:
            # Of its own kind, so that a sample of the weekly job does not undo a whole one that waits to go on.
            job = "verify" if self.sample is None else "verify-sample"
            run = runs.open_run(connection, job, self.source)
            fits = terms is not None and run.cursor.get("terms") == terms
            if run.resumed and not (fits and run.started <= now() <= run.started + LASTS):
                runs.start_over(connection, run)
        if run.resumed:
            log.info("verify goes on where it was stopped", source=self.name)
        return run

    def _terms(self) -> str:
        """What may not change under a whole verify: the program, its choices, and what it is about."""
        client, settings = self.fetcher.client, self.fetcher.ingest.settings
        terms = [
            version("klantbrug"),
            fingerprint(settings),
            str(self.repair),
            _address(client),
            *all_kinds_of(client),
        ]
        return blake2b("\n".join(terms).encode(), digest_size=8).hexdigest()

    def _report(self, run: runs.Run) -> dict[str, Any]:
        verify = self._whole(run) if self.sample is None else self._some(self.sample)
        verify.run()
        rights = {
            "refused_kinds": verify.ledger.unreachable,
            **self._rights(),
            "shown": verify.shown if isinstance(verify, WholeVerify) else {},
        }
        client = self.fetcher.client
        return {
            "source": self.name,
            "address": _address(client),
            "version": version("klantbrug"),
            "mapping": fingerprint(self.fetcher.ingest.settings),
            "mode": "full" if self.sample is None else "sample",
            "sample": self.sample,
            "seed": None if self.sample is None else self.seed,
            "repair": self.repair,
            "began": run.started,
            "ended": now(),
            **verify.ledger.report(verify.judge.kinds, self._unread(verify.judge.kinds)),
            "rights": rights,
            **_catalogue(next(self._answers([lambda: _zaaktypen(client)]))),
        }

    def _whole(self, run: runs.Run) -> WholeVerify:
        terms = self._terms()

        def save() -> None:
            run.cursor = {"terms": terms, **whole.packed()}
            with self.store.write() as connection:
                runs.save_run(connection, run)

        whole = WholeVerify(self.fetcher, self.repair, self._answers, self._tell, save, run.cursor)
        return whole

    def _some(self, number: int) -> SampleVerify:
        return SampleVerify(self.fetcher, self.repair, self._answers, self._tell, number, self.seed)

    # Meanwhile

    def _answers(self, questions: Iterable[Callable[[], Any]]) -> Iterator[Any]:
        """Ask the source side by side; the answers in the order of the questions."""
        return self.crew.in_order(questions, self._meanwhile, LOOK_AROUND_SECONDS)

    def _tell(self, what: str, done: int, total: int | None) -> None:
        self._show(Step(self.name, what, done, total))

    def _show(self, step: Step) -> None:
        self._step = step
        self.show(step)
        if clock.monotonic() - self._renewed > RENEW_SECONDS:
            self._renewed = clock.monotonic()
            with self.store.write():
                pass  # so that the lease lasts longer

    def _meanwhile(self) -> None:
        """Once a second while the source is asked: may we go on, and on how many connections? Raises CutOver."""
        if clock.monotonic() - self._looked < LOOK_AROUND_SECONDS:
            return
        self._looked = clock.monotonic()
        client = self.fetcher.client
        self.crew.connections = client.describe()["connections"]
        # Between two tries of a call no thread is held up, though the gate is closed; another API has its own gate.
        waiting = client.waits(window=self._how.window) or next(iter([*self._held_up.values()]), None)
        if waiting is not None or self._step.what != BEGIN:
            self._show(replace(self._step, waits=_reason(waiting)))

    def _hold(self, waiting: Waiting | None) -> None:
        """A call of this thread begins to wait, or goes on (None)."""
        thread = get_ident()
        if waiting is None or waiting.reason not in LONG:
            self._held_up.pop(thread, None)
            return
        self._held_up[thread] = waiting
        if thread == self._own:
            # While it waits itself, nobody looks around.
            self.show(replace(self._step, waits=_reason(waiting)))

    def _unread(self, kinds: Collection[str]) -> int:
        """The objects of these kinds in quarantine that the source shows, and that nobody dismissed."""
        with self.store.read() as connection:
            return untranslated_keys.shown(connection, self.source, kinds)

    def _rights(self) -> dict[str, Any]:
        """What the credentials can't see, as far as the store shows it."""
        with self.store.read() as connection:
            refused, named = comparing.refused_zaken(connection, self.source, NAMED)
            invisible = comparing.invisible(connection, self.source)
        return {
            "refused_zaken": refused,
            "refused_zaken_named": [str(UUID(bytes=uuid)) for uuid in named],
            "invisible": invisible,
        }


def _as_before(how: Background) -> AbstractContextManager[None]:
    """Background calls of this thread, that wait as `how` says."""
    return background(how.stop, how.waiting, patience=how.patience, window=how.window)


def _reason(waiting: Waiting | None) -> str:
    """Why the source is not asked and until when, for people; blank when it is."""
    if waiting is None:
        return ""
    until = f", verder om {waiting.until.astimezone(DUTCH_TIME):%H:%M}" if waiting.until else ""
    return waiting.reason + until


def _address(client: ZakenClient) -> str:
    """The address of the Zaken API of a source."""
    return client.url_of("zaak", str(UUID(int=0))).rpartition("zaken/")[0]


def _zaaktypen(client: ZakenClient) -> list[Zaaktype]:
    """The zaaktypen, as far as a Catalogi API is configured and answers."""
    found: list[Zaaktype] = []
    try:
        for page in client.pages("zaaktype"):
            found += filter(None, map(Zaaktype.read, page.objects))
    except LegacyError:
        return found
    return found


def _catalogue(zaaktypen: list[Zaaktype]) -> dict[str, dict[str, str]]:
    """What a report says of the catalogue: by uuid of a version its text, and the zaaktype that it is a version of."""
    return {
        "zaaktype_namen": {each.uuid: each.text for each in zaaktypen},
        "zaaktype_van": {each.uuid: each.of for each in zaaktypen},
    }


def any_synced(installation: Installation) -> bool:
    """Is there a source in phase synced? Only of those is the store meant to be equal from day to day."""
    return any(fetcher.state()[0] == SYNCED for fetcher in installation.fetchers.values())


def verify_synced(work: Work) -> dict[str, int]:
    """The job: a sample of each source in phase synced. Out: counts. Raises leases.Lost."""
    counts = {"verified": 0, "clean": 0, "not_clean": 0, "differences": 0, "skipped": 0}

    def go_on(step: Step) -> None:
        if work.stopping.is_set():
            raise VerifyStopped(step.what)
        with work.write():
            pass  # so that the lease of the job lasts longer

    for fetcher in work.installation.fetchers.values():
        if fetcher.state()[0] != SYNCED or work.stopping.is_set():
            continue
        try:
            report = Verify(fetcher, sample=SAMPLE, show=go_on).run()
        except VerifyStopped:
            break
        except (LegacyError, Busy) as error:
            log.warning("verify did not run", source=fetcher.name, cause=type(error).__name__)
            counts["skipped"] += 1
            continue
        counts["verified"] += 1
        counts["clean" if report["clean"] else "not_clean"] += 1
        counts["differences"] += report["found"]
        if not report["clean"]:
            log.warning(
                "verify found differences", source=fetcher.name, report=report["id"], found=report["found"]
            )
    return counts
