"""What an operator looks up: a uuid or URL of either side, a zaaknummer, or a number of a person or organisation."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from gateway.ingest.ingest import Ingest
from gateway.operator.person import about
from gateway.store.base.store import Store
from gateway.store.inspect import searching
from mappings.values.uuids import uuid_in

# How many digits a number of each sort has.
DIGITS = {about.BSN: 9, about.KVK: 8}


class Hit(NamedTuple):
    """Something that was found: its kind (blank: whatever has this uuid), its uuid, and by what it was found.

    `persons` is under what the audit log knows whom it is about, where no document tells.
    """

    kind: str
    uuid: UUID
    by: str
    persons: frozenset[bytes] = frozenset()


def look_up(store: Store, ingest: Ingest, text: str) -> list[Hit]:
    """What a text of an operator may mean. Nothing of it is logged. Raises TooLong in a very large store.

    A number that no document has may stand in what a source gave and nobody is shown, as what is in quarantine.
    """
    text = text.strip()
    if not text:
        return []
    uuid = uuid_in(text)
    if uuid is not None:
        return [Hit("", uuid, "uuid")]
    with store.read() as connection:
        found = [Hit(each.kind, each.uuid, each.by) for each in searching.by_number(connection, text)]
        found = found or [
            Hit("zaak", zaak, "zaaknummer") for zaak in searching.zaken_by_number(connection, text)
        ]
    return found or _not_shown(store, ingest, text)


def _not_shown(store: Store, ingest: Ingest, number: str) -> list[Hit]:
    for soort, digits in DIGITS.items():
        if len(number) == digits and number.isascii() and number.isdigit():
            wanted = about.by_number(ingest.uuids, soort, number)
            held = [*about.all_of(store, ingest, wanted).raws.values()][: searching.MOST]
            return [Hit(each.kind, UUID(bytes=each.uuid), soort, wanted.uuids) for each in held]
    return []
