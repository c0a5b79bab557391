"""Every change to the register within seconds, until the switch (E7): the job `export`."""

from __future__ import annotations

from gateway.base.clock import now
from gateway.base.logs import get_logger
from gateway.installation import Installation
from gateway.store.export import documents, pairs
from gateway.store.export.pairs import FOLLOW
from gateway.store.operation import leases
from gateway.store.operation.sources import meta_of
from gateway.target.client import Register
from gateway.target.errors import TargetError
from jobs.common.work import Busy, Work
from jobs.export.changes import ChangeRun
from jobs.export.run import OtherRegister, must_be_same, on_their_way, take
from jobs.export.sending import ExportSender

log = get_logger("klantbrug.export")


def anything_due(installation: Installation) -> bool:
    """Are changes followed, and is there one that may be sent now?"""
    with installation.store.read() as connection:
        if not pairs.state(connection).noting or meta_of(connection, FOLLOW) != "on":
            return False
        return bool(documents.due(connection, now(), 1))


def follow(work: Work) -> dict[str, int]:
    """Send what changed. Out: what was counted. A run that goes on does it itself."""
    store, settings = work.installation.store, work.installation.config.target
    if not anything_due(work.installation):
        return {}
    try:
        must_be_same(store, settings)
        grip = take(store)
    except (Busy, OtherRegister) as error:
        log.warning("export does not follow", cause=type(error).__name__)
        return {"skipped": 1}
    register = Register(settings, work.stopping.is_set)
    sending = ExportSender(store, register, settings, work.stopping)
    try:
        with store.guarded(lambda connection: leases.keep(connection, grip)):
            try:
                if left := on_their_way(store):
                    sending.settle(left, lambda: None)
                ChangeRun(store, sending, settings, work.stopping).all()
            except TargetError as error:
                log.error("export does not follow", call=error.template, cause=error.cause)
                sending.counts["failed"] += 1
            except Busy:  # the phase became exported meanwhile
                sending.counts["skipped"] += 1
            finally:
                sending.close()
    finally:
        register.close()
        leases.let_go(store, grip)
    return dict(sending.counts)
