"""What was on its way when the phase became exported with force: its answers are waited for, or it is looked for.

Nothing more is sent then. Without this a document that did arrive would stay unknown, and clients that come by its uuid
of before would not find it.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from gateway.base import clock
from gateway.config.target import Target
from gateway.store.base.store import Store
from gateway.store.export import pairs
from gateway.store.operation import leases, runs
from gateway.target.client import Register
from jobs.common.work import Busy
from jobs.export.run import LEASE, LEASE_SECONDS, on_their_way
from jobs.export.sending import ExportSender

# So long a run that ends may still wait for its last answers, beside [target] read_timeout.
MORE_SECONDS = 60.0


class Settled(NamedTuple):
    """How many were found at the register, and how many never came there."""

    found: int = 0
    not_sent: int = 0


def settle(store: Store, settings: Target) -> Settled:
    """Wait for the run that is ending, and find out what became of what it was sending. Raises Busy, TargetError."""
    grip = _the_lease(store, 2 * settings.read_timeout + settings.connect_timeout + MORE_SECONDS)
    register = Register(settings)
    sending = ExportSender(store, register, settings, threading.Event(), only_settle=True)
    try:
        with store.guarded(lambda connection: leases.keep(connection, grip)):
            try:
                left = on_their_way(store)
                if left:
                    sending.settle(left, lambda: None)
            except Busy:
                pass  # nothing goes any more: so it was asked
            finally:
                sending.close()
    finally:
        register.close()
        leases.let_go(store, grip)
    return Settled(sending.counts["found"], sending.counts["not_sent"])


def any_on_their_way(store: Store) -> bool:
    """Is there anything of which it is not known whether it arrived, or a run that has not ended?"""
    with store.read() as connection:
        held = leases.holder_of(connection, runs.lease_of(LEASE, None)) is not None
        return held or bool(pairs.in_state(connection, pairs.SENDING))


def _the_lease(store: Store, seconds: float) -> leases.Grip:
    end = clock.monotonic() + seconds
    while (grip := runs.take_lease(store, LEASE, LEASE_SECONDS)) is None:
        if clock.monotonic() > end:
            raise Busy("De export die liep, eindigt niet")
        clock.sleep(0.2)
    return grip
