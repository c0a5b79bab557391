"""A zaak, klant or contactmoment with all that hangs on it, in whichever API of the source that is (M32, M40, M41).

A contactmoment comes with all that it is tied to, and the ties come first: they tell whether it may be shown (M34).
Where the source has no such API nothing is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import orjson

from gateway.base.clock import now
from gateway.legacy.errors import Forbidden, LegacyError, NotFound
from gateway.store.base.kinds import RAW_KINDS, TRANSLATED
from gateway.store.legacy import identities, ties, visibility
from gateway.store.legacy import objects as rows
from gateway.store.operation import following, inbox
from gateway.store.operation.sources import fetched_at
from mappings.standards import CONNECTION, KINDS, asked_by
from mappings.standards.declaration import ZAKEN

if TYPE_CHECKING:
    from gateway.fetch.fetcher import Fetcher
    from gateway.fetch.visit import Visit

# What hangs on a zaak in the Zaken API, and what ties contactmomenten to it in the other.
OF_ZAAK = [kind.name for kind in asked_by("zaak") if not kind.ties]
TIES_OF_ZAAK = [kind.name for kind in asked_by("zaak") if kind.ties and kind.api != ZAKEN]
# What ties a contactmoment, or a klant, and can be asked for by it.
TIES_OF_MOMENT = tuple(kind.name for kind in asked_by("contactmoment"))
TIES_OF_KLANT = [kind.name for kind in asked_by("klant")]


def no_list(error: LegacyError) -> bool:
    """Does the source say that it has no such list, or none for us? Not every supplier built all of the standard."""
    if isinstance(error, Forbidden):
        return error.code == "permission_denied"
    return isinstance(error, NotFound) or error.status in (404, 405, 501)


class Contents:
    """The part of a Fetcher that reads an object with what hangs on it."""

    def __init__(self, fetcher: Fetcher) -> None:
        self.fetcher = fetcher
        self.store = fetcher.store
        self.source = fetcher.source

    # A zaak

    def zaak(self, visit: Visit, uuid: UUID, thorough: bool = False) -> None:
        """A zaak with its rollen and klantcontacten, who the betrokkenen of those are, and its contactmomenten.

        Unless `thorough`, rollen that came with the zaak are not asked for again. Nor are zaakcontactmomenten, when the
        source had none at all the last time that it was read whole.
        """
        began = now()
        with self.store.read() as connection:
            rollen_at = fetched_at(connection, self.source, f"rollen {uuid}")
        held_rollen = not thorough and visit.began <= rollen_at <= began
        if held_rollen:
            began = rollen_at
        elif not self.fetcher.fetch(visit, "zaak", uuid):
            return
        with self.store.read() as connection:
            row = rows.raw_rows(connection, self.source, "zaak", [uuid.bytes]).get(uuid.bytes)
        if row is None or row.state != TRANSLATED:
            return  # left out (M34): its rollen and contacts are not even asked for
        client = self.fetcher.client
        kinds = [kind for kind in OF_ZAAK if client.has_api(KINDS[kind].api)]
        for kind in kinds:
            if held_rollen and kind == "rol":
                continue
            filters, asked = {"zaak": client.url_of("zaak", str(uuid))}, now()
            objects = client.all(kind, filters, deadline=visit.give_up)
            self.fetcher.take(visit, kind, objects, asked)
        for kind in kinds:
            with self.store.read() as connection:
                unseen = visibility.unseen_of_zaak(connection, self.source, uuid.bytes, kind, began)
            self.fetcher.recheck_unlisted(visit, kind, unseen)
        self._betrokkenen(visit, uuid)
        self._contacts_about(visit, uuid, thorough)

    def _betrokkenen(self, visit: Visit, zaak: UUID) -> None:
        """Who the betrokkenen and actoren of the contacts are, where the rol alone does not tell."""
        with self.store.read() as connection:
            contacts = rows.raw_of_zaak(connection, self.source, zaak.bytes, "klantcontact")
            rollen = identities.keys_of_zaak(connection, self.source, zaak.bytes) if contacts else []
        part = {*self.fetcher.ingest.settings.klantcontact_betrokkenen, "klantcontacter"}
        for facts, keys in rollen:
            if orjson.loads(facts or "{}").get("generiek") in part:
                self.fetcher.keys.identify(visit, keys)

    def _contacts_about(self, visit: Visit, uuid: UUID, thorough: bool) -> None:
        """What says that contacts are about a zaak, in either API, and the contactmomenten of the source itself."""
        if thorough or self._has_connections():
            try:
                self._ties(visit, "zaak", uuid, [CONNECTION])
            except LegacyError as error:
                if not no_list(error):
                    raise
        if not self.has_moments:
            return
        self._ties(visit, "zaak", uuid, TIES_OF_ZAAK)
        with self.store.read() as connection:
            moments = ties.moments_of(connection, self.source, "zaak", [uuid.bytes])
        for _, contact in sorted(moments):
            self.moment(visit, UUID(bytes=contact))

    def _has_connections(self) -> bool:
        """May the source have zaakcontactmomenten, by what is known of it?"""
        if not self.fetcher.state()[1]:
            return True
        with self.store.read() as connection:
            return following.is_held(connection, self.source, CONNECTION)

    # A klantcontact or contactmoment

    def klantcontact(self, visit: Visit, uuid: UUID) -> None:
        """A klantcontact, or the contactmoment of that uuid with all that it is tied to."""
        with self.store.read() as connection:
            is_moment = ties.is_moment(connection, uuid.bytes)
        if is_moment or not self.fetcher.fetch(visit, "klantcontact", uuid):
            self.moment(visit, uuid)

    @property
    def has_moments(self) -> bool:
        """Has the source a Contactmomenten API?"""
        return self.fetcher.has_api("contactmomenten")

    def moment(self, visit: Visit, uuid: UUID) -> None:
        """A contactmoment with its ties, its klanten, and the contactmomenten before it."""
        if not self.has_moments:
            return
        met: set[UUID] = set()
        current: UUID | None = uuid
        while current is not None and current not in met:
            met.add(current)
            asking = current
            self.fetcher.fetch_once(visit, f"contactmoment {asking}", partial(self._moment, visit, asking))
            with self.store.read() as connection:
                vorig = ties.vorige_of_moment(connection, self.source, asking.bytes)
            current = UUID(bytes=vorig) if vorig else None

    def reread_moment(self, visit: Visit, uuid: UUID) -> None:
        """A contactmoment with its ties and klanten as they are now, however fresh what is held: for jobs."""
        self._moment(visit, uuid)
        self.requeue_done("contactmoment", uuid)

    def reread_ties(self, visit: Visit, uuid: UUID, kinds: Sequence[str] = TIES_OF_MOMENT) -> None:
        """The ties of a contactmoment as they are now, for jobs: before it is taken, for they tell who may see it."""
        self._ties(visit, "contactmoment", uuid, kinds)

    def klanten(self, visit: Visit, uuid: UUID) -> None:
        """The klanten of a contactmoment that are not held, and who they are beside that."""
        if not self.fetcher.has_api("klanten"):
            return
        with self.store.read() as connection:
            klanten = ties.klanten_of_moment(connection, self.source, uuid.bytes)
            held = rows.raw_rows(connection, self.source, "klant", klanten)
        for klant in klanten:
            if klant not in held:
                self.fetcher.fetch(visit, "klant", UUID(bytes=klant))
            with self.store.read() as connection:
                keys = ties.keys_of_klant(connection, self.source, klant)
            if keys:
                self.fetcher.keys.identify(visit, keys)

    def requeue_done(self, kind: str, uuid: UUID) -> None:
        """A zaak or contactmoment was read with all of it: it is owed no more (see `gateway.store.operation.inbox`)."""
        with self.store.write(synced=False) as connection:
            inbox.requeue_done(connection, self.source, kind, uuid.bytes)

    def _moment(self, visit: Visit, uuid: UUID) -> None:
        self.reread_ties(visit, uuid)
        if self.fetcher.fetch(visit, "contactmoment", uuid):
            self.klanten(visit, uuid)

    # A klant

    def klant(self, visit: Visit, uuid: UUID) -> None:
        """Which contactmomenten a klant has."""
        self.fetcher.fetch_once(
            visit, f"klant {uuid}", lambda: self._ties(visit, "klant", uuid, TIES_OF_KLANT)
        )

    def _ties(self, visit: Visit, of: str, uuid: UUID, kinds: Sequence[str]) -> None:
        """Ask for the ties of a zaak, klant or contactmoment; what did not come with the answer is asked by uuid."""
        client, begin = self.fetcher.client, now()
        # A klant may be of a Klanten API that is no part of the source.
        own = of != "klant" or self.fetcher.has_api("klanten")
        value = client.url_of(of, str(uuid)) if own else str(uuid)
        for kind in kinds:
            parameter = KINDS[kind].asked_by[of]
            if client.can(kind, parameter, deadline=visit.give_up):
                asked = now()
                found = client.all(kind, {parameter: value}, deadline=visit.give_up)
                self.fetcher.take(visit, kind, found, asked)
        with self.store.read() as connection:
            unseen = ties.unseen_ties(connection, self.source, of, uuid.bytes, begin)
        for number, tie in unseen:
            if RAW_KINDS[number - 1] in kinds:
                self.fetcher.fetch(visit, RAW_KINDS[number - 1], UUID(bytes=tie))
