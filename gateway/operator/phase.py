"""The phases of a source: which switch is allowed when, and the switch itself with its line in the log of events.

live: the source is asked as needed. synced: requests do not wait for it, jobs keep the store in step. cutover: nothing
asks it any more. Going back is always allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple

from gateway.base.clock import now
from gateway.fetch.coverage import CUTOVER, SYNCED
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.inspect import comparing
from gateway.store.legacy import untranslated_keys
from gateway.store.operation import events, leases, runs, verify_reports
from gateway.store.operation import writeback as queue
from gateway.store.operation.sources import held_source, source_id, source_state
from gateway.store.operation.verify_reports import EVERYTHING, Proof
from mappings.model.settings import Settings
from mappings.translate import fingerprint as translation

PHASES = ("live", SYNCED, CUTOVER)
PROOF_LASTS = 86400 * 1_000_000
NOT_CLEAN = (
    "een verify was niet schoon, en daarna was geen van ten minste die omvang het wel; draai {} --repair."
)
OTHER_MAPPING = (
    "[mapping] of de versie van de vertaling is nu anders dan bij de laatste schone verify; draai {}, zo nodig na "
    "klantbrug rebuild."
)


def fingerprint(settings: Settings) -> str:
    """A short name for what decides on what is held and made of it: version of the mapping, and all of `[mapping]`."""
    text = f"{translation(settings)} {settings.max_vertrouwelijkheidaanduiding}"
    return blake2b(text.encode(), digest_size=8).hexdigest()


class NotAllowed(Exception):
    """The switch is not allowed; the text says why and what to do."""


def switch(
    store: Store, name: str, phase: str, who: str, why: str = "", force: bool = False, mapping: str = ""
) -> str:
    """Put a source in a phase; out: the phase it was in. Processes that run follow at their next question.

    `mapping` is the fingerprint of the mapping of now, of which a proof must be. With `force` without proof, which
    needs a reason. Raises NotAllowed.
    """
    if force and not why.strip():
        raise NotAllowed("Met --force hoort een reden: --reason TEKST; zij komt in het logboek.")
    with store.write() as connection:
        source = source_id(connection, name)
        before = source_state(connection, source)[0]
        if phase == before:
            return before
        forward = PHASES.index(phase) > PHASES.index(before)
        if phase == CUTOVER and (reason := _busy(connection, name)):
            raise NotAllowed(reason)
        if forward and not force:
            reason = next(filter(None, _asked(connection, source, name, phase, mapping)), "")
            if reason:
                raise NotAllowed(
                    f"Bron {name} kan niet naar {phase}: {reason} Wie het toch wil: --force --reason TEKST."
                )
        events.set_phase(connection, source, phase)
        what = f"fase {before} -> {phase}" + (" zonder bewijs (--force)" if forward and force else "")
        events.note(connection, source, what, who, why)
    return before


class Asked(NamedTuple):
    """What a phase asks of a source, and why that is not so yet; blank when it is."""

    what: str
    missing: str


def asks(store: Store, name: str, phase: str, mapping: str) -> list[Asked]:
    """What a switch forward of a source to a phase asks, in the order in which `switch` looks at it."""
    with store.read() as connection:
        source = held_source(connection, name)
        if source is None:
            return [Asked(what, "zij is nog niet gelezen.") for what in ASKED[phase]]
        reasons = list(_asked(connection, source, name, phase, mapping))
        if phase == CUTOVER:
            reasons.append(_busy(connection, name))
    return [Asked(*each) for each in zip(ASKED[phase], reasons, strict=True)]


def first_missing(store: Store, name: str, phase: str, mapping: str) -> str:
    """The first thing that a switch forward asks and is not so; blank when there is none.

    For who asks often: without what the source no longer shows, for which all objects must be gone through.
    """
    with store.read() as connection:
        source = held_source(connection, name)
        if source is None:
            return "zij is nog niet gelezen."
        quick = islice(
            _asked(connection, source, name, phase, mapping), len(ASKED[phase]) - 1 - (phase == CUTOVER)
        )
        return next(filter(None, quick), "")


# What `_asked` looks at, in its order, in words.
_EVERY = (
    "Alles van de bron is ingelezen",
    "Niets in quarantaine waar clients naar kunnen zoeken",
    "Een schone verify van hoogstens een dag oud, met de mapping van nu",
    "De bron toont nog alles wat hier staat",
)
ASKED = {
    SYNCED: _EVERY,
    CUTOVER: (
        "Geen wijzigingen van clients die nog terug moeten naar de bron",
        "De bron is in fase synced, en alles is ingelezen",
        _EVERY[1],
        "Een schone verify van alles (--full) van hoogstens een dag oud, met de mapping van nu",
        _EVERY[3],
        "Er loopt geen backfill of verify",
    ),
}


def _asked(connection: Session, source: int, name: str, phase: str, mapping: str) -> Iterator[str]:
    """Why each thing that a switch forward asks is not so; blank when it is."""
    before, covered = source_state(connection, source)
    if phase == CUTOVER:
        yield _untold(connection, name)
    yield _unready(phase, before, covered)
    yield _unread(connection, source)  # before the proof, that can't be clean because of it
    yield _unproven(phase, verify_reports.proofs(connection, source), mapping)
    yield _unseen(connection, source)


def _busy(connection: Session, name: str) -> str:
    holder = leases.holder_of(connection, runs.lease_of("backfill", name))
    if holder is None:
        return ""
    return (
        f"Er loopt een backfill of verify van bron {name} (proces {holder}); laat die eindigen of stop die."
    )


def _untold(connection: Session, name: str) -> str:
    """What clients wrote that the source was not told, for after cutover it never will be; blank when nothing."""
    lengths = [each for each in queue.waiting(connection) if each.source == name]
    waiting, parked = sum(each.waiting for each in lengths), sum(each.parked for each in lengths)
    if waiting:
        return f"{waiting} wijzigingen van clients moeten nog terug naar de bron; zie klantbrug writeback status."
    if parked:
        return (
            f"{parked} wijzigingen van clients wachten op u; zie klantbrug writeback list, en stuur ze of laat ze "
            "vervallen."
        )
    return ""


def _unready(phase: str, before: str, covered: int) -> str:
    """What must be done before there is anything to prove; blank when nothing."""
    if phase == CUTOVER and before != SYNCED:
        return "eerst moet zij in fase synced zijn."
    return "" if covered else "zij is nog niet volledig ingelezen; draai klantbrug backfill."


def _unproven(phase: str, proofs: Iterable[Proof], mapping: str) -> str:
    """What a switch forward lacks as proof; blank when nothing. In: the proofs, the last one first.

    One that was not clean is undone only by a later clean one of at least its reach.
    """
    needed = EVERYTHING if phase == CUTOVER else 0
    proof: Proof | None = None
    undone = of_another = 0.0
    for each in proofs:
        if each.clean and each.mapping != mapping:
            of_another = max(of_another, each.reach)
        elif each.clean:
            undone = max(undone, each.reach)
            if proof is None and each.reach >= needed:
                proof = each
            if undone == EVERYTHING:
                break
        elif each.reach > undone:
            command = _command(max(needed, each.reach))
            return (OTHER_MAPPING if of_another >= each.reach else NOT_CLEAN).format(command)
    if proof is None and of_another:
        return OTHER_MAPPING.format(_command(needed))
    if proof is None:
        return f"er is nog geen bewijs; draai {_command(needed)}."
    if proof.ended < now() - PROOF_LASTS:
        return f"de laatste schone verify is ouder dan een dag; draai {_command(needed)}."
    return ""


def _command(reach: float) -> str:
    """The command that proves so much."""
    if reach == EVERYTHING:
        return "klantbrug verify --full"
    return f"klantbrug verify --sample {reach:.0f}" if reach else "klantbrug verify"


def _unread(connection: Session, source: int) -> str:
    """What could not be read, for then the store is not all that the source has; blank when there is nothing."""
    number = untranslated_keys.open_of(connection, source).objects
    if not number:
        return ""
    are = (
        "staat 1 object dat niet te lezen is"
        if number == 1
        else f"staan {number} objecten die niet te lezen zijn"
    )
    return (
        f"in quarantaine {are}, en wie daarnaar zoekt krijgt geen volledig antwoord; zie klantbrug quarantine list. "
        "Laat dat verbeteren in de bron, of laat het rusten met klantbrug quarantine dismiss UUID."
    )


def _unseen(connection: Session, source: int) -> str:
    """What is held and the source no longer shows: a clean verify says nothing of it. Blank when there is none."""
    from gateway.operator.verify_report import hidden

    if clause := hidden(comparing.invisible(connection, source)):
        return (
            f"{clause}, dus of dat nog klopt is niet bewezen. Krijgt de applicatie haar rechten in de bron terug, "
            "draai dan klantbrug verify --full."
        )
    return ""
