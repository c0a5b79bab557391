"""What clients wrote, read from the store as write-back needs it. Inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gateway.store.base.kinds import LOCAL_ORIGIN
from gateway.store.base.session import Session
from gateway.store.documents import lookup, reading
from gateway.store.edits import editing, written_back
from gateway.store.edits.editing import EditableDocument
from gateway.store.legacy.client_sources import klanten_of_partij
from gateway.store.legacy.objects import raw_rows
from mappings.model.settings import ZaakCodes
from mappings.values.uuids import uuid_in

SUBJECT, PERSON, ACTOR = (
    "onderwerpobject.klantcontact",
    "betrokkene.hadKlantcontact",
    "actorklantcontact.klantcontact",
)


@dataclass(slots=True)
class ClientContact:
    """A klantcontact that a client made, with what hangs on it.

    `zaken` that its onderwerpobjecten name, `klanten` of the source with the rol of the betrokkene, `vorige` the
    klantcontacten that it was about (uuids).
    """

    uuid: UUID
    body: dict[str, Any]
    moment: int
    zaken: list[UUID] = field(default_factory=list)
    klanten: dict[UUID, str] = field(default_factory=dict)
    vorige: list[UUID] = field(default_factory=list)
    initiator: bool | None = None
    actor: dict[str, Any] | None = None


def is_clients(connection: Session, held: EditableDocument) -> bool:
    """Did a client make this document, so that the source can't have it but by write-back?"""
    return held.origin == LOCAL_ORIGIN and not editing.is_kept(connection, held.uuid)


def contact(
    connection: Session, source: int, uuid: bytes, codes: Sequence[ZaakCodes]
) -> ClientContact | None:
    """A klantcontact of a client, None when it is not there any more."""
    found = reading.find(connection, "klantcontact", uuid)
    if found is None:
        return None
    held = editing.get(connection, found[0])
    made = ClientContact(held.uuid, held.body, held.moment)
    for row in lookup.referring(connection, SUBJECT, held.id):
        subject = editing.get(connection, row)
        if (zaak := zaak_of(subject.body, codes)) and zaak not in made.zaken:
            made.zaken.append(zaak)
        made.vorige += editing.uuids(connection, subject.links.get("wasKlantcontact", [])).values()
    for row in lookup.referring(connection, PERSON, held.id):
        person = editing.get(connection, row)
        made.initiator = bool(made.initiator) or bool(person.body["initiator"])
        for partij in person.links.get("wasPartij", []):
            if klanten := klanten_of_partij(connection, source, partij):
                rol = "belanghebbende" if person.body["rol"] == "klant" else "gesprekspartner"
                made.klanten.setdefault(UUID(bytes=klanten[0]), rol)
    for row in lookup.referring(connection, ACTOR, held.id):
        for actor in editing.get(connection, row).links.get("actor", []):
            body = editing.get(connection, actor).body
            if made.actor is None or (made.actor["soortActor"] != "medewerker" == body["soortActor"]):
                made.actor = body
    return made


@dataclass(frozen=True, slots=True)
class ClientPartij:
    """A partij as it is now: the codes of its identificatoren, its standard address of each soort, and what klanten of
    the source it is (uuids)."""

    uuid: UUID
    body: dict[str, Any]
    identificatoren: list[dict[str, str]]
    details: dict[str, str]
    klanten: list[bytes]


def partij(connection: Session, source: int, uuid: bytes) -> ClientPartij | None:
    """A partij, None when it is not there any more."""
    found = reading.find(connection, "partij", uuid)
    if found is None:
        return None
    held = editing.get(connection, found[0])
    rows = lookup.referring(connection, "partij-identificator.identificeerdePartij", held.id)
    details = {
        adres.body["soortDigitaalAdres"]: adres.body["adres"]
        for adres in addresses(connection, uuid)
        if adres.body["isStandaardAdres"]
    }
    return ClientPartij(
        held.uuid,
        held.body,
        [editing.get(connection, row).body["partijIdentificator"] for row in rows],
        details,
        klanten_of_partij(connection, source, held.id),
    )


def addresses(connection: Session, partij: bytes) -> list[EditableDocument]:
    """The addresses of a partij (uuid)."""
    found = reading.find(connection, "partij", partij)
    rows = lookup.referring(connection, "digitaleadres.verstrektDoorPartij", found[0]) if found else []
    return [editing.get(connection, row) for row in rows]


def address(connection: Session, uuid: bytes) -> EditableDocument | None:
    """An address, None when it is not there any more."""
    found = reading.find(connection, "digitaleadres", uuid)
    return editing.get(connection, found[0]) if found else None


def is_address_of(connection: Session, adres: EditableDocument, partij: UUID) -> bool:
    """Is an address this partij's?"""
    return partij in editing.uuids(connection, adres.links.get("verstrektDoorPartij", [])).values()


def standard_address(connection: Session, partij: bytes, soort: str) -> EditableDocument | None:
    """The standard address of a soort of a partij (uuid), when a client wrote it."""
    for adres in addresses(connection, partij):
        if adres.body["isStandaardAdres"] and adres.body["soortDigitaalAdres"] == soort:
            written = editing.written(connection, adres.uuid.bytes)
            if is_clients(connection, adres) or {"adres", "isStandaardAdres"} & written.keys():
                return adres
    return None


def contacts_of_partij(connection: Session, uuid: bytes) -> list[bytes]:
    """The klantcontacten (uuids) of clients in which a partij (uuid) was a betrokkene."""
    found = reading.find(connection, "partij", uuid)
    contacts: list[int] = []
    for row in lookup.referring(connection, "betrokkene.wasPartij", found[0]) if found else ():
        contacts += editing.get(connection, row).links.get("hadKlantcontact", [])
    held = [editing.get(connection, row) for row in dict.fromkeys(contacts)]
    return [each.uuid.bytes for each in held if is_clients(connection, each)]


def zaak_of(subject: dict[str, Any], codes: Sequence[ZaakCodes]) -> UUID | None:
    """The zaak that the body of an onderwerpobject names by one of these codes (M29)."""
    named = subject.get("onderwerpobjectidentificator") or {}
    triple = tuple(named.get(name, "") for name in ("codeObjecttype", "codeRegister", "codeSoortObjectId"))
    return uuid_in(named.get("objectId")) if triple in {tuple(each) for each in codes} else None


def zaken_of(connection: Session, row: int, codes: Sequence[ZaakCodes]) -> list[UUID]:
    """The zaken that the onderwerpobjecten of a klantcontact (row) name."""
    bodies = [editing.get(connection, each).body for each in lookup.referring(connection, SUBJECT, row)]
    return [zaak for body in bodies if (zaak := zaak_of(body, codes))]


def moment_at_source(connection: Session, source: int, contact: UUID) -> bytes | None:
    """The contactmoment at a source that a klantcontact is: one that it gave, or that write-back made there."""
    if contact.bytes in raw_rows(connection, source, "contactmoment", [contact.bytes]):
        return contact.bytes
    notes = written_back.of_document(connection, source, contact.bytes)
    return next((note.uuid for note in notes if note.kind == "contactmoment"), None)
