"""Erases all that is held of one person (AVG art. 17), in one transaction; and tells where it still stands.

What comes from a source is erased here as if it had been destroyed there. For as long as the source has it, it comes
back when that is read: Klantbrug is a copy, and shows what the source shows (decision 0038).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from uuid import UUID, uuid4

from gateway.config.model import Config
from gateway.ingest.ingest import Ingest
from gateway.operator.person import about, at_sources
from gateway.operator.person.at_sources import StandsAt
from gateway.store.base.errors import StoreError
from gateway.store.base.kinds import KINDS
from gateway.store.base.session import Session
from gateway.store.base.store import Store
from gateway.store.indexes import text_search
from gateway.store.legacy import erased
from gateway.store.legacy.erased import kinds_and_uuids
from gateway.store.legacy.identities import keys_of_statements
from gateway.store.operation import events
from gateway.store.person import belonging, erasing, held
from gateway.store.person.belonging import Belonging, Wanted
from mappings.identity.identity import Uuids
from mappings.identity.sealed import sealed_text

WHAT = "persoon gewist"


class NotErased(StoreError):
    """Nothing was erased; the text says why."""


@dataclass(slots=True)
class Erasure:
    """What is erased, or would be: documents and legacy objects by kind, how much clients wrote over them, where it
    stands elsewhere, and the klantcontacten and zaken of others that stay."""

    documents: Counter[str]
    objects: Counter[str]
    elsewhere: list[StandsAt]
    shared_contacts: list[UUID]
    shared_zaken: list[StandsAt]
    edits: int = 0
    waiting: int = 0
    scrubbed: int = 0
    files_clean: bool = False


class Eraser:
    """Erases persons from one store."""

    def __init__(self, config: Config, store: Store, ingest: Ingest) -> None:
        self._config = config
        self._store = store
        self._ingest = ingest
        self._uuids = Uuids(config.store.uuid_secret)

    def find(self, wanted: Wanted) -> Belonging:
        """All that belongs to a person."""
        return about.all_of(self._store, self._ingest, wanted)

    def plan(self, found: Belonging) -> Erasure:
        """What would be erased; nothing is. Raises NotErased when it could not be."""
        with self._store.read() as connection:
            return self._told(connection, found)

    def erase(self, wanted: Wanted, found: Belonging, who: str, why: str) -> Erasure:
        """Erase, with an event of it that names nobody.

        In: as `find` found it; it is looked up again in the transaction. Raises NotErased, StoreFailed: nothing was.
        """
        with self._store.write() as connection:
            found = belonging.find(connection, wanted, found.raws)
            told = self._told(connection, found)
            self._erase(connection, wanted, found, told)
            if erasing.left_of(connection, _but_zaken(found), found.statements):
                raise NotErased("Niet alles is te wissen: zie klantbrug check --deep. Er is niets gewist.")
            events.note(connection, None, WHAT, who, why)
        told.files_clean = self._clean()
        return told

    def names(self, wanted: Wanted, found: Belonging) -> set[str]:
        """The numbers and uuids by which a person is known, as texts."""
        with self._store.read() as connection:
            return _names(connection, wanted, found)

    def _told(self, connection: Session, found: Belonging) -> Erasure:
        if found.under:
            parts = ", ".join(str(UUID(bytes=uuid)) for _, uuid in kinds_and_uuids(connection, found.under))
            raise NotErased(
                "Onder een nummer van deze organisatie hangen identificatoren van andere partijen; wis of wijzig die "
                f"eerst: {parts}. Er is niets gewist."
            )
        sent = held.sent_away(connection, belonging.uuids_of(connection, found.documents) | found.uuids)
        sources = self._config.sources
        return Erasure(
            Counter(KINDS[kind - 1] for kind, _ in kinds_and_uuids(connection, found.documents)),
            Counter(name.kind for name in found.raws.values()),
            [
                *at_sources.of_raws(connection, sources, found, found.raws.values()),
                *at_sources.of_sent(self._config, sent),
            ],
            sorted(UUID(bytes=uuid) for _, uuid in kinds_and_uuids(connection, found.shared)),
            at_sources.of_raws(connection, sources, found, found.shared_zaken.values()),
            waiting=sum(each.table in (held.OUTBOX, held.QUEUED) for each in sent),
        )

    def _erase(self, connection: Session, wanted: Wanted, found: Belonging, told: Erasure) -> None:
        names = _names(connection, wanted, found)
        keys = keys_of_statements(connection, found.statements)
        own = belonging.uuids_of(connection, found.documents)
        uuids = own | found.uuids | {name.uuid for name in found.raws.values() if name.kind != "zaak"}
        sent = held.sent_away(connection, own | found.uuids)
        came = erased.of_the_legacy(connection, found.documents)
        root = uuid4()
        erasing.delete_documents(connection, found.documents, root)
        told.edits = erasing.forget_edits(connection, uuids)
        self._remove(found)
        erasing.lift(connection, root)
        erased.note_documents(connection, came)
        erasing.forget_queues(connection, sent, follows=erasing.follows_here(connection))
        erasing.forget_findings(connection, uuids)
        erasing.forget_questions(connection, {sealed_text(self._uuids, key) for key in (*wanted.keys, *keys)})
        told.scrubbed = erasing.scrub_texts(connection, names)
        erasing.mark_erased_here(connection, uuids | {name.uuid for name in found.raws.values()})

    def _remove(self, found: Belonging) -> None:
        """Remove the legacy objects, in the transaction that began; zaken last, for what hangs on them is named too."""
        by_kind: dict[tuple[bool, str, str], list[UUID]] = defaultdict(list)
        for name in found.raws.values():
            by_kind[name.kind == "zaak", name.source_name, name.kind].append(UUID(bytes=name.uuid))
        for (_, source, kind), uuids in sorted(by_kind.items()):
            self._ingest.remove(source, kind, sorted(uuids))

    def _clean(self) -> bool:
        """Remove what was erased from where it still stands: the indexes of texts, and the log of the database."""
        with self._store.read() as connection:
            indexes = text_search.with_erased(connection)
        for name, times in indexes:
            first = more = True
            while more:
                with self._store.write() as connection:
                    more = text_search.merge(connection, name, times, first=first)
                first = False
        return self._store.empty_log()


def _names(connection: Session, wanted: Wanted, found: Belonging) -> set[str]:
    uuids = belonging.uuids_of(connection, found.documents) | found.uuids
    uuids |= {name.uuid for name in found.raws.values() if name.kind != "zaak"}
    numbers = {key.rpartition(":")[2] for key in keys_of_statements(connection, found.statements)}
    names = {str(UUID(bytes=uuid)) for uuid in uuids} | numbers | {wanted.number}
    return {name for name in names if len(name) > len("1234")}


def _but_zaken(found: Belonging) -> list[int]:
    return [row for row, name in found.raws.items() if name.kind != "zaak"]
