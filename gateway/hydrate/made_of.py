"""What the documents in an answer are made of, as needs: the zaak of a contact, a key of a partij or actor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from gateway.hydrate.needs import Need, number_keys
from gateway.klantinteracties.model.freshness import ShownDocument
from gateway.store.base.session import Session
from gateway.store.legacy import identities, ties
from gateway.store.legacy import objects as rows
from gateway.store.legacy.provenance import document_of
from mappings.identity.identity import place

CONTACT_KINDS = ("klantcontact", "betrokkene", "onderwerpobject", "actorklantcontact", "internetaak")


def needs_of(connection: Session, shown: Sequence[ShownDocument], *, moments: bool) -> list[Need]:
    """What these documents are made of, each need once; `moments`: a source has a Contactmomenten API."""
    needs: dict[Need, None] = {}
    for item in shown:
        found = document_of(connection, item.uuid)
        if found is None:
            continue
        _, owner, owner_row = found
        if owner is None or owner_row is None:
            continue
        of_moment = moments and item.kind == "digitaleadres" and ties.is_moment(connection, owner)
        if item.kind in CONTACT_KINDS or of_moment:
            needs |= dict.fromkeys(_of_contact(connection, owner))
        else:
            needs |= dict.fromkeys(_of_party(connection, item.kind, owner_row))
    return list(needs)


def _of_contact(connection: Session, owner: bytes) -> Iterator[Need]:
    zaak = rows.zaak_of_contact(connection, owner)
    if zaak:
        yield Need("zaak", str(UUID(bytes=zaak[1])))
    elif ties.is_moment(connection, owner):
        yield Need("klantcontact", str(UUID(bytes=owner)))


def _of_party(connection: Session, kind: str, row: int) -> Iterator[Need]:
    keys = sorted(identities.keys_of_document(connection, row), key=place)
    if keys:
        whole = kind in ("partij", "actor-met-contacten")
        yield Need("partij" if whole else "identiteit", keys[0])
    elif kind == "partij":  # a client's: a source may know its numbers meanwhile
        for soort, number in identities.numbers_of_partij(connection, row):
            yield from (Need("partij", key) for key in number_keys(number, soort))
