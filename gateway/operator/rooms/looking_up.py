"""What an operator looks up: a uuid or URL of either side, a zaaknummer, or a number of a person or organisation."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from gateway.store.base.store import Store
from gateway.store.inspect import searching
from mappings.values.uuids import uuid_in


class Hit(NamedTuple):
    """Something that was found: its kind (blank: whatever has this uuid), its uuid, and by what it was found."""

    kind: str
    uuid: UUID
    by: str


def look_up(store: Store, text: str) -> list[Hit]:
    """What a text of an operator may mean. Nothing of it is logged. Raises TooLong in a very large store."""
    text = text.strip()
    if not text:
        return []
    uuid = uuid_in(text)
    if uuid is not None:
        return [Hit("", uuid, "uuid")]
    with store.read() as connection:
        found = [Hit(each.kind, each.uuid, each.by) for each in searching.by_number(connection, text)]
        return found or [
            Hit("zaak", zaak, "zaaknummer") for zaak in searching.zaken_by_number(connection, text)
        ]
