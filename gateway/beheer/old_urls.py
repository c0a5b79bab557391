"""From the URLs by which applications know contacts and customers of before to what those are here.

`POST /beheer/api/v1/oud`, for tokens that may read. In a body, never in a query string: what stands in the URL of a
klant may tell who it is. Nothing of it is logged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any
from uuid import UUID

from flask import request

from gateway.audit.log import AuditLog
from gateway.audit.lookups import note_lookup
from gateway.base import clock
from gateway.beheer.routes import PREFIX, Operating, token_name
from gateway.beheer.told import TEXT, UUID_TEXT, YES_NO, Told, or_null, several, thing
from gateway.config.model import Config
from gateway.http import problems
from gateway.http.problems import InvalidParam, Problem
from gateway.http.public_address import PublicAddresses
from gateway.http.request_body import read_json
from gateway.http.scopes import READ
from gateway.klantinteracties.model.freshness import Hydrator
from gateway.klantinteracties.read.compose import addresses as resource_addresses
from gateway.store.base.store import Store
from gateway.store.inspect import known_objects
from gateway.store.legacy import untranslated_keys
from mappings.identity.urls import uuid_under
from mappings.standards import KINDS, in_order

MOST = 500
NAME = f"POST {PREFIX}oud"
# The kinds that applications kept URLs of.
KEPT = [kind for kind in in_order() if kind.became]
NOT_A_LIST = f"Dit moet een lijst zijn van 1 tot {MOST} URLs."
NOT_A_TEXT = "Dit is geen tekst."
OF_NO_SOURCE = "Dit is geen URL van een klantcontact, contactmoment of klant van een bron."
NOT_YET = "De bron {} is nog niet ingelezen: of zij dit heeft, is nog niet bekend."
UNREAD = "De bron {} heeft dit, maar het is niet te lezen: het staat in quarantaine."
UNKNOWN = "De bron {} heeft dit niet, of het mag hier niet worden getoond."

# The name of a source, a kind of it, and the uuid of an object.
Named = tuple[str, str, UUID]

OLD = Told(
    "oude URLs",
    "Wat er van klantcontacten en klanten is geworden, bij hun oude URL",
    thing(
        results=several(
            thing(
                may_lack=("reason",),
                asked=TEXT,
                found=YES_NO,
                kind=or_null(TEXT),
                uuid=or_null(UUID_TEXT),
                url=or_null(TEXT),
                reason=TEXT,
            )
        )
    ),
    body=thing(urls={"type": "array", "items": TEXT, "minItems": 1, "maxItems": MOST}),
    problems=("400", "413", "415"),
)


def register(
    operating: Operating,
    store: Store,
    config: Config,
    hydrator: Hydrator,
    addresses: PublicAddresses,
    audit: AuditLog | None,
) -> None:
    """Add the path `oud`."""
    old = OldUrls(store, config, hydrator, audit)
    operating.add("oud", lambda: old.answer(addresses.base(request.environ)), OLD, ["POST"], READ)


class OldUrls:
    """Looks up what URLs of a source became."""

    def __init__(self, store: Store, config: Config, hydrator: Hydrator, audit: AuditLog | None) -> None:
        self._audit = audit
        self._store = store
        self._sources = config.sources
        self._hydrator = hydrator
        self._seconds = config.live.deadline if config.sources else 0

    def answer(self, base: str) -> dict[str, Any]:
        """The answer to the request that is being answered; `base` begins the URLs in it. Raises a 400 Problem."""
        urls = _urls(read_json(request))
        named = {url: name for url in urls if (name := self.identify(url))}
        found = self._find(set(named.values()))
        if missing := [name for name in dict.fromkeys(named.values()) if name not in found]:
            self._fetch(missing)
            found |= self._find(set(missing))
        became = {url: (KINDS[name[1]].became, found[name]) for url, name in named.items() if name in found}
        with self._store.read() as connection:
            # A rol may name a klant that is not held, or of an API that is no source: that URL is a key of its partij.
            parties = known_objects.parties_by_url(connection, [url for url in urls if url not in became])
            covered = {
                source.name: known_objects.covered(connection, source.name) for source in self._sources
            }
            hidden = {
                (source, kind, uuid)
                for source, kind, uuid in missing
                if untranslated_keys.objects_among(connection, source, kind, [uuid.bytes])
            }
        became |= {url: ("partij", uuid) for url, uuid in parties.items()}
        note_lookup(self._audit, self._store, NAME, token_name(), [str(uuid) for _, uuid in became.values()])
        where = resource_addresses(base)
        return {
            "results": [
                _told(url, became.get(url), _why(named.get(url), covered, hidden), where) for url in urls
            ]
        }

    def identify(self, url: str) -> Named | None:
        """The source, kind and uuid of the object that a URL names; None when that is of no source."""
        for source in self._sources:
            for kind in KEPT:
                api_url = getattr(source, f"{kind.api}_url")
                uuid = uuid_under(url, f"{api_url}{kind.path}") if api_url else None
                if uuid is not None:
                    return source.name, kind.name, uuid
        return None

    def _find(self, named: set[Named]) -> dict[Named, UUID]:
        found: dict[Named, UUID] = {}
        with self._store.read() as connection:
            for source, kind in {name[:2] for name in named}:
                wanted = {uuid for *of, uuid in named if of == [source, kind]}
                became = known_objects.became(connection, source, kind, wanted)
                found |= {(source, kind, uuid): document for uuid, document in became.items()}
        return found

    def _fetch(self, missing: Sequence[Named]) -> None:
        """Ask the sources for contacts that are not here yet, for as long as a question may take."""
        with self._store.read() as connection:
            contacts = [
                uuid
                for name, kind, uuid in missing
                if KINDS[kind].became == "klantcontact" and not known_objects.covered(connection, name)
            ]
        give_up = clock.monotonic() + self._seconds
        for uuid in contacts:
            if clock.monotonic() >= give_up:
                return
            try:
                self._hydrator.before_detail("klantcontact", uuid.bytes)
            except Problem:
                return  # it does not answer now; what is not found is reported as not known yet


def _told(url: str, became: tuple[str, UUID] | None, why: str, where: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "asked": url,
        "found": became is not None,
        "kind": None,
        "uuid": None,
        "url": None,
    }
    if became is None:
        return shown | {"reason": why}
    kind, uuid = became
    return shown | {"kind": kind, "uuid": str(uuid), "url": f"{where[kind]}{uuid}", "reason": ""}


def _why(name: Named | None, covered: Mapping[str, bool], hidden: Set[Named]) -> str:
    """Why nothing was found for what a URL names; `hidden` is what could not be read (M3)."""
    if name is None:
        return OF_NO_SOURCE
    if name in hidden:
        return UNREAD.format(name[0])
    return (UNKNOWN if covered[name[0]] else NOT_YET).format(name[0])


def _urls(body: Any) -> list[str]:
    """The URLs in a body. Raises a 400 Problem that repeats nothing of them."""
    urls = body.get("urls") if isinstance(body, dict) else None
    if not isinstance(urls, list) or not 1 <= len(urls) <= MOST:
        code = "required" if isinstance(body, dict) and "urls" not in body else "invalid"
        raise problems.invalid(InvalidParam("urls", code, NOT_A_LIST))
    wrong = [number for number, url in enumerate(urls) if not isinstance(url, str)]
    if wrong:
        raise problems.invalid(*(InvalidParam(f"urls.{number}", "invalid", NOT_A_TEXT) for number in wrong))
    return urls
