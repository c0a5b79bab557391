"""How an installation is: what the store counts, and how each source is being asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from gateway.config.model import Config, JobSettings
from gateway.config.sections import JOB_NAMES
from gateway.legacy.pacing import server_gates
from gateway.operator import writeback
from gateway.store.base.store import Store
from gateway.store.inspect.status import status
from gateway.store.operation import backfills, leases, runs
from mappings.standards import of_every_source

# How good something is: also the names of the colours on the page.
GOOD, BUSY, HALF, BAD = "good", "busy", "half", "bad"
COLOURS = {GOOD: "green", BUSY: "cyan", HALF: "yellow", BAD: "red"}
NO_SCHEDULER = (
    "Er draait geen proces voor de jobs: niets wordt bijgehouden, bezorgd of opgeruimd. Start klantbrug serve of"
    " klantbrug jobs."
)


class StatusLabel(NamedTuple):
    """How something is, in Dutch, and how good that is (GOOD, BUSY, HALF or BAD)."""

    word: str
    level: str


RUNS = {
    runs.RUNNING: StatusLabel("bezig", BUSY),
    runs.INTERRUPTED: StatusLabel("onderbroken", HALF),
    runs.FINISHED: StatusLabel("klaar", GOOD),
    runs.PROBLEMS: StatusLabel("klaar, NIET goed", BAD),
    runs.FAILED: StatusLabel("mislukt", BAD),
}
PROOFS = {runs.FINISHED: StatusLabel("schoon", GOOD), runs.PROBLEMS: StatusLabel("NIET schoon", BAD)}
PROVING = ("verify", "verify-sample")
COVERAGES = {"complete": StatusLabel("volledig", GOOD), "partial": StatusLabel("nog niet volledig", BAD)}


def run_label(job: str, status: str) -> StatusLabel:
    """How a run of a job is, for people; of a proof that ended, what it proved."""
    proof = PROOFS.get(status) if job in PROVING else None
    return proof or RUNS.get(status, StatusLabel(status, HALF))


def export_text(export: dict[str, Any]) -> str:
    """How leaving for a register stands (`export` in the status), in a Dutch sentence."""
    if export["exported"]:
        return f"Verhuisd naar {export['register']}: fase exported."
    follows = "wijzigingen worden gevolgd" if export["following"] else "wijzigingen wachten"
    return (
        f"Verhuizen naar {export['register']}: {follows}, {export['waiting']} nog te versturen, "
        f"{export['parked']} geweigerd."
    )


def proof_label(clean: bool) -> StatusLabel:
    """The outcome of a verify, for people."""
    return PROOFS[runs.FINISHED if clean else runs.PROBLEMS]


def unread_text(unread: Mapping[str, int]) -> str:
    """What clients notice of the objects of a source that could not be read, in Dutch; blank when there are none.

    In: `objects` in quarantine that nobody dismissed, and of how many `keyless` it is not known whom they are about.
    """
    number, keyless = unread["objects"], unread["keyless"]
    if not number:
        return ""
    are = "1 object is" if number == 1 else f"{number} objecten zijn"
    text = f"{are} niet te lezen (quarantaine): wie daarnaar zoekt krijgt geen volledig antwoord, lijsten zijn deels"
    if keyless:
        of = "1 daarvan" if keyless == 1 else f"{keyless} daarvan"
        text += f"; van {of} is niet bekend over wie het gaat, dus alle andere antwoorden zijn ook deels"
    return f"{text}."


def kinds_shown(kinds: dict[str, Any]) -> dict[str, Any]:
    """Of the counts of a source by kind, those that people are shown."""
    always = of_every_source()  # of the rest a source may have none, and then it is not shown to people
    return {kind: counts for kind, counts in kinds.items() if counts["seen"] or kind in always}


def reading_text(kind: str, look: int) -> str:
    """What a backfill is reading."""
    if not kind:
        return "begin"
    return f"{kind}, lezing {look}" if look else f"{kind}, een voor een nagaan"


def in_all_text(seconds_left: int | None) -> str:
    """How long the whole still takes."""
    return "" if seconds_left is None else f"; alles samen nog {timedelta(seconds=seconds_left)}"


def pace_text(rate: float, seconds_left: int | None, waits: str, limit: str) -> str:
    """How fast it goes, how long still, and what keeps it."""
    if waits:
        return f"wacht: {waits}"
    parts = [f"{rate:.0f}/s"]
    if seconds_left is not None:
        parts.append(f"nog {timedelta(seconds=seconds_left)}")
    if limit:
        parts.append(f"zo snel als {limit} toelaat")
    return ", ".join(parts)


def doing_text(news: dict[str, Any]) -> str:
    """What a running backfill reports (`gateway.operator.backfills.overview`, `now`), in one line."""
    pace = pace_text(news["rate_now"], news["seconds_left"], news["waits"], news["limited_by"])
    done = f"{news['done']} van {news['total']}" if news["total"] is not None else str(news["done"])
    return f"{reading_text(news['kind'], news['look'])}: {done}; {pace}{in_all_text(news.get('seconds_left_in_all'))}"


def overview(store: Store, config: Config) -> dict[str, Any]:
    """The status as `klantbrug status --json` and /beheer/api/v1/status give it: numbers only, nothing personal.

    Each configured source has `asking`: its circuit breaker, connections, latency, and what holds up its jobs.
    `backfill` is what a running one last reported; None when none runs, or it reported nothing yet.
    `scheduler` says whether jobs are wanted, and whether a process runs them. `store`: what is wrong with it.
    """
    shown = status(store)
    with store.read() as connection:
        running = backfills.running(connection)
        scheduled = leases.jobs_run(connection)
    wanted = any(config.jobs.get(name, JobSettings()).enabled for name in JOB_NAMES)
    shown["scheduler"] = {"wanted": wanted, "runs": scheduled}
    shown["store"] = {"problems": store.trouble()}
    told = writeback.numbers(store)
    for source in config.sources:
        if source.name in shown["sources"]:
            if source.write_back or source.name in told:
                shown["sources"][source.name]["writeback"] = writeback.shown_numbers(told.get(source.name))
            shown["sources"][source.name]["backfill"] = running.get(source.name)
            shown["sources"][source.name]["asking"] = server_gates.describe(config.store.path, source)
    return shown


def trouble(status: dict[str, Any]) -> str:
    """What of an overview must not wait, for people; blank when there is nothing."""
    problems = list(status.get("store", {}).get("problems", ()))
    scheduler = status.get("scheduler")
    if scheduler and scheduler["wanted"] and not scheduler["runs"]:
        problems.append(NO_SCHEDULER)
    return " ".join(problems)
