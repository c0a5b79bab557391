"""What a client's write leaves to be sent (W1): noted in the transaction of that write, without asking anybody.

What waits is that something changed; what it is by then is read when it is sent.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from uuid import UUID

from gateway.base.clock import now
from gateway.config.model import Config, Source
from gateway.fetch.coverage import CUTOVER
from gateway.store.documents import lookup
from gateway.store.edits import editing, written_back
from gateway.store.edits.editing import EditableDocument
from gateway.store.legacy import client_sources
from gateway.store.operation import writeback as queue
from gateway.writeback import reading
from mappings.model.findings import Finding
from mappings.writeback import told

# The fields by which documents hang on a klantcontact.
_ON_A_CONTACT = {
    "onderwerpobject": "klantcontact",
    "betrokkene": "hadKlantcontact",
    "actorklantcontact": "klantcontact",
}
# A client makes a contact first, and says which zaak it is about in its next request: so long that one waits.
WAIT_FOR_ZAAK = 30 * 1_000_000
CONTACT_KINDS = ("klantcontacten", "contactmomenten")


def contact_kind(source: Source) -> str:
    """As what contacts go back to a source: "contactmomenten", "klantcontacten", or "" for not at all."""
    return next((kind for kind in reversed(CONTACT_KINDS) if kind in source.write_back), "")


class Noting:
    """Notes what clients write for the sources that are told."""

    def __init__(self, config: Config) -> None:
        self._sources = [source for source in config.sources if source.write_back]
        self._codes = config.mapping.zaak_codes
        self._contacts_to = config.writeback.contacts_to

    def saved(self, connection: sqlite3.Connection, row: int, before: EditableDocument | None) -> None:
        """A client made or changed a document (row); `before` is how it was, None for a new one."""
        held = editing.get(connection, row)
        contacts = self._contacts(connection, held, before)
        if contacts:
            self._note_contacts(connection, contacts)
        elif held.kind in told.NEVER:
            self._tell(connection, held.uuid, told.stays(held.kind))

    def deleting(self, connection: sqlite3.Connection, rows: Iterable[int]) -> None:
        """A client is about to delete these documents (rows)."""
        for row in rows:
            held = editing.get(connection, row)
            if held.kind == "klantcontact":
                self._note_deleted(connection, held)
            elif contacts := self._contacts(connection, held, held):
                self._note_contacts(connection, contacts)

    def _contacts(
        self, connection: sqlite3.Connection, held: EditableDocument, before: EditableDocument | None
    ) -> list[int]:
        """The klantcontacten (rows) that a document belongs to or belonged to."""
        if held.kind == "klantcontact":
            return [held.id]
        field = _ON_A_CONTACT.get(held.kind)
        if field is None:
            return []
        earlier = before.links.get(field, []) if before else []
        return list(dict.fromkeys([*held.links.get(field, []), *earlier]))

    def _note_contacts(self, connection: sqlite3.Connection, rows: Sequence[int]) -> None:
        for row in rows:
            held = editing.get(connection, row)
            if not reading.is_clients(connection, held):
                rule = "W4"
                finding = told.not_back(rule, "klantcontact", "het kwam uit de bron zelf")
                self._tell(connection, held.uuid, finding, contacts=True)
                continue
            zaken = reading.zaken_of(connection, row, self._codes)
            moment = now() + (0 if zaken else WAIT_FOR_ZAAK)
            for source, number in self._told_of(connection, zaken, held.uuid):
                queue.put(connection, number, contact_kind(source), held.uuid.bytes, "", {}, moment)

    def _note_deleted(self, connection: sqlite3.Connection, held: EditableDocument) -> None:
        open_sources = self._open(connection)
        for source, number in open_sources:
            kind = contact_kind(source)
            if kind and written_back.of_document(connection, number, held.uuid.bytes):
                queue.put(connection, number, kind, held.uuid.bytes, "", {}, now())

    def _told_of(
        self, connection: sqlite3.Connection, zaken: Sequence[UUID], uuid: UUID
    ) -> list[tuple[Source, int]]:
        """The sources that are told of a contact: those of its zaken, else the one for contacts without; and those
        that were told before."""
        of_zaken: set[int] = set()
        for zaak in zaken:
            # Of a zaak that nobody asked for yet it is not known whose it is.
            held = client_sources.sources_with_zaak(connection, zaak.bytes)
            of_zaken.update(held or [number for _, number in self._open(connection)])
        return [
            (source, number)
            for source, number in self._open(connection)
            if contact_kind(source)
            and (
                number in of_zaken
                or (not zaken and source.name == self._contacts_to)
                or written_back.of_document(connection, number, uuid.bytes)
            )
        ]

    def _open(self, connection: sqlite3.Connection) -> list[tuple[Source, int]]:
        """The sources that may be told now, with their rows."""
        held = client_sources.phases(connection)
        return [
            (source, held[source.name][0])
            for source in self._sources
            if source.name in held and held[source.name][1] != CUTOVER
        ]

    def _tell(
        self, connection: sqlite3.Connection, document: UUID, finding: Finding, *, contacts: bool = False
    ) -> None:
        for source, number in self._open(connection):
            if not contacts or contact_kind(source):
                queue.tell(connection, number, document.bytes, [finding])


def noting_of(config: Config) -> Noting | None:
    """What notes clients' writes under a configuration; None when no source is told."""
    return Noting(config) if any(source.write_back for source in config.sources) else None


def referring_contacts(connection: sqlite3.Connection, partij: int) -> list[int]:
    """The klantcontacten (rows) in which a partij (row) was a betrokkene."""
    found: list[int] = []
    for row in lookup.referring(connection, "betrokkene.wasPartij", partij):
        found += editing.get(connection, row).links.get("hadKlantcontact", [])
    return found
