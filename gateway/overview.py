"""How an installation is: what the store counts, and how each source is being asked."""

from __future__ import annotations

from typing import Any, NamedTuple

from gateway.config import Config, Job
from gateway.config_schema import JOB_NAMES
from gateway.legacy import gates
from gateway.store import leases, runs
from gateway.store.database import Store
from gateway.store.status import status

# How good something is: also the names of the colours on the page.
GOOD, BUSY, HALF, BAD = "good", "busy", "half", "bad"
COLOURS = {GOOD: "green", BUSY: "cyan", HALF: "yellow", BAD: "red"}
# What every source has; of the rest a source may have none, and then it is not shown to people.
ALWAYS_SHOWN = ("zaak", "rol", "klantcontact")
NO_SCHEDULER = (
    "Er draait geen proces voor de jobs: niets wordt bijgehouden, bezorgd of opgeruimd. Start klantbrug serve of"
    " klantbrug jobs."
)


class Told(NamedTuple):
    """How something is, in Dutch, and how good that is (GOOD, BUSY, HALF or BAD)."""

    word: str
    level: str


RUNS = {
    runs.RUNNING: Told("bezig", BUSY),
    runs.INTERRUPTED: Told("onderbroken", HALF),
    runs.FINISHED: Told("klaar", GOOD),
    runs.PROBLEMS: Told("klaar, NIET goed", BAD),
    runs.FAILED: Told("mislukt", BAD),
}
PROOFS = {runs.FINISHED: Told("schoon", GOOD), runs.PROBLEMS: Told("NIET schoon", BAD)}
PROVING = ("verify", "verify-sample")
COVERAGES = {"complete": Told("volledig", GOOD), "partial": Told("nog niet volledig", BAD)}


def run_told(job: str, status: str) -> Told:
    """How a run of a job is, for people; of a proof that ended, what it proved."""
    proof = PROOFS.get(status) if job in PROVING else None
    return proof or RUNS.get(status, Told(status, HALF))


def proof_told(clean: bool) -> Told:
    """The outcome of a verify, for people."""
    return PROOFS[runs.FINISHED if clean else runs.PROBLEMS]


def kinds_shown(kinds: dict[str, Any]) -> dict[str, Any]:
    """Of the counts of a source by kind, those that people are shown."""
    return {kind: counts for kind, counts in kinds.items() if counts["seen"] or kind in ALWAYS_SHOWN}


def overview(store: Store, config: Config) -> dict[str, Any]:
    """The status as `klantbrug status --json` and /beheer/api/v1/status give it: numbers only, nothing personal.

    Each configured source has `asking`: its circuit breaker, connections, latency, and what holds up its jobs.
    `scheduler` says whether jobs are wanted, and whether a process runs them.
    """
    found = status(store)
    with store.read() as connection:
        runs = leases.holder_of(connection, leases.SCHEDULER) is not None
    wanted = any(config.jobs.get(name, Job()).enabled for name in JOB_NAMES)
    found["scheduler"] = {"wanted": wanted, "runs": runs}
    for source in config.sources:
        if source.name in found["sources"]:
            found["sources"][source.name]["asking"] = gates.describe(config.store.path, source)
    return found


def trouble(status: dict[str, Any]) -> str:
    """What of an overview must not wait, for people; blank when there is nothing."""
    scheduler = status.get("scheduler")
    return NO_SCHEDULER if scheduler and scheduler["wanted"] and not scheduler["runs"] else ""
