"""Makes documents again in transactions that are taken back: when the store is right, that changes nothing.

Finds documents that were lost or altered, or that nothing makes, with their references and provenance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gateway.fetch import Fetcher
from gateway.store import comparing
from gateway.store.leaving import remove_gone
from jobs.judge import Tell
from jobs.ledger import EXTRA, NAMED, Ledger

# Write transactions stay short, a rehearsal too.
STATEMENTS_AT_ONCE = 100
ZAKEN_AT_ONCE = 50
TRIES = 3
Found = dict[tuple[str, bytes], str]


class Rehearsal:
    """Makes documents of one source again; with `repair` what was wrong is then made for real."""

    def __init__(self, fetcher: Fetcher, ledger: Ledger, repair: bool, tell: Tell) -> None:
        self.store = fetcher.store
        self.source = fetcher.source
        self.ingest = fetcher.ingest
        self.ledger = ledger
        self.repair = repair
        self.tell = tell

    def everything(self) -> None:
        """All documents that the objects of this source went into, and those that come from nothing."""
        self._parties(self._all_statements())
        self._contacts(self._all_zaken())
        with self.store.read() as connection:
            for kind, count in comparing.legacy_documents(connection).items():
                self.ledger.documents[kind]["compared"] = count
        self._orphans()

    def of_zaken(self, zaken: Sequence[bytes]) -> None:
        """The documents that the objects of these zaken went into."""
        pieces = [zaken[start : start + ZAKEN_AT_ONCE] for start in range(0, len(zaken), ZAKEN_AT_ONCE)]
        self._parties(self._statements_of(pieces))
        self._contacts(pieces)
        for piece in pieces:
            with self.store.read() as connection:
                counts = comparing.documents_of(connection, self.source, piece)
            for kind, found in counts.items():
                self.ledger.documents[kind]["compared"] += found

    def _parties(self, statements: Iterable[Sequence[int]]) -> None:
        done = 0
        for piece in statements:
            with self.store.read() as connection:
                identities = comparing.identities_of(connection, piece)
            self._judge(identities, (), self._make(identities, ()))
            done += len(piece)
            self.tell("partijen en actoren", done, None)

    def _contacts(self, zaken: Iterable[Sequence[bytes]]) -> None:
        done = 0
        for piece in zaken:
            if self._make(set(), piece):
                # Once more with its parties: a klantcontact whose partij is lost may itself be as it should.
                with self.store.read() as connection:
                    identities = comparing.identities_of_zaken(connection, self.source, piece)
                self._judge(identities, piece, self._make(identities, piece))
            done += len(piece)
            self.tell("klantcontacten", done, None)

    def _judge(self, identities: set[int], zaken: Sequence[bytes], found: Found) -> None:
        left, tries = found, 0
        # What was left of a lost document (a reference without its source) may only show beside the new one.
        while left and self.repair and tries < TRIES:
            tries += 1
            self._make(identities, zaken, really=True)
            left = self._make(identities, zaken)
        for key, sort in found.items():
            self.ledger.document(*key, sort, repaired=self.repair and key not in left)

    def _make(self, identities: set[int], zaken: Sequence[bytes], really: bool = False) -> Found:
        """Make documents again. Out: which were not as they should be."""
        with comparing.noting(self.store, rehearse=not really) as connection:
            merging = self.ingest.merging(connection)
            merging.identities |= identities
            merging.zaken |= {(self.source, zaak) for zaak in zaken}
            merging.finish()
            return comparing.touched(connection)

    def _orphans(self) -> None:
        """Documents from the legacy that come from no legacy object."""
        with self.store.read() as connection:
            found = comparing.orphans(connection, NAMED)
        if found and self.repair:
            with self.store.write() as connection:
                remove_gone(connection, [row for row, _, _ in found])
        for _, kind, uuid in found:
            self.ledger.document(kind, uuid, EXTRA, self.repair)

    def _all_statements(self) -> Iterator[list[int]]:
        after = 0
        while True:
            with self.store.read() as connection:
                piece = comparing.statements_after(connection, self.source, after, STATEMENTS_AT_ONCE)
            if not piece:
                return
            after = piece[-1]
            yield piece

    def _statements_of(self, pieces: Iterable[Sequence[bytes]]) -> Iterator[list[int]]:
        for piece in pieces:
            with self.store.read() as connection:
                held = comparing.held_of_zaken(connection, self.source, piece)
                statements = comparing.statements_of(connection, [each.id for each in held])
            for start in range(0, len(statements), STATEMENTS_AT_ONCE):
                yield statements[start : start + STATEMENTS_AT_ONCE]

    def _all_zaken(self) -> Iterator[list[bytes]]:
        after = b""
        while True:
            with self.store.read() as connection:
                piece = comparing.zaken_after(connection, self.source, after, ZAKEN_AT_ONCE)
            if not piece:
                return
            after = piece[-1]
            yield piece
