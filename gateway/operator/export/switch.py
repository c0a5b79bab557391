"""The phase exported, of the whole installation (E8): to it with proof, and back for as long as nothing was written."""

from __future__ import annotations

from typing import NamedTuple

from gateway.base.clock import now
from gateway.base.dutch_time import local
from gateway.config.target import Target
from gateway.klantinteracties.model.resources import BY_KIND
from gateway.operator.export.status import JOB
from gateway.operator.phase import PROOF_LASTS, NotAllowed
from gateway.store.base.kinds import KINDS
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.export import documents, pairs
from gateway.store.export.pairs import EXPORTED, PHASE, WROTE
from gateway.store.operation import events, leases, runs
from gateway.store.operation.sources import meta_of, put_meta
from gateway.target.client import Register

HOME = ""


def is_exported(store: Store) -> bool:
    """Is the installation in phase exported?"""
    with store.read() as connection:
        return meta_of(connection, PHASE) == EXPORTED


def leave(store: Store, settings: Target, who: str, why: str = "", *, force: bool = False) -> bool:
    """Put the installation in phase exported; out: was it not already?

    From then on nothing is written here, and jobs ask no source. With `force` without proof, which needs a reason.
    Raises NotAllowed.
    """
    if not settings.url:
        raise NotAllowed("[target] url is leeg: er is geen register om naar te verhuizen.")
    if force and not why.strip():
        raise NotAllowed("Met --force hoort een reden: --reason TEKST; zij komt in het logboek.")
    with store.write() as connection:
        if meta_of(connection, PHASE) == EXPORTED:
            return False
        reason = _unready(connection, settings)
        if reason and not force:
            raise NotAllowed(f"Nog niet naar exported: {reason} Wie het toch wil: --force --reason TEKST.")
        put_meta(connection, PHASE, EXPORTED)
        forced = " zonder bewijs (--force)" if reason else ""
        events.note(connection, None, f"fase -> {EXPORTED}{forced}", who, why)
    return True


def unready(store: Store, settings: Target) -> str:
    """What must be done before the installation can go to phase exported, for people; blank when nothing."""
    with store.read() as connection:
        return _unready(connection, settings)


def _unready(connection: Session, settings: Target) -> str:
    """What must be done before everybody can go; blank when nothing."""
    if pairs.state(connection).target != settings.url:
        return "er is nog niets naar dit register verstuurd; draai klantbrug export run."
    if leases.holder_of(connection, runs.lease_of(JOB, None)) is not None:
        return "er loopt een export; laat die eindigen."
    report = pairs.last_report(connection, whole=True)
    if report is None:
        return "er is nog geen bewijs; draai klantbrug export verify --full."
    if not report["clean"]:
        return "het laatste bewijs is niet schoon; zie klantbrug export status."
    if report["ended"] < now() - PROOF_LASTS:
        return f"het laatste bewijs is van {local(report['ended'])}; draai klantbrug export verify --full."
    due = documents.count_due(connection)
    sending = len(pairs.in_state(connection, pairs.SENDING))
    if due or sending:
        return f"er wachten nog {due + sending} wijzigingen; draai klantbrug export run."
    return ""


class SideCount(NamedTuple):
    """How many objects of a kind there are on both sides."""

    kind: str
    here: int
    there: int


def compare(store: Store, settings: Target) -> list[SideCount]:
    """How many objects of each kind both sides have: what was written there directly can't be seen otherwise.

    Raises TargetError.
    """
    register = Register(settings)
    found = []
    try:
        for kind in KINDS:
            with store.read() as connection:
                here = documents.count(connection, kind)
            found.append(SideCount(kind, here, register.count(BY_KIND[kind].path)))
    finally:
        register.close()
    return found


def come_back(store: Store, who: str, why: str = "") -> None:
    """Let the installation answer by itself again. Raises NotAllowed once a client wrote there through us."""
    with store.write() as connection:
        if meta_of(connection, PHASE) != EXPORTED:
            raise NotAllowed("De installatie is niet in fase exported.")
        if wrote := meta_of(connection, WROTE):
            raise NotAllowed(
                f"Terug kan niet meer: sinds {local(int(wrote))} schreven clients via Klantbrug in het register."
            )
        put_meta(connection, PHASE, HOME)
        pairs.begin(connection, pairs.state(connection).target, 0)
        events.note(connection, None, f"fase {EXPORTED} -> terug", who, why)
