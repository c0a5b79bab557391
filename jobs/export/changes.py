"""What came, changed or went since it was sent, to the register: in order for each object, deletions too (E7)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

import orjson

from gateway.base.clock import now
from gateway.base.logs import get_logger
from gateway.config.target import Target
from gateway.klantinteracties.model.resources import BY_KIND
from gateway.store.base.store import Store
from gateway.store.export import documents, pairs
from gateway.store.export.documents import Due, Leaving
from gateway.store.export.pairs import PARKED, SENDING, TAKEN, Pair
from gateway.target.client import Json
from gateway.target.contents import ReferenceMissing, content, digest_of, preferences, prefers
from gateway.target.errors import Declined, NotThere
from gateway.target.marks import marks_of, marks_shown, merge
from jobs.common.backoff import back_off
from jobs.export import preferring
from jobs.export.parcels import STAGES, Parcel, Stage, parcel_of
from jobs.export.sending import ExportSender, body_of, must_be_home

log = get_logger("klantbrug.export")
AT_ONCE = 500
# What others hang on goes after those were moved or deleted; the rest goes first, and makes room for what comes.
LAST_TO_GO = ("klantcontact", "partij", "actor", "categorie")
WAITS, KEEP, NUMMER = "waits", "keep", "nummer"


class Change(NamedTuple):
    """A document that is due, as it is now (None: it is gone), and what is known of it at the register."""

    due: Due
    now: Leaving | None
    pair: Pair | None


class ChangeRun:
    """Deals with everything that is due; for one thread, which holds the lease of the export."""

    def __init__(
        self, store: Store, sending: ExportSender, settings: Target, stopping: threading.Event
    ) -> None:
        self.store = store
        self.sending = sending
        self.counts = sending.counts
        self._settings = settings
        self._stopping = stopping
        self._failed: set[bytes] = set()

    def all(self) -> None:
        """Send what may be sent now, until nothing is left. Raises TargetError, Busy."""
        while not self._stopping.is_set():
            with self.store.read() as connection:
                must_be_home(connection)
                dues = documents.due(connection, now(), AT_ONCE)
                found = documents.of_uuids(connection, [due.uuid for due in dues])
                known = pairs.of_own(connection, found.keys() | {due.uuid for due in dues})
            if not dues:
                return
            self._some([Change(due, found.get(due.uuid), known.get(due.uuid)) for due in dues])

    def make_room(self, gone: Iterable[tuple[bytes, str]]) -> None:
        """Delete what went here before anything comes: a number can have moved. Raises TargetError."""
        gone = list(gone)
        with self.store.read() as connection:
            known = pairs.of_own(connection, [uuid for uuid, _ in gone])
        first = [
            Change(Due(uuid, kind, 1, 0), None, known.get(uuid))
            for uuid, kind in gone
            if kind not in LAST_TO_GO
        ]
        refused = {change.due.uuid for change in self._delete(first)}
        self._done(change for change in first if change.due.uuid not in refused)

    def _some(self, changes: list[Change]) -> None:
        self._failed = set()
        gone = [change for change in changes if change.now is None]
        first = [change for change in gone if change.due.kind not in LAST_TO_GO]
        refused = self._delete(first)
        for stage in STAGES:
            here = [change for change in changes if change.now and _belongs(change.now, stage)]
            if not here or self._stopping.is_set():
                continue
            self.sending.send(self._new(here), _nothing)
            for change in here:
                self._change(change)
        for change in changes:
            if change.now and change.due.kind == "partij":
                self._prefer(change)
        if self._stopping.is_set():
            return
        self._done(change for change in changes if change.now)
        last = [change for change in gone if change.due.kind in LAST_TO_GO]
        if last and self._may_hang_on():
            for change in last:
                self._fail(change, WAITS)
        else:
            refused += self._delete(last)
        for change in self._delete(refused):
            self._fail(change, "protected")
        self._done(gone)

    def _may_hang_on(self) -> bool:
        """May something there still hang on what is to go? The register would delete it along."""
        with self.store.read() as connection:
            return documents.any_unsent_change(connection)

    def _done(self, changes: Iterable[Change]) -> None:
        dues = [change.due for change in changes if change.due.uuid not in self._failed]
        with self.store.write(synced=False) as connection:
            documents.done(connection, dues)

    def _new(self, changes: Iterable[Change]) -> Iterator[Parcel]:
        """What is not at the register yet; read again, for what it refers to may have come there just now."""
        fresh = [
            change
            for change in changes
            if change.pair is None or (change.pair.state == PARKED and _differs(change))
        ]
        uuids = [change.due.uuid for change in fresh]
        with self.store.write(synced=False) as connection:
            pairs.remove(connection, [uuid for change, uuid in zip(fresh, uuids, strict=True) if change.pair])
        with self.store.read() as connection:
            current = documents.of_uuids(connection, uuids)
            there = pairs.of_own(connection, uuids)
            partijen = [uuid for uuid, leaving in current.items() if leaving.kind == "partij"]
            numbers = documents.numbers_of(connection, partijen)
        for change in fresh:
            leaving = current.get(change.due.uuid)
            if leaving is None or change.due.uuid in there:
                continue
            try:
                yield parcel_of(leaving, numbers.get(leaving.uuid, ()))
            except ReferenceMissing:
                self._fail(change, WAITS)

    def _change(self, change: Change) -> None:
        """Send what differs from what was sent."""
        if change.pair is None or change.pair.state == PARKED or not _differs(change):
            return
        if change.pair.state == SENDING:
            self._fail(change, "sending")
            return
        with self.store.read() as connection:
            leaving = documents.of_uuids(connection, [change.due.uuid]).get(change.due.uuid)
        if leaving is None:
            return
        try:
            wanted = content(leaving)
            shown = self._there(change.pair)
            if shown is None:  # deleted there by somebody else, or along with what it hung on
                self._gone(change.pair, change)
            else:
                self._merge(change.pair, leaving, wanted, shown)
        except ReferenceMissing:
            self._fail(change, WAITS)
        except NotThere:
            self._gone(change.pair, change)
        except Declined as error:
            with self.store.write(synced=False) as connection:
                pairs.complain(connection, leaving.uuid, error.told)
            self.counts["refused"] += 1
            self._fail(change, error.told)

    def _there(self, pair: Pair) -> Json | None:
        return self.sending.register.get(BY_KIND[pair.kind].path, str(UUID(bytes=pair.theirs or b"")))

    def _gone(self, pair: Pair, change: Change) -> None:
        with self.store.write(synced=False) as connection:
            if pair.state == TAKEN:  # it was not ours; verify tells it
                pairs.complain(connection, pair.own, "gone")
                return
            pairs.remove(connection, [pair.own])
        self._fail(change, "gone")  # so it is made again

    def _merge(self, pair: Pair, leaving: Leaving, wanted: Json, shown: Json) -> None:
        """Send the fields that changed here. Of what its users changed as well, ours goes over theirs unless the object
        was there before us and `on_existing` keeps that (E4); either is told."""
        kept = [*filter(None, pair.kept.split(", "))]
        merged = merge(
            pair.marks, pair.marks_there, {name: wanted[name] for name in wanted if name not in kept}, shown
        )
        if pair.state == TAKEN and self._settings.on_existing == KEEP:
            kept += [*merged.both, *merged.there]
            merged.both.clear()
        send = [name for name in merged.send if name not in kept]
        after = self._patched(pair, wanted, send) if send else shown
        self.counts["changed"] += bool(send)
        # What only they changed stays theirs: it is no value that we know of.
        names = [name for name in wanted if name not in merged.there]
        lost = [*filter(None, pair.overwritten.split(", ")), *merged.both]
        if merged.both:
            log.warning("changed on both sides", kind=pair.kind, fields=merged.both)
            self.counts["overwritten"] += 1
        with self.store.write(synced=False) as connection:
            instead = marks_shown(wanted, after, names)
            pairs.changed(connection, pair.own, digest_of(leaving), marks_of(wanted), instead)
            pairs.keep(connection, pair.own, kept)
            pairs.overwrote(connection, pair.own, lost)

    def _patched(self, pair: Pair, wanted: Json, send: list[str]) -> Json:
        path, theirs = BY_KIND[pair.kind].path, str(UUID(bytes=pair.theirs or b""))
        try:
            return self.sending.register.patch(path, theirs, orjson.dumps(body_of(wanted, send)))
        except Declined as error:
            # A number that another has there is left to the register, as when it was made.
            rest = [name for name in send if name != NUMMER]
            if rest in (send, []) or not any(param.name == NUMMER for param in error.params):
                raise
            return self.sending.register.patch(path, theirs, orjson.dumps(body_of(wanted, rest)))

    def _prefer(self, change: Change) -> None:
        uuid = change.due.uuid
        with self.store.read() as connection:
            current = documents.of_uuids(connection, [uuid]).get(uuid)
            pair = pairs.of_own(connection, [uuid]).get(uuid)
        if current is None or pair is None or pair.theirs is None:
            return
        if pair.preferred is None and not prefers(current):
            return
        with suppress(ReferenceMissing):
            if pair.preferred == marks_of(preferences(current)):
                return
        outcome = preferring.send(self.sending.register, self._settings, current, pair)
        preferring.keep(self.store, current, pair, outcome)
        if outcome.waits and uuid not in self._failed:
            self._fail(change, WAITS)
        self.counts["preferences"] += not (outcome.cause or outcome.waits)

    def _delete(self, changes: Iterable[Change]) -> list[Change]:
        """Delete what is gone; what was there before us stays (E4). Out: what the register does not let go yet."""
        refused = []
        for change in changes:
            pair = change.pair
            if pair is not None and pair.state == SENDING:
                self._fail(change, "sending")
                continue
            if pair is not None and pair.theirs is not None and pair.state != TAKEN:
                try:
                    self.sending.register.delete(BY_KIND[change.due.kind].path, str(UUID(bytes=pair.theirs)))
                except Declined:
                    refused.append(change)
                    continue
                self.counts["deleted"] += 1
            with self.store.write(synced=False) as connection:
                pairs.remove(connection, [change.due.uuid])
        return refused

    def _fail(self, change: Change, cause: str) -> None:
        self._failed.add(change.due.uuid)
        self.counts["postponed"] += 1
        with self.store.write(synced=False) as connection:
            documents.postpone(connection, [change.due], now() + back_off(change.due.attempts), cause)


def _nothing() -> None:
    """Nothing to tell."""


def _differs(change: Change) -> bool:
    return bool(change.now and change.pair and change.pair.digest != digest_of(change.now))


def _belongs(leaving: Leaving, stage: Stage) -> bool:
    if leaving.kind != stage.kind:
        return False
    if not stage.relation:
        return True
    return bool(leaving.links.get(stage.relation.split(".", 1)[1])) is stage.having
