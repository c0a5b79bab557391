"""A source as the jobs that follow it ask it: everything that comes is taken at once, under the job's lease."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from gateway.base import clock
from gateway.fetch.coverage import CUTOVER
from gateway.fetch.fetcher import Fetcher
from gateway.fetch.visit import Visit
from gateway.ingest.outcome import Result
from gateway.legacy.pacing.gate import CHOSEN
from gateway.store.base.kinds import TRANSLATED
from gateway.store.base.session import Session
from gateway.store.legacy import objects as rows
from gateway.store.operation import following, leases
from gateway.store.operation.following import Following
from jobs.common.work import Work
from mappings.standards import CONNECTION
from mappings.values.uuids import uuid_in

# No client waits for a job: each call is bounded by the client's own time limits.
PATIENCE = 24 * 3600.0
Also = Callable[[Session, Result], None]


class Followed:
    """One source, for one run of a job."""

    def __init__(self, work: Work, fetcher: Fetcher) -> None:
        self.work = work
        self.fetcher = fetcher
        self.source = fetcher.source
        self.store = fetcher.store

    def blocked_reason(self) -> str:
        """Why there is nothing to follow, for an operator; blank when there is."""
        phase, covered = self.fetcher.state()
        if phase == CUTOVER:
            return "de fase is cutover: de bron wordt niet meer bevraagd"
        if not covered:
            return "er is nog geen volledige backfill"
        waiting = self.fetcher.client.waits()
        if waiting is None or waiting.reason not in CHOSEN:
            return ""
        return f"de bron wordt nu niet gevraagd ({waiting.reason})"

    def state(self) -> Following:
        """How far the source is followed."""
        with self.store.read() as connection:
            return following.following(connection, self.source)

    def take(
        self, kind: str, objects: Sequence[dict[str, Any]], also: Also | None = None, *, asked: int
    ) -> Result:
        """Take what a list gave that was `asked` for then, and fetch what that leads to.

        That is: unknown zaken, zaken that became readable, and what was seen otherwise since. `also` runs in the last
        transaction. Raises leases.Lost, LegacyError.
        """

        def keep(connection: Session, result: Result) -> None:
            leases.keep(connection, self.work.grip)
            if also is not None:
                also(connection, result)

        result = self.fetcher.ingest.take(self.fetcher.name, kind, objects, keep, asked=asked)
        visit = self.visit()
        for uuid in sorted(result.refetch_zaken):
            self.fetcher.reread_zaak(visit, uuid)
        self.fetcher.fetch_dependents(visit, result)
        return result

    def ties_of_new(self, objects: Sequence[dict[str, Any]]) -> set[UUID]:
        """Ask what ties the contactmomenten that are not held yet: it goes before them, for it tells who may see them.

        Out: those contactmomenten. Raises LegacyError.
        """
        found = {uuid for raw in objects if (uuid := uuid_in(raw.get("url"))) is not None}
        with self.store.read() as connection:
            held = rows.raw_rows(connection, self.source, "contactmoment", [uuid.bytes for uuid in found])
        new = {uuid for uuid in found if uuid.bytes not in held}
        for uuid in sorted(new):
            self.fetcher.contents.reread_ties(self.visit(), uuid)
        return new

    def reread(self, kind: str, uuid: UUID, zaak: UUID | None = None) -> None:
        """See what the source says of one object now: taken, removed (404), or marked as refused (403).

        A zaak that became readable comes with all of it (M34), as does one that names itself as its `zaak`. A
        zaakcontactmoment only connects: when its `zaak` is given, that is read. A contactmoment comes with its ties.
        Raises LegacyError.
        """
        visit = self.visit()
        if zaak is not None and (kind == CONNECTION or (kind == "zaak" and zaak == uuid)):
            self.fetcher.reread_zaak(visit, zaak)
            return
        if kind == "contactmoment":
            self.fetcher.contents.reread_moment(visit, uuid)
            return
        was_unreadable = kind == "zaak" and self._zaak_state(uuid) not in (None, TRANSLATED)
        there = self.fetcher.fetch(visit, kind, uuid)
        if there and was_unreadable and self._zaak_state(uuid) == TRANSLATED:
            self.fetcher.reread_zaak(visit, uuid)

    def visit(self) -> Visit:
        """A visit without a client."""
        return Visit(clock.monotonic() + PATIENCE)

    def _zaak_state(self, uuid: UUID) -> int | None:
        with self.store.read() as connection:
            found = rows.raw_rows(connection, self.source, "zaak", [uuid.bytes]).get(uuid.bytes)
        return found.state if found else None
