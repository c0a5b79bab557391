"""Verify: compares a source and the store both ways, says what is missing, extra or different, and can repair it.

Everything that the source shows is compared with what is held; everything that is held and was not shown is asked
for by uuid; each held object is translated again; and each document is made again in a rehearsal that is taken back,
which changes nothing when the store is right. What seems wrong is looked at again before it counts: a source and a
store that live change while they are read.

Lists show an object twice, or not at all, when others are added or deleted during the walk. A walk that shows signs
of that (a count that changed, an object shown twice, a held one that was there but not shown) is done again.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from uuid import UUID

from gateway.compare import Verdict
from gateway.fetch import SYNCED, Fetcher
from gateway.installation import Installation
from gateway.legacy.errors import Forbidden, LegacyError, NotFound
from gateway.logs import get_logger
from gateway.report import sentence
from gateway.store import comparing, leases, reports, runs
from gateway.store.comparing import Held
from gateway.store.database import now
from jobs import connections
from jobs.judge import Judge
from jobs.ledger import NAMED, Bits, Ledger, fingerprint
from jobs.lists import TIES, kinds_of, ties_of
from jobs.rehearsal import Rehearsal
from jobs.work import Busy, Work
from mappings.translate import uuid_in

log = get_logger("klantbrug.verify")

# What hangs on a zaak, and the filter that finds it.
CONTENT = {
    "rol": "zaak",
    "klantcontact": "zaak",
    "objectcontactmoment": "object",
    "zaakcontactmoment": "zaak",
}
SAMPLE = 500
MAX_LOOKS = 3
PIECE = 500
SAMPLE_PAGES = 20
LEASE_SECONDS = 120
RENEW_SECONDS = 20.0


class Stopped(Exception):
    """Whoever asked for this verify wants it to stop."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a verify is doing, for whoever shows it."""

    source: str
    what: str
    done: int
    total: int | None


