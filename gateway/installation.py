"""Puts the parts of one installation together: store, ingest, clients of the sources, hydrator."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from gateway.base import clock
from gateway.base.process_identity import NotShared
from gateway.config.load import ensure_secret
from gateway.config.model import Config
from gateway.fetch.fetcher import Fetcher
from gateway.fetch.visit import Visit
from gateway.hydrate.hydrator import LegacyHydrator
from gateway.ingest.ingest import MAXIMUM, Ingest
from gateway.klantinteracties.model.freshness import Hydrator, LocalOnly
from gateway.legacy.client.source_client import ZakenClient
from gateway.legacy.errors import NotConfigured
from gateway.legacy.pacing.waiting_threads import Places
from gateway.store.base.errors import StoreError
from gateway.store.file.database import Store
from gateway.store.inspect import rebuilding
from gateway.store.operation.sources import bind_secret, forget_coverage, meta, set_meta
from mappings.model.settings import VERTROUWELIJKHEIDAANDUIDINGEN
from mappings.translate import fingerprint

RETRY_SECONDS = 60.0


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
        return LegacyHydrator(self.store, self.fetchers, self.config.live, Places(most_waiting, waits))

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
    known = config.store
    return Store(known.path, busy_seconds=known.busy_seconds, log_mb=known.log_mb)


def open_store(config: Config) -> Store:
    """Open the store, and refuse a uuid secret other than the one it was made with. Raises StoreError."""
    config = ensure_secret(config)
    store = store_of(config)
    if not bind_secret(store, secret_fingerprint(config.store.uuid_secret)):
        raise StoreError(
            f"[store] uuid_secret: {config.store.path} is gemaakt met een ander geheim; zet het oude geheim terug "
            "(uit uw back-up): met een nieuw geheim zou elke partij een andere uuid krijgen."
        )
    return store


def secret_fingerprint(secret: str) -> str:
    """What a store keeps of its uuid secret, to know it again."""
    return hashlib.sha256(b"klantbrug uuid_secret|" + secret.encode()).hexdigest()[:16]
