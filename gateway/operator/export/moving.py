"""A register that has another address from now on: what is known of it stays true."""

from __future__ import annotations

from uuid import UUID

from gateway.config.target import Target
from gateway.klantinteracties.model.resources import BY_KIND
from gateway.operator.export.following import NotPossibleYet
from gateway.operator.export.status import JOB
from gateway.store.base.store import Store
from gateway.store.export import pairs
from gateway.store.operation import events, leases, runs
from gateway.target.client import Register

ASKED_FOR = 20


def found_there(store: Store, settings: Target) -> tuple[int, int]:
    """Of how many objects that were sent the register is asked, and how many it has. Raises TargetError."""
    with store.read() as connection:
        count = pairs.count_there(connection)
        places = range(0, count, max(1, count // ASKED_FOR))[:ASKED_FOR]
        asked = list(pairs.of_own(connection, pairs.there_at(connection, places)).values())
    register = Register(settings)
    try:
        there = [register.get(BY_KIND[pair.kind].path, str(UUID(bytes=pair.theirs or b""))) for pair in asked]
    finally:
        register.close()
    return len(asked), sum(1 for shown in there if shown is not None)


def moved(store: Store, before: str, after: str, who: str) -> None:
    """What was sent to `before` stands at `after` from now on. Raises NotPossibleYet."""
    with store.write() as connection:
        known = pairs.state(connection).target
        if known != before:
            there = f"Er is verstuurd naar {known}" if known else "Er is nog nergens heen verstuurd"
            raise NotPossibleYet(f"{there}, niet naar {before}.")
        if leases.holder_of(connection, runs.lease_of(JOB, None)) is not None:
            raise NotPossibleYet("Er loopt een export; laat die eerst eindigen.")
        pairs.moved(connection, after)
        events.note(connection, None, f"register verhuisd: {before} -> {after}", who)
