"""Makes documents again in transactions that are taken back: when the store is right, that changes nothing.

Finds documents that were lost or altered, or that nothing makes, with their references and provenance. Works a piece at
a time, and gives after each where it can go on later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.fetch.fetcher import Fetcher
from gateway.store.base.session import Session
from gateway.store.edits.vanished import remove_gone
from gateway.store.inspect import comparing, rehearsing
from jobs.common.progress import Tell
from jobs.verify.ledger import EXTRA, NAMED, Ledger

# Write transactions stay short, a rehearsal too.
STATEMENTS_AT_ONCE = 100
ZAKEN_AT_ONCE = 50
TRIES = 3
Found = dict[tuple[str, bytes], str]


@dataclass(frozen=True, slots=True)
class _Work:
    """What is made again: the parties of keys (rows), and the contacts of zaken and of contactmomenten (uuids)."""

    identities: set[int] = field(default_factory=set)
    zaken: Sequence[bytes] = ()
    moments: Sequence[bytes] = ()


class Rehearsal:
    """Makes documents of one source again; with `repair` what was wrong is then made for real."""

    def __init__(
        self, fetcher: Fetcher, ledger: Ledger, repair: bool, tell: Tell, save: Callable[[], None]
    ) -> None:
        """`save` keeps the ledger, so that what is about to be repaired is still reported after a kill."""
        self.store = fetcher.store
        self.source = fetcher.source
        self.ingest = fetcher.ingest
        self.ledger = ledger
        self.repair = repair
        self.tell = tell
        self.save = save

    def stages(self) -> list[Callable[[Any], Iterator[Any]]]:
        """What to go through for all documents that the objects of this source went into, and those from nothing.

        Each takes where it stopped (None to begin) and gives where it is after each piece.
        """
        return [
            lambda after: self._parties(self._all_statements(after)),
            lambda after: self._contacts(self._after(comparing.zaken_after, after)),
            lambda after: self._moments(self._after(comparing.moments_after, after)),
            self._rest,
        ]

    def of_zaken(self, zaken: Sequence[bytes]) -> None:
        """The documents that the objects of these zaken went into."""
        pieces = [zaken[start : start + ZAKEN_AT_ONCE] for start in range(0, len(zaken), ZAKEN_AT_ONCE)]
        with self.store.read() as connection:
            moments = [comparing.moments_of_zaken(connection, self.source, piece) for piece in pieces]
        for stage in (
            self._parties(self._statements_of(pieces)),
            self._contacts(pieces),
            self._moments(filter(None, moments)),
        ):
            deque(stage, maxlen=0)
        for piece in pieces:
            with self.store.read() as connection:
                counts = comparing.documents_of(connection, self._raws_of(connection, piece))
            for kind, found in counts.items():
                self.ledger.documents[kind]["compared"] += found

    def _parties(self, statements: Iterable[Sequence[int]]) -> Iterator[int]:
        done = 0
        for piece in statements:
            with self.store.read() as connection:
                identities = comparing.identities_of(connection, piece)
            self._judge(_Work(identities))
            done += len(piece)
            self.tell("partijen en actoren", done, None)
            yield piece[-1]

    def _contacts(self, zaken: Iterable[Sequence[bytes]]) -> Iterator[str]:
        done = 0
        for piece in zaken:
            if self.ledger.mending or self._make(_Work(zaken=piece)):
                # Once more with its parties: a klantcontact whose partij is lost may itself be as it should.
                with self.store.read() as connection:
                    identities = comparing.identities_of_zaken(connection, self.source, piece)
                self._judge(_Work(identities, zaken=piece))
            done += len(piece)
            self.tell("klantcontacten", done, None)
            yield piece[-1].hex()

    def _moments(self, moments: Iterable[Sequence[bytes]]) -> Iterator[str]:
        """The klantcontacten that contactmomenten of an earlier standard give."""
        done = 0
        for piece in moments:
            if self.ledger.mending or self._make(_Work(moments=piece)):
                with self.store.read() as connection:
                    held = comparing.held_of_moments(connection, self.source, piece)
                    statements = comparing.statements_of(connection, [each.id for each in held])
                    identities = comparing.identities_of(connection, statements)
                self._judge(_Work(identities, moments=piece))
            done += len(piece)
            self.tell("contactmomenten", done, None)
            yield piece[-1].hex()

    def _judge(self, work: _Work) -> None:
        # After a kill: what was being repaired then, and may be right by now.
        found = self._make(work) | self.ledger.mending
        if found and self.repair:
            self.ledger.mending = found
            self.save()
        left, tries = found, 0
        # What was left of a lost document (a reference without its source) may only show beside the new one.
        while left and self.repair and tries < TRIES:
            tries += 1
            self._make(work, really=True)
            left = self._make(work)
        for key, sort in found.items():
            self.ledger.document(*key, sort, repaired=self.repair and key not in left)
        self.ledger.mending = {}

    def _make(self, work: _Work, really: bool = False) -> Found:
        """Make documents again. Out: which were not as they should be."""
        with rehearsing.noting(self.store, rehearse=not really) as (connection, found):
            merging = self.ingest.recomputation(connection)
            merging.touched.add_identities(work.identities)
            merging.touched.add_zaken((self.source, zaak) for zaak in work.zaken)
            merging.touched.add_moments((self.source, moment) for moment in work.moments)
            merging.finish()
        return found.touched

    def _rest(self, _after: object) -> Iterator[None]:
        """Documents from the legacy that come from no legacy object; and how many there are in all."""
        with self.store.read() as connection:
            found = comparing.orphans(connection, NAMED)
        for _, kind, uuid in found:
            self.ledger.document(kind, uuid, EXTRA, self.repair)
        if found and self.repair:
            with self.store.write() as connection:
                remove_gone(connection, [row for row, _, _ in found])
                self.save()
        with self.store.read() as connection:
            for kind, count in comparing.legacy_documents(connection).items():
                self.ledger.documents[kind]["compared"] = count
        yield

    def _all_statements(self, after: int | None) -> Iterator[list[int]]:
        after = after or 0
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
                statements = comparing.statements_of(connection, self._raws_of(connection, piece))
            for start in range(0, len(statements), STATEMENTS_AT_ONCE):
                yield statements[start : start + STATEMENTS_AT_ONCE]

    def _raws_of(self, connection: Session, zaken: Sequence[bytes]) -> set[int]:
        """The legacy objects (rows) of these zaken, and of the contactmomenten about them."""
        held = comparing.held_of_zaken(connection, self.source, zaken)
        moments = comparing.moments_of_zaken(connection, self.source, zaken)
        held += comparing.held_of_moments(connection, self.source, moments)
        return {each.id for each in held}

    def _after(
        self, ask: Callable[[Session, int, bytes, int], list[bytes]], start: str | None
    ) -> Iterator[list[bytes]]:
        after = bytes.fromhex(start or "")
        while True:
            with self.store.read() as connection:
                piece = ask(connection, self.source, after, ZAKEN_AT_ONCE)
            if not piece:
                return
            after = piece[-1]
            yield piece
