"""Does what operators ordered on their pages: reads a source in, or proves it. One after the other for each source.

An order that was begun when the process ended is gone on with by the next one.
"""

from __future__ import annotations

from gateway.base import clock
from gateway.base.logs import get_logger, safe_traceback
from gateway.fetch.fetcher import CutOver, Fetcher
from gateway.installation import Installation
from gateway.legacy.background import background
from gateway.legacy.errors import LegacyError, Stopped
from gateway.operator.rooms import ordering
from gateway.operator.verify_report import sentence
from gateway.store.base.errors import OF_THE_STORE
from gateway.store.legacy import quarantine
from gateway.store.operation import leases, orders
from gateway.store.operation.orders import Order
from jobs.backfill.backfill import Backfill, BackfillStopped
from jobs.common.progress import Step
from jobs.common.work import Busy, NotFree, Work
from jobs.verify.verify import SAMPLE, Verify, VerifyStopped

log = get_logger("klantbrug.orders")

TELL_SECONDS = 1.0
STOPPED = "gestopt door een beheerder"
FAULT = "mislukt door een fout in Klantbrug ({}); zie het log, en meld het"


class _Interrupted(Exception):
    """This process ends: the next one goes on."""


def anything_due(installation: Installation) -> bool:
    """Was anything ordered that is not done?"""
    with installation.store.read() as connection:
        return orders.any_open(connection)


def carry_out(work: Work) -> dict[str, int]:
    """The job: do what was ordered, oldest first. Out: counts. Raises leases.Lost."""
    counts = {"done": 0, "failed": 0}
    for fetcher in work.installation.fetchers.values():
        while not work.stopping.is_set():
            with work.write() as connection:
                order = orders.next_of(connection, fetcher.name)
                if order is not None:
                    orders.begin(connection, order.id)
            if order is None:
                break
            try:
                if order.stop:
                    outcome = STOPPED
                elif order.job == ordering.READ:
                    outcome = _read(work, fetcher)
                elif order.job == ordering.LOOK_AGAIN:
                    outcome = _look_again(work, fetcher)
                else:
                    outcome = _prove(work, fetcher, order)
                counts["done"] += 1
            except _Interrupted:
                return counts
            except Busy:
                clock.wait(work.stopping.wait, TELL_SECONDS)  # another backfill or verify: its turn comes
                continue
            except (LegacyError, CutOver) as error:
                outcome = str(error)
                counts["failed"] += 1
                log.warning("order failed", order=order.job, source=fetcher.name, cause=type(error).__name__)
            except (leases.Lost, NotFree, Stopped, *OF_THE_STORE):
                raise  # another took over, this process ends, or the store is away: the order waits
            except Exception as error:  # noqa: BLE001 - a fault of ours: begun again it would fail again, every two seconds
                outcome = FAULT.format(type(error).__name__)
                counts["failed"] += 1
                log.error("order broke off", order=order.job, error=safe_traceback(error))
            with work.write(synced=True) as connection:
                orders.end(connection, order.id, outcome)
    return counts


def _read(work: Work, fetcher: Fetcher) -> str:
    try:
        complete = Backfill(fetcher, stopping=work.stopping).run()
    except BackfillStopped as error:
        if work.stopping.is_set():
            raise _Interrupted from None
        return str(error)
    return "volledig ingelezen" if complete else "NIET volledig; zie de uitkomst van de run"


def _look_again(work: Work, fetcher: Fetcher) -> str:
    """Ask the source for what is in quarantine and not held any more. One that fails does not keep the rest."""
    with work.installation.store.read() as connection:
        chosen = quarantine.emptied(connection, fetcher.name)
    failed = 0
    for each in chosen:
        if work.stopping.is_set():
            raise _Interrupted
        try:
            work.installation.retry(each.source, each.kind, each.uuid, emptied=True)
        except CutOver:
            raise
        except LegacyError as error:
            failed += 1
            log.warning("object not given", source=fetcher.name, kind=each.kind, cause=type(error).__name__)
        with work.write():
            pass  # so that the lease lasts longer
    return f"{len(chosen)} objecten opnieuw gevraagd" + (
        f", waarvan {failed} zonder antwoord" if failed else ""
    )


def _prove(work: Work, fetcher: Fetcher, order: Order) -> str:
    told = 0.0

    def show(step: Step) -> None:
        nonlocal told
        if work.stopping.is_set():
            raise VerifyStopped(step.what)
        if clock.monotonic() - told < TELL_SECONDS:
            return
        news = {"what": step.what, "done": step.done, "total": step.total, "waits": step.waits}
        with work.write() as connection:
            stop = orders.tell(connection, order.id, news)
        told = clock.monotonic()
        if stop:
            raise VerifyStopped(STOPPED)

    asked = order.options
    sample = None
    if order.job != ordering.PROVE:
        sample = asked.get("sample") or max(SAMPLE, asked.get("at_least") or 0)
    repair = bool(asked.get("repair"))
    try:
        # Asked by hand, so the hours of the window don't count.
        with background(work.stopping, window=False):
            report = Verify(fetcher, sample, repair, show, asked.get("seed")).run()
    except VerifyStopped as stopped:
        if str(stopped) != STOPPED:
            raise _Interrupted from None
        return STOPPED
    return f"rapport {report['id']}: {sentence(report)}"
