"""All rooms together, added to an application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from gateway.audit.log import AuditLog
from gateway.http.public_address import PublicAddresses
from gateway.ingest.ingest import Ingest
from gateway.login.paths import LOGIN
from gateway.operator.explain.explainer import Explainer
from gateway.operator.rooms.jobs import JobTable
from gateway.pages.desk import PREFIX, Desk
from gateway.pages.rooms.backfill import BackfillRoom
from gateway.pages.rooms.export import ExportRoom
from gateway.pages.rooms.findings import FindingsRoom
from gateway.pages.rooms.jobs import JobsRoom
from gateway.pages.rooms.logbook import LogbookRoom
from gateway.pages.rooms.overview import OverviewRoom
from gateway.pages.rooms.phases import PhasesRoom
from gateway.pages.rooms.proofs import ProofsRoom
from gateway.pages.rooms.quarantine import QuarantineRoom
from gateway.pages.rooms.search import SearchRoom
from gateway.pages.rooms.settings import SettingsRoom
from gateway.pages.rooms.tokens import TokensRoom
from gateway.pages.rooms.writeback import WriteBackRoom
from gateway.store.base.store import Store

if TYPE_CHECKING:
    from gateway.config.model import Config


def is_page(path: str) -> bool:
    """Do people see in a browser what is at a path, rather than programs?"""
    return path in ("/", LOGIN) or (path.startswith(PREFIX) and not path.startswith(f"{PREFIX}api/"))


def register(
    app: Flask,
    store: Store,
    config: Config,
    addresses: PublicAddresses,
    ingest: Ingest,
    jobs: JobTable | None,
    audit: AuditLog | None,
) -> None:
    """Add every page. In: `jobs` is None where nobody handed over their table; the page then says so. `audit` is
    None where nothing is logged."""
    desk = Desk(app, store, config, addresses, jobs)
    OverviewRoom(desk)
    BackfillRoom(desk)
    ProofsRoom(desk)
    FindingsRoom(desk)
    QuarantineRoom(desk, ingest)
    SearchRoom(desk, Explainer(store, config.mapping, config.store.uuid_secret), ingest, audit)
    PhasesRoom(desk)
    JobsRoom(desk, jobs)
    TokensRoom(desk)
    WriteBackRoom(desk)
    ExportRoom(desk)
    SettingsRoom(desk)
    LogbookRoom(desk)
