"""Which questions are about an object that could not be read, so that no answer says "there is nothing" (M3)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from uuid import UUID

from gateway.hydrate.needs import Need
from gateway.store.base.session import Session
from gateway.store.legacy import claims, identities, untranslated_keys
from mappings.identity.identity import Uuids, sealed

REASON = "quarantaine"


class Overlap(IntEnum):
    """How much a question has to do with what could not be read."""

    NOTHING = 0
    BESIDE = 1  # with what hangs on what was asked for: an answer may miss some of it
    ITSELF = 2  # what was asked for occurs in it


class Unread:
    """What could not be read of one source (its row and name), for one question.

    `rollen` says that the question is also about the others in a zaak: who represents whom.
    """

    def __init__(self, connection: Session, source: int, name: str, uuids: Uuids, *, rollen: bool) -> None:
        self.connection = connection
        self.source = source
        self.name = name
        self.uuids = uuids
        self.rollen = rollen

    def concerns(self, needs: Iterable[Need]) -> Overlap:
        """How much is one of these needs about it? Of several the most."""
        return max((self._concerns(need) for need in needs), default=Overlap.NOTHING)

    def _concerns(self, need: Need) -> Overlap:
        if need.what in ("zaak", "klantcontact", "document"):
            uuid = UUID(need.value).bytes
            if need.what == "zaak":
                found = untranslated_keys.of_zaak(self.connection, self.source, uuid)
            elif need.what == "klantcontact":
                found = untranslated_keys.of_contact(self.connection, self.source, uuid)
            else:  # not held: what could not be read may be what it was made of
                found = untranslated_keys.with_key(self.connection, self.source, [uuid])
            return Overlap.ITSELF if found else Overlap.NOTHING
        # A key of an actor is that of one source; the star stands for any.
        key = need.value.replace("|*|", f"|{self.name}|", 1)
        statements = claims.connected(self.connection, identities.identity_rows(self.connection, [key]))
        keys = {key, *identities.keys_of_statements(self.connection, statements)}
        hashes = [sealed(self.uuids, each) for each in sorted(keys)]
        if untranslated_keys.with_key(self.connection, self.source, hashes):
            return Overlap.ITSELF
        whole = need.what == "partij"
        if whole and untranslated_keys.of_party(self.connection, self.source, statements, rollen=self.rollen):
            return Overlap.BESIDE
        return Overlap.NOTHING
