"""What a batch touched, and so has to be made again: filled by whoever changes something, done by `Merging.finish`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gateway.store.legacy.claims import Taken, Zaak
from gateway.store.legacy.ties import Moment


@dataclass(slots=True)
class Touched:
    """What is to be made again. Whoever changes something adds to it through the methods.

    `identities` are rows of keys, whose parties and actors are made again; `parties` rows of documents that lost a
    claim, and `statements` rows that did; `zaken` and `moments` the zaken and contactmomenten (by source and uuid)
    whose klantcontacten are; `contacts` rows of klantcontact documents that changed; `subjects` rows of
    onderwerpobjecten that lost a legacy object; `alone` rows of what was made with a klantcontact that a client
    deleted, and lost its legacy object.
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

    def took_claims(self, taken: Taken) -> None:
        """Claims were taken back: their keys, their statements and what those were part of."""
        self.identities.update(taken.identities)
        self.parties.update(taken.documents.values())
        self.statements.update(taken.statements)

    def took_contacts(self, documents: Iterable[int]) -> None:
        """The klantcontacten of the Zaken API that made these documents (rows) changed or went."""
        self.contacts.update(documents)

    def took_subjects(self, documents: Iterable[int]) -> None:
        """These onderwerpobjecten (rows) lost a legacy object that they were made of."""
        self.subjects.update(documents)

    def left_alone(self, documents: Iterable[int]) -> None:
        """These documents (rows) were made with a klantcontact that a client deleted, and lost their legacy object."""
        self.alone.update(documents)
