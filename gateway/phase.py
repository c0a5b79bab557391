"""The phases of a source: which switch is allowed when, and the switch itself with its line in the log of events.

live: the source is asked as needed. synced: requests do not wait for it, jobs keep the store in step. cutover: nothing
asks it any more. Going back is always allowed.
"""

from __future__ import annotations

import sqlite3

from gateway.fetch import CUTOVER, SYNCED
from gateway.store import comparing, events, leases, reports, runs
from gateway.store import legacy as rows
from gateway.store.database import Store, now

PHASES = ("live", SYNCED, CUTOVER)
PROOF_LASTS = 86400 * 1_000_000


class NotAllowed(Exception):
    """The switch is not allowed; the text says why and what to do."""


def switch(store: Store, name: str, phase: str, who: str, why: str = "", force: bool = False) -> str:
    """Put a source in a phase; out: the phase it was in. Processes that run follow at their next question.

    With `force` without proof, which needs a reason. Raises NotAllowed.
    """
    if force and not why.strip():
        raise NotAllowed("Met --force hoort een reden: --reason TEKST; zij komt in het logboek.")
    with store.write() as connection:
        source = rows.source_id(connection, name)
        before, covered = rows.source_state(connection, source)
        if phase == before:
            return before
        forward = PHASES.index(phase) > PHASES.index(before)
        holder = leases.holder_of(connection, runs.lease_of("backfill", name))
        if phase == CUTOVER and holder is not None:
            raise NotAllowed(
                f"Er loopt een backfill of verify van bron {name} (proces {holder}); laat die eindigen of stop die."
            )
        if forward and not force:
            last = reports.last_report(connection, source, full=phase == CUTOVER)
            reason = _missing_proof(phase, before, covered, last) or _unseen(connection, source)
            if reason:
                raise NotAllowed(
                    f"Bron {name} kan niet naar {phase}: {reason} Wie het toch wil: --force --reason TEKST."
                )
        events.set_phase(connection, source, phase)
        what = f"fase {before} -> {phase}" + (" zonder bewijs (--force)" if forward and force else "")
        events.note(connection, source, what, who, why)
    return before


def _unseen(connection: sqlite3.Connection, source: int) -> str:
    """What is held and the source no longer shows: a clean verify says nothing of it. Blank when there is none."""
    from gateway.report import hidden

    if clause := hidden(comparing.invisible(connection, source)):
        return (
            f"{clause}, dus of zij nog kloppen is niet bewezen. Krijgt de applicatie haar rechten in de bron terug, "
            "draai dan klantbrug verify --full."
        )
    return ""


def _missing_proof(phase: str, before: str, covered: int, last: tuple[int, bool] | None) -> str:
    """What stands in the way of a switch forward; blank when nothing does."""
    if phase == CUTOVER and before != SYNCED:
        return "eerst moet zij in fase synced zijn."
    if not covered:
        return "zij is nog niet volledig ingelezen; draai klantbrug backfill."
    command = "klantbrug verify --full" if phase == CUTOVER else "klantbrug verify"
    if last is None:
        return f"er is nog geen bewijs; draai {command}."
    ended, clean = last
    if not clean:
        return f"de laatste verify was niet schoon; draai {command} --repair."
    if ended < now() - PROOF_LASTS:
        return f"de laatste schone verify is ouder dan een dag; draai {command}."
    return ""
