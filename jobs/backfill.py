"""Backfill: walk zaken, rollen and klantcontacten of a source into the store, until nothing new turns up.

One walk proves nothing: while objects are deleted, a walk from the front skips others; while objects are added, a
walk from the back does. So looks alternate their direction until one finds nothing that an earlier look missed.
Then what the last look did not show is asked for by uuid.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.fetch import Fetcher, Visit
from gateway.ingest import Result
from gateway.legacy.client import Page
from gateway.legacy.errors import LegacyError
from gateway.store import leases
from gateway.store import legacy as rows
from gateway.store.database import now
from gateway.store.runs import FAILED, FINISHED, INTERRUPTED, Run, end_run, open_run, save_run
from mappings.translate import uuid_in

KINDS = ("zaak", "rol", "klantcontact")
MAX_LOOKS = 6
LEASE_SECONDS = 120
PIECE = 200
# Backfill has no client waiting: each call is bounded by the client's own time-outs.
PATIENCE = 24 * 3600.0


class Busy(Exception):
    """Another process runs this job on this source."""


@dataclass(slots=True)
class Progress:
    """What the run is doing, for whoever shows it."""

    source: str
    kind: str
    look: int
    done: int
    total: int | None
    changed: int
    quarantined: int


class Backfill:
    """One backfill of one source. `run` may be stopped at any moment and called again."""

    def __init__(self, fetcher: Fetcher, show: Callable[[Progress], None] = lambda progress: None) -> None:
        self.fetcher = fetcher
        self.store = fetcher.store
        self.show = show
        self.lease = f"backfill {fetcher.name}"

    def run(self) -> bool:
        """Walk the whole source. Out: was it complete? Raises Busy, LegacyError (the run can be resumed)."""
        if not leases.acquire(self.store, self.lease, LEASE_SECONDS):
            raise Busy(f"er loopt al een backfill van bron {self.fetcher.name}")
        with self.store.write() as connection:
            run = open_run(connection, "backfill", self.fetcher.source)
        status, message = FAILED, ""
        try:
            complete = self._looks(run)
            self._reconcile(run)
            status = FINISHED
            if complete:
                with self.store.write() as connection:
                    rows.set_covered(connection, self.fetcher.source, run.cursor["look_began"])
            else:
                message = "niet volledig: bij elke keer lezen kwamen er gemiste objecten bij"
            return complete
        except KeyboardInterrupt:
            status, message = INTERRUPTED, "onderbroken; gaat bij de volgende start verder"
            raise
        except LegacyError as error:
            message = str(error)
            raise
        finally:
            with self.store.write() as connection:
                end_run(connection, run, status, message)
            leases.release(self.store, self.lease)

    def _looks(self, run: Run) -> bool:
        cursor = run.cursor
        if not cursor:
            cursor |= {"look": 0, "allowed": MAX_LOOKS, "last": {}}
            self._next_look(cursor, run.started)
        elif cursor["look"] > 1:
            # What the stopped process found last may not have been counted: this look can't be the one that agrees.
            cursor |= {"surprises": cursor["surprises"] + 1, "allowed": cursor["allowed"] + 1}
        while cursor["look"] <= cursor["allowed"]:
            while cursor["kind"] < len(KINDS):
                self._walk(run, KINDS[cursor["kind"]])
                cursor |= {"kind": cursor["kind"] + 1, "page": 0, "met_known": False, "pending": 0}
                self._save(run)
            self._waiting()
            if cursor["look"] > 1 and cursor["surprises"] == 0:
                return True
            self._next_look(cursor, now())
            self._save(run)
        return False

    @staticmethod
    def _next_look(cursor: dict[str, Any], moment: int) -> None:
        cursor |= {
            "look": cursor["look"] + 1,
            "look_began": moment,
            "kind": 0,
            "page": 0,
            "surprises": 0,
            "met_known": False,
            "pending": 0,
        }

    def _walk(self, run: Run, kind: str) -> None:
        cursor = run.cursor
        counters = run.counters.setdefault(kind, {"read": 0, "changed": 0, "unchanged": 0, "quarantined": 0})
        forward = cursor["look"] % 2 == 1
        for page in self._forward(kind, cursor) if forward else self._backward(kind, cursor):

            def keep(connection: sqlite3.Connection, result: Result, page: Page = page) -> None:
                cursor["page"] = page.number + 1 if forward else page.number - 1
                if forward:
                    cursor["last"][kind] = page.number
                self._count_surprises(cursor, page, result.new, forward)
                counters["read"] += len(page.objects)
                for name in ("changed", "unchanged", "quarantined"):
                    counters[name] += getattr(result, name)
                save_run(connection, run)
                leases.renew(connection, self.lease, LEASE_SECONDS)

            result = self.fetcher.ingest.take(self.fetcher.name, kind, page.objects, keep)
            visit = self._visit()
            for uuid in sorted(result.unknown_zaken):
                self.fetcher.fetch(visit, "zaak", uuid)
            for uuid in sorted(result.refetch_zaken):
                self.fetcher.zaak(visit, uuid)
            read = page.number if forward else cursor["last"].get(kind, page.number) - page.number + 1
            done = read * page.size
            self.show(
                Progress(
                    self.fetcher.name,
                    kind,
                    cursor["look"],
                    min(done, page.count) if page.count else done,
                    page.count,
                    counters["changed"],
                    counters["quarantined"],
                )
            )

    def _forward(self, kind: str, cursor: dict[str, Any]) -> Iterator[Page]:
        return self.fetcher.client.pages(kind, start=max(1, cursor["page"]))

    def _backward(self, kind: str, cursor: dict[str, Any]) -> Iterator[Page]:
        """From the last page to the first; more pages than the forward look met are looked for first."""
        number = cursor["page"]
        if not number:
            number = cursor["last"].get(kind, 0) + 1
            while (page := next(self.fetcher.client.pages(kind, start=number), None)) is not None:
                cursor["last"][kind] = number
                yield page
                number += 1
            number = cursor["last"].get(kind, 0)
        for current in range(number, 0, -1):
            page = next(self.fetcher.client.pages(kind, start=current), None)
            if page is not None:
                yield page

    @staticmethod
    def _count_surprises(cursor: dict[str, Any], page: Page, new: set[bytes], forward: bool) -> None:
        """Count objects that an earlier look missed.

        Lists are newest first, so an object added since the last look has nothing known before it; one that
        was missed has.
        """
        for item in page.objects if forward else reversed(page.objects):
            uuid = uuid_in(item.get("uuid")) or uuid_in(item.get("url"))
            if uuid is not None and uuid.bytes in new:
                if not forward:
                    cursor["pending"] += 1
                elif cursor["met_known"]:
                    cursor["surprises"] += 1
            elif forward:
                cursor["met_known"] = True
            else:
                cursor["surprises"] += cursor["pending"]
                cursor["pending"] = 0

    def _waiting(self) -> None:
        """Fetch the zaken that rollen and klantcontacten still wait for (M34)."""
        visit, asked = self._visit(), set()
        while True:
            with self.store.read() as connection:
                found = set(rows.waiting_zaken(connection, self.fetcher.source, PIECE)) - asked
            if not found:
                return
            for uuid in sorted(found):
                asked.add(uuid)
                self.fetcher.fetch(visit, "zaak", UUID(bytes=uuid))

    def _reconcile(self, run: Run) -> None:
        """Ask by uuid for what is held and the last look did not show: gone, changed, or no longer visible."""
        visit = self._visit()
        for kind in KINDS:
            after = 0
            while True:
                with self.store.read() as connection:
                    found = rows.unseen_since(
                        connection, self.fetcher.source, kind, run.cursor["look_began"], after, PIECE
                    )
                if not found:
                    break
                for row, uuid in found:
                    after = row
                    self.fetcher.fetch(visit, kind, UUID(bytes=uuid))

    def _visit(self) -> Visit:
        return Visit(time.monotonic() + PATIENCE)

    def _save(self, run: Run) -> None:
        with self.store.write() as connection:
            save_run(connection, run)
