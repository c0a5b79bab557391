"""Puts the parts of one installation together: store, ingest, clients of the sources, hydrator."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from gateway.audit.log import key_file_of, key_of, log_of
from gateway.base import clock
from gateway.base.logs import get_logger
from gateway.base.pace_share import AskedShare, PaceShare
from gateway.base.process_identity import NotShared
from gateway.config.load import ensure_secret
from gateway.config.model import Config
from gateway.fetch.fetcher import Fetcher
from gateway.fetch.visit import Visit
from gateway.hydrate.hydrator import LegacyHydrator
from gateway.hydrate.noting import AskedSources
from gateway.ingest.ingest import MAXIMUM, Ingest
from gateway.klantinteracties.model.freshness import Hydrator, LocalOnly
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.errors import NotConfigured
from gateway.legacy.pacing import machine_shares
from gateway.legacy.pacing.waiting_threads import Places
from gateway.store import chosen
from gateway.store.base.errors import StoreAway, StoreError, StoreFailed, StoreNotReached, TooLong
from gateway.store.base.store import Store
from gateway.store.inspect import rebuilding
from gateway.store.machines import paces
from gateway.store.operation.sources import bind_secret, forget_coverage, meta, set_meta
from mappings.model.settings import VERTROUWELIJKHEIDAANDUIDINGEN
from mappings.translate import fingerprint

log = get_logger(__name__)

RETRY_SECONDS = 60.0
# Where a store keeps to which key of the audit log it is tied.
AUDIT_KEY = "audit_key"
# A database that is started together with us gets so long; it is tried again, and told of, after so long.
AWAY_SECONDS, AGAIN_SECONDS, TELL_SECONDS = 120.0, 1.0, 10.0


@dataclass(frozen=True, slots=True)
class Installation:
    """The parts, for one process."""

    config: Config
    store: Store
    ingest: Ingest
    fetchers: dict[str, Fetcher]
    # Sources of which something is held that was made with another [mapping].
    to_rebuild: tuple[str, ...] = ()

    def hydrator(self, most_waiting: int | None = None, waits: Callable[[], None] = lambda: None) -> Hydrator:
        """What the served API asks before it answers.

        `most_waiting`: how many threads of this process may wait for sources at a time, None for any number; `waits` is
        called in one that is about to.
        """
        if not self.fetchers:
            return LocalOnly()
        audit = log_of(self.config)
        noting = AskedSources(audit) if audit else None
        return LegacyHydrator(
            self.store, self.fetchers, self.config.live, Places(most_waiting, waits), noting
        )

    def retry(self, source: str, kind: str, uuid: UUID, *, emptied: bool) -> None:
        """Translate again an object in quarantine; one that is emptied is asked from its source.

        Raises LegacyError when the source does not give it, CutOver when it must not be asked.
        """
        if not emptied:
            self.ingest.retry(source, kind, [uuid])
        elif source not in self.fetchers:
            raise NotConfigured(source, kind, text="staat niet in de configuratie")
        else:
            self.fetchers[source].fetch(Visit(clock.monotonic() + RETRY_SECONDS), kind, uuid)


def open_installation(config: Config) -> Installation:
    """Open the store of a configuration and make the parts. Calls no source. Raises StoreError, ConfigError."""
    config = ensure_secret(config)
    store = open_store(config)
    ingest = make_ingest(config, store)
    clients = {source.name: ZakenClient(source, pace=config.store.path) for source in config.sources}
    for client in clients.values():
        try:
            client.share_pace()
        except NotShared as error:
            raise StoreError(f"Het tempo is niet te delen: {error}") from None
    sync = config.jobs.get("sync")
    schedule = sync.schedule if sync else ""
    fetchers = {
        name: Fetcher(client, store, ingest, config.live.max_age, schedule)
        for name, client in clients.items()
    }
    _follow_maximum(store, ingest, fetchers)
    made_with = fingerprint(config.mapping)
    if store.only_reads:  # then no objects are taken either, and the next start notes it
        with store.read() as connection:
            to_rebuild = rebuilding.made_otherwise(connection, made_with)
    else:
        with store.write() as connection:
            to_rebuild = rebuilding.follow_mapping(connection, made_with)
    return Installation(config, store, ingest, fetchers, tuple(to_rebuild))


def open_when_there(config: Config, wait: Callable[[float], object]) -> Installation:
    """The same for what is started together with its database, in whatever order: that gets some time.

    In: waits so many seconds, and says whether we must stop; then this process ends.
    """
    began = told = clock.monotonic()
    while True:
        try:
            return open_installation(config)
        except (StoreNotReached, StoreAway) as error:
            moment = clock.monotonic()
            if moment - began >= AWAY_SECONDS:
                raise
            if told == began or moment - told >= TELL_SECONDS:
                told = moment
                log.warning("the database is not there yet", problem=str(error), waits=int(AWAY_SECONDS))
        if wait(AGAIN_SECONDS):
            sys.exit(0)


def make_ingest(config: Config, store: Store) -> Ingest:
    """What takes legacy objects into a store as this configuration says."""
    ingest = Ingest(store, config.mapping, config.store.uuid_secret)
    known = (config.gateway.public_url, *config.gateway.also_known_as)
    here = {f"hier {number}": address for number, address in enumerate(known)}
    ingest.addresses = {
        source.name: {"bron": source.contactmomenten_url, **here} for source in config.sources
    }
    return ingest


def _follow_maximum(store: Store, ingest: Ingest, fetchers: dict[str, Fetcher]) -> None:
    """When `max_vertrouwelijkheidaanduiding` was changed, make the store follow it at once (M34)."""
    maximum = ingest.settings.max_vertrouwelijkheidaanduiding
    before = meta(store, MAXIMUM)
    if before == maximum or not fetchers:
        return
    order = VERTROUWELIJKHEIDAANDUIDINGEN
    for name, fetcher in fetchers.items():
        if before is not None and order.index(maximum) > order.index(before):
            # What was left out until now is not held: it is asked for, or comes with the next backfill.
            with store.write() as connection:
                forget_coverage(connection, fetcher.source)
        else:
            ingest.leave_out_above(name)
    set_meta(store, MAXIMUM, maximum)
    for (
        name
    ) in fetchers:  # from here on no process that follows another one writes; what it wrote meanwhile goes
        ingest.leave_out_above(name)


def store_of(config: Config) -> Store:
    """The store as `[store]` says, opened. Raises StoreError."""
    return chosen.open_store(config.store)


def open_store(config: Config) -> Store:
    """Open the store, and refuse a uuid secret other than the one it was made with. Raises StoreError."""
    config = ensure_secret(config)
    store = store_of(config)
    if config.store.url:
        machine_shares.with_machines(config.store.path, partial(_settle, store))
    if not bind_secret(store, secret_fingerprint(config.store.uuid_secret)):
        raise StoreError(
            f"[store] uuid_secret: {config.store.shown} is gemaakt met een ander geheim; zet het oude geheim terug "
            "(uit uw back-up): met een nieuw geheim zou elke partij een andere uuid krijgen."
        )
    if config.store.url and config.audit.enabled and not bind_secret(store, _audit_key(config), AUDIT_KEY):
        raise StoreError(
            f"[audit] key_file: de sleutel in {key_file_of(config)} is een andere dan op de machine die hier het eerst "
            "was; zet op elke machine dezelfde, anders is van één persoon maar een deel van het auditlog te vinden. "
            "Moet er een nieuwe komen: klantbrug audit forget-key."
        )
    return store


def _audit_key(config: Config) -> str:
    return hashlib.sha256(b"klantbrug audit key|" + key_of(config).encode()).hexdigest()[:16]


def _settle(store: Store, server: str, member: str, asked: AskedShare) -> PaceShare | None:
    """See `machine_shares.Settle`."""
    try:
        with store.apart() as connection:
            return paces.settle(connection, server, member, asked)
    except (StoreFailed, TooLong):
        return None


def secret_fingerprint(secret: str) -> str:
    """What a store keeps of its uuid secret, to know it again."""
    return hashlib.sha256(b"klantbrug uuid_secret|" + secret.encode()).hexdigest()[:16]
