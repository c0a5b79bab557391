"""All that a source has of an identity key: the rollen, klanten, ... that name it, through every alias (M6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gateway.base.clock import now
from gateway.fetch.coverage import SETTLED_PHASES
from gateway.legacy.errors import BadRequest
from gateway.store.legacy import claims, identities
from gateway.store.operation.sources import note_fetched
from mappings.identity.identity import place
from mappings.identity.urls import wijst_naar
from mappings.standards import in_order
from mappings.standards.declaration import Decides, LegacyKind, Number, Questions
from mappings.values.uuids import uuid_in

if TYPE_CHECKING:
    from gateway.fetch.fetcher import Fetcher
    from gateway.fetch.visit import Visit
    from gateway.legacy.client.source_client import ZakenClient

# With one of these the uuid of a party is known without asking further: nothing stands above them (M6).
# Not with a vestigingsnummer: it may occur with several KVK numbers, and then each pair is a party.
TOP_KEYS = ("brp:bsn:", "hr:rsin:", "actor:")
# Keys that every version of the Zaken API is asked for.
ALWAYS_ASKED = ("brp:", "hr:")
NO_KVK_FILTER = "KVK-nummer is bij deze bron niet in elk veld te bevragen"


@dataclass(frozen=True, slots=True)
class _Asking:
    """One list of a source, as `LegacyKind.by_key` wants to know it."""

    client: ZakenClient
    kind: str
    deadline: float

    @property
    def source(self) -> str:
        return self.client.source_name

    def can(self, parameter: str) -> bool:
        return self.client.can(self.kind, parameter, deadline=self.deadline)

    def version(self) -> Number:
        return self.client.version_of(self.kind, deadline=self.deadline).number


class Keys:
    """The part of a Fetcher that asks for identity keys."""

    def __init__(self, fetcher: Fetcher) -> None:
        self.fetcher = fetcher
        self.store = fetcher.store
        self.source = fetcher.source

    def identity(self, visit: Visit, key: str) -> None:
        """All that names a party or actor, through every alias found on the way (M6)."""
        ask, done = [key], set()
        while ask:
            current = ask.pop()
            if current in done:
                continue
            done.add(current)
            if not all(self._finds_all(visit, kind, current) for kind in self._asked_by_key()):
                visit.partial(NO_KVK_FILTER)
            self.fetcher.fetch_once(
                visit,
                claims.asked_by_key(self.fetcher.sealed(current)),
                partial(self._key, visit, current),
                of_zaken_api=current.startswith(ALWAYS_ASKED),
            )
            with self.store.read() as connection:
                found = identities.connected_keys(connection, current)
            ask += [other for other, _ in found if other not in done]

    def identify(self, visit: Visit, keys: Iterable[str]) -> None:
        """Which party or actor these keys of one object name, where they do not tell by themselves."""
        highest = min(keys, key=place)
        if not highest.startswith(TOP_KEYS):
            self.identity(visit, highest)

    def _asked_by_key(self) -> list[LegacyKind]:
        """The kinds that this source has and that can be asked for a key."""
        return [kind for kind in in_order() if kind.by_key and self.fetcher.has_api(kind.api)]

    def _finds_all(self, visit: Visit, kind: LegacyKind, key: str) -> bool:
        """Can all of `key` be found: by asking, or because a backfill read everything?"""
        phase, covered = self.fetcher.state()
        return bool(covered) or phase in SETTLED_PHASES or self._questions(visit, kind, key)[1]

    def _questions(self, visit: Visit, kind: LegacyKind, key: str) -> Questions:
        if kind.by_key is None:
            return [], True
        return kind.by_key(key, _Asking(self.fetcher.client, kind.name, visit.give_up))

    def _key(self, visit: Visit, key: str) -> None:
        for kind in self._asked_by_key():
            while not self._of_key(visit, kind, key):
                pass  # the source became another version meanwhile, which the client finds at most once a minute
            if not self._finds_all(visit, kind, key):
                visit.partial(NO_KVK_FILTER)

    def _of_key(self, visit: Visit, kind: LegacyKind, key: str) -> bool:
        """All objects of a kind that the source finds for a key. Out: was it the same version from beginning to end?"""
        client = self.fetcher.client
        if kind.url_is_key and key.startswith("url:"):
            _, own = wijst_naar(key.removeprefix("url:"), {kind.api: client.base_of(kind.api)})
            if own is not None:
                self.fetcher.fetch(visit, kind.name, own)
                return True
        if not self._questions(visit, kind, key)[0]:
            return True
        began, version = now(), client.version_of(kind.name, deadline=visit.give_up)
        queries, whole = self._questions(visit, kind, key)
        try:
            for parameter, value in queries:
                if kind.decides is Decides.ITS_ZAAK:
                    self._zaken_of(visit, f"{kind.name}__{parameter}", value)
                asked = now()
                objects = client.all(kind.name, {parameter: value}, deadline=visit.give_up)
                self.fetcher.take(visit, kind.name, objects, asked)
        except BadRequest:
            if client.version_of(kind.name, deadline=visit.give_up) == version:
                raise
            return False
        if client.version_of(kind.name, deadline=visit.give_up) != version:
            return False  # the newer one may have more fields to ask
        if whole:
            with self.store.read() as connection:
                unseen = identities.unseen_of_key(connection, self.source, kind.name, key, began)
            self.fetcher.recheck_unlisted(visit, kind.name, unseen)
        return True

    def _zaken_of(self, visit: Visit, name: str, value: str) -> None:
        """Where the version can: the zaken of these rollen in one walk, with all their rollen."""
        client = self.fetcher.client
        if not client.can("zaak", name, deadline=visit.give_up):
            return
        filters = {name: value}
        if client.can("zaak", "expand", deadline=visit.give_up):
            filters["expand"] = "rollen"
        asked = now()
        zaken = client.all("zaak", filters, deadline=visit.give_up)
        self._take_zaken(visit, zaken, asked)

    def _take_zaken(self, visit: Visit, zaken: list[dict[str, Any]], asked: int) -> None:
        ingest, name = self.fetcher.ingest, self.fetcher.name
        doubtful = ingest.take(name, "zaak", zaken, asked=asked).doubtful
        rollen: list[dict[str, Any]] = []
        whole: set[UUID] = set()
        for zaak in zaken:
            expanded = (zaak.get("_expand") or {}).get("rollen")
            uuid = uuid_in(zaak.get("uuid"))
            if uuid and isinstance(expanded, list) and len(expanded) == len(zaak.get("rollen", expanded)):
                rollen += expanded
                whole.add(uuid)
        result = ingest.take(name, "rol", rollen, asked=asked)
        with self.store.write(synced=False) as connection:
            for uuid in whole - result.refetch_zaken:
                note_fetched(connection, self.source, f"rollen {uuid}", asked)
        for kind, uuid in sorted(doubtful | result.doubtful):
            self.fetcher.fetch(visit, kind, uuid)
