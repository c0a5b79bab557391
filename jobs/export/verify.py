"""`klantbrug export verify`: reads both sides back and compares what they mean, field by field (E6)."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import orjson

from gateway.base.clock import now
from gateway.config.target import Target
from gateway.klantinteracties.model.resources import BY_KIND
from gateway.store.base.kinds import KINDS
from gateway.store.base.store import Store
from gateway.store.export import documents, pairs
from gateway.store.export.documents import BEFORE_ALL, Leaving
from gateway.store.export.pairs import TAKEN, Pair
from gateway.store.operation import leases, runs
from gateway.target.client import Register
from gateway.target.contents import differing, expected, set_by_register
from gateway.target.marks import changed_there
from jobs.common.progress import Step
from jobs.common.work import Busy
from jobs.export.run import REGISTER, must_be_same, waits_on

Json = dict[str, Any]
JOB, LEASE = "export-verify", "export verify"
PAGE = 500
SAMPLE = 500
DETAILS = 500
COLUMNS = ("ours", "theirs", "compared", "missing", "extra", "different")
WRONG = ("missing", "extra", "different")


class ExportVerify:
    """One comparison. Reads only; a register that changes meanwhile is asked again before a difference counts."""

    def __init__(
        self,
        store: Store,
        settings: Target,
        show: Callable[[Step], None],
        *,
        sample: int | None = None,
        seed: int | None = None,
        stopping: threading.Event | None = None,
    ) -> None:
        """In: `sample`: so many objects by chance (0: as many as is usual), None for all; `seed` repeats a sample."""
        self.store = store
        self.settings = settings
        self.sample = SAMPLE if sample == 0 else sample
        self.seed = random.SystemRandom().randrange(10**6) if seed is None else seed
        self._show = show
        self._register = Register(settings, (stopping or threading.Event()).is_set)
        self.kinds = {kind: dict.fromkeys(COLUMNS, 0) for kind in KINDS}
        self.itself: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self.there: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self.waiting: Counter[str] = Counter()
        self.under_way: Counter[str] = Counter()
        self.details: list[Json] = []
        self.left_out = 0
        self._number = 0

    def run(self) -> Json:
        """The report, which is kept as well. Raises Busy, OtherRegister, TargetError."""
        must_be_same(self.store, self.settings)
        grip = runs.take_lease(self.store, LEASE, 24 * 3600)
        if grip is None:
            raise Busy("Er loopt al een export verify in een ander proces")
        began = now()
        try:
            with self.store.giving_way():
                with self.store.write(synced=False) as connection:
                    self._number = pairs.next_turn(connection)
                for kind in KINDS:
                    (self._whole if self.sample is None else self._count)(kind)
                if self.sample is not None:
                    self._sample()
                report = self._report(began)
                with self.store.write() as connection:
                    report["id"] = pairs.put_report(connection, report)
        finally:
            self._register.close()
            leases.let_go(self.store, grip)
        return report

    def _count(self, kind: str) -> None:
        with self.store.read() as connection:
            self.kinds[kind]["ours"] = documents.count(connection, kind)
        self.kinds[kind]["theirs"] = self._register.count(BY_KIND[kind].path)

    def _whole(self, kind: str) -> None:
        self._count(kind)
        path, done = BY_KIND[kind].path, 0
        total = self.kinds[kind]["theirs"]
        for page in self._register.pages(path, {}, PAGE):
            self._page(kind, page["results"])
            done += len(page["results"])
            self._show(Step(REGISTER, path, done, total))
        self._not_seen(kind)
        self._never_sent(kind)

    def _page(self, kind: str, results: list[Json]) -> None:
        shown = {UUID(one["uuid"]).bytes: one for one in results}
        with self.store.read() as connection:
            known = pairs.of_theirs(connection, shown)
            held = documents.of_uuids(connection, [pair.own for pair in known.values()])
        for theirs, one in shown.items():
            pair = known.get(theirs)
            if pair is None:
                self._not_ours(kind, theirs)
            else:
                self._compare(pair, held.get(pair.own), one)
        with self.store.write(synced=False) as connection:
            pairs.mark_seen(connection, [pair.own for pair in known.values()], self._number)

    def _not_ours(self, kind: str, theirs: bytes) -> None:
        with self.store.read() as connection:
            alone = pairs.alone_there(connection)
            late = pairs.of_theirs(connection, [theirs])  # sent while we looked
        if late:
            return
        if alone:
            self._wrong(kind, "extra", None, theirs)
        else:
            self.others[kind] += 1

    def _compare(self, pair: Pair, leaving: Leaving | None, shown: Json) -> None:
        self.kinds[pair.kind]["compared"] += 1
        told: list[tuple[Counter[str], str]] = []
        if not self._differs(pair, leaving, shown, told):
            self._told(pair.kind, told)
            return
        # Again, with what both sides say now.
        with self.store.read() as connection:
            leaving = documents.of_uuids(connection, [pair.own]).get(pair.own)
            again = pairs.of_own(connection, [pair.own]).get(pair.own)
            due = documents.is_due(connection, pair.own)
        if due or again is None:
            self.under_way[pair.kind] += 1
            return
        fresh = self._register.get(BY_KIND[pair.kind].path, str(UUID(bytes=pair.theirs or b"")))
        if fresh is None:
            self._wrong(pair.kind, "missing", pair.own, pair.theirs)
        elif leaving is None:
            self._wrong(pair.kind, "extra", pair.own, pair.theirs)
        else:
            told = []
            if fields := self._differs(again, leaving, fresh, told):
                self._wrong(pair.kind, "different", pair.own, pair.theirs, fields)
            self._told(pair.kind, told)

    def _told(self, kind: str, told: list[tuple[Counter[str], str]]) -> None:
        for counter, name in told:
            counter[f"{kind} {name}"] += 1

    def _differs(
        self, pair: Pair, leaving: Leaving | None, shown: Json, told: list[tuple[Counter[str], str]]
    ) -> list[str]:
        """The fields that differ and count; `told` gets the others, with where they are counted."""
        if leaving is None:
            return ["uuid"]
        wanted, kept = expected(leaving), pair.kept.split(", ")
        differ, wrong = differing(wanted, shown), list[str]()
        theirs = changed_there(pair, wanted, shown) if differ else []
        if pair.state == TAKEN and self.settings.on_existing == "keep":
            kept += theirs
        for name in differ:
            if set_by_register(name, wanted[name], shown.get(name)):
                told.append((self.itself, name))
            elif name in kept:
                told.append((self.kept, name))
            else:
                wrong.append(name)
                told += [(self.there, name)] if name in theirs else []
        return wrong

    def _not_seen(self, kind: str) -> None:
        """What the lists did not show: objects move in them when others go, so each is asked for."""
        after = b""
        while True:
            with self.store.read() as connection:
                found = pairs.not_seen(connection, kind, self._number, after, PAGE)
                held = documents.of_uuids(connection, [pair.own for pair in found])
            for pair in found:
                after = pair.own
                shown = self._register.get(BY_KIND[kind].path, str(UUID(bytes=pair.theirs or b"")))
                if shown is not None:
                    self._compare(pair, held.get(pair.own), shown)
                elif pair.own in held:
                    self._wrong(kind, "missing", pair.own, pair.theirs)
            if len(found) < PAGE:
                return

    def _never_sent(self, kind: str) -> None:
        after = BEFORE_ALL
        while True:
            with self.store.read() as connection:
                found = documents.unsent(connection, kind, after, PAGE)
                due = {one.uuid for one in found if documents.is_due(connection, one.uuid)}
            for leaving in found:
                after = leaving.place
                if waits_on(leaving):
                    self.waiting[kind] += 1
                elif leaving.uuid in due:
                    self.under_way[kind] += 1
                else:
                    self._wrong(kind, "missing", leaving.uuid, None)
            if len(found) < PAGE:
                break
        with self.store.read() as connection:
            sending = pairs.in_state(connection, pairs.SENDING, kind)
        for pair in sending:
            self._wrong(kind, "missing", pair.own, None)

    def _sample(self) -> None:
        chosen = self._chosen(random.Random(self.seed))  # noqa: S311  a sample is no secret
        for done, own in enumerate(chosen, start=1):
            self._show(Step(REGISTER, "steekproef", done, len(chosen)))
            with self.store.read() as connection:
                pair = pairs.of_own(connection, [own]).get(own)
                leaving = documents.of_uuids(connection, [own]).get(own)
            if pair is None or pair.theirs is None:
                continue  # it went meanwhile
            shown = self._register.get(BY_KIND[pair.kind].path, str(UUID(bytes=pair.theirs)))
            if shown is None:
                self._wrong(pair.kind, "missing", pair.own, pair.theirs)
            else:
                self._compare(pair, leaving, shown)

    def _chosen(self, chance: random.Random) -> list[bytes]:
        """So many by chance, each as likely; all when there are no more. Uuids can lie close together."""
        with self.store.read() as connection:
            total = pairs.count_there(connection)
            places = sorted(chance.sample(range(total), min(total, self.sample or 0)))
            return pairs.there_at(connection, places)

    def _wrong(
        self, kind: str, what: str, own: bytes | None, theirs: bytes | None, fields: Iterable[str] = ()
    ) -> None:
        self.kinds[kind][what] += 1
        if len(self.details) == DETAILS:
            self.left_out += 1
            return
        self.details.append(
            {
                "kind": kind,
                "what": what,
                "own": str(UUID(bytes=own)) if own else None,
                "theirs": str(UUID(bytes=theirs)) if theirs else None,
                "fields": sorted(fields),
            }
        )

    def _report(self, began: int) -> Json:
        with self.store.read() as connection:
            causes = pairs.causes(connection)
            due = documents.count_due(connection)
            overwritten = [
                {"kind": kind, "fields": fields.split(", "), "count": count}
                for kind, fields, count in pairs.overwritten_fields(connection)
            ]
        found = sum(row[what] for row in self.kinds.values() for what in WRONG)
        report = {
            "began": began,
            "ended": now(),
            "mode": "full" if self.sample is None else "sample",
            "sample": self.sample,
            "seed": None if self.sample is None else self.seed,
            "register": self.settings.url,
            "clean": not found,
            "found": found,
            "kinds": self.kinds,
            "set_by_register": dict(sorted(self.itself.items())),
            "kept": dict(sorted(self.kept.items())),
            "changed_there": dict(sorted(self.there.items())),
            "overwritten": overwritten,
            "parked": [
                {"kind": kind, "cause": cause, "count": count}
                for kind, parked, cause, count in causes
                if parked
            ],
            "waiting": dict(self.waiting),
            "under_way": dict(self.under_way),
            "due": due,
            "others": dict(self.others),
            "details": self.details,
            "details_left_out": self.left_out,
        }
        loaded: Json = orjson.loads(orjson.dumps(report))
        return loaded
