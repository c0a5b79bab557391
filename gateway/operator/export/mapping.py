"""`klantbrug export mapping`: which of our uuids is which of the register, for whoever holds ours (E2)."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from gateway.klantinteracties.model.resources import BY_KIND
from gateway.store.base.store import Store
from gateway.store.export import documents, pairs
from gateway.store.export.pairs import STATES

HEADINGS = ("resource", "uuid_klantbrug", "uuid_register", "hoe")
ALIAS = "alias"


def rows(store: Store) -> Iterator[tuple[str, str, str, str]]:
    """Each pair, and then the other uuids by which a document of ours is known (M6)."""
    with store.read() as connection:
        for pair in pairs.each(connection):
            yield _row(pair.kind, pair.own, pair.theirs or b"", STATES[pair.state])
        for kind, other, own in documents.aliases(connection):
            known = pairs.of_own(connection, [own]).get(own)
            if known is not None and known.theirs is not None:
                yield _row(kind, other, known.theirs, ALIAS)


def _row(kind: str, own: bytes, theirs: bytes, how: str) -> tuple[str, str, str, str]:
    return BY_KIND[kind].path, str(UUID(bytes=own)), str(UUID(bytes=theirs)), how
