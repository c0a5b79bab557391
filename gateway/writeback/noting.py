"""What a client's write leaves to be sent (W1): noted in the transaction of that write, without asking anybody.

What waits is that something changed; what it is by then is read when it is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from gateway.base.clock import now
from gateway.config.model import Config, Source
from gateway.fetch.coverage import CUTOVER
from gateway.store.base.session import Session
from gateway.store.edits import editing, written_back
from gateway.store.edits.editing import EditableDocument
from gateway.store.legacy import client_sources
from gateway.store.operation import writeback as queue
from gateway.writeback import reading
from mappings.identity.identity import Uuids
from mappings.writeback import told
from mappings.writeback.klanten import FIELDS, holds
from mappings.writeback.recognising import value_digest

# The fields by which documents hang on a klantcontact.
_ON_A_CONTACT = {
    "onderwerpobject": "klantcontact",
    "betrokkene": "hadKlantcontact",
    "actorklantcontact": "klantcontact",
}
# What a betrokkene says of itself, beside the partij that it was.
_OWN_DATA = ("contactnaam", "organisatienaam", "bezoekadres", "correspondentieadres")
# A client makes a contact first, and says which zaak it is about in its next request: so long that one waits.
WAIT_FOR_ZAAK = WAIT_FOR_PARTIJ = 30 * 1_000_000
BY, SOORT = "verstrektDoorPartij", "soortDigitaalAdres"
_OF_THE_SOURCE: Final = told.not_back("W4", "klantcontact", "het kwam uit de bron zelf")
CONTACT_KINDS = ("klantcontacten", "contactmomenten")


# A source that may be told now, with its row.
OpenSource = tuple[Source, int]


def contact_kind(source: Source) -> str:
    """As what contacts go back to a source: "contactmomenten", "klantcontacten", or "" for not at all."""
    return next((kind for kind in reversed(CONTACT_KINDS) if kind in source.write_back), "")


def _has_own_data(held: EditableDocument) -> bool:
    """Does a document say who or where a betrokkene of a contact is? No old system has a place for that (W8)."""
    if held.kind == "digitaleadres":
        return not held.links.get(BY)
    if held.kind != "betrokkene":
        return False
    values = [held.body.get(name) for name in _OWN_DATA]
    return any(any(value.values()) if isinstance(value, dict) else value for value in values)


class Noting:
    """Notes what clients write for the sources that are told."""

    def __init__(self, config: Config, uuids: Uuids) -> None:
        self._uuids = uuids
        self._sources = [source for source in config.sources if source.write_back]
        self._codes = config.mapping.zaak_codes
        self._contacts_to = config.writeback.contacts_to

    def saved(self, connection: Session, kind: str, row: int, before: EditableDocument | None) -> None:
        """A client made or changed a document (row); `before` is how it was, None for a new one."""
        if kind == "klantcontact" and before is None and not self._contacts_to:
            return  # it is about nothing yet
        sources = self._open(connection)
        if not sources:
            return
        held = editing.get(connection, row)
        contacts = self._contacts(held, before)
        if _has_own_data(held):
            for _, number in sources:
                queue.tell(connection, number, held.uuid.bytes, [told.stays(kind)])
        if contacts:
            self._note_contacts(connection, sources, contacts, held if before is None else None)
        elif kind == "digitaleadres":
            self._note_address(connection, sources, held, before)
        elif kind == "partij" and before is None and held.body["soortPartij"] != "contactpersoon":
            self._note_partij(connection, sources, held)
        elif kind in told.NEVER:
            for _, number in sources:
                queue.tell(connection, number, held.uuid.bytes, [told.stays(kind)])

    def deleting(self, connection: Session, rows: Collection[int]) -> None:
        """A client is about to delete these documents (rows): what it named and what goes along with that."""
        sources = self._open(connection)
        going = {row: editing.get(connection, row) for row in sorted(rows)} if sources else {}
        contacts: dict[int, None] = {}
        for held in going.values():
            if held.kind == "klantcontact":
                self._note_deleted(connection, sources, held)
            elif held.kind == "digitaleadres" and not going.keys() & {*held.links.get(BY, [])}:
                self._note_address(connection, sources, held, held, deleted=True)
            elif held.kind in _ON_A_CONTACT:
                contacts.update(dict.fromkeys(self._contacts(held, held)))
            elif held.kind == "digitaleadres" or held.kind in told.NEVER:
                # A partij that is deleted here is not deleted there, nor are its addresses emptied there.
                behind = client_sources.sources_behind(connection, held.id)
                for number in sorted({number for _, number in sources} & {*behind}):
                    queue.tell(connection, number, held.uuid.bytes, [told.stays(held.kind)])
        self._note_contacts(connection, sources, [row for row in contacts if row not in going], None)

    def _contacts(self, held: EditableDocument, before: EditableDocument | None) -> list[int]:
        """The klantcontacten (rows) that a document belongs to or belonged to."""
        if held.kind == "klantcontact":
            return [held.id]
        field = _ON_A_CONTACT.get(held.kind)
        if field is None:
            return []
        earlier = before.links.get(field, []) if before else []
        return list(dict.fromkeys([*held.links.get(field, []), *earlier]))

    def _note_contacts(
        self,
        connection: Session,
        sources: Sequence[OpenSource],
        rows: Sequence[int],
        new: EditableDocument | None,
    ) -> None:
        """What clients wrote of contacts (rows); `new` is the document that was just made, if one was."""
        sources = [each for each in sources if contact_kind(each[0])]
        for row in rows if sources else ():
            held = new if new is not None and new.id == row else editing.get(connection, row)
            if not reading.is_clients(connection, held):
                for _, number in sources:
                    queue.tell(connection, number, held.uuid.bytes, [_OF_THE_SOURCE])
                continue
            if new is not None and (zaak := reading.zaak_of(new.body, self._codes)):
                zaken = [zaak]  # of its other zaken it was noted before
            else:
                zaken = reading.zaken_of(connection, row, self._codes)
            moment = now() + (0 if zaken else WAIT_FOR_ZAAK)
            for source, number in self._told_of(connection, sources, zaken, held.uuid):
                queue.put(connection, number, contact_kind(source), held.uuid.bytes, "", {}, moment)

    def _note_deleted(
        self, connection: Session, sources: Sequence[OpenSource], held: EditableDocument
    ) -> None:
        for source, number in sources:
            kind = contact_kind(source)
            if kind and not reading.is_clients(connection, held):
                if number in client_sources.sources_behind(connection, held.id):
                    queue.tell(connection, number, held.uuid.bytes, [_OF_THE_SOURCE])
                continue
            # What waits without a note may be about to go: then what it made goes again.
            if kind and (
                written_back.of_document(connection, number, held.uuid.bytes)
                or queue.of_document(connection, held.uuid.bytes)
            ):
                queue.put(connection, number, kind, held.uuid.bytes, "", {}, now())

    def _note_address(
        self,
        connection: Session,
        sources: Sequence[OpenSource],
        held: EditableDocument,
        before: EditableDocument | None,
        *,
        deleted: bool = False,
    ) -> None:
        """An address of a partij came, changed or goes: for its klanten, and for the rollen that gave it."""
        was = before or held
        partijen = dict.fromkeys([*held.links.get(BY, []), *was.links.get(BY, [])])
        for source, number in sources:
            for soort in {held.body[SOORT], was.body[SOORT]} & FIELDS.keys():
                for partij in partijen if "contactgegevens" in source.write_back else ():
                    stays = not deleted and partij in held.links.get(BY, []) and held.body[SOORT] == soort
                    gone = "" if stays else was.body["adres"]
                    self._note_klanten(connection, number, partij, soort, gone)
            changed = deleted or any(was.body[name] != held.body[name] for name in ("adres", SOORT))
            changed = changed or was.links.get(BY) != held.links.get(BY)
            own = was.links.get(BY)
            if "rollen" in source.write_back and changed and own and was.body[SOORT] in FIELDS:
                self._note_rollen(connection, number, was, own[0])

    def _note_klanten(
        self,
        connection: Session,
        number: int,
        partij: int,
        soort: str,
        deleted: str,
    ) -> None:
        """`deleted` is the address that goes: it goes only from a klant that holds it, or may do so once it was told
        what waits."""
        (uuid,) = editing.uuids(connection, [partij]).values()
        for klant in client_sources.klanten_of_partij(connection, number, partij):
            raw = client_sources.held_object(connection, number, "klant", klant) or {}
            value = str(raw.get(FIELDS[soort]) or "")
            part = f"{UUID(bytes=klant)} {soort}"
            waits = any(each.part == part for each in queue.of_document(connection, uuid.bytes))
            gone = bool(deleted) and (waits or holds(soort, value, deleted))
            message = {"base": value_digest(self._uuids, soort, value).hex(), "deleted": gone}
            queue.put(connection, number, "contactgegevens", uuid.bytes, part, message, now())

    def _note_rollen(self, connection: Session, number: int, was: EditableDocument, partij: int) -> None:
        rollen = client_sources.rollen_behind(connection, number, was.id)
        if not rollen:
            return
        (uuid,) = editing.uuids(connection, [partij]).values()
        message = {
            "soort": was.body[SOORT],
            "base": value_digest(self._uuids, was.body[SOORT], was.body["adres"]).hex(),
            "partij": uuid.bytes.hex(),
            "rollen": [str(UUID(bytes=rol)) for rol, _ in rollen],
        }
        queue.put(connection, number, "rollen", was.uuid.bytes, "", message, now())

    def _note_partij(
        self, connection: Session, sources: Sequence[OpenSource], held: EditableDocument
    ) -> None:
        """A client made a partij: a klant where those are wanted, else it stays here."""
        for source, number in sources:
            if "klanten" in source.write_back:
                moment = now() + WAIT_FOR_PARTIJ  # its addresses may come in requests of their own
                queue.put(connection, number, "klanten", held.uuid.bytes, "", {}, moment)
            else:
                queue.tell(connection, number, held.uuid.bytes, [told.stays(held.kind)])

    def _told_of(
        self,
        connection: Session,
        sources: Sequence[OpenSource],
        zaken: Sequence[UUID],
        uuid: UUID,
    ) -> list[OpenSource]:
        """The sources that are told of a contact: those of its zaken, else the one for contacts without; and those
        that were told before."""
        of_zaken: set[int] = set()
        for zaak in zaken:
            # Of a zaak that nobody asked for yet it is not known whose it is.
            held = client_sources.sources_with_zaak(connection, zaak.bytes)
            of_zaken.update(held or [number for _, number in sources])
        return [
            (source, number)
            for source, number in sources
            if number in of_zaken
            or (not zaken and source.name == self._contacts_to)
            or written_back.of_document(connection, number, uuid.bytes)
        ]

    def _open(self, connection: Session) -> list[OpenSource]:
        """The sources that may be told now, with their rows."""
        held = client_sources.phases(connection)
        return [
            (source, held[source.name][0])
            for source in self._sources
            if source.name in held and held[source.name][1] != CUTOVER
        ]


def noting_of(config: Config) -> Noting | None:
    """What notes clients' writes under a configuration; None when no source is told."""
    uuids = Uuids(config.store.uuid_secret)
    return Noting(config, uuids) if any(source.write_back for source in config.sources) else None
