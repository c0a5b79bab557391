"""The one path by which legacy data enters the store: raw objects in, documents out, one transaction a batch.

A live request, a backfill page and a repair all call `Ingest.take`; what was removed goes through `Ingest.remove`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any
from uuid import UUID

import orjson

from gateway.base.row_set import RowSet
from gateway.ingest.batch import Batch
from gateway.ingest.documents.recompute import Recomputation
from gateway.ingest.incoming import Incoming, Translator, digest_of_text, incoming, zaak_in
from gateway.ingest.outcome import Result
from gateway.ingest.rebuild_batch import RebuildBatch
from gateway.store.base.compression import unpack
from gateway.store.base.errors import StoreError
from gateway.store.base.kinds import GONE, UNREADABLE
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.edits.adopting import ADOPTABLE
from gateway.store.edits.editing import take_up
from gateway.store.inspect import rebuilding
from gateway.store.legacy import objects as rows
from gateway.store.legacy import untranslated_keys, visibility
from gateway.store.legacy.identities import identities_to_merge, moments_of_contacts, zaken_of_contacts
from gateway.store.legacy.vertegenwoordigingen import givers, zaken_of_pair
from gateway.store.operation.sources import held_source, meta_of
from mappings.model.settings import VERTROUWELIJKHEIDAANDUIDINGEN, Settings

__all__ = ["Ingest", "Result"]

# The name in the store of the setting that it follows.
MAXIMUM = "max_vertrouwelijkheidaanduiding"
# A batch is one transaction, and whoever else writes waits for it. So it has at most so many objects, and fewer where
# those would take longer than this.
BATCH, LEAST = 500, 20
BATCH_SECONDS = 0.05
# Small batches cost a job a third of its speed, so they are for when clients write. The first of those waits once.
QUIET_SECONDS = 0.25
ZAKEN_AT_ONCE = 50


class OtherMaximum(StoreError):
    """The store follows another `max_vertrouwelijkheidaanduiding` than this process was started with (M34).

    What it would write may be too confidential by now, or leave out what may be shown.
    """

    cause = "other_maximum"

    def __init__(self) -> None:
        super().__init__(
            "De opslag volgt een andere [mapping] max_vertrouwelijkheidaanduiding dan dit proces, dat dus met een "
            "oudere configuratie is gestart. Start het opnieuw."
        )


class Ingest(Translator):
    """Takes legacy objects into one store, by the rules of one `[mapping]`."""

    def __init__(self, store: Store, settings: Settings, uuid_secret: str) -> None:
        super().__init__(settings, uuid_secret)
        self.store = store
        # Seconds that an object took recently, by kind; and was most of what came last not held just so?
        self._cost: dict[str, float] = {}
        self._mostly_new: dict[str, bool] = {}

    def take(
        self,
        source: str,
        kind: str,
        objects: Sequence[dict[str, Any]],
        also: Callable[[Session, Result], None] | None = None,
        *,
        asked: int,
        ready: Sequence[Incoming] = (),
        meanwhile: Iterable[object] = (),
    ) -> Result:
        """Take objects of one kind as the legacy gave them.

        `also` runs in the transaction of the last batch, with the outcome so far (a job's cursor). `asked` is when
        the legacy was asked for them (microseconds UTC; 0 for what is known to be newest). What became known since
        then wins (`Result.doubtful`). Taking the same again changes nothing. `ready`: what `ahead` made of them. While
        the database is waited for the others are made ready, and then come the pieces of `meanwhile`.
        """
        read, changed = self._read(source, kind, objects, ready)
        pieces = chain(self._prepared(source, changed), meanwhile)
        result = Result()
        done = 0
        while True:
            left = len(read) - done
            batches = max(1, -(-left // self._room(kind)))
            batch = read[done : done + -(-left // batches)]  # no small one at the end: it costs as much
            done += len(batch)
            for item in batch:
                if item.uuid in changed:
                    self.prepare(source, item)
            with self.store.write(synced=False) as connection:
                connection.meanwhile(pieces)
                began = time.perf_counter()
                work = Batch(self, self._recomputation(connection), source)
                work.take(batch, asked)
                result.add(work.result)
                if also is not None and done == len(read):
                    also(connection, result)
            self._spent(kind, len(batch), time.perf_counter() - began)
            if done == len(read):
                return result

    def ahead(
        self, source: str, kind: str, objects: Sequence[dict[str, Any]], ready: list[Incoming]
    ) -> Iterator[None]:
        """Make objects ready, one at a time, that are taken later: they come into `ready`, in their order.

        Not where most of what came last was held already: then it would be for nothing. Where one can't be made ready
        this ends: what is wrong is raised in its own turn, not in somebody else's.
        """
        if not self._mostly_new.get(kind):
            return
        for raw in objects[len(ready) :]:
            try:
                item = incoming(kind, raw)
                self.prepare(source, item)
            except Exception:  # noqa: BLE001  it comes again in its own turn
                return
            ready.append(item)
            yield

    def _room(self, kind: str) -> int:
        """How many objects fit in a batch, by what they took recently."""
        cost = self._cost.get(kind)
        if not cost and not self.store.connection().dialect.is_a_file:
            return LEAST  # how far away the database is shows in the first ones: clients wait meanwhile
        seconds = BATCH_SECONDS if self.store.clients_write() else QUIET_SECONDS
        return BATCH if not cost else max(LEAST, min(BATCH, int(seconds / cost)))

    def _spent(self, kind: str, objects: int, seconds: float) -> None:
        if 2 * objects > LEAST:  # a part of what was split evenly; fewer tell little
            self._cost[kind] = (self._cost.get(kind, seconds / objects) + seconds / objects) / 2

    def remove(self, source: str, kind: str, uuids: Iterable[UUID]) -> Result:
        """Remove objects that the legacy no longer has (404), with all that came from them (M35)."""
        with self.store.write(synced=False) as connection:
            work = Batch(self, self._recomputation(connection), source)
            work.remove(kind, [uuid.bytes for uuid in uuids])
        return work.result

    def retry(self, source: str, kind: str, uuids: Iterable[UUID]) -> Result:
        """Translate again what is held in quarantine (M3); out: `quarantined` are those that stay there."""
        with self.store.write() as connection:
            work = Batch(self, self._recomputation(connection), source)
            work.retry(kind, [uuid.bytes for uuid in uuids])
        return work.result

    def empty(self, connection: Session, objects: Iterable[int], before: int) -> int:
        """Empty those of these objects (rows) that nobody has seen since `before` (M2), in a write transaction.

        The keyed hashes of their keys stay, so that a search for one of them is not told that there is nothing (M3).
        Out: how many.
        """
        found = untranslated_keys.still_to_empty(connection, objects, before)
        for row, source, kind, body in found:
            item = incoming(kind, orjson.loads(unpack(body)))
            hashes, whole = self.keys_in(source, item)
            untranslated_keys.put_keys(connection, row, hashes, whole=whole)
            untranslated_keys.empty(connection, row, self.emptied_digest(item.digest))
        return len(found)

    def retranslate(
        self,
        source: str,
        held: Sequence[rebuilding.HeldContent],
        merged: RowSet,
        also: Callable[[Session, Result], None],
    ) -> Result:
        """Translate held objects of a source again and make what comes from them, as the mapping is now.

        For a rebuild. A party or actor that several objects make together is made at the first of them. The statements
        (rows) that it is made of are added to `merged`, which are passed over from then on. `also` runs in the same
        transaction.
        """
        looked_at = [(each, self._look_again(source, each)) for each in held]
        with self.store.write() as connection:
            work = RebuildBatch(self, self._recomputation(connection), source)
            # Zaken first: what they become decides on what belongs to them.
            for zaken in (True, False):
                part = [(each, item) for each, item in looked_at if (each.kind == "zaak") is zaken]
                if part:
                    work.retranslate(part, merged)
            also(connection, work.result)
        for statement in work.recomputation.merged:
            merged.add(statement)
        return work.result

    def leftovers(self, source: str, found: rebuilding.Leftovers) -> None:
        """Put right what is left at the end of a rebuild, in one transaction; `source` is any that is held."""
        with self.store.write() as connection:
            RebuildBatch(self, self._recomputation(connection), source).leftovers(found)

    def _look_again(self, source: str, held: rebuilding.HeldContent) -> Incoming:
        text = unpack(held.body)
        raw = orjson.loads(text)
        zaak, digest = zaak_in(held.kind, held.uuid, raw), digest_of_text(text)
        item = Incoming(held.kind, held.uuid, zaak, raw, text, digest, body=held.body)
        self.translate(source, item)
        return item

    def refused(self, source: str, kind: str, uuid: UUID, asked: int) -> Result:
        """The legacy refuses to show an object (403): kept when held; a zaak that was never seen makes nothing.

        `asked` as for `take`: what was shown since is doubtful.
        """
        with self.store.write(synced=False) as connection:
            work = Batch(self, self._recomputation(connection), source)
            held = rows.raw_rows(connection, work.source, kind, [uuid.bytes]).get(uuid.bytes)
            if held is not None and visibility.known_since(
                connection, [held.id], [], asked or work.now, work.now
            ):
                work.result.doubtful.add((kind, uuid))
            elif kind == "zaak" and (held is None or held.state in (UNREADABLE, GONE)):
                work.zaak_without_content(uuid.bytes, UNREADABLE)
            elif held is not None:
                visibility.set_invisible(connection, held.id)
        return work.result

    def restore(self, uuid: UUID) -> int:
        """Bring back a document from the legacy that a client deleted, with what went along (M19).

        Out: how many documents were hidden by that deletion; 0 when there was none.
        """
        with self.store.write() as connection:
            lifted = take_up(connection, uuid)
            if lifted:
                recomputation = self.recomputation(connection)
                owners = {UUID(item["owner"] or item["uuid"]).bytes for item in lifted}
                recomputation.touched.add_identities(identities_to_merge(connection, owners))
                recomputation.touched.add_zaken(zaken_of_contacts(connection, owners))
                recomputation.touched.add_moments(moments_of_contacts(connection, owners))
                for zaken in givers(connection, owners).values():
                    recomputation.touched.add_zaken(zaken)
                recomputation.finish()
        return len(lifted)

    def join(self, connection: Session, kind: str, row: int) -> None:
        """Join what a client just wrote (a document's kind and row) with what the legacy says of the same (M19, M31).

        That is a partij or actor with its number, or a pair. In the transaction of that write.
        """
        recomputation = self.recomputation(connection)
        if kind in ADOPTABLE:
            recomputation.touched.add_identities(recomputation.keys_of_own(row))
        elif kind == "vertegenwoordiging":
            recomputation.touched.add_zaken(zaken_of_pair(connection, row))
        if recomputation.touched:
            recomputation.finish()

    def seal(self, connection: Session) -> int:
        """Seal what is said of whom a client deleted, in the transaction of that (M19). Out: how many statements."""
        return self.recomputation(connection).sealing.seal()

    def recomputation(self, connection: Session) -> Recomputation:
        """The recomputation of documents by these rules, for one transaction."""
        return Recomputation(connection, self.uuids, self.settings, self.today())

    def _recomputation(self, connection: Session) -> Recomputation:
        """The same, for what is written of a source. Raises OtherMaximum."""
        followed = meta_of(connection, MAXIMUM)
        if followed not in (None, self.settings.max_vertrouwelijkheidaanduiding):
            raise OtherMaximum
        return self.recomputation(connection)

    def leave_out_above(self, source: str) -> int:
        """Leave out the held zaken above the configured maximum, with all of them (M34); out: how many.

        For a maximum that was lowered: what may no longer be shown goes at once, not at the next backfill.
        """
        order = VERTROUWELIJKHEIDAANDUIDINGEN
        above = order[order.index(self.settings.max_vertrouwelijkheidaanduiding) + 1 :]
        count = 0
        while True:
            with self.store.write() as connection:
                work = Batch(self, self.recomputation(connection), source)
                found = rows.zaken_with(connection, work.source, above, ZAKEN_AT_ONCE)
                work.leave_out(found)
            count += len(found)
            if not found:
                return count

    def _read(
        self, source: str, kind: str, objects: Sequence[dict[str, Any]], ready: Sequence[Incoming]
    ) -> tuple[list[Incoming], dict[bytes, Incoming]]:
        """Objects as they are taken, and by uuid those that are not held just so. In: the first of them, made ready."""
        rest = (incoming(kind, raw) for raw in objects[len(ready) :])
        found = {item.uuid: item for item in chain(ready, rest)}
        with self.store.read() as connection:
            number = held_source(connection, source)
            held = rows.raw_rows(connection, number, kind, list(found)) if number else {}
        changed = {
            uuid: item
            for uuid, item in found.items()
            if (before := held.get(uuid)) is None
            or not self.is_unchanged(item, before.digest, emptied=before.emptied)
        }
        self._mostly_new[kind] = 2 * len(changed) > len(found)
        return list(found.values()), changed

    def _prepared(self, source: str, changed: dict[bytes, Incoming]) -> Iterator[None]:
        """Make these objects ready, one at a time."""
        for item in changed.values():
            if not item.body:
                self.prepare(source, item)
                yield