class Verify:
    """One verify of one source. `run` may be stopped at any moment: it leaves nothing half done."""

    def __init__(
        self,
        fetcher: Fetcher,
        sample: int | None = None,
        repair: bool = False,
        show: Callable[[Step], None] = lambda step: None,
        seed: int | None = None,
    ) -> None:
        """In: how many zaken to take at random, None for everything; `seed` makes the choice again."""
        self.fetcher = fetcher
        self.store = fetcher.store
        self.name = fetcher.name
        self.source = fetcher.source
        self.sample = sample
        self.repair = repair
        self.show = show
        self.seed = int.from_bytes(os.urandom(4)) if seed is None else seed
        self.ledger = Ledger()
        self.judge = Judge(fetcher, self.ledger)
        self.rehearsal = Rehearsal(fetcher, self.ledger, repair, self._tell)
        self.shown: dict[str, dict[str, int | None]] = {}
        self._renewed = 0.0
        # What a sample met on the way from its zaken.
        self._judged = Bits()
        self._met: set[tuple[str, bytes]] = set()

    def run(self) -> dict[str, Any]:
        """Verify, keep the report, and give it. Raises Busy, CutOver, LegacyError."""
        _ = self.fetcher.client  # not in phase cutover
        # The lease of the backfill: what it changes would look like differences.
        grip = leases.take(self.store, f"backfill {self.name}", LEASE_SECONDS)
        if grip is None:
            raise Busy(f"er loopt een backfill of verify van bron {self.name}")
        began = now()
        with self.store.write() as connection:
            run = runs.open_run(connection, "verify", self.source)
        status, message = runs.FAILED, ""
        try:
            # Whatever writes, also in repairing: only for as long as the lease is ours.
            with self.store.guarded(lambda connection: leases.keep(connection, grip)):
                report = self._report(began)
                with self.store.write() as connection:
                    report["id"] = reports.put_report(connection, self.source, report)
            status, message = runs.FINISHED, f"rapport {report['id']}: " + sentence(report)
            run.counters = {kind: dict(row) for kind, row in report["kinds"].items()}
            return report
        except (KeyboardInterrupt, Stopped):
            status, message = runs.INTERRUPTED, "onderbroken"
            raise
        except LegacyError as error:
            message = str(error)
            raise
        finally:
            with self.store.write() as connection:
                runs.end_run(connection, run, status, message)
            leases.let_go(self.store, grip)

    def _report(self, began: int) -> dict[str, Any]:
        if self.sample is None:
            self._everything()
        else:
            self._some(self.sample)
        rights = self._rights()
        return {
            "source": self.name,
            "address": self.fetcher.client.url_of("zaak", str(UUID(int=0))).rpartition("zaken/")[0],
            "version": version("klantbrug"),
            "mapping": fingerprint(self.fetcher.ingest.settings),
            "mode": "full" if self.sample is None else "sample",
            "sample": self.sample,
            "seed": None if self.sample is None else self.seed,
            "repair": self.repair,
            "began": began,
            "ended": now(),
            **self.ledger.report(self.judge.kinds),
            "rights": rights,
            "zaaktype_namen": self._names(),
        }

    def _tell(self, what: str, done: int, total: int | None) -> None:
        self.show(Step(self.name, what, done, total))
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            self._renewed = time.monotonic()
            with self.store.write():
                pass  # so that the lease lasts longer

    # Everything

    def _everything(self) -> None:
        look, moved = 0, True
        while moved and look < MAX_LOOKS:
            look += 1
            moved = self._walk(look)
        with self.store.read() as connection:
            top, total = comparing.extent(connection, self.source)
        after = done = skipped = 0
        while after < top:
            with self.store.read() as connection:
                piece = comparing.held_after(connection, self.source, after, PIECE)
            if not piece:
                break
            after = piece[-1].id
            skipped += self.judge.held(piece)
            done += len(piece)
            self._tell("opslag", min(done, total), total)
        if skipped:
            while look < MAX_LOOKS:
                look += 1
                moved = self._walk(look)
                if not moved:
                    break
        if moved:
            self.ledger.remarks.append(
                f"De bron veranderde tijdens het lezen, ook bij de laatste van {look} lezingen: wat toen is "
                "toegevoegd of verplaatst, kan gemist zijn."
            )
        self.judge.settle(self.repair, self._tell)
        self.rehearsal.everything()

    def _walk(self, look: int) -> bool:
        """Read every list of the source once. Out: did it show signs of change during the walk?"""
        moved = False
        for kind in kinds_of(self.fetcher.client):
            with self._refusals(kind):
                moved |= self._walk_kind(kind, look)
        if look == 1:  # which is enough: no pages, nothing skipped
            read = 0
            for found in connections.pieces(self.fetcher):
                self._note(connections.CONNECTION, found)
                read += len(found)
                self._tell(connections.CONNECTION, read, None)
        return moved

    @contextlib.contextmanager
    def _refusals(self, kind: str) -> Iterator[None]:
        """A list of a kind that these credentials may not see at all is noted, and the rest goes on."""
        try:
            yield
        except Forbidden as error:
            if error.code != "permission_denied":
                raise
            if kind not in self.ledger.unreachable:
                self.ledger.unreachable.append(kind)

    def _walk_kind(self, kind: str, look: int) -> bool:
        comparison, before = self.judge.comparison, self._count(kind)
        now_seen, shown, moved, met_known = Bits(), 0, False, look == 1
        for page in self.fetcher.client.pages(kind):
            page_judged = comparison.shown(kind, page.objects)
            if kind == "contactmoment":
                unseen = [each.uuid for each in page_judged if each.row not in self.judge.seen]
                for tie in TIES:
                    self._ties(tie, unseen, first=look == 1)
            for judged, raw in zip(page_judged, page.objects, strict=True):
                if judged.row and now_seen.add(judged.row):
                    moved = True
                    continue
                shown += 1
                if judged.row or (kind, judged.uuid) in self.ledger.suspects:
                    met_known = True
                elif judged.verdict is Verdict.MISSING and not met_known:
                    # Lists are newest first: what stands before all that was there before was added since.
                    self.ledger.added += 1
                    continue
                self.judge.note_shown(judged, raw, first=look == 1)
            if kind == "zaak" and look == 1:
                self.judge.named_rollen(page.objects)
            self._tell(f"{kind}, lezing {look}", page.number * page.size, page.count)
        after = self._count(kind)
        self.shown[kind] = {"source": after, "shown": shown}
        if before == after and after is not None and after != shown and not moved:
            self.ledger.remarks.append(
                f"De bron telt {after} objecten van soort {kind} en toonde er {shown}."
            )
        return moved or before != after

    def _ties(self, kind: str, moments: Iterable[bytes], first: bool = True) -> list[dict[str, Any]]:
        """Judge what ties these contactmomenten, asked for each of them: lists of it have no pages."""
        found: list[dict[str, Any]] = []
        with self._refusals(kind):
            for moment in moments:
                objects = ties_of(self.fetcher.client, kind, UUID(bytes=moment))
                self._note(kind, objects, first)
                found += objects
        return found

    def _note(self, kind: str, objects: Sequence[dict[str, Any]], first: bool = True) -> None:
        judged = self.judge.comparison.shown(kind, objects)
        for each, raw in zip(judged, objects, strict=True):
            self.judge.note_shown(each, raw, first)

    def _count(self, kind: str) -> int | None:
        """How many the source says there are; None when it admits to guessing."""
        count = self.fetcher.client.first(kind)[1]
        return count.number if count.exact else None

    # Some

    def _some(self, number: int) -> None:
        """Zaken at random from both sides, with all of them."""
        chance = random.Random(self.seed)  # noqa: S311 (a choice that can be made again, not a secret)
        half = max(1, number // 2)
        zaken = self._some_of_source(chance, half)
        with self.store.read() as connection:
            places = [chance.randbytes(16) for _ in range(half)]
            held = comparing.zaken_near(connection, self.source, places) - set(zaken)
        chosen = [*sorted(zaken.items()), *((uuid, None) for uuid in sorted(held))]
        for count, (uuid, raw) in enumerate(chosen, start=1):
            self._judge_zaak(uuid, raw)
            self._tell("zaken", count, len(chosen))
        self.judge.settle(self.repair, self._tell)
        self.rehearsal.of_zaken(sorted(uuid for uuid, _ in chosen))

    def _some_of_source(self, chance: random.Random, number: int) -> dict[bytes, dict[str, Any] | None]:
        first = None
        with self._refusals("zaak"):
            first = next(self.fetcher.client.pages("zaak"), None)
        if first is None:
            return {}
        pages = max(1, -(-(first.count or 0) // first.size))
        chosen = chance.sample(range(1, pages + 1), min(pages, SAMPLE_PAGES, number))
        found: dict[bytes, dict[str, Any] | None] = {}
        for page_number in sorted(chosen):
            page = next(self.fetcher.client.pages("zaak", start=page_number), None)
            objects = page.objects if page else []
            for raw in chance.sample(objects, min(len(objects), -(-number // len(chosen)))):
                uuid = uuid_in(raw.get("uuid"))
                if uuid is not None and len(found) < number:
                    found[uuid.bytes] = raw
        return found

    def _judge_zaak(self, uuid: bytes, raw: dict[str, Any] | None) -> None:
        """Compare one zaak with all of it, both ways."""
        raw = raw or self._get("zaak", uuid)
        with self.store.read() as connection:
            moments = set(comparing.moments_of_zaken(connection, self.source, [uuid]))
        left_out = raw is not None and self._judge_shown(uuid, raw, moments) is Verdict.LEFT_OUT
        with self.store.read() as connection:
            held = comparing.held_of_zaken(connection, self.source, [uuid])
        # Of a zaak that is left out the rollen were not asked for.
        self._held([each for each in held if each.kind == "zaak" or not left_out])
        for moment in sorted(moments) if "contactmoment" in self.judge.kinds else ():
            if self._once("contactmoment", moment):
                self._judge_moment(moment)

    def _judge_shown(self, uuid: bytes, raw: dict[str, Any], moments: set[bytes]) -> Verdict:
        """Compare a zaak with what the source shows of it; `moments` gets the contactmomenten that are about it."""
        client = self.fetcher.client
        judged = self.judge.comparison.shown("zaak", [raw])[0]
        self.judge.note_shown(judged, raw)
        if judged.verdict is not Verdict.LEFT_OUT:
            self.judge.named_rollen([raw])
            for kind, by in CONTENT.items():
                if kind not in self.judge.kinds or not client.can(kind, by):
                    continue
                objects: list[dict[str, Any]] = []
                with self._refusals(kind):
                    objects = client.all(kind, {by: str(UUID(bytes=uuid))})
                self._note(kind, objects)
                moments |= _named("contactmoment", objects)
        return judged.verdict

    def _judge_moment(self, uuid: bytes) -> None:
        """Compare one contactmoment with its ties and klanten, both ways."""
        raw = self._get("contactmoment", uuid)
        found = [raw] if raw else []
        self._note("contactmoment", found)
        for kind in ("objectcontactmoment", *TIES):
            found += self._ties(kind, [uuid])
        for klant in sorted(_named("klant", found)) if "klant" in self.judge.kinds else ():
            if self._once("klant", klant) and (raw := self._get("klant", klant)):
                self._note("klant", [raw])
        with self.store.read() as connection:
            held = comparing.held_of_moments(connection, self.source, [uuid])
        self._held(held)

    def _held(self, held: Sequence[Held]) -> None:
        """Judge what is held, once: what ties a contactmoment to two zaken is met twice."""
        self.judge.held([each for each in held if not self._judged.add(each.id)])

    def _once(self, kind: str, uuid: bytes) -> bool:
        """Is it the first time that this object is met?"""
        met = (kind, uuid) in self._met
        self._met.add((kind, uuid))
        return not met

    def _get(self, kind: str, uuid: bytes) -> dict[str, Any] | None:
        """An object by its uuid. None when it is gone or refused: the judgement of what is held says which."""
        try:
            return self.fetcher.client.get(kind, str(UUID(bytes=uuid)))
        except (NotFound, Forbidden):
            return None

    # Names and rights

    def _rights(self) -> dict[str, Any]:
        """What the credentials can't see, as far as it shows."""
        with self.store.read() as connection:
            refused, named = comparing.refused_zaken(connection, self.source, NAMED)
            invisible = comparing.invisible(connection, self.source)
        return {
            "refused_kinds": self.ledger.unreachable,
            "refused_zaken": refused,
            "refused_zaken_named": [str(UUID(bytes=uuid)) for uuid in named],
            "invisible": invisible,
            "shown": self.shown,
        }

    def _names(self) -> dict[str, str]:
        """The names of the zaaktypen, where a Catalogi API is configured and answers."""
        found: dict[str, str] = {}
        try:
            for page in self.fetcher.client.pages("zaaktype"):
                for raw in page.objects:
                    uuid = uuid_in(raw.get("url"))
                    if uuid is not None:
                        found[str(uuid)] = str(raw.get("omschrijving") or raw.get("identificatie") or uuid)
        except LegacyError:
            return found
        return found


def _named(kind: str, objects: Iterable[dict[str, Any]]) -> set[bytes]:
    """The objects of a kind (uuids) that others name under that name."""
    return {uuid.bytes for raw in objects if (uuid := uuid_in(raw.get(kind))) is not None}


def any_synced(installation: Installation) -> bool:
    """Is there a source in phase synced? Only of those is the store meant to be equal from day to day."""
    return any(fetcher.state()[0] == SYNCED for fetcher in installation.fetchers.values())


def verify_synced(work: Work) -> dict[str, int]:
    """The job: a sample of each source in phase synced. Out: counts. Raises leases.Lost."""
    counts = {"verified": 0, "clean": 0, "differences": 0, "skipped": 0}

    def go_on(step: Step) -> None:
        if work.stopping.is_set():
            raise Stopped(step.what)
        with work.write():
            pass  # so that the lease of the job lasts longer

    for fetcher in work.installation.fetchers.values():
        if fetcher.state()[0] != SYNCED or work.stopping.is_set():
            continue
        try:
            report = Verify(fetcher, sample=SAMPLE, show=go_on).run()
        except Stopped:
            break
        except (LegacyError, Busy) as error:
            log.warning("verify did not run", source=fetcher.name, cause=type(error).__name__)
            counts["skipped"] += 1
            continue
        counts["verified"] += 1
        counts["clean"] += report["clean"]
        counts["differences"] += report["found"]
        if not report["clean"]:
            log.warning(
                "verify found differences", source=fetcher.name, report=report["id"], found=report["found"]
            )
    return counts
