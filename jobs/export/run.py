"""`klantbrug export run`: everything to the register, in the order that references ask for (E1)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway.base.logs import get_logger
from gateway.config.target import Target
from gateway.klantinteracties.model.resources import RESOURCES
from gateway.store.base.kinds import KINDS
from gateway.store.base.store import Store
from gateway.store.export import documents, pairs
from gateway.store.export.documents import BEFORE_ALL, Leaving
from gateway.store.operation import leases, runs
from gateway.store.operation.sources import meta_of, put_meta
from gateway.target.client import Register
from gateway.target.contents import ReferenceMissing
from gateway.target.errors import TargetError
from jobs.common.progress import Step
from jobs.common.work import Busy
from jobs.export.changes import ChangeRun
from jobs.export.parcels import PREFERENCES, STAGES, Parcel, Stage, parcel_again, parcel_of
from jobs.export.preferring import send_all
from jobs.export.same_uuids import pair_all
from jobs.export.sending import ExportSender, must_be_home

log = get_logger("klantbrug.export")

JOB = LEASE = "export"
LEASE_SECONDS = 600  # a register that is down is waited for, without a write
READ_AT_ONCE = 500
REGISTER = "register"
Show = Callable[[Step], None]


class OtherRegister(Exception):
    """What is known of the register is of another address than `[target] url`."""


@dataclass(frozen=True, slots=True)
class ExportOutcome:
    """What a run did: counts of it, how many documents wait for others, and why it stopped (blank: it is done)."""

    counts: dict[str, int] = field(default_factory=dict)
    waiting: int = 0
    stopped: str = ""


def take(store: Store) -> leases.Grip:
    """The lease of whoever sends to the register. Raises Busy, also in phase exported."""
    with store.read() as connection:
        must_be_home(connection)
    grip = runs.take_lease(store, LEASE, LEASE_SECONDS)
    if grip is None:
        raise Busy("Er loopt al een export in een ander proces")
    return grip


def must_be_same(store: Store, settings: Target) -> None:
    """Raise OtherRegister when the pairs are of another register than the configuration names."""
    with store.read() as connection:
        known = pairs.state(connection).target
    if known and known != settings.url:
        raise OtherRegister(
            f"Wat al verstuurd is, staat in een ander register ({known}) dan [target] url. Zet dat adres terug, of "
            "begin opnieuw met klantbrug export forget."
        )


def on_their_way(store: Store, kind: str | None = None) -> list[Parcel]:
    """What a run or turn before was sending when it ended, of a kind or of all."""
    with store.read() as connection:
        found = pairs.in_state(connection, pairs.SENDING, kind)
        numbers = documents.numbers_of(connection, [pair.own for pair in found])
    return [parcel_again(pair, numbers.get(pair.own, ())) for pair in found]


class ExportRun:
    """One run; begun again it goes on where it was."""

    def __init__(
        self, store: Store, settings: Target, show: Show, stopping: threading.Event | None = None
    ) -> None:
        self.store = store
        self.settings = settings
        self._show = show
        self._stopping = stopping or threading.Event()
        self.register = Register(settings, self._stopping.is_set)
        self.waiting: Counter[str] = Counter()

    def run(self, *, parked: bool = False) -> ExportOutcome:
        """Send what was not sent; `parked`: also what was refused before. Raises Busy, OtherRegister, leases.Lost."""
        must_be_same(self.store, self.settings)
        grip = take(self.store)
        sending = ExportSender(self.store, self.register, self.settings, self._stopping)
        stopped = ""
        with self.store.write() as connection:
            run = runs.open_run(connection, JOB, None)
        try:
            with (
                self.store.guarded(lambda connection: leases.keep(connection, grip)),
                self.store.giving_way(),
            ):
                try:
                    self._all(sending, parked)
                    if self._stopping.is_set():
                        stopped = "onderbroken"
                except TargetError as error:
                    stopped = str(error)
                    log.error("export stopped", call=error.template, cause=error.cause)
                except Busy as error:  # the phase became exported meanwhile
                    stopped = str(error)
                finally:
                    sending.close()
                run.counters = dict(sending.counts)
                trouble = stopped or run.counters.get("parked") or sum(self.waiting.values())
                with self.store.write() as connection:
                    runs.end_run(connection, run, runs.PROBLEMS if trouble else runs.FINISHED, stopped)
        finally:
            self.register.close()
            leases.let_go(self.store, grip)
        return ExportOutcome(run.counters, sum(self.waiting.values()), stopped)

    def _all(self, sending: ExportSender, parked: bool) -> None:
        with self.store.read() as connection:
            pairing = meta_of(connection, pairs.PAIRING) == "on"
            begun = bool(pairs.state(connection).target) and not pairing
        others = 0 if begun else sum(self.register.count(resource.path) for resource in RESOURCES)
        with self.store.write() as connection:
            pairs.begin(connection, self.settings.url, others)
            put_meta(connection, pairs.PAIRING, "on" if others else "off")
            # Those of before are older than all that is sent now.
            pairs.next_turn(connection, 10)
            if parked:
                pairs.retry_parked(connection)
        if others:
            paired = pair_all(self.store, self.register, lambda path, done: self._step(path, done, others))
            sending.counts["found"] += paired.found
            ChangeRun(self.store, sending, self.settings, self._stopping).make_room(paired.gone)
            with self.store.write() as connection:
                pairs.others_are(connection, others - paired.found)
                put_meta(connection, pairs.PAIRING, "off")
        for stage in STAGES:
            self._stage(sending, stage)
        if not self._stopping.is_set():

            def tell() -> None:
                self._step(PREFERENCES, sending.counts["preferences"], None)

            send_all(self.store, self.register, self.settings, self._stopping, sending.counts, tell)
        if not self._stopping.is_set():
            ChangeRun(self.store, sending, self.settings, self._stopping).all()

    def _stage(self, sending: ExportSender, stage: Stage) -> None:
        if self._stopping.is_set():
            return
        with self.store.read() as connection:
            total = documents.count(connection, stage.kind)
            there = pairs.counts(connection).get(stage.kind, {})
        left = on_their_way(self.store, stage.kind)
        before = sum(there.values()) - len(left)
        handed = Counter[str]()

        def tell() -> None:
            self._step(stage.name, before + handed["sent"], total)

        tell()
        if left:
            sending.settle(left, tell)
        sending.send(self._unsent(stage, handed), tell)
        tell()

    def _step(self, name: str, done: int, total: int | None) -> None:
        self._show(Step(REGISTER, name, done, total))

    def _unsent(self, stage: Stage, handed: Counter[str]) -> Iterator[Parcel]:
        after = BEFORE_ALL
        self.waiting[stage.name] = 0
        while True:
            with self.store.read() as connection:
                found = documents.unsent(
                    connection, stage.kind, after, READ_AT_ONCE, stage.relation, having=stage.having
                )
                partijen = [one.uuid for one in found] if stage.kind == "partij" else []
                numbers = documents.numbers_of(connection, partijen)
            for leaving in found:
                after = leaving.place
                handed["sent"] += 1
                try:
                    yield parcel_of(leaving, numbers.get(leaving.uuid, ()))
                except ReferenceMissing:
                    self.waiting[stage.name] += 1
            if len(found) < READ_AT_ONCE:
                return


def total(store: Store) -> int:
    """How many documents there are to send in all."""
    with store.read() as connection:
        return sum(documents.count(connection, kind) for kind in KINDS)


def waits_on(leaving: Leaving) -> bool:
    """Does a document refer to what is not at the register?"""
    return any(linked.theirs is None for links in leaving.links.values() for linked in links)
