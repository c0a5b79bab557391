"""What comes of a batch: what its caller has to know and ask next, and what has to be made again.

What has to be made again is filled in by whoever changes something, and done by `Recomputation.finish`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gateway.store.legacy.claims import Taken, Zaak
from gateway.store.legacy.ties import Moment


@dataclass(slots=True)
class Result:
    """What an ingest did: counts, and what the caller should fetch next.

    `unknown_zaken`: objects just taken wait for them. `refetch_zaken` became visible again, so their rollen and
    klantcontacten must be asked for. So did the contactmomenten `refetch_moments`, which are asked for with their
    ties. These two are in the inbox as well, until they are read. `new` are the uuids that were not held before.
    `doubtful` (kind and uuid) were not taken: the answer is older than what is known of them, so ask for each.
    """

    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    unknown_zaken: set[UUID] = field(default_factory=set)
    refetch_zaken: set[UUID] = field(default_factory=set)
    refetch_moments: set[UUID] = field(default_factory=set)
    new: set[bytes] = field(default_factory=set)
    doubtful: set[tuple[str, UUID]] = field(default_factory=set)

    def add(self, other: Result) -> None:
        """Add the outcome of another batch."""
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.quarantined += other.quarantined
        self.unknown_zaken |= other.unknown_zaken
        self.refetch_zaken |= other.refetch_zaken
        self.refetch_moments |= other.refetch_moments
        self.new |= other.new
        self.doubtful |= other.doubtful


@dataclass(slots=True)
class Touched:
    """What is to be made again. Whoever changes something adds to it through the methods.

    - `identities`: keys (rows) whose parties and actors are made again.
    - `parties`, `statements`: documents and statements (rows) that lost a claim.
    - `zaken`, `moments`: zaken and contactmomenten (source and uuid) whose klantcontacten are made again.
    - `contacts`: klantcontact documents (rows) that changed.
    - `subjects`: onderwerpobjecten (rows) that lost a legacy object.
    - `alone`: documents (rows) made with a klantcontact that a client deleted, that lost their legacy object.
    """

    identities: set[int] = field(default_factory=set)
    parties: set[int] = field(default_factory=set)
    statements: set[int] = field(default_factory=set)
    zaken: set[Zaak] = field(default_factory=set)
    moments: set[Moment] = field(default_factory=set)
    contacts: set[int] = field(default_factory=set)
    subjects: set[int] = field(default_factory=set)
    alone: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return any(self._all())

    def _all(self) -> tuple[set[Any], ...]:
        rows = (self.identities, self.parties, self.statements, self.contacts, self.subjects, self.alone)
        return (*rows, self.zaken, self.moments)

    def clear(self) -> None:
        """All of it was done."""
        for each in self._all():
            each.clear()

    def add_identities(self, rows: Iterable[int]) -> None:
        """Have the parties and actors of these keys (rows) made again."""
        self.identities.update(rows)

    def add_zaken(self, zaken: Iterable[Zaak]) -> None:
        """Have what these zaken give made again: their klantcontacten, and who represents whom."""
        self.zaken.update(zaken)

    def add_moments(self, moments: Iterable[Moment]) -> None:
        """Have the klantcontacten of these contactmomenten made again."""
        self.moments.update(moments)

    def claims_deleted(self, taken: Taken) -> None:
        """Claims were taken back: their keys, their statements and what those were part of."""
        self.identities.update(taken.identities)
        self.parties.update(taken.documents.values())
        self.statements.update(taken.statements)

    def contacts_changed(self, documents: Iterable[int]) -> None:
        """The klantcontacten of the Zaken API that made these documents (rows) changed or went."""
        self.contacts.update(documents)

    def subjects_changed(self, documents: Iterable[int]) -> None:
        """These onderwerpobjecten (rows) lost a legacy object that they were made of."""
        self.subjects.update(documents)

    def orphaned(self, documents: Iterable[int]) -> None:
        """These documents (rows) were made with a klantcontact that a client deleted, and lost their legacy object."""
        self.alone.update(documents)
