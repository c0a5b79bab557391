"""Whether changes go to the register by themselves (E7), and forgetting a register."""

from __future__ import annotations

from gateway.config.target import Target
from gateway.operator.export.status import JOB
from gateway.store.base.store import Store
from gateway.store.export import pairs
from gateway.store.export.pairs import EXPORTED, FOLLOW, PHASE
from gateway.store.operation import events, leases, runs
from gateway.store.operation.sources import meta_of, set_meta


class NotPossibleYet(Exception):
    """It can't be done now; the text says what to do first."""


def follow(store: Store, settings: Target, who: str, *, on: bool) -> None:
    """Let changes go to the register by themselves, or no longer. Raises NotPossibleYet."""
    if on:
        with store.read() as connection:
            state, last = pairs.state(connection), runs.last_run(connection, JOB)
        if state.target != settings.url or last is None or last[1] not in runs.ENDED:
            raise NotPossibleYet("Stuur eerst alles: klantbrug export run, tot het einde.")
    set_meta(store, FOLLOW, "on" if on else "off")
    with store.write() as connection:
        events.note(connection, None, f"export volgen {'aan' if on else 'uit'}", who)


def forget(store: Store, who: str) -> None:
    """Forget the register: its uuids, what is due, and the proofs. Raises NotPossibleYet."""
    with store.write() as connection:
        if leases.holder_of(connection, runs.lease_of(JOB, None)) is not None:
            raise NotPossibleYet("Er loopt een export; laat die eerst eindigen.")
        if meta_of(connection, PHASE) == EXPORTED:
            raise NotPossibleYet("De fase is exported: clients zijn al over. Ga eerst terug.")
        pairs.forget(connection)
        events.note(connection, None, "export vergeten", who)
    set_meta(store, FOLLOW, "off")
