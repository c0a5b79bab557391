"""Does something stand still that matters? For `/health/status`, and what the metrics of the store are made of."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any, NamedTuple

from gateway.base import clock
from gateway.config.model import Config
from gateway.fetch.coverage import CUTOVER, Coverage, CoverageJudge
from gateway.legacy.pacing.gate import CHOSEN
from gateway.legacy.pacing.server_gates import answers
from gateway.operator.rooms import progress
from gateway.operator.status import NO_SCHEDULER, overview
from gateway.store.base.store import Store
from gateway.store.inspect.status import moment_of
from gateway.store.operation import leases, verify_reports
from gateway.store.operation.sources import held_source, source_read

# Many may ask, and what they see need not be newer than this.
LOOK_SECONDS = 2.0
# As jobs name their leases.
JOB_LEASE = "job "
OK, STANDS_STILL = "ok", "stands still"


class Standstill(NamedTuple):
    """Something that matters stands still: `what` (store, jobs, job, sync, sweep or source), of which job or source."""

    what: str
    of: str
    since: str | None
    text: str


class Watch:
    """Looks at one installation, no more often than LOOK_SECONDS. Safe for threads."""

    def __init__(self, store: Store, config: Config) -> None:
        self.store, self.config = store, config
        sync = config.jobs.get("sync")
        self._judge = CoverageJudge(sync.schedule if sync else "")
        self._lock = threading.Lock()
        self._held: tuple[float, dict[str, Any]] | None = None

    def look(self) -> dict[str, Any]:
        """The status (`gateway.operator.status.overview`), and beside it `hanging` jobs; of a source its last `proof`,
        how much of it is held (`held_percent`, None when nobody knows), and whether it is `behind`: read whole, and its
        sync overdue.

        Raises StoreFailed or StoreError when the store does not answer, TooLong when it takes too long over it.
        """
        with self._lock:
            if self._held is None or self._held[0] < clock.monotonic():
                found = self._found()  # it counts from when it was found: in a slow store that takes its time
                self._held = clock.monotonic() + LOOK_SECONDS, found
            return self._held[1]

    def _found(self) -> dict[str, Any]:
        found = overview(self.store, self.config)
        with self.store.read() as connection:
            hanging = leases.stuck(connection, JOB_LEASE)
            for name, source in found["sources"].items():
                row = held_source(connection, name)
                source["proof"], source["behind"], source["held_percent"] = None, False, None
                if row is None:
                    continue
                phase, read, synced, _ = source_read(connection, row)
                coverage = self._judge.coverage(phase, read, synced, clock.now())
                source["behind"] = coverage is Coverage.BEHIND
                last, _ = progress.last_run(connection, name)
                source["held_percent"] = progress.coverage(source["kinds"], bool(read), last)
                if proof := next(verify_reports.proofs(connection, row), None):
                    counts = verify_reports.telling(connection, row) or proof
                    source["proof"] = {"ended": moment_of(proof.ended), "clean": counts.clean}
        found["hanging"] = [name.removeprefix(JOB_LEASE) for name in hanging]
        return found

    def standstills(self) -> list[Standstill]:
        """What stands still now, the worst first; raises as `look` does."""
        status = self.look()
        found = [Standstill("store", "", None, text) for text in status["store"]["problems"]]
        if status["scheduler"]["wanted"] and not status["scheduler"]["runs"]:
            found.append(Standstill("jobs", "", None, NO_SCHEDULER))
        for name in status["hanging"]:
            found.append(Standstill("job", name, None, f"De job {name} geeft geen teken van leven."))
        if (status["export"] or {}).get("exported"):
            return found  # no source is asked any more
        for source in self.config.sources:
            if source.name in status["sources"]:
                found += self._of_source(source.name, status["sources"][source.name])
        return found

    def _of_source(self, name: str, source: dict[str, Any]) -> list[Standstill]:
        asking, following, phase = source["asking"], source.get("following") or {}, source["phase"]
        if phase == CUTOVER:
            return []
        if not answers(asking):
            since = following.get("still")
            return [Standstill("source", name, since, f"De bron {name} antwoordt niet.")]
        if asking["waiting"] in CHOSEN:
            return []  # an operator wants it so
        found = []
        synced = following.get("synced")
        if source["behind"]:
            found.append(
                Standstill("sync", name, synced, f"Wat nieuw is in bron {name}, is te lang niet opgehaald.")
            )
        if following.get("still"):
            text = f"De sweep van bron {name} staat stil: {following.get('cause') or 'de oorzaak is niet bekend'}."
            found.append(Standstill("sweep", name, following["still"], text))
        return found

    def told(self) -> tuple[bool, dict[str, Any]]:
        """For a monitor. Out: does all go on, and how it is, numbers and words only; raises as `look` does."""
        standing, status = self.standstills(), self.look()
        moment = clock.utc_now()
        sources = {}
        for name, source in status["sources"].items():
            proof, following, asking = (
                source["proof"],
                source.get("following") or {},
                source.get("asking") or {},
            )
            sources[name] = {
                "phase": source["phase"],
                "coverage": source["coverage"],
                "breaker": asking.get("breaker"),
                "waiting": asking.get("waiting"),
                "synced": following.get("synced"),
                "swept": following.get("swept"),
                "proof": proof
                and {
                    **proof,
                    "age_seconds": round((moment - datetime.fromisoformat(proof["ended"])).total_seconds()),
                },
            }
        return not standing, {
            "status": STANDS_STILL if standing else OK,
            "standing_still": [each._asdict() for each in standing],
            "jobs": {**status["scheduler"], "hanging": status["hanging"]},
            "sources": sources,
            "store": status["store"],
        }
