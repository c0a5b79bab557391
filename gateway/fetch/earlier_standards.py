"""Fetches from the Klanten API and the Contactmomenten API of a source what one answer needs (M32, M40, M41).

A contactmoment comes with all that it is tied to, and the ties come first: they tell whether it may be shown (M34).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from gateway.base.clock import now
from gateway.legacy.errors import Forbidden, LegacyError, NotFound
from gateway.store.base.kinds import RAW_KINDS
from gateway.store.legacy import objects as rows
from gateway.store.legacy import ties
from gateway.store.operation import following
from mappings.identity.urls import wijst_naar

if TYPE_CHECKING:
    from gateway.fetch.fetcher import Fetcher
    from gateway.fetch.visit import Visit

PERSON = "subjectNatuurlijkPersoon__"
COMPANY = "subjectNietNatuurlijkPersoon__"
BRANCH = "subjectVestigingVestigingsNummer"
# A list of the Zaken API, so a source may have it without a Contactmomenten API (M32).
CONNECTION = "zaakcontactmoment"
# What ties a contactmoment and can be asked for by it.
TIES = ("objectcontactmoment", "klantcontactmoment", CONNECTION)
# The lists with pages, in this order: the ties of a contactmoment tell whether it may be shown.
LISTS = ("klant", "objectcontactmoment", "contactmoment")


def no_list(error: LegacyError) -> bool:
    """Does the source say that it has no such list, or none for us? Not every supplier built all of the standard."""
    if isinstance(error, Forbidden):
        return error.code == "permission_denied"
    return isinstance(error, NotFound) or error.status in (404, 405, 501)


class Earlier:
    """The earlier standards' part of a Fetcher; where the source has no such API it asks nothing."""

    def __init__(self, fetcher: Fetcher, klanten_url: str) -> None:
        self.fetcher = fetcher
        self.store = fetcher.store
        self.klanten_url = klanten_url

    def key(self, visit: Visit, key: str) -> None:
        """The klanten with an identity key: what is left of `Fetcher.identity` beside the rollen."""
        client = self.fetcher.client
        if not client.has_api("klanten"):
            return
        begin = now()
        _, own = wijst_naar(key.removeprefix("url:"), {"klanten": self.klanten_url})
        if key.startswith("url:") and own is not None:
            self.fetcher.fetch(visit, "klant", own)
            return
        queries = self._questions(key)
        for parameter, value in queries:
            asked = now()
            found = client.all("klant", {parameter: value}, deadline=visit.give_up)
            self.fetcher.take(visit, "klant", found, asked)
        if queries:
            with self.store.read() as connection:
                unseen = ties.unseen_klanten(connection, self.fetcher.source, key, begin)
            for uuid in unseen:
                self.fetcher.fetch(visit, "klant", UUID(bytes=uuid))

    @property
    def has_moments(self) -> bool:
        """Has the source a Contactmomenten API?"""
        return self.fetcher.has_api("contactmomenten")

    def klant(self, visit: Visit, uuid: UUID) -> None:
        """Which contactmomenten a klant has."""
        self.fetcher.once(visit, f"klant {uuid}", lambda: self._klant(visit, uuid))

    def zaak(self, visit: Visit, uuid: UUID, thorough: bool = False) -> None:
        """What says that contacts are about a zaak, in either API, and the contactmomenten of the source itself.

        Unless `thorough`, zaakcontactmomenten are not asked of a source that had none at all when it was read whole.
        """
        client = self.fetcher.client
        url = client.url_of("zaak", str(uuid))
        if thorough or self._has_connections():
            try:
                self._ties(visit, "zaak", uuid, {CONNECTION: ("zaak", url)})
            except LegacyError as error:
                if not no_list(error):
                    raise
        if not client.has_api("contactmomenten"):
            return
        self._ties(visit, "zaak", uuid, {"objectcontactmoment": ("object", url)})
        with self.store.read() as connection:
            moments = ties.moments_of(connection, self.fetcher.source, "zaak", [uuid.bytes])
        self._moments(visit, moments)

    def moment(self, visit: Visit, uuid: UUID) -> None:
        """A contactmoment with its ties, its klanten, and the contactmomenten before it."""
        if not self.fetcher.client.has_api("contactmomenten"):
            return
        met: set[UUID] = set()
        current: UUID | None = uuid
        while current is not None and current not in met:
            met.add(current)
            asking = current
            self.fetcher.once(visit, f"contactmoment {asking}", partial(self._moment, visit, asking))
            with self.store.read() as connection:
                vorig = ties.vorige_of_moment(connection, self.fetcher.source, asking.bytes)
            current = UUID(bytes=vorig) if vorig else None

    def reread_ties(self, visit: Visit, uuid: UUID, kinds: Iterable[str] = TIES) -> None:
        """The ties of a contactmoment as they are now, for jobs: before it is taken, for they tell who may see it."""
        url = self.fetcher.client.url_of("contactmoment", str(uuid))
        self._ties(visit, "contact", uuid, dict.fromkeys(kinds, ("contactmoment", url)))

    def klanten(self, visit: Visit, uuid: UUID) -> None:
        """The klanten of a contactmoment that are not held, and who they are beside that."""
        if not self.klanten_url:
            return
        with self.store.read() as connection:
            klanten = ties.klanten_of_moment(connection, self.fetcher.source, uuid.bytes)
            held = rows.raw_rows(connection, self.fetcher.source, "klant", klanten)
        for klant in klanten:
            if klant not in held:
                self.fetcher.fetch(visit, "klant", UUID(bytes=klant))
            with self.store.read() as connection:
                keys = ties.keys_of_klant(connection, self.fetcher.source, klant)
            if keys:
                self.fetcher.who(visit, keys)

    def reread_moment(self, visit: Visit, uuid: UUID) -> None:
        """A contactmoment with its ties and klanten as they are now, however fresh what is held: for jobs."""
        self._moment(visit, uuid)
        self.fetcher.paid("contactmoment", uuid)

    def _has_connections(self) -> bool:
        """May the source have zaakcontactmomenten, by what is known of it?"""
        if not self.fetcher.state()[1]:
            return True
        with self.store.read() as connection:
            return bool(following.held_after(connection, self.fetcher.source, CONNECTION, 0, 1))

    def _moments(self, visit: Visit, moments: set[ties.Moment]) -> None:
        for _, contact in sorted(moments):
            self.moment(visit, UUID(bytes=contact))

    def _klant(self, visit: Visit, uuid: UUID) -> None:
        url = self.fetcher.client.url_of("klant", str(uuid)) if self.klanten_url else str(uuid)
        self._ties(visit, "klant", uuid, {"klantcontactmoment": ("klant", url)})

    def _moment(self, visit: Visit, uuid: UUID) -> None:
        self.reread_ties(visit, uuid)
        if self.fetcher.fetch(visit, "contactmoment", uuid):
            self.klanten(visit, uuid)

    def _ties(self, visit: Visit, column: str, uuid: UUID, questions: dict[str, tuple[str, str]]) -> None:
        """Ask for the ties of a zaak, klant or contactmoment; what did not come with the answer is asked by uuid."""
        client, begin = self.fetcher.client, now()
        for kind, (parameter, value) in questions.items():
            if client.can(kind, parameter, deadline=visit.give_up):
                asked = now()
                found = client.all(kind, {parameter: value}, deadline=visit.give_up)
                self.fetcher.take(visit, kind, found, asked)
        with self.store.read() as connection:
            unseen = ties.unseen_ties(connection, self.fetcher.source, column, uuid.bytes, begin)
        for number, tie in unseen:
            if RAW_KINDS[number - 1] in questions:
                self.fetcher.fetch(visit, RAW_KINDS[number - 1], UUID(bytes=tie))

    def _questions(self, key: str) -> list[tuple[str, str]]:
        """The filters on klanten that find an identity key."""
        start, value = key.split(":", 1)
        number = value.rpartition(":")[2]
        if key.startswith("brp:bsn:"):
            spellings = [number, number[1:]] if number.startswith("0") else [number]
            return [(f"{PERSON}inpBsn", spelling) for spelling in spellings]
        if key.startswith("brp:anr:"):
            return [(f"{PERSON}inpA_nummer", number)]
        if key.startswith(("hr:rsin:", "hr:kvk:")):
            return [(f"{COMPANY}innNnpId", number)]
        if key.startswith("hr:vestiging:"):
            return [(BRANCH, number)]
        if start in ("anp", "ann"):
            source, value = value.split(":", 1)
            name = f"{PERSON}anpIdentificatie" if start == "anp" else f"{COMPANY}annIdentificatie"
            return [(name, value)] if source == self.fetcher.name else []
        return [("subject", value)] if start == "url" else []
