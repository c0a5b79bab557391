"""What a client's delete of an onderwerpobject takes along when it asks for that: `cascade` of the contract."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.store.base.session import Session
from gateway.store.documents import lookup as questions
from gateway.store.edits import editing
from gateway.store.edits.editing import EditableDocument


@dataclass(slots=True)
class Cascade:
    """The klantcontacten that go, the addresses given at them that go too, and the klantcontacten that stay (rows)."""

    contacts: list[int] = field(default_factory=list)
    addresses: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)


def cascade_of(connection: Session, subject: EditableDocument) -> Cascade:
    """What goes with an onderwerpobject.

    Kept are klantcontacten that another onderwerpobject refers to, and addresses that are a partij's as well.
    """
    found = Cascade()
    contacts = [*subject.links.get("klantcontact", []), *subject.links.get("wasKlantcontact", [])]
    for contact in dict.fromkeys(contacts):
        if _subjects(connection, contact) - {subject.id}:
            found.kept.append(contact)
        else:
            found.contacts.append(contact)
            found.addresses += _addresses_given_at(connection, contact)
    return found


def _subjects(connection: Session, contact: int) -> set[int]:
    """The onderwerpobjecten that refer to a klantcontact, as theirs or as what it was about."""
    relations = ("onderwerpobject.klantcontact", "onderwerpobject.wasKlantcontact")
    return {row for relation in relations for row in questions.referring(connection, relation, contact)}


def _addresses_given_at(connection: Session, contact: int) -> list[int]:
    found = []
    for betrokkene in questions.referring(connection, "betrokkene.hadKlantcontact", contact):
        for row in questions.referring(connection, "digitaleadres.verstrektDoorBetrokkene", betrokkene):
            if not editing.get(connection, row).links.get("verstrektDoorPartij"):
                found.append(row)
    return found
